"""The manifest of a folder of real recordings: MANIFEST.csv, one row per clip."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

from innerear.errors import UsageError

ManifestRow = Mapping[str, str]
"""One row by column name: file, tier, set, label, speaker, source_id, licence, sha256 …"""

COLUMNS = ("file", "tier", "set", "label", "speaker", "source_path", "source_id")
"""Columns needed to build a reference."""


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
