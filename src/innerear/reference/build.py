"""Build references from folders of real recordings and their manifests."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from innerear.clip import Clip, read
from innerear.data_folders import Folders, clip_path, data_folders
from innerear.embed import Embedder
from innerear.errors import UsageError
from innerear.reference.manifest import ManifestRow
from innerear.reference.phrases import phrases
from innerear.reference.sets import KINDS, Kind, class_of, held_back, save, source_of


def build(
    folders: Folders,
    rows: Sequence[ManifestRow],
    embedder: Embedder,
    out: Path,
    kinds: Sequence[Kind] = KINDS,
    progress: Callable[[str, int, int], None] | None = None,
) -> list[Path]:
    """Embed the clips of each kind and write `out/KIND.EMBEDDER.npz`; kinds without clips are skipped.

    Raises:
        UsageError: no kind has clips.
        AudioError: a clip cannot be read.
    """
    held = held_back([row for row in rows if any(kind.wanted(row) for kind in kinds)])
    out.mkdir(parents=True, exist_ok=True)
    written = []
    for kind in kinds:
        chosen = [row for row in rows if kind.wanted(row)]
        if not chosen:
            continue
        names: list[str] = []
        frames: list[NDArray[np.float32]] = []
        kept_back: list[bool] = []
        classes: list[str] = []
        sources: list[str] = []
        for name, row, clip in _clips(kind, folders, chosen, held):
            names.append(name)
            kept_back.append(row["file"] in held)
            classes.append(class_of(row))
            sources.append(source_of(row))
            frames += embedder.embed([clip])
            if progress:
                progress(f"{kind.name} ({embedder.name})", len(names), max(len(names), len(chosen)))
        path = out / f"{kind.name}.{embedder.name}.npz"
        save(path, kind.name, embedder, names, frames, kept_back, classes, sources)
        written.append(path)
    if not written:
        named = ", ".join(map(str, data_folders(folders)))
        raise UsageError(f"no clip of {named} belongs to any of the kinds {', '.join(k.name for k in kinds)}")
    return written


def _clips(
    kind: Kind, folders: Folders, rows: Sequence[ManifestRow], held: frozenset[str]
) -> Iterator[tuple[str, ManifestRow, Clip]]:
    """The name of each clip, its row (for a phrase, that of a note of its instrument) and its sound."""
    if not kind.phrases:
        for row in rows:
            yield row["file"], row, read(clip_path(folders, row["file"]))
        return
    for is_held in (False, True):
        of_side = [row for row in rows if (row["file"] in held) == is_held]
        instruments = {row["set"].removeprefix("real:"): row for row in of_side}
        notes = [
            (row["set"].removeprefix("real:"), int(row["midi"]), read(clip_path(folders, row["file"])))
            for row in of_side
        ]
        for name, clip in phrases(notes, seed=int(is_held)):
            yield f"{'held' if is_held else 'kept'}-{name}", instruments[name.rpartition("-")[0]], clip
