"""The manifest of a folder of real recordings: MANIFEST.csv, one row per clip."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from innerear.data_folders import Folders, data_folders
from innerear.errors import UsageError

ManifestRow = Mapping[str, str]
"""One row by column name: file, tier, set, label, speaker, source_id, licence, sha256 …"""

COLUMNS = ("file", "tier", "set", "label", "speaker", "source_path", "source_id")
"""Columns needed to build a reference."""


def read_manifests(folders: Folders = None, columns: Sequence[str] = COLUMNS) -> list[ManifestRow]:
    """Read the rows of the manifests of several folders, by default those of `INNEREAR_DATA`.

    Raises:
        UsageError: a manifest cannot be read, a column is missing, or two folders have a file of one name.
    """
    rows = [row for folder in data_folders(folders) for row in read_manifest(folder / "MANIFEST.csv", columns)]
    counts = Counter(row["file"] for row in rows)
    if twice := [file for file, count in counts.items() if count > 1]:
        raise UsageError(f"{twice[0]} is listed twice; the folders of recordings must not have files of one name")
    return rows


def read_manifest(path: Path, columns: Sequence[str] = COLUMNS) -> list[ManifestRow]:
    """Read the rows of a manifest, which must have these columns.

    Raises:
        UsageError: it cannot be read, or a column is missing.
    """
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows: list[ManifestRow] = list(csv.DictReader(file))
    except OSError as error:
        raise UsageError(
            f"{path.parent} holds no {path.name} ({error.strerror}), the manifest of real recordings; "
            "`innerear reference fetch FOLDER` fetches both, and INNEREAR_DATA=FOLDER names them"
        ) from error
    except (UnicodeError, csv.Error) as error:
        raise UsageError(f"the manifest {path} is not a UTF-8 CSV table: {error}") from error
    missing = [column for column in columns if not rows or column not in rows[0]]
    if missing:
        raise UsageError(f"the manifest {path} has no column {missing[0]!r}; wanted {', '.join(columns)}")
    return rows
