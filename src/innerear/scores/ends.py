"""Floors and ceilings: the baselines that a score is compared with."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from innerear.ask.models.baselines import BASELINES
from innerear.metrics import real_speech
from innerear.records import Score
from innerear.stats import normalised

_FLOORS = {name: entry for name, entry in BASELINES.items() if entry.end == "floor"}
PLAIN_FLOORS = (*(name for name, entry in _FLOORS.items() if not entry.knows), "swap")  # the zero of the scale
FLOORS = (*PLAIN_FLOORS, *(name for name, entry in _FLOORS.items() if entry.knows))
CEILINGS = ("real", *(name for name, entry in BASELINES.items() if entry.end == "ceiling"))
ENDED = ("share", "WER")
"""Units of the rates that have the baselines as floors and ceilings."""


def with_ends(scores: Sequence[Score]) -> list[Score]:
    """Add the run's baselines to pass rates as floors and ceilings, and the normalised value.

    The normalised value is 0 at the highest of silence, noise, sine and swap, and 1 at `real`, or at
    a rate of 1 if `real` is not in the run or was checked on fewer sounds. `informed`, pure tones and
    clicks made with knowledge of the checks, is listed as a floor but does not affect the scale.

    Word error rates and thresholds in noise also have recorded speech as a ceiling, whatever the run has.
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
        score = real_speech.with_ceiling(score)
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
    """The floor or ceiling that a model name stands for; `None` for a real model."""
    if model.startswith("swap/"):
        return "swap"
    name = model.removeprefix("baseline/")
    return name if name in (*FLOORS, *CEILINGS) else None
