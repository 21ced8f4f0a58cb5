"""Trial sounds for `passing`: sources on a straight line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from innerear import checks
from innerear.clip import Clip
from innerear.lab.signals.tools import RATES, finished, floors, seconds
from innerear.lab.sounds import Floats
from innerear.lab.tools import Rng
from innerear.metrics.verified import Trial

SOUND_M_S = 343.2  # at 20 degrees Celsius


def passing_source(
    f0_hz: Floats | float, t: Floats, rate: int, speed_m_s: float, nearest_m: float, at_s: float
) -> Floats:
    """Phase in cycles and level of a source on a straight line, as received: shape (2, samples).

    What arrives at t was emitted at t' = t - r(t')/c; for a uniform motion that is a quadratic equation.
    """
    s, v, c = t - at_s, speed_m_s, SOUND_M_S
    root = np.sqrt(c**2 * nearest_m**2 + v**2 * c**2 * s**2 - v**2 * nearest_m**2)
    emitted = (c**2 * s - root) / (c**2 - v**2)
    return np.stack([f0_hz * emitted, nearest_m / np.hypot(nearest_m, v * emitted)])


TIMBRES: dict[str, Sequence[float]] = {
    "sine": [1], "horn": [1 / n for n in range(1, 12)], "square": [n % 2 / n for n in range(1, 16)],
    "hollow": [0.4, 1, 0.6, 0.5, 0.2, 0.2],
}  # fmt: skip


def voiced(cycles: Floats, level: Floats, timbre: str) -> Floats:
    """A sound from its phase in cycles."""
    return level * sum(a * np.sin(2 * np.pi * n * cycles + n) for n, a in enumerate(TIMBRES[timbre], 1) if a)


def passing(rng: Rng, turn: int) -> Iterator[Trial]:
    """Sources past a listener; wrong: glides, steps, other speed, time and pitch, backwards."""
    rate = int(rng.choice(RATES[2:]))
    timbre = list(TIMBRES)[turn % 4]
    f0, speed, nearest_m = rng.uniform(200, 1100), rng.uniform(18, 50), rng.uniform(4, 12)
    duration_s = rng.uniform(5, 9)
    at_s = duration_s * rng.uniform(0.35, 0.65)
    before, after = f0 / (1 - speed / SOUND_M_S), f0 / (1 + speed / SOUND_M_S)
    check = checks.Passing(
        approach_hz=round(before, 2), recede_hz=round(after, 2), closest_s=round(at_s, 2), tolerance=0.01,
        time_tolerance_s=0.25,
    )  # fmt: skip
    t = seconds(duration_s, rate)

    def sound(cycles: Floats, level: Floats) -> Clip:
        return finished(voiced(cycles, np.maximum(level, 0.03), timbre), rate, rng, (20, 60))

    if turn % 2:
        yield Trial("synthetic", check, sound(*passing_source(f0, t, rate, speed, nearest_m, at_s)), timbre)
    else:  # as programs do it: the shift of the present place, without the time the sound takes
        along = speed * (t - at_s)
        moved = f0 / (1 + speed * along / np.hypot(along, nearest_m) / SOUND_M_S)
        level = nearest_m / np.hypot(nearest_m, along) if turn % 4 else np.ones(len(t))
        yield Trial("synthetic", check, sound(np.cumsum(moved) / rate, level), timbre)
    near = np.exp(-(((t - at_s) / 1.2) ** 2))
    x = t / duration_s
    yield Trial("linear glide", check, sound(np.cumsum(before + (after - before) * x) / rate, near))
    wide = np.cumsum(before + (after - before) * (0.5 - 0.5 * np.cos(np.pi * x))) / rate
    yield Trial("slow fall", check, sound(wide, near))
    yield Trial("a step", check, sound(np.cumsum(np.where(t < at_s, before, after)) / rate, near))
    for column, factor in (("half as fast", 0.5), ("1.5 as fast", 1.5)):
        yield Trial(column, check, sound(*passing_source(f0, t, rate, factor * speed, nearest_m, at_s)))
    late = at_s + rng.choice([-1, 1]) * rng.uniform(0.7, 1.2)
    yield Trial("another time", check, sound(*passing_source(f0, t, rate, speed, nearest_m, late)))
    other = f0 * (1 + rng.choice([-1, 1]) * rng.uniform(0.025, 0.1))
    yield Trial("another pitch", check, sound(*passing_source(other, t, rate, speed, nearest_m, at_s)))
    cycles, level = passing_source(f0, t, rate, speed, nearest_m, at_s)
    yield Trial("backwards", check, sound(cycles[::-1], level[::-1]))
    yield Trial("steady", check, sound(f0 * t, level))
    yield from floors(check, duration_s, rng)
