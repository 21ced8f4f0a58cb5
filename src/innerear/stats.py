"""Intervals and significance tests for per-sound metrics.

Intervals of distances between sets are in `distance.intervals`. All resampling is seeded, so results
are reproducible.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 2000
PERMUTATIONS = 10_000
EXACT_UP_TO = 12
FEWEST = 3  # probes needed to estimate their variance
SEED = 0


K = TypeVar("K")
V = TypeVar("V")
Reach = tuple[float, float]
"""The lower and upper bound of a 95 % interval."""


def grouped(pairs: Iterable[tuple[K, V]]) -> dict[K, list[V]]:
    """The values of each key, both in their order.

    >>> grouped([("a", 1), ("b", 2), ("a", 3)])
    {'a': [1, 3], 'b': [2]}
    """
    found: dict[K, list[V]] = {}
    for key, value in pairs:
        found.setdefault(key, []).append(value)
    return found


@dataclass(frozen=True)
class Estimate:
    """A statistic of a group with its 95 % interval, which always includes it; `by` names the method.

    All are `None` if nothing was measured; only `low` and `high` if too little was.
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    by: str = ""


def wilson(passed: float, n: float) -> tuple[float, float] | None:
    """The 95 % score interval of a rate, `None` for n = 0; it never collapses to a point, even at 0 or 1.

    E. B. Wilson, "Probable inference, the law of succession, and statistical inference", 1927.

    >>> [round(x, 3) for x in wilson(0, 10)]
    [0.0, 0.278]
    """
    if n == 0:
        return None
    z2 = 1.959963984540054**2
    centre = (passed + z2 / 2) / (n + z2)
    reach = (z2 * (passed * (n - passed) / n + z2 / 4)) ** 0.5 / (n + z2)
    # Rounding could leave 0 or 1 outside their own interval.
    return 0.0 if passed <= 0 else centre - reach, 1.0 if passed >= n else centre + reach


def rate(passes: Sequence[tuple[str, bool]]) -> Estimate:
    """The pass rate over (probe, passed), with Wilson's interval.

    If probes repeat (attempts, several checks), n is L. Kish's effective sample size, from the variance
    of a ratio over clusters (probes), and at most the number of results. If all or none passed, that
    variance is zero and results of one probe may be redundant; then n is the number of probes.
    """
    by_probe = grouped(passes)
    n, probes = len(passes), len(by_probe)
    by = "wilson" if probes == n else "wilson-probes"
    if not n:
        return Estimate(None, None, None, by)
    value = sum(passed for _, passed in passes) / n
    n_effective = float(probes)
    if n > probes >= FEWEST and 0 < value < 1:
        squares = sum((sum(some) - value * len(some)) ** 2 for some in by_probe.values())
        variance = probes / (probes - 1) * squares / n**2
        n_effective = min(float(n), value * (1 - value) / variance) if variance else float(n)
    low, high = wilson(value * n_effective, n_effective) or (None, None)
    return Estimate(value, low, high, by)


def estimate(values: Sequence[tuple[str, float]], statistic: Callable[..., Any], share: bool = False) -> Estimate:
    """A statistic over (probe, value), with a bootstrap interval that resamples whole probes.

    `share`: the values are shares from 0 to 1 and the statistic is their mean. If all are 0 or all are
    1, the bootstrap collapses to a point; the interval is then Wilson's with n = number of probes.
    """
    by = "bootstrap-probes,wilson-at-ends" if share else "bootstrap-probes"
    if not values:
        return Estimate(None, None, None, by)
    numbers = [value for _, value in values]
    probes = [probe for probe, _ in values]
    value = float(statistic(np.array(numbers)))
    if share and set(numbers) in ({0.0}, {1.0}):
        n = len(set(probes))
        reach = wilson(numbers[0] * n, n)
    else:
        reach = bootstrap(numbers, probes, statistic)
    low, high = reach or (None, None)
    return Estimate(value, low, high, by)


def holding(value: float, reach: Reach | None) -> Reach | None:
    """Widen an interval to include its value.

    Rounding can leave a value outside a very narrow interval, and with few, skewed values the statistic
    can fall outside the central 95 % of its resamples.
    """
    return None if reach is None else (min(reach[0], value), max(reach[1], value))


def central_95(draws: Sequence[float] | NDArray[np.float64]) -> Reach:
    """The central 95 % of resampled statistics."""
    low, high = np.quantile(draws, [0.025, 0.975])
    return float(low), float(high)


def bootstrap(
    values: Sequence[float],
    clusters: Sequence[str],
    statistic: Callable[..., Any],
    seed: int = SEED,
) -> tuple[float, float] | None:
    """The 95 % percentile bootstrap interval of a statistic, resampling whole clusters (probes).

    `statistic` takes an array and `axis`, such as `np.mean`. The interval always includes the statistic
    of the values. `None` for fewer than three clusters.
    """
    groups = [np.array(group) for group in grouped(zip(clusters, values, strict=True)).values()]
    if len(groups) < FEWEST:
        return None
    rng = np.random.default_rng(seed)
    drawn = rng.integers(len(groups), size=(RESAMPLES, len(groups)))
    if len(groups) == len(values):  # one value per cluster: all resamples at once
        resampled = statistic(np.concatenate(groups)[drawn], axis=1)
    else:
        resampled = [statistic(np.concatenate([groups[i] for i in row]), axis=0) for row in drawn]
    return holding(float(statistic(np.asarray(values))), central_95(resampled))


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
    """The probability that at least one of k attempts passes, estimated from n; `None` if n < k.

    Unbiased: 1 - C(n - passed, k) / C(n, k). M. Chen et al., "Evaluating Large Language Models
    Trained on Code", 2021, eq. 1.

    >>> pass_at_k(4, 1, 2)
    0.5
    """
    if not 0 < k <= n:
        return None
    return 1.0 - math.comb(n - passed, k) / math.comb(n, k)


def normalised(value: float, floor: float, ceiling: float) -> float | None:
    """A value rescaled so that its floor is 0 and its ceiling 1; `None` if floor and ceiling are equal.

    >>> normalised(0.5, 0.25, 0.75)
    0.5
    """
    return (value - floor) / (ceiling - floor) if ceiling != floor else None


@dataclass(frozen=True)
class Difference:
    """A mean difference over n pairs, its 95 % interval, the two-sided p-value, and the smallest visible difference."""

    value: float
    low: float | None
    high: float | None
    p: float
    n: int
    visible: float | None = None


def paired(
    first: Mapping[str, float], second: Mapping[str, float], seed: int = SEED, shares: bool = True
) -> Difference | None:
    """The mean of first minus second over common probes; `None` without any. `shares`: values from 0 to 1.

    For the interval see `_of_mean`. The p-value is from a sign-flip permutation test over probes: exact
    for up to 12 probes that differ, else with 10,000 seeded draws (B. Phipson, G. K. Smyth,
    "Permutation P-values should never be zero", 2010).
    """
    probes = [probe for probe in first if probe in second]
    if not probes:
        return None
    differences = np.array([first[probe] - second[probe] for probe in probes])
    value = float(differences.mean())
    low, high = holding(value, _of_mean(differences, shares)) or (None, None)
    p = _sign_flip(differences[differences != 0], seed)
    return Difference(value, low, high, p, len(probes), visible(differences, shares))


def visible(differences: NDArray[np.float64], shares: bool = True) -> float | None:
    """The smallest true mean difference that a paired test at 5 % finds with a power of 80 %.

    It is (t(0.975) + t(0.8)) standard errors, with the spread of the differences that were seen and two
    pseudo-observations as in the interval of `paired`; `None` for fewer than three pairs (J. Cohen,
    "Statistical Power Analysis for the Behavioral Sciences", 1988).
    """
    from scipy.special import stdtrit

    if len(differences) < FEWEST:
        return None
    more = _with_pseudo(differences, shares)
    error = more.std(ddof=1) / np.sqrt(len(more))
    return float((stdtrit(len(more) - 1, 0.975) + stdtrit(len(more) - 1, 0.8)) * error)


def _with_pseudo(differences: NDArray[np.float64], shares: bool) -> NDArray[np.float64]:
    """The differences and two more, at plus and minus the largest; 1 if shares do not differ at all."""
    size = float(np.abs(differences).max()) or float(shares)
    return np.concatenate([differences, [size, -size]])


def _of_mean(differences: NDArray[np.float64], shares: bool) -> tuple[float, float] | None:
    """The 95 % interval of a mean difference; `None` for fewer than three.

    Student's interval over the differences plus two pseudo-observations, at plus and minus the largest
    absolute difference (1 if shares do not differ at all). For pass or fail this is the interval of
    D. G. Bonett, R. M. Price, "Adjusted Wald intervals for a difference of two binomial proportions
    based on paired data", 2012, with t instead of z. If nearly all pass, few probes differ, and a
    bootstrap or a plain Student interval is too narrow.
    """
    from scipy.special import stdtrit  # scipy.stats takes a second to import

    if len(differences) < FEWEST:
        return None
    more = _with_pseudo(differences, shares)
    reach = float(stdtrit(len(more) - 1, 0.975) * more.std(ddof=1) / np.sqrt(len(more)))
    low, high = float(more.mean()) - reach, float(more.mean()) + reach
    return (max(-1.0, low), min(1.0, high)) if shares else (low, high)


def _sign_flip(differences: NDArray[np.float64], seed: int) -> float:
    n = len(differences)
    observed = abs(float(differences.sum())) - 1e-12
    if n <= EXACT_UP_TO:
        signs = 1 - 2 * ((np.arange(2**n)[:, None] >> np.arange(n)) & 1)
        return float(np.mean(np.abs(signs @ differences) >= observed))
    signs = np.random.default_rng(seed).choice((-1.0, 1.0), size=(PERMUTATIONS, n))
    return float((1 + np.sum(np.abs(signs @ differences) >= observed)) / (1 + PERMUTATIONS))


def holm(p_values: Sequence[float]) -> list[float]:
    """P-values adjusted for multiple testing, in the order given.

    S. Holm, "A simple sequentially rejective multiple test procedure", 1979.

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    adjusted = [0.0] * len(p_values)
    highest = 0.0
    for rank, index in enumerate(sorted(range(len(p_values)), key=lambda i: p_values[i])):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = highest
    return adjusted


@dataclass(frozen=True)
class Trend:
    """The slope of values over steps, its 95 % interval, and the one-sided p-value for a fall."""

    slope: float
    low: float | None
    high: float | None
    p: float
    n: int


def falls(steps: Sequence[Sequence[float]], seed: int = SEED) -> Trend | None:
    """Test whether values fall from step to step, by the slope of a regression on the step number.

    The statistic of the Cochran-Armitage test for trend, with a permutation test instead of the normal
    approximation. The interval resamples values within each step. `None` unless two steps have values.
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
    low, high = holding(observed, central_95(drawn)) or (None, None)
    return Trend(observed, low, high, p, len(values))


def _slope(places: NDArray[np.float64], values: NDArray[np.float64]) -> float:
    centred = places - places.mean()
    return float(centred @ values / (centred @ centred))
