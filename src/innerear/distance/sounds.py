"""Sounds as vectors with their classes and sources: what realism and diversity are computed from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from innerear.distance.moments import Array
from innerear.errors import UsageError


@dataclass(frozen=True, eq=False)
class Sounds:
    """Sounds as vectors, shape (n, dims): the frames of a levelled sound, or their mean.

    `sources`: what sounds share that are not independent: a recording session, a speaker; for made sounds, the probe.
    """

    vectors: Array
    classes: Sequence[str]
    sources: Sequence[str]
    names: Sequence[str]

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
        return Sounds(self.vectors[index], classes, sources, names)

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

    mean: Array
    deviation: Array

    @classmethod
    def of(cls, real: Sounds) -> Scale:
        """By the mean and deviation over recordings, each class the same."""
        weights = real.balanced / real.balanced.sum()
        mean = weights @ real.vectors
        deviation = np.sqrt(weights @ (real.vectors - mean) ** 2)
        return cls(mean, np.maximum(deviation, max(float(deviation.mean()), 1e-9)))

    def distances(self, first: Sounds, second: Sounds) -> Array:
        """Root-mean-square differences in deviations, shape (first, second)."""
        from scipy.spatial.distance import cdist

        scaled = [(side.vectors - self.mean) / self.deviation for side in (first, second)]
        return np.asarray(cdist(*scaled) / np.sqrt(len(self.mean)))


def others(first: Sounds, second: Sounds) -> NDArray[np.bool_]:
    """Which pairs are of one class and of different sources, shape (first, second)."""
    classes: Any = np.equal.outer(np.array(first.classes), np.array(second.classes))
    sources: Any = np.equal.outer(np.array(first.sources), np.array(second.sources))
    return np.asarray(classes & ~sources)
