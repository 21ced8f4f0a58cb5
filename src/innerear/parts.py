"""Rows on disk: a folder of part files, each written whole beside its place and renamed, never rewritten.

Readers merge them; the first row of a key wins. So a killed run loses only what was in flight,
many workers can write at once, and an object store serves as well as a disk.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Generic, Protocol, Self, TypeVar

import msgspec

from innerear.errors import UsageError
from innerear.folders import is_local


class Keyed(Protocol):
    """A row with a key."""

    @property
    def key(self) -> str: ...  # noqa: D102


R = TypeVar("R", bound=Keyed)

REMOTE_S = 1.0


def read_rows(folder: Path, row_type: type[R]) -> dict[str, R]:
    """All rows of a folder by key, in the order of their part files.

    Raises:
        UsageError: a part file holds something else; the message has the file and the line.
    """
    decoder = msgspec.json.Decoder(row_type)
    while True:
        rows: dict[str, R] = {}
        try:
            for path in sorted(folder.glob("*.jsonl")):
                for number, line in enumerate(path.read_bytes().splitlines(), 1):
                    try:
                        row = decoder.decode(line)
                    except msgspec.DecodeError as error:
                        raise UsageError(f"{path}, line {number}: {error}") from error
                    rows.setdefault(row.key, row)
        except FileNotFoundError:  # another process compacted the folder while we read it
            continue
        return rows


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that it is there whole or not at all, in a folder of any kind (see `folders`)."""
    if not is_local(path):  # what is put in an object store is there whole
        path.write_bytes(content)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{uuid.uuid4().hex[:12]}.part")  # others may write the same file
    part.write_bytes(content)
    part.replace(path)


class Writer(Generic[R]):
    """Keeps rows in a folder as they come; a context manager that compacts the folder at its end.

    `every_s` is how long a row may wait in memory; 0 puts each on disk before `keep` returns. In
    an object store, where a file takes tens of milliseconds, it is at least a second.
    """

    def __init__(self, folder: Path, row_type: type[R], every_s: float = 0.0) -> None:
        self._folder, self._type = folder, row_type
        self._every_s = every_s if is_local(folder) else max(every_s, REMOTE_S)
        self._waiting: list[R] = []
        self._last = time.monotonic()
        if is_local(folder):  # object stores have no folders
            folder.mkdir(parents=True, exist_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.flush()
        compact(self._folder, self._type)

    def keep(self, *rows: R) -> None:
        """Keep rows; they are on disk within `every_s` of it, if more come, or at the end."""
        self._waiting += rows
        if time.monotonic() - self._last >= self._every_s:
            self.flush()

    def flush(self) -> None:
        """Put what waits on disk."""
        if self._waiting:
            write_whole(self._folder / _part_name(), _lines(self._waiting))
            self._waiting = []
        self._last = time.monotonic()


def compact(folder: Path, row_type: type[R]) -> None:
    """Merge the part files that are there now into one."""
    parts = sorted(folder.glob("*.jsonl"))
    if len(parts) < 2:
        return
    rows = read_rows(folder, row_type)
    write_whole(folder / _part_name(), _lines(rows.values()))
    for path in parts:
        path.unlink(missing_ok=True)


def _part_name() -> str:
    """Sorts by time, so that the first row of a key is the oldest; unlike any other's."""
    return f"{time.time_ns():020d}-{uuid.uuid4().hex[:8]}.jsonl"


def _lines(rows: Iterable[R]) -> bytes:
    encoder = msgspec.json.Encoder()
    return b"".join(encoder.encode(row) + b"\n" for row in rows)
