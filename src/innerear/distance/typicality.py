"""How typical each sound is of the recordings of its class.

A sound's distance to the nearest recording of its class is compared with those between recordings.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from innerear.distance.sounds import Scale, Sounds, others

NEIGHBOURS = 3  # k of precision, density and coverage


@dataclass(frozen=True)
class Typicality:
    """How typical made sounds are of the recordings of their classes.

    `each`: for each made sound, the share of recordings that are at least as far from their nearest neighbour of
    another source, relative to the median of the class: 0 for a sound farther from all recordings than any of them is,
    about 0.5 on average for recordings. `nearest`: the name of the nearest recording of its class. `precision`: the
    share of made sounds within reach of a recording, which is its distance to its third neighbour; `density`: how many
    recordings reach a made sound, over how many would (1 for recordings; Naeem et al., "Reliable Fidelity and Diversity
    Metrics for Generative Models", ICML 2020). Both are means over classes; all are `None` or empty if no class has
    both recordings of `NEIGHBOURS` + 1 sources and sounds.
    """

    each: dict[str, float]
    nearest: dict[str, str]
    precision: float | None = None
    density: float | None = None
    by_class: dict[str, tuple[float, float]] = field(default_factory=dict)

    @property
    def mean(self) -> float | None:
        """The mean of `each`."""
        return float(np.mean(list(self.each.values()))) if self.each else None


def typicality(real: Sounds, made: Sounds, scale: Scale | None = None) -> Typicality:
    """How typical made sounds are of the recordings of their classes."""
    members = real.by_class_and_source()
    used = [name for name, sources in members.items() if len(sources) > NEIGHBOURS and name in set(made.classes)]
    if not used:
        return Typicality({}, {})
    scale = scale or Scale.of(real)
    real = real.at([i for i, name in enumerate(real.classes) if name in used])
    made = made.at([i for i, name in enumerate(made.classes) if name in used])
    within = np.sort(np.where(others(real, real), scale.distances_within_classes(real, real), np.inf), axis=1)
    across = scale.distances_within_classes(made, real)
    nearest, reach = within[:, 0], within[:, NEIGHBOURS - 1]
    typical = {name: float(np.median(nearest[np.array(real.classes) == name])) for name in used}
    known = np.sort(nearest / np.array([typical[name] for name in real.classes]))
    # A recording has one source fewer to be near to, so for a fair rank a made sound lacks one at random too.
    two = np.sort(across, axis=1)[:, :2]
    count = np.isfinite(across).sum(axis=1)
    far = ((count - 1) * two[:, 0] + np.where(np.isfinite(two[:, 1]), two[:, 1], two[:, 0])) / count
    far = far / np.array([typical[name] for name in made.classes])
    rank = 1 - np.searchsorted(known, far - 1e-12) / len(known)
    reached = across <= reach
    by_class = {}
    for name, sources in made.by_class_and_source().items():
        mine = [i for members in sources.values() for i in members]
        weights = made.balanced[mine]  # they sum to 1
        reaches = reached[mine]
        by_class[name] = float(weights @ reaches.any(axis=1)), float(weights @ reaches.sum(axis=1)) / NEIGHBOURS
    precision, density = np.mean(list(by_class.values()), axis=0).tolist()
    return Typicality(
        dict(zip(made.names, map(float, rank), strict=True)),
        {name: real.names[i] for name, i in zip(made.names, across.argmin(axis=1), strict=True)},
        precision, density, by_class,
    )  # fmt: skip
