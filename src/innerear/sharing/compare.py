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

from innerear.check_scores import end_name, shares_passed
from innerear.embed import reads_captions
from innerear.embeddings import embeddings_folder, read_embeddings
from innerear.errors import UsageError
from innerear.groups import groups_of
from innerear.metrics.agreement import CAPTION, cosines
from innerear.records import TIERS, Outcome, Probe, Score
from innerear.run import Item, Run
from innerear.score import FUNNEL, judged_checks, steps
from innerear.sharing.tables import bare, distinct, embedder, entrant_labels
from innerear.stages import do_score
from innerear.stats import holm, paired
from innerear.summaries import SEED

ALPHA = 0.05
UNITS = {"checks": "share", "audible": "share", "right_length": "share", "clap": "cosine"}
"""What is paired, the first the most telling; in all of them more is better."""
LIMITED = {Outcome.TIMED_OUT, Outcome.CPU_LIMIT, Outcome.OUT_OF_MEMORY}

Values = Mapping[str, Mapping[str, float]]
"""By metric, by probe."""


@dataclass(frozen=True)
class Entrant:
    """What one model made with one strategy in one run."""

    run: Run
    name: str  # of the run
    model: str
    strategy: str
    label: str
    items: Sequence[Item]
    values: Values
    scores: Sequence[Score]
    unmeasured: int = 0  # sounds whose checks have no row


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


class Cell(msgspec.Struct, frozen=True):
    """A score of one entrant; all `None` where it has none. `mark` says why it may not be compared."""

    value: float | None = None
    low: float | None = None
    high: float | None = None
    n: int = 0
    missing: int = 0
    floor: dict[str, float | None] = {}
    ceiling: dict[str, float | None] = {}
    signature: str = ""
    mark: str = ""


class Line(msgspec.Struct, frozen=True):
    """One metric of whole sets, a cell an entrant."""

    tier: str
    group: str
    metric: str
    embedder: str
    unit: str
    better: str
    cells: list[Cell]


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
        if not mine:
            return "no probe in common of which something was measured."
        if not shown:
            return f"no difference that {max(test.n for test in mine)} probes can show."
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
    probes, left_out, differs = _conditions(runs, names)
    entrants = _entrants(runs, names, {probe.id for probe in probes}, models)
    if len(entrants) < 2:
        there = sorted({model for run in runs for model in run.asked.models})
        raise UsageError(f"nothing to compare: wanted two models or two runs; there is {', '.join(there)}")
    pairs = _pairs(entrants)
    return Comparison(
        entrants=entrants,
        probes=probes,
        pairs=pairs,
        tests=_tests(entrants, pairs, probes),
        lines=list(_lines(entrants, _touched(runs, names, left_out))),
        differs=[*differs, *_unmeasured(entrants)],
        left_out=left_out,
    )


# ---- what may be compared


def _conditions(runs: Sequence[Run], names: Sequence[str]) -> tuple[list[Probe], dict[str, str], list[str]]:
    """The probes that may be compared, those that may not with why, and what differs."""
    first = runs[0]
    differs: list[str] = []
    for run, name in zip(runs[1:], names[1:], strict=True):
        if run.asked.track != first.asked.track:
            raise UsageError(
                f"{names[0]} was asked on the track {first.asked.track!r}, {name} on {run.asked.track!r}: "
                "their programs might use other things; compare runs of one track"
            )
    known: dict[str, list[Probe]] = {}
    for run in runs:
        for probe in run.probes:
            known.setdefault(probe.id, []).append(probe)
    left_out: dict[str, str] = {}
    for name, asked in known.items():
        if len(asked) < len(runs):
            left_out[name] = "not asked in every run"
        elif any(other != asked[0] for other in asked):
            left_out[name] = "asked in other words, or judged by other checks"
    same = [probe for probe in first.probes if probe.id not in left_out]
    if not same:
        suites = ", ".join(
            f"{name}: {run.asked.suite} {run.asked.suite_digest[:8]}" for run, name in zip(runs, names, strict=True)
        )
        raise UsageError(f"these runs have no probe in common that is the same ({suites}); nothing can be compared")
    if left_out:
        differs.append(
            f"{len(same)} probes are the same in every run and are compared; {len(left_out)} are left out: "
            f"{_whys(left_out)}"
        )
    for what, values in (
        ("limits", [limits_of(run) for run in runs]),
        ("seeds of programs", [str(run.asked.seed) for run in runs]),
        ("attempts", [str(run.asked.attempts) for run in runs]),
        (
            "Python, NumPy, SciPy",
            [", ".join(run.file.versions.get(k, "?") for k in ("python", "numpy", "scipy")) for run in runs],
        ),
    ):
        if len(set(values)) > 1:
            differs.append(
                f"{what} differ: {'; '.join(f'{name} {value}' for name, value in zip(names, values, strict=True))}"
            )
    if len({limits_of(run) for run in runs}) > 1:
        for run in runs:
            for item in run.items():
                if item.render.near_limit or item.render.outcome in LIMITED:
                    left_out.setdefault(item.probe.id, "limits differ, and a program came near one")
        same = [probe for probe in same if probe.id not in left_out]
    return same, left_out, differs


def _whys(left_out: Mapping[str, str]) -> str:
    counts = {why: list(left_out.values()).count(why) for why in dict.fromkeys(left_out.values())}
    return ", ".join(f"{count} {why}" for why, count in counts.items())


def limits_of(run: Run) -> str:
    """The limits of a run's programs in words."""
    limits = run.asked.limits
    return f"{limits.cpu_s:g} s CPU, {limits.wall_s:g} s wall, {limits.memory_bytes >> 20} MB"


def _touched(runs: Sequence[Run], names: Sequence[str], left_out: Mapping[str, str]) -> dict[str, str]:
    """For each tier in which a probe is left out, why scores of whole sets may not be compared there."""
    tiers = {probe.id: probe.tier for run in runs for probe in run.probes}
    return {tiers[probe]: f"not over the same sounds: {why}" for probe, why in left_out.items()}


def _unmeasured(entrants: Sequence[Entrant]) -> Iterator[str]:
    for entrant in entrants:
        if entrant.unmeasured:
            yield f"{entrant.unmeasured} sounds of {entrant.label} are not measured by this version: `innerear measure`"
        if missing := sum(item.render.outcome == Outcome.NOT_RENDERED for item in entrant.items):
            yield f"{missing} programs of {entrant.label} were not rendered, and count nowhere"


# ---- entrants and their values


def _entrants(runs: Sequence[Run], names: Sequence[str], probes: set[str], models: Sequence[str]) -> list[Entrant]:
    """Floors and ceilings are entrants only where they are named, or where there is nothing else."""
    there = [(run, name, model) for run, name in zip(runs, names, strict=True) for model in run.asked.models]
    if unknown := [model for model in models if model not in {each for _, _, each in there}]:
        raise UsageError(
            f"no run has the model {unknown[0]!r}; there are {', '.join(sorted({m for _, _, m in there}))}"
        )
    chosen = [each for each in there if (each[2] in models if models else not end_name(each[2]))]
    if not models and len(chosen) < 2:
        chosen = there
    labels = entrant_labels([(name, model, run.asked.strategy) for run, name, model in chosen])
    loaded = {name: _Loaded(run) for run, name, _ in chosen}
    return [
        Entrant(
            run, name, model, run.asked.strategy, label,
            [item for item in loaded[name].items if item.completion.model == model],
            loaded[name].values(model, probes),
            [score for score in loaded[name].scores if score.model == model],
            loaded[name].unmeasured(model),
        )
        for (run, name, model), label in zip(chosen, labels, strict=True)
    ]  # fmt: skip


class _Loaded:
    """A run's rows, read once for all of its models."""

    def __init__(self, run: Run) -> None:
        self.scores = do_score(run)
        self.items = run.items()
        rows = run.measurements()
        self._judged = {item.completion.key: judged_checks(item, rows) for item in self.items}
        self._clap = {
            name: read_embeddings(embeddings_folder(run, name))
            for name in run.asked.embedders
            if reads_captions(name) and name in run.file.signatures
        }

    def unmeasured(self, model: str) -> int:
        """How many sounds have checks and no row of them."""
        asked = [item for item in self.items if item.completion.model == model and item.probe.expect]
        rendered = [item for item in asked if item.render.outcome != Outcome.NOT_RENDERED]
        return sum(not self._judged[item.completion.key] for item in rendered)

    def values(self, model: str, probes: set[str]) -> Values:
        """By metric, by probe: the mean over attempts."""
        items = [item for item in self.items if item.completion.model == model and item.probe.id in probes]
        rendered = [item for item in items if item.render.outcome != Outcome.NOT_RENDERED]
        found: dict[str, dict[str, float]] = {"checks": {}}
        for group in groups_of(items):
            found["checks"] |= shares_passed(group, self._judged)
        for name in ("audible", "right_length"):
            place = FUNNEL.index(name.replace("_", " "))
            found[name] = _means([(item.probe.id, float(steps(item)[place])) for item in rendered])
        for frames in list(self._clap.values())[:1]:
            found["clap"] = _means(
                [
                    (item.probe.id, float(cosines(frames[item.render.audio], frames[CAPTION + item.probe.caption])[0]))
                    for item in rendered
                    if item.render.audio in frames and CAPTION + item.probe.caption in frames
                ]
            )
        return found


def _means(pairs: Sequence[tuple[str, float]]) -> dict[str, float]:
    by_probe: dict[str, list[float]] = {}
    for probe, value in pairs:
        by_probe.setdefault(probe, []).append(value)
    return {probe: float(np.mean(values)) for probe, values in by_probe.items()}


def _pairs(entrants: Sequence[Entrant]) -> list[tuple[int, int]]:
    """Those of one model in several runs, where there are such; else every two."""
    every = list(combinations(range(len(entrants)), 2))
    of_one = [
        (a, b) for a, b in every if entrants[a].model == entrants[b].model and entrants[a].name != entrants[b].name
    ]
    return of_one or every


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
        differences = [paired(two, one, SEED) for _, _, _, one, two in found]
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


# ---- scores of whole sets


def _lines(entrants: Sequence[Entrant], touched: Mapping[str, str]) -> Iterator[Line]:
    """Every score that an entrant has, the entrants side by side; cells of another way are marked."""
    known: dict[tuple[str, str, str, str], dict[int, Score]] = {}
    for place, entrant in enumerate(entrants):
        for score in entrant.scores:
            if score.metric not in ("checks_difference", "tier_trend", "agreement"):
                key = (score.tier, score.group, score.metric, embedder(score.signature))
                known.setdefault(key, {}).setdefault(place, score)
    for (tier, group, metric, by), scores in known.items():
        ways = {bare(score.signature) for score in scores.values() if score.value is not None}
        some = next(iter(scores.values()))
        why = "got in another way: see the signature" if len(ways) > 1 else touched.get(tier, "")
        cells = [_cell(scores.get(place), why) for place in range(len(entrants))]
        yield Line(tier, group, metric, by, some.unit, some.better, cells)


def _cell(score: Score | None, why: str) -> Cell:
    if score is None:
        return Cell()
    mark = why if score.value is not None else score.note
    return Cell(
        score.value, score.low, score.high, score.n, score.missing, score.floor, score.ceiling, score.signature, mark
    )
