"""Is it always the same sound? How different the attempts at a probe are, on the scale of recordings of a class.

- **Vendi score** (Friedman and Dieng, "The Vendi Score", TMLR 2023): how many different sounds there effectively are,
  from 1 (copies) to n. The kernel is exp(-d² / 2σ²), where σ is the median distance between recordings of one class
  from different sources, so a pair of recordings counts the same in every space.
- **Spread**: mean distance between attempts over that between recordings of a class; 0 for copies, 1 for recordings.
- **Coverage** (Naeem et al. 2020): the share of recordings that have a made sound of their class within reach, which
  is the distance to their third neighbour.
- **Near copies**: sounds closer to another of their group than `NEAR_COPY` of σ.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from innerear.distance.moments import Array
from innerear.distance.realism import SEED
from innerear.distance.sounds import Scale, Sounds, others
from innerear.distance.typicality import NEIGHBOURS
from innerear.errors import UsageError
from innerear.stats import bootstrap

FEWEST = 3  # sounds in a group
NEAR_COPY = 0.35  # of the median distance between recordings
DRAWS = 20  # of recordings, for the ceiling


def vendi(kernel: Array) -> float:
    """The Vendi score of a kernel matrix with ones on its diagonal: exp of the entropy of its eigenvalues over n.

    >>> round(vendi(np.eye(4)), 6), round(vendi(np.ones((4, 4))), 6)
    (4.0, 1.0)
    """
    shares = np.linalg.eigvalsh(kernel / len(kernel))
    shares = shares[shares > 1e-12]
    return float(np.exp(-(shares * np.log(shares)).sum()))


@dataclass(frozen=True)
class Diversity:
    """How different the sounds of each group (a probe's attempts) are; means over groups, with 95 % intervals.

    `vendi_real`: the Vendi score of as many recordings of one class from different sources. `each`: the Vendi score
    of each group. `copies`: pairs of names that are near copies. All are `None` with a `reason` if no group has three
    sounds.
    """

    vendi: float | None
    vendi_low: float | None = None
    vendi_high: float | None = None
    vendi_real: float | None = None
    spread: float | None = None
    spread_low: float | None = None
    spread_high: float | None = None
    coverage: float | None = None
    near_copies: int = 0
    copies: list[tuple[str, str]] = field(default_factory=list)
    groups: int = 0
    sounds: int = 0
    each: dict[str, float] = field(default_factory=dict)
    reason: str = ""


def diversity(made: Sounds, real: Sounds, scale: Scale | None = None, seed: int = SEED) -> Diversity:
    """How different the sounds of each source (probe) are from one another.

    Raises:
        UsageError: no class has recordings of two sources.
    """
    groups: dict[str, list[int]] = {}
    for i, source in enumerate(made.sources):
        groups.setdefault(source, []).append(i)
    groups = {name: members for name, members in groups.items() if len(members) >= FEWEST}
    if not groups:
        return Diversity(
            None, sounds=len(made), reason=f"no probe has {FEWEST} attempts; `innerear run --attempts 5` makes five"
        )
    scale = scale or Scale.of(real)
    width = typical_distance(real, scale)
    scores, spreads, copies, near = {}, [], [], set()
    for name, members in groups.items():
        group = made.at(members)
        distances = scale.distances(group, group)
        np.fill_diagonal(distances, 0.0)
        scores[name] = vendi(similarity(distances, width))
        upper = np.triu_indices(len(group), 1)
        spreads.append(float(distances[upper].mean()) / width)
        for i, j in zip(*(side.tolist() for side in upper), strict=True):
            if distances[i, j] < NEAR_COPY * width:
                copies.append((group.names[i], group.names[j]))
                near |= {group.names[i], group.names[j]}
    names, values = list(scores), list(scores.values())
    vendi_low, vendi_high = bootstrap(values, names, np.mean) or (None, None)
    spread_low, spread_high = bootstrap(spreads, names, np.mean) or (None, None)
    return Diversity(
        float(np.mean(values)), vendi_low, vendi_high, _of_recordings(real, [*map(len, groups.values())], scale, seed),
        float(np.mean(spreads)), spread_low, spread_high, coverage(real, made, scale), len(near), copies,
        len(groups), sum(map(len, groups.values())), scores,
    )  # fmt: skip


def similarity(distances: Array, width: float) -> Array:
    """The kernel of the Vendi score, 1 for equal sounds and 0.61 at a distance of `width`."""
    return np.asarray(np.exp(-0.5 * (distances / width) ** 2))


def typical_distance(real: Sounds, scale: Scale) -> float:
    """The median distance between recordings of one class from different sources.

    Raises:
        UsageError: there are no such pairs, or they are at no distance.
    """
    distances = scale.distances_within_classes(real, real)[others(real, real)]
    if not len(distances) or not np.median(distances) > 0:
        raise UsageError("no class has different recordings of two sources, so there is no scale for diversity")
    return float(np.median(distances))


def coverage(real: Sounds, made: Sounds, scale: Scale) -> float | None:
    """The share of recordings, each class the same, with a made sound of their class within reach."""
    members = real.by_class_and_source()
    used = [name for name, sources in members.items() if len(sources) > NEIGHBOURS and name in set(made.classes)]
    if not used:
        return None
    real = real.at([i for i, name in enumerate(real.classes) if name in used])
    within = np.sort(np.where(others(real, real), scale.distances_within_classes(real, real), np.inf), axis=1)
    covered = (scale.distances_within_classes(real, made) <= within[:, [NEIGHBOURS - 1]]).any(axis=1)
    return float(real.balanced @ covered / real.balanced.sum())


def _of_recordings(real: Sounds, sizes: list[int], scale: Scale, seed: int) -> float | None:
    """The mean Vendi score of recordings of one class, as many as in the groups, each of another source."""
    width = typical_distance(real, scale)
    rng = np.random.default_rng(seed)
    classes = real.by_class_and_source()
    values = []
    for size in sizes:
        able = [sources for sources in classes.values() if len(sources) >= size]
        for _ in range(DRAWS if able else 0):
            sources = able[rng.integers(len(able))]
            chosen = [rng.choice(sources[name]) for name in rng.permutation(sorted(sources))[:size]]
            drawn = real.at(chosen)
            values.append(vendi(similarity(scale.distances(drawn, drawn), width)))
    return float(np.mean(values)) if values else None
