"""Fit the check `label` to recordings of the 50 environment classes, and verify it on them.

Usual levels and merges are computed from all recordings; a recording is classified with itself left out
of the usual levels. Two classes are merged if a quarter of their recordings are classified as the other,
the worst pair first, until there are none left.

Sounds that must fail: recordings of other classes; noise of five slopes from white to brown; pure tones
and clicks; silence.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from innerear.clip import Clip, read
from innerear.lab import sounds as make
from innerear.lab.sounds import Bank
from innerear.lab.tools import seeded, slope_noise
from innerear.metrics import classes as known
from innerear.metrics.classes import LEAST_LIFT, TOP, Class, LabelCheck
from innerear.metrics.verified import Cell, Verified

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]

TAKEN_FOR = 0.25  # share of two classes' recordings heard as the other, from which they are merged
SECONDS = 5.0
BARE_HZ = (82.0, 110.0, 165.0, 220.0, 330.0, 440.0, 660.0, 880.0, 1000.0, 1320.0, 2000.0, 3000.0)
SLOPES = (0.0, 0.5, 1.0, 1.5, 2.0)  # of noise: power goes as f^-slope


def strange() -> Iterator[tuple[str, Clip]]:
    """(column, sound) of what no class may pass."""
    for slope in SLOPES:
        for turn in range(2):
            yield "noise", slope_noise(slope, SECONDS, seeded("slope", slope, turn))
    for f0_hz in BARE_HZ:
        yield "bare tone", make.clip(make.edges(make.sine(f0_hz, SECONDS, seeded(f0_hz)), 0.005, 0.02))
    for rate_hz in (0.2, 1.0, 4.0):
        beats = [(float(t), make.click(seeded("click", rate_hz, t))) for t in np.arange(0.1, SECONDS, 1 / rate_hz)]
        yield "bare tone", make.clip(make.mix(beats, SECONDS))


def fit_and_verify(
    bank: Bank,
    hear: Callable[[Clip], Floats] = lambda clip: known.levels(known.listen(clip)),
    progress: Callable[[str, int, int], None] | None = None,
) -> tuple[list[Class], dict[str, Verified]]:
    """The table of classes, and how each does under its merged name.

    `hear` gives `metrics.classes.levels` of a clip.
    """
    names = [one.name for one in known.shipped()]
    files = [(names.index(name), path) for name in names for path in bank.environment.get(name, [])]
    heard = []
    for place, (_, path) in enumerate(files):
        heard.append(hear(read(path)))
        if progress:
            progress("recordings heard", place + 1, len(files))
    of, seen = np.array([place for place, _ in files]), np.stack(heard)
    lifts = left_out(seen, of)
    groups = merge(lifts, of)
    usual = [float(seen[of != place, place].mean()) for place in range(len(names))]
    columns: dict[str, list[Floats]] = {}
    for column, clip in strange():
        columns.setdefault(column, []).append(hear(clip) - np.array(usual))
    found, table = {}, []
    for group in groups:
        merged = "+".join(names[place] for place in group)
        right, said = np.isin(of, group), _said(lifts, group)
        cells = {
            "real": Cell(int(said[right].sum()), int(right.sum())),
            "kind": Cell(int(said[~right].sum()), int((~right).sum())),
        } | {column: Cell(int(_said(np.stack(sounds), group).sum()), len(sounds)) for column, sounds in columns.items()}
        note = f"{len(group)} classes that are taken for each other" if len(group) > 1 else ""
        found[f"label:{merged}"] = Verified(LabelCheck.version, cells | {"silence": Cell(0, 1)}, note)
        for place in group:
            mine = of == place
            better = (lifts[mine] > lifts[mine, place][:, None]).sum(axis=1)
            table.append(
                Class(
                    names[place], known.shipped()[place].audioset, usual[place], merged, int(mine.sum()),
                    float(said[mine].mean()), float(_said(lifts, [place])[mine].mean()), float(np.mean(better < TOP)),
                )
            )  # fmt: skip
    return sorted(table, key=lambda one: names.index(one.name)), found


def left_out(levels: Floats, of: Indices) -> Floats:
    """Lifts of recordings, each over what its other classes usually get from all others, shape (clips, classes)."""
    lifts = np.empty_like(levels)
    for place in range(levels.shape[1]):
        others = of != place
        total, n = levels[others, place].sum(), others.sum()
        usual = np.where(others, (total - levels[:, place]) / (n - 1), total / n)
        lifts[:, place] = levels[:, place] - usual
    return lifts


def _said(lifts: Floats, group: Sequence[int]) -> NDArray[np.bool_]:
    """Whether each sound is heard as one of these classes."""
    return np.asarray(np.isin(lifts.argmax(axis=1), group) & (lifts.max(axis=1) >= LEAST_LIFT))


def merge(lifts: Floats, of: Indices) -> list[list[int]]:
    """Classes in groups: the two that are most taken for each other become one, until few enough are."""
    groups = [[place] for place in range(lifts.shape[1])]
    while len(groups) > 1:
        said = [_said(lifts, group) for group in groups]
        right = [np.isin(of, group) for group in groups]
        taken = {
            (a, b): float((said[b][right[a]].mean() + said[a][right[b]].mean()) / 2)
            for a, b in combinations(range(len(groups)), 2)
        }
        a, b = max(taken, key=lambda pair: taken[pair])
        if taken[a, b] < TAKEN_FOR:
            break
        groups[a] = sorted(groups[a] + groups[b])
        del groups[b]
    return groups
