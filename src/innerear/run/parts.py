"""Rows on disk: a folder of part files, each written under a temporary name, renamed, and never rewritten.

Readers merge them; the first row with a key wins. So a killed run loses only what was in flight, many workers can
write at once, and an object store works as well as a disk.
"""

from __future__ import annotations

import contextlib
import stat
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Generic, Protocol, Self, TypeVar

import msgspec

from innerear.errors import DiskFull, UsageError
from innerear.records import Scope
from innerear.run.folders import is_local
from innerear.run.whole import sweep, write_whole, writing

__all__ = [
    "Keyed",
    "Updater",
    "Writer",
    "compact",
    "from_json",
    "plain",
    "read_parts",
    "read_rows",
    "replace_rows",
    "to_json",
    "typed",
    "write_whole",
]


class Keyed(Protocol):
    """A row with a key."""

    @property
    def key(self) -> str: ...  # noqa: D102


R = TypeVar("R", bound=Keyed)
T = TypeVar("T")
V = TypeVar("V")

REMOTE_S = 1.0  # shortest interval between part files in an object store
UNREADABLE = (msgspec.MsgspecError, UnicodeError, OverflowError, RecursionError)
"""What decoding raises on damaged or malicious JSON."""
_AS_ZEROS = bytes.maketrans(b"123456789", b"000000000")
_LONG = b"0" * 19  # with all digits as zeros: may be an integer of more than 64 bits


def from_json(content: bytes, wanted: type[V]) -> V:
    """Decode JSON to a value that can be encoded again.

    Raises:
        ValueError: the JSON is damaged, of another type, or holds an integer of more than 64 bits.
    """
    try:
        value = msgspec.json.decode(content, type=wanted, dec_hook=_of_text)
        _bounded(content)
    except UNREADABLE as error:
        raise ValueError(str(error)) from error
    return value


def to_json(value: Any, indent: int = 0) -> bytes:
    """Encode a value as JSON; with an indent over several lines."""
    content = msgspec.json.encode(value, enc_hook=str)
    return msgspec.json.format(content, indent=indent) if indent else content


def plain(value: Any) -> Any:
    """A value as the lists, dicts, texts and numbers of its JSON."""
    return msgspec.to_builtins(value, enc_hook=str)


def typed(value: Any, wanted: type[V]) -> V:
    """The inverse of `plain`."""
    return msgspec.convert(value, wanted, dec_hook=_of_text)


def _of_text(wanted: type, value: Any) -> Any:
    if wanted is Scope and isinstance(value, str):
        return Scope.parse(value)
    raise ValueError(f"expected {wanted.__name__}, got {type(value).__name__}")


def _bounded(content: bytes) -> None:
    """Raise OverflowError if the JSON holds an integer of more than 64 bits."""
    if _LONG not in content.translate(_AS_ZEROS):  # seven times as fast as a regular expression
        return
    stack = [msgspec.json.decode(content)]
    while stack:
        value = stack.pop()
        if isinstance(value, int) and value.bit_length() > 64:
            raise OverflowError(f"an integer of {value.bit_length()} bits, wanted at most 64")
        stack += value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()


def read_parts(folder: Path, pattern: str, read: Callable[[Path], T]) -> list[T]:
    """Apply `read` to each part file of a folder, in order of name.

    Parts are never rewritten, but another process may merge them at any time. If a part vanishes, the folder is
    listed again, until every part of one listing has been read.

    Raises:
        FileNotFoundError: a name in the folder is a broken link. Also whatever `read` raises.
    """
    results: dict[Path, T] = {}
    listed = sorted(folder.glob(pattern))
    while True:
        missing = None
        for path in listed:
            if path not in results:
                try:
                    results[path] = read(path)
                except FileNotFoundError as error:
                    missing = error
        now = sorted(folder.glob(pattern))
        if missing is None and set(listed) <= set(now):
            return [results[path] for path in listed]
        if missing is not None and now == listed:
            raise missing
        listed = now


def read_rows(folder: Path, row_type: type[R]) -> dict[str, R]:
    """All rows of a folder by key, in the order of their part files.

    Raises:
        UsageError: a part file cannot be read or decoded; the message has the file, the line, and the remedy.
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
        raise UsageError(f"{path} is not a regular file, wanted JSON Lines; move it elsewhere")
    for number, line in enumerate(path.read_bytes().splitlines(), 1):
        try:
            row = decoder.decode(line)
            _bounded(line)
        except UNREADABLE as error:
            raise UsageError(
                f"{path}, line {number} is damaged: {error}. Delete the line (sed -i {number}d '{path}'): the other "
                "rows are kept, and `innerear run` or the command of that stage makes the row again"
            ) from error
        yield row


class Writer(Generic[R]):
    """Write rows to a folder as they arrive; a context manager that compacts the folder on exit.

    `every_s` is how long a row may wait in memory; with 0 each is on disk before `keep` returns. In an object store,
    where writing a file takes tens of milliseconds, it is at least a second.

    Raises:
        DiskFull, UsageError: the folder cannot be written; at construction and at every write.
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

    def __exit__(self, *error: Any) -> None:
        self.flush()
        with contextlib.suppress(DiskFull, UsageError):  # all rows are safe, only in many files instead of one
            compact(self._folder, self._type)

    def keep(self, *rows: R) -> None:
        """Add rows. They are written with the next call after `every_s`, or at the end."""
        self._waiting += rows
        if time.monotonic() - self._last >= self._every_s:
            self.flush()

    def flush(self) -> None:
        """Write the waiting rows."""
        if self._waiting:
            write_whole(self._folder / _part_name(), _lines(self._waiting))
            self._waiting = []
        self._last = time.monotonic()


class Updater(Writer[R]):
    """A writer that also replaces rows: those in `done` that differ from a new row with the same key, on exit."""

    def __init__(self, folder: Path, row_type: type[R], done: Mapping[str, R], differs: Callable[[R, R], bool]) -> None:
        super().__init__(folder, row_type)
        self._done, self._differs = done, differs
        self._changed: list[R] = []

    def keep(self, *rows: R) -> None:
        """Add rows, or remember those that replace others."""
        super().keep(*(row for row in rows if row.key not in self._done))
        self._changed += (row for row in rows if (old := self._done.get(row.key)) and self._differs(row, old))

    def __exit__(self, *error: Any) -> None:
        super().__exit__(*error)
        if self._changed:
            replace_rows(self._folder, self._type, self._changed)


def compact(folder: Path, row_type: type[R]) -> None:
    """Merge a folder's current part files into one."""
    if len(sorted(folder.glob("*.jsonl"))) > 1:
        replace_rows(folder, row_type, ())


def replace_rows(folder: Path, row_type: type[R], rows: Iterable[R]) -> None:
    """Merge a folder's current part files into one; `rows` replace those with the same keys."""
    parts = sorted(folder.glob("*.jsonl"))
    merged = read_rows(folder, row_type) | {row.key: row for row in rows}
    write_whole(folder / _part_name(), _lines(merged.values()))
    with writing(folder):
        for path in parts:
            path.unlink(missing_ok=True)


def _part_name() -> str:
    """A unique name that sorts by time, so that the first row with a key is the oldest."""
    return f"{time.time_ns():020d}-{uuid.uuid4().hex[:8]}.jsonl"


def _lines(rows: Iterable[R]) -> bytes:
    encoder = msgspec.json.Encoder()
    return b"".join(encoder.encode(row) + b"\n" for row in rows)
