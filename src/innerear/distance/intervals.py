"""Confidence intervals over clips by the jackknife.

A bootstrap draws with replacement, and duplicates make a set look tighter and closer to Fréchet and
kernel distances, which biases them. A jackknife leaves clips out instead.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from innerear.distance.moments import Frames

GROUPS = 20


def interval(
    statistic: Callable[[list[Frames]], float], clips: Sequence[Frames], seed: int, level: float = 0.95
) -> tuple[float, float] | None:
    """Confidence interval of a statistic over clips; `None` for fewer than four clips.

    It covers the statistic's expectation at this number of clips. For a statistic that is biased at
    small n, such as FAD, it does not cover the value for infinite data.
    """
    return jackknife(lambda kept: statistic([clips[i] for i in kept]), len(clips), seed, level)


def jackknife(
    statistic: Callable[[NDArray[np.intp]], float], n: int, seed: int, level: float = 0.95
) -> tuple[float, float] | None:
    """Confidence interval of a statistic that takes the indices of the clips kept; `None` for n below 4.

    Delete-d jackknife: clips are assigned at random to 20 groups (n groups of one for smaller n), and
    each group is left out once. Variance for unequal groups: Busing, Meijer and van der Leeden,
    "Delete-m jackknife for unequal m" (1999), eq. 8; quantile of Student's t.
    """
    if n < 4:
        return None
    order = np.concatenate(left_out := groups(n, seed))
    whole = statistic(np.arange(n))
    without = np.array([statistic(np.setdiff1d(order, group)) for group in left_out])
    return combined(whole, without, np.array([len(group) for group in left_out]), level)


def groups(n: int, seed: int) -> list[NDArray[np.intp]]:
    """Assign n clips at random to 20 groups that are left out together; to n groups if there are fewer."""
    return np.array_split(np.random.default_rng(seed).permutation(n), min(GROUPS, n))


def combined(
    whole: float, without: NDArray[np.float64], sizes: NDArray[np.intp], level: float = 0.95
) -> tuple[float, float]:
    """Interval from the statistic of all clips and without each group; `sizes`: clips per group."""
    from scipy.special import stdtrit  # scipy.stats takes a second to import

    n = len(sizes)
    share = sizes.sum() / sizes
    pseudo = share * whole - (share - 1) * without
    centre = n * whole - float(((1 - 1 / share) * without).sum())
    variance = float(np.mean(np.square(pseudo - centre) / (share - 1)))
    reach = float(stdtrit(n - 1, (1 + level) / 2)) * np.sqrt(variance)
    return float(whole - reach), float(whole + reach)
