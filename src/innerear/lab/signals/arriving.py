"""Trial sounds for `arrivals`: Poisson processes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from innerear import checks
from innerear.clip import Clip
from innerear.lab.signals.tools import RATES, finished, floors, hits_at
from innerear.lab.sounds import Floats
from innerear.lab.tools import Rng
from innerear.metrics.verified import Trial


def arrivals(rng: Rng, turn: int) -> Iterator[Trial]:
    """A Poisson process of clicks; wrong: regular and nearly regular trains, bursts, half and double rate."""
    rate = int(rng.choice(RATES))
    hz = rng.uniform(6, 40)
    duration_s = 130 / hz
    check = checks.Arrivals(rate_hz=round(hz, 2), tolerance=0.25, variation=(0.75, 1.3))
    sort = ("sample", "burst", "ring", "square")[turn % 4]
    spread_db = float(rng.choice([0, 2, 5]))

    def sound(gaps: Floats) -> Clip:
        times = np.cumsum(gaps)
        times = times[times < duration_s - 0.01]
        return finished(hits_at(times, sort, duration_s, rate, rng, spread_db), rate, rng, (15, 50))

    n = 400
    yield Trial("synthetic", check, sound(rng.exponential(1 / hz, n)), sort)
    yield Trial("regular", check, sound(np.full(n, 1 / hz)))
    yield Trial("nearly regular", check, sound(rng.uniform(0.5, 1.5, n) / hz))
    yield Trial("third of four", check, sound(rng.gamma(4, 1 / (4 * hz), n)))
    in_burst = rng.integers(4, 8)
    gaps = np.where(np.arange(n) % in_burst == 0, rng.exponential(in_burst / hz, n), 0.1 / hz)
    yield Trial("bursts", check, sound(gaps))
    yield Trial("half the rate", check, sound(rng.exponential(2 / hz, n)))
    pairs = np.where(np.arange(n) % 2, 0.15, 1.85) / hz
    yield Trial("regular pairs", check, sound(pairs))
    yield Trial("twice the rate", check, sound(rng.exponential(0.5 / hz, n)))
    yield from floors(check, duration_s, rng)
