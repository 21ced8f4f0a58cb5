"""Distances of a set from sums over its parts, for sets too large for one worker.

Moments of frames add up, and so do kernel sums over pairs. The parts are the groups that the jackknife
leaves out, so leaving one out means summing the others.
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
    """Split clips, each of shape (frames, dims), into the groups of the jackknife."""
    return [[clips[i] for i in group] for group in groups(len(clips), seed)]


def moments(part: Part) -> Moments:
    """Moments of all frames of a part."""
    return Moments.of(np.concatenate(part))


@dataclass(frozen=True)
class Sums:
    """Kernel sums over pairs of frames of one part.

    `own[i]`: with the i-th part counted from this one, without pairs within a clip. `cross`: with the
    reference. `squares`: sum over clips of the squared number of frames.
    """

    clips: int
    frames: int
    squares: int
    own: list[float]
    cross: float


def kernel_sums(reference: KernelReference, rest: Sequence[Part]) -> Sums:
    """Kernel sums of the first part with itself and with each following part."""
    frames, sizes = centred(reference, rest[0])
    pairs = len(frames) ** 2 - int(np.square(sizes).sum())
    own = [pairs * mean_within(frames, sizes, reference.bandwidth) if len(sizes) > 1 else 0.0]
    for other in rest[1:]:
        other_frames, _ = centred(reference, other)
        own.append(len(frames) * len(other_frames) * mean_between(frames, other_frames, reference.bandwidth))
    cross = len(frames) * len(reference.frames) * mean_between(reference.frames, frames, reference.bandwidth)
    return Sums(len(sizes), len(frames), int(np.square(sizes).sum()), own, cross)


def fad(reference: Gaussian, found: Sequence[Moments], clips: Sequence[int]) -> Distance:
    """`frechet_distance` and `fad_interval` of the whole set; `clips`: number of clips per part.

    Raises:
        UsageError: the dims differ from the reference's.
    """

    def distance(kept: Sequence[Moments]) -> float:
        return frechet_distance(reference, Gaussian.of(reduce(add, kept)))

    whole = distance(found)
    without = [distance([*found[:i], *found[i + 1 :]]) for i in range(len(found))]
    return (whole, *combined(whole, np.array(without), np.array(clips)))


def kad(reference: KernelReference, found: Sequence[Sums]) -> Distance:
    """`kad` and `kad_interval` of the whole set."""
    n = len(found)
    own = np.zeros((n, n))
    for i, sums in enumerate(found):
        own[i, i:] = sums.own
        own[i:, i] = sums.own
    frames, squares, cross = (np.array([getattr(s, name) for s in found]) for name in ("frames", "squares", "cross"))

    def distance(kept: np.ndarray) -> float:
        count = int(frames[kept].sum())
        within = own[np.ix_(kept, kept)].sum() / (count**2 - int(squares[kept].sum()))
        between = cross[kept].sum() / (count * len(reference.frames))
        return SCALE * float(reference.within + within - 2 * between)

    whole = distance(np.arange(n))
    without = [distance(np.delete(np.arange(n), i)) for i in range(n)]
    return (whole, *combined(whole, np.array(without), np.array([s.clips for s in found])))
