"""Work on threads: in order, and each on one core."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from itertools import islice
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


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
