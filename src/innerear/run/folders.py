"""Run folders, local or at an fsspec address such as `s3://bucket/run`.

A local folder is a plain `pathlib.Path`. Any other is a `UPath` from universal_pathlib, which is read, listed and
joined in the same way. The differences are handled here and in `whole.write_whole`.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import BinaryIO, cast

from innerear.errors import UsageError


def folder(address: str | Path) -> Path:
    """The folder at a path or an address.

    Raises:
        UsageError: the address needs a package that is not installed, or its protocol is unknown.

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

        # Other processes write there too, so a cached listing may be stale.
        remote = UPath(text, use_listings_cache=False)
        _ = remote.fs  # raises if the protocol's package is missing
    except (ImportError, ValueError) as error:
        raise UsageError(f"{text} cannot be used ({error}); for s3:// install 'innerear[s3]'") from error
    return cast(Path, remote)


def is_local(path: Path) -> bool:
    """Whether the path is on the local file system, judging by its type."""
    return isinstance(path, Path)


def opened(path: Path) -> Path | BinaryIO:
    """What to hand to a library that reads a file: the path if it is local, else the content in memory."""
    return path if is_local(path) else io.BytesIO(path.read_bytes())
