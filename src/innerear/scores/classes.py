"""Scores of the check `label` relative to real recordings of the same classes.

The tagger fails on real recordings of some classes, so each rate comes with the rate of real
recordings of the requested classes, `ceiling["real_clips"]`, and with the ratio of the two,
`detail["relative"]`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence

import msgspec
import numpy as np

from innerear.checks import Label
from innerear.metrics.classes import TOP, Class, LabelCheck, places, shipped
from innerear.metrics.group import Group
from innerear.records import Measurement, Score

Row = tuple[str, Label, Measurement]
"""A probe's id, its check, and the measurement."""


def with_classes(group: Group, found: Score, rows: Sequence[Row], asked: int) -> Iterator[Score]:
    """The pass rate with its real-recording ceiling and confusion matrix, then a stricter and a looser rate.

    `label_alone`: exactly the requested class, without merges. `label_top5`: within the first five.
    """
    rows = [row for row in rows if row[1].label in places()]
    confusion: dict[str, Counter[str]] = {}
    for _, check, row in rows:
        confusion.setdefault(check.label, Counter())[row.detail.get("heard") or "none"] += 1
    detail = {"confusion": {label: dict(heard) for label, heard in confusion.items()}}
    yield _beside(found, rows, lambda one: one.real, detail)
    alone = [(probe, row.detail.get("heard") == check.label) for probe, check, row in rows]
    first = [(probe, row.detail.get("rank", len(places())) <= TOP) for probe, check, row in rows]
    yield _beside(_rate(group, "label_alone", alone, asked), rows, lambda one: one.real_alone, {})
    yield _beside(_rate(group, "label_top5", first, asked), rows, lambda one: one.real_top5, {})


def _rate(group: Group, metric: str, passes: Sequence[tuple[str, bool]], asked: int) -> Score:
    return group.rate(metric, passes, asked - len(passes), f"{metric}|v:{LabelCheck.version}")


def _beside(score: Score, rows: Sequence[Row], real: Callable[[Class], float], detail: Mapping[str, object]) -> Score:
    if score.value is None or not rows:
        return score
    reached = float(np.mean([real(shipped()[places()[check.label]]) for _, check, _ in rows]))
    ceiling = {**score.ceiling, "real_clips": reached}
    if reached:
        detail = {**detail, "relative": score.value / reached}
    return msgspec.structs.replace(score, ceiling=ceiling, detail={**score.detail, **detail})
