"""Drum kits, synthetic and sampled, and trial sounds for the check `groove`."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence

import msgspec
import numpy as np

from innerear import checks
from innerear.checks import Check
from innerear.clip import Clip
from innerear.errors import UsageError
from innerear.lab import sounds as make
from innerear.lab.sounds import SAMPLE_RATE, SYNTHETIC, Bank, Floats, hz
from innerear.lab.tools import Pairs, Rng, others, seeded
from innerear.metrics.verified import Trial

Hit = Callable[[Rng], Floats]
Kit = Mapping[str, Hit]
Rows = dict[str, list[int]]
"""Steps of one bar by row."""

PATTERNS = 12
GM_KITS = {"standard": 0, "room": 8, "power": 16, "electronic": 24, "TR-808": 25, "jazz": 32, "orchestra": 48}
"""Programs of the percussion channel."""
GM_KEYS = {
    "kick": (36, 35), "snare": (38, 40), "clap": (39,), "stick": (37,), "hihat": (42,), "open": (46,), "ride": (51,),
}  # fmt: skip
SPACED_S = 3.0  # between the single hits that a kit is sampled from


def _noise(low_hz: float, high_hz: float, decay: float, length_s: float, rng: Rng) -> Floats:
    from scipy.signal import butter, sosfilt

    t = make.seconds(length_s)
    band = butter(2, [low_hz, min(high_hz, 20_000)], "bandpass", fs=SAMPLE_RATE, output="sos")
    noise = sosfilt(band, rng.standard_normal(len(t)))
    return np.asarray(noise / np.abs(noise).max() * np.exp(-t * decay))


def _ring(f0_hz: float, decay: float, length_s: float, drop: float = 0.0, fast: float = 40.0) -> Floats:
    t = make.seconds(length_s)
    cycles = np.cumsum(f0_hz * (1 + drop * np.exp(-t * fast))) / SAMPLE_RATE
    return np.asarray(np.sin(2 * np.pi * cycles) * np.exp(-t * decay))


def _sum(*parts: Floats) -> Floats:
    total = np.zeros(max(map(len, parts)))
    for part in parts:
        total[: len(part)] += part
    return total


def _clap(rng: Rng) -> Floats:
    bursts = [(0.011 * n, _noise(700, 2500, 200, 0.03, rng)) for n in range(3)]
    return make.mix([*bursts, (0.033, _noise(700, 2500, 30, 0.2, rng))], 0.25)


def _metal(decay: float, rng: Rng) -> Floats:
    from scipy.signal import butter, sosfilt

    t = make.seconds(0.35)
    squares = np.asarray(
        [np.sign(np.sin(2 * np.pi * f * t + rng.uniform(0, 6))) for f in (2050, 3040, 3650, 5220, 5400, 8000)]
    )
    high = sosfilt(butter(4, 7000, "highpass", fs=SAMPLE_RATE, output="sos"), squares.sum(axis=0))
    return np.asarray(0.08 * high * np.exp(-t * decay))


PLAIN: Kit = {
    "kick": make.kick, "snare": make.snare, "hihat": make.hat,
    "open": lambda rng: 0.2 * _noise(6000, 18_000, 12, 0.3, rng), "clap": _clap,
    "stick": lambda rng: make.block(rng, 1600.0),
}  # fmt: skip
ANALOGUE: Kit = {
    "kick": lambda rng: _ring(48, 7, 0.5, 1.0, 60),
    "snare": lambda rng: _sum(
        0.6 * _ring(180, 30, 0.15), 0.4 * _ring(330, 35, 0.12), 0.6 * _noise(1500, 12_000, 18, 0.25, rng)
    ),
    "clap": _clap,
    "stick": lambda rng: _sum(0.5 * _ring(1700, 90, 0.06), 0.4 * _ring(450, 70, 0.08)),
    "hihat": lambda rng: _metal(60, rng),
    "open": lambda rng: _metal(10, rng),
}
ACOUSTIC: Kit = {
    "kick": lambda rng: _sum(
        _ring(58, 12, 0.4, 0.6, 50), 0.4 * _ring(110, 18, 0.2), 0.25 * _noise(1500, 5000, 150, 0.04, rng)
    ),
    "snare": lambda rng: _sum(
        0.5 * _ring(210, 22, 0.2), 0.3 * _ring(390, 28, 0.2), 0.7 * _noise(400, 9000, 22, 0.25, rng)
    ),
    "clap": _clap,
    "stick": lambda rng: _sum(
        0.5 * _ring(420, 60, 0.1), 0.4 * _ring(1750, 80, 0.08), 0.2 * _noise(1000, 6000, 200, 0.03, rng)
    ),
    "hihat": lambda rng: 0.25 * _noise(5500, 19_000, 55, 0.1, rng),
    "open": lambda rng: 0.25 * _noise(4500, 19_000, 9, 0.35, rng),
}
SYNTHETIC_KITS: dict[str, Kit] = {"plain": PLAIN, "analogue": ANALOGUE, "acoustic": ACOUSTIC}


@functools.cache
def gm_kit(name: str) -> Kit | None:
    """The hits of a General MIDI kit of fluidsynth's soundfont; `None` where there is no fluidsynth."""
    from innerear.ask.models.sampler import midi_file
    from innerear.render.tools import make as play
    from innerear.render.tools import recording, soundfont

    try:
        font = soundfont().name
    except UsageError:
        return None
    keys = [(row, key) for row, some in GM_KEYS.items() for key in some]
    events = [(0.0, 0, bytes([0xC9, GM_KITS[name]]))]
    for place, (_, key) in enumerate(keys):
        events += [
            (SPACED_S * place + 0.5, 1, bytes([0x99, key, 110])),
            (SPACED_S * place + 1.0, 0, bytes([0x89, key, 0])),
        ]
    clip = play(recording("fluidsynth", {"soundfont": font, "midi": midi_file(events)}))
    sound = clip.at(SAMPLE_RATE).astype(np.float64)
    hits: dict[str, list[Floats]] = {}
    for place, (row, _) in enumerate(keys):
        start = round((SPACED_S * place + 0.5) * SAMPLE_RATE)
        part = sound[start : start + round(1.2 * SAMPLE_RATE)]
        loud = np.abs(part) > 0.02 * np.abs(part).max(initial=1e-9)
        hits.setdefault(row, []).append(make.edges(part[int(np.argmax(loud)) :], 0, 0.2))
    return {row: lambda rng, some=some: some[int(rng.integers(len(some)))] for row, some in hits.items()}  # type: ignore[misc]


def pattern(rng: Rng) -> tuple[checks.Groove, dict[str, str]]:
    """A rhythm in 4/4 for a kit, and which sound plays each row."""
    kicks = [0, *sorted(rng.choice([3, 6, 7, 8, 10, 11, 14], int(rng.integers(0, 3)), replace=False).tolist())]
    if rng.random() < 0.2:
        kicks = [0, 4, 8, 12]
    back = [[4, 12], [4, 12], [8], [4, 12, 15], [4, 7, 12]][rng.integers(5)]
    hats = [list(range(0, 16, 2)), list(range(0, 16, 4)), [2, 6, 10, 14], list(range(16))][
        rng.choice(4, p=[0.5, 0.15, 0.25, 0.1])
    ]
    snare = str(rng.choice(["snare", "snare", "snare", "clap", "stick"]))
    hihat = str(rng.choice(["hihat", "hihat", "open"])) if len(hats) < 16 else "hihat"
    check = checks.Groove(
        bpm=float(rng.integers(72, 131)), beats_per_bar=4, steps_per_beat=4, bars=2,
        kick=kicks, snare=back, hihat=hats,
    )  # fmt: skip
    return check, {"kick": "kick", "snare": snare, "hihat": hihat}


def played(
    kit: Kit, sounds: Mapping[str, str], hits: Mapping[str, Sequence[int]], check: checks.Groove, rng: Rng
) -> Clip:
    """Hits (steps from the start, by row) on a kit, each with its own level, in a room."""
    step_s = 60 / check.bpm / check.steps_per_beat
    gains = {"kick": 0.0, "snare": rng.uniform(-6, 2), "hihat": rng.uniform(-12, -3)}
    events = []
    for row, steps in hits.items():
        for step in steps:
            hit = kit[sounds[row]](rng)
            level = gains[row] + rng.uniform(-3, 0)
            onset = max(0.0, step * step_s + rng.normal(0, 0.003))
            events.append((onset, hit / np.abs(hit).max() * 10 ** (level / 20)))
    duration_s = check.bars * check.beats_per_bar * 60 / check.bpm
    wet = make.room(make.mix(events, duration_s), rng, float(rng.uniform(0.02, 0.2)))
    return make.clip(make.noisy(wet, rng, float(rng.uniform(40, 60))))


def _all_bars(check: checks.Groove, rows: Sequence[str]) -> Rows:
    steps = check.beats_per_bar * check.steps_per_beat
    return {row: [bar * steps + step for bar in range(check.bars) for step in getattr(check, row)] for row in rows}


def _heard(row: str, step: int, hits: Rows) -> bool:
    """Whether a hit is heard there: one of a hi-hat under a snare is not."""
    return row != "hihat" or step not in hits["snare"]


def wrong_grooves(check: checks.Groove, rng: Rng) -> Iterator[tuple[str, Rows]]:
    """Two rows swapped; one hit moved by a step, missing, or extra."""
    hits = _all_bars(check, ("kick", "snare", "hihat"))
    last = check.bars * check.beats_per_bar * check.steps_per_beat
    for a, b in (("kick", "snare"), ("kick", "hihat"), ("snare", "hihat")):
        if set(hits[a]) != set(hits[b]):
            yield "rows swapped", {**hits, a: hits[b], b: hits[a]}
    for row in rng.permutation(list(hits)):
        steps = hits[row]
        free = [step for step in range(last) if step not in steps and _heard(row, step, hits)]
        mine = [step for step in steps if _heard(row, step, hits)]
        moves = [(old, new) for old in mine for new in (old - 1, old + 1) if new in free]
        if moves:
            old, new = moves[rng.integers(len(moves))]
            yield "a hit moved", {**hits, row: sorted([*(s for s in steps if s != old), new])}
        if mine:
            lost = int(rng.choice(mine))
            yield "a hit missing", {**hits, row: [step for step in steps if step != lost]}
        if free:
            yield "a hit extra", {**hits, row: sorted([*steps, int(rng.choice(free))])}


def _kits() -> Iterator[tuple[str, str, Kit]]:
    for name, kit in SYNTHETIC_KITS.items():
        yield "synthetic", name, kit
    for name in GM_KITS:
        if (sampled := gm_kit(name)) is not None:
            yield "real", name, sampled


def groove(pairs: Pairs, bank: Bank | None) -> Iterator[Trial]:
    """Random rhythms on synthetic and General MIDI kits; basses and chords of synthetic and recorded voices."""
    mine: list[tuple[Check, Clip]] = []
    kits = list(_kits())
    for number in range(PATTERNS):
        check, sounds = pattern(seeded("groove", number))
        chosen = [kits[i] for i in seeded("kits", number).permutation(len(kits))[:3]] if len(kits) > 3 else kits
        for column, name, kit in [*kits[:3], *(kit for kit in chosen if kit[0] == "real")]:
            rng = seeded("groove", number, name)
            clip = played(kit, sounds, _all_bars(check, ("kick", "snare", "hihat")), check, rng)
            yield Trial(column, check, clip, f"{name} {sounds['snare']} {sounds['hihat']} {number}")
            mine.append((check, clip))
            wrong = list(wrong_grooves(check, rng))
            for kind, hits in [wrong[i] for i in rng.permutation(len(wrong))[:3]]:
                yield Trial(kind, check, played(kit, sounds, hits, check, rng), f"{name} {sounds['snare']} {number}")
    yield from _low_high(bank, mine)
    yield from others(mine, lambda a, b: msgspec.structs.replace(a, bpm=1) != msgspec.structs.replace(b, bpm=1), each=1)


LOW_HIGH = (
    {"beats_per_bar": 3, "low": [0], "high": [1, 2]}, {"beats_per_bar": 4, "low": [0, 2], "high": [1, 3]},
    {"beats_per_bar": 4, "low": [0], "high": [1, 2, 3]}, {"beats_per_bar": 2, "low": [0], "high": [1]},
)  # fmt: skip
CHORDS = ((0, (4, 7, 12)), (-5, (-1, 5, 7)), (0, (7, 12, 16)), (5, (9, 12, 17)))
"""Bass and chord, in semitones from the tonic; the bass is an octave lower or two."""


def _low_high(bank: Bank | None, mine: list[tuple[Check, Clip]]) -> Iterator[Trial]:
    voices = [("synthetic", name, SYNTHETIC[name]) for name in ("reed", "plucked", "ringing")]
    if bank:
        names = [
            name
            for name in (
                "upright-piano-KW",
                "CP80",
                "Acoustic Grand Piano",
                "Harpsichord",
                "Acoustic Guitar (nylon)",
                "spanish-classical-guitar",
            )
            if name in bank.real or name in bank.rendered
        ]
        voices += [("real", name, bank.voice(name)) for name in names]
    for number, one in enumerate(LOW_HIGH):
        for column, name, voice in voices:
            rng = seeded("low high", number, name)
            check = checks.Groove(bpm=float(rng.integers(90, 180)), steps_per_beat=1, bars=4, **one)  # type: ignore[arg-type]
            tonic = 60 + int(rng.integers(-4, 5))
            clip = _oom_pah(voice, tonic, _all_bars(check, ("low", "high")), check, rng)
            if clip is None:
                continue
            yield Trial(column, check, clip, f"{name} {one}")
            mine.append((check, clip))
            hits = _all_bars(check, ("low", "high"))
            moved, kept = int(rng.choice(hits["high"])), int(rng.choice(hits["low"][1:]))
            for kind, wrong in (
                ("rows swapped", {"low": hits["high"], "high": hits["low"]}),
                ("a hit missing", {**hits, "high": [step for step in hits["high"] if step != moved]}),
                ("a hit extra", {"low": sorted([*hits["low"], moved]), "high": hits["high"]}),
                ("a hit moved", {row: [{kept: moved, moved: kept}.get(s, s) for s in hits[row]] for row in hits}),
            ):  # fmt: skip
                if (worse := _oom_pah(voice, tonic, wrong, check, rng)) is not None:
                    yield Trial(kind, check, worse, f"{name} {one}")


def _oom_pah(voice: make.Voice, tonic: int, hits: Rows, check: checks.Groove, rng: Rng) -> Clip | None:
    """A bass note on each low step and a chord on each high one; `None` if the voice does not reach them."""
    beat_s = 60 / check.bpm / check.steps_per_beat
    events = []
    steps = check.beats_per_bar * check.steps_per_beat
    try:
        for step in sorted({*hits["low"], *hits["high"]}):
            bass, chord = CHORDS[step // steps % len(CHORDS)]
            tones = [
                *([tonic - 12 + bass - 12 * (bass > 0)] if step in hits["low"] else []),
                *((tonic + c for c in chord) if step in hits["high"] else ()),
            ]
            for midi in tones:
                gain = 10 ** (rng.uniform(-3, 0) / 20) * (1.0 if len(tones) == 1 else 0.6)
                events.append((step * beat_s, gain * voice(hz(midi), 0.85 * beat_s, rng)))
    except LookupError:
        return None
    return make.clip(make.noisy(make.mix(events, check.bars * steps * beat_s), rng, 50))
