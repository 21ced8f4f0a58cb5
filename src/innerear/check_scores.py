"""Scores from checks: pass rates by kind, family and level; models side by side; the trend over tiers.

A check counts in a headline where the suite says so and verification lets it (`innerear.verify`);
all others are scored and marked, and enter no sum. A sound that is not there fails its checks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from itertools import combinations, pairwise
from typing import Any

import msgspec
import numpy as np

from innerear import metrics
from innerear.checks import Check, Label, kind
from innerear.class_scores import with_classes
from innerear.groups import Group
from innerear.records import TIERS, Measurement, Probe, Score
from innerear.run import Item
from innerear.stats import bootstrap, falls, holm, normalised, paired, pass_at_k
from innerear.summaries import SEED, Better, median_size, middle, rate
from innerear.verify import in_headline

Judged = Mapping[str, Sequence[tuple[Check, Measurement]]]
"""The checks of a completion, each with its row, by the completion's key."""

PASSED, CHECKS = "passed", "checks"
FLOORS = ("silence", "noise", "sine", "swap", "informed")
PLAIN_FLOORS = ("silence", "noise", "sine", "swap")  # what a scale starts from; `informed` stands beside it
CEILINGS = ("real", "sampler", "flite", "espeak-ng")
FITTED_TO = "no independent ceiling: the discriminant was fitted to notes of FluidR3 too"
LEAST_COVERED = 0.5  # share of a tier's probes with a check that counts, for the tier to stand in a trend


def check_scores(group: Group, judged: Judged) -> list[Score]:
    """All scores of a group that come from checks."""
    scores = [score for name in _kinds(group) for score in _of_kind(group, judged, name)]
    scores += _sums(group, judged, "all", lambda probe: True)
    for family in dict.fromkeys(probe.family for probe in group.probes):
        scores += _sums(group, judged, f"family:{family}", lambda probe, family=family: probe.family == family)  # type: ignore[misc]
    for level in sorted({probe.level for probe in group.probes}):
        scores += _sums(group, judged, f"level:{level}", lambda probe, level=level: probe.level == level)  # type: ignore[misc]
    return scores + _at_k(group, judged)


def _kinds(group: Group) -> list[str]:
    return list(dict.fromkeys(kind(check) for probe in group.probes for check in probe.expect))


def _of_kind(group: Group, judged: Judged, name: str) -> Iterator[Score]:
    """The pass rate of a kind over checks that the suite takes into headlines, and the median of its value."""
    asked = sum(kind(check) == name and check.headline for item in group.items for check in item.probe.expect)
    if not asked:
        return
    metric = metrics.find_metric(metrics.CHECK_METRICS[name])
    rows: list[tuple[str, Measurement]] = []
    labels: list[tuple[str, Label, Measurement]] = []
    out: dict[str, str] = {}
    counted = 0
    for item in group.rendered:
        for check, row in judged.get(item.completion.key, []):
            if kind(check) == name and check.headline and row.passed is not None:
                rows.append((item.probe.id, row))
                labels += [(item.probe.id, check, row)] if isinstance(check, Label) else []
                counts, why = in_headline(check, item.probe.tier)
                counted += counts
                out |= {} if counts else {why: why}
    passes = [(probe, bool(row.passed)) for probe, row in rows]
    note = "" if counted == len(rows) else f"{len(rows) - counted} of {len(rows)} not counted: {_few(list(out))}"
    if name == "instrument" and group.model == "baseline/sampler":
        note = "; ".join(filter(None, [note, FITTED_TO]))
    found = rate(group, name, passes, asked - len(passes), metrics.signature(metric), note=note)
    if labels:
        yield from with_classes(group, found, labels, asked)
    else:
        yield found
    what, better, statistic = _sort_of(metric.unit)
    yield middle(group, rows, f"{name}_{what}", metric.unit, better, statistic, asked)


def _few(reasons: Sequence[str], most: int = 3) -> str:
    """The first reasons, and how many more there are."""
    more = f"; and {len(reasons) - most} more reasons (`innerear checks list`)" if len(reasons) > most else ""
    return "; ".join(reasons[:most]) + more


ERRORS = {"cents", "Hz", "events"}
"""Units of values that are distances from what was asked."""


def _sort_of(unit: str) -> tuple[str, Better, Callable[..., Any]]:
    """What a value in this unit is called, which way it improves, and how values are summed up."""
    if unit in ERRORS:
        return "error", "lower", median_size
    return ("rank", "lower", np.median) if unit.startswith("of ") else ("value", "neither", np.median)


def _counted(item: Item, judged: Judged) -> list[bool]:
    """Whether each check that counts was passed; those that could not be judged are left out."""
    rows, tier = judged.get(item.completion.key, []), item.probe.tier
    return [bool(row.passed) for check, row in rows if row.passed is not None and in_headline(check, tier)[0]]


def _sums(group: Group, judged: Judged, name: str, wanted: Callable[[Probe], bool]) -> list[Score]:
    items = [item for item in group.rendered if wanted(item.probe)]
    asked = [item for item in group.items if wanted(item.probe)]
    if not any(in_headline(check, item.probe.tier)[0] for item in asked for check in item.probe.expect):
        return []
    results = [(item.probe.id, _counted(item, judged)) for item in items]
    whole = [(probe, all(passed)) for probe, passed in results if passed]
    single = [(probe, one) for probe, passed in results for one in passed]
    n_checks = sum(in_headline(check, item.probe.tier)[0] for item in asked for check in item.probe.expect)
    how = "checks:counted|v:1"
    return [
        rate(group, PASSED, whole, len(asked) - len(whole), f"{PASSED}|{how}", group=name),
        rate(group, CHECKS, single, n_checks - len(single), f"{CHECKS}|{how}", group=name),
    ]


def _at_k(group: Group, judged: Judged) -> list[Score]:
    """pass@k for all k up to the attempts, where there are several: the mean over probes."""
    by_probe: dict[str, list[bool]] = {}
    for item in group.rendered:
        if passed := _counted(item, judged):
            by_probe.setdefault(item.probe.id, []).append(all(passed))
    attempts = max((len(passed) for passed in by_probe.values()), default=0)
    scores = []
    for k in range(1, attempts + 1 if attempts > 1 else 1):
        chances = {probe: pass_at_k(len(passed), sum(passed), k) for probe, passed in by_probe.items()}
        some = {probe: chance for probe, chance in chances.items() if chance is not None}
        low, high = bootstrap(list(some.values()), list(some), np.mean, SEED) or (None, None)
        scores.append(
            group.score(
                f"pass@{k}", float(np.mean(list(some.values()))), len(some), len(group.probes) - len(some),
                f"pass@{k}|unbiased|checks:counted|ci:bootstrap-probes|v:1", low=low, high=high, unit="share",
                better="higher",
            )
        )  # fmt: skip
    return scores


ENDED = ("share", "WER")
"""Units of the rates that have the baselines as floors and ceilings."""


def with_ends(scores: Sequence[Score]) -> list[Score]:
    """Rates with the baselines of the run as floors and ceilings, and where pass rates lie between.

    The normalised value runs from the highest of silence, noise, sine and swap (0) to `real`, or to 1
    where that is not in the run or was judged on fewer sounds (1). `informed` stands among the floors
    and moves no scale: it says what bare sines and clicks score that know the checks.
    """
    ends: dict[tuple[str, str, str, str], dict[str, float]] = {}
    judged: dict[tuple[str, str, str, str], int] = {}  # sounds of `real`
    for score in scores:
        if score.unit in ENDED and score.value is not None and (end := end_name(score.model)):
            place = (score.metric, score.strategy, score.tier, score.group)
            ends.setdefault(place, {})[end] = score.value
            if end == "real":
                judged[place] = score.n
    found = []
    for score in scores:
        place = (score.metric, score.strategy, score.tier, score.group)
        mine = ends.get(place, {})
        if not mine or score.unit not in ENDED or score.value is None or end_name(score.model):
            found.append(score)
            continue
        floor: dict[str, float | None] = {name: mine[name] for name in FLOORS if name in mine}
        ceiling: dict[str, float | None] = {name: mine[name] for name in CEILINGS if name in mine}
        plain = [mine[name] for name in PLAIN_FLOORS if name in mine]
        top = mine["real"] if judged.get(place, 0) >= score.n else 1.0
        detail = dict(score.detail)
        if score.unit == "share" and plain and top > max(plain):
            detail["normalised"] = normalised(score.value, max(plain), top)
            detail["normalised_between"] = [max(plain), top]
        found.append(
            msgspec.structs.replace(
                score, floor={**score.floor, **floor}, ceiling={**score.ceiling, **ceiling}, detail=detail
            )
        )
    return found


def end_name(model: str) -> str | None:
    """The name of a floor or ceiling that a model is; `None` for models."""
    if model.startswith("swap/"):
        return "swap"
    name = model.removeprefix("baseline/")
    return name if name in (*FLOORS, *CEILINGS) else None


def comparisons(groups: Sequence[Group], judged: Judged) -> list[Score]:
    """Models of a run side by side, and each model over the tiers."""
    rates: Rates = {}
    covered: set[tuple[str, str, str]] = set()
    for group in groups:
        if means := shares_passed(group, judged):
            rates.setdefault((group.model, group.strategy), {})[group.tier] = means
            if len(means) >= LEAST_COVERED * len(group.probes):
                covered.add((group.model, group.strategy, group.tier))
    return [*_pairs(rates), *_trends(rates, covered)]


def shares_passed(group: Group, judged: Judged) -> dict[str, float]:
    """For each probe of which something was judged, the share of counted checks passed, over its attempts."""
    by_probe: dict[str, list[float]] = {}
    for item in group.rendered:
        if passed := _counted(item, judged):
            by_probe.setdefault(item.probe.id, []).append(float(np.mean(passed)))
    return {probe: float(np.mean(values)) for probe, values in by_probe.items()}


Rates = dict[tuple[str, str], dict[str, dict[str, float]]]
"""The share of checks passed, by model and strategy, tier, and probe."""


def _pairs(rates: Rates) -> Iterator[Score]:
    """The difference of two entrants in the mean share of checks passed, probe by probe; Holm over the tiers."""
    for one, other in combinations(rates, 2):
        if end_name(one[0]) and end_name(other[0]):
            continue
        if end_name(one[0]):
            one, other = other, one
        shared = [tier for tier in TIERS if tier in rates[one] and tier in rates[other]]
        found = [(tier, paired(rates[one][tier], rates[other][tier], SEED)) for tier in shared]
        there = [(tier, difference) for tier, difference in found if difference is not None]
        adjusted = holm([difference.p for _, difference in there])
        for (tier, difference), p_holm in zip(there, adjusted, strict=True):
            label = other[0] if other[1] == one[1] else f"{other[0]}, {other[1]}"
            yield Score(
                "checks_difference", *one, tier, difference.value, difference.n, len(rates[one][tier]) - difference.n,
                "checks_difference|paired|ci:bootstrap-probes|p:sign-flip|holm:tiers|v:1", group=f"vs:{label}",
                unit="share", better="higher", low=difference.low, high=difference.high,
                note=f"p = {p_holm:.2g}", detail={"p": difference.p, "p_holm": p_holm},
            )  # fmt: skip


def _trends(rates: Rates, covered: Set[tuple[str, str, str]]) -> Iterator[Score]:
    """Does a model get worse from notes to environment to speech? And is each tier worse than the one before?

    A tier of which fewer than half of the probes have a check that counts stands in no trend.
    """
    for (model, strategy), tiers in rates.items():
        there = [tier for tier in TIERS if (model, strategy, tier) in covered]
        trend = falls([list(tiers[tier].values()) for tier in there], SEED) if len(there) > 1 else None
        if trend is None:
            continue
        steps = list(pairwise(there))
        each = [falls([list(tiers[a].values()), list(tiers[b].values())], SEED) for a, b in steps]
        adjusted = holm([step.p for step in each if step])
        detail = {
            "p": trend.p,
            "tiers": {tier: float(np.mean(list(tiers[tier].values()))) for tier in there},
            "steps": {
                f"{a} to {b}": {"change": step.slope, "p_holm": p}
                for (a, b), step, p in zip(steps, each, adjusted, strict=True)
                if step
            },
        }
        every = all(p < 0.05 for p in adjusted)
        worse = "worse with each tier" if len(there) == len(TIERS) else f"worse in {there[-1]} than in {there[0]}"
        verdict = worse if every else "falls over the tiers" if trend.p < 0.05 else "no fall is shown"
        missing = [tier for tier in TIERS if tier not in there]
        partly = f"; too little of {', '.join(missing)} is judged" if missing else ""
        yield Score(
            "tier_trend", model, strategy, "all", trend.slope, trend.n, 0,
            "tier_trend|slope a tier of checks passed|ci:bootstrap|p:permutation,one-sided|holm:steps|v:1",
            unit="share a tier", better="higher", low=trend.low, high=trend.high,
            note=f"{verdict} (p = {trend.p:.2g}){partly}", detail=detail,
        )  # fmt: skip
