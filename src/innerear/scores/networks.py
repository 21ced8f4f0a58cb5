"""Speech scores by networks (Whisper, DNSMOS); they are shown, but give no verdict and count in no headline.

Word error rate: the mean over sounds of each sound's rate, capped at 1, so that every probe has equal
weight and hallucinated words cost no more than silence. A missing sound has a rate of 1. If Whisper is
not available, the score says so and has no value.
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

UNVERIFIED = "not in headlines: not verified with published weights"
LOW_TRUST = "low trust, not in headlines"
NOT_ASKED = f"{metrics.UNAVAILABLE}: not measured yet; run `innerear measure RUN`"


def network_scores(group: Group, rows: Rows) -> Iterator[Score]:
    """The scores of a group: word error rate if probes request texts, DNSMOS if it was measured."""
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
    """The note of a score, preceded by why a row could not be measured, if any could not."""
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
