"""Scores of the check `label` beyond its pass rate: beside what real recordings of the same classes reach.

Some classes fail on real recordings, so a rate stands beside the rate that recordings of the classes
asked would have: `ceiling["real_clips"]`, and `detail["relative"]`, the one over the other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence

import msgspec
import numpy as np

from innerear.checks import Label
from innerear.metrics.classes import TOP, Class, LabelCheck, places, shipped
from innerear.records import Measurement, Score
from innerear.scores.groups import Group
from innerear.scores.summaries import rate

Row = tuple[str, Label, Measurement]
"""A probe, what it asks, and what was found."""


def with_classes(group: Group, found: Score, rows: Sequence[Row], asked: int) -> Iterator[Score]:
    """`found`, the pass rate, beside real recordings and with who was heard for whom; then two stricter and looser.

    `label_alone`: as the very class, merges not counted. `label_top5`: within the first five.
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
    return rate(group, metric, passes, asked - len(passes), f"{metric}|v:{LabelCheck.version}")


def _beside(score: Score, rows: Sequence[Row], real: Callable[[Class], float], detail: Mapping[str, object]) -> Score:
    if score.value is None or not rows:
        return score
    reached = float(np.mean([real(shipped()[places()[check.label]]) for _, check, _ in rows]))
    ceiling = {**score.ceiling, "real_clips": reached}
    if reached:
        detail = {**detail, "relative": score.value / reached}
    return msgspec.structs.replace(score, ceiling=ceiling, detail={**score.detail, **detail})
