"""Scores as tables for a paper, one per tier, independent of the output format (`formats`).

Every number comes with its 95 % interval and n; signatures are in the notes below the table, once
per column. The n in the signature of a distance is left out of the notes, as the cells have it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from innerear import stages
from innerear.errors import UsageError
from innerear.records import ALL, TIERS, Scope, Score, Signature
from innerear.run.run import Run
from innerear.scores.ends import CEILINGS, FLOORS, end_name
from innerear.text import distinct

METRICS = ("audible", "checks", "fad", "kad", "clap")
"""The default columns of Markdown and LaTeX."""


@dataclass(frozen=True)
class Scored:
    """The scores of one run, and its name in the tables."""

    run: str
    scores: Sequence[Score]


def scored(folders: Sequence[Path]) -> list[Scored]:
    """The scores of each run, recomputed if stale; equal names are numbered."""
    runs = [Run(folder) for folder in folders]
    names = distinct([run.folder.resolve().name for run in runs])
    return [Scored(name, stages.score(run)) for name, run in zip(names, runs, strict=True)]


def choose(runs: Sequence[Scored], metrics: Sequence[str] = (), tiers: Sequence[str] = ()) -> list[Scored]:
    """Select metrics and tiers; all if none are named.

    Raises:
        UsageError: no run has such a metric or tier.
    """
    for option, wanted, known in (
        ("--metric", metrics, {score.metric for run in runs for score in run.scores}),
        ("--tier", tiers, {score.tier for run in runs for score in run.scores}),
    ):
        if unknown := [name for name in wanted if name not in known]:
            raise UsageError(f"{option} {unknown[0]!r} is unknown; choose from {', '.join(sorted(known))}")
    return [
        Scored(
            run.run,
            [s for s in run.scores if (not metrics or s.metric in metrics) and (not tiers or s.tier in tiers)],
        )
        for run in runs
    ]


def bare(signature: str) -> str:
    """A signature without its n; scores with the same bare signature share a column.

    >>> bare("fad|emb:mel@1|ref:notes@ab|n:64clips,640frames|ci:jackknife20-clips|v:1")
    'fad|emb:mel@1|ref:notes@ab|ci:jackknife20-clips|v:1'
    """
    return str(Signature.parse(signature).without("n"))


@dataclass(frozen=True)
class Column:
    """A metric of one group, computed in one way."""

    metric: str
    group: Scope
    signature: str
    unit: str
    better: str

    @classmethod
    def of(cls, score: Score) -> Column:
        """The column of a score."""
        return cls(score.metric, score.group, bare(score.signature), score.unit, score.better)

    @property
    def name(self) -> str:
        """The metric with its unit, and an arrow in the better direction."""
        name = self.metric.upper() if self.metric in ("fad", "kad", "clap") else self.metric.replace("_", " ")
        unit = "%" if self.unit == "share" else self.unit
        arrow = {"higher": "↑", "lower": "↓"}.get(self.better, "")
        return " ".join(filter(None, [f"{name}, {unit}" if unit else name, arrow]))

    @property
    def inside(self) -> str:
        """The group and the embedder, if any."""
        name = self.group.name if self.group.sort in ("all", "family") else self.group
        return ", ".join(filter(None, [name.replace("_", " "), Signature.parse(self.signature).embedder]))

    @property
    def title(self) -> str:
        """Name, group and embedder in one line."""
        return f"{self.name} ({self.inside})" if self.inside else self.name


@dataclass
class Notes:
    """Notes below a table, without duplicates, marked a, b, c …"""

    texts: list[str] = field(default_factory=list)

    def mark(self, text: str) -> str:
        """The mark of a note; adds the note if it is new."""
        if text not in self.texts:
            self.texts.append(text)
        place, mark = self.texts.index(text) + 1, ""
        while place:
            place, letter = divmod(place - 1, 26)
            mark = chr(ord("a") + letter) + mark
        return mark


@dataclass(frozen=True)
class Cell:
    """A number as text, its interval, n, and the marks of its notes; empty if there is no score."""

    value: str = ""
    interval: str = ""
    n: str = ""
    marks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Table:
    """One tier: one row per entrant, then the floors and ceilings."""

    tier: str
    columns: Sequence[tuple[Column, str]]  # each with the mark of its signature
    rows: Sequence[tuple[str, Sequence[Cell]]]
    ends: Sequence[tuple[str, Sequence[Cell]]]
    notes: Sequence[tuple[str, str]]  # mark, text


def tables(runs: Sequence[Scored], metrics: Sequence[str] = ()) -> list[Table]:
    """One table per tier. Numbers that were computed differently are in different columns.

    Raises:
        UsageError: none of the metrics is scored.
    """
    wanted = metrics or METRICS
    found = []
    for tier in (*TIERS, "all"):
        there = [(run.run, s) for run in runs for s in run.scores if s.tier == tier and _shown(s, wanted, metrics)]
        if there:
            found.append(_table(tier, there, wanted))
    if not found:
        raise UsageError(f"none of {', '.join(wanted)} is scored; `--format csv` lists every score")
    return found


def _shown(score: Score, wanted: Sequence[str], chosen: Sequence[str]) -> bool:
    whole = score.group == ALL or score.metric in ("fad", "kad") or bool(chosen)
    return score.metric in wanted and whole


def _table(tier: str, there: Sequence[tuple[str, Score]], metrics: Sequence[str]) -> Table:
    entrants = list(dict.fromkeys((run, s.model, s.strategy) for run, s in there))
    models = [entrant for entrant in entrants if not end_name(entrant[1])]
    shown = models or entrants
    mine = {
        entrant: {Column.of(s): s for run, s in there if (run, s.model, s.strategy) == entrant} for entrant in shown
    }
    every = [score for scores in mine.values() for score in scores.values()]
    columns = list(dict.fromkeys(Column.of(s) for s in every if s.value is not None))
    columns.sort(key=lambda column: metrics.index(column.metric))
    notes = Notes()
    headings = [(column, notes.mark(f"signature {column.signature}")) for column in columns]
    rows: list[tuple[str, list[Cell]]] = [(label, []) for label in entrant_labels(shown)]
    ends: list[tuple[str, list[Cell]]] = [(f"{n} ({side})", []) for side, n in (end_names(every) if models else ())]
    for column in columns:
        beside = [scores[column] for scores in mine.values() if column in scores]
        places = decimals([s.value for s in beside], column.unit)
        for (_, cells), scores in zip(rows, mine.values(), strict=True):
            cells.append(_cell(scores[column], places, notes) if column in scores else Cell())
        for (_, cells), (side, name) in zip(ends, end_names(every), strict=False):
            cells.append(_end([getattr(s, side).get(name) for s in beside], column.unit, places))
    marked = [(notes.mark(text), text) for text in notes.texts]
    there_is = {column.metric for column in columns}
    absent = {f"{s.metric}: {s.note}" for s in every if s.metric not in there_is and s.note}
    return Table(tier, headings, rows, ends, [*marked, *(("", text) for text in sorted(absent))])


def entrant_labels(entrants: Sequence[tuple[str, str, str]]) -> list[str]:
    """A label per (run, model, strategy): the model, with strategy and run if needed to tell entrants apart.

    >>> entrant_labels([("a", "m", "direct"), ("b", "m", "plan")])
    ['m · direct', 'm · plan']
    """
    models = [model for _, model, _ in entrants]
    if len(set(models)) == len(models):
        return models
    asked = [f"{model} · {strategy}" for _, model, strategy in entrants]
    if len(set(asked)) == len(asked):
        return asked
    return [f"{label} · {run}" for label, (run, _, _) in zip(asked, entrants, strict=True)]


def _cell(score: Score, decimals: int, notes: Notes) -> Cell:
    marks = (notes.mark(score.note),) if score.note else ()
    n = str(score.n) if not score.missing else f"{score.n}, {score.missing} missing"
    value, low, high = (figure(each, score.unit, decimals) for each in (score.value, score.low, score.high))
    interval = f"[{low}, {high}]" if score.low is not None and score.high is not None else ""
    return Cell(value, interval, n, marks)


def end_names(scores: Sequence[Score]) -> list[tuple[str, str]]:
    """The floors and ceilings of scores, as (`floor` or `ceiling`, name), floors first, simplest first."""
    floors = {name for score in scores for name, value in score.floor.items() if value is not None}
    ceilings = {name for score in scores for name, value in score.ceiling.items() if value is not None}
    order = [*FLOORS, *CEILINGS]
    by_rank = sorted(floors | ceilings, key=lambda name: (order.index(name) if name in order else len(order), name))
    return [
        (side, name) for side, there in (("floor", floors), ("ceiling", ceilings)) for name in by_rank if name in there
    ]


def _end(values: Sequence[float | None], unit: str, decimals: int) -> Cell:
    """A floor or ceiling for a column; it is matched to each number, so it may be a range."""
    there = [value for value in values if value is not None]
    if not there:
        return Cell()
    low, high = figure(min(there), unit, decimals), figure(max(there), unit, decimals)
    return Cell(low if low == high else f"{low} to {high}")


def decimals(values: Sequence[float | None], unit: str) -> int:
    """The number of decimals of a column: about three digits of its largest value; one for percentages."""
    size = max((abs(value) for value in values if value is not None), default=0.0)
    return 1 if unit == "share" else 0 if size >= 100 else 1 if size >= 10 else 2 if size >= 0.5 else 3


def figure(value: float | None, unit: str, decimals: int = 1) -> str:
    """A number as text; shares in per cent, and no negative zero.

    >>> figure(0.9531, "share"), figure(-0.001, "", 2), figure(-1.5, "", 1), figure(None, "")
    ('95.3', '0.00', '−1.5', '–')
    """
    if value is None:
        return "–"
    text = f"{value * (100 if unit == 'share' else 1):.{decimals}f}"
    return text.replace("-", "−") if float(text) else text.replace("-", "")
