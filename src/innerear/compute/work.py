"""A parallel map over independent things, on threads of this process or on a cluster.

A stage defines what to do with each thing (`Job`) and with each result (`keep`). `Executor` run it: `Local` on
threads, `innerear.compute.ray.Ray` on a cluster. Neither knows what the work is, and the work does not know where it
runs.
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
class Job(Generic[T, R]):
    """What to do with each of many things.

    `open` prepares a worker (opens a jail, loads a neural network) and yields the function to call with each thing.
    It and the things are pickled for other processes: plain data and module-level functions. An exception from the
    function ends the whole work, except for the types in `forgives`, which lose only the one thing.
    """

    open: Callable[[], AbstractContextManager[Callable[[T], R]]]
    shared: bool = True  # open once per process and share between its threads
    forgives: tuple[type[Exception], ...] = ()
    gpu: bool = False  # faster on a GPU
    sees: Path | None = None  # a folder that every worker must be able to read and write


@dataclass(frozen=True)
class Failure(Generic[T]):
    """A thing that failed through no fault of the model, and why."""

    thing: T
    why: str


class Executor(Protocol):
    """What runs `Job`."""

    remarks: list[str]  # for the user, such as a node that cannot be used

    @property
    def workers(self) -> int:
        """The number of things done at once."""
        ...

    def map(self, work: Job[T, R], things: Sequence[T], keep: Callable[[T, R], None]) -> list[Failure[T]]:
        """Do the work once per thing; `keep` gets each result as it arrives, in the calling thread.

        Returns:
            The things that were lost.

        Raises:
            What `open` raises if no worker can be prepared, and what the function raises and the work does not
            forgive. Results that were kept stay kept.
        """
        ...

    def close(self) -> None:
        """Stop everything that was started."""
        ...


@dataclass
class Local:
    """Threads of this process, by default one per core. Jails and neural networks release the GIL."""

    threads: int = 0
    remarks: list[str] = field(default_factory=list)

    @property
    def workers(self) -> int:
        """See `Executor.workers`."""
        return self.threads or os.cpu_count() or 1

    def map(self, work: Job[T, R], things: Sequence[T], keep: Callable[[T, R], None]) -> list[Failure[T]]:
        """See `Executor.map`. Opens nothing if there is nothing to do."""
        threads = min(self.workers, len(things))
        todo: queue.SimpleQueue[T] = queue.SimpleQueue()
        done: queue.SimpleQueue[tuple[T, Any]] = queue.SimpleQueue()
        stop = threading.Event()
        lost: list[Failure[T]] = []
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
                    done.put((thing, Failure(thing, str(error))))
                except BaseException as error:  # noqa: BLE001  raised again in the calling thread
                    done.put((thing, _Raised(error)))
                    return

        started: list[threading.Thread] = []
        try:
            with ExitStack() as stack:
                opened = [stack.enter_context(work.open()) for _ in range(min(threads, 1) if work.shared else threads)]
                stack.callback(stop.set)  # before a jail closes, which kills the program its thread waits for
                for number in range(threads):
                    started.append(threading.Thread(target=serve, args=(opened[number % len(opened)],), daemon=True))
                    started[-1].start()
                for _ in things:
                    thing, result = done.get()
                    if isinstance(result, _Raised):
                        raise result.error
                    if isinstance(result, Failure):
                        lost.append(result)
                    else:
                        keep(thing, result)
        finally:
            stop.set()
            wait_for(started)
        return lost

    def close(self) -> None:
        """Do nothing: `each` closes what it opens."""


@dataclass(frozen=True)
class _Raised:
    error: BaseException
