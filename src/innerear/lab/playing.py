"""Verify the check `instrument` on notes that are played in other ways than plainly held.

A note of the fit is played as a tremolo, a crescendo, a decrescendo or a glissando, and judged by a fit without any
sound of its instrument or soundfont. Wrong sounds are notes of other families, played in the same way.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from innerear.clip import Clip
from innerear.lab import sounds as make
from innerear.lab.identity import Ears, Fit, Item
from innerear.lab.movement import gain
from innerear.lab.tools import Rng, seeded
from innerear.metrics.identity import Ear
from innerear.metrics.verified import Cell, Verified

FAMILIES = {"tremolo": "guitar", "crescendo": "reed", "decrescendo": "organ", "glissando": "brass"}
"""What the suite asks to be played in each way."""
TRIALS = 60  # right sounds of each way, and as many wrong ones
LEAST_S, MOST_S = 1.0, 3.0
SINGLE = re.compile(r"notes/|[^/]+/\d+/[0-3]$")  # keys of items that are one note


def verify(items: Sequence[Item], fits: Mapping[Ear, Fit], ears: Ears, version: int) -> dict[str, Verified]:
    """Results by variant, such as `instrument:reed in crescendo`, for both ears and each ear alone."""
    fold = {item.source: int(turn) for item, turn in zip(items, fits["both"].folds, strict=True)}
    passed: dict[str, dict[str, list[bool]]] = {}
    for way, family in FAMILIES.items():
        for item in trials(items, way):
            heard = ears(item)
            column = "real" if item.name == family else "kind"
            for ear, one in fits.items():
                name = f"instrument:{family} in {way}" + ("" if ear == "both" else f" by {ear}")
                found = one.left_out[fold[item.source]].judge(heard.features(ear, "instrument")).passes(family)
                passed.setdefault(name, {}).setdefault(column, []).append(found)
    return {
        name: Verified(version, {column: Cell(sum(some), len(some)) for column, some in columns.items()})
        for name, columns in passed.items()
    }


def trials(items: Sequence[Item], way: str) -> Iterator[Item]:
    """Notes of the family that is played in this way, then as many of other families."""
    single = [item for item in items if item.column == "real" and SINGLE.match(item.key)]
    for right in (True, False):
        mine = [item for item in single if (item.name == FAMILIES[way]) is right]
        for place in sorted(seeded("playing", way, right).permutation(len(mine))[:TRIALS]):  # programs are played whole
            item, rng = mine[place], seeded("playing", way, mine[place].key)
            if (clip := played(item.make(), way, rng)) is not None:
                yield Item(f"{way}/{item.key}", item.name, item.source, item.column, lambda clip=clip: clip)  # type: ignore[misc]


def played(note: Clip, way: str, rng: Rng) -> Clip | None:
    """The note played in this way; `None` if it is shorter than a second."""
    samples = make.from_onset(note.at(make.SAMPLE_RATE).astype(np.float64))
    samples = samples[: round(MOST_S * make.SAMPLE_RATE)]
    if len(samples) < LEAST_S * make.SAMPLE_RATE:
        return None
    if way == "tremolo":
        return make.clip(_strokes(samples, rng))
    if way == "glissando":
        speed = 2 ** np.linspace(0, float(rng.choice([-1, 1])), len(samples))
        place = np.cumsum(speed) - speed[0]
        samples = np.interp(place[place < len(samples)], np.arange(len(samples)), samples)
    else:
        rise = np.linspace(0, 1, len(samples))
        samples = samples * gain(rise if way == "crescendo" else 1 - rise, float(rng.uniform(14, 32)))
    return make.clip(make.edges(samples, 0.01, 0.05))


def _strokes(samples: make.Floats, rng: Rng) -> make.Floats:
    """Eight to twelve strokes per second, every other one up to 3 dB softer, each ringing for one to three strokes."""
    rate_hz, softer_db, held = rng.uniform(8, 12), rng.uniform(0, 3), rng.uniform(0.9, 3)
    stroke = make.edges(samples[: round(held / rate_hz * make.SAMPLE_RATE)], 0, 0.02)
    times = np.arange(0, MOST_S - 0.05, 1 / rate_hz)
    levels = 10 ** (-(softer_db * (np.arange(len(times)) % 2) + rng.uniform(0, 1, len(times))) / 20)
    return make.mix([(float(at), stroke * level) for at, level in zip(times, levels, strict=True)], MOST_S)
