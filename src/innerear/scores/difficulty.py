"""How hard each probe is: the share of systems that pass it, and whether it separates them.

A system is a model with a strategy; the floors (silence, noise, sine, swap, informed) are none. It passes a probe with
the share of its attempts that pass all headline checks. With few systems no item response model is fitted: the
discrimination is the item-rest correlation (Nunnally and Bernstein, "Psychometric Theory", 1994), over systems alone
and with the floors as further, known to be weak, systems.

Results of edition 2 ship with the package (`passes-2.csv`), so that every probe has its share of systems so far.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib import resources

import msgspec
import numpy as np

from innerear.metrics.measure import paired
from innerear.records import Probe
from innerear.run.run import Run
from innerear.scores.checks import all_passed
from innerear.scores.ends import FLOORS, PLAIN_FLOORS, end_name
from innerear.scores.groups import groups_of

FEWEST = 6
"""The least number of systems for a correlation, and for a level that is measured."""
EASY = (0.8, 0.6, 0.4, 0.2)
"""Shares of systems that still belong to levels 1, 2, 3 and 4; below the last it is level 5."""
ALIKE = 1e-9  # shares that differ by less are equal: their deviation may be too small to divide by
BY = " · "  # between a model and its strategy
Passes = Mapping[str, Mapping[str, float]]
"""By system and probe, the share of attempts that pass."""


class ProbeStats(msgspec.Struct, frozen=True):
    """What is known of one probe.

    `systems` counts those with a verdict; `share` is the mean over them. `item_rest` is the correlation over
    systems between this probe and the mean of the others, `level` follows from `share`; both need
    `FEWEST` systems. `with_floors` is the correlation over systems and floors, with as many of both together. `why`
    says what is missing. `guess` is the authors' level.
    """

    probe: str
    guess: int
    systems: int
    share: float | None
    item_rest: float | None
    level: int | None
    why: str = ""
    by: dict[str, float] = {}
    with_floors: float | None = None


def passes(run: Run) -> dict[str, dict[str, float]]:
    """The systems and floors of a run, each with the probes on which a headline check was run."""
    found: dict[str, dict[str, float]] = {}
    for group in groups_of(paired(run.measurements(), run.items())):
        found.setdefault(f"{group.model}{BY}{group.strategy}", {}).update(all_passed(group))
    return found


def is_floor(system: str) -> bool:
    """Whether a system is a floor.

    >>> [is_floor(name) for name in ("baseline/noise · direct", "recorded/plan · plan", "baseline/sampler · direct")]
    [True, False, False]
    """
    return end_name(system.partition(BY)[0]) in FLOORS


def is_plain_floor(system: str) -> bool:
    """Whether a system is a floor that does not know the checks."""
    return end_name(system.partition(BY)[0]) in PLAIN_FLOORS


def shipped() -> dict[str, dict[str, float]]:
    """The results that ship with the package, on the probes of edition 2."""
    text = resources.files("innerear.suite").joinpath("passes-2.csv").read_text("utf-8")
    found: dict[str, dict[str, float]] = {}
    for row in csv.DictReader(text.splitlines()):
        probe = row.pop("probe")
        for system, share in row.items():
            if share:
                found.setdefault(system, {})[probe] = float(share)
    return found


def csv_rows(probes: Iterable[Probe], results: Passes) -> Iterator[list[str]]:
    """Results as rows of text with a head: one row per probe, one column per system, empty without a verdict."""
    yield ["probe", *results]
    for probe in probes:
        yield [probe.id, *(f"{rates[probe.id]:.4g}" if probe.id in rates else "" for rates in results.values())]


def level_of(share: float) -> int:
    """The level of a probe that this share of systems pass.

    >>> [level_of(share) for share in (1, 0.8, 0.5, 0.19, 0)]
    [1, 1, 3, 5, 5]
    """
    return 1 + sum(share < least for least in EASY)


def probe_stats(probes: Sequence[Probe], results: Passes) -> list[ProbeStats]:
    """The statistics of each probe over these systems, floors among them."""
    return [_stats(probe, results) for probe in probes]


def _stats(probe: Probe, results: Passes) -> ProbeStats:
    by = {system: rates[probe.id] for system, rates in results.items() if probe.id in rates and not is_floor(system)}
    plain = {system: rates for system, rates in results.items() if probe.id in rates and is_plain_floor(system)}
    everyone = {system: results[system] for system in by} | plain
    share = float(np.mean(list(by.values()))) if by else None
    enough = len(by) >= FEWEST
    correlation, why = _item_rest(probe.id, {system: results[system] for system in by}) if enough else (None, "")
    if not by:
        why = "no system has a verdict on it"
    elif not enough:
        why = f"{len(by)} of {FEWEST} systems: the level is the authors' guess"
    level = level_of(share) if enough and share is not None else None
    with_floors = _item_rest(probe.id, everyone)[0] if by and plain else None
    return ProbeStats(probe.id, probe.level, len(by), share, correlation, level, why, by, with_floors)


def _item_rest(probe: str, results: Passes) -> tuple[float | None, str]:
    """The correlation of a probe with the rest over systems, and why there is none."""
    pairs = [
        (rates[probe], float(np.mean([rate for name, rate in rates.items() if name != probe])))
        for rates in results.values()
        if len(rates) > 1
    ]
    if len(pairs) < FEWEST:
        return None, f"only {len(pairs)} systems have other probes"
    item, rest = np.array(pairs).T
    if np.ptp(item) < ALIKE:
        return None, "every system passes" if item[0] == 1 else "no system passes" if item[0] == 0 else "all alike"
    if np.ptp(rest) < ALIKE:
        return None, "the systems do not differ on the other probes"
    return float(np.corrcoef(item, rest)[0, 1]), ""
