"""Permutation test of KAD: could both sets of sounds come from the same source?"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from innerear.distance.kernel import KernelReference, pair_sums
from innerear.distance.moments import Array, Frames
from innerear.errors import UsageError

ALL = 20_000
"""Permutations that are all taken, if there are no more."""
LEVEL, MOST = 0.05, 100
"""Up to `MOST` times as many permutations are drawn until it is clear on which side of `LEVEL` p is."""
_DRAWN = 512  # permutations drawn at a time


@dataclass(frozen=True)
class Tested:
    """The p-value of a permutation test, in (0, 1], and the 95 % interval of the one that all permutations would give.

    `n`: permutations that were drawn; `exact`: all of them, so that p, low and high are equal.
    """

    p: float
    low: float
    high: float
    n: int
    exact: bool


def permutation_test(first: Sequence[Frames], second: Sequence[Frames], seed: int, permutations: int = 999) -> Tested:
    """Permutation test of "both sets come from the same source".

    Clips are permuted. If there are at most `ALL` ways to do so, all are taken. Otherwise at least `permutations`
    are drawn, and as long as the 99.9 % interval of p (Clopper and Pearson 1934) holds `LEVEL`, twice as many again,
    up to `MOST` times: so the verdict does not depend on the seed, but for p within some 0.002 of `LEVEL`. 1 is
    added to both counts (Phipson and Smyth 2010). The bandwidth is that of the pooled sets, because the test is exact
    only if the kernel does not depend on the grouping.

    Raises:
        UsageError: fewer than two clips in a set, or see `KernelReference.of`.
    """
    if min(len(first), len(second)) < 2:
        raise UsageError(f"the sets have {len(first)} and {len(second)} clips; each needs at least 2")
    both = KernelReference.of([*first, *second])
    sums = pair_sums(both.frames, both.sizes, both.frames, both.sizes, both.bandwidth)
    counts = np.outer(both.sizes, both.sizes).astype(np.float64)
    np.fill_diagonal(sums, 0.0)
    np.fill_diagonal(counts, 0.0)
    given = np.arange(len(both.sizes)) < len(first)

    def distances(labels: NDArray[np.bool_]) -> Array:
        """The squared MMD of each grouping, a row of which says who is in the first set."""
        left = labels.astype(np.float64)
        right = 1 - left
        found = np.zeros(len(left))
        for one, other, sign in ((left, left, 1), (right, right, 1), (left, right, -2)):
            found += sign * ((one @ sums) * other).sum(axis=1) / ((one @ counts) * other).sum(axis=1)
        return found

    least = float(distances(given[np.newaxis])[0]) - 1e-12
    if math.comb(len(given), len(first)) <= ALL:
        chosen = np.array(list(itertools.combinations(range(len(given)), len(first))))
        every = np.zeros((len(chosen), len(given)), dtype=np.bool_)
        np.put_along_axis(every, chosen, True, axis=1)
        p = float(np.mean(distances(every) >= least))
        return Tested(p, p, p, len(every), True)
    rng = np.random.default_rng(seed)
    hits, n, wanted = 0, 0, permutations
    while True:
        while n < wanted:
            size = min(_DRAWN, wanted - n)
            drawn = rng.permuted(np.tile(given, (size, 1)), axis=1)
            hits, n = hits + int(np.count_nonzero(distances(drawn) >= least)), n + size

        low, high = _clopper_pearson(hits, n, 0.999)
        if not low <= LEVEL <= high or n >= MOST * permutations:
            return Tested((hits + 1) / (n + 1), *_clopper_pearson(hits, n, 0.95), n, False)
        wanted = min(2 * n, MOST * permutations)


def _clopper_pearson(hits: int, n: int, level: float) -> tuple[float, float]:
    """The exact interval of a probability from so many hits of n."""
    from scipy.special import betaincinv

    tail = (1 - level) / 2
    low = float(betaincinv(hits, n - hits + 1, tail)) if hits else 0.0
    return low, float(betaincinv(hits + 1, n - hits, 1 - tail)) if hits < n else 1.0


def p_value(first: Sequence[Frames], second: Sequence[Frames], seed: int, permutations: int = 999) -> float:
    """The p-value of `permutation_test`."""
    return permutation_test(first, second, seed, permutations).p
