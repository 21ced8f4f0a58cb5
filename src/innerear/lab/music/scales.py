"""Trial sounds for `pitches`: scales in eight tunings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from innerear import checks
from innerear.checks import Check
from innerear.clip import Clip
from innerear.lab import sounds as make
from innerear.lab.music.players import TUNED
from innerear.lab.sounds import Bank, Voice
from innerear.lab.tools import Pairs, Rng, others, seeded
from innerear.metrics.verified import Trial

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
                clip = scale_of(voice, asked, check.onsets_s, step_s, rng)
            except LookupError:
                continue
            yield Trial(column, check, clip, f"{name} {scale}")
            mine.append((check, clip))
            for kind, hertz, onsets in _wrong_scales(check, rng) if (turn + number) % 3 else ():
                try:
                    yield Trial(kind, check, scale_of(voice, hertz, onsets, step_s, rng), f"{name} {scale}")
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


def scale_of(voice: Voice, hertz: Sequence[float], onsets: Sequence[float], step_s: float, rng: Rng) -> Clip:
    """A scale played at these onsets, at levels of 0 to -3 dB, in a little noise."""
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
