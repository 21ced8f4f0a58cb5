"""Progress bars on a terminal, and what the models are waiting for."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

from innerear.text import clock, printable

if TYPE_CHECKING:
    from innerear.ask.models import Model

EVERY_S = 30.0
"""Interval between progress lines when stderr is not a terminal."""
SILENT_S = 10.0
"""How long a request may go unanswered before it is reported."""


@contextmanager
def bars(models: Sequence[Model] = (), verbose: bool = False) -> Iterator[Callable[[str, int, int], None]]:
    """Show a progress bar per task, or a plain line every 30 s if stderr is not a terminal.

    `models`: also show what these are waiting for. `verbose`: print a line per retry.
    """
    from rich.console import Console, Group, RenderableType
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )
    from rich.text import Text

    class Shown(Progress):
        def get_renderable(self) -> RenderableType:
            return Group(*self.get_renderables(), *(Text(line) for line in waiting(models)))

    console = Console(stderr=True)
    last = time.monotonic()
    tasks: dict[str, Any] = {}
    said: set[str] = set()
    over = threading.Event()
    columns = (
        TextColumn("{task.description:24}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )

    def say(line: str) -> None:
        console.print(line, markup=False, highlight=False, soft_wrap=True)

    def say_waits() -> None:
        while not over.wait(EVERY_S):
            for line in waiting(models):
                say(line)

    with Shown(*columns, console=console, disable=not console.is_terminal) as shown:

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
                say(f"{what}: {done} of {total}")

        if models and not console.is_terminal:
            threading.Thread(target=say_waits, daemon=True).start()
        try:
            with _logged(say) if verbose else nullcontext():
                yield progress
        finally:
            over.set()


def waiting(models: Sequence[Model]) -> Iterator[str]:
    """One line per waiting model: why, how often it was tried, and when it gives up."""
    for model in models:
        waits = list(model.waits)
        tried = [wait for wait in waits if wait.tries]
        if tried:
            worst = max(tried, key=lambda wait: wait.tries)
            those = "1 request" if len(tried) == 1 else f"{len(tried)} requests"
            times = "once" if worst.tries == 1 else f"{worst.tries} times"
            line = f"{model.name}: {worst.why}; {those} waiting, tried {times}, giving up at {clock(worst.until)}"
            yield printable(line)
        elif waits and (age_s := time.time() - min(wait.since for wait in waits)) > SILENT_S:
            yield printable(f"{model.name}: {len(waits)} in flight, the oldest unanswered for {age_s:.0f} s")


@contextmanager
def _logged(say: Callable[[str], None]) -> Iterator[None]:
    """Print what models log, one line per record."""

    class Lines(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            say(printable(f"{clock(record.created)} {record.getMessage()}"))

    log, handler = logging.getLogger("innerear.ask.models"), Lines(logging.INFO)
    before = log.level
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    try:
        yield
    finally:
        log.removeHandler(handler)
        log.setLevel(before)
