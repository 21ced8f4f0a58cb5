"""Work on threads: in order, and each on one core."""

from __future__ import annotations

import atexit
import os
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from itertools import islice
from typing import NoReturn, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

PATIENCE_S = 5.0  # with threads that are to end, and are at work on one last thing


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """For work on small matrices by as many threads as there are cores: BLAS threads of its own, which
    wait for work by turning round and round, would take the cores from it."""
    import scipy.linalg  # noqa: F401  its BLAS must be there to be limited
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        yield


def ordered(function: Callable[[Item], Result], items: Iterable[Item], threads: int | None = None) -> Iterator[Result]:
    """The function of each item, in the items' order; on as many threads as there are cores, unless said.

    Only a few items are ahead of the one that is taken, so that results need not all fit in
    memory. An exception comes out at its item's place and ends the rest. Decoding, resampling
    and inference run outside Python's lock; for those, threads are worth having.
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


def wait_for(threads: Sequence[threading.Thread]) -> None:
    """Wait until threads that were told to end have ended, for a few seconds: each may finish what it is at."""
    until = time.monotonic() + PATIENCE_S
    for thread in threads:
        if thread.ident is not None:  # it was started
            thread.join(max(0.0, until - time.monotonic()))


def leave(code: int, interrupted: bool = False) -> NoReturn:
    """End this process with an exit code, whatever its other threads do.

    A thread that comes back from native code (a network, BLAS, a resampler) while the interpreter is
    being taken down is ended by force; if C++ frames are on its stack, that aborts the process with
    SIGABRT, exit code 134. And an interpreter that was `interrupted` while it ran a piece of text (as
    dataclasses do) remembers it, and kills itself with SIGINT in place of the exit code. So in both
    cases it is not taken down: what is registered with `atexit` runs, what is buffered is written, and
    the process ends.
    """
    with suppress(ValueError):  # from another thread than the main one
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # all is done: an interrupt that comes now changes nothing
    if not interrupted and all(thread is threading.current_thread() for thread in threading.enumerate()):
        sys.exit(code)
    with suppress(Exception):
        atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with suppress(Exception):
            stream.flush()
    os._exit(code)
