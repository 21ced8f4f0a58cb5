"""Compare entrants, paired by probe: differences and whether they are significant.

An entrant is a model with a strategy in a run. Two runs of one model with different strategies show
the effect of the strategy; the models of one run can be compared as well.

Each metric has one value per probe, the mean over attempts: the share of headline checks passed, the
graded identity of `label` and `instrument`, whether the sound is audible and of the right length, and
its CLAP score if it was embedded. Differences are the second entrant minus the first. Tests are those of
`stats.paired`, with Holm correction over all tests of a metric (tiers and pairs of entrants together).
Each states the smallest difference that it could have shown. Set scores (FAD, KAD, rates) are listed side
by side; those that are not comparable are marked with the reason.
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
from innerear.languages import language_of
from innerear.records import TIERS, Probe
from innerear.run.run import Run
from innerear.sharing.conditions import conditions, touched_tiers
from innerear.sharing.entrants import Entrant, entrants_of, unmeasured
from innerear.sharing.side_by_side import Line, side_by_side
from innerear.stats import holm, paired
from innerear.text import distinct

ALPHA = 0.05
UNITS = {"checks": "share", "identity": "share", "audible": "share", "right_length": "share", "clap": "cosine"}
"""The paired metrics and their units, most informative first; for all of them higher is better."""


class Test(msgspec.Struct, frozen=True):
    """Test of one metric in one tier: the second entrant minus the first, over the probes that both have.

    `p_holm` is adjusted over all tests of the metric. `verdict` is better, worse or none.
    `visible` is the smallest true difference that the test finds with a power of 80 %.
    """

    __test__ = False  # tell pytest that this is not a test

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
    visible: float | None = None


@dataclass(frozen=True)
class Comparison:
    """The result of `compare`."""

    entrants: Sequence[Entrant]
    probes: Sequence[Probe]
    pairs: Sequence[tuple[int, int]]
    tests: Sequence[Test]
    lines: Sequence[Line]
    differs: Sequence[str]  # differences in the conditions of the runs, in sentences
    left_out: Mapping[str, str]  # by probe, the reason

    def differences(self, first: int, second: int, metric: str) -> list[tuple[Probe, float, float]]:
        """The probes that both entrants have, with both values, largest difference first."""
        one, two = (self.entrants[index].values.get(metric, {}) for index in (first, second))
        both = [(probe, one[probe.id], two[probe.id]) for probe in self.probes if probe.id in one and probe.id in two]
        return sorted(both, key=lambda row: -abs(row[2] - row[1]))

    def metrics(self, first: int, second: int) -> list[tuple[str, str]]:
        """The metrics in which two entrants differ on some probe, each with its unit."""
        return [(m, unit) for m, unit in UNITS.items() if any(a != b for _, a, b in self.differences(first, second, m))]

    def findings(self) -> list[str]:
        """One sentence per pair of entrants with what the tests support."""
        return [
            f"{self.entrants[second].label} against {self.entrants[first].label}: {self.finding(first, second)}"
            for first, second in self.pairs
        ]

    def finding(self, first: int, second: int) -> str:
        """What the tests say about the second entrant against the first."""
        tests = [test for test in self.tests if (test.first, test.second) == (first, second)]
        significant = [test for test in tests if test.verdict != "none"]
        if silent := [self.entrants[index].label for index in (first, second) if self.entrants[index].silent]:
            return f"nothing to compare: {' and '.join(silent)} has no answers."
        if not tests:
            return "no measured probes in common."
        if not significant:
            counts = sorted({test.n for test in tests})
            n = " to ".join(map(str, dict.fromkeys((counts[0], counts[-1]))))
            return f"no significant difference ({n} probes per test)."
        parts = [
            f"{test.verdict} by {_size(test)} in {_text(test.metric)} of {test.tier} "
            f"({p_text(test.p_holm)}, {test.n} probes)"
            for test in significant
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
    """A difference with its sign; shares in percentage points.

    >>> signed(-0.125, "share"), signed(0.0, "share"), signed(0.1, "cosine"), signed(None, "")
    ('−12.5', '0.0', '+0.100', '–')
    """
    if difference is None:
        return "–"
    size = f"{abs(difference) * 100:.1f}" if unit == "share" else f"{abs(difference):.3f}"
    return size if float(size) == 0 else f"{'+' if difference > 0 else '−'}{size}"


def compare(folders: Sequence[Path], models: Sequence[str] = ()) -> Comparison:
    """Compare the models of runs, or only those named in `models`.

    Raises:
        UsageError: a folder is not a run; the runs are not comparable (no probes in common, or
            different tracks); or there are fewer than two entrants.
    """
    runs = [Run(folder) for folder in folders]
    names = distinct([run.folder.resolve().name for run in runs])
    probes, left_out, differs = conditions(runs, names)
    entrants = entrants_of(runs, names, {probe.id for probe in probes}, models)
    if len(entrants) < 2:
        known = sorted({model for run in runs for model in run.asked.models})
        if len(models) == 1:
            raise UsageError(f"nothing to compare with {models[0]}: name a second --model, one of {', '.join(known)}")
        raise UsageError(f"nothing to compare: need two models or two runs, got {', '.join(known)}")
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
    """Pairs of one model in different runs or languages if there are any, otherwise all pairs.

    With several runs in several languages, a pair differs in the one or in the other.
    """
    every = list(combinations(range(len(entrants)), 2))
    places = [(entrant.name, language_of(entrant.strategy)) for entrant in entrants]
    of_one = [(a, b) for a, b in every if entrants[a].model == entrants[b].model and places[a] != places[b]]
    near = [(a, b) for a, b in of_one if places[a][0] == places[b][0] or places[a][1] == places[b][1]]
    return near or of_one or every


def _unpaired(entrants: Sequence[Entrant], pairs: Sequence[tuple[int, int]]) -> Iterator[str]:
    """Sentences on entrants that are in no pair, and on metrics that are not compared."""
    paired_ones = {place for pair in pairs for place in pair}
    for place, entrant in enumerate(entrants):
        if place not in paired_ones:
            yield (
                f"{entrant.label} in {entrant.name} is compared with nothing: a model that is in several runs is "
                "compared with itself across runs; use `--model` to choose other pairs"
            )
    for first, second in pairs:
        one, two = entrants[first], entrants[second]
        if "clap" in one.values and "clap" in two.values and not _same_clap(one, two):
            yield f"CLAP scores of {one.label} and {two.label} were computed differently and are not compared"


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
            tests.append(
                Test(first, second, metric, tier, unit, d.n, *means, d.value, d.low, d.high, d.p, p, verdict, d.visible)
            )
    return tests


def _both(
    entrants: Sequence[Entrant], first: int, second: int, metric: str, probes: set[str]
) -> tuple[dict[str, float], dict[str, float]]:
    """The values of both entrants over the probes that both have."""
    one, two = (entrants[index].values.get(metric, {}) for index in (first, second))
    shared = [probe for probe in one if probe in two and probe in probes]
    return {probe: one[probe] for probe in shared}, {probe: two[probe] for probe in shared}


def _same_clap(one: Entrant, two: Entrant) -> bool:
    return all(
        one.run.file.signatures.get(name) == two.run.file.signatures.get(name)
        for name in {*one.run.asked.embedders, *two.run.asked.embedders}
        if reads_captions(name)
    )
