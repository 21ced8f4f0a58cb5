"""Scorecards as text for a paper, a README or a program: CSV, JSON, Markdown, LaTeX, SVG."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from innerear.report.scorecard_picture import scorecard_svg
from innerear.scores.cells import QUESTIONS, Row, tiers_of
from innerear.scores.scorecard import marked, scorecard
from innerear.scores.scorecard_words import legend, text
from innerear.sharing.formats import md, md_prose, one_line, tex, tex_prose
from innerear.sharing.tables import Scored, entrant_labels, scored


def cards(runs: Sequence[Scored]) -> list[Row]:
    """The rows of all runs as one scorecard; models of the same name are told apart by strategy and run."""
    found = [(run.run, row) for run in runs for row in scorecard(run.scores)]
    labels = entrant_labels([(run, row.model, row.strategy) for run, row in found])
    rows = [msgspec.structs.replace(row, model=label) for label, (_, row) in zip(labels, found, strict=True)]
    return marked(sorted(rows, key=lambda row: row.end is not None))


FIELDS = (
    "question", "tier", "metric", "measure", "kind", "value", "unit", "better", "low", "high", "n", "of", "missing",
    "fewer", "floor", "floor_by", "ceiling", "ceiling_by", "visible", "paired", "note", "signature",
)  # fmt: skip


def to_csv(rows: Sequence[Row]) -> str:
    """One line per cell, with floor, ceiling and signature; missing values are empty fields."""
    out = io.StringIO()
    lines = csv.DictWriter(out, ["model", "strategy", *FIELDS], lineterminator="\n")
    lines.writeheader()
    for row in rows:
        for cell in row.cells:
            fields = {name: getattr(cell, name) for name in FIELDS}
            fields = {"model": row.model, "strategy": row.strategy, **fields}
            lines.writerow({name: one_line(value) for name, value in fields.items()})
    return out.getvalue()


def to_json(rows: Sequence[Row]) -> str:
    """The rows with all cells; fields at their defaults are left out."""
    return msgspec.json.format(msgspec.json.encode(rows), indent=1).decode() + "\n"


def to_markdown(rows: Sequence[Row]) -> str:
    """One table, four lines per model, and what each cell is."""
    tiers = tiers_of(rows)
    lines = [f"| model | question | {' | '.join(tiers)} |", "|---|---|" + "---|" * len(tiers)]
    for row in rows:
        for place, question in enumerate(QUESTIONS):
            cells = [md(text(row.cell(question, tier))) for tier in tiers]
            lines.append(f"| {md(row.model) if not place else ''} | **{question}** | {' | '.join(cells)} |")
    return "\n".join([*lines, "", *(f"- {md_prose(line)}" for line in legend(rows)), ""])


def to_latex(rows: Sequence[Row]) -> str:
    """One table with `booktabs`, four lines per model, and what each cell is."""
    tiers = tiers_of(rows)
    lines = [
        "% by innerear export --scorecard; requires \\usepackage{booktabs}", r"\begin{table}", r"\centering",
        r"\caption{Scorecard. In brackets: 95\,\% interval.}", r"\label{tab:innerear-scorecard}",
        rf"\begin{{tabular}}{{ll{'l' * len(tiers)}}}", r"\toprule",
        " & ".join(["model", "question", *map(tex, tiers)]) + r" \\",
    ]  # fmt: skip
    for row in rows:
        lines.append(r"\midrule")
        for place, question in enumerate(QUESTIONS):
            cells = [tex(text(row.cell(question, tier))) for tier in tiers]
            lines.append(" & ".join([tex(row.model) if not place else "", question, *cells]) + r" \\")
    lines += [r"\bottomrule", r"\end{tabular}", "", r"\smallskip", r"{\footnotesize\raggedright"]
    lines += [rf"{tex_prose(line)}\\" for line in legend(rows)]
    return "\n".join([*lines, r"\par}", r"\end{table}", ""])


FORMATS: dict[str, Callable[[Sequence[Row]], str]] = {
    "csv": to_csv,
    "json": to_json,
    "markdown": to_markdown,
    "latex": to_latex,
    "svg": scorecard_svg,
}


def export_scorecard(folders: Sequence[Path], form: str = "csv") -> str:
    """The scorecard of runs as text in one of `FORMATS`.

    Raises:
        UsageError: a folder is not a run.
    """
    return FORMATS[form](cards(scored(folders)))
