"""Find clicks that are 2 ms apart, and echoes of a loud impulse. Times are in seconds from the first sample."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from innerear.dsp.silence import is_silent

Floats = NDArray[np.float64]

CLICK_HOP_S = 0.00025
CLICK_WINDOW_S = 0.001
CLICK_RISE_DB = 6.0  # of a click over what was there 1 to 4 ms earlier
RING_DB = 10.0  # a click has ended this far below its peak
CLICK_RANGE_DB = 22.0  # clicks this far below the loud ones are ignored
DEAD_S = 0.002  # clicks closer than this are one
MOST_DEAD_S = 0.03

ECHO_HOP_S = 0.001
ECHO_WINDOW_S = 0.005
ECHO_RISE_DB = 6.0  # of an arrival over what was there 10 to 60 ms earlier
ECHO_RANGE_DB = 55.0
ECHO_APART_S = 0.06
ECHO_FRONT_DB = 8.0  # an arrival begins where its level is this far below its maximum


@dataclass(frozen=True, eq=False)
class Clicks:
    """Times of clicks, ascending, and the time after each click in which another would not have been found."""

    times_s: Floats
    dead_s: float

    @property
    def rate_hz(self) -> float:
        """Mean rate of arrivals, corrected for the dead time: the inverse of mean interval less dead time."""
        return float(1 / max(float(np.diff(self.times_s).mean()) - self.dead_s, 1e-6))

    @property
    def variation(self) -> float:
        """Coefficient of variation of the intervals, each less the dead time; 1 for a Poisson process."""
        gaps = np.diff(self.times_s)
        return float(gaps.std(ddof=1) / max(float(gaps.mean()) - self.dead_s, 1e-6))

    @property
    def distance(self) -> float:
        """Kolmogorov's distance of the intervals, less the dead time, from an exponential distribution; 0 to 1."""
        gaps = np.sort(np.maximum(np.diff(self.times_s) - self.dead_s, 0))
        expected = 1 - np.exp(-gaps / max(float(gaps.mean()), 1e-9))
        steps = np.arange(len(gaps) + 1) / len(gaps)
        return float(max((steps[1:] - expected).max(), (expected - steps[:-1]).max()))


def find_clicks(samples: NDArray[np.float32], sample_rate: int) -> Clicks:
    """Clicks at least 2 ms apart.

    A click is a rise of 6 dB in 1 ms windows. The dead time after each click is 2 ms, or the time in which the
    median click falls by 10 dB, at most 30 ms. A Poisson process seen through a dead time has intervals of
    the dead time plus an exponential: hence the corrections of `Clicks`.
    """
    from scipy.ndimage import maximum_filter1d

    level = _level(np.diff(samples.astype(np.float64), prepend=0.0), sample_rate, CLICK_WINDOW_S, CLICK_HOP_S)
    if not len(level):
        return Clicks(np.zeros(0), DEAD_S)
    reach = round(DEAD_S / CLICK_HOP_S)
    peak = maximum_filter1d(level, reach + 1, origin=-(reach // 2))  # of the next 2 ms
    near, far = round(0.00075 / CLICK_HOP_S), round(0.00175 / CLICK_HOP_S)
    width = far - near + 1
    padded = np.pad(level, (far, 0), constant_values=-200.0)
    before = maximum_filter1d(padded, width, origin=(width - 1) // 2)[far - near : far - near + len(level)]
    rise = np.minimum(peak, level + 3.0) - before
    loud = peak[rise >= CLICK_RISE_DB]
    if not len(loud):
        return Clicks(np.zeros(0), DEAD_S)
    least = float(np.quantile(loud, 0.9)) - CLICK_RANGE_DB
    rises = np.flatnonzero((rise >= CLICK_RISE_DB) & (level > least))
    dead_s = _ringing(level, _apart(rises, reach), reach)
    times_s = np.asarray(_apart(rises, round(dead_s / CLICK_HOP_S)) * CLICK_HOP_S, dtype=np.float64)
    return Clicks(times_s, dead_s)


def _apart(places: NDArray[np.intp], dead: int) -> NDArray[np.intp]:
    """The places that are further than this from the last one kept."""
    kept: list[int] = []
    for place in places:
        if not kept or place - kept[-1] > dead:
            kept.append(int(place))
    return np.array(kept, dtype=np.intp)


def _ringing(level: Floats, found: NDArray[np.intp], reach: int) -> float:
    """The time in which the median click falls 10 dB below its peak, and stays there for 2 ms."""
    lengths = []
    most = round(MOST_DEAD_S / CLICK_HOP_S)
    for place in found:
        part = level[place : place + most]
        above = np.flatnonzero(part[reach:] > part[: reach + 1].max() - RING_DB)
        gap = np.flatnonzero(np.diff(above, prepend=-1) > reach)
        last = above[gap[0] - 1] if len(gap) and gap[0] > 0 else (above[-1] if len(above) and not len(gap) else -1)
        lengths.append((reach + last + 1) * CLICK_HOP_S)
    return max(DEAD_S, float(np.median(lengths))) if lengths else DEAD_S


@dataclass(frozen=True)
class Arrival:
    """A sound that arrives: when, and its peak level in dB re the loudest."""

    at_s: float
    level_db: float


def find_arrivals(samples: NDArray[np.float32], sample_rate: int) -> list[Arrival]:
    """Impulses at least 60 ms apart, up to 55 dB below the loudest, in the order of time.

    An arrival rises by 6 dB over the 50 ms before it. The level is over 5 ms.
    """
    from scipy.ndimage import maximum_filter1d

    level = _level(samples.astype(np.float64), sample_rate, ECHO_WINDOW_S, ECHO_HOP_S)
    if not len(level):
        return []
    level = np.maximum(level - level.max(), -ECHO_RANGE_DB - ECHO_RISE_DB)
    near, far = round(0.01 / ECHO_HOP_S), round(0.06 / ECHO_HOP_S)
    before = np.full(len(level), -ECHO_RANGE_DB - ECHO_RISE_DB)
    sums = np.cumsum(np.pad(10 ** (level / 10), (far + 1, 0), constant_values=(10 ** (before[0] / 10), 0)))
    mean = (sums[far - near + 1 : far - near + 1 + len(level)] - sums[: len(level)]) / (far - near + 1)
    before = 10 * np.log10(np.maximum(mean, 1e-12))
    reach = round(ECHO_APART_S / ECHO_HOP_S)
    tops = np.flatnonzero(
        (level == maximum_filter1d(level, reach)) & (level >= before + ECHO_RISE_DB) & (level >= -ECHO_RANGE_DB)
    )
    found: list[Arrival] = []
    for top in tops:
        front = level[max(0, top - near * 4) : top + 1]
        low = np.flatnonzero(front < level[top] - ECHO_FRONT_DB)
        first = top - len(front) + 1 + (int(low[-1]) + 1 if len(low) else 0)
        if not found or first * ECHO_HOP_S - found[-1].at_s >= ECHO_APART_S / 2:
            found.append(Arrival(float(first * ECHO_HOP_S), float(level[top])))
    return found


def _level(samples: Floats, sample_rate: int, window_s: float, hop_s: float) -> Floats:
    """Level in dB over windows centred on multiples of the hop."""
    if is_silent(samples, 1e-5):
        return np.zeros(0)
    half = max(1, round(window_s * sample_rate / 2))
    sums = np.concatenate([[0.0], np.cumsum(np.pad(samples, half) ** 2)])
    places = np.arange(int(len(samples) / (hop_s * sample_rate))) * hop_s * sample_rate
    first = np.round(places).astype(int)
    return np.asarray(10 * np.log10(np.maximum((sums[first + 2 * half] - sums[first]) / (2 * half), 1e-14)))
