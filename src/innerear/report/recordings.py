"""Real recordings to hear beside what a model made: the nearest that the reference data hold, by probe.

A report is made to be passed on, so a recording whose licence, or whose collection's licence, is
unknown, forbids commerce or forbids changes is left out, unless the report is told to take all.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from innerear.ask.models.real import fit
from innerear.errors import UsageError
from innerear.records import Probe, digest
from innerear.reference.manifest import ManifestRow, read_manifest
from innerear.report.data import Recording

FREE = ("cc0", "cc-by", "public domain", "mit", "free for any use", "bsd")
"""What the name of a licence has in it that lets a recording be passed on with its attribution."""
NOT_FREE = ("-nc", "-nd", "noncommercial", "sampling+", "unknown")


def may_be_passed_on(licence: str) -> bool:
    """Whether a report may hold a recording under this licence.

    >>> may_be_passed_on("CC-BY-4.0"), may_be_passed_on("source CC0; collection CC-BY-NC-3.0"), may_be_passed_on("")
    (True, False, False)
    """
    text = licence.lower()
    return any(word in text for word in FREE) and not any(word in text for word in NOT_FREE)


def recordings(probes: Iterable[Probe], data: Path | None, every: bool = False) -> dict[str, Recording]:
    """By probe, the nearest recording in the data folder; none where no folder or no clip is.

    `every` takes those too that may not be passed on.
    """
    rows = [
        row
        for row in (_manifest(data) if data else [])
        if data and (every or may_be_passed_on(row["licence"])) and (data / row["file"]).is_file()
    ]
    found = {}
    for probe in probes:
        if data and (chosen := _nearest(probe, rows)):
            row, remark = chosen
            found[probe.id] = Recording(
                path=str(data / row["file"]),
                licence=row["licence"] or "unknown",
                attribution=row["attribution"] or row["set"],
                remark=remark,
            )
    return found


def _nearest(probe: Probe, rows: Sequence[ManifestRow]) -> tuple[ManifestRow, str] | None:
    """The clip that fits best; among equals the choice is by digest."""
    fits = [(found, row) for row in rows if (found := fit(probe, row))]
    if not fits:
        return None
    (_, remark), row = min(fits, key=lambda pair: (pair[0][0], digest(probe.id, pair[1]["file"])))
    return row, remark or ""


def _manifest(folder: Path) -> list[ManifestRow]:
    """Its rows; none where there is no manifest: a report stands without recordings."""
    try:
        return read_manifest(folder / "MANIFEST.csv", columns=())
    except UsageError:
        return []
