"""What a notebook shows of a row, a table or a sound, as HTML. All text is escaped: models' text is hostile."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

MOST_ROWS = 200
"""Rows of a table that are shown; the rest are counted."""
MOST_TEXT = 2_000
"""Characters shown of one text."""


def cell(value: Any) -> str:
    """One value: numbers to four figures, nothing for `None`, text escaped and cut."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.4g}"
    text = str(value)
    return escape(text if len(text) <= MOST_TEXT else f"{text[:MOST_TEXT]}…")


def table(columns: Sequence[str], rows: Sequence[Sequence[Any]], caption: str = "") -> str:
    """A table of at most `MOST_ROWS` rows."""
    head = "".join(f"<th>{escape(name)}</th>" for name in columns)
    body = "".join(f"<tr>{''.join(f'<td>{cell(value)}</td>' for value in row)}</tr>" for row in rows[:MOST_ROWS])
    left = len(rows) - MOST_ROWS
    more = f"<tr><td colspan={len(columns)}>and {left} more rows</td></tr>" if left > 0 else ""
    said = f"<caption>{escape(caption)}</caption>" if caption else ""
    return f"<table>{said}<thead><tr>{head}</tr></thead><tbody>{body}{more}</tbody></table>"


def facts(pairs: Mapping[str, Any] | Iterable[tuple[str, Any]]) -> str:
    """A table of two columns: names and values."""
    rows = pairs.items() if isinstance(pairs, Mapping) else pairs
    body = "".join(f"<tr><th>{escape(name)}</th><td>{cell(value)}</td></tr>" for name, value in rows)
    return f"<table><tbody>{body}</tbody></table>"


def player(audio: bytes, kind: str, about: str) -> str:
    """An audio player that holds its sound, and a line about it. `kind`: the media type, such as audio/flac."""
    data = base64.b64encode(audio).decode()
    return f'<audio controls src="data:{escape(kind)};base64,{data}"></audio><div>{escape(about)}</div>'
