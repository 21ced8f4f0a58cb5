"""Distances of a set from its parts, for sets that are too much for one worker.

Moments of frames add up, and so do sums of kernels over pairs. The parts are the groups of clips
that the jackknife leaves out, so that a value without a group is the sum of the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add

import numpy as np

from innerear.distance.frechet import frechet_distance
from innerear.distance.intervals import combined, groups
from innerear.distance.kernel import SCALE, KernelReference, centred, mean_between, mean_within
from innerear.distance.moments import Frames, Gaussian, Moments

Part = Sequence[Frames]
Distance = tuple[float, float, float]
"""A distance and its 95 % interval."""


def parts(clips: Sequence[Frames], seed: int) -> list[Part]:
    """The clips, each of shape (frames, dims), in the groups of the jackknife."""
    return [[clips[i] for i in group] for group in groups(len(clips), seed)]


def moments(part: Part) -> Moments:
    """The moments of all frames of a part."""
    return Moments.of(np.concatenate(part))


@dataclass(frozen=True)
class Sums:
    """Sums of the kernel over pairs of frames of one part.

    `own[i]` is with the i-th part from this one on, pairs within a clip left out; `cross` with the
    reference. `squares` is the sum of the clips' squared numbers of frames.
    """

    clips: int
    frames: int
    squares: int
    own: list[float]
    cross: float


def kernel_sums(reference: KernelReference, rest: Sequence[Part]) -> Sums:
    """The sums of the first of these parts, with itself and with those that follow."""
    frames, sizes = centred(reference, rest[0])
    pairs = len(frames) ** 2 - int(np.square(sizes).sum())
    own = [pairs * mean_within(frames, sizes, reference.bandwidth) if len(sizes) > 1 else 0.0]
    for other in rest[1:]:
        theirs, _ = centred(reference, other)
        own.append(len(frames) * len(theirs) * mean_between(frames, theirs, reference.bandwidth))
    cross = len(frames) * len(reference.frames) * mean_between(reference.frames, frames, reference.bandwidth)
    return Sums(len(sizes), len(frames), int(np.square(sizes).sum()), own, cross)


def fad(reference: Gaussian, found: Sequence[Moments], clips: Sequence[int]) -> Distance:
    """`frechet_distance` and `fad_interval` of the whole; `clips` are the numbers of clips of the parts.

    Raises:
        UsageError: other dims than the reference.
    """

    def distance(kept: Sequence[Moments]) -> float:
        return frechet_distance(reference, Gaussian.of(reduce(add, kept)))

    whole = distance(found)
    without = [distance([*found[:place], *found[place + 1 :]]) for place in range(len(found))]
    return (whole, *combined(whole, np.array(without), np.array(clips)))


def kad(reference: KernelReference, found: Sequence[Sums]) -> Distance:
    """`kad` and `kad_interval` of the whole."""
    n = len(found)
    own = np.zeros((n, n))
    for place, sums in enumerate(found):
        own[place, place:] = sums.own
        own[place:, place] = sums.own
    frames, squares, cross = (np.array([getattr(s, name) for s in found]) for name in ("frames", "squares", "cross"))

    def distance(kept: np.ndarray) -> float:
        count = int(frames[kept].sum())
        within = own[np.ix_(kept, kept)].sum() / (count**2 - int(squares[kept].sum()))
        between = cross[kept].sum() / (count * len(reference.frames))
        return SCALE * float(reference.within + within - 2 * between)

    whole = distance(np.arange(n))
    without = [distance(np.delete(np.arange(n), place)) for place in range(n)]
    return (whole, *combined(whole, np.array(without), np.array([s.clips for s in found])))
