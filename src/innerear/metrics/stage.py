"""The measurements of a run: measuring the rows that are missing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from innerear.compute.threads import one_blas_thread
from innerear.compute.work import Executor, Failure, Job
from innerear.errors import AudioError
from innerear.metrics.base import Metric, sound_of
from innerear.metrics.measure import is_settled, keys
from innerear.metrics.measure import measure as measure_sound
from innerear.records import Item, Measurement
from innerear.render.render import load
from innerear.run.parts import Writer
from innerear.run.progress import Progress, Tally
from innerear.run.run import Run

Missing = tuple[Item, frozenset[str]]
"""A sound, and the keys of its missing rows."""


def measure_missing(
    run: Run,
    items: Sequence[Item],
    what: str,
    wanted: Callable[[Metric], bool],
    writer: Writer[Measurement],
    progress: Progress,
    machines: Executor,
) -> list[str]:
    """Measure the missing rows of the wanted metrics; return infrastructure failures, one line each."""
    done = run.measurements()
    found = [(item, [row for row in keys(item.completion.key, sound_of(item)) if wanted(row.metric)]) for item in items]
    applicable = [(item, rows) for item, rows in found if rows]
    unsettled = [
        (item, frozenset(row.key for row in rows if not is_settled(done, row.key, row.metric)))
        for item, rows in applicable
    ]
    missing = [(item, left) for item, left in unsettled if left]
    tally = Tally(progress, what, len(applicable) - len(missing), len(applicable))

    def keep(_: Missing, rows: list[Measurement]) -> None:
        writer.keep(*(row for row in rows if row.key not in done))
        tally.add()

    work = Job(partial(measuring, run.audio), forgives=(AudioError,), sees=run.folder)
    lost: list[Failure[Missing]] = machines.map(work, missing, keep)
    writer.flush()
    return [one.why for one in lost]


@contextmanager
def measuring(audio: Path) -> Iterator[Callable[[Missing], list[Measurement]]]:
    """A function that measures the missing rows of an item."""

    def measure(missing: Missing) -> list[Measurement]:
        item, wanted = missing
        clip = load(item.render, audio) if item.render.audio else None
        return measure_sound(item.completion.key, sound_of(item, clip), wanted)

    with one_blas_thread():
        yield measure
