"""The work of a stage on many things apart from one another, wherever it is done.

A stage says what is to be done to each thing (`Work`) and what becomes of the results (`keep`);
`Machines` do it: this one, on threads (`Local`), or a cluster (`innerear.compute.ray.Ray`). Neither
knows what the work is, and the work does not know where it is done.
"""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from innerear.compute.threads import wait_for

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True)
class Work(Generic[T, R]):
    """What is done to each of many things.

    `open` makes a worker ready (opens a jail, loads a network) and gives the function of one
    thing; it and the things travel to other processes, so they are plain data and functions of
    modules. What the function raises ends the whole work, but for the errors in `forgives`: those
    are about the one thing, which is then lost.
    """

    open: Callable[[], AbstractContextManager[Callable[[T], R]]]
    shared: bool = True  # whether all threads of a process use what was opened once
    forgives: tuple[type[Exception], ...] = ()
    gpu: bool = False  # whether it is faster on a GPU
    sees: Path | None = None  # a folder that every worker must be able to read and write


@dataclass(frozen=True)
class Lost(Generic[T]):
    """A thing that could not be done, for a fault of ours."""

    thing: T
    why: str


class Machines(Protocol):
    """Where work is done."""

    remarks: list[str]  # what a user should know, such as a node that takes no programs

    @property
    def workers(self) -> int:
        """Things at once."""
        ...

    def each(self, work: Work[T, R], things: Sequence[T], keep: Callable[[T, R], None]) -> list[Lost[T]]:
        """Do the work to each thing once; `keep` gets each result as it comes, in the calling thread.

        Raises:
            What `open` raises where no worker can be made ready, and what the function raises and
            the work does not forgive; results that were kept stay kept.
        """
        ...

    def close(self) -> None:
        """End what was started for the work."""
        ...


@dataclass
class Local:
    """This machine: one thread a core, unless said. Jails and networks work outside Python's lock."""

    threads: int = 0
    remarks: list[str] = field(default_factory=list)

    @property
    def workers(self) -> int:
        """See `Machines.workers`."""
        return self.threads or os.cpu_count() or 1

    def each(self, work: Work[T, R], things: Sequence[T], keep: Callable[[T, R], None]) -> list[Lost[T]]:
        """See `Machines.each`. Nothing is opened where there is nothing to do."""
        threads = min(self.workers, len(things))
        todo: queue.SimpleQueue[T] = queue.SimpleQueue()
        done: queue.SimpleQueue[tuple[T, Any]] = queue.SimpleQueue()
        stop = threading.Event()
        lost: list[Lost[T]] = []
        for thing in things:
            todo.put(thing)

        def serve(function: Callable[[T], R]) -> None:
            while not stop.is_set():
                try:
                    thing = todo.get_nowait()
                except queue.Empty:
                    return
                try:
                    done.put((thing, function(thing)))
                except work.forgives as error:
                    done.put((thing, Lost(thing, str(error))))
                except BaseException as error:  # noqa: BLE001  raised again in the calling thread
                    done.put((thing, _Raised(error)))
                    return

        started: list[threading.Thread] = []
        try:
            with ExitStack() as stack:
                opened = [stack.enter_context(work.open()) for _ in range(min(threads, 1) if work.shared else threads)]
                stack.callback(stop.set)  # before a jail closes: that ends the program which its thread waits for
                for place in range(threads):
                    started.append(threading.Thread(target=serve, args=(opened[place % len(opened)],), daemon=True))
                    started[-1].start()
                for _ in things:
                    thing, found = done.get()
                    if isinstance(found, _Raised):
                        raise found.error
                    if isinstance(found, Lost):
                        lost.append(found)
                    else:
                        keep(thing, found)
        finally:
            stop.set()
            wait_for(started)
        return lost

    def close(self) -> None:
        """Nothing to end: what is opened is closed with its work."""


@dataclass(frozen=True)
class _Raised:
    error: BaseException
