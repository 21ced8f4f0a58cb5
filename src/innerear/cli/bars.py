"""Progress, shown to whoever watches a terminal; and what is being waited for."""

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
"""Between the lines of a stage that nobody watches."""
SILENT_S = 10.0
"""How long a request may be without an answer before the bar speaks of it."""


@contextmanager
def bars(models: Sequence[Model] = (), verbose: bool = False) -> Iterator[Callable[[str, int, int], None]]:
    """A bar for each thing that is being done; plain lines, one in half a minute, where nobody watches.

    `models`: below the bars, or in the lines, stands what these wait for. `verbose`: each retry is
    a line of its own.
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
    """One line a model that waits: for what, how often it was tried, and until when."""
    for model in models:
        waits = list(model.waits)
        tried = [wait for wait in waits if wait.tries]
        if tried:
            worst = max(tried, key=lambda wait: wait.tries)
            those = "1 request" if len(tried) == 1 else f"{len(tried)} requests"
            times = "once" if worst.tries == 1 else f"{worst.tries} times"
            line = f"{model.name}: {worst.why}; {those} waiting, tried {times}, given up at {clock(worst.until)}"
            yield printable(line)
        elif waits and (age_s := time.time() - min(wait.since for wait in waits)) > SILENT_S:
            yield printable(f"{model.name}: {len(waits)} asked, no answer to the oldest since {age_s:.0f} s")


@contextmanager
def _logged(say: Callable[[str], None]) -> Iterator[None]:
    """Say what models log, a line each."""

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
