"""Frames on disk: the frames of many clips in one npz, exact where they have a quantum."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
import numpy as np
from numpy.typing import NDArray

from innerear.errors import UsageError
from innerear.run.folders import opened
from innerear.run.parts import write_whole


class _Head(msgspec.Struct, frozen=True):
    names: list[str]
    quantum: float | None
    facts: dict[str, Any]


class Stored(msgspec.Struct, frozen=True):
    """Frames by name, float32 of shape (frames, dims), and the facts stored with them."""

    names: list[str]
    clips: list[Any]  # NDArray[np.float32]
    facts: dict[str, Any]
    quantum: float | None = None


def quantise(frames: NDArray[np.float32], quantum: float | None) -> NDArray[Any]:
    """Bytes where frames are whole multiples (0 to 255) of a quantum, else float32 as they are."""
    return np.rint(frames / quantum).astype(np.uint8) if quantum else frames


def save_frames(
    path: Path,
    names: Sequence[str],
    clips: Sequence[NDArray[np.float32]],
    quantum: float | None,
    facts: dict[str, Any] | None = None,
) -> None:
    """Write frames whole or not at all. Columns lie together: most of a network's outputs are often 0."""
    stored = quantise(np.concatenate(clips), quantum)
    head = msgspec.json.encode(_Head(list(names), quantum, facts or {}))
    content = io.BytesIO()
    np.savez_compressed(
        content,
        frames=np.ascontiguousarray(stored.T),
        lengths=np.array([len(clip) for clip in clips], dtype=np.uint32),
        head=np.frombuffer(head, np.uint8),
    )
    write_whole(path, content.getvalue())


def load_names(path: Path) -> list[str]:
    """The names alone of what `save_frames` wrote; the frames are not read.

    Raises:
        UsageError: see `load_frames`.
    """
    try:
        with _open(path) as file, np.load(file, allow_pickle=False) as stored:
            return msgspec.json.decode(stored["head"].tobytes(), type=_Head).names
    except Exception as error:
        raise _unreadable(path, error) from error


def load_frames(path: Path) -> Stored:
    """Read what `save_frames` wrote.

    Raises:
        UsageError: the file is missing, is damaged, or is something else.
    """
    try:
        with _open(path) as file, np.load(file, allow_pickle=False) as stored:
            head = msgspec.json.decode(stored["head"].tobytes(), type=_Head)
            frames = np.ascontiguousarray(stored["frames"].T).astype(np.float32)
            lengths = stored["lengths"]
        ends = np.cumsum(lengths)
        if len(lengths) != len(head.names) or frames.ndim != 2 or ends[-1:].tolist() != [len(frames)]:
            raise ValueError(f"it has {len(head.names)} names and {len(lengths)} clips of {len(frames)} frames")
    except Exception as error:
        raise _unreadable(path, error) from error
    if head.quantum:
        frames *= np.float32(head.quantum)
    return Stored(head.names, np.split(frames, ends[:-1]), head.facts, head.quantum)


def _open(path: Path) -> BinaryIO:
    """Opened here, because NumPy does not close a file that is not a zip."""
    found = opened(path)
    return found.open("rb") if isinstance(found, Path) else found


def _unreadable(path: Path, error: Exception) -> UsageError:
    return UsageError(f"{path} holds no embeddings, or is damaged ({error})")
