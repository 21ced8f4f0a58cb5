"""Kernel audio distance: how far apart are two sets of sounds, without assuming a distribution?

    KAD = 100 · MMD²,   MMD² = mean k(x, x') + mean k(y, y') - 2 mean k(x, y),
    k(a, b) = exp(-|a - b|² / 2σ²),   σ = the median distance between two frames of the reference

over pairs of different frames (Gretton et al. 2012, eq. 3). The estimate is unbiased: its expectation
is 0 for two sets from the same source, however small, so single values can be negative. The factor
100 is kadtk's (`SCALE_FACTOR` in its kad.py); kadtk's bandwidth differs, see `compat.kadtk_kad`.
Source: Chung et al., "KAD: No More FAD!" (2025).

Frames of one clip resemble each other, so the mean over all pairs of frames is biased upwards. If
clips are given instead of frames, pairs within a clip are excluded.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from innerear.distance.intervals import GROUPS, assign, jackknife
from innerear.distance.moments import Array, Frames, stack
from innerear.errors import UsageError

Sizes = NDArray[np.intp]

SCALE = 100.0
ALL = 20_000
"""Permutations that are all taken, if there are no more."""
LEVEL, MOST = 0.05, 100
"""Up to `MOST` times as many permutations are drawn until it is clear on which side of `LEVEL` p is."""
_BLOCK = 1024  # frames; a block of 1024 x 1024 float64 is 8 MB


@dataclass(frozen=True, eq=False)
class KernelReference:
    """A reference for KAD: its frames, and the two numbers that depend on the reference alone.

    `frames`: centred on `mean`, shape (frames, dims). `bandwidth`: σ. `within`: mean of k over pairs
    within the reference.
    """

    frames: Array
    sizes: Sizes
    mean: Array
    bandwidth: float
    within: float

    @classmethod
    def of(cls, clips: Frames | Sequence[Frames]) -> KernelReference:
        """Prepare a reference from frames (one clip per frame) or a list of clips of shape (frames, dims).

        Raises:
            UsageError: fewer than two clips, NaN or infinity, or half of all pairs of frames are identical.
        """
        frames, sizes = stack(clips)
        mean = frames.mean(axis=0)
        frames = frames - mean
        bandwidth = median_distance(frames)
        if bandwidth <= 0:
            raise UsageError(
                "half of the reference's pairs of frames are identical, so its bandwidth is 0; is it silence?"
            )
        return cls(frames, sizes, mean, bandwidth, mean_within(frames, sizes, bandwidth))


def kad(reference: KernelReference | Frames | Sequence[Frames], clips: Frames | Sequence[Frames]) -> float:
    """Kernel audio distance, 100 · MMD²; unbiased, so 0 on average for sets from the same source.

    Raises:
        UsageError: fewer than two clips (or frames), other dims, NaN or infinity.
    """
    reference = reference if isinstance(reference, KernelReference) else KernelReference.of(reference)
    frames, sizes = centred(reference, clips)
    between = mean_between(reference.frames, frames, reference.bandwidth)
    return SCALE * (reference.within + mean_within(frames, sizes, reference.bandwidth) - 2 * between)


def centred(reference: KernelReference, clips: Frames | Sequence[Frames]) -> tuple[Array, Sizes]:
    """Centre the clips' frames on the reference's mean; also returns the number of frames per clip.

    Raises:
        UsageError: other dims than the reference, or see `stack`.
    """
    frames, sizes = stack(clips)
    if frames.shape[1] != len(reference.mean):
        raise UsageError(f"the reference has {len(reference.mean)} dims, the set {frames.shape[1]}; they must agree")
    return frames - reference.mean, sizes


@dataclass(frozen=True, eq=False)
class KernelSums:
    """Sums of k over pairs of frames of a set, by jackknife group; `+` merges the sums of two parts.

    Computed block by block, so memory does not grow with the number of clips. `reference`: mean of k over
    pairs within the reference. `own`: sums over pairs of two groups, without pairs within a clip, shape
    (20, 20). The others have one value per group: `cross`, the sum over frames of the mean of k to the
    reference; `clips` and `frames`, their numbers; `squares`, the sum over clips of their squared frames.
    """

    reference: float
    own: Array
    cross: Array
    clips: Sizes
    frames: NDArray[Any]
    squares: NDArray[Any]

    @classmethod
    def of(
        cls, reference: KernelReference, clips: Sequence[Frames], groups: Sizes, first: int | None = None
    ) -> KernelSums:
        """Sum over pairs of clips, given the group of each clip (`intervals.assign`).

        `first`: only pairs of which one is among so many first clips. The sums of `clips[i:]`, each
        with `first` up to the next i, add up to those of all clips.

        Raises:
            UsageError: see `centred`.
        """
        sizes = np.array([len(clip) for clip in clips], dtype=np.intp)
        first = len(clips) if first is None else first
        own, cross = np.zeros((GROUPS, GROUPS)), np.zeros(GROUPS)
        spans = [(some, starts) for some, _, starts in _spans(sizes[:first])]
        later = [(slice(first + s.start, first + s.stop), starts) for s, _, starts in _spans(sizes[first:])]
        for i, (some, starts) in enumerate(spans):
            frames, _ = centred(reference, clips[some])
            np.add.at(cross, np.repeat(groups[some], sizes[some]), _mean_to(reference, frames))
            for others, lefts in [*spans[i:], *later]:
                columns = frames if others == some else centred(reference, clips[others])[0]
                sums = _clip_sums(frames, starts, columns, lefts, reference.bandwidth)
                if others == some:
                    np.fill_diagonal(sums, 0.0)
                else:
                    np.add.at(own, (groups[others][:, np.newaxis], groups[some]), sums.T)
                np.add.at(own, (groups[some][:, np.newaxis], groups[others]), sums)
        rows, weights = groups[:first], sizes[:first].astype(np.float64)
        n, squares = np.bincount(rows, weights, GROUPS), np.bincount(rows, weights**2, GROUPS)
        return cls(reference.within, own, cross, np.bincount(rows, minlength=GROUPS), n, squares)

    def __add__(self, other: KernelSums) -> KernelSums:
        return KernelSums(
            self.reference,
            self.own + other.own,
            self.cross + other.cross,
            self.clips + other.clips,
            self.frames + other.frames,
            self.squares + other.squares,
        )

    def kad(self, without: int | None = None) -> float:
        """`kad` of the set, or of the set without one group."""
        kept = np.arange(GROUPS) != without
        n = self.frames[kept].sum()
        within = self.own[np.ix_(kept, kept)].sum() / (n**2 - self.squares[kept].sum())
        return SCALE * float(self.reference + within - 2 * self.cross[kept].sum() / n)

    def interval(self, level: float = 0.95) -> tuple[float, float] | None:
        """Same as `intervals.interval` of `kad`; `None` below four clips."""
        return jackknife(self.kad, self.clips[self.clips > 0], level)


def kad_interval(
    reference: KernelReference, clips: Sequence[Frames], seed: int, level: float = 0.95
) -> tuple[float, float] | None:
    """Same as `intervals.interval` of `kad` over these clips, but faster; `None` below four clips."""
    return KernelSums.of(reference, clips, assign(len(clips), seed)).interval(level)


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
            size = min(_BLOCK, wanted - n)
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


def median_distance(frames: Array) -> float:
    """The lower median of the distances between all pairs of frames, exact, in one pass.

    A sample of pairs brackets the median; distances below the bracket are only counted, those in
    it are kept, so that memory is a few per cent of the pairs.

    Raises:
        UsageError: fewer than two frames.
    """
    n = len(frames)
    if n < 2:
        raise UsageError("there is 1 frame; a distance needs at least 2")
    rank = (n * (n - 1) // 2 - 1) // 2  # of the lower median among the pairs in order, from 0
    for low, high in (_bracket(frames), (-np.inf, np.inf)):
        below, inside = 0, []
        for values in _pairwise(frames):
            below += int(np.count_nonzero(values < low))
            inside.append(values[(values >= low) & (values <= high)])
        kept = np.concatenate(inside)
        if below <= rank < below + len(kept):
            break
    return float(np.sqrt(max(0.0, np.partition(kept, rank - below)[rank - below])))


def pair_sums(first: Array, first_sizes: Sizes, second: Array, second_sizes: Sizes, bandwidth: float) -> Array:
    """Sum of k over all pairs of frames of two clips, for every two clips; shape (clips, clips)."""
    sums = np.empty((len(first_sizes), len(second_sizes)))
    for i, rows, tops in _spans(first_sizes):
        for j, columns, lefts in _spans(second_sizes):
            sums[i, j] = _clip_sums(first[rows], tops, second[columns], lefts, bandwidth)
    return sums


def _clip_sums(first: Array, tops: Sizes, second: Array, lefts: Sizes, bandwidth: float) -> Array:
    """Sum of k over all pairs of frames of two clips, given the first frame of each clip."""
    sums: Array = np.add.reduceat(np.add.reduceat(_kernel(first, second, bandwidth), tops, axis=0), lefts, axis=1)
    return sums


def _mean_to(reference: KernelReference, frames: Array) -> Array:
    """Mean of k of each frame to the frames of the reference, shape (frames,)."""
    blocks = np.split(reference.frames, range(_BLOCK, len(reference.frames), _BLOCK))
    total: Array = sum(
        (_kernel(block, frames, reference.bandwidth).sum(axis=0) for block in blocks), np.zeros(len(frames))
    )
    return total / len(reference.frames)


def _kernel(first: Array, second: Array, bandwidth: float) -> Array:
    scale = 1 / (bandwidth * np.sqrt(2))
    exponents = _squared_distances(first * scale, second * scale)
    np.negative(exponents, out=exponents)
    return np.exp(exponents, out=exponents)


def _squared_distances(first: Array, second: Array) -> Array:
    """Squared distances, shape (first, second), by one matrix product with the squared norms as extra dimensions."""
    one, two = np.ones((len(first), 1)), np.ones((len(second), 1))
    first_norms = np.einsum("ij,ij->i", first, first)[:, np.newaxis]
    second_norms = np.einsum("ij,ij->i", second, second)[:, np.newaxis]
    left = np.concatenate([first, first_norms, one], axis=1)
    distances: Array = left @ np.concatenate([-2 * second, two, second_norms], axis=1).T
    return distances


def mean_within(frames: Array, sizes: Sizes, bandwidth: float) -> float:
    """Mean of k over all pairs of frames from different clips of a set."""
    if len(sizes) < 2:
        raise UsageError("there is 1 clip (or frame); an unbiased distance needs at least 2")
    spans = list(_spans(sizes))
    total = 0.0
    for i, (clips, rows, starts) in enumerate(spans):
        block = _kernel(frames[rows], frames[rows], bandwidth)
        own = zip(starts, starts + sizes[clips], strict=True)
        total += float(block.sum()) - sum(float(block[a:b, a:b].sum()) for a, b in own)
        for _, columns, _ in spans[i + 1 :]:
            total += 2 * float(_kernel(frames[rows], frames[columns], bandwidth).sum())
    return total / float(len(frames) ** 2 - np.square(sizes).sum())


def mean_between(first: Array, second: Array, bandwidth: float) -> float:
    """Mean of k over all pairs of a frame of the first set and a frame of the second."""
    total = sum(
        float(_kernel(first[i : i + _BLOCK], second[j : j + _BLOCK], bandwidth).sum())
        for i in range(0, len(first), _BLOCK)
        for j in range(0, len(second), _BLOCK)
    )
    return total / (len(first) * len(second))


def _spans(sizes: Sizes) -> Iterator[tuple[slice, slice, Sizes]]:
    """Blocks of whole clips: the clips, their frames, and the offset of each clip in the block."""
    ends = np.cumsum(sizes)
    first, start = 0, 0
    while first < len(sizes):
        last = max(first + 1, int(np.searchsorted(ends, start + _BLOCK, side="right")))
        yield (
            slice(first, last),
            slice(start, int(ends[last - 1])),
            ends[first:last] - sizes[first:last] - start,
        )
        first, start = last, int(ends[last - 1])


def _pairwise(frames: Array) -> Iterator[Array]:
    """Squared distances of all pairs of different frames, once each, block by block."""
    for top in range(0, len(frames), _BLOCK):
        rows = frames[top : top + _BLOCK]
        within = _squared_distances(rows, rows)
        yield within[~np.tri(len(rows), dtype=np.bool_)]
        for left in range(top + _BLOCK, len(frames), _BLOCK):
            yield _squared_distances(rows, frames[left : left + _BLOCK]).ravel()


def _bracket(frames: Array) -> tuple[float, float]:
    """Bounds that contain the median squared distance almost surely: 8 standard errors on either side."""
    if len(frames) < 2 * _BLOCK:  # few enough to keep all pairs
        return -np.inf, np.inf
    first, second = np.random.default_rng(0).integers(0, len(frames), size=(2, 20, 1000))
    squared = [np.square(frames[a] - frames[b]).sum(axis=1) for a, b in zip(first, second, strict=True)]
    low, high = np.quantile(np.stack(squared)[first != second], [0.47, 0.53])
    return float(low), float(high)
