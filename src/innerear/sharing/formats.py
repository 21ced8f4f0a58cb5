"""Scores as text: CSV with every score and full signatures; Markdown and LaTeX with one table per tier."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Sequence
from pathlib import Path

from innerear.sharing.tables import Cell, Scored, Table, choose, end_names, scored, tables
from innerear.text import printable


def to_csv(runs: Sequence[Scored]) -> str:
    """One line per score, for pandas and the like; missing values are empty fields."""
    every = [score for run in runs for score in run.scores]
    ends = [f"{side}_{name}" for side, name in end_names(every)]
    plain = ("model", "strategy", "tier", "group", "metric", "unit", "better", "value", "low", "high", "n", "missing")
    text = io.StringIO()
    lines = csv.DictWriter(text, ["run", *plain, *ends, "normalised", "note", "signature"], lineterminator="\n")
    lines.writeheader()
    for run in runs:
        for score in run.scores:
            floor = {f"floor_{name}": value for name, value in score.floor.items()}
            ceiling = {f"ceiling_{name}": value for name, value in score.ceiling.items()}
            more = {"normalised": score.detail.get("normalised"), "note": score.note, "signature": score.signature}
            fields = {"run": run.run, **{name: getattr(score, name) for name in plain}, **floor, **ceiling, **more}
            lines.writerow({name: one_line(value) for name, value in fields.items()})
    return text.getvalue()


def one_line(value: object) -> object:
    """A text on one line; other values as they are."""
    return printable(value) if isinstance(value, str) else value


LEGEND = "95 % interval in brackets, n in parentheses"


def to_markdown(found: Sequence[Table]) -> str:
    """The tables in GitHub-flavoured Markdown."""
    lines: list[str] = []
    for table in found:
        lines += [f"### {md(table.tier.capitalize())}", ""]
        lines.append(
            "| model | " + " | ".join(f"{md(column.title)} <sup>{mark}</sup>" for column, mark in table.columns) + " |"
        )
        lines.append("|---|" + "---:|" * len(table.columns))
        for label, cells in (*table.rows, *((f"*{end}*", cells) for end, cells in table.ends)):
            name = label if label.startswith("*") else md(label)
            lines.append(f"| {name} | " + " | ".join(map(_md_cell, cells)) + " |")
        lines += ["", f"{LEGEND[0].upper()}{LEGEND[1:]}."]
        lines += [f"{f'<sup>{mark}</sup> ' if mark else ''}{md_prose(text)}  " for mark, text in table.notes]
        lines.append("")
    return "\n".join(lines)


def _md_cell(cell: Cell) -> str:
    marks = f" <sup>{','.join(cell.marks)}</sup>" if cell.marks else ""
    return " ".join(filter(None, [cell.value, cell.interval, f"({cell.n})" if cell.n else ""])) + marks


def md(text: str) -> str:
    """Text escaped for Markdown."""
    return re.sub(r"([\\`*_{}\[\]<>#|~!$&])", r"\\\1", printable(text))


def md_prose(text: str) -> str:
    """Text escaped for Markdown, with `code` in backticks kept; not for a cell of a table."""
    return "".join(
        f"`{printable(part)}`" if place % 2 else md(part) for place, part in enumerate(re.split("`([^`]+)`", text))
    )


def to_latex(found: Sequence[Table]) -> str:
    """The tables in LaTeX with `booktabs`: value, interval and n stacked, the latter two small."""
    lines = ["% by innerear export; requires \\usepackage{booktabs}"]
    for table in found:
        lines += [
            r"\begin{table}", r"\centering",
            rf"\caption{{{tex(table.tier.capitalize())}. Small: {tex(LEGEND)}.}}",
            rf"\label{{tab:innerear-{table.tier}}}",
            rf"\begin{{tabular}}{{l{'r' * len(table.columns)}}}", r"\toprule",
        ]  # fmt: skip
        headings = (rf"{tex(column.name)}\textsuperscript{{{mark}}}" for column, mark in table.columns)
        lines.append(" & ".join(["model", *headings]) + r" \\")
        if any(column.inside for column, _ in table.columns):
            inside = (rf"{{\scriptsize {tex(column.inside)}}}" if column.inside else "" for column, _ in table.columns)
            lines.append(" & ".join(["", *inside]) + r" \\")
        for rows in filter(None, (table.rows, table.ends)):
            lines.append(r"\midrule")
            for label, cells in rows:
                lines.append(" & ".join([tex(label), *map(_tex_value, cells)]) + r" \\")
                for small in ([cell.interval for cell in cells], [f"({cell.n})" if cell.n else "" for cell in cells]):
                    if any(small):
                        lines.append(" & ".join(["", *map(_tex_small, small)]) + r" \\")
        lines += [r"\bottomrule", r"\end{tabular}", "", r"\smallskip", r"{\footnotesize\raggedright"]
        for mark, text in table.notes:
            above = rf"\textsuperscript{{{mark}}}~" if mark else ""
            lines.append(rf"{above}{tex_prose(text)}\\")
        lines += [r"\par}", r"\end{table}", ""]
    return "\n".join(lines)


def _tex_value(cell: Cell) -> str:
    marks = rf"\textsuperscript{{{','.join(cell.marks)}}}" if cell.marks else ""
    return tex(cell.value) + marks


def _tex_small(text: str) -> str:
    return rf"{{\scriptsize {tex(text)}}}" if text else ""


_TEX = {
    "\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "−": r"$-$", "…": r"\ldots{}",
    "↑": r"$\uparrow$", "↓": r"$\downarrow$", "|": r"\textbar{}", "<": r"\textless{}", ">": r"\textgreater{}",
    '"': "''", "·": r"$\cdot$", "–": "--", "[": "{[}", "]": "{]}",
    **{c: rf"\{c}" for c in "&%$#_{}"},
}  # fmt: skip


def tex_prose(text: str) -> str:
    """Text escaped for LaTeX, with `code` in backticks in typewriter; a line may break after `|` and commas."""
    return "".join(
        rf"\texttt{{{tex(part).replace('--', '-{}-')}}}" if place % 2 else tex(part, breaks="|,")
        for place, part in enumerate(re.split("`([^`]+)`", text))
    )


def tex(text: str, breaks: str = "") -> str:
    """Text escaped for LaTeX; a line may break after each of `breaks`."""
    return "".join(_TEX.get(c, c) + (r"\allowbreak{}" if c in breaks else "") for c in printable(text))


FORMATS: dict[str, Callable[[Sequence[Scored], Sequence[str]], str]] = {
    "csv": lambda runs, metrics: to_csv(runs),
    "markdown": lambda runs, metrics: to_markdown(tables(runs, metrics)),
    "latex": lambda runs, metrics: to_latex(tables(runs, metrics)),
}


def export(folders: Sequence[Path], form: str = "csv", metrics: Sequence[str] = (), tiers: Sequence[str] = ()) -> str:
    """The scores of runs as text in the format `form`: `csv`, `markdown` or `latex`.

    Raises:
        UsageError: a folder is not a run, or has no such metric or tier.
    """
    return FORMATS[form](choose(scored(folders), metrics, tiers), metrics)
