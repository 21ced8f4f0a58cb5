"""A parallel map over independent items, on threads of this process or on a cluster.

A stage defines what to do with each item (`Job`) and with each result (`keep`). `Executor` run it: `Local` on
threads, `innerear.compute.ray.Ray` on a cluster. Neither knows what the work is, and the work does not know where it
runs.
"""

from __future__ import annotations

import os
import queue
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed, wait
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, Protocol, TypeVar

PATIENCE_S = 5.0  # for threads that were told to stop but are still finishing one item
T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True)
class Job(Generic[T, R]):
    """What to do with each of many items.

    `open` prepares a worker (opens a jail, loads a neural network) and yields the function to call with each item.
    It and the items are pickled for other processes: plain data and module-level functions. An exception from the
    function ends the whole work, except for the types in `forgives`, which lose only the one item.
    """

    open: Callable[[], AbstractContextManager[Callable[[T], R]]]
    shared: bool = True  # open once per process and share between its threads
    forgives: tuple[type[Exception], ...] = ()
    gpu: bool = False  # faster on a GPU
    sees: Path | None = None  # a folder that every worker must be able to read and write


@dataclass(frozen=True)
class Failure(Generic[T]):
    """A item that failed through no fault of the model, and why."""

    item: T
    why: str


class Executor(Protocol):
    """What runs `Job`."""

    remarks: list[str]  # for the user, such as a node that cannot be used

    @property
    def workers(self) -> int:
        """The number of items done at once."""
        ...

    def map(self, work: Job[T, R], items: Sequence[T], keep: Callable[[T, R], None]) -> list[Failure[T]]:
        """Do the work once per item; `keep` gets each result as it arrives, in the calling thread.

        Returns:
            The items that were lost.

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

    def map(self, work: Job[T, R], items: Sequence[T], keep: Callable[[T, R], None]) -> list[Failure[T]]:
        """See `Executor.map`. Opens nothing if there is nothing to do."""
        threads = min(self.workers, len(items))
        if not threads:
            return []
        lost: list[Failure[T]] = []
        futures: dict[Future[R | Failure[T]], T] = {}
        free: queue.SimpleQueue[Callable[[T], R]] = queue.SimpleQueue()

        def do(item: T) -> R | Failure[T]:
            function = free.get()
            try:
                return function(item)
            except work.forgives as error:
                return Failure(item, str(error))
            finally:
                free.put(function)

        pool = ThreadPoolExecutor(threads)
        try:
            with ExitStack() as stack:
                opened = [stack.enter_context(work.open()) for _ in range(1 if work.shared else threads)]
                # Before a jail closes, which kills the program that its thread waits for.
                stack.callback(pool.shutdown, wait=False, cancel_futures=True)
                for number in range(threads):
                    free.put(opened[number % len(opened)])
                futures = {pool.submit(do, item): item for item in items}
                for future in as_completed(list(futures)):
                    result, item = future.result(), futures.pop(future)
                    if isinstance(result, Failure):
                        lost.append(result)
                    else:
                        keep(item, result)
        finally:
            wait([future for future in futures if not future.cancelled()], PATIENCE_S)
        return lost

    def close(self) -> None:
        """Do nothing: `map` closes what it opens."""
