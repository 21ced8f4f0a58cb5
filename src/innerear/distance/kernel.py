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
_BLOCK = 512  # frames; a block of 512 x 512 float64 is 2 MB
_KEPT = 1 << 24  # pairs whose distances are kept from the median to the mean: 128 MB, of 5,792 frames


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
        frames = _minus(frames, mean, clips)
        squared = _kept(frames)
        bandwidth = median_distance(frames, squared)
        if bandwidth <= 0:
            raise UsageError(
                "half of the reference's pairs of frames are identical, so its bandwidth is 0; is it silence?"
            )
        return cls(frames, sizes, mean, bandwidth, mean_within(frames, sizes, bandwidth, squared))


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
    return _minus(frames, reference.mean, clips), sizes


def _minus(frames: Array, mean: Array, clips: Frames | Sequence[Frames]) -> Array:
    """Frames that `stack` made of these clips, less a mean: in place, unless they are the caller's."""
    theirs = isinstance(clips, np.ndarray) and np.may_share_memory(frames, clips)
    return np.subtract(frames, mean, out=None if theirs else frames)


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


def median_distance(frames: Array, squared: list[Array] | None = None) -> float:
    """The lower median of the distances between all pairs of frames, exact.

    A sample of pairs brackets the median, 8 standard errors on either side; distances below the bracket
    are only counted, so that few must be put in order.

    `squared`: their `_kept` distances, if there are any. Else they are computed block by block.

    Raises:
        UsageError: fewer than two frames.
    """
    n = len(frames)
    if n < 2:
        raise UsageError("there is 1 frame; a distance needs at least 2")
    squared, rng = _kept(frames) if squared is None else squared, np.random.default_rng(0)
    count = n * (n - 1) // 2
    if squared is None:
        first, second = rng.integers(0, n, size=(2, 20, 1000))
        apart = [np.square(frames[a] - frames[b]).sum(axis=1) for a, b in zip(first, second, strict=True)]
        sample = np.stack(apart)[first != second]
    else:
        sample = np.concatenate([rng.choice(some, 1 + 4_000 * len(some) // count) for some in squared if len(some)])
    reach = 4 / np.sqrt(len(sample))
    low, high = np.quantile(sample, [max(0.0, 0.5 - reach), min(1.0, 0.5 + reach)])
    rank = (count - 1) // 2  # of the lower median among the pairs in order, from 0
    for least, most in ((low, high), (-np.inf, np.inf)):
        below, inside = 0, []
        for some in _pairs(frames, 1.0) if squared is None else squared:
            for values in _pieces(some):
                below += int(np.count_nonzero(values < least))
                inside.append(values[(values >= least) & (values <= most)])
        kept = np.concatenate(inside)
        if 0 <= rank - below < len(kept):
            break
    return float(np.sqrt(max(0.0, np.partition(kept, rank - below)[rank - below])))


def _pieces(values: Array) -> Iterator[Array]:
    """Pieces of 512 kB, which a core's cache holds."""
    return (values[start : start + (1 << 16)] for start in range(0, len(values), 1 << 16))


def _kept(frames: Array) -> list[Array] | None:
    """The squared distances of all pairs of frames; `None` for more than `_KEPT` pairs."""
    return list(_pairs(frames, 1.0)) if len(frames) ** 2 <= 2 * _KEPT else None


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
    exponents = _apart(first, second, _factor(bandwidth))
    return np.exp(exponents, out=exponents)


def _factor(bandwidth: float) -> float:
    """What turns a squared distance into the exponent of the kernel."""
    return -1 / (2 * bandwidth**2)


def _apart(first: Array, second: Array, factor: float) -> Array:
    """Squared distances times a factor, shape (first, second), from one matrix product and the squared norms."""
    distances: Array = first @ second.T  # half the work if both are the same: NumPy has BLAS's syrk for that
    distances *= -2 * factor
    distances += factor * np.einsum("ij,ij->i", first, first)[:, np.newaxis]
    distances += factor * np.einsum("ij,ij->i", second, second)
    return distances


def mean_within(frames: Array, sizes: Sizes, bandwidth: float, squared: list[Array] | None = None) -> float:
    """Mean of k over all pairs of frames from different clips of a set.

    `squared`: their `_kept` distances, if there are any; overwritten.
    """
    if len(sizes) < 2:
        raise UsageError("there is 1 clip (or frame); an unbiased distance needs at least 2")
    factor = _factor(bandwidth)
    blocks = _pairs(frames, factor) if squared is None else (np.multiply(some, factor, out=some) for some in squared)
    total = sum(map(_sum_of_exponentials, blocks))
    starts = np.cumsum(sizes) - sizes
    for start, size in zip(starts[sizes > 1], sizes[sizes > 1], strict=True):
        total -= sum(map(_sum_of_exponentials, _pairs(frames[start : start + size], factor)))
    return 2 * total / float(len(frames) ** 2 - np.square(sizes).sum())


def _sum_of_exponentials(exponents: Array) -> float:
    """The sum; what it is of is overwritten."""
    return float(np.exp(exponents, out=exponents).sum())


def mean_between(first: Array, second: Array, bandwidth: float) -> float:
    """Mean of k over all pairs of a frame of the first set and a frame of the second."""
    side = _side(first)
    total = sum(
        float(_kernel(first[i : i + side], second[j : j + side], bandwidth).sum())
        for i in range(0, len(first), side)
        for j in range(0, len(second), side)
    )
    return total / (len(first) * len(second))


def _side(frames: Array) -> int:
    """How many frames a block has: of few dims fewer, for then the exponentials take the time, and the cache helps."""
    return _BLOCK if frames.shape[1] > 256 else _BLOCK // 2


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


def _pairs(frames: Array, factor: float) -> Iterator[Array]:
    """Squared distances of all pairs of different frames, once each, times a factor, block by block."""
    side = _side(frames)
    for left in range(0, len(frames), side):
        columns = frames[left : left + side]
        for top in range(0, left, side):
            yield _apart(frames[top : top + side], columns, factor).ravel()
        yield _apart(columns, columns, factor)[~np.tri(len(columns), dtype=np.bool_)]
