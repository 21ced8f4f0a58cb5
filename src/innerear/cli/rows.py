"""Tables on the terminal."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence


def print_rows(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table. Off a terminal it is at least 140 columns wide."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from innerear.text import printable

    table = Table(*headings, box=None, header_style="bold", pad_edge=False)
    for row in rows:
        table.add_row(*(Text(printable(cell)) for cell in row))
    wide = None if sys.stdout.isatty() else max(140, int(os.environ.get("COLUMNS", "0")))
    Console(width=wide).print(table)
