"""Free-text answers: normalised spelling, and the table in which a person marks the answers it does not settle."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from innerear.errors import UsageError
from innerear.listening.results import Uncoded

Coding = Mapping[tuple[str, str], bool]
"""Whether an answer is right, by probe and normalised text."""


def plain(text: str) -> str:
    """A written answer in lower case, without punctuation.

    >>> plain("  The WORD:  'Yes!' ")
    'the word yes'
    """
    return " ".join(re.findall(r"[^\W_]+(?:'[^\W_]+)*", text.lower()))


COLUMNS = ("probe", "caption", "text", "count", "right")


def write_coding(path: Path, rows: Sequence[Uncoded]) -> None:
    """Write a table for a blind rater to fill in: `right` is 1 or 0."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        # an apostrophe keeps spreadsheets from treating a cell as a formula
        writer.writerows([row.probe, row.caption, _inert(row.text), row.count, ""] for row in rows)


def _inert(text: str) -> str:
    return f"'{text}" if text[:1] in "=+-@\t\r" else text


def read_coding(path: Path) -> dict[tuple[str, str], bool]:
    """Read the table that `write_coding` wrote, with `right` filled in; rows without it stay uncoded.

    Raises:
        UsageError: it is not such a table; the message gives the line.
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
            raise UsageError(f"{path}, line {number}: expected probe, text, and right as 1, 0 or empty; got {right!r}")
        if right:
            coded[str(row["probe"]), plain(str(row["text"]))] = right == "1"
    return coded
