"""Speech scores by networks: the word error rate of Whisper (`scores.heard`), and DNSMOS, which counts nowhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from innerear.metrics import measure as metrics
from innerear.records import Measurement, Score
from innerear.scores.groups import Group
from innerear.scores.heard import word_scores
from innerear.scores.summaries import Better, average

Rows = Mapping[str, Sequence[tuple[str, Measurement]]]
"""The rows of a group by metric, each with its probe's id."""

LOW_TRUST = "low trust, not in headlines"


def network_scores(group: Group, rows: Rows) -> Iterator[Score]:
    """The scores of a group: word error rate if probes request texts, DNSMOS if it was measured."""
    yield from word_scores(group, rows)
    if found := rows.get("dnsmos"):
        opinions = [(probe, row) for probe, row in found if row.value is not None]
        parts = {part: [row.detail[part] for _, row in opinions if part in row.detail] for part in ("sig", "bak")}
        detail = {part: float(np.mean(values)) for part, values in parts.items() if values}
        yield _mean(
            group, "dnsmos", [(probe, row.value) for probe, row in opinions], len(group.items), "higher",
            note=_note(found, LOW_TRUST), detail=detail,
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
