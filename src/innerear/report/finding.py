"""What the statistics of a run support, in sentences; the first says the most.

Nothing is computed here but which of the scores to say: intervals, tests and Holm's adjustment are
those of the scores.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from innerear.records import TIERS, Score
from innerear.scores.checks import FEW
from innerear.scores.ends import PLAIN_FLOORS, end_name

ALPHA = 0.05


def finding(scores: Sequence[Score]) -> list[str]:
    """A sentence on the models side by side, and one on each model against the floors and over the tiers."""
    differences = [score for score in scores if score.metric == "checks_difference" and score.value is not None]
    asked = dict.fromkeys((s.model, s.strategy) for s in scores if s.metric == "checks" and not end_name(s.model))
    if not asked:
        return ["No model was asked: only floors and ceilings are here."] if scores else []
    several = len({strategy for _, strategy in asked}) > 1
    found = []
    for model, strategy in asked:
        mine = [score for score in scores if (score.model, score.strategy) == (model, strategy)]
        label = f"{model} ({strategy})" if several else model
        rates = [rate for tier in TIERS if (rate := _rate(mine, tier)) is not None]
        said = [_against_floors(rate, differences) for rate in rates if rate.n >= FEW]
        few = ", ".join(f"{rate.n} in {rate.tier}" for rate in rates if rate.n < FEW)
        if not rates:
            found.append(f"No check of {label} could be judged.")
        elif not said:
            found.append(f"Too few checks of {label} were judged for a finding: {few}.")
        else:
            *first, last = said
            more = f"; too few checks to say more: {few}" if few else ""
            found.append(f"{label} passes {', '.join(first)}{' and ' if first else ''}{last}{_over_tiers(mine)}{more}.")
        found += _words(label, mine)
    side_by_side = _side_by_side(differences)
    return [side_by_side, *found] if side_by_side else found


def _rate(mine: Sequence[Score], tier: str) -> Score | None:
    """The rate of all checks of a tier, if any was judged."""
    found = (s for s in mine if (s.metric, s.tier, s.group) == ("checks", tier, "all"))
    return next((s for s in found if s.n and s.value is not None), None)


def _against_floors(rate: Score, differences: Sequence[Score]) -> str:
    """The checks passed in a tier, the floors that it is not shown to be above, and the checks that were not run."""
    against = {
        other: d
        for d in differences
        if (d.model, d.strategy, d.tier) == (rate.model, rate.strategy, rate.tier)
        and (other := end_name(_other(d))) in PLAIN_FLOORS
    }
    level = [name for name, d in against.items() if not _shown(d)]
    said = [f"{rate.low:.0%} to {rate.high:.0%}"] if rate.low is not None and rate.high is not None else []
    if level:
        said.append(f"not shown to be more than {' or '.join(level)}")
    elif against:
        said.append(f"more than every floor, {_p(max(d.detail['p_holm'] for d in against.values()))}")
    if rate.missing:
        said.append(f"{rate.missing} more not run")
    reach = f" ({'; '.join(said)})" if said else ""
    return f"{rate.value or 0.0:.0%} of {rate.n} checks in {rate.tier}{reach}"


def _words(label: str, mine: Sequence[Score]) -> Iterator[str]:
    """How many of the words asked a verified listener does not hear that is told none of them."""
    rate = next((s for s in mine if (s.metric, s.group) == ("whisper_wer", "all") and s.value is not None), None)
    if rate is None or rate.value is None or rate.note:
        return
    reach = f", {rate.low:.0%} to {rate.high:.0%}" if rate.low is not None and rate.high is not None else ""
    yield (
        f"Of the {rate.n} words that {label} was asked to say, Whisper tiny.en, which is told none of them, "
        f"does not hear {round(rate.value * rate.n)} ({rate.value:.0%}{reach})."
    )


def _over_tiers(mine: Sequence[Score]) -> str:
    trend = next((s for s in mine if s.metric == "tier_trend" and s.value is not None), None)
    return f"; over the tiers, {trend.note}" if trend else ""


def _side_by_side(differences: Sequence[Score]) -> str:
    """The models with one another: the largest difference that is shown, or that none is."""
    between = [d for d in differences if not end_name(d.model) and not end_name(_other(d))]
    if not between:
        return ""
    shown = sorted(
        (d for d in between if d.detail["p_holm"] < ALPHA and d.n >= FEW), key=lambda d: -abs(d.value or 0.0)
    )
    if not shown:
        least = min(d.n for d in between)
        return f"No difference between the models that this n can show ({least} probes and more, paired)."
    first = shown[0]
    better, worse = (first.model, _other(first)) if (first.value or 0.0) > 0 else (_other(first), first.model)
    rest = len(between) - len(shown)
    more = f"; {rest} of {len(between)} comparisons show no difference" if rest else ""
    return (
        f"{better} passes {100 * abs(first.value or 0.0):.0f} points more of the checks in {first.tier} than {worse} "
        f"({_p(first.detail['p_holm'])}, {first.n} probes, paired){more}."
    )


def _shown(difference: Score) -> bool:
    return difference.value is not None and difference.value > 0 and bool(difference.detail["p_holm"] < ALPHA)


def _other(difference: Score) -> str:
    """The model that a difference is to."""
    return difference.group.removeprefix("vs:").partition(", ")[0]


def _p(p: float) -> str:
    return "p < 0.001" if p < 0.001 else f"p = {p:.2g}"
