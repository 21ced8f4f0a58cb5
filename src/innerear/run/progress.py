"""What a stage tells its caller: how far it is, warnings, and infrastructure failures."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

from innerear.errors import JailUnavailable

Progress = Callable[[str, int, int], None]
"""Called with the name of a task, the number done and the total."""
Say = Callable[[str], None]
"""Called with one line for the user."""
REDRAW_S = 0.1
MOST_NAMED = 20
"""Lines shown per kind of failure; the rest are counted."""


def silent(what: str, done: int, total: int) -> None:
    """A `Progress` that shows nothing."""


def unsaid(line: str) -> None:
    """A `Say` that prints nothing."""


def show_progress(stream: Any = None) -> Progress:
    """A `Progress` that shows bars in a notebook, and elsewhere a line per tenth of a task on `stream` (stderr)."""
    ipython: Any = sys.modules.get("IPython")  # loaded already if this is a notebook
    shell = ipython.get_ipython() if ipython is not None else None
    if shell is not None and hasattr(shell, "kernel"):
        return _Bars()
    tenths: dict[str, int] = {}

    def say(what: str, done: int, total: int) -> None:
        tenth = 10 * done // max(1, total)
        if tenths.get(what) != tenth:
            tenths[what] = tenth
            print(f"{what}: {done} of {total}", file=stream or sys.stderr)

    return say


class _Bars:
    """One HTML bar per task, in the output of the cell that runs; redrawn at most ten times a second."""

    def __init__(self) -> None:
        self._shown: dict[str, tuple[Any, float]] = {}

    def __call__(self, what: str, done: int, total: int) -> None:
        """Draw the bar of a task."""
        from IPython import display as ipython

        shown: Any = ipython
        handle, last = self._shown.get(what, (None, 0.0))
        now = time.monotonic()
        if handle is not None and done < total and now - last < REDRAW_S:
            return
        bar = shown.HTML(
            f'<div>{escape(what)} <progress value="{done}" max="{max(total, 1)}"></progress> {done} of {total}</div>'
        )
        if handle is None:
            handle = shown.display(bar, display_id=True)
        else:
            handle.update(bar)
        self._shown[what] = (handle, now)


class Tally:
    """Count what is done of a task and report it to a `Progress`, also at the start; not if there is nothing to do."""

    def __init__(self, progress: Progress, what: str, done: int, total: int) -> None:
        self._progress, self._what, self._done, self._total = progress, what, done, total
        self.add(0)

    def add(self, n: int = 1) -> None:
        """Count n more."""
        self._done += n
        if self._total:
            self._progress(self._what, self._done, self._total)


@dataclass
class Report:
    """What a stage reports: infrastructure failures and warnings, one line each; and why programs did not run."""

    failures: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    unrendered: JailUnavailable | None = None

    def add(self, other: Report) -> None:
        """Add the failures and warnings of another report."""
        self.failures += other.failures
        self.warnings += other.warnings


def each_once(lines: Sequence[str]) -> list[str]:
    """Lines without duplicates, at most `MOST_NAMED`; the rest are counted."""
    once = list(dict.fromkeys(lines))
    more = [f"and {len(once) - MOST_NAMED} more of this kind"] if len(once) > MOST_NAMED else []
    return [*once[:MOST_NAMED], *more]
