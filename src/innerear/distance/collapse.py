"""Does the sound depend on what was asked? Spread between probes against spread within a probe.

A model that answers every probe with much the same sound can stand at a fair distance from a
reference. Each clip is taken as the mean of its frames; spreads are variances summed over the
dimensions, as in a one-way analysis of variance with random effects (Searle, Casella and
McCulloch 1992, ch. 3).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from innerear.distance.moments import Array, Frames, as_frames


@dataclass(frozen=True)
class Collapse:
    """How varied a set of sounds is, and by what.

    `share`: between / (between + within), in [0, 1]; 0 says that the sound does not depend on the
    probe, 1 that attempts at one probe are all the same. `variety`: the spread of all clips over
    that of the reference's; 1 is as varied as the real thing, 0 is one sound. `None` where
    attempts do not repeat, where there is no reference, or for fewer than two probes.
    """

    between: float | None
    within: float | None
    share: float | None
    variety: float | None
    probes: int
    clips: int


def collapse(by_probe: Mapping[str, Sequence[Frames]], reference: Sequence[Frames] | None = None) -> Collapse:
    """The meter over the clips, each of shape (frames, dims), of each probe; probes without one are left out.

    Raises:
        UsageError: a clip is no array of finite frames.
    """
    groups = [_means(clips) for clips in by_probe.values() if len(clips)]
    sizes = np.array([len(group) for group in groups])
    n, probes = int(sizes.sum()), len(groups)
    if probes < 2:
        return Collapse(None, None, None, None, probes, n)
    every = np.concatenate(groups)
    variety = None
    if reference is not None and (real := _spread(_means(reference))) > 0:
        variety = _spread(every) / real
    if n == probes:
        return Collapse(_spread(every), None, None, variety, probes, n)
    centres = np.stack([group.mean(axis=0) for group in groups])
    within = sum(float(np.square(g - c).sum()) for g, c in zip(groups, centres, strict=True)) / (n - probes)
    of_centres = float(sizes @ np.square(centres - every.mean(axis=0)).sum(axis=1)) / (probes - 1)
    typical = (n - float(np.square(sizes).sum()) / n) / (probes - 1)
    between = max(0.0, (of_centres - within) / typical)
    share = between / (between + within) if between + within > 0 else None
    return Collapse(between, within, share, variety, probes, n)


def _means(clips: Sequence[Frames]) -> Array:
    return np.stack([as_frames(clip).mean(axis=0) for clip in clips])


def _spread(points: Array) -> float:
    """The variance summed over the dimensions; 0 for a single point."""
    if len(points) < 2:
        return 0.0
    return float(np.square(points - points.mean(axis=0)).sum() / (len(points) - 1))
