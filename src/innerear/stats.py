"""Intervals and tests of per-sound metrics. Intervals of distribution metrics are in `metrics.intervals`.

Whatever is drawn is drawn with a seed, so that a number is the same again.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 2000
PERMUTATIONS = 10_000
EXACT_UP_TO = 12


def wilson(passed: int, n: int) -> tuple[float, float] | None:
    """The 95 % score interval of a rate, `None` for n = 0; it never is a point, also at 0 and at 1.

    E. B. Wilson, "Probable inference, the law of succession, and statistical inference", 1927.

    >>> [round(x, 3) for x in wilson(0, 10)]
    [0.0, 0.278]
    """
    if n == 0:
        return None
    z2 = 1.959963984540054**2
    centre = (passed + z2 / 2) / (n + z2)
    reach = (z2 * (passed * (n - passed) / n + z2 / 4)) ** 0.5 / (n + z2)
    return max(0.0, centre - reach), min(1.0, centre + reach)


def bootstrap(
    values: Sequence[float],
    clusters: Sequence[str],
    statistic: Callable[..., Any],
    seed: int = 0,
) -> tuple[float, float] | None:
    """The 95 % percentile interval of a statistic, whole clusters (probes) drawn with replacement.

    `statistic` takes an array and `axis`, such as `np.mean`. `None` for fewer than three clusters.
    """
    by_cluster: dict[str, list[float]] = {}
    for value, cluster in zip(values, clusters, strict=True):
        by_cluster.setdefault(cluster, []).append(value)
    groups = [np.array(group) for group in by_cluster.values()]
    if len(groups) < 3:
        return None
    rng = np.random.default_rng(seed)
    drawn = rng.integers(len(groups), size=(RESAMPLES, len(groups)))
    if len(groups) == len(values):  # one value a cluster: all resamples at once
        resampled = statistic(np.concatenate(groups)[drawn], axis=1)
    else:
        resampled = [statistic(np.concatenate([groups[i] for i in row]), axis=0) for row in drawn]
    low, high = np.quantile(resampled, [0.025, 0.975])
    return float(low), float(high)


def resampled_sums(values: NDArray[np.float64], clusters: Sequence[str], seed: int = 0) -> NDArray[np.float64] | None:
    """The sums of (n, k) values over 2,000 draws of whole clusters with replacement, shape (2000, k).

    What a ratio of sums, such as errors over words, is bootstrapped with. `None` for fewer than three clusters.
    """
    names = list(dict.fromkeys(clusters))
    if len(names) < 3:
        return None
    sums = np.zeros((len(names), values.shape[1]))
    np.add.at(sums, [names.index(cluster) for cluster in clusters], values)
    drawn = np.random.default_rng(seed).integers(len(names), size=(RESAMPLES, len(names)))
    return np.asarray(sums[drawn].sum(axis=1))


def pass_at_k(n: int, passed: int, k: int) -> float | None:
    """The chance that at least one of k attempts passes, from n attempts; `None` for fewer than k.

    Unbiased: 1 - C(n - passed, k) / C(n, k). M. Chen et al., "Evaluating Large Language Models
    Trained on Code", 2021, eq. 1.

    >>> pass_at_k(4, 1, 2)
    0.5
    """
    if not 0 < k <= n:
        return None
    return 1.0 - math.comb(n - passed, k) / math.comb(n, k)


def normalised(value: float, floor: float, ceiling: float) -> float | None:
    """Where a value lies between its floor (0) and its ceiling (1); `None` where they are one.

    >>> normalised(0.5, 0.25, 0.75)
    0.5
    """
    return (value - floor) / (ceiling - floor) if ceiling != floor else None


@dataclass(frozen=True)
class Difference:
    """A mean difference over pairs, its 95 % interval, and the two-sided p of there being none."""

    value: float
    low: float | None
    high: float | None
    p: float
    n: int


def paired(first: Mapping[str, float], second: Mapping[str, float], seed: int = 0) -> Difference | None:
    """First less second, over the probes that both have; `None` without one.

    The interval is a percentile bootstrap over probes. The test flips the sign of each probe's
    difference: every way of doing so for up to 12 probes that differ, else 10,000 seeded draws
    (B. Phipson, G. K. Smyth, "Permutation P-values should never be zero", 2010).
    """
    probes = [probe for probe in first if probe in second]
    if not probes:
        return None
    differences = np.array([first[probe] - second[probe] for probe in probes])
    low, high = bootstrap(differences.tolist(), probes, np.mean, seed) or (None, None)
    p = _sign_flip(differences[differences != 0], seed)
    return Difference(float(differences.mean()), low, high, p, len(probes))


def _sign_flip(differences: NDArray[np.float64], seed: int) -> float:
    n = len(differences)
    observed = abs(float(differences.sum())) - 1e-12
    if n <= EXACT_UP_TO:
        signs = 1 - 2 * ((np.arange(2**n)[:, None] >> np.arange(n)) & 1)
        return float(np.mean(np.abs(signs @ differences) >= observed))
    signs = np.random.default_rng(seed).choice((-1.0, 1.0), size=(PERMUTATIONS, n))
    return float((1 + np.sum(np.abs(signs @ differences) >= observed)) / (1 + PERMUTATIONS))


def holm(p_values: Sequence[float]) -> list[float]:
    """The p values adjusted for there being several, in the order given.

    S. Holm, "A simple sequentially rejective multiple test procedure", 1979.

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    adjusted = [0.0] * len(p_values)
    highest = 0.0
    for rank, place in enumerate(sorted(range(len(p_values)), key=lambda i: p_values[i])):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[place]))
        adjusted[place] = highest
    return adjusted


@dataclass(frozen=True)
class Trend:
    """The change of a rate from one step to the next, and the one-sided p of it not falling."""

    slope: float
    low: float | None
    high: float | None
    p: float
    n: int


def falls(steps: Sequence[Sequence[float]], seed: int = 0) -> Trend | None:
    """Whether values fall from step to step: slope of a line through them against the step's number.

    The statistic of Cochran and Armitage's test for trend, with a permutation of all values over
    the steps instead of its normal approximation. The interval resamples values within each step.
    `None` unless two steps have values.
    """
    places = np.concatenate([np.full(len(values), place, dtype=float) for place, values in enumerate(steps)])
    values = np.concatenate([np.asarray(values, dtype=float) for values in steps])
    if len(set(places)) < 2:
        return None
    rng = np.random.default_rng(seed)
    observed = _slope(places, values)
    centred = places - places.mean()
    shuffled = rng.permuted(np.tile(values, (PERMUTATIONS, 1)), axis=1) @ centred / (centred @ centred)
    p = float((1 + np.sum(shuffled <= observed + 1e-12)) / (1 + PERMUTATIONS))
    drawn = []
    for _ in range(RESAMPLES):
        picked = [rng.choice(np.asarray(some, dtype=float), len(some)) for some in steps if len(some)]
        drawn.append(_slope(places, np.concatenate(picked)))
    low, high = np.quantile(drawn, [0.025, 0.975])
    return Trend(observed, float(low), float(high), p, len(values))


def _slope(places: NDArray[np.float64], values: NDArray[np.float64]) -> float:
    centred = places - places.mean()
    return float(centred @ values / (centred @ centred))
