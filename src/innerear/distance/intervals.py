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
    groups = assign(len(clips), seed)

    def without(group: int | None) -> float:
        return statistic([clip for clip, own in zip(clips, groups, strict=True) if own != group])

    return jackknife(without, np.bincount(groups), level)


def assign(n: int, seed: int) -> NDArray[np.intp]:
    """The group of each of n clips: at random one of 20 groups, or a group of its own for smaller n."""
    groups = np.empty(n, dtype=np.intp)
    for number, members in enumerate(np.array_split(np.random.default_rng(seed).permutation(n), min(GROUPS, n))):
        groups[members] = number
    return groups


def jackknife(
    without: Callable[[int | None], float], clips: NDArray[np.intp], level: float = 0.95
) -> tuple[float, float] | None:
    """Confidence interval of a statistic from leaving out one group at a time; `None` for fewer than four clips.

    `without`: the statistic without the clips of a group, or (`None`) of all clips. `clips`: number of
    clips per group. Variance for unequal groups: Busing, Meijer and van der Leeden, "Delete-m jackknife
    for unequal m" (1999), eq. 8; quantile of Student's t.
    """
    from scipy.special import stdtrit  # scipy.stats takes a second to import

    if clips.sum() < 4:
        return None
    n = len(clips)
    whole, left_out = without(None), np.array([without(group) for group in range(n)])
    share = clips.sum() / clips
    pseudo = share * whole - (share - 1) * left_out
    centre = n * whole - float(((1 - 1 / share) * left_out).sum())
    variance = float(np.mean(np.square(pseudo - centre) / (share - 1)))
    reach = float(stdtrit(n - 1, (1 + level) / 2)) * np.sqrt(variance)
    return float(whole - reach), float(whole + reach)
