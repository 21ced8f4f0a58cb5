"""The embeddings of a run: sounds to frames, a batch at a time, each batch a part file of its own."""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TypeVar, cast

import numpy as np

from innerear.clip import Clip
from innerear.compute.threads import one_blas_thread
from innerear.embed import CaptionReader, Frames, open_embedder
from innerear.embed.store import Stored, load_frames, load_names, save_frames
from innerear.errors import AudioError, UsageError, WeightsUnavailable
from innerear.records import Probe, digest
from innerear.run.folders import is_local
from innerear.run.parts import read_parts
from innerear.run.whole import writing

ANCHOR_RATE_HZ = 44_100
T = TypeVar("T")
PARTS = "[!.]*.npz"
MOST = 32  # clips between two part files

Named = tuple[str, Callable[[], Clip] | str]
"""What is embedded: a sound's name (its audio's digest, or an anchor's) and how to get it, or a caption."""


def batches(sounds: Sequence[Named], workers: int) -> list[Sequence[Named]]:
    """The sounds in batches, so many that no worker waits long for the last of another."""
    size = max(1, min(MOST, len(sounds) // (8 * workers)))
    return [sounds[i : i + size] for i in range(0, len(sounds), size)]


@contextmanager
def hearing(name: str, signature: str, folder: Path) -> Iterator[Callable[[Sequence[Named]], list[str]]]:
    """The embedder of this name, and how a batch of sounds, or of captions, becomes a part file.

    What comes back has a line for each sound of the batch that cannot be read; the others are kept.

    Raises:
        WeightsUnavailable: it cannot be had here, or works in another way than `signature` says.
    """
    embedder = open_embedder(name)
    if embedder.signature != signature:
        raise WeightsUnavailable(f"{name} works as {embedder.signature} here; the run is embedded by {signature}")

    def hear(batch: Sequence[Named]) -> list[str]:
        if any(isinstance(what, str) for _, what in batch):
            texts = cast(CaptionReader, embedder).read([cast(str, what) for _, what in batch])
            keep([name for name, _ in batch], [text[np.newaxis] for text in texts])
            return []
        names, clips, lost = [], [], []
        for name, what in batch:
            try:
                clips.append(cast(Callable[[], Clip], what)())
                names.append(name)
            except AudioError as error:
                lost.append(str(error))
        if clips:
            keep(names, embedder.embed(clips))
        return lost

    def keep(names: Sequence[str], frames: Sequence[Frames]) -> None:
        save_frames(folder / f"{digest(names)}.npz", names, frames, embedder.quantum)

    with one_blas_thread():
        yield hear


def anchors(probes: Sequence[Probe]) -> dict[str, Callable[[], Clip]]:
    """Noise and silence as long as each probe asks: by name, how to make it."""
    made: dict[str, Callable[[], Clip]] = {}
    for number, probe in enumerate(probes):
        made |= anchors_of(probe.id, probe.duration_s, number)
    return made


def anchors_of(probe: str, duration_s: float, number: int) -> dict[str, Callable[[], Clip]]:
    """The anchors of one probe; its number, its place among those of the run, seeds the noise."""
    samples = round(duration_s * ANCHOR_RATE_HZ)
    return {f"noise/{probe}": partial(_noise, number, samples), f"silence/{probe}": partial(_silence, samples)}


def _noise(seed: int, samples: int) -> Clip:
    white = np.random.default_rng(seed).normal(0, 0.1, (1, samples))
    return Clip(white.astype(np.float32), ANCHOR_RATE_HZ)


def _silence(samples: int) -> Clip:
    return Clip(np.zeros((1, samples), np.float32), ANCHOR_RATE_HZ)


def read_embeddings(folder: Path, damaged: Callable[[Path, str], None] = lambda path, why: None) -> Embedded:
    """All frames of a folder by name: the audio's digest, an anchor's or a caption's name.

    A file that cannot be read is left out: `damaged` is told of it, and why. What it held can always
    be made again.
    """
    found: Embedded = {}
    for stored in _parts(folder, damaged):
        for name, clip in zip(stored.names, stored.clips, strict=True):
            found.setdefault(name, clip)
    return found


def names_in(folder: Path) -> set[str]:
    """The names of all frames of a folder."""
    return {name for names in _each(folder, load_names, lambda path, why: None) for name in names}


def _parts(folder: Path, damaged: Callable[[Path, str], None]) -> list[Stored]:
    return _each(folder, load_frames, damaged)


def _each(folder: Path, load: Callable[[Path], T], damaged: Callable[[Path, str], None]) -> list[T]:
    """What is in each file of a folder; `damaged` is told of those that cannot be read."""

    def read(path: Path) -> list[T]:
        if is_local(path) and not stat.S_ISREG(path.stat().st_mode):
            damaged(path, f"{path} is not a file")
            return []
        try:
            return [load(path)]
        except UsageError as error:
            if isinstance(error.__cause__, FileNotFoundError):  # merged into another
                raise error.__cause__ from error
            damaged(path, str(error))
            return []

    try:
        return [each for found in read_parts(folder, PARTS, read) for each in found]
    except OSError as error:
        raise UsageError(f"{error.filename or folder} cannot be read: {error.strerror or error}") from error


def parts_of(folder: Path) -> list[Path]:
    """The files of a folder that hold embeddings."""
    return sorted(folder.glob(PARTS))


def compact(folder: Path) -> None:
    """Merge the part files that are there now into one; one that is damaged stays apart."""
    bad: set[Path] = set()
    paths = parts_of(folder)
    stored = _parts(folder, lambda path, why: bad.add(path)) if len(paths) > 1 else []
    if len(stored) < 2:
        return
    rows: Embedded = {}
    for part in stored:
        for name, clip in zip(part.names, part.clips, strict=True):
            rows.setdefault(name, clip)
    merged = folder / f"{digest(sorted(rows))}.npz"
    save_frames(merged, list(rows), list(rows.values()), stored[0].quantum)
    with writing(folder):
        for path in paths:
            if path != merged and path not in bad:
                path.unlink(missing_ok=True)


Embedded = dict[str, Frames]
"""Frames by the digest of their audio, or by the name of an anchor."""
Embedding = tuple[str, Embedded]
"""The embedder's signature, and what it heard."""
