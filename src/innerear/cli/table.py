"""The summary of a run on the terminal: one row per model and tier."""

from __future__ import annotations

from collections.abc import Sequence

from innerear.embed import is_perceptual
from innerear.records import ALL, Completion, Score
from innerear.scores.checks import FEW
from innerear.scores.ends import end_name
from innerear.text import entrant_names


def heard_by(scores: Sequence[Score]) -> list[str]:
    """The embedders whose distances are in the table: all with values; `mel` only if there is no other."""
    asked = [s for s in scores if s.metric == "kad"]
    names = list(dict.fromkeys(s.embedder for s in asked if s.value is not None))
    return [name for name in names if is_perceptual(name)] or names or [s.embedder for s in asked[:1]]


def said_of_distances(scores: Sequence[Score]) -> str:
    """By which embedders the distances of the table are, or why there are none: the reason of the largest set."""
    asked = [s for s in scores if s.metric == "kad"]
    if any(s.value is not None for s in asked):
        return f"distances use {', '.join(heard_by(scores))}"
    if asked:
        return f"no distances: {max(asked, key=lambda s: s.n).note}"
    return "no distances: no sound was embedded, or there are no recordings of what the probes ask for"


def once_each(entrants: Sequence[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """The names of models and strategies; a floor or ceiling, which is the same in every language, only once."""
    shown: dict[str, str] = {}
    kept = [
        (model, strategy)
        for model, strategy in dict.fromkeys(entrants)
        if end_name(model) is None or shown.setdefault(model, strategy) == strategy
    ]
    return dict(zip(kept, entrant_names(kept), strict=True))


def headline(scores: Sequence[Score]) -> list[list[str]]:
    """The rows of the table at the end of a run: model, tier or kind, rates, checks passed, FAD, KAD.

    Distances use the embedders that `heard_by` returns, a row for each.
    """
    table = []
    ears = heard_by(scores)
    groups = dict.fromkeys(
        (s.model, s.strategy, s.tier)
        for s in scores
        if s.metric not in ("agreement", "tier_trend", "checks_difference", "identity_difference")
    )
    named = once_each([(model, strategy) for model, strategy, _ in groups])
    for model, strategy, tier in groups:
        if (model, strategy) not in named:
            continue
        own = [s for s in scores if (s.model, s.strategy, s.tier) == (model, strategy, tier)]
        rates = {s.metric: s for s in own if s.group == ALL}
        distances: dict[str, dict[str, Score]] = {}
        for s in own:
            if s.metric in ("fad", "kad") and s.embedder in ears:
                against = f"{s.group}, {s.embedder}" if len(ears) > 1 else str(s.group)
                distances.setdefault(against, {})[s.metric] = s
        for index, (against, pair) in enumerate((distances or {"": {}}).items()):
            first = index == 0
            table.append(
                [
                    named[model, strategy] if first else "",
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


ASKED = ["model", "answers", "tokens in", "tokens out", "USD", "retries", "seconds each"]


def asked(completions: Sequence[Completion]) -> list[list[str]]:
    """What asking took, one row per model and strategy that has tokens, a cost or retries; "–" if it is not known."""
    table = []
    entrants = list(dict.fromkeys((row.model, row.strategy) for row in completions))
    for entrant, name in zip(entrants, entrant_names(entrants), strict=True):
        rows = [row for row in completions if (row.model, row.strategy) == entrant]
        if not any(row.usage or row.usd is not None or row.retries for row in rows):
            continue
        usd = [row.usd for row in rows if row.usd is not None]
        seconds = [row.seconds for row in rows if row.seconds is not None]
        tokens = [
            f"{sum(row.usage.get(name, 0) for row in rows if row.usage):,}" if any(row.usage for row in rows) else "–"
            for name in ("prompt_tokens", "completion_tokens")
        ]
        each = f"{sum(seconds) / len(seconds):.1f}" if seconds else "–"
        cost = f"{sum(usd):.4f}" if usd else "–"
        table.append([name, str(len(rows)), *tokens, cost, str(sum(row.retries for row in rows)), each])
    return table


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
