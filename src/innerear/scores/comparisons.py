"""Compare the models of a run by paired tests, and each model across the tiers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from itertools import combinations, pairwise

import numpy as np

from innerear.metrics.group import Group
from innerear.records import TIERS, Scope, Score, Signature
from innerear.scores.checks import verdicts
from innerear.scores.ends import end_name
from innerear.scores.identity import mean_grades
from innerear.stats import falls, holm, paired

PAIRED = Signature.of("paired", ci="bonett-price", p="sign-flip", holm="tiers", v=2)
TREND = Signature.of(
    "tier_trend", "slope a tier of checks passed", ci="bootstrap", p="permutation,one-sided", holm="steps", v=1
)
LEAST_COVERED = 0.5  # least share of a tier's probes with a headline check for the tier to enter the trend


def comparisons(groups: Sequence[Group]) -> list[Score]:
    """Paired differences between the models of a run, and the trend of each model over the tiers."""
    rates: Rates = {}
    graded: Rates = {}
    covered: set[tuple[str, str, str]] = set()
    for group in groups:
        if means := shares_passed(group):
            rates.setdefault((group.model, group.strategy), {})[group.tier] = means
            if len(means) >= LEAST_COVERED * len(group.probes):
                covered.add((group.model, group.strategy, group.tier))
        if grades := mean_grades(group):
            graded.setdefault((group.model, group.strategy), {})[group.tier] = grades
    return [*_pairs(rates, "checks"), *_pairs(graded, "identity"), *_trends(rates, covered)]


def shares_passed(group: Group) -> dict[str, float]:
    """By probe, the share of headline checks passed, averaged over attempts; probes without a verdict are left out."""
    by_probe: dict[str, list[float]] = {}
    for item in group.rendered:
        if passed := verdicts(item):
            by_probe.setdefault(item.probe.id, []).append(float(np.mean(passed)))
    return {probe: float(np.mean(values)) for probe, values in by_probe.items()}


Rates = dict[tuple[str, str], dict[str, dict[str, float]]]
"""The share of checks passed, by model and strategy, tier, and probe."""


def _pairs(rates: Rates, metric: str) -> Iterator[Score]:
    """Differences of two entrants in the mean of a metric, paired by probe; Holm over the tiers.

    The note has the smallest difference that could have been seen.
    """
    for one, other in combinations(rates, 2):
        if end_name(one[0]) and end_name(other[0]):
            continue
        if one[1] != other[1] and (end_name(one[0]) or end_name(other[0])):
            continue  # the floor in another language is the floor in this one
        if end_name(one[0]):
            one, other = other, one
        versus = Scope("vs", other[0], other[1] if other[1] != one[1] else "")
        shared = [tier for tier in TIERS if tier in rates[one] and tier in rates[other]]
        found = [(tier, paired(rates[one][tier], rates[other][tier])) for tier in shared]
        there = [(tier, difference) for tier, difference in found if difference is not None]
        adjusted = holm([difference.p for _, difference in there])
        for (tier, difference), p_holm in zip(there, adjusted, strict=True):
            yield Score(
                f"{metric}_difference", *one, tier, difference.value, difference.n,
                len(rates[one][tier]) - difference.n,
                str(Signature.of(f"{metric}_difference").plus(PAIRED)), group=versus,
                unit="share", better="higher", low=difference.low, high=difference.high,
                note=f"p = {p_holm:.2g}{_could(difference.visible)}",
                detail={"p": difference.p, "p_holm": p_holm, "visible": difference.visible},
            )  # fmt: skip


def _could(visible: float | None) -> str:
    return f"; a difference of {100 * visible:.0f} points could have been seen" if visible is not None else ""


def _trends(rates: Rates, covered: Set[tuple[str, str, str]]) -> Iterator[Score]:
    """Test for a decline from notes to environment to speech, overall and from each tier to the next.

    A tier enters only if at least half of its probes have a headline check.
    """
    for (model, strategy), tiers in rates.items():
        there = [tier for tier in TIERS if (model, strategy, tier) in covered]
        trend = falls([list(tiers[tier].values()) for tier in there]) if len(there) > 1 else None
        if trend is None:
            continue
        steps = list(pairwise(there))
        by_step = [falls([list(tiers[a].values()), list(tiers[b].values())]) for a, b in steps]
        adjusted = holm([step.p for step in by_step if step])
        detail = {
            "p": trend.p,
            "tiers": {tier: float(np.mean(list(tiers[tier].values()))) for tier in there},
            "steps": {
                f"{a} to {b}": {"change": step.slope, "p_holm": p}
                for (a, b), step, p in zip(steps, by_step, adjusted, strict=True)
                if step
            },
        }
        every_step = all(p < 0.05 for p in adjusted)
        worse = "worse with each tier" if len(there) == len(TIERS) else f"worse in {there[-1]} than in {there[0]}"
        no_fall = f"no decline from {there[0]} to {there[-1]}"
        verdict = worse if every_step else "declines over the tiers" if trend.p < 0.05 else no_fall
        missing = [tier for tier in TIERS if tier not in there]
        partly = f"; too few {' and '.join(missing)} checks could be run" if missing else ""
        yield Score(
            "tier_trend", model, strategy, "all", trend.slope, trend.n, 0,
            str(TREND),
            unit="share a tier", better="higher", low=trend.low, high=trend.high,
            note=f"{verdict} (p = {trend.p:.2g}){partly}", detail=detail,
        )  # fmt: skip
