"""Trial sounds for the checks that edition 2 adds to the notes tier, and for `cadence`.

Nothing here depends on the suite: tunes are random melodies, grooves random patterns, tunings and partials
are those of many instruments, signals have random frequencies and times.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

import numpy as np

from innerear import checks
from innerear.checks import Check
from innerear.clip import Clip
from innerear.lab import sounds as make
from innerear.lab.kits import groove
from innerear.lab.sounds import SYNTHETIC, Bank, Voice, hz
from innerear.lab.tools import Rng, others, seeded
from innerear.metrics.verified import Trial
from innerear.records import Probe

Tune = list[tuple[int, float]]
Pairs = Sequence[tuple[Probe, Check]]

TUNES = 8
PLAYERS = 5  # recorded instruments that each tune is played on
SCALE = (0, 2, 4, 5, 7, 9, 11, 12, 14)
FIGURES = ((1.0,), (1.0, 1.0), (0.5, 0.5), (1.5, 0.5), (2.0,), (0.75, 0.25))
NOT_AS_WRITTEN = {"Glockenspiel", "Drawbar Organ", "Church Organ", "Lead 1 (square)"}
"""General MIDI programs that sound in other octaves than written, or beat like repeated notes."""


def melody(rng: Rng) -> Tune:
    """A tune of 8 to 18 notes in a major key: steps, repeats and leaps, in plain figures."""
    count, tonic, place = int(rng.integers(8, 19)), int(rng.integers(55, 68)), int(rng.integers(0, 6))
    beats: list[float] = []
    while len(beats) < count:
        beats += FIGURES[rng.integers(len(FIGURES))]
    tune: Tune = []
    for length in beats[:count]:
        tune.append((tonic + SCALE[place], length))
        move = rng.choice([0, 1, -1, 1, -1, 2, -2, 4, -3])
        place = int(np.clip(place + move, 0, len(SCALE) - 1))
    tune[-1] = (tune[-1][0], 2.0)
    return tune


def _sung(tune: Tune, voice: Voice, beat_s: float, shift: float, rng: Rng) -> Clip:
    """A tune played at a tempo, a little unevenly, each note detached or not."""
    held, onset, notes = rng.uniform(0.8, 1.0), 0.0, []
    for midi, beats in tune:
        length = beats * beat_s
        notes.append((max(0.0, onset + rng.normal(0, 0.006)), onset + held * length, midi + shift))
        onset += length
    return make.phrase(voice, notes, onset + 0.3, rng)


def _wrong_tunes(tune: Tune, rng: Rng) -> Iterator[tuple[str, Tune]]:
    """The tune with one note wrong, missing or extra, in another order, or with another rhythm."""
    place = int(rng.integers(1, len(tune)))
    midi, beats = tune[place]
    for move in (rng.choice([-1, 1]), rng.choice([-2, 2, 3, -4]), rng.choice([-12, 12])):
        yield "one note wrong", [*tune[:place], (midi + int(move), beats), *tune[place + 1 :]]
    lost = next((i for i in rng.permutation(np.arange(1, len(tune) - 1)) if tune[i][0] != tune[i - 1][0]), 1)
    kept = [*tune[: lost - 1], (tune[lost - 1][0], tune[lost - 1][1] + tune[lost][1]), *tune[lost + 1 :]]
    yield "one note missing", kept
    half = beats / 2
    yield (
        "one note added",
        [*tune[:place], (midi, half), (midi + int(rng.choice([0, 2, -1])), half), *tune[place + 1 :]],
    )
    pitches = [midi for midi, _ in tune]
    if pitches != pitches[::-1]:
        yield "order", [(midi, beats) for midi, (_, beats) in zip(pitches[::-1], tune, strict=True)]
    lengths = {beats for _, beats in tune[:-1]}
    if len(lengths) > 1:
        yield "rhythm", [(midi, 1.0) for midi, _ in tune]
    yield "rhythm", [(m, b * (2.0 if i == place - 1 else 1.0)) for i, (m, b) in enumerate(tune)]


def bell(f0_hz: float, held_s: float, rng: Rng) -> make.Floats:
    """A bell that rings on for 3 s: hum, prime, tierce, quint, nominal and four partials above, each beating slowly."""
    t = make.seconds(3.0)
    total = np.zeros(len(t))
    ratios = (0.5, 1.0, 1.2, 1.5, 2.0, 2.5, 2.62, 3.0, 4.1)
    for place, ratio in enumerate(ratios):
        level, decay = rng.uniform(0.3, 1.0) / (1 + 0.15 * place), (0.5 + 0.5 * ratio) * 1.2
        for side in (-0.5, 0.5):
            total += level * np.sin(2 * np.pi * (ratio * f0_hz + side * 0.6) * t) * np.exp(-t * decay)
    return make.edges(total, 0.003, 0.3)


def _voices(seed: str, midis: Sequence[float], bank: Bank | None) -> Iterator[tuple[str, str, Voice, int]]:
    """(column, name, voice, shift in semitones) of those who can play these pitches."""
    for name, voice in {**SYNTHETIC, "bell": bell}.items():
        yield "synthetic", name, voice, 0
    if bank is None:
        return
    everyone = [*bank.real, *(name for name in bank.rendered if name not in NOT_AS_WRITTEN)]
    left = PLAYERS
    for pick in seeded("players", seed).permutation(len(everyone)):
        name = everyone[pick]
        shift = next((some for some in (0, 12, -12, 24, -24) if bank.reaches(name, [m + some for m in midis])), None)
        if shift is not None and left:
            left -= 1
            yield "real", name, bank.voice(name), shift


def tune(pairs: Pairs, bank: Bank | None) -> Iterator[Trial]:
    """Random melodies by every synthetic voice and some recorded instruments; one note, one length, all wrong."""
    mine: list[tuple[Check, Clip]] = []
    for number in range(TUNES):
        notes = melody(seeded("tune", number))
        check = checks.Tune(title=f"melody {number}", notes=notes, octave_free=number % 6 == 5)
        for column, name, voice, shift in _voices(f"tune {number}", [midi for midi, _ in notes], bank):
            rng = seeded("tune", number, name)
            beat_s = float(rng.uniform(0.42, 0.8))
            clip = _sung(notes, voice, beat_s, shift, rng)
            if column == "synthetic":
                clip = make.clip(make.noisy(make.room(clip.mono.astype(float), rng), rng, float(rng.uniform(30, 60))))
            yield Trial(column, check, clip, f"{name} {check.title}")
            mine.append((check, clip))
            wrong = list(_wrong_tunes(notes, rng))
            for kind, played in [wrong[i] for i in rng.permutation(len(wrong))[:3]]:
                reach = [midi + shift for midi, _ in played]
                free = (
                    check.octave_free
                    and kind == "one note wrong"
                    and {m % 12 for m in reach} == {(m + shift) % 12 for m, _ in notes}
                )
                if not free and (column == "synthetic" or (bank is not None and bank.reaches(name, reach))):
                    yield Trial(kind, check, _sung(played, voice, beat_s, shift, rng), f"{name} {check.title}")
    yield from others(mine, lambda a, b: a.notes != b.notes, each=1)  # type: ignore[union-attr]


SCALES: dict[str, tuple[float, ...]] = {  # cents from the first note
    "just": (0, 203.91, 386.31, 498.04, 701.96, 884.36, 1088.27, 1200),
    "Pythagorean": (0, 203.91, 407.82, 498.04, 701.96, 905.87, 1109.78, 1200),
    "quarter-comma meantone": (0, 193.16, 386.31, 503.42, 696.58, 889.74, 1082.89, 1200),
    "19 equal": tuple(1200 / 19 * n for n in range(8)),
    "22 equal": tuple(1200 / 22 * n for n in range(8)),
    "Bohlen-Pierce": tuple(1901.955 / 13 * n for n in range(8)),
    "quarter tones": (0, 200, 350, 500, 700, 900, 1050, 1200),
    "harmonics 8 to 16": tuple(1200 * float(np.log2(n / 8)) for n in range(8, 17)),
}
REFERENCES_HZ = (196.0, 220.0, 261.6256, 440.0)


def harpsichord(f0_hz: float, held_s: float, rng: Rng) -> make.Floats:
    """A plucked string with twenty strong partials, its quill and its damper."""
    t = make.seconds(held_s)
    pluck = rng.uniform(0.08, 0.2)
    levels = [abs(np.sin(np.pi * n * pluck)) / n**0.7 for n in range(1, 21)]
    quill = 0.05 * np.pad(make.click(rng), (0, max(0, len(t) - 900)))[: len(t)]
    return make.edges(make.partials(f0_hz, t, levels, 2e-5) * np.exp(-t * rng.uniform(1, 4)) + quill, 0.002, 0.03)


def karplus(f0_hz: float, held_s: float, rng: Rng) -> make.Floats:
    """K. Karplus, A. Strong's plucked string (1983), in tune by an all-pass filter (D. Jaffe, J. Smith, 1983)."""
    from scipy.signal import lfilter

    period = make.SAMPLE_RATE / f0_hz - 0.5
    whole = int(period - 0.1)
    rest = period - whole
    allpass = (1 - rest) / (1 + rest)
    burst = np.zeros(round(held_s * make.SAMPLE_RATE))
    burst[:whole] = rng.uniform(-1, 1, whole)
    feedback = 0.997 * np.convolve([0.5, 0.5], [allpass, 1.0])
    denominator = np.zeros(whole + 3)
    denominator[:2] = 1.0, allpass
    denominator[whole:] -= feedback
    return make.edges(lfilter([1.0, allpass], denominator, burst), 0.002, 0.03)


TUNED: dict[str, Voice] = {**SYNTHETIC, "harpsichord": harpsichord, "Karplus-Strong": karplus}


def pitches(pairs: Pairs, bank: Bank | None) -> Iterator[Trial]:
    """Scales of eight tunings on synthetic voices and recorded instruments; in 12 equal steps, one note off …"""
    mine: list[tuple[Check, Clip]] = []
    players = [("synthetic", name, voice) for name, voice in TUNED.items() if name != "blown"]  # it has a vibrato
    for number, (scale, steps) in enumerate(SCALES.items()):
        for turn, (column, name, voice) in enumerate([*players, *_tuned(bank, number)]):
            rng = seeded("pitches", scale, name)
            first_hz = float(rng.choice(REFERENCES_HZ))
            if column == "real":
                first_hz = 440 * 2 ** (round(12 * np.log2(first_hz / 440)) / 12)
            step_s = float(rng.choice([0.4, 0.5, 0.6]))
            asked = [first_hz * 2 ** (cents / 1200) for cents in steps]
            check = checks.Pitches(
                f0_hz=asked, onsets_s=[step_s * n for n in range(len(steps))], onset_tolerance_s=0.05,
                tolerance_cents=15 if scale == "quarter tones" else 6,
            )  # fmt: skip
            try:
                clip = _scale(voice, asked, check.onsets_s, step_s, rng)
            except LookupError:
                continue
            yield Trial(column, check, clip, f"{name} {scale}")
            mine.append((check, clip))
            for kind, hertz, onsets in _wrong_scales(check, rng) if (turn + number) % 3 else ():
                try:
                    yield Trial(kind, check, _scale(voice, hertz, onsets, step_s, rng), f"{name} {scale}")
                except LookupError:
                    continue
    yield from others(mine, _other_scale, each=1)


def _other_scale(check: Check, other: Check) -> bool:
    assert isinstance(check, checks.Pitches)
    assert isinstance(other, checks.Pitches)
    return check.f0_hz != other.f0_hz or check.onsets_s != other.onsets_s


def _tuned(bank: Bank | None, number: int) -> Iterator[tuple[str, str, Voice]]:
    """Recorded instruments, each note moved to the cent by its own pitch: see `_in_tune`."""
    for name in RETUNED if bank else ():
        if bank is not None and (name in bank.rendered or name in bank.real) and (number + len(name)) % 3:
            yield "real", name, _in_tune(bank, name)


FIRST_PARTIAL_CENTS = 3.0
RETUNED = (
    "Harpsichord", "Acoustic Grand Piano", "Clarinet", "Oboe", "Marimba", "Acoustic Guitar (nylon)", "Trumpet",
    "upright-piano-KW", "Trombone", "Vibraphone", "CP80", "spanish-classical-guitar",
    "Electric Piano 1", "Alto Sax", "Electric Guitar (clean)",
)  # fmt: skip


def _in_tune(bank: Bank, name: str) -> Voice:
    """A recorded instrument, each note moved by the error of its own median f0 over the first 0.6 s.

    A note has no pitch to a few cents, and is not played, if its period and its first partial are more than 3
    cents apart: the partials of a stiff string are sharp.
    """
    from innerear.dsp.f0 import cents, steady_f0
    from innerear.dsp.tones import peaks, power_spectrum

    voice = bank.voice(name)
    off: dict[int, float] = {}

    def play(f0_hz: float, held_s: float, rng: Rng) -> make.Floats:
        key = round(12 * np.log2(f0_hz / 440) * 100)
        if key not in off:
            once = voice(f0_hz, 0.6, rng)
            heard = steady_f0(once.astype(np.float32), make.SAMPLE_RATE)
            error = cents(heard, f0_hz) if heard else 99.0
            at, levels = peaks(*power_spectrum(once, make.SAMPLE_RATE))
            near = np.abs(1200 * np.log2(at / f0_hz)) < 50
            first_hz = float(at[near][np.argmax(levels[near])]) if near.any() else f0_hz
            if abs(error) > 40 or abs(cents(first_hz, f0_hz) - error) > FIRST_PARTIAL_CENTS:
                raise LookupError(f"{name} has no clear pitch at {f0_hz:.0f} Hz")
            off[key] = error
        return voice(f0_hz * 2 ** (-off[key] / 1200), held_s, rng)

    return play


def _scale(voice: Voice, hertz: Sequence[float], onsets: Sequence[float], step_s: float, rng: Rng) -> Clip:
    held = step_s * rng.uniform(0.85, 1.1)
    notes = [(on, voice(f0, held, rng) * 10 ** (rng.uniform(-3, 0) / 20)) for on, f0 in zip(onsets, hertz, strict=True)]
    return make.clip(make.noisy(make.mix(notes, max(onsets) + step_s), rng, float(rng.uniform(40, 60))))


def _wrong_scales(check: checks.Pitches, rng: Rng) -> Iterator[tuple[str, list[float], list[float]]]:
    hertz, onsets = check.f0_hz, check.onsets_s
    equal = [hertz[0] * 2 ** (round(12 * np.log2(f0 / hertz[0])) / 12) for f0 in hertz]
    if max(abs(1200 * np.log2(a / b)) for a, b in zip(equal, hertz, strict=True)) > 2 * check.tolerance_cents:
        yield "12 equal", equal, onsets
    place = int(rng.integers(1, len(hertz)))
    off = 2 ** (float(rng.choice([-1, 1])) * 3 * check.tolerance_cents / 1200)
    yield "one note off", [f0 * (off if i == place else 1) for i, f0 in enumerate(hertz)], onsets
    yield "all off", [f0 * 2 ** (4 * check.tolerance_cents / 1200) for f0 in hertz], onsets
    yield "one note missing", [*hertz[:place], *hertz[place + 1 :]], [*onsets[:place], *onsets[place + 1 :]]
    late = onsets[1] * 0.3
    yield "time", hertz, [on + late * (i % 2) for i, on in enumerate(onsets)]


SPECTRA: dict[str, tuple[float, list[float], list[float], float]] = {  # ratios, absent, tolerance in cents
    "church bell": (440.0, [0.5, 1, 1.2, 1.5, 2], [], 40), "major-third bell": (330.0, [0.5, 1, 1.25, 1.5, 2], [], 30),
    "marimba": (220.0, [1, 4], [], 50), "xylophone": (880.0, [1, 3], [], 50),
    "kettledrum": (110.0, [1, 1.5, 1.98], [], 70),
    "stiff string": (100.05, [1, 2.003, 3.012, 4.03, 5.06, 6.104, 7.166, 8.248, 9.353, 10.483], [], 10),
    "plucked in the middle": (110.0, [1, 3, 5, 7], [2, 4, 6], 15), "clarinet": (146.83, [1, 3, 5], [2], 25),
    "stopped pipe": (85.8, [1, 3], [2], 40), "free bar": (261.6, [1, 2.756, 5.404], [], 30),
    "circular membrane": (150.0, [1, 1.594, 2.136, 2.296], [], 30), "open pipe": (174.6, [1, 2, 3, 4], [], 25),
}  # fmt: skip


def partials(pairs: Pairs, bank: Bank | None) -> Iterator[Trial]:
    """Struck, plucked and steady sounds with the partials of twelve bodies; one missing, shifted, or there."""
    mine: list[tuple[Check, Clip]] = []
    for name, (reference_hz, ratios, absent, tolerance) in SPECTRA.items():
        for turn in range(5):
            rng = seeded("partials", name, turn)
            hz_here = reference_hz * 2 ** (rng.integers(-4, 5) / 12)
            check = checks.Partials(reference_hz=hz_here, ratios=ratios, absent=absent, tolerance_cents=tolerance)
            within = [r * 2 ** (rng.uniform(-0.3, 0.3) * tolerance / 1200) for r in ratios]
            clip = _body(hz_here, within, rng)
            yield Trial("synthetic", check, clip, name)
            mine.append((check, clip))
            place = int(rng.integers(len(ratios)))
            yield Trial(
                "missing",
                check,
                _body(hz_here, [r for i, r in enumerate(within) if i != place], rng),
                f"{name} without {ratios[place]}",
            )
            away = 2 ** (float(rng.choice([-1, 1])) * 2.5 * tolerance / 1200)
            moved = [r * (away if i == place else 1) for i, r in enumerate(within)]
            yield Trial("shifted", check, _body(hz_here, moved, rng), f"{name} with {ratios[place]} moved")
            yield Trial("all shifted", check, _body(hz_here * 2 ** (2.5 * tolerance / 1200), within, rng), name)
            if absent:
                extra = [*within, absent[int(rng.integers(len(absent)))]]
                yield Trial("extra", check, _body(hz_here, extra, rng), f"{name} with {extra[-1]}")
                yield Trial("extra", check, _body(hz_here, [*within, *absent], rng), f"{name} with all")
    yield from _recorded_partials(bank)
    yield from others(mine, lambda a, b: a.ratios != b.ratios and a.ratios != [1, 4], each=1)  # type: ignore[union-attr]


def _body(reference_hz: float, ratios: Sequence[float], rng: Rng) -> Clip:
    """Partials at these ratios, struck or steady, with levels of 0 to -18 dB, and a knock."""
    duration_s = float(rng.uniform(1.5, 4))
    t = make.seconds(duration_s)
    steady = rng.random() < 0.3
    total = np.zeros(len(t))
    for ratio in ratios:
        decay = 0.0 if steady else rng.uniform(0.8, 3) * max(1.0, ratio) ** rng.uniform(0.3, 1)
        total += (
            10 ** (rng.uniform(-18, 0) / 20)
            * np.sin(2 * np.pi * ratio * reference_hz * t + rng.uniform(0, 6))
            * np.exp(-decay * t)
        )
    if not steady:
        total[:900] += rng.uniform(0.02, 0.3) * make.click(rng)
    return make.clip(
        make.noisy(
            make.room(make.edges(total, 0.002 if not steady else 0.03, 0.05), rng, 0.1), rng, float(rng.uniform(35, 60))
        )
    )


def _recorded_partials(bank: Bank | None) -> Iterator[Trial]:
    """Recorded harmonic instruments: the first harmonics are there, and ratios between them are not."""
    notes = [note for note in bank.all if 45 <= note.midi <= 76] if bank else []
    for place in seeded("recorded partials").permutation(len(notes))[:45]:
        note = notes[int(place)]
        if note.family in ("organ", "mallet", "vocal"):
            continue
        f0 = hz(note.midi)
        clip = make.clip(note.samples())
        yield Trial(
            "real",
            checks.Partials(reference_hz=f0, ratios=[1, 2], absent=[1.5], tolerance_cents=40),
            clip,
            f"{note.instrument} {note.midi}",
        )
        yield Trial(
            "kind",
            checks.Partials(reference_hz=f0, ratios=[1, 1.5, 2], tolerance_cents=40),
            clip,
            f"{note.instrument} {note.midi}",
        )
        yield Trial(
            "kind",
            checks.Partials(reference_hz=f0, ratios=[0.5, 1, 1.2, 1.5, 2], tolerance_cents=40),
            clip,
            f"{note.instrument} {note.midi}",
        )


def band_level(pairs: Pairs, bank: Bank | None) -> Iterator[Trial]:
    """Complex tones and noise above a band that is empty; with a tone, a tilt or noise in it 6 dB too strong."""
    for low_hz, high_hz, at_most_db in ((0.0, 550.0, -40.0), (0.0, 75.0, -20.0), (2000.0, 4000.0, -30.0)):
        check = checks.BandLevel(low_hz=low_hz, high_hz=high_hz, at_most_db=at_most_db)
        for turn in range(15):
            rng = seeded("band", high_hz, turn)
            t = make.seconds(float(rng.uniform(1, 3)))
            f0 = float(rng.uniform(100, 250))
            orders = [n for n in range(1, 20) if not low_hz - 45 < n * f0 < high_hz + 45]
            body = np.zeros(len(t)) + sum(
                rng.uniform(0.2, 1) * np.sin(2 * np.pi * n * f0 * t + rng.uniform(0, 6)) for n in orders
            )
            body = make.edges(body / np.sqrt(np.mean(body**2)), 0.02, 0.02)
            hiss = rng.standard_normal(len(t)) * 10 ** ((at_most_db - 15) / 20)
            yield Trial("synthetic", check, make.clip(body + hiss), f"f0 {f0:.0f}")
            inside = float(rng.uniform(max(low_hz, 35) + 10, high_hz - 15))
            tone = make.edges(2**0.5 * np.sin(2 * np.pi * inside * t), 0.02, 0.02)
            for above_db in (6.0, 15.0):
                loud = 10 ** ((at_most_db + above_db) / 20)
                yield Trial(
                    "a tone in the band", check, make.clip(body + loud * tone), f"{inside:.0f} Hz, {above_db:g} dB"
                )
            if high_hz > 300:
                every = np.zeros(len(t)) + sum(np.sin(2 * np.pi * n * f0 * t) / n for n in range(1, 20))
                yield Trial("with its fundamental", check, make.clip(make.edges(every, 0.02, 0.02)), f"f0 {f0:.0f}")
            whole = make.edges(rng.standard_normal(len(t)), 0.02, 0.02)
            yield Trial(
                "noise in the band",
                check,
                make.clip(whole if at_most_db < -29 else whole + 3 * tone),
                "",
            )
    for number, note in enumerate([note for note in bank.all if note.midi >= 60] if bank else []):
        if number % 7 == 0:
            f0 = hz(note.midi)
            clip = make.clip(note.samples())
            yield Trial(
                "pitch",
                checks.BandLevel(low_hz=0.9 * f0, high_hz=4.1 * f0, at_most_db=-20),
                clip,
                f"{note.instrument} {note.midi}",
            )
            if note.family not in ("organ", "mallet"):
                yield Trial(
                    "real",
                    checks.BandLevel(low_hz=0, high_hz=0.4 * f0, at_most_db=-15),
                    clip,
                    f"{note.instrument} {note.midi}",
                )


def shepard(pairs: Pairs, bank: Bank | None) -> Iterator[Trial]:
    """Shepard scales and glissandi under several envelopes; plain, wrapped and octave-doubled scales …"""
    for turn in range(7):
        for tones, step, per_s in (
            (12, 1.0, False),
            (12, -1.0, False),
            (6, 2.0, False),
            (None, -1.5, True),
            (None, 2.0, True),
        ):
            rng = seeded("shepard", turn, tones, step)
            check = checks.Shepard(tones=tones, step_semitones=step, per_s=per_s)
            duration_s = tones * float(rng.uniform(0.35, 0.7)) if tones else 12 / abs(step)
            yield Trial("synthetic", check, _endless(check, duration_s, rng), "")
            wrong = {
                "plain scale": {"octaves": 1}, "harmonic scale": {"harmonic": True},
                "octave-doubled scale": {"fixed": False},
                "wrapped sine": {"wrapped": True}, "the other way": {"speed": -1.0}, "standing still": {"speed": 0.0},
                "half as fast": {"speed": 0.5}, "fifths apart": {"apart": 7 / 12},
            }  # fmt: skip
            for kind, how in wrong.items():
                yield Trial(kind, check, _endless(check, duration_s, rng, **how), "")  # type: ignore[arg-type]


def _endless(
    check: checks.Shepard, duration_s: float, rng: Rng, octaves: int = 0, harmonic: bool = False, fixed: bool = True,
    wrapped: bool = False, speed: float = 1.0, apart: float = 1.0,
) -> Clip:  # fmt: skip
    """Components `apart` octaves from one another under an envelope that is `fixed`; `speed`: 1 as asked."""
    t = make.seconds(duration_s)
    if check.tones:
        place = np.minimum((t / duration_s * check.tones).astype(int), check.tones - 1)
        moved = speed * check.step_semitones / 12 * place
        phase = (t / duration_s * check.tones) % 1 * duration_s / check.tones
        gate = np.clip(np.minimum(phase / 0.01, (duration_s / check.tones * rng.uniform(0.8, 1) - phase) / 0.02), 0, 1)
    else:
        moved, gate = speed * check.step_semitones / 12 * t, np.clip(np.minimum(t, duration_s - t) / 0.02, 0, 1)
    lowest, count = rng.uniform(27, 40), int(rng.integers(7, 10))
    middle, width = rng.uniform(3.5, 5), rng.uniform(0.7, 1.6)
    cosine = rng.random() < 0.4
    total = np.zeros(len(t))
    if wrapped or octaves == 1 or harmonic:
        f0 = 220 * 2 ** (moved % 1 if wrapped else moved)
        total = make.partials(f0, t, [1 / n for n in range(1, 9)] if harmonic else [1.0])
    else:
        for number in range(count):
            octave = (number * apart + moved) % count if fixed else number * 0.8 + moved
            level = (
                0.5 - 0.5 * np.cos(2 * np.pi * octave / count)
                if cosine
                else np.exp(-(((octave - middle) / width) ** 2) / 2)
            )
            if not fixed:
                level = np.full(len(t), float(2 <= number <= 4))
            cycles = np.cumsum(lowest * 2**octave) / make.SAMPLE_RATE
            total += level * np.sin(2 * np.pi * cycles + rng.uniform(0, 6))
    return make.clip(make.noisy(total * gate, rng, float(rng.uniform(40, 60))))


def cadence(pairs: Pairs, bank: Bank | None) -> Iterator[Trial]:
    """Random signals of one to four frequencies; a frequency or a tone wrong, missing or extra, times wrong."""
    mine: list[tuple[Check, Clip]] = []
    for turn in range(78):
        rng = seeded("cadence", turn)
        check, duration_s = _signal(rng)
        tones = [(tone.start_s, tone.end_s, list(tone.hz)) for tone in check.tones]
        clip = _signalled(tones, duration_s, rng, line=turn % 3 == 0)
        yield Trial("synthetic", check, clip, f"{turn}")
        mine.append((check, clip))
        place = int(rng.integers(len(tones)))
        for kind, played in _wrong_signals(tones, place, check, duration_s, rng):
            yield Trial(kind, check, _signalled(played, duration_s, rng, line=turn % 2 == 0), f"{turn}")
    yield from others(mine, lambda a, b: a != b, each=2)


Tones = list[tuple[float, float, list[float]]]


def _signal(rng: Rng) -> tuple[checks.Cadence, float]:
    """A telephone-like cadence, a sequence of different tones, one steady tone, or pips."""
    kind = int(rng.integers(4))
    count = int(rng.integers(1, 5))
    hz_set = _frequencies(rng, count)
    tones: Tones
    if kind == 0:
        on, off = rng.choice([0.1, 0.25, 0.4, 0.5, 1.0]), rng.choice([0.1, 0.2, 0.5, 1.0])
        number = int(rng.integers(2, 6))
        tones = [(n * (on + off), n * (on + off) + on, hz_set) for n in range(number)]
        duration_s = number * (on + off)
    elif kind == 1:
        length, tones = float(rng.choice([0.2, 0.3, 0.4])), []
        for n, f in enumerate(_frequencies(rng, 3)):
            tones.append((n * length, (n + 1) * length, [f]))
        duration_s = 3 * length + float(rng.choice([0.0, 0.3]))
    elif kind == 2:
        duration_s = float(rng.uniform(2, 5))
        tones = [(0.0, duration_s, hz_set)]
    else:
        tones = [(float(n), n + 0.1, hz_set[:1]) for n in range(3)] + [(3.0, 3.5, hz_set[:1])]
        duration_s = 4.0
    made = [checks.SignalTone(start_s=float(a), end_s=float(b), hz=[round(f, 1) for f in some]) for a, b, some in tones]
    tolerance = float(rng.choice([0.01, 0.015, 0.02]))
    return checks.Cadence(
        tones=made, time_tolerance_s=float(rng.choice([0.03, 0.05])), frequency_tolerance=tolerance
    ), float(duration_s)


def _frequencies(rng: Rng, count: int) -> list[float]:
    """Frequencies at least 40 Hz and 6 % apart, none a harmonic of another."""
    found: list[float] = []
    while len(found) < count:
        f = float(rng.uniform(350, 2800))
        if all(
            abs(f - g) > max(45, 0.06 * min(f, g))
            and min((max(f, g) / min(f, g)) % 1, 1 - (max(f, g) / min(f, g)) % 1) > 0.08
            for g in found
        ):
            found.append(f)
    return found


def _signalled(tones: Tones, duration_s: float, rng: Rng, line: bool = False) -> Clip:
    """The tones, with edges of 0 to 8 ms; `line`: in a telephone's band, with its noise and a little distortion."""
    total = np.zeros(round(duration_s * make.SAMPLE_RATE))
    edge = float(rng.choice([0.0, 0.002, 0.005, 0.008]))
    for start_s, end_s, hertz in tones:
        t = make.seconds(end_s - start_s)
        tone = sum(10 ** (rng.uniform(-3, 0) / 20) * np.sin(2 * np.pi * f * t + rng.uniform(0, 6)) for f in hertz)
        first = round(start_s * make.SAMPLE_RATE)
        part = make.edges(np.asarray(tone), edge, edge)[: len(total) - first]
        total[first : first + len(part)] += part
    if line:
        from scipy.signal import butter, sosfilt

        total = np.tanh(0.4 * total)
        total = sosfilt(butter(2, [250, 3600], "bandpass", fs=make.SAMPLE_RATE, output="sos"), total)
    return make.clip(make.noisy(total, rng, float(rng.uniform(28, 40) if line else rng.uniform(40, 70))))


def _wrong_signals(
    tones: Tones, place: int, check: checks.Cadence, duration_s: float, rng: Rng
) -> Iterator[tuple[str, Tones]]:
    start, end, hertz = tones[place]
    every = rng.random() < 0.5
    off = 1 + float(rng.choice([-1, 1])) * 3 * check.frequency_tolerance

    def changed(new: Callable[[list[float]], list[float]]) -> Tones:
        return [(a, b, new(f) if every or i == place else f) for i, (a, b, f) in enumerate(tones)]

    yield "frequency", changed(lambda f: [f[0] * off, *f[1:]])
    if len(hertz) > 1:
        yield "frequency missing", changed(lambda f: f[1:])
    yield "frequency extra", changed(lambda f: [*f, f[0] * float(rng.uniform(1.15, 1.4))])
    shift = 3 * check.time_tolerance_s
    yield "time", [*tones[:place], (start + shift, end + shift if len(tones) > 1 else end, hertz), *tones[place + 1 :]]
    if end - start > 2 * shift:
        yield "time", [*tones[:place], (start, end - shift, hertz), *tones[place + 1 :]]
    if len(tones) > 1:
        yield "tone missing", [*tones[:place], *tones[place + 1 :]]
        merged = [(tones[0][0], tones[-1][1], hertz)]
        yield "no pauses", merged
    gaps = [(b, c) for (_, b, _), (c, _, _) in pairwise(tones) if c - b > 0.15]
    if gaps:
        a, b = gaps[int(rng.integers(len(gaps)))]
        yield "tone extra", [*tones, ((2 * a + b) / 3, (a + 2 * b) / 3, hertz)]
    t = [(start, end, [f * (1 + 0.1 * (n % 2)) for f in hertz]) for n, (start, end) in enumerate(_halves(tones))]
    yield "warbling", t


def _halves(tones: Tones) -> list[tuple[float, float]]:
    return [half for a, b, _ in tones for half in ((a, (a + b) / 2), ((a + b) / 2, b))]


BUILDERS: dict[str, Callable[[Pairs, Bank | None], Iterator[Trial]]] = {
    "tune": tune, "groove": groove, "pitches": pitches, "partials": partials, "band_level": band_level,
    "shepard": shepard,
}  # fmt: skip
