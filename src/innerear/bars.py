"""Progress, shown to whoever watches a terminal."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

EVERY_S = 30.0
"""Between the lines of a stage that nobody watches."""


@contextmanager
def bars() -> Iterator[Callable[[str, int, int], None]]:
    """A bar for each thing that is being done; plain lines, one in half a minute, where nobody watches."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    console = Console(stderr=True)
    last = time.monotonic()
    tasks: dict[str, Any] = {}
    said: set[str] = set()
    columns = (
        TextColumn("{task.description:24}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as shown:

        def progress(what: str, done: int, total: int) -> None:
            nonlocal last
            if what not in tasks:
                tasks[what] = shown.add_task(what, total=total)
            shown.update(tasks[what], completed=done, total=total)
            if console.is_terminal or what in said:
                return
            if done >= total:
                said.add(what)
            if done >= total or time.monotonic() - last >= EVERY_S:
                last = time.monotonic()
                console.print(f"{what}: {done} of {total}", highlight=False)

        yield progress
