"""Atomic writes: a file or folder is there whole or not at all, and a disk error becomes a one-line message.

A file or folder is made next to its destination, under a temporary name unique to the process, and then renamed.
What a killed process leaves behind is removed by the next one (`sweep`). `writing` translates disk errors.
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
STALE_S = 24 * 3600.0  # age at which a temporary file from another machine or an older version is removed
_OWN = re.compile(r"\..+\.(?P<pid>\d+)-(?P<place>[0-9a-f]{8})-[0-9a-f]{12}\.part", re.DOTALL)


def write_whole(path: Path, content: bytes) -> None:
    """Write a file atomically, in a local or remote folder (see `folders`).

    Raises:
        DiskFull, UsageError: see `writing`. Nothing is left behind.
    """
    with writing(path.parent):
        if not is_local(path):  # object stores write atomically
            path.write_bytes(content)
            return
    with new_file(path) as part:
        part.write_bytes(content)


@contextlib.contextmanager
def new_file(path: Path) -> Iterator[Path]:
    """Yield a temporary local path to write; on exit it is renamed to `path`, replacing an existing file.

    Raises:
        DiskFull, UsageError: see `writing`. Nothing is left behind.
    """
    part = temporary(path)
    with writing(path.parent):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            yield part
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)


@contextlib.contextmanager
def new_folder(folder: Path) -> Iterator[Path]:
    """Yield a temporary folder to fill; on exit it is renamed to `folder`, replacing an existing one.

    If several processes do so at once, the last wins. The old folder is untouched until the rename.

    Raises:
        DiskFull, UsageError: see `writing`. Nothing is left behind.
    """
    part = temporary(folder)
    with writing(folder.parent):
        try:
            part.mkdir(parents=True)
            yield part
            _put_in_place(part, folder)
        finally:
            shutil.rmtree(part, ignore_errors=True)


def _put_in_place(part: Path, folder: Path) -> None:
    """Rename a finished folder to its destination, even if other processes do the same meanwhile."""
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
    """A hidden name next to a path, unique across processes and threads."""
    return path.with_name(f".{path.name}.{os.getpid()}-{_place()}-{uuid.uuid4().hex[:12]}.part")


def sweep(folder: Path) -> None:
    """Remove the temporary files that killed processes left in a folder.

    A file is a leftover if its process has ended. Processes on other machines cannot be checked, so their files are
    removed when they are a day old.
    """
    if not is_local(folder):
        return
    with contextlib.suppress(OSError):  # the folder does not exist, or may not be changed
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
    """Where process ids are valid: this machine and container."""
    space = ""
    with contextlib.suppress(OSError):
        space = os.readlink("/proc/self/ns/pid")  # noqa: PTH115  not a path
    return digest(platform.node(), space)[:8]


@contextlib.contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Turn a disk error into one line that names the folder and the remedy.

    Raises:
        DiskFull: no space is left. UsageError: the folder cannot be written.
    """
    try:
        yield
    except OSError as error:
        raise of_disk(error, folder) from error


def of_disk(error: OSError, folder: Path | str) -> DiskFull | UsageError:
    """The error of this package for a disk error in a folder."""
    why = error.strerror or str(error)
    if error.errno in FULL:
        return DiskFull(f"{folder} is full ({why}); free some space and repeat the command: finished work is kept")
    return UsageError(
        f"{folder} cannot be written ({why}); make it writable, or work on a copy elsewhere, and repeat the command: "
        "finished work is kept"
    )


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Lock a folder against other processes while one of its files is read, changed and written.

    Leaves no lock file. Does nothing in an object store, or if the file system does not support locks.
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
