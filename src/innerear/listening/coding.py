"""Written answers: in plain letters, and the table in which a person marks those that letters do not settle."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from innerear.errors import UsageError
from innerear.listening.results import Uncoded

Coding = Mapping[tuple[str, str], bool]
"""For a probe and a text, in lower case, whether it is right."""


def plain(text: str) -> str:
    """A written answer in lower case, without punctuation.

    >>> plain("  The WORD:  'Yes!' ")
    'the word yes'
    """
    return " ".join(re.findall(r"[^\W_]+(?:'[^\W_]+)*", text.lower()))


COLUMNS = ("probe", "caption", "text", "count", "right")


def write_coding(path: Path, rows: Sequence[Uncoded]) -> None:
    """A table to be filled in by someone who does not know whose sounds they were: `right` is 1 or 0."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        # a cell that a spreadsheet would take for a formula starts with an apostrophe
        writer.writerows([row.probe, row.caption, _inert(row.text), row.count, ""] for row in rows)


def _inert(text: str) -> str:
    return f"'{text}" if text[:1] in "=+-@\t\r" else text


def read_coding(path: Path) -> dict[tuple[str, str], bool]:
    """Read the table that `write_coding` wrote, with `right` filled in; rows without it stay uncoded.

    Raises:
        UsageError: it is no such table; the message has the line.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"{path} cannot be read as a table: {error}") from error
    coded = {}
    for number, row in enumerate(rows, 2):
        right = (row.get("right") or "").strip()
        if right not in ("", "0", "1") or not row.get("probe") or row.get("text") is None:
            raise UsageError(f"{path}, line {number}: wanted probe, text, and right as 1 or 0 or empty; got {right!r}")
        if right:
            coded[str(row["probe"]), plain(str(row["text"]))] = right == "1"
    return coded
