"""Run folders that may lie anywhere: on a disk, or at an fsspec address such as `s3://bucket/run`.

A local folder is a plain `pathlib.Path`. Any other is a `UPath` of universal_pathlib, which is
read, listed and joined in the same way. What differs is said here and in `parts.write_whole`.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import BinaryIO, cast

from innerear.errors import UsageError


def folder(address: str | Path) -> Path:
    """The folder at a path or an address.

    Raises:
        UsageError: the address needs a package that is not here, or is of no known kind.

    >>> folder("runs/demo")
    PosixPath('runs/demo')
    """
    text = str(address)
    if isinstance(address, Path) or "://" not in text:
        return Path(address)
    if text.startswith("file://"):
        return Path(text.removeprefix("file://"))
    try:
        from upath import UPath

        # Others write there too: a list of files is true only when it is asked for.
        place = UPath(text, use_listings_cache=False)
        _ = place.fs
    except (ImportError, ValueError) as error:
        raise UsageError(f"{text} cannot be used ({error}); for s3:// install 'innerear[s3]'") from error
    return cast(Path, place)


def is_local(path: Path) -> bool:
    """Whether it lies on a disk of this machine, as far as its name tells."""
    return isinstance(path, Path)


def opened(path: Path) -> Path | BinaryIO:
    """What libraries read a file from: its path where it is local, else its content."""
    return path if is_local(path) else io.BytesIO(path.read_bytes())
