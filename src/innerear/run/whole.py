"""What is written to disk is there whole or not at all, and whoever cannot write is told why in one line.

A file or a folder is made next to its place under a temporary name that is this process's own, and
renamed. What a killed process left under such a name is swept away by the next one (`sweep`). Errors of
the disk become errors of this package here (`writing`).
"""

from __future__ import annotations

import contextlib
import errno
import functools
import os
import platform
import re
import shutil
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

from innerear.errors import DiskFull, UsageError
from innerear.records import digest
from innerear.run.folders import is_local

FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
STALE_S = 24 * 3600.0  # after which a temporary name of another machine, or of an older version, is a left-over
_OWN = re.compile(r"\..+\.(?P<pid>\d+)-(?P<place>[0-9a-f]{8})-[0-9a-f]{12}\.part", re.DOTALL)


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that it is there whole or not at all, in a folder of any kind (see `folders`).

    Raises:
        DiskFull, UsageError: see `writing`. Nothing is left behind.
    """
    with writing(path.parent):
        if not is_local(path):  # what is put in an object store is there whole
            path.write_bytes(content)
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        part = temporary(path)
        try:
            part.write_bytes(content)
            part.replace(path)
        except BaseException:
            part.unlink(missing_ok=True)
            raise


@contextlib.contextmanager
def new_folder(folder: Path) -> Iterator[Path]:
    """A folder to fill under a temporary name; at the end it is renamed to `folder`, in place of what is there.

    Of several processes that do so at once the last wins. Until the rename, the older folder is as it was.

    Raises:
        DiskFull, UsageError: see `writing`. Nothing is left behind.
    """
    part = temporary(folder)
    with writing(folder.parent):
        try:
            part.mkdir(parents=True)
            yield part
            put_in_place(part, folder)
        finally:
            shutil.rmtree(part, ignore_errors=True)


def put_in_place(part: Path, folder: Path) -> None:
    """Rename a finished folder into place, however often another process does the same in between."""
    while True:
        old = temporary(folder)
        try:
            with contextlib.suppress(FileNotFoundError):
                folder.rename(old)
            try:
                part.rename(folder)
            except OSError as error:
                if error.errno in (errno.ENOTEMPTY, errno.EEXIST):  # another process was faster
                    continue
                with contextlib.suppress(OSError):
                    old.rename(folder)
                raise
            return
        finally:
            shutil.rmtree(old, ignore_errors=True)


def temporary(path: Path) -> Path:
    """A hidden name next to a path, which no other process and no other thread uses."""
    return path.with_name(f".{path.name}.{os.getpid()}-{_place()}-{uuid.uuid4().hex[:12]}.part")


def sweep(folder: Path) -> None:
    """Remove what killed processes left in a folder under temporary names.

    A name is a left-over if its process is gone. Processes of other machines cannot be asked: what
    they left is removed when it is a day old.
    """
    if not is_local(folder):
        return
    with contextlib.suppress(OSError):  # a folder that is not there, or that is not ours to tidy
        for path in folder.glob(".*.part"):
            if _is_left_over(path):
                with contextlib.suppress(OSError):
                    shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()


def _is_left_over(path: Path) -> bool:
    named = _OWN.fullmatch(path.name)
    if named and named["place"] == _place():
        return not _is_alive(int(named["pid"]))
    with contextlib.suppress(OSError):
        return time.time() - path.lstat().st_mtime > STALE_S
    return False


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):  # another user's
        return True
    return True


@functools.cache
def _place() -> str:
    """Where process ids count: this machine, and on it this container."""
    space = ""
    with contextlib.suppress(OSError):
        space = os.readlink("/proc/self/ns/pid")  # noqa: PTH115  it is no path
    return digest(platform.node(), space)[:8]


@contextlib.contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Turn an error of the disk into one line that names the folder and says what to do.

    Raises:
        DiskFull: there is no room left. UsageError: the folder cannot be written.
    """
    try:
        yield
    except OSError as error:
        raise of_disk(error, folder) from error


def of_disk(error: OSError, folder: Path | str) -> DiskFull | UsageError:
    """What an error of the disk is to whoever wanted to write in a folder."""
    why = error.strerror or str(error)
    if error.errno in FULL:
        return DiskFull(
            f"{folder} cannot take more ({why}); make room there and give the same command again: "
            "what was finished stays"
        )
    return UsageError(
        f"{folder} cannot be written ({why}); make it writable, or work on a copy of it elsewhere, "
        "and give the same command again: what was finished stays"
    )


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep other processes out while a file of the folder is read, changed and written; no file is left behind.

    It does nothing in an object store, and where the disk knows no locks.
    """
    if not is_local(folder):
        yield
        return
    import fcntl

    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with contextlib.suppress(OSError):
            fcntl.flock(number, fcntl.LOCK_EX)
        yield
    finally:
        os.close(number)
