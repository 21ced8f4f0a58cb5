"""Mode collapse: does the sound depend on the probe? Variance between probes and within a probe.

A model that answers every probe with much the same sound can still get a fair distance to a
reference. Each clip is represented by the mean of its frames; variances are summed over dimensions,
as in a one-way random-effects analysis of variance (Searle, Casella and McCulloch 1992, ch. 3).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from innerear.distance.moments import Array, Frames, as_frames


@dataclass(frozen=True)
class Collapse:
    """Components of variance of a set of sounds.

    `share`: between / (between + within), in [0, 1]; 0 if the sound does not depend on the probe, 1 if
    all attempts at a probe are the same. `variety`: variance of all clips relative to the reference's;
    1 is as varied as real sounds, 0 is always the same sound. Values are `None` if there is only one
    attempt per probe, no reference, or fewer than two probes.
    """

    between: float | None
    within: float | None
    share: float | None
    variety: float | None
    probes: int
    clips: int


def collapse(by_probe: Mapping[str, Sequence[Frames]], reference: Sequence[Frames] | None = None) -> Collapse:
    """Compute the components of variance from each probe's clips, each of shape (frames, dims).

    Probes without clips are ignored.

    Raises:
        UsageError: a clip is not an array of finite frames.
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
