"""Graded identity: how clearly sounds are what was asked, and how typical of it.

Both use the measurements of `label` and `instrument` whose check counts. A missing or silent sound has 0.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from innerear.checks import Check, Instrument, Label
from innerear.metrics.verified import in_headline
from innerear.records import Measurement, Score
from innerear.scores.checks import Judged
from innerear.scores.groups import Group
from innerear.scores.summaries import average

GRADES = ("identity", "typicality")


def identity_scores(group: Group, judged: Judged) -> list[Score]:
    """The mean grade and the mean typicality of a group, over the checks that count."""
    scores = []
    for name in GRADES:
        values = [(probe, value) for probe, some in grades(group, judged, name).items() for value in some]
        asked = sum(isinstance(check, Label | Instrument) for item in group.items for check in item.probe.expect)
        if values:
            signature = f"{name}|label,instrument:counted|v:1|mean"
            more: dict[str, Any] = {"ceiling": {"real_clips": 0.5}} if name == "typicality" else {}
            scores.append(
                average(
                    group, name, values, asked - len(values), signature, share=True,
                    unit="share", better="higher", **more,
                )
            )  # fmt: skip
    return scores


def grades(group: Group, judged: Judged, name: str) -> dict[str, list[float]]:
    """By probe, the grades of its sounds: 0 to 1, one per check and attempt."""
    found: dict[str, list[float]] = {}
    for item in group.rendered:
        for check, row in judged.get(item.completion.key, []):
            if _is_graded(check, row, item.probe.tier):
                found.setdefault(item.probe.id, []).append(float(row.detail.get(name, 0.0)))
    return found


def mean_grades(group: Group, judged: Judged) -> dict[str, float]:
    """By probe, the mean grade of its sounds."""
    return {probe: float(np.mean(values)) for probe, values in grades(group, judged, "identity").items()}


def _is_graded(check: Check, row: Measurement, tier: str) -> bool:
    if not isinstance(check, Label | Instrument) or row.passed is None:
        return False
    return in_headline(check, tier, row.detail)[0]  # type: ignore[arg-type]
