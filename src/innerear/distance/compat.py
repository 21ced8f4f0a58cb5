"""Distances with the conventions of fadtk and kadtk, for comparison with published numbers.

They reproduce what changes the value (rounding, resampling, bandwidth), but not what only adds noise
(float32 covariances, square roots of products). Based on fadtk 1.1.0 (`fad.py`, `utils.py`, commit
ec74b1f) and kadtk 1.1.0 (`kad.py`, commit 8bda71d). Neither normalises loudness: embed with
`loudness="none"`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from innerear.distance.frechet import frechet_distance
from innerear.distance.kernel import SCALE, mean_between, mean_within, median_distance
from innerear.distance.moments import Frames, Gaussian, stack
from innerear.errors import UsageError

_KADTK_EPS = 1e-8


def fadtk_fad(reference: Sequence[Frames], clips: Sequence[Frames]) -> float:
    """FAD as in fadtk: embeddings and each clip's mean are rounded to float16.

    Raises:
        UsageError: a clip of a single frame, for which fadtk returns NaN.
    """
    return frechet_distance(_fadtk_gaussian(reference), _fadtk_gaussian(clips))


def fadtk_fad_inf(
    reference: Sequence[Frames], clips: Sequence[Frames], seed: int, steps: int = 25, fewest: int = 500
) -> float:
    """FAD∞ as in fadtk: frames drawn with replacement, a line fitted to FAD over 1/n, from 500 to all frames.

    Drawing with replacement extrapolates to the distance of the given frames themselves, so nearly all
    of the bias remains; `frechet.fad_inf` removes it.
    """
    base = _fadtk_gaussian(reference)
    frames = np.concatenate([_half(clip) for clip in clips])
    rng = np.random.default_rng(seed)
    sizes = np.linspace(fewest, len(frames), steps).astype(int)
    values = []
    for n in sizes:
        drawn = frames[rng.integers(0, len(frames), n)]
        values.append(frechet_distance(base, _fadtk_gaussian([drawn])))
    return float(np.polyfit(1 / sizes, values, 1)[1])


def kadtk_kad(reference: Sequence[Frames] | Frames, clips: Sequence[Frames] | Frames) -> float:
    """KAD as in kadtk: float16 embeddings, the bandwidth of the *evaluated* set, every frame as its own clip.

    kadtk's README says that the bandwidth is the reference's; its code uses the other set's
    (github.com/YoonjinXD/kadtk/issues/9).
    """
    first, second = (_half(stack(frames)[0]).astype(np.float64) for frames in (reference, clips))
    centre = first.mean(axis=0)
    first, second = first - centre, second - centre
    # kadtk's kernel is exp(-d² / (2σ² + 1e-8)), ours exp(-d² / 2s²)
    bandwidth = float(np.sqrt(median_distance(second) ** 2 + _KADTK_EPS / 2))
    alone = [np.ones(len(frames), dtype=np.intp) for frames in (first, second)]
    within = mean_within(first, alone[0], bandwidth) + mean_within(second, alone[1], bandwidth)
    return SCALE * (within - 2 * mean_between(first, second, bandwidth))


def _half(clip: Frames) -> Frames:
    return np.asarray(clip, dtype=np.float16)


def _fadtk_gaussian(clips: Sequence[Frames]) -> Gaussian:
    """Gaussian of all frames, with each clip shifted to its mean rounded to float16."""
    moved = []
    for number, clip in enumerate(clips):
        frames = _half(clip)
        if len(frames) < 2:
            raise UsageError(f"clip {number} has 1 frame, for which fadtk returns NaN; at least 2 are needed")
        exact = frames.astype(np.float64)
        moved.append(exact - exact.mean(axis=0) + frames.mean(axis=0))
    return Gaussian.of(np.concatenate(moved))
