"""Fit the check `label` to recordings of the 50 environment classes, and verify it on those left out.

Sounds that must fail: recordings of other classes, impostors of all sorts, noise with a recording's spectrum, and
with its spectrum and envelope. A fair copy of a noise-like class may pass one time in ten.
"""

from __future__ import annotations

import numpy as np

from innerear.clip import Clip, read, read_mono
from innerear.lab import identity
from innerear.lab import sounds as make
from innerear.lab.identity import Ears, Fit, Item, Plan
from innerear.lab.impostors import SPECTRUM, SPECTRUM_AND_ENVELOPE, copy
from innerear.lab.scene_fits import verify_scenes
from innerear.lab.sounds import Bank
from innerear.lab.tools import seeded
from innerear.metrics.classes import TOP, Class, LabelCheck, shipped
from innerear.metrics.identity import Ear
from innerear.metrics.verified import Verified

MERGED = (("helicopter", "airplane"), ("washing_machine", "engine"))
"""What people confuse; named before the fit, see `metrics.classes`."""
NOISE_LIKE = (
    "rain", "sea_waves", "crackling_fire", "wind", "pouring_water", "toilet_flush", "thunderstorm", "vacuum_cleaner",
    "washing_machine+engine", "helicopter+airplane", "brushing_teeth", "train", "breathing", "hand_saw",
)  # fmt: skip
"""Classes of noise, of which a copy of the spectrum and envelope may be a fair sound; named before the fit."""
IMPOSTORS, SECONDS = 60, 4.0  # of each sort, and their duration
COPIES = {SPECTRUM: 100, SPECTRUM_AND_ENVELOPE: 600}  # recordings that are copied
PLAIN = 300  # copies after these vary: the envelope is in blocks of ...
BLOCKS_S = (0.005, 0.01, 0.02)  # ... these lengths, and every second one is in a room
MOST_OTHERS = 0.03  # recordings of other classes that may pass
PENALTY = 1e-5
LEAST_ODDS = -1.5  # lowest threshold: a probability of 0.18


def groups() -> tuple[str, ...]:
    """The merged name of each class, in the order of the table."""
    merged = {name: "+".join(pair) for pair in MERGED for name in pair}
    return tuple(merged.get(one.name, one.name) for one in shipped())


def items(bank: Bank) -> list[Item]:
    """The recordings, the impostors, and copies of some recordings."""
    found = identity.impostor_items(IMPOSTORS, SECONDS)
    rows = [row for row in bank.rows if row["tier"] == "env"]
    for row in rows:
        path, source = bank.path(row["file"]), bank.sources[bank.path(row["file"])]
        found.append(Item(row["file"], row["label"], source, "real", lambda path=path: read(path)))  # type: ignore[misc]
    order = np.random.default_rng(0).permutation(len(rows))
    for sort, count in COPIES.items():
        for turn, place in enumerate(order[:count]):
            row = rows[place]
            source = bank.sources[bank.path(row["file"])]

            def made(sort: str = sort, file: str = row["file"], turn: int = turn) -> Clip:
                samples, rng = read_mono(bank.path(file), make.SAMPLE_RATE).mono.astype(np.float64), seeded(sort, file)
                if turn < PLAIN:
                    return make.clip(copy(samples, rng, sort == SPECTRUM_AND_ENVELOPE))
                copied = copy(samples, rng, True, BLOCKS_S[turn % len(BLOCKS_S)])
                return make.clip(make.room(copied, rng) if turn % 2 else copied)

            found.append(Item(f"{sort}/{row['file']}", sort, source, sort, made, row["label"]))
    return found


def plan() -> Plan:
    """The classes, and which sounds are wrong for which."""
    names, merged = tuple(one.name for one in shipped()), groups()

    def wrong(item: Item, group: str) -> str | None:
        return "kind" if item.name in names else item.column

    def allowed(group: str, column: str) -> float:
        if column == "kind":
            return MOST_OTHERS
        return 0.1 if column == SPECTRUM_AND_ENVELOPE and group in NOISE_LIKE else 0.05

    return Plan("label", names, merged, PENALTY, wrong, allowed, least_odds=LEAST_ODDS)


def table(bank_items: list[Item], fit: Fit) -> list[Class]:
    """The table of classes, from recordings left out of the fit."""
    distinct = list(dict.fromkeys(groups()))
    found = []
    for name, group in zip((one.name for one in shipped()), groups(), strict=True):
        mine = np.array([place for place, item in enumerate(bank_items) if item.name == name], dtype=int)
        passed = fit.passed[mine, distinct.index(group)]
        ranks = [fit.ranked[place].index(name) for place in mine]
        alone, top = [rank == 0 for rank in ranks], [rank < TOP for rank in ranks]
        found.append(Class(name, group, len(mine), *(float(np.mean(some)) for some in (passed, alone, top))))
    return found


def fit_and_verify(bank: Bank, ears: Ears) -> tuple[dict[Ear, Fit], list[Class], dict[str, Verified]]:
    """The classifiers, the table of classes, and the results by variant: of classes, and of scenes of two."""
    sounds = items(bank)
    fits = identity.fit_all(sounds, ears, plan())
    notes = {"+".join(pair): f"{len(pair)} classes that people confuse" for pair in MERGED}
    found = identity.verified(fits, "label", LabelCheck.version, notes) | verify_scenes(bank, sounds, fits["yamnet"])
    return fits, table(sounds, fits["both"]), found
