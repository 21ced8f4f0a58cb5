"""Fit the ranges of `plausibility`, and count recordings and other sounds within them."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from innerear.clip import Clip, read
from innerear.lab.classes import strange
from innerear.lab.instruments import FAMILY, OF_STRINGS
from innerear.lab.sounds import Bank
from innerear.metrics.plausibility import (
    LEAST_SHARE,
    MOST_SHARE,
    SHARES,
    WORDS,
    Plausibility,
    Range,
    Ranges,
    descriptors,
    unwarp,
    warp,
)
from innerear.reference.sets import held_back

Floats = NDArray[np.float64]

Z = 1.645  # of 5 and 95 % of a Gaussian
COMMON = 6.0  # recordings that the common spread weighs as much as


def fit(bank: Bank) -> Ranges:
    """Ranges of the recordings not held back; the shares inside of those held back, and of what is no such sound."""
    known: dict[str, list[Floats]] = {}
    held: dict[str, list[Floats]] = {}
    with ThreadPoolExecutor(2) as pool:
        for sort, is_held, found in pool.map(_described, _recordings(bank)):
            if found is not None:
                (held if is_held else known).setdefault(sort, []).append(found)
        strangers: dict[str, list[Floats]] = {}
        for column, row in pool.map(lambda one: (one[0], _axes(one[1])), strange()):
            if row is not None:
                strangers.setdefault(column, []).append(row)
    of = _ranges(known)
    inside: dict[str, dict[str, float]] = {}
    for tier, mine in (("environment", False), ("notes", True)):
        sorts = [sort for sort in of if sort.startswith("instrument:") == mine]
        right = [_inside(row, of[sort]) for sort in sorts for row in held.get(sort, [])]
        other = [_inside(row, of[sort]) for sort in sorts for one in sorts if one != sort for row in held.get(one, [])]
        inside[tier] = {"real": float(np.mean(right)), "other": float(np.mean(other))}
        for column, rows in strangers.items():
            inside[tier][column] = float(np.mean([_inside(row, of[sort]) for sort in sorts for row in rows]))
    return Ranges(
        Plausibility.version,
        {sort: len(rows) for sort, rows in known.items()},
        {sort: dict(zip(WORDS, map(_natural, WORDS, row), strict=True)) for sort, row in of.items()},
        {tier: {name: round(share, 3) for name, share in shares.items()} for tier, shares in inside.items()},
    )


def _recordings(bank: Bank) -> Iterator[tuple[str, bool, Path]]:
    held = {bank.path(file) for file in held_back(bank.rows)}
    for name, paths in bank.environment.items():
        for path in paths:
            yield name, path in held, path
    for name, notes in [*bank.real.items(), *bank.rendered.items()]:
        family = "string" if name in OF_STRINGS else FAMILY.get(notes[0].family, notes[0].family)
        for note in notes:
            yield f"instrument:{family}", note.path in held, note.path


def _described(one: tuple[str, bool, Path]) -> tuple[str, bool, Floats | None]:
    sort, is_held, path = one
    return sort, is_held, _axes(read(path))


def _axes(clip: Clip) -> Floats | None:
    found = descriptors(clip)
    return None if found is None else np.array([warp(name, found[name]) for name in WORDS])


def _ranges(known: dict[str, list[Floats]]) -> dict[str, Floats]:
    """Ends of the ranges on their axes, shape (descriptors, 2), by sort of sound."""
    stacked = {sort: np.stack(rows) for sort, rows in known.items() if len(rows) > 1}
    free = sum(len(rows) - 1 for rows in stacked.values())
    common = sum(((rows - rows.mean(axis=0)) ** 2).sum(axis=0) for rows in stacked.values()) / free
    found = {}
    for sort, rows in stacked.items():
        n = len(rows)
        spread = ((rows - rows.mean(axis=0)) ** 2).sum(axis=0)
        reach = Z * np.sqrt((spread + COMMON * common) / (n - 1 + COMMON) * (1 + 1 / n))
        found[sort] = np.stack([rows.mean(axis=0) - reach, rows.mean(axis=0) + reach], axis=1)
    return found


def _inside(row: Floats, ends: Floats) -> float:
    return float(np.mean((row >= ends[:, 0]) & (row <= ends[:, 1])))


def _natural(name: str, ends: Floats) -> Range:
    low, high = (float(f"{unwarp(name, float(end)):.4g}") for end in ends)
    if name in SHARES and high >= MOST_SHARE:
        high = 1.0
    return 0.0 if low <= LEAST_SHARE else low, high
