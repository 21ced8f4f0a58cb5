"""An ordered parallel map over threads, and leaving the process cleanly."""

from __future__ import annotations

import atexit
import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from itertools import islice
from typing import NoReturn, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Limit BLAS to one thread, for code that already uses a thread per core.

    BLAS's own threads busy-wait and would steal the cores.
    """
    import scipy.linalg  # noqa: F401  its BLAS must be loaded to be limited
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        yield


def ordered(function: Callable[[Item], Result], items: Iterable[Item], threads: int | None = None) -> Iterator[Result]:
    """Map a function over items on threads (by default one per core); yield results in the items' order.

    Only a few items are computed ahead, so the results need not all fit in memory. An exception is raised at its
    item's turn and cancels the rest. Threads pay off for decoding, resampling and inference, which release the GIL.
    """
    threads = threads or os.cpu_count() or 1
    waiting = iter(items)
    ahead: deque[Future[Result]] = deque()
    pool = ThreadPoolExecutor(threads)
    try:
        with one_blas_thread():
            while True:
                ahead.extend(pool.submit(function, item) for item in islice(waiting, 4 * threads - len(ahead)))
                if not ahead:
                    return
                yield ahead.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def leave(code: int, interrupted: bool = False) -> NoReturn:
    """Exit with a code, whatever the other threads are doing.

    A thread that returns from native code (a neural network, BLAS, a resampler) during interpreter shutdown is killed;
    if C++ frames are on its stack, the process aborts with SIGABRT, exit code 134. And an interpreter that was
    `interrupted` inside `exec` (which dataclasses use) remembers it, and kills itself with SIGINT instead of
    returning the code. In both cases the interpreter is not shut down: `atexit` functions run, buffers are flushed,
    and the process exits.
    """
    with suppress(ValueError):  # not the main thread
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # all work is done: ignore a late interrupt
    if not interrupted and all(thread is threading.current_thread() for thread in threading.enumerate()):
        sys.exit(code)
    with suppress(Exception):
        atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with suppress(Exception):
            stream.flush()
    os._exit(code)
