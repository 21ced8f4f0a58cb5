"""Trial sounds for `cadence`: signals of random frequencies and times."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise

import numpy as np

from innerear import checks
from innerear.checks import Check
from innerear.clip import Clip
from innerear.lab import sounds as make
from innerear.lab.sounds import Bank
from innerear.lab.tools import Pairs, Rng, others, seeded
from innerear.metrics.verified import Trial


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
