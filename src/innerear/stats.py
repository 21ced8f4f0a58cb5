"""Intervals of per-sound metrics. Those of distribution metrics are in `metrics.intervals`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

RESAMPLES = 2000


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
