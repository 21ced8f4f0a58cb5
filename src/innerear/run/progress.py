"""What a stage tells its caller: how far it is, warnings, and infrastructure failures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from innerear.errors import JailUnavailable

Progress = Callable[[str, int, int], None]
"""Called with the name of a task, the number done and the total."""
Say = Callable[[str], None]
"""Called with one line for the user."""
MOST_NAMED = 20
"""Lines shown per kind of failure; the rest are counted."""


def silent(what: str, done: int, total: int) -> None:
    """A `Progress` that shows nothing."""


def unsaid(line: str) -> None:
    """A `Say` that prints nothing."""


class Tally:
    """Count what is done of a task and report it to a `Progress`, also at the start."""

    def __init__(self, progress: Progress, what: str, done: int, total: int) -> None:
        self._progress, self._what, self._done, self._total = progress, what, done, total
        self.add(0)

    def add(self, n: int = 1) -> None:
        """Count n more."""
        self._done += n
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
