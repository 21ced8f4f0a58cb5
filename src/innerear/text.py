"""Text that is shown to people: names, made printable and told apart."""

from __future__ import annotations

import time
from collections.abc import Iterable


def printable(text: str) -> str:
    """Text on one line without control characters: what stands for them is U+FFFD.

    >>> printable("a\\x1b[31mb\\nc")
    'a\\ufffd[31mb\\ufffdc'
    """
    return "".join(c if c.isprintable() else "\ufffd" for c in text)


def clock(seconds: float) -> str:
    """A moment of `time.time` as the local time of day, with its date where it is not today."""
    moment, today = time.localtime(seconds), time.localtime()
    return time.strftime("%H:%M:%S" if moment[:3] == today[:3] else "%Y-%m-%d %H:%M", moment)


def distinct(names: Iterable[str]) -> list[str]:
    """The names, those that came before with a number behind them.

    >>> distinct(["a", "b", "a"])
    ['a', 'b', 'a (2)']
    """
    found: list[str] = []
    for name in names:
        number, free = 1, name
        while free in found:
            number += 1
            free = f"{name} ({number})"
        found.append(free)
    return found
