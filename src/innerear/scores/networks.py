"""Scores of speech by networks, which judge nothing and count in no headline: Whisper, DNSMOS.

Word error rate: the mean over sounds of the rate of each, cut at 1, so that every probe weighs alike
and no sound of which much is made up weighs more than one that is silent. A sound that is not there
says no words: 1. Where Whisper cannot be had, the score says so and has no value.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from innerear.metrics import measure as metrics
from innerear.records import Measurement, Score
from innerear.scores.groups import Group
from innerear.scores.summaries import Better, average

Rows = Mapping[str, Sequence[tuple[str, Measurement]]]
"""The rows of a group by metric, each with its probe's id."""

UNVERIFIED = "shown, in no headline: not verified with published weights"
LOW_TRUST = "low trust, shown, in no headline"
NOT_ASKED = f"{metrics.UNAVAILABLE}: no row yet; `innerear measure RUN` makes it"


def network_scores(group: Group, rows: Rows) -> Iterator[Score]:
    """The scores of a group: the word error rate where texts are asked for, DNSMOS where it was measured."""
    yield from _word_error_rates(group, rows.get("whisper_wer", ()))
    if found := rows.get("dnsmos"):
        opinions = [(probe, row) for probe, row in found if row.value is not None]
        parts = {part: [row.detail[part] for _, row in opinions if part in row.detail] for part in ("sig", "bak")}
        detail = {part: float(np.mean(values)) for part, values in parts.items() if values}
        yield _mean(
            group, "dnsmos", [(probe, row.value) for probe, row in opinions], len(group.items), "higher",
            note=_note(found, LOW_TRUST), detail=detail,
        )  # fmt: skip


def _word_error_rates(group: Group, rows: Sequence[tuple[str, Measurement]]) -> Iterator[Score]:
    metric = _metric("whisper_wer")
    asked = [item.probe for item in group.items if metric.applies(item.probe)]
    families = {probe.id: probe.family for probe in asked}
    for family in [None, *dict.fromkeys(families.values())] if asked else ():
        mine = [(probe, row) for probe, row in rows if family in (None, families[probe])]
        rates = [(probe, 1.0 if row.reason == metrics.NO_SOUND else row.value) for probe, row in mine]
        n_asked = sum(family in (None, probe.family) for probe in asked)
        yield _mean(
            group, metric.name, rates, n_asked, "lower", share=True,
            group="all" if family is None else f"family:{family}", note=_note(mine, UNVERIFIED) if mine else NOT_ASKED,
            detail={"gated": sum(row.reason == "no voice" for _, row in mine)},
        )  # fmt: skip


def _metric(name: str) -> Any:
    return metrics.find_metric(metrics.SOUND_METRICS[name])


def _note(rows: Sequence[tuple[str, Measurement]], note: str) -> str:
    """What is to be said of a score, and first what could not be measured here, and why."""
    lacking = [row.reason for _, row in rows if metrics.is_unavailable(row)]
    return "; ".join(filter(None, [lacking[0] if lacking else "", note]))


def _mean(
    of: Group, name: str, values: Sequence[tuple[str, float | None]], asked: int, better: Better, **more: Any
) -> Score:
    """The mean over the sounds that have a value."""
    valued = [(probe, value) for probe, value in values if value is not None]
    metric = _metric(name)
    how = f"{metrics.signature(metric)}|mean"
    return average(of, name, valued, asked - len(valued), how, unit=metric.unit, better=better, **more)
