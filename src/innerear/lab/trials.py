"""The sounds that checks are tried on: `trials(the suite's probes, bank)`, tier by tier and kind by kind.

Every check of the suite's notes tier is asked of sounds made for it by several voices, and of the
same sounds made wrong. Recorded notes come from a `Bank`; without one only synthetic sounds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import msgspec
import numpy as np

from innerear import checks
from innerear.checks import Check
from innerear.clip import Clip
from innerear.lab import sounds as make
from innerear.lab.contours import f0_contour
from innerear.lab.movement import glide, level_trend, modulation, waveform
from innerear.lab.music import BUILDERS as MUSIC
from innerear.lab.music.cadences import cadence
from innerear.lab.scenes import SCENES
from innerear.lab.signals import BUILDERS as SIGNALS
from innerear.lab.sounds import SYNTHETIC, Bank, Voice, hz
from innerear.lab.speakers import speaker
from innerear.lab.speech import BUILDERS as SPEECH
from innerear.lab.tools import SECONDS, Builder, Pairs, Rng, others, players, seeded
from innerear.metrics.verified import Trial
from innerear.records import Probe, Tier

VOICES_A_PROBE = 6  # recorded instruments that each phrase is played on
WRONG_A_PROBE = 3  # every third player of a phrase also plays it wrong
MOST_CHECKS = 30  # of a kind that are tried on noise and silence


def tone(voice: Voice, f0_hz: float, rng: Rng, duration_s: float = SECONDS) -> Clip:
    """One note in a little noise, or as it was recorded."""
    return make.clip(make.noisy(make.mix([(0, voice(f0_hz, duration_s - 0.05, rng))], duration_s), rng, 50))


def pitch(pairs: Pairs, bank: Bank | None) -> Iterator[Trial]:
    """A0 to C8 by every voice, and every recorded note; wrong by a semitone, a quarter tone, an octave."""
    mine: list[tuple[Check, Clip]] = []
    for midi in range(21, 109, 4):
        for name, voice in SYNTHETIC.items():
            rng = seeded("pitch", midi, name)
            check = checks.Pitch(f0_hz=hz(midi), tolerance_cents=50)
            yield Trial("synthetic", check, tone(voice, hz(midi), rng), name)
            shift = float(rng.choice([-12, -7, -2, -1, -0.75, 0.75, 1, 2, 7, 12]))
            yield Trial("pitch", check, tone(voice, hz(midi + shift), rng), f"{name} {shift:+g}")
    heard = 0
    for note in bank.all if bank else []:
        free = note.family == "organ"
        check = checks.Pitch(f0_hz=hz(note.midi), tolerance_cents=50, octave_free=free)
        clip = make.clip(note.samples())
        yield Trial("real", check, clip, str(note.path.name))
        heard += 1
        if heard % 3:
            continue
        mine.append((check, clip))
        shift = float(seeded("pitch", note.path.name).choice([-1, 1, 2, -2, 5, -5]))
        yield Trial("pitch", checks.Pitch(f0_hz=hz(note.midi + shift), tolerance_cents=50, octave_free=free), clip)
    yield from others(mine, _other_pitch, each=1)


def _other_pitch(check: Check, other: Check) -> bool:
    assert isinstance(check, checks.Pitch)
    assert isinstance(other, checks.Pitch)
    return not other.octave_free and abs((12 * np.log2(check.f0_hz / other.f0_hz) + 6) % 12 - 6) > 0.8


def _wrong_notes(notes: Sequence[checks.Note], rng: Rng) -> Iterator[tuple[str, list[tuple[float, float, float]]]]:
    """The phrase with its pitches, times, order or number of notes wrong."""
    plain = [(float(on), float(off), float(midi)) for on, off, midi in notes]
    yield "pitch", [(on, off, midi + float(rng.choice([-1, 1]))) for on, off, midi in plain]
    last = plain[-1][1]
    slower = float(rng.choice([0.8, 1.25]))
    yield "time", [(on * slower, off * slower, midi) for on, off, midi in plain if on * slower < last - 0.1]
    if len({midi for _, _, midi in plain}) > 1:
        pitches = [midi for _, _, midi in plain]
        order = pitches[::-1] if pitches != pitches[::-1] else pitches[1:] + pitches[:1]
        yield "order", [(on, off, midi) for (on, off, _), midi in zip(plain, order, strict=True)]
    drop = set(rng.permutation(np.arange(1, len(plain)))[: max(1, round(len(plain) / 4))].tolist())
    yield "count", [note for place, note in enumerate(plain) if place not in drop]
    yield (
        "count",
        [half for on, off, midi in plain for half in ((on, (on + off) / 2, midi), ((on + off) / 2, off, midi))],
    )


def notes(pairs: Pairs, bank: Bank | None) -> Iterator[Trial]:
    """Every phrase of the suite by every synthetic voice, and by some recorded instruments."""
    mine: list[tuple[Check, Clip]] = []
    played_by = 0
    for probe, check in pairs:
        assert isinstance(check, checks.Notes)
        midis = [midi for _, _, midi in check.notes]
        for column, name, voice, shift in players(probe.id, midis, bank, SYNTHETIC, VOICES_A_PROBE):
            rng = seeded("notes", probe.id, name)
            moved = [(on, off, midi + shift) for on, off, midi in check.notes]
            asked = checks.Notes(
                notes=moved, onset_tolerance_s=check.onset_tolerance_s,
                pitch_tolerance_cents=check.pitch_tolerance_cents, octave_free=check.octave_free,
            )  # fmt: skip
            clip = make.phrase(voice, moved, probe.duration_s, rng)
            if column == "synthetic":
                clip = make.clip(make.noisy(make.room(clip.mono.astype(float), rng), rng))
            yield Trial(column, asked, clip, f"{name} {probe.id}")
            mine.append((asked, clip))
            played_by += 1
            for wrong, played in _wrong_notes(moved, rng) if played_by % WRONG_A_PROBE == 0 else ():
                if _reachable(name, played, bank):
                    yield Trial(wrong, asked, make.phrase(voice, played, probe.duration_s, rng), f"{name} {probe.id}")
    yield from others(mine, lambda a, b: a.notes != b.notes, each=1)  # type: ignore[union-attr]


def _reachable(name: str, played: Sequence[tuple[float, float, float]], bank: Bank | None) -> bool:
    return name in SYNTHETIC or (bank is not None and bank.reaches(name, [midi for _, _, midi in played]))


def chord(pairs: Pairs, bank: Bank | None) -> Iterator[Trial]:
    """Every chord of the suite; wrong by a semitone, with a tone too few or too many."""
    mine: list[tuple[Check, Clip]] = []
    for probe, check in pairs:
        assert isinstance(check, checks.Chord)
        if not check.headline:
            continue
        for column, name, voice, shift in players(probe.id, check.midi, bank, SYNTHETIC, VOICES_A_PROBE):
            rng = seeded("chord", probe.id, name)
            tones = [midi + shift for midi in check.midi]
            asked = checks.Chord(midi=tones)
            place = int(rng.integers(len(tones)))
            altered = [midi + (place == i) * int(rng.choice([-1, 1])) for i, midi in enumerate(tones)]
            wrong = {
                "pitch": [[midi + 1 for midi in tones], altered],
                "count": [tones[:place] + tones[place + 1 :], [*tones, tones[place] + 1], [tones[0]]],
            }
            clip = _together(voice, tones, probe.duration_s, rng)
            yield Trial(column, asked, clip, f"{name} {probe.id}")
            mine.append((asked, clip))
            for worse, sets in wrong.items():
                for some in sets:
                    if name in SYNTHETIC or (bank and bank.reaches(name, some)):
                        yield Trial(worse, asked, _together(voice, some, probe.duration_s, rng), f"{name} {some}")
    yield from others(mine, lambda a, b: {m % 12 for m in a.midi} != {m % 12 for m in b.midi}, each=1)  # type: ignore[union-attr]


def _together(voice: Voice, midis: Sequence[float], duration_s: float, rng: Rng) -> Clip:
    level = [10 ** (rng.uniform(-3, 0) / 20) for _ in midis]
    tones = [(0.0, gain * voice(hz(midi), duration_s - 0.05, rng)) for gain, midi in zip(level, midis, strict=True)]
    return make.clip(make.mix(tones, duration_s))


def _hits(times_s: Sequence[float], name: str, duration_s: float, rng: Rng) -> Clip:
    """The rhythm by one kind of hit, or by a drum kit with a hi-hat on each and drums on every other."""
    events = []
    for place, time_s in enumerate(times_s):
        if name == "kit":
            events.append((time_s, make.hat(rng)))
            if place % 2 == 0:
                events.append((time_s, (make.kick, make.snare)[place // 2 % 2](rng)))
        else:
            events.append((time_s, make.HITS[name](rng) * 10 ** (rng.uniform(-6, 0) / 20)))
    return make.clip(make.noisy(make.room(make.mix(events, duration_s), rng), rng))


HITTERS = (*make.HITS, "kit")


def onsets(pairs: Pairs, bank: Bank | None) -> Iterator[Trial]:
    """Every rhythm of the suite by every hit and by a drum kit, and on struck recorded instruments."""
    mine: list[tuple[Check, Clip]] = []
    for probe, check in pairs:
        assert isinstance(check, checks.Onsets)
        times, end_s = check.times_s, probe.duration_s
        for name in HITTERS:
            rng = seeded("onsets", probe.id, name)
            clip = _hits(times, name, end_s, rng)
            yield Trial("synthetic", check, clip, f"{name} {probe.id}")
            mine.append((check, clip))
            for column, wrong in _wrong_times(times, end_s, rng):
                yield Trial(column, check, _hits(wrong, name, end_s, rng), f"{name} {probe.id}")
        for name in STRUCK if bank else ():
            assert bank is not None
            rng = seeded("onsets", probe.id, name)
            voice = bank.voice(name)
            lowest = min(note.midi for note in (bank.real.get(name) or bank.rendered[name]))
            tunes = [(t, min(t + 0.5, n), lowest + 12) for t, n in zip(times, [*times[1:], end_s], strict=True)]
            if bank.reaches(name, [lowest + 12]):
                yield Trial("real", check, make.phrase(voice, tunes, end_s, rng), f"{name} {probe.id}")
    yield from others(mine, lambda a, b: a.times_s != b.times_s, each=2)  # type: ignore[union-attr]


STRUCK = (
    "upright-piano-KW", "CP80", "spanish-classical-guitar", "Acoustic Grand Piano", "Marimba", "Vibraphone",
    "Acoustic Guitar (nylon)", "Harpsichord",
)  # fmt: skip


def _wrong_times(times: Sequence[float], end_s: float, rng: Rng) -> Iterator[tuple[str, list[float]]]:
    slower = float(rng.choice([0.85, 1.15]))
    yield "time", [t * slower for t in times if t * slower < end_s - 0.1]
    moved = [t + (0.09 if place % 2 else 0.0) for place, t in enumerate(times)]
    yield "time", moved
    drop = set(rng.permutation(len(times))[: max(1, len(times) // 6)].tolist())
    yield "count", [t for place, t in enumerate(times) if place not in drop]
    extra = rng.permutation(len(times) - 1)[: max(1, len(times) // 6)]
    yield "count", sorted([*times, *((times[i] + times[i + 1]) / 2 for i in extra)])


def _speeding(from_hz: float, to_hz: float, duration_s: float, how: str) -> list[float]:
    """Times of a rate that goes from one to the other evenly in hertz, in octaves, or in intervals."""
    times = [0.0]
    while len(times) < 200:
        x = times[-1] / duration_s
        rate = {
            "hertz": from_hz + (to_hz - from_hz) * x,
            "octaves": from_hz * (to_hz / from_hz) ** x,
            "intervals": 1 / (1 / from_hz + (1 / to_hz - 1 / from_hz) * x),
        }[how]
        times.append(times[-1] + 1 / rate)
        if times[-1] > duration_s - 0.1:
            return times[:-1]
    return times


def onset_trend(pairs: Pairs, bank: Bank | None) -> Iterator[Trial]:
    """Speeding up and slowing down in three ways; wrong the other way, steady, to another rate."""
    for probe, first in pairs:
        assert isinstance(first, checks.OnsetTrend)
        for check in (
            first,
            msgspec.structs.replace(first, direction="slow", from_hz=first.to_hz, to_hz=first.from_hz),
        ):
            for name in HITTERS:
                rng = seeded("trend", check.direction, name)
                for how in ("hertz", "octaves", "intervals"):
                    clip = _hits(
                        _speeding(check.from_hz, check.to_hz, probe.duration_s, how), name, probe.duration_s, rng
                    )
                    yield Trial("synthetic", check, clip, f"{name} {how}")
                    back = _speeding(check.to_hz, check.from_hz, probe.duration_s, how)
                    yield Trial("order", check, _hits(back, name, probe.duration_s, rng), how)
                    for factor in (0.5, 2.0):
                        beats = _speeding(check.from_hz * factor, check.to_hz * factor, probe.duration_s, how)
                        yield Trial("count", check, _hits(beats, name, probe.duration_s, rng), how)
                for rate in (1.0, 2.0, 4.0):
                    steady = [float(t) for t in np.arange(0, probe.duration_s - 0.1, 1 / rate)]
                    yield Trial("time", check, _hits(steady, name, probe.duration_s, rng), f"steady {rate:g}")
                scattered = sorted(rng.uniform(0, probe.duration_s - 0.1, 14).tolist())
                yield Trial("time", check, _hits(scattered, name, probe.duration_s, rng), "scattered")


def events(pairs: Pairs, bank: Bank | None) -> Iterator[Trial]:
    """One to five hits, notes and bursts, evenly and not; wrong by one or two."""
    makers: dict[str, Callable[[Rng], make.Floats]] = dict(make.HITS)
    makers["ringing"] = lambda rng: make.ringing(500.0, 1.5, rng)
    makers["burst"] = lambda rng: make.edges(rng.standard_normal(15_000), 0.02, 0.1)
    mine: list[tuple[Check, Clip]] = []
    for count in (1, 2, 3, 4, 5):
        for name, hit in makers.items():
            for turn in range(3):
                rng = seeded("events", count, name, turn)
                check = checks.Events(count=count)
                clip = _separate(hit, count, rng)
                yield Trial("synthetic", check, clip, name)
                mine.append((check, clip))
                for wrong in {max(1, count - 1), count + 1, count + 2} - {count}:
                    yield Trial("count", check, _separate(hit, wrong, rng), f"{name} {wrong}")
    for name in STRUCK if bank else ():
        assert bank is not None
        notes = bank.real.get(name) or bank.rendered[name]
        for count in (1, 2, 3, 4, 5):
            rng = seeded("events", name, count)
            one = make.from_onset(notes[int(rng.integers(len(notes)))].samples())[: make.SAMPLE_RATE]
            yield Trial("real", checks.Events(count=count), _separate(lambda _, one=one: one, count, rng), name)  # type: ignore[misc]
    yield from others(mine, lambda a, b: a.count != b.count, each=1)  # type: ignore[union-attr]


def _separate(hit: Callable[[Rng], make.Floats], count: int, rng: Rng) -> Clip:
    """So many hits, from 0.45 to 0.9 s apart, within 6 dB of each other."""
    times = np.cumsum(rng.uniform(0.45, 0.9, count)) - 0.4
    played = [
        (float(t), make.edges(hit(rng)[: round(0.44 * make.SAMPLE_RATE)] if count > 1 else hit(rng), 0, 0.05))
        for t in times
    ]
    return make.clip(make.noisy(make.mix([(t, x * 10 ** (rng.uniform(-6, 0) / 20)) for t, x in played], 5.0), rng))


BUILDERS: dict[str, Builder] = {
    "pitch": pitch, "notes": notes, "chord": chord, "onsets": onsets, "onset_trend": onset_trend, "events": events,
    "waveform": waveform, "modulation": modulation, "glide": glide, "level_trend": level_trend,
}  # fmt: skip
OF_TIER: dict[Tier, dict[str, Builder]] = {
    "notes": {**BUILDERS, **MUSIC},
    "environment": {**SCENES, **SIGNALS, "cadence": cadence},
    "speech": {**SPEECH, "f0_contour": f0_contour, "speaker": speaker},
}
"""For each tier, what makes the sounds that a kind of check is tried on."""
KINDS = tuple(dict.fromkeys(name for builders in OF_TIER.values() for name in builders))


def trials(probes: Sequence[Probe], bank: Bank | None, kinds: Sequence[str] = KINDS) -> Iterator[Trial]:
    """Every trial, tier by tier and kind by kind."""
    for tier, builders in OF_TIER.items():
        asked: dict[str, list[tuple[Probe, Check]]] = {}
        for probe in probes:
            if probe.tier == tier:
                for check in probe.expect:
                    asked.setdefault(checks.kind(check), []).append((probe, check))
        for name in kinds:
            if name in builders:
                for trial in _with_nothing(name, builders[name](asked.get(name, []), bank)):
                    yield msgspec.structs.replace(trial, tier=tier)


def _with_nothing(name: str, made: Iterator[Trial]) -> Iterator[Trial]:
    """The trials, and some of their checks asked of noise and of silence."""
    durations: dict[str, tuple[Check, float]] = {}
    for trial in made:
        durations.setdefault(repr(trial.check), (trial.check, trial.clip.duration_s))
        yield trial
    chosen = seeded(name).permutation(len(durations))[:MOST_CHECKS]
    for check, duration_s in (list(durations.values())[place] for place in sorted(chosen.tolist())):
        yield Trial("silence", check, make.silence(duration_s))
        steady = isinstance(check, checks.Events) and check.count == 1  # steady noise is one event ...
        if not (steady or isinstance(check, checks.BandLevel)):  # ... and has little energy in a narrow band
            yield Trial("noise", check, make.noise(duration_s, seeded("noise", repr(check))))
