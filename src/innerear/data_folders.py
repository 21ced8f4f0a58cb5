"""The folders of real recordings that `INNEREAR_DATA` names: one, or several joined by `os.pathsep`."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

Folders = str | Path | Sequence[Path] | None
"""Folders as a list, or as one text joined by `os.pathsep`; `None`: those of `INNEREAR_DATA`."""


def data_setting() -> Path | None:
    """What `INNEREAR_DATA` says, as one path; `None` if it is not set."""
    return Path(text) if (text := os.environ.get("INNEREAR_DATA")) else None


def data_folders(named: Folders = None) -> list[Path]:
    """The folders; none if nothing names one.

    >>> data_folders(os.pathsep.join(["data", "data-more"]))
    [PosixPath('data'), PosixPath('data-more')]
    """
    if named is not None and not isinstance(named, str | Path):
        return list(named)
    text = str(named or data_setting() or "")
    return [Path(one) for one in text.split(os.pathsep) if one]


def clip_path(folders: Folders, file: str) -> Path:
    """Path of a clip in the first folder that has it; in the last folder if none does."""
    paths = [folder / file for folder in data_folders(folders)]
    return next((path for path in paths if path.exists()), paths[-1])
