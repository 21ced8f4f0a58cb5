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

from innerear.records import ALL, TIERS, Better, Score
from innerear.scores.checks import FEW
from innerear.scores.ends import PLAIN_FLOORS, end_name
from innerear.text import counted, entrant_names

QUESTIONS = {
    "runs": "Does the program run?",
    "right": "Is it what was asked?",
    "real": "Could it be a recording?",
    "varied": "Do several answers differ?",
}
EARS = ("aisfx", "yamnet")
"""Embedders by how well they tell made sounds from recordings (docs/realism.md); the first with a value is shown."""
POWER = 2.8016  # standard errors: 5 % two-sided and a power of 80 %, (1.9600 + 0.8416)
INTERVAL = 1.9600  # standard errors from the middle to the end of a 95 % interval


class Cell(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One score as the answer to one question, with what it is to be compared with.

    `value` is `None` if it was not measured; `note` then says why and what to do. `kind` is the kind of sounds that the
    value is about, empty for the whole tier; `of` is what `n` counts. `fewer` is how many more another system of the
    table has. `visible` is the smallest difference between two systems that would have been
    seen (5 %, power 80 %): paired by probe if the run has two models, else of two independent systems with this
    interval.
    """

    question: str
    tier: str
    metric: str
    measure: str
    kind: str = ""
    value: float | None = None
    unit: str = "share"
    better: Better = "higher"
    low: float | None = None
    high: float | None = None
    n: int = 0
    of: str = "sounds"
    missing: int = 0
    fewer: int = 0
    floor: float | None = None
    floor_by: str = ""
    ceiling: float | None = None
    ceiling_by: str = ""
    visible: float | None = None
    paired: bool = False
    note: str = ""
    signature: str = ""
    also: list[Cell] = []

    @property
    def few(self) -> bool:
        """Whether n is too small to read the value as more than a count."""
        return self.value is not None and self.n < FEW

    @property
    def not_run(self) -> int:
        """Checks that did not run here, or what another system of the table has more of, if that is more."""
        return max(self.fewer, self.missing if self.metric == "checks" else 0)

    @property
    def lacks(self) -> str:
        """`not_run` in words; empty if it is 0."""
        how = "not run" if self.metric == "checks" else "fewer"
        return f"{counted(self.not_run, self.of.removesuffix('s'))} {how}" if self.not_run else ""

    def place(self, value: float | None) -> float | None:
        """Where a value is between floor (0) and ceiling (1), cut off at both; `None` without both."""
        if value is None or self.floor is None or self.ceiling is None or self.floor == self.ceiling:
            return None
        return min(1.0, max(0.0, (value - self.floor) / (self.ceiling - self.floor)))


class Row(msgspec.Struct, frozen=True):
    """The cells of one model and strategy. `end`: the floor or ceiling that it is, if it is one. `said`: in words."""

    model: str
    strategy: str
    end: str | None
    cells: list[Cell]
    said: str

    def cell(self, question: str, tier: str) -> Cell | None:
        """The answer to a question in a tier, if the run has the tier."""
        return next((cell for cell in self.cells if (cell.question, cell.tier) == (question, tier)), None)


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


def tiers_of(rows: Sequence[Row]) -> list[str]:
    """The tiers that rows have cells of."""
    return [tier for tier in TIERS if any(cell.tier == tier for row in rows for cell in row.cells)]


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


def sentence(model: str, cells: Sequence[Cell]) -> str:
    """What a model's cells say, in one sentence of plain words without a test or an interval.

    An AUC is the share of pairs of one made sound and one recording in which the classifier knows which is which.
    """
    measured = [cell for cell in cells if cell.value is not None]

    def per_tier(question: str, metric: str) -> list[Cell]:
        return [cell for cell in measured if (cell.question, cell.metric) == (question, metric)]

    ran, checks, words, told, varied = (
        per_tier(*one)
        for one in (
            ("runs", "audio"), ("right", "checks"), ("right", "whisper_wer"), ("real", "told_from_real"),
            ("varied", "spread"),
        )
    )  # fmt: skip
    parts = []
    if ran:
        total = sum(cell.n for cell in ran)
        good = sum(map(_count, ran))
        how_many = f"{'all' if good == total else f'{good} of'} {total} programs run"
        parts.append(how_many if total > 1 else f"its one program {'runs' if good else 'does not run'}")
    if checks:
        shares = [
            f"{_right_share(cell, first=not place)} in {cell.tier}{_partly(cell)}" for place, cell in enumerate(checks)
        ]
        parts.append(f"it passes {_listed(shares)}")
    for cell in words:
        share = f"{_count(cell)} {'is' if _count(cell) == 1 else 'are'}" if cell.few else f"{_percent(cell.value)} are"
        heard = f"of the {cell.n} words it says, {share} recognised"
        if cell.n == 1:
            heard = f"the one word it says is {'' if _count(cell) else 'not '}recognised"
        parts.append(f"{heard} by a recogniser that is told no text")
    enough = [cell for cell in told if not cell.few]
    if enough:
        shares = [
            f"{100 * (cell.value or 0.0):.0f}{' times' * (not place)} in 100 for {cell.kind}"
            for place, cell in enumerate(enough)
        ]
        parts.append(f"given one of its sounds and a recording, a classifier knows which is which {_listed(shares)}")
    if varied:
        shares = [
            f"{_percent(cell.value)}{'' if place else ' as much as recordings do'} for {cell.kind}"
            for place, cell in enumerate(varied)
        ]
        parts.append(f"its answers to one request differ {_listed(shares)}")
    return f"{model}: {'; '.join(parts)}." if parts else f"{model}: nothing was measured."


def _right_share(cell: Cell, first: bool) -> str:
    if cell.few:
        return f"{_count(cell)} of {counted(cell.n, 'check') if first else cell.n}"
    return f"{_percent(cell.value)}{' of the checks' if first else ''}"


def _count(cell: Cell) -> int:
    return round((cell.value or 0.0) * cell.n)


def _partly(cell: Cell) -> str:
    return f" ({cell.n} of {cell.n + cell.missing} could be run)" if cell.missing else ""


def _percent(value: float | None) -> str:
    return f"{100 * (value or 0.0):.0f} %"


def _listed(parts: Sequence[str]) -> str:
    *first, last = parts
    return f"{', '.join(first)} and {last}" if first else last


def figure(cell: Cell, value: float | None) -> str:
    """A value of a cell as text: shares in per cent, others with two decimals.

    >>> figure(Cell(question="right", tier="notes", metric="checks", measure="", unit="share"), 0.953)
    '95 %'
    """
    if value is None:
        return "–"
    return _percent(value) if cell.unit == "share" else f"{value:.2f}"


def headline(cell: Cell) -> str:
    """The value of a cell as text: a share of few is a count."""
    return f"{_count(cell)} of {cell.n}" if cell.few and cell.unit == "share" else figure(cell, cell.value)


def text(cell: Cell | None) -> str:
    """A cell in one line: value, interval, n, and a mark if not all checks ran."""
    if cell is None:
        return ""
    if cell.value is None:
        return "not measured"
    if cell.few and cell.unit == "share":
        return f"{_count(cell)} of {counted(cell.n, cell.of.removesuffix('s'))}{'†' if cell.not_run else ''}"
    reach = (
        f" [{figure(cell, cell.low).removesuffix(' %')}, {figure(cell, cell.high).removesuffix(' %')}]"
        if cell.low is not None and cell.high is not None
        else ""
    )
    return f"{figure(cell, cell.value)}{reach}, n {cell.n}{'†' if cell.not_run else ''}"


def legend(rows: Sequence[Row]) -> list[str]:
    """The lines below a scorecard: what each cell is, the smallest visible differences, and what is marked."""
    lines = []
    shown = [row for row in rows if row.end is None] or list(rows)
    cells = [cell for row in shown for cell in row.cells]
    several = len(tiers_of(shown)) > 1
    for question in QUESTIONS:
        mine = [cell for cell in cells if cell.question == question]
        measures = dict.fromkeys(f"{cell.tier}: {cell.measure}" for cell in mine if cell.value is not None)
        one = {cell.measure for cell in mine if cell.value is not None}
        why: dict[str, list[str]] = {}
        for cell in mine:
            if cell.value is None and cell.note and cell.tier not in why.setdefault(cell.note, []):
                why[cell.note].append(cell.tier)
        said = next(iter(one)) if len(one) == 1 else "; ".join(measures)
        where = {note: f" in {_listed(tiers)}" if several else "" for note, tiers in why.items()}
        gone = "; ".join(f"not measured{place}: {note}" for note, place in where.items())
        lines.append(f"{question}: {'; '.join(filter(None, [said, gone])) or 'not measured'}")
    if seen := visible_differences(shown):
        lines.append(f"smallest visible difference between two systems (5 %, power 80 %): {seen}")
    marked_cells = [cell for cell in cells if cell.not_run and cell.value is not None]
    if marked_cells:
        listed = "; ".join(dict.fromkeys(f"{cell.tier}: {cell.lacks}" for cell in marked_cells))
        lines.append(f"† not all checks could be run, or another system of this table has more ({listed})")
    return lines


def visible_differences(rows: Sequence[Row]) -> str:
    """The smallest visible difference of the question `right`, per tier: the largest of the rows."""
    found = []
    for tier in tiers_of(rows):
        cells = [c for row in rows if (c := row.cell("right", tier)) and c.visible and c.value is not None]
        if cells:
            worst = max(cells, key=lambda cell: cell.visible or 0.0)
            found.append(f"{tier} {100 * (worst.visible or 0.0):.0f} points{'' if worst.paired else ', unpaired'}")
    return "; ".join(found)
