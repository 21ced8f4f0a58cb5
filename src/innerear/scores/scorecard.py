"""The scorecard: four questions in three tiers, one cell each, from the scores of a run.

| question | cell |
|---|---|
| runs | share of programs that run and leave a sound |
| right | share of checks passed; in speech, the share of words recognised by a recogniser that is told no text |
| real | AUC of a classifier that tells the sounds from recordings: 0.5 if it cannot, 1 if it always can |
| varied | spread of several answers to one probe, relative to recordings of one class |

A cell holds one score of one kind and never an average of several; the other scores that answer the same question are
in `also`. Everything that shows a scorecard (terminal, page, exports, Inspect AI, leaderboard) takes it from here.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from innerear.records import ALL, TIERS, Score
from innerear.scores.cells import Cell, Row
from innerear.scores.ends import PLAIN_FLOORS, end_name
from innerear.scores.scorecard_words import sentence
from innerear.text import entrant_names

EARS = ("aisfx", "yamnet")
"""Embedders by how well they tell made sounds from recordings (docs/realism.md); the first with a value is shown."""
POWER = 2.8016  # standard errors: 5 % two-sided and a power of 80 %, (1.9600 + 0.8416)
INTERVAL = 1.9600  # standard errors from the middle to the end of a 95 % interval


def scorecard(scores: Sequence[Score]) -> list[Row]:
    """One row per model and strategy, models before floors and ceilings."""
    entrants = dict.fromkeys((s.model, s.strategy) for s in scores if s.tier in TIERS and s.model != "all models")
    rows = []
    for (model, strategy), name in zip(entrants, entrant_names(list(entrants)), strict=True):
        own = [s for s in scores if (s.model, s.strategy) == (model, strategy)]
        cells = [cell for tier in TIERS for cell in _cells(tier, [s for s in own if s.tier == tier])]
        if cells:
            rows.append(Row(model, strategy, end_name(model), cells, sentence(name, cells)))
    return marked(sorted(rows, key=lambda row: row.end is not None))


def marked(rows: Sequence[Row]) -> list[Row]:
    """Rows of one table, each cell with the number of checks that another row has more of."""
    most: dict[tuple[str, str, str], int] = {}
    for row in rows:
        for cell in row.cells:
            key = (cell.question, cell.tier, cell.metric)
            most[key] = max(most.get(key, 0), cell.n)

    def mark(cell: Cell) -> Cell:
        counts = cell.value is not None and cell.question in ("runs", "right")
        fewer = most[cell.question, cell.tier, cell.metric] - cell.n if counts else 0
        return msgspec.structs.replace(cell, fewer=fewer)

    return [msgspec.structs.replace(row, cells=[mark(cell) for cell in row.cells]) for row in rows]


def _cells(tier: str, own: Sequence[Score]) -> list[Cell]:
    """The four cells of one model in one tier; none if it has no scores there."""
    if not own:
        return []
    return [_runs(tier, own), _right(tier, own), _real(tier, own), _varied(tier, own)]


def _runs(tier: str, own: Sequence[Score]) -> Cell:
    ran = _find(own, "audio")
    if ran is None:
        return Cell(
            question="runs", tier=tier, metric="audio", measure="programs that run and leave a sound", note="no scores"
        )
    return _of(ran, "runs", "programs that run and leave a sound", "programs", floor=0.0, ceiling=1.0)


def _right(tier: str, own: Sequence[Score]) -> Cell:
    checks, errors = _find(own, "checks"), _find(own, "whisper_wer")
    passed = (
        _of(checks, "right", "checks passed", "checks", **_ends(checks))
        if checks
        else Cell(
            question="right", tier=tier, metric="checks", measure="checks passed", note="no check of this tier counts"
        )
    )
    differences = [s for s in own if s.metric == "checks_difference" and not end_name(s.group.name)]
    if visible := [s.detail["visible"] for s in differences if s.detail.get("visible") is not None]:
        passed = msgspec.structs.replace(passed, visible=max(visible), paired=True)
    if errors is None or errors.value is None:
        return passed
    words = _words(errors)
    return msgspec.structs.replace(words, also=[passed])


def _words(errors: Score) -> Cell:
    """The share of words recognised, from a word error rate; never below 0, as insertions can exceed the words."""

    def turned(value: float | None) -> float | None:
        return None if value is None else max(0.0, 1.0 - value)

    floors = {name: turned(value) for name, value in errors.floor.items() if name in PLAIN_FLOORS}
    right = msgspec.structs.replace(
        errors, value=turned(errors.value), low=turned(errors.high), high=turned(errors.low), better="higher",
        floor=floors, ceiling={name: turned(value) for name, value in errors.ceiling.items()}, unit="share",
    )  # fmt: skip
    return _of(right, "right", "words recognised, told no text", "words", **_ends(right))


def _real(tier: str, own: Sequence[Score]) -> Cell:
    kinds = _kinds(own, "told_from_real")
    shown = [_told(s) for s in kinds]
    if not shown:
        told = _find(own, "told_from_real")
        why = told.note if told else "no embedder of levelled sounds was used: innerear weights pull aisfx"
        return Cell(
            question="real", tier=tier, metric="told_from_real", measure=TOLD, unit="AUC", better="lower", note=why
        )
    return msgspec.structs.replace(shown[0], also=shown[1:])


TOLD = "told from recordings, AUC"
SPREAD = "spread, recordings have 1"


def _told(score: Score) -> Cell:
    noise, real = score.floor.get("noise"), score.ceiling.get("real")
    return _of(
        score, "real", f"{TOLD}, {score.group} by {score.embedder}", "sounds",
        floor=1.0 if noise is None else noise, floor_by="" if noise is None else "noise",
        ceiling=0.5 if real is None else real, ceiling_by="" if real is None else "real",
    )  # fmt: skip


def _varied(tier: str, own: Sequence[Score]) -> Cell:
    kinds = _kinds(own, "spread")
    ends: dict[str, float | str] = {"floor": 0.0, "floor_by": "copies", "ceiling": 1.0, "ceiling_by": "real"}
    shown = [_of(s, "varied", f"{SPREAD}, {s.group} by {s.embedder}", "sounds", **ends) for s in kinds]
    if not shown or shown[0].value is None:
        notes = [s.note for s in own if s.metric in ("vendi", "spread", "identical_programs") and s.note]
        return Cell(
            question="varied", tier=tier, metric="spread", measure=SPREAD, unit="",
            note=next((n for n in notes if "attempts" in n), notes[0] if notes else "needs --attempts 5"),
        )  # fmt: skip
    return msgspec.structs.replace(shown[0], also=shown[1:])


def _kinds(own: Sequence[Score], metric: str) -> list[Score]:
    """The scores of a metric per kind of recording: those with a value first, then the largest kind, then by ear."""

    def ear(score: Score) -> int:
        return EARS.index(score.embedder) if score.embedder in EARS else len(EARS)

    found = [s for s in own if s.metric == metric and f"|ref:{s.group}" in s.signature]  # not those of families
    largest: dict[str, int] = {}
    for s in found:
        largest[s.group] = max(largest.get(s.group, 0), s.n + s.missing)
    return sorted(found, key=lambda s: (s.value is None, -largest[s.group], s.group, ear(s)))


def _find(own: Sequence[Score], metric: str) -> Score | None:
    return next((s for s in own if s.metric == metric and s.group == ALL), None)


def _ends(score: Score) -> dict[str, float | str]:
    """The highest plain floor of a rate, and the ceiling `real`, by default 0 and 1."""
    floors = [(value, name) for name, value in score.floor.items() if name in PLAIN_FLOORS and value is not None]
    low, low_by = max(floors, default=(0.0, ""))
    real = score.ceiling.get("real")
    if real is None or real <= low:
        return {"floor": low, "floor_by": low_by, "ceiling": 1.0}
    return {"floor": low, "floor_by": low_by, "ceiling": real, "ceiling_by": "real"}


def _of(score: Score, question: str, measure: str, of: str, **ends: float | str | None) -> Cell:
    measured = score.value is not None and score.n > 0
    error = None if score.low is None or score.high is None else (score.high - score.low) / (2 * INTERVAL)
    cell = Cell(
        question=question, tier=score.tier, metric=score.metric, measure=measure,
        kind=score.group.name, value=score.value if measured else None, unit=score.unit,
        better=score.better, low=score.low, high=score.high, n=score.n, of=of, missing=max(0, score.missing),
        note=score.note, signature=score.signature, visible=None if error is None else POWER * 2**0.5 * error,
    )  # fmt: skip
    return msgspec.structs.replace(cell, **ends)
