"""Rows on disk: a folder of part files, each written whole beside its place and renamed, never rewritten.

Readers merge them; the first row of a key wins. So a killed run loses only what was in flight,
many workers can write at once, and an object store serves as well as a disk.
"""

from __future__ import annotations

import contextlib
import re
import stat
import time
import uuid
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType
from typing import Generic, Protocol, Self, TypeVar

import msgspec

from innerear.errors import DiskFull, UsageError
from innerear.run.folders import is_local
from innerear.run.whole import sweep, write_whole, writing

__all__ = ["Keyed", "Writer", "compact", "from_json", "read_parts", "read_rows", "replace_rows", "write_whole"]


class Keyed(Protocol):
    """A row with a key."""

    @property
    def key(self) -> str: ...  # noqa: D102


R = TypeVar("R", bound=Keyed)
T = TypeVar("T")
V = TypeVar("V")

REMOTE_S = 1.0
UNREADABLE = (msgspec.MsgspecError, UnicodeError, OverflowError, RecursionError)
"""What decoding JSON raises on a text that is damaged, or that was made to do harm."""
_LONG = re.compile(rb"[0-9]{19}")  # what may be an integer that is too large to calculate with


def from_json(content: bytes, wanted: type[V]) -> V:
    """Decode a JSON text; what comes out can be written again.

    Raises:
        ValueError: it is damaged, of another kind, or holds what no JSON of ours can.
    """
    try:
        value = msgspec.json.decode(content, type=wanted)
        _bounded(content)
    except UNREADABLE as error:
        raise ValueError(str(error)) from error
    return value


def _bounded(content: bytes) -> None:
    """Raise OverflowError if a JSON text holds an integer of more than 64 bits."""
    if not _LONG.search(content):
        return
    left = [msgspec.json.decode(content)]
    while left:
        value = left.pop()
        if isinstance(value, int) and value.bit_length() > 64:
            raise OverflowError(f"an integer of {value.bit_length()} bits, wanted at most 64")
        left += value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()


def read_parts(folder: Path, pattern: str, read: Callable[[Path], T]) -> list[T]:
    """What `read` makes of each part file of a folder, in the order of their names.

    Parts are never rewritten, and another process may merge them at any time: what vanishes while it
    is read is looked for in a new list, until a list is read to its end.

    Raises:
        FileNotFoundError: a name in the folder leads nowhere (a broken link). What `read` raises.
    """
    known: dict[Path, T] = {}
    listed = sorted(folder.glob(pattern))
    while True:
        lost = None
        for path in listed:
            if path not in known:
                try:
                    known[path] = read(path)
                except FileNotFoundError as error:
                    lost = error
        now = sorted(folder.glob(pattern))
        if lost is None and set(listed) <= set(now):
            return [known[path] for path in listed]
        if lost is not None and now == listed:
            raise lost
        listed = now


def read_rows(folder: Path, row_type: type[R]) -> dict[str, R]:
    """All rows of a folder by key, in the order of their part files.

    Raises:
        UsageError: a part file cannot be read, or holds something else; the message has the file, the
            line, and what to do.
    """
    decoder = msgspec.json.Decoder(row_type)
    rows: dict[str, R] = {}
    try:
        for part in read_parts(folder, "*.jsonl", lambda path: list(_rows_of(path, decoder))):
            for row in part:
                rows.setdefault(row.key, row)
    except OSError as error:
        raise UsageError(f"{error.filename or folder} cannot be read as rows: {error.strerror or error}") from error
    return rows


def _rows_of(path: Path, decoder: msgspec.json.Decoder[R]) -> Iterable[R]:
    if is_local(path) and not stat.S_ISREG(path.stat().st_mode):
        raise UsageError(f"{path} is not a file, wanted rows; move it away")
    for number, line in enumerate(path.read_bytes().splitlines(), 1):
        try:
            row = decoder.decode(line)
            _bounded(line)
        except UNREADABLE as error:
            raise UsageError(
                f"{path}, line {number}: {error}; the line is damaged. Delete it "
                f"(sed -i {number}d '{path}'): the other rows stay, and `innerear run` or the stage "
                "makes its row again"
            ) from error
        yield row


class Writer(Generic[R]):
    """Keeps rows in a folder as they come; a context manager that compacts the folder at its end.

    `every_s` is how long a row may wait in memory; 0 puts each on disk before `keep` returns. In
    an object store, where a file takes tens of milliseconds, it is at least a second.

    Raises:
        DiskFull, UsageError: the folder takes no files, when it is made and at every row.
    """

    def __init__(self, folder: Path, row_type: type[R], every_s: float = 0.0) -> None:
        self._folder, self._type = folder, row_type
        self._every_s = every_s if is_local(folder) else max(every_s, REMOTE_S)
        self._waiting: list[R] = []
        self._last = time.monotonic()
        if is_local(folder):  # object stores have no folders
            with writing(folder):
                folder.mkdir(parents=True, exist_ok=True)
            sweep(folder)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.flush()
        with contextlib.suppress(DiskFull, UsageError):  # all rows are on disk, in many files instead of one
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
    if len(sorted(folder.glob("*.jsonl"))) > 1:
        replace_rows(folder, row_type, ())


def replace_rows(folder: Path, row_type: type[R], rows: Iterable[R]) -> None:
    """Merge the part files that are there now into one, with these rows in place of those of the same keys."""
    parts = sorted(folder.glob("*.jsonl"))
    merged = read_rows(folder, row_type) | {row.key: row for row in rows}
    write_whole(folder / _part_name(), _lines(merged.values()))
    with writing(folder):
        for path in parts:
            path.unlink(missing_ok=True)


def _part_name() -> str:
    """Sorts by time, so that the first row of a key is the oldest; unlike any other's."""
    return f"{time.time_ns():020d}-{uuid.uuid4().hex[:8]}.jsonl"


def _lines(rows: Iterable[R]) -> bytes:
    encoder = msgspec.json.Encoder()
    return b"".join(encoder.encode(row) + b"\n" for row in rows)
