"""Fréchet audio distance: how far apart are two sets of sounds, modelled as Gaussians?

    FAD = |mean1 - mean2|² + tr S1 + tr S2 - 2 ‖F1 F2'‖*,    S = F'F

The nuclear norm (sum of singular values) of the product of factors replaces the trace of the matrix
square root; the two are equal (Dowson and Landau 1982). Everything is computed in float64; values
are never complex or negative, and no constant is added to any diagonal.

Sources: Kilgour et al., "Fréchet Audio Distance" (2019); Gui et al., "Adapting Fréchet Audio
Distance for Generative Music Evaluation" (2024) for the extrapolation to infinite data; Chong and
Forsyth, "Effectively Unbiased FID" (2020) for why the bias is linear in 1/n.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from innerear.distance.intervals import assign, jackknife
from innerear.distance.moments import Array, Frames, Gaussian, Moments, as_frames, moments_of, stack
from innerear.errors import UsageError

_EPS = float(np.finfo(np.float64).eps)


def frechet_distance(reference: Gaussian | Frames, frames: Gaussian | Moments | Frames) -> float:
    """Fréchet distance between two sets of frames of shape (frames, dims), at least 0.

    Pass a reference that is used more than once as `Gaussian.of(frames)`.

    Raises:
        UsageError: fewer than two frames in a set, different dims, NaN or infinity.
    """
    first = reference if isinstance(reference, Gaussian) else Gaussian.of(reference)
    second = frames if isinstance(frames, Gaussian) else Gaussian.of(frames)
    _check_dims(first, second.dims)
    step = first.mean - second.mean
    overlap = _nuclear_norm(_product(first.factor, second.factor))
    return max(0.0, float(step @ step) + first.trace + second.trace - 2 * overlap)


def per_clip(reference: Gaussian, clips: Sequence[Frames]) -> list[float | None]:
    """Distance of each single clip to the reference; `None` for a clip of one frame.

    Raises:
        UsageError: see `frechet_distance`.
    """
    distances = []
    for clip in clips:
        frames = as_frames(clip)
        _check_dims(reference, frames.shape[1])
        distances.append(frechet_distance(reference, frames) if len(frames) > 1 else None)
    return distances


@dataclass(frozen=True)
class FadInf:
    """The distance extrapolated to infinite data, and the spread of its repeats.

    `value` is nearly unbiased, so if the true distance is 0 it is negative half of the time. `spread`:
    standard deviation of the repeats, one per random split into halves.
    """

    value: float
    spread: float
    repeats: tuple[float, ...]


def fad_inf(
    reference: Gaussian | Frames | Sequence[Frames],
    clips: Frames | Sequence[Frames],
    seed: int,
    repeats: int = 2,
) -> FadInf:
    """Fréchet distance without small-sample bias: Richardson extrapolation over disjoint halves.

    The bias falls as 1/n, so 2 FAD(n) - FAD(n/2) removes it to first order. With fewer frames than
    about four times the dims this does not hold, and the value can be off by half of the bias (see
    docs/metrics-alone.md). Halves are drawn without replacement; if `clips` is a list, they consist of
    whole clips, because frames of a clip are not independent. A reference given as frames or clips is
    halved as well, which removes its bias too; a `Gaussian` is treated as exact.

    Raises:
        UsageError: fewer than four clips (or frames) on a side that is halved.
    """
    rng = np.random.default_rng(seed)
    sets = [_Halves(clips)] if isinstance(reference, Gaussian) else [_Halves(reference), _Halves(clips)]
    fixed = [reference] if isinstance(reference, Gaussian) else []
    whole = frechet_distance(*fixed, *(split.whole for split in sets))
    values = []
    for _ in range(repeats):
        halves = zip(*(split.draw(rng) for split in sets), strict=True)
        values.append(2 * whole - float(np.mean([frechet_distance(*fixed, *half) for half in halves])))
    spread = float(np.std(values, ddof=1)) if repeats > 1 else 0.0
    return FadInf(float(np.mean(values)), spread, tuple(values))


def fad_curve(
    reference: Gaussian, clips: Frames | Sequence[Frames], seed: int, steps: int = 25
) -> list[tuple[int, float]]:
    """Distances of growing, nested subsets as (frames, distance), for a plot over 1/n.

    The clips are shuffled once, and each subset is a prefix. The covariance is accumulated in the space
    of the reference's factor, so a subset costs one symmetric eigenvalue problem.

    Raises:
        UsageError: see `frechet_distance`.
    """
    frames, sizes = stack(clips)
    _check_dims(reference, frames.shape[1])
    ends = np.cumsum(sizes)
    order = np.random.default_rng(seed).permutation(len(sizes))
    frames = frames[np.concatenate([np.arange(ends[i] - sizes[i], ends[i]) for i in order])] - reference.mean
    ends = np.cumsum(sizes[order])
    first = int(np.searchsorted(ends, max(2, len(frames) // steps)))
    parts = np.unique(ends[np.linspace(first, len(ends) - 1, steps).round().astype(int)])
    seen = frames @ reference.factor.T
    energy = np.cumsum(np.square(frames).sum(axis=1))
    few = len(frames) <= seen.shape[1]
    products = seen @ seen.T if few else np.zeros((seen.shape[1], seen.shape[1]))
    curve, start = [], 0
    for n in (int(part) for part in parts):
        if few:
            centred = _centred(products[:n, :n])
        else:
            products += seen[start:n].T @ seen[start:n]
            centre = seen[:n].mean(axis=0)
            centred = products - n * np.outer(centre, centre)
            start = n
        mean = frames[:n].mean(axis=0)
        curve.append((n, _assembled(reference, n, mean, float(energy[n - 1]) - n * float(mean @ mean), centred)))
    return curve


def fad_interval(
    reference: Gaussian, clips: Sequence[Frames], seed: int, level: float = 0.95
) -> tuple[float, float] | None:
    """Same as `intervals.interval` of the distance over these clips, but faster; `None` below four clips.

    It covers FAD at this number of clips, including its bias; the reference is treated as fixed. Only
    sums per jackknife group are kept, so memory does not grow with the number of clips.

    Raises:
        UsageError: see `frechet_distance`.
    """
    groups = assign(len(clips), seed)
    mean = moments_of(clips).mean
    _check_dims(reference, len(mean))
    sizes, sums, energy, seen = [], [], [], []
    few = sum(map(len, clips)) <= len(reference.factor)
    for group in range(max(groups) + 1):
        rows = np.concatenate([clip for clip, own in zip(clips, groups, strict=True) if own == group]) - mean
        sizes.append(len(rows))
        sums.append(rows.sum(axis=0))
        energy.append(np.square(rows).sum())
        projected = rows @ reference.factor.T
        seen.append(projected if few else projected.T @ projected)
    n, owner = np.array(sizes), np.repeat(np.arange(len(sizes)), sizes)
    points = np.concatenate(seen) if few else None
    products = points @ points.T if points is not None else np.sum(seen, axis=0)

    def without(group: int | None) -> float:
        kept = np.arange(len(n)) != group
        left = int(n[kept].sum())
        centre = np.array(sums)[kept].sum(axis=0) / left
        if few:
            frames = owner != group
            centred = _centred(products[np.ix_(frames, frames)])
        else:
            across = reference.factor @ centre
            others = products if group is None else products - seen[group]
            centred = others - left * np.outer(across, across)
        spread = float(np.array(energy)[kept].sum() - left * (centre @ centre))
        return _assembled(reference, left, mean - reference.mean + centre, spread, centred)

    return jackknife(without, np.bincount(groups), level)


def _centred(products: Array) -> Array:
    """Inner products of centred points, from those of the points themselves."""
    across = products.mean(axis=0)
    centred: Array = products - across - across[:, np.newaxis] + across.mean()
    return centred


def _assembled(reference: Gaussian, n: int, step: Array, spread: float, centred: Array) -> float:
    """Assemble the distance of n frames to a reference.

    `step`: difference of the means. `spread`: trace of the scatter matrix of the frames. `centred`: the
    scatter matrix (or the inner products) of the frames projected by the reference's factor.
    """
    overlap = float(np.sqrt(_eigenvalues(centred).clip(min=0) / (n - 1)).sum())
    return max(0.0, float(step @ step) + reference.trace + spread / (n - 1) - 2 * overlap)


class _Halves:
    """A set of clips as a whole, and random halves of it."""

    def __init__(self, clips: Frames | Sequence[Frames]) -> None:
        self.frames, sizes = stack(clips)
        if len(sizes) < 4:
            raise UsageError(f"there are {len(sizes)} clips; halving them needs at least 4")
        self.owner = np.repeat(np.arange(len(sizes)), sizes)
        self.n = len(sizes)
        self.whole = Gaussian.of(self.frames)

    def draw(self, rng: np.random.Generator) -> tuple[Gaussian, Gaussian]:
        first = np.zeros(self.n, dtype=bool)
        first[rng.permutation(self.n)[: self.n // 2]] = True
        chosen = first[self.owner]
        return Gaussian.of(self.frames[chosen]), Gaussian.of(self.frames[~chosen])


def _check_dims(reference: Gaussian, dims: int) -> None:
    if reference.dims != dims:
        raise UsageError(f"the reference has {reference.dims} dims, the set {dims}; wanted the same in both")


def _product(first: Array, second: Array) -> Array:
    """first @ second.T with the taller factor on the left."""
    return first @ second.T if len(first) >= len(second) else second @ first.T


def _eigenvalues(symmetric: Array) -> Array:
    from scipy.linalg import eigvalsh

    values: Array = eigvalsh(symmetric, driver="evr", check_finite=False)
    return values


def _nuclear_norm(matrix: Array) -> float:
    """Sum of the singular values of a matrix with at least as many rows as columns.

    Square roots of the eigenvalues of M'M are cheaper than singular values and as accurate, unless
    small ones matter. The error of an eigenvalue is at most about eps times the largest, which bounds
    the error of the sum (observed errors are below a tenth of the bound). If the bound exceeds 1e-11 of
    the sum, or an eigenvalue may be lost in rounding, singular values are computed instead.
    """
    from scipy.linalg import svdvals

    if not matrix.size:
        return 0.0
    if matrix.shape[1] > 64:
        values = _eigenvalues(matrix.T @ matrix)
        noise = _EPS * values[-1]
        if values[0] > 1000 * noise:
            total = float(np.sqrt(values).sum())
            if noise * float(np.sqrt((1 / values).sum())) / 2 <= 1e-11 * total:
                return total
    return float(svdvals(matrix, check_finite=False).sum())
