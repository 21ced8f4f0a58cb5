"""Findings: sentences that the statistics of a run support, the most informative first.

Only selects which scores to report; intervals, tests and Holm's adjustment come from the scores.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from innerear.records import ALL, TIERS, Score
from innerear.scores.checks import FEW
from innerear.scores.ends import PLAIN_FLOORS, end_name

ALPHA = 0.05


def finding(scores: Sequence[Score]) -> list[str]:
    """One sentence comparing the models, then one per model against the floors and across the tiers."""
    differences = [score for score in scores if score.metric == "checks_difference" and score.value is not None]
    entrants = dict.fromkeys((s.model, s.strategy) for s in scores if s.metric == "checks" and not end_name(s.model))
    if not entrants:
        return ["This run has only floors and ceilings, no model."] if scores else []
    several = len({strategy for _, strategy in entrants}) > 1
    sentences = []
    for model, strategy in entrants:
        own = [score for score in scores if (score.model, score.strategy) == (model, strategy)]
        label = f"{model} ({strategy})" if several else model
        rates = [rate for tier in TIERS if (rate := _rate(own, tier)) is not None]
        parts = [_against_floors(rate, differences) for rate in rates if rate.n >= FEW]
        few = ", ".join(f"{rate.n} in {rate.tier}" for rate in rates if rate.n < FEW)
        if not rates:
            sentences.append(f"No checks of {label} could be run.")
        elif not parts:
            sentences.append(f"Too few checks of {label} could be run for a finding: {few}.")
        else:
            *first, last = parts
            more = f"; too few checks elsewhere: {few}" if few else ""
            listed = f"{', '.join(first)}{' and ' if first else ''}{last}"
            sentences.append(f"{label} passes {listed}{_over_tiers(own)}{more}.")
        sentences += _words(label, own)
    side_by_side = _side_by_side(differences)
    return [side_by_side, *sentences] if side_by_side else sentences


def _rate(own: Sequence[Score], tier: str) -> Score | None:
    """The pass rate of all checks of a tier, if any was judged."""
    rates = (s for s in own if (s.metric, s.tier, s.group) == ("checks", tier, ALL))
    return next((s for s in rates if s.n and s.value is not None), None)


def _against_floors(rate: Score, differences: Sequence[Score]) -> str:
    """The pass rate in a tier, the floors that it does not significantly exceed, and the number of checks not run."""
    against = {
        other: d
        for d in differences
        if (d.model, d.strategy, d.tier) == (rate.model, rate.strategy, rate.tier)
        and (other := end_name(d.group.name)) in PLAIN_FLOORS
    }
    not_above = [name for name, d in against.items() if not _significantly_better(d)]
    remarks = [f"{rate.low:.0%} to {rate.high:.0%}"] if rate.low is not None and rate.high is not None else []
    if not_above:
        remarks.append(f"not significantly more than {' or '.join(not_above)}")
    elif against:
        remarks.append(f"more than every floor, {_p(max(d.detail['p_holm'] for d in against.values()))}")
    if rate.missing:
        remarks.append(f"{rate.missing} more not run")
    remark = f" ({'; '.join(remarks)})" if remarks else ""
    return f"{rate.value or 0.0:.0%} of {rate.n} checks in {rate.tier}{remark}"


def _words(label: str, own: Sequence[Score]) -> Iterator[str]:
    """The share of the requested words that the recogniser gets wrong."""
    rate = next((s for s in own if (s.metric, s.group) == ("whisper_wer", ALL) and s.value is not None), None)
    if rate is None or rate.value is None or rate.note:
        return
    reach = f", {rate.low:.0%} to {rate.high:.0%}" if rate.low is not None and rate.high is not None else ""
    yield (
        f"Of the {rate.n} words that {label} was asked to say, Whisper tiny.en, which is not told the texts, "
        f"misses {round(rate.value * rate.n)} ({rate.value:.0%}{reach})."
    )


def _over_tiers(own: Sequence[Score]) -> str:
    trend = next((s for s in own if s.metric == "tier_trend" and s.value is not None), None)
    return f"; {trend.note}" if trend else ""


def _side_by_side(differences: Sequence[Score]) -> str:
    """The largest significant difference between two models, or a sentence saying that there is none."""
    between = [d for d in differences if not end_name(d.model) and not end_name(d.group.name)]
    if not between:
        return ""
    significant = sorted(
        (d for d in between if d.detail["p_holm"] < ALPHA and d.n >= FEW), key=lambda d: -abs(d.value or 0.0)
    )
    if not significant:
        least = min(d.n for d in between)
        return f"No significant difference between the models (at least {least} probes per comparison, paired)."
    first = significant[0]
    better, worse = (first.model, first.group.name) if (first.value or 0.0) > 0 else (first.group.name, first.model)
    rest = len(between) - len(significant)
    more = f"; {rest} of {len(between)} comparisons show no significant difference" if rest else ""
    points = 100 * abs(first.value or 0.0)
    return (
        f"{better} beats {worse} in {first.tier} by {points:.0f} percentage points of checks passed "
        f"({_p(first.detail['p_holm'])}, {first.n} probes, paired){more}."
    )


def _significantly_better(difference: Score) -> bool:
    return difference.value is not None and difference.value > 0 and bool(difference.detail["p_holm"] < ALPHA)


def _p(p: float) -> str:
    return "p < 0.001" if p < 0.001 else f"p = {p:.2g}"
