"""Graded identity: how clearly sounds are what was asked, and how typical of it.

Both use the measurements of `label` and `instrument` whose check counts. A missing or silent sound has 0.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from innerear.checks import Instrument, Label
from innerear.metrics.group import Group
from innerear.metrics.verified import counts_in
from innerear.records import Score, Signature

Grade = Literal["identity", "typicality"]


def identity_scores(group: Group) -> list[Score]:
    """The mean grade and the mean typicality of a group, over the checks that count."""
    ends: dict[Grade, dict[str, Any]] = {"identity": {}, "typicality": {"ceiling": {"real_clips": 0.5}}}
    scores = []
    for name, more in ends.items():
        values = [(probe, value) for probe, some in grades(group, name).items() for value in some]
        if values:
            signature = Signature.of(name, "label,instrument:counted", v=1).plus("mean")
            scores.append(
                group.average(name, values, len(values), signature, share=True, unit="share", better="higher", **more)
            )
    return scores


def grades(group: Group, name: Grade) -> dict[str, list[float]]:
    """By probe, the grades of its sounds: 0 to 1, one per check and attempt."""
    found: dict[str, list[float]] = {}
    for item in group.rendered:
        for check, row in item.checked:
            graded = isinstance(check, Label | Instrument) and row.passed is not None
            if graded and counts_in(item.probe, check, row.detail)[0]:
                found.setdefault(item.probe.id, []).append(float(row.detail.get(name, 0.0)))
    return found


def mean_grades(group: Group) -> dict[str, float]:
    """By probe, the mean grade of its sounds."""
    return {probe: float(np.mean(values)) for probe, values in grades(group, "identity").items()}
