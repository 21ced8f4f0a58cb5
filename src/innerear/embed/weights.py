"""Where weights come from: a local folder, the cache, or their public home; always checked by SHA-256.

Looked for in this order: the folder named by `INNEREAR_MODELS`; the cache (`INNEREAR_CACHE`, or
`innerear` in the user's cache folder); the address in `weights.csv`, which is fetched into the cache.
"""

from __future__ import annotations

import csv
import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from innerear.download import get
from innerear.errors import UsageError, WeightsUnavailable
from innerear.parts import write_whole

Progress = Callable[[str, int, int], None]
"""Called with a name, the bytes so far, and the bytes in all."""


@dataclass(frozen=True)
class Source:
    """One row of `weights.csv`."""

    name: str
    file: str
    bytes: int
    sha256: str
    licence: str
    url: str


@dataclass(frozen=True)
class Weights:
    """A file that is there and whose content is what the table says."""

    path: Path
    sha256: str


def sources() -> dict[str, Source]:
    """The table, by name."""
    table = resources.files(__package__).joinpath("weights.csv").read_text()
    return {
        row["name"]: Source(row["name"], row["file"], int(row["bytes"]), row["sha256"], row["licence"], row["url"])
        for row in csv.DictReader(table.splitlines())
    }


def cache_folder() -> Path:
    """`INNEREAR_CACHE`, or `innerear` in the user's cache folder."""
    if named := os.environ.get("INNEREAR_CACHE"):
        return Path(named)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "innerear"


def local(source: Source) -> Weights | None:
    """The weights where they lie on this machine, or `None`.

    Raises:
        WeightsUnavailable: a file of that name is there with other content.
    """
    folders = [Path(named)] if (named := os.environ.get("INNEREAR_MODELS")) else []
    for folder in [*folders, cache_folder() / "models"]:
        path = folder / source.file
        if path.is_file():
            found = hashlib.sha256(path.read_bytes()).hexdigest()
            if found != source.sha256:
                raise WeightsUnavailable(
                    f"{path} has sha256 {found[:12]}…, wanted {source.sha256[:12]}…: put the right file there"
                )
            return Weights(path, found)
    return None


def fetch(name: str, progress: Progress | None = None) -> Weights:
    """The weights of this name, from this machine or else from their public home.

    Raises:
        UsageError: no such weights. WeightsUnavailable: not here and not to be had, in one line.
    """
    table = sources()
    if name not in table:
        raise UsageError(f"no weights {name!r}; there are {', '.join(table)}")
    source = table[name]
    return local(source) or Weights(
        download(source.url, cache_folder() / "models" / source.file, source.sha256, source.bytes, progress),
        source.sha256,
    )


def download(url: str, target: Path, sha256: str, size: int, progress: Progress | None = None) -> Path:
    """Fetch a file whole or not at all; its content must have this SHA-256.

    Raises:
        WeightsUnavailable: no answer within 8 s, cut off, too long, or other content.
    """
    hint = f"put {target.name} into a folder named by INNEREAR_MODELS, or try again online"
    try:
        content = get(url, size, lambda done: progress(target.name, done, size) if progress else None)
    except OSError as error:
        raise WeightsUnavailable(f"{target.name} is not here, and {url} gives: {error}; {hint}") from error
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise WeightsUnavailable(f"{url} has sha256 {found[:12]}…, wanted {sha256[:12]}…; {hint}")
    write_whole(target, content)
    return target
