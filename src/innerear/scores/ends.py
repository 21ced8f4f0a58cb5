"""Floors and ceilings: which baselines are the ends of the scale of a score."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from innerear.records import Score
from innerear.stats import normalised

FLOORS = ("silence", "noise", "sine", "swap", "informed")
PLAIN_FLOORS = ("silence", "noise", "sine", "swap")  # what a scale starts from; `informed` stands beside it
ENDED = ("share", "WER")
"""Units of the rates that have the baselines as floors and ceilings."""
CEILINGS = ("real", "sampler", "flite", "espeak-ng")


def with_ends(scores: Sequence[Score]) -> list[Score]:
    """Pass rates with the baselines of the run as floors and ceilings, and where they lie between.

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
