"""Choose a real recording per probe, the nearest in the reference data, to compare with the models' sounds.

Reports are meant to be passed on, so recordings with an unknown, non-commercial or no-derivatives
licence, of their own or of their collection, are left out unless all are requested.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from innerear.ask.models.real import fit
from innerear.data_folders import clip_path
from innerear.errors import UsageError
from innerear.records import Probe, digest
from innerear.reference.manifest import ManifestRow, read_manifests
from innerear.report.data import Recording

FREE = ("cc0", "cc-by", "public domain", "mit", "free for any use", "bsd")
"""Words in the names of licences that allow a recording to be passed on with attribution."""
NOT_FREE = ("-nc", "-nd", "noncommercial", "sampling+", "unknown")


def may_be_passed_on(licence: str) -> bool:
    """Whether a report may include a recording under this licence.

    >>> may_be_passed_on("CC-BY-4.0"), may_be_passed_on("source CC0; collection CC-BY-NC-3.0"), may_be_passed_on("")
    (True, False, False)
    """
    text = licence.lower()
    return any(word in text for word in FREE) and not any(word in text for word in NOT_FREE)


def recordings(probes: Iterable[Probe], data: Path | None, every: bool = False) -> dict[str, Recording]:
    """By probe, the nearest recording in the data folder; probes without one are left out.

    `every` includes those that may not be passed on.
    """
    rows = [
        row
        for row in (_manifest(data) if data else [])
        if (every or may_be_passed_on(row["licence"])) and clip_path(data, row["file"]).is_file()
    ]
    found = {}
    for probe in probes:
        if data and (chosen := _nearest(probe, rows)):
            row, remark = chosen
            found[probe.id] = Recording(
                path=str(clip_path(data, row["file"])),
                licence=row["licence"] or "unknown",
                attribution=row["attribution"] or row["set"],
                remark=remark,
            )
    return found


def _nearest(probe: Probe, rows: Sequence[ManifestRow]) -> tuple[ManifestRow, str] | None:
    """The best-fitting clip and a remark; ties are broken by digest."""
    fits = [(found, row) for row in rows if (found := fit(probe, row))]
    if not fits:
        return None
    (_, remark), row = min(fits, key=lambda pair: (pair[0][0], digest(probe.id, pair[1]["file"])))
    return row, remark or ""


def _manifest(folders: Path) -> list[ManifestRow]:
    """The rows of the manifests; empty if there is none, as recordings are optional."""
    try:
        return read_manifests(folders, columns=())
    except UsageError:
        return []
