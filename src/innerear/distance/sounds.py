"""Sounds as vectors with their classes and sources: what realism and diversity are computed from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from innerear.distance.moments import Array
from innerear.errors import UsageError

Index = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Sounds:
    """Sounds as vectors, shape (n, dims), or (n, lengths, dims) if each is known cut to several lengths.

    `sources`: what sounds share that are not independent: a recording session, a speaker; for made sounds, the probe.
    `filled`: how many of the lengths each sound fills, the shortest first; all if not given. Two sounds are compared
    at the longest that both fill, so that a file's length gives nothing away.
    """

    vectors: Array
    classes: Sequence[str]
    sources: Sequence[str]
    names: Sequence[str]
    filled: Index | None = None

    @classmethod
    def of(
        cls, clips: Sequence[NDArray[Any]], classes: Sequence[str], sources: Sequence[str], names: Sequence[str]
    ) -> Sounds:
        """Sounds from the frames of each, shape (lengths it fills, dims), as embedders of levelled sounds give them."""
        filled = np.array([len(clip) for clip in clips], dtype=np.intp)
        vectors = np.zeros((len(clips), filled.max(initial=1), clips[0].shape[1] if clips else 0))
        for vector, clip in zip(vectors, clips, strict=True):
            vector[: len(clip)] = clip
        return cls(vectors, classes, sources, names, filled)

    def __post_init__(self) -> None:
        if len({len(self.vectors), len(self.classes), len(self.sources), len(self.names)}) != 1:
            raise UsageError(
                f"{len(self.vectors)} vectors have {len(self.classes)} classes, {len(self.sources)} sources and "
                f"{len(self.names)} names; each needs one of each"
            )

    def __len__(self) -> int:
        return len(self.names)

    def at(self, chosen: Sequence[int] | NDArray[np.intp] | NDArray[np.bool_]) -> Sounds:
        """These of the sounds, by index or mask."""
        chosen = np.asarray(chosen)
        index = np.flatnonzero(chosen) if chosen.dtype == bool else chosen.astype(np.intp)
        classes, sources, names = ([column[i] for i in index] for column in (self.classes, self.sources, self.names))
        filled = None if self.filled is None else self.filled[index]
        return Sounds(self.vectors[index], classes, sources, names, filled)

    @property
    def cuts(self) -> Array:
        """The vectors as (n, lengths, dims)."""
        return self.vectors if self.vectors.ndim == 3 else self.vectors[:, np.newaxis]

    @property
    def lengths(self) -> Index:
        """How many lengths each sound fills."""
        return np.full(len(self), self.cuts.shape[1]) if self.filled is None else self.filled

    @property
    def balanced(self) -> Array:
        """Weights by which each class counts the same, each source of a class, and each sound of a source."""
        weights = np.zeros(len(self))
        for of_class in self.by_class_and_source().values():
            for indices in of_class.values():
                weights[indices] = 1 / (len(of_class) * len(indices))
        return weights

    def by_class_and_source(self) -> dict[str, dict[str, list[int]]]:
        """The indices of the sounds of each source of each class."""
        members: dict[str, dict[str, list[int]]] = {}
        for i, (name, source) in enumerate(zip(self.classes, self.sources, strict=True)):
            members.setdefault(name, {}).setdefault(source, []).append(i)
        return members


@dataclass(frozen=True, eq=False)
class Scale:
    """Scales the dimensions of vectors by recordings, so that those in which recordings differ count alike.

    `deviation` is at least its mean over the dimensions: in one that recordings hardly use, such as most of YAMNet's,
    a made sound would otherwise be at any distance.
    """

    mean: Array  # (lengths, dims)
    deviation: Array

    @classmethod
    def of(cls, real: Sounds) -> Scale:
        """By the mean and deviation over recordings at each length, each class the same."""
        scales = []
        for length in range(real.cuts.shape[1]):
            fill = real.at(real.lengths > length)
            weights = fill.balanced / max(fill.balanced.sum(), 1e-9)
            mean = weights @ fill.cuts[:, length]
            deviation = np.sqrt(weights @ (fill.cuts[:, length] - mean) ** 2)
            scales.append((mean, np.maximum(deviation, max(float(deviation.mean()), 1e-9))))
        return cls(*(np.array(values) for values in zip(*scales, strict=True)))

    def distances(self, first: Sounds, second: Sounds) -> Array:
        """Root-mean-square differences in deviations, at the longest length of each pair, shape (first, second)."""
        from scipy.spatial.distance import cdist

        shared = longest(first, second)
        found = np.zeros(shared.shape)
        for length in np.unique(shared).tolist():
            here = [np.flatnonzero(side.lengths > length) for side in (first, second)]
            scaled = [
                (side.cuts[fill, length] - self.mean[length]) / self.deviation[length]
                for side, fill in zip((first, second), here, strict=True)
            ]
            found[np.ix_(*here)] = cdist(*scaled)  # longer ones are overwritten
        return np.asarray(found / np.sqrt(self.mean.shape[1]))

    def distances_within_classes(self, first: Sounds, second: Sounds) -> Array:
        """The `distances` of the pairs of one class; those of other pairs are infinite, and cost nothing."""
        found = np.full((len(first), len(second)), np.inf)
        for name in dict.fromkeys(first.classes):
            here = [np.flatnonzero([own == name for own in side.classes]) for side in (first, second)]
            if len(here[1]):
                sides = (side.at(chosen) for side, chosen in zip((first, second), here, strict=True))
                found[np.ix_(*here)] = self.distances(*sides)
        return found


def longest(first: Sounds, second: Sounds) -> Index:
    """The index of the longest length that both sounds of each pair fill, shape (first, second)."""
    return np.minimum.outer(first.lengths, second.lengths) - 1


def others(first: Sounds, second: Sounds) -> NDArray[np.bool_]:
    """Which pairs are of one class and of different sources, shape (first, second)."""
    classes: Any = np.equal.outer(np.array(first.classes), np.array(second.classes))
    sources: Any = np.equal.outer(np.array(first.sources), np.array(second.sources))
    return np.asarray(classes & ~sources)
