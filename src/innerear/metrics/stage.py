"""The measurements of a run: measuring the rows that are missing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple

from innerear.compute.threads import one_blas_thread
from innerear.compute.work import Executor, Failure, Job
from innerear.embed import Frames
from innerear.embed.batches import read_embeddings
from innerear.errors import AudioError
from innerear.metrics.base import Metric, sound_of
from innerear.metrics.measure import Wanted, is_settled, keys
from innerear.metrics.measure import measure as measure_sound
from innerear.records import Item, Measurement
from innerear.render.render import load
from innerear.run.parts import Writer
from innerear.run.progress import Progress, Tally
from innerear.run.run import Run, embeddings_folder

SHARED = "aisfx"
"""The embedder whose frames metrics take from the run, if it has them: hearing them again is half of all measuring."""


class Missing(NamedTuple):
    """A sound, the keys of its missing rows, and its frames that the run has, by the embedder's signature."""

    item: Item
    wanted: frozenset[str]
    frames: Mapping[str, Frames] = {}


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
        (item, [row for row in rows if not is_settled(done, row.key, row.metric)]) for item, rows in applicable
    ]
    missing = with_frames(run, [(item, rows) for item, rows in unsettled if rows])
    tally = Tally(progress, what, len(applicable) - len(missing), len(applicable))

    def keep(_: Missing, rows: list[Measurement]) -> None:
        writer.keep(*(row for row in rows if row.key not in done))
        tally.add()

    work = Job(partial(measuring, run.audio), forgives=(AudioError,), sees=run.folder)
    lost: list[Failure[Missing]] = machines.map(work, missing, keep)
    writer.flush()
    return [one.why for one in lost]


def with_frames(run: Run, missing: Sequence[tuple[Item, Sequence[Wanted]]]) -> list[Missing]:
    """The missing rows of each item, with the frames that their metrics can use."""
    signature = run.file.signatures.get(SHARED)
    using = [any(SHARED in row.metric.weights for row in rows) for _, rows in missing]
    embedded = read_embeddings(embeddings_folder(run, SHARED)) if signature and any(using) else {}
    found = []
    for (item, rows), uses in zip(missing, using, strict=True):
        known = embedded.get(item.render.audio or "") if uses else None
        frames = {} if known is None or signature is None else {signature: known}
        found.append(Missing(item, frozenset(row.key for row in rows), frames))
    return found


@contextmanager
def measuring(audio: Path) -> Iterator[Callable[[Missing], list[Measurement]]]:
    """A function that measures the missing rows of an item."""

    def measure(missing: Missing) -> list[Measurement]:
        item = missing.item
        clip = load(item.render, audio) if item.render.audio else None
        return measure_sound(item.completion.key, sound_of(item, clip, missing.frames), missing.wanted)

    with one_blas_thread():
        yield measure
