"""The embeddings of a run: sounds to frames, a batch at a time, each batch a part file of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import cast

import numpy as np

from innerear.clip import Clip
from innerear.distances import Embedded
from innerear.embed import CaptionReader, open_embedder
from innerear.embed.store import load_frames, save_frames
from innerear.errors import WeightsUnavailable
from innerear.records import Probe, digest
from innerear.run import Run
from innerear.threads import one_blas_thread

ANCHOR_RATE_HZ = 44_100
MOST = 32  # clips between two part files

Named = tuple[str, Callable[[], Clip] | str]
"""What is embedded: a sound's name (its audio's digest, or an anchor's) and how to get it, or a caption."""


def embeddings_folder(run: Run, name: str) -> Path:
    """Where the embeddings of one embedder, working as it does now, lie."""
    return run.folder / "embeddings" / f"{name}-{digest(run.file.signatures[name])[:8]}"


def batches(sounds: Sequence[Named], workers: int) -> list[Sequence[Named]]:
    """The sounds in batches, so many that no worker waits long for the last of another."""
    size = max(1, min(MOST, len(sounds) // (8 * workers)))
    return [sounds[i : i + size] for i in range(0, len(sounds), size)]


@contextmanager
def hearing(name: str, signature: str, folder: Path) -> Iterator[Callable[[Sequence[Named]], None]]:
    """The embedder of this name, and how a batch of sounds, or of captions, becomes a part file.

    Raises:
        WeightsUnavailable: it cannot be had here, or works in another way than `signature` says.
    """
    embedder = open_embedder(name)
    if embedder.signature != signature:
        raise WeightsUnavailable(f"{name} works as {embedder.signature} here; the run is embedded by {signature}")

    def hear(batch: Sequence[Named]) -> None:
        names = [name for name, _ in batch]
        captions = [what for _, what in batch if isinstance(what, str)]
        if captions:
            frames = [text[np.newaxis] for text in cast(CaptionReader, embedder).read(captions)]
        else:
            frames = embedder.embed([what() for _, what in batch if not isinstance(what, str)])
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


def read_embeddings(folder: Path) -> Embedded:
    """All frames of a folder by name: the audio's digest, an anchor's or a caption's name."""
    found: Embedded = {}
    for path in sorted(folder.glob("[!.]*.npz")):
        stored = load_frames(path)
        for name, clip in zip(stored.names, stored.clips, strict=True):
            found.setdefault(name, clip)
    return found


def compact(folder: Path) -> None:
    """Merge the part files that are there now into one."""
    parts = sorted(folder.glob("[!.]*.npz"))
    if len(parts) > 1:
        rows = read_embeddings(folder)
        merged = folder / f"{digest(sorted(rows))}.npz"
        save_frames(merged, list(rows), list(rows.values()), load_frames(parts[0]).quantum)
        for path in parts:
            if path != merged:
                path.unlink(missing_ok=True)
