"""Number, mean and covariance of a set of frames: all that a Gaussian distance needs.

Frames are float arrays of shape (frames, dims), cast to float64 before summation. Covariances use the
divisor n - 1. Moments of shards add up to the moments of the whole, so a set may exceed memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, reduce
from operator import add
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from innerear.errors import UsageError

Array = NDArray[np.float64]
Frames = NDArray[np.floating[Any]]
"""Shape (frames, dims)."""
AT_ONCE = 10_000
"""Frames whose moments are computed at once."""


def as_frames(frames: Frames) -> Array:
    """Validate frames and convert them to float64.

    Raises:
        UsageError: not of shape (frames, dims), empty, or not finite.
    """
    array = np.asarray(frames, dtype=np.float64)
    if array.ndim != 2 or not array.size:
        raise UsageError(f"embeddings have the shape {array.shape}; expected (frames, dims), both at least 1")
    if not np.isfinite(array.sum()):  # one pass; finite embeddings do not overflow a float64 sum
        bad = np.flatnonzero(~np.isfinite(array).all(axis=1))
        raise UsageError(
            f"{len(bad)} of {len(array)} frames contain NaN or infinity, the first is frame {bad[0]}; "
            "embeddings must be finite"
        )
    return array


def stack(clips: Frames | Sequence[Frames]) -> tuple[Array, NDArray[np.intp]]:
    """Concatenate the frames of all clips; also returns the number of frames per clip.

    In a single array of shape (frames, dims), each frame counts as a clip.

    Raises:
        UsageError: no clips, clips of different dims, or a clip that `as_frames` refuses.
    """
    if isinstance(clips, np.ndarray):
        frames = as_frames(clips)
        return frames, np.ones(len(frames), dtype=np.intp)
    if not len(clips):
        raise UsageError("there are no clips; at least one is needed")
    arrays = [as_frames(clip) for clip in clips]
    if len({array.shape[1] for array in arrays}) != 1:
        raise UsageError(f"the clips have different dims: {sorted({array.shape[1] for array in arrays})}")
    return np.concatenate(arrays), np.array([len(array) for array in arrays])


@dataclass(frozen=True, eq=False)
class Moments:
    """Number, mean and scatter of a set of frames; `+` merges two sets.

    `body` is the smaller of two representations: the centred frames, (n, dims), if n <= dims; otherwise
    their scatter matrix, the sum of outer products, (dims, dims).
    """

    n: int
    mean: Array
    body: Array

    @classmethod
    def of(cls, frames: Frames) -> Moments:
        """Compute the moments of frames of shape (frames, dims).

        Raises:
            UsageError: see `as_frames`.
        """
        array = as_frames(frames)
        mean = array.mean(axis=0)
        copied = not np.may_share_memory(array, frames)  # by the cast, so it may be overwritten
        centred = np.subtract(array, mean, out=array if copied else None)
        return cls(len(array), mean, centred if len(array) <= array.shape[1] else centred.T @ centred)

    @property
    def dims(self) -> int:
        """The dimension of the embedding."""
        return len(self.mean)

    @property
    def scatter(self) -> Array:
        """The sum of outer products of the centred frames, shape (dims, dims)."""
        return self.body.T @ self.body if self.n <= self.dims else self.body

    def __add__(self, other: Moments) -> Moments:
        """Chan, Golub and LeVeque (1983), eq. 2.1."""
        if self.dims != other.dims:
            raise UsageError(f"the sets have {self.dims} and {other.dims} dims; use the same embedder for both")
        n = self.n + other.n
        step = other.mean - self.mean
        mean = self.mean + step * (other.n / n)
        if n <= self.dims:
            rows = [self.body + (self.mean - mean), other.body + (other.mean - mean)]
            return Moments(n, mean, np.concatenate(rows))
        between = np.outer(step, step) * (self.n * other.n / n)
        return Moments(n, mean, self.scatter + other.scatter + between)


def moments_of(clips: Sequence[Frames]) -> Moments:
    """Moments of all frames of clips, each of shape (frames, dims).

    About `AT_ONCE` frames at a time are cast to float64, so memory does not grow with the number of clips.
    """
    ends = np.cumsum([len(clip) for clip in clips])
    batches = np.split(np.arange(len(clips)), np.flatnonzero(np.diff((ends - 1) // AT_ONCE)) + 1)
    return reduce(add, (Moments.of(np.concatenate([clips[i] for i in batch])) for batch in batches))


@dataclass(frozen=True, eq=False)
class Gaussian:
    """A set of frames as a Gaussian: `mean` of shape (dims,), a factor of the covariance, and its trace.

    `factor`, of shape (rows, dims), satisfies `factor.T @ factor` = covariance. The covariance is not
    stored, because square roots of the eigenvalues of a product of covariances lose half of the digits;
    singular values of a product of factors do not.
    """

    n: int
    mean: Array
    factor: Array
    trace: float

    @classmethod
    def of(cls, frames: Frames | Moments) -> Gaussian:
        """Fit a Gaussian to frames of shape (frames, dims), or to their moments.

        Raises:
            UsageError: fewer than two frames, or see `as_frames`.
        """
        moments = frames if isinstance(frames, Moments) else Moments.of(frames)
        if moments.n < 2:
            raise UsageError("there is 1 frame; a covariance needs at least 2")
        if moments.n <= moments.dims:
            # A Householder reflection maps (1, ..., 1) to the first axis. Centred rows sum to 0, so the
            # first row becomes 0; the other n - 1 rows have full rank.
            factor = moments.body[1:] + moments.body[0] / (np.sqrt(moments.n) - 1)
            factor /= np.sqrt(moments.n - 1)
        else:
            factor = factor_of(moments.scatter / (moments.n - 1))
        return cls(moments.n, moments.mean, factor, float(np.square(factor).sum()))

    @classmethod
    def from_covariance(cls, mean: Array, covariance: Array, n: int) -> Gaussian:
        """Build a Gaussian from published statistics.

        Raises:
            UsageError: the shapes do not match, or the covariance is not symmetric.
        """
        mean, covariance = np.asarray(mean, dtype=np.float64), np.asarray(covariance, dtype=np.float64)
        if covariance.shape != (len(mean), len(mean)) or not np.allclose(covariance, covariance.T):
            raise UsageError(
                f"the covariance has the shape {covariance.shape}; expected a symmetric one of {len(mean)} dims"
            )
        factor = factor_of(covariance)
        return cls(n, mean, factor, float(np.square(factor).sum()))

    def save(self, path: Path | str) -> None:
        """Write it losslessly as an npz."""
        with Path(path).open("wb") as file:
            np.savez(file, n=self.n, mean=self.mean, factor=self.factor, trace=self.trace)

    @classmethod
    def load(cls, path: Path | str) -> Gaussian:
        """Read what `save` wrote.

        Raises:
            UsageError: the file is missing or is something else.
        """
        try:
            with Path(path).open("rb") as file, np.load(file, allow_pickle=False) as stored:
                return cls(int(stored["n"]), stored["mean"], stored["factor"], float(stored["trace"]))
        except Exception as error:
            raise UsageError(
                f"{path} does not contain a Gaussian ({error}); expected a file written by Gaussian.save"
            ) from error

    @property
    def dims(self) -> int:
        """The dimension of the embedding."""
        return len(self.mean)

    @cached_property
    def rank(self) -> int:
        """The numerical rank of the covariance, at most n - 1."""
        if self.n > self.dims:
            return len(self.factor)
        return len(factor_of(self.factor @ self.factor.T))


def factor_of(covariance: Array) -> Array:
    """A factor F of shape (rank, dims) with F'F = covariance, by Cholesky.

    If a dimension is a linear combination of others to within rounding, a pivoted Cholesky
    decomposition of the correlations drops it; nothing is added to the diagonal. Both are invariant to
    the scale of single dimensions.
    """
    from scipy.linalg import lapack

    variances = np.diagonal(covariance).clip(min=0)
    tolerance = len(variances) * np.finfo(np.float64).eps
    # The transpose of a symmetric matrix is the same matrix in LAPACK's memory order, so nothing is copied.
    upper, info = lapack.dpotrf(covariance.T, lower=0, clean=1)
    if info == 0 and (np.diagonal(upper) ** 2 > tolerance * variances).all():
        whole: Array = upper
        return whole
    alive = variances > 0
    scale = np.sqrt(variances[alive])
    factor = np.zeros((0, len(variances)))
    if len(scale):
        correlations = covariance[np.ix_(alive, alive)] / scale / scale[:, np.newaxis]
        upper, order, rank, _ = lapack.dpstrf(correlations, lower=0, tol=tolerance)
        kept = np.zeros((rank, len(scale)))
        kept[:, order - 1] = np.triu(upper)[:rank]
        factor = np.zeros((rank, len(variances)))
        factor[:, alive] = kept * scale
    return factor
