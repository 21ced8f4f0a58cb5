"""Entrants side by side, paired by probe: what one does better than another, and whether that is more than chance.

An entrant is a model asked with a strategy in a run. Two runs of one model with two strategies show
what the other way of asking is worth; two models of one run are compared as well.

What is paired is one number a probe: the share of its counted checks passed, whether it is audible
and as long as asked, and its CLAP score where it was embedded; the mean over attempts. Differences
are the second entrant less the first. Tests are those of `stats.paired`, with Holm's adjustment over
all tests of a metric, tiers and pairs of entrants together. Scores of whole sets (FAD, KAD, rates)
stand side by side, those that may not be compared marked with why.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import msgspec
import numpy as np

from innerear.embed import reads_captions
from innerear.errors import UsageError
from innerear.records import TIERS, Probe
from innerear.run.run import Run
from innerear.sharing.conditions import conditions, touched_tiers
from innerear.sharing.entrants import Entrant, entrants_of, unmeasured
from innerear.sharing.side_by_side import Line, side_by_side
from innerear.stats import holm, paired
from innerear.text import distinct

ALPHA = 0.05
UNITS = {"checks": "share", "audible": "share", "right_length": "share", "clap": "cosine"}
"""What is paired, the first the most telling; in all of them more is better."""


class Test(msgspec.Struct, frozen=True):
    """A metric in a tier: the second entrant less the first, over the probes that both have.

    `p_holm` is adjusted over all tests of the metric. `verdict` is better, worse or none.
    """

    __test__ = False  # no test of pytest's

    first: int
    second: int
    metric: str
    tier: str
    unit: str
    n: int
    first_value: float
    second_value: float
    difference: float
    low: float | None
    high: float | None
    p: float
    p_holm: float
    verdict: str


@dataclass(frozen=True)
class Comparison:
    """Everything that a comparison shows."""

    entrants: Sequence[Entrant]
    probes: Sequence[Probe]
    pairs: Sequence[tuple[int, int]]
    tests: Sequence[Test]
    lines: Sequence[Line]
    differs: Sequence[str]  # what is not the same in the runs, in sentences
    left_out: Mapping[str, str]  # probe, why

    def differences(self, first: int, second: int, metric: str) -> list[tuple[Probe, float, float]]:
        """The probes that both have, with the values of both, the largest difference first."""
        one, two = (self.entrants[place].values.get(metric, {}) for place in (first, second))
        both = [(probe, one[probe.id], two[probe.id]) for probe in self.probes if probe.id in one and probe.id in two]
        return sorted(both, key=lambda row: -abs(row[2] - row[1]))

    def metrics(self, first: int, second: int) -> list[tuple[str, str]]:
        """The metrics that two entrants differ in on some probe, each with its unit."""
        return [(m, unit) for m, unit in UNITS.items() if any(a != b for _, a, b in self.differences(first, second, m))]

    def findings(self) -> list[str]:
        """What the tests support, a sentence a pair of entrants."""
        return [
            f"{self.entrants[second].label} against {self.entrants[first].label}: {self.finding(first, second)}"
            for first, second in self.pairs
        ]

    def finding(self, first: int, second: int) -> str:
        """What the tests say of the second against the first."""
        mine = [test for test in self.tests if (test.first, test.second) == (first, second)]
        shown = [test for test in mine if test.verdict != "none"]
        if nothing := [self.entrants[place].label for place in (first, second) if self.entrants[place].silent]:
            return f"nothing to compare, {' and '.join(nothing)} has no answers."
        if not mine:
            return "no probe in common of which something was measured."
        if not shown:
            numbers = sorted({test.n for test in mine})
            asked = " to ".join(map(str, dict.fromkeys((numbers[0], numbers[-1]))))
            return f"no difference that this n can show ({asked} probes a test)."
        parts = [
            f"{test.verdict} by {_size(test)} in {_text(test.metric)} of {test.tier} "
            f"({p_text(test.p_holm)}, {test.n} probes)"
            for test in shown
        ]
        return f"{'; '.join(parts)}."


def _text(metric: str) -> str:
    return {"checks": "checks passed", "clap": "CLAP score"}.get(metric, metric.replace("_", " "))


def _size(test: Test) -> str:
    return f"{signed(abs(test.difference), test.unit)[1:]}{' points' if test.unit == 'share' else ''}"


def p_text(p: float) -> str:
    """A p value in words.

    >>> p_text(0.0004), p_text(0.0312)
    ('p < 0.001', 'p = 0.031')
    """
    return "p < 0.001" if p < 0.001 else f"p = {p:.2g}"


def signed(difference: float | None, unit: str) -> str:
    """A difference with its sign; of shares in points of a hundred.

    >>> signed(-0.125, "share"), signed(0.0, "share"), signed(0.1, "cosine"), signed(None, "")
    ('−12.5', '0.0', '+0.100', '–')
    """
    if difference is None:
        return "–"
    size = f"{abs(difference) * 100:.1f}" if unit == "share" else f"{abs(difference):.3f}"
    return size if float(size) == 0 else f"{'+' if difference > 0 else '−'}{size}"


def compare(folders: Sequence[Path], models: Sequence[str] = ()) -> Comparison:
    """Compare what models made in runs; only these models, where some are named.

    Raises:
        UsageError: a folder is no run; the runs asked for other things (no probe is the same, or
            programs might use other libraries); or there are no two entrants.
    """
    runs = [Run(folder) for folder in folders]
    names = distinct([run.folder.resolve().name for run in runs])
    probes, left_out, differs = conditions(runs, names)
    entrants = entrants_of(runs, names, {probe.id for probe in probes}, models)
    if len(entrants) < 2:
        there = sorted({model for run in runs for model in run.asked.models})
        raise UsageError(f"nothing to compare: wanted two models or two runs; there is {', '.join(there)}")
    pairs = _pairs(entrants)
    return Comparison(
        entrants=entrants,
        probes=probes,
        pairs=pairs,
        tests=_tests(entrants, pairs, probes),
        lines=list(side_by_side(entrants, touched_tiers(runs, left_out))),
        differs=[*differs, *unmeasured(entrants), *_unpaired(entrants, pairs)],
        left_out=left_out,
    )


def _pairs(entrants: Sequence[Entrant]) -> list[tuple[int, int]]:
    """Those of one model in several runs, where there are such; else every two."""
    every = list(combinations(range(len(entrants)), 2))
    of_one = [
        (a, b) for a, b in every if entrants[a].model == entrants[b].model and entrants[a].name != entrants[b].name
    ]
    return of_one or every


def _unpaired(entrants: Sequence[Entrant], pairs: Sequence[tuple[int, int]]) -> Iterator[str]:
    """Who is compared with nobody, and what is not compared, in sentences."""
    paired_ones = {place for pair in pairs for place in pair}
    for place, entrant in enumerate(entrants):
        if place not in paired_ones:
            yield (
                f"{entrant.label} in {entrant.name} is compared with nothing: models that are in several runs are "
                "compared with themselves; `--model` names others"
            )
    for first, second in pairs:
        one, two = entrants[first], entrants[second]
        if "clap" in one.values and "clap" in two.values and not _same_clap(one, two):
            yield f"CLAP scores of {one.label} and {two.label} were got in different ways, and are not compared"


def _tests(entrants: Sequence[Entrant], pairs: Sequence[tuple[int, int]], probes: Sequence[Probe]) -> list[Test]:
    tests: list[Test] = []
    for metric, unit in UNITS.items():
        found = [
            (first, second, tier, *both)
            for first, second in pairs
            if metric != "clap" or _same_clap(entrants[first], entrants[second])
            for tier in TIERS
            if (both := _both(entrants, first, second, metric, {probe.id for probe in probes if probe.tier == tier}))[0]
        ]
        differences = [paired(two, one, shares=unit == "share") for _, _, _, one, two in found]
        adjusted = holm([d.p for d in differences if d])
        for (first, second, tier, one, two), d, p in zip(found, differences, adjusted, strict=True):
            if d is None:
                continue
            verdict = "none" if p >= ALPHA else "better" if d.value > 0 else "worse"
            means = (float(np.mean(list(one.values()))), float(np.mean(list(two.values()))))
            tests.append(Test(first, second, metric, tier, unit, d.n, *means, d.value, d.low, d.high, d.p, p, verdict))
    return tests


def _both(
    entrants: Sequence[Entrant], first: int, second: int, metric: str, probes: set[str]
) -> tuple[dict[str, float], dict[str, float]]:
    """The values of both over the probes that both have."""
    one, two = (entrants[place].values.get(metric, {}) for place in (first, second))
    shared = [probe for probe in one if probe in two and probe in probes]
    return {probe: one[probe] for probe in shared}, {probe: two[probe] for probe in shared}


def _same_clap(one: Entrant, two: Entrant) -> bool:
    return all(
        one.run.file.signatures.get(name) == two.run.file.signatures.get(name)
        for name in {*one.run.asked.embedders, *two.run.asked.embedders}
        if reads_captions(name)
    )
