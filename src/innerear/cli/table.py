"""The summary of a run on the terminal: one row per model and tier."""

from __future__ import annotations

from collections.abc import Sequence

from innerear.embed import is_perceptual
from innerear.records import ALL, Score
from innerear.scores.checks import FEW


def heard_by(scores: Sequence[Score]) -> str:
    """The embedder for the distances in the table: the first one with values; `mel` only if there is no other."""
    names = [(s.value is None, s.embedder) for s in scores if s.metric == "kad"]
    return min(names, key=lambda named: (named[0], not is_perceptual(named[1])), default=(True, ""))[1]


def headline(scores: Sequence[Score]) -> list[list[str]]:
    """The rows of the table at the end of a run: model, tier or kind, rates, checks passed, FAD, KAD.

    Distances use the embedder that `heard_by` returns.
    """
    table = []
    by = heard_by(scores)
    groups = dict.fromkeys(
        (s.model, s.tier)
        for s in scores
        if s.metric not in ("agreement", "tier_trend", "checks_difference", "identity_difference")
    )
    for model, tier in groups:
        own = [s for s in scores if (s.model, s.tier) == (model, tier)]
        rates = {s.metric: s for s in own if s.group == ALL}
        distances: dict[str, dict[str, Score]] = {}
        for s in own:
            if s.metric in ("fad", "kad") and s.embedder == by:
                distances.setdefault(s.group, {})[s.metric] = s
        for index, (against, pair) in enumerate((distances or {"": {}}).items()):
            first = index == 0
            table.append(
                [
                    model if first else "",
                    tier if first else "",
                    *(_share(rates.get(name)) if first else "" for name in ("audio", "audible", "right_length")),
                    _checks(rates.get("checks")) if first else "",
                    against,
                    _distance(pair.get("fad")),
                    _distance(pair.get("kad")),
                ]
            )
    return table


HEADINGS = ["model", "tier", "audio", "audible", "length", "checks", "against", "FAD  real…noise", "KAD  real…noise"]


def _checks(score: Score | None) -> str:
    """The share of checks passed and how many were not run; a count instead of a share if fewer than `FEW` were run."""
    if score is None or not score.n:
        return "–"
    count = f"{_share(score)} of {score.n}" if score.n >= FEW else f"{(score.value or 0) * score.n:.0f} of {score.n}"
    return f"{count}, {score.missing} not run" if score.missing else count


def _share(score: Score | None) -> str:
    return "–" if score is None or score.value is None else f"{score.value:.0%}"


def _distance(score: Score | None) -> str:
    if score is None or score.value is None:
        return "–"
    ends = [score.ceiling.get("real"), score.floor.get("noise")]
    return f"{score.value:z.1f}  {'…'.join('–' if end is None else f'{end:z.1f}' for end in ends)}"
