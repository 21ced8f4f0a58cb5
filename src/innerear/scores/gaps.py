"""Missing inputs of a run's scores that are no fault of the model, and the command that makes each."""

from __future__ import annotations

from collections.abc import Sequence

from innerear.embed.batches import names_in
from innerear.metrics.base import sound_of
from innerear.metrics.measure import keys
from innerear.metrics.registry import find
from innerear.records import Item, Outcome
from innerear.run.run import Run, embeddings_folder


def gaps(run: Run, items: Sequence[Item]) -> list[str]:
    """One line per kind of missing data (of `items` with their measurements): how many, the first, and the remedy."""
    rendered = [item for item in items if item.render.outcome != Outcome.NOT_RENDERED]
    sounding = [item for item in rendered if item.render.audio]
    stored = {path.stem for path in run.audio.glob("*.flac")}
    found = [
        _line(
            [item for item in sounding if item.render.audio not in stored],
            f"of {len(sounding)} sounds are missing from {run.audio}",
            f"`innerear render {run.folder}` renders them again",
        ),
        _line(
            [item for item in rendered if not _is_measured(item)],
            f"of {len(rendered)} answers are not fully measured",
            f"`innerear measure {run.folder}` measures them",
        ),
    ]
    for name in run.asked.embedders:
        if name in run.file.signatures:
            names = names_in(embeddings_folder(run, name))
            found.append(
                _line(
                    [item for item in sounding if item.render.audio not in names],
                    f"of {len(sounding)} sounds are not embedded by {name}",
                    f"`innerear embed {run.folder}` embeds them",
                )
            )
    return [line for line in found if line]


def _is_measured(item: Item) -> bool:
    wanted = [row.metric.name for row in keys(item.completion.key, sound_of(item)) if not row.metric.on_request]
    return wanted == [row.metric for row in item.measurements if not find(row.metric).on_request]


def _line(lacking: Sequence[Item], what: str, remedy: str) -> str:
    if not lacking:
        return ""
    first = lacking[0].completion
    return f"{len(lacking)} {what}, the first is {first.probe} by {first.model}; {remedy}"
