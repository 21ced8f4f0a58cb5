"""A scorecard in words: its figures, the sentence on a model, and the lines below the table."""

from __future__ import annotations

from collections.abc import Sequence

from innerear.scores.cells import QUESTIONS, Cell, Row, tiers_of
from innerear.text import counted


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
