"""The scorecard on the terminal, at the end of `innerear run` and `innerear score`."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import click

from innerear.records import Score


def print_scorecard(scores: Sequence[Score]) -> None:
    """Print four questions by three tiers for each model (for the floors if there is no model), and what is found."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from innerear.cli.table import once_each
    from innerear.scores.cells import QUESTIONS, tiers_of
    from innerear.scores.scorecard import scorecard
    from innerear.scores.scorecard_words import legend, text
    from innerear.text import printable

    rows = scorecard(scores)
    shown = [row for row in rows if row.end is None] or rows
    if not shown:
        return
    tiers = tiers_of(shown)
    table = Table("model", "question", *tiers, box=None, header_style="bold", pad_edge=False)
    names = once_each([(row.model, row.strategy) for row in shown])
    shown = [row for row in shown if (row.model, row.strategy) in names]
    for row in shown:
        for place, question in enumerate(QUESTIONS):
            cells = [text(row.cell(question, tier)) for tier in tiers]
            name = printable(names[row.model, row.strategy]) if not place else ""
            table.add_row(*map(Text, [name, question, *map(printable, cells)]))
    wide = None if sys.stdout.isatty() else max(140, int(os.environ.get("COLUMNS", "0")))
    click.echo()
    Console(width=wide).print(table)
    for line in legend(rows):
        click.echo(printable(f"  {line}"))
    click.echo()
    for row in shown:
        click.echo(printable(row.said))
