"""Download the real recordings from the public repositories named in the bundled manifest.

Clips stored unchanged are verified by the SHA-256 of their bytes, clips stored as FLAC by that of their
16-bit samples. Notes were cut and normalised for the references, so they cannot be downloaded.
"""

from __future__ import annotations

import hashlib
import io
import shutil
import threading
import urllib.parse
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path

from innerear.compute.threads import ordered
from innerear.download import get
from innerear.errors import UsageError
from innerear.reference.manifest import ManifestRow, read_manifest
from innerear.reference.sets import KINDS
from innerear.run.parts import write_whole
from innerear.run.progress import Progress, Tally, silent

HOME = "https://raw.githubusercontent.com"
LARGEST = 20 << 20  # bytes of one clip
AT_ONCE = 8
GIVE_UP_AFTER = 5  # failures before the first success
MANIFEST = Path(str(resources.files(__package__).joinpath("manifest.csv")))


@dataclass
class Fetched:
    """How many clips are in the folder now, and one line per failure."""

    there: int = 0
    failures: list[str] = field(default_factory=list)


def fetchable(kinds: Sequence[str] = ()) -> list[ManifestRow]:
    """The rows of the bundled manifest that can be downloaded, of these kinds or of all.

    Raises:
        UsageError: a kind does not exist or cannot be downloaded.
    """
    offered = [kind for kind in KINDS if kind.tier != "notes"]
    names = [kind.name for kind in offered]
    if unknown := [name for name in kinds if name not in names]:
        raise UsageError(f"clips of kind {unknown[0]!r} cannot be fetched; there are {', '.join(names)}")
    chosen = [kind for kind in offered if not kinds or kind.name in kinds]
    return [row for row in read_manifest(MANIFEST) if any(kind.wanted(row) for kind in chosen)]


def fetch(
    folder: Path,
    kinds: Sequence[str] = (),
    progress: Progress = silent,
    home: str = HOME,
) -> Fetched:
    """Download missing or damaged clips into a folder, along with the manifest."""
    rows = fetchable(kinds)
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(MANIFEST, folder / "MANIFEST.csv")
    result = Fetched()
    unreached = 0
    stop = threading.Event()

    def one(row: ManifestRow) -> OSError | None:
        target = folder / row["file"]
        if target.exists() and right(row, target.read_bytes()):
            return None
        if stop.is_set():
            return OSError("not tried: the host cannot be reached")
        try:
            _bring(row, target, home)
        except OSError as error:
            return error
        return None

    tally = Tally(progress, "clips", 0, len(rows))
    for row, error in zip(rows, ordered(one, rows, AT_ONCE), strict=True):
        if error is None:
            result.there += 1
        else:
            result.failures.append(f"{row['file']}: {error}")
            unreached += 1
            if result.there == 0 and unreached >= GIVE_UP_AFTER:
                stop.set()
        tally.add()
    return result


def address(row: ManifestRow, home: str = HOME) -> str:
    """URL of a clip: `source_repo` starts with owner/name, `source_path` is the path in it."""
    repository = row["source_repo"].split(" ")[0].rstrip(";")
    return f"{home}/{repository}/HEAD/{urllib.parse.quote(row['source_path'])}"


def right(row: ManifestRow, content: bytes) -> bool:
    """Whether these bytes are the clip of a row."""
    if row["pcm_sha256"]:
        return _pcm_sha256(content) == row["pcm_sha256"]
    return hashlib.sha256(content).hexdigest() == row["sha256"]


def _bring(row: ManifestRow, target: Path, home: str) -> None:
    url = address(row, home)
    content = get(url, LARGEST)
    if not right(row, content):
        raise OSError(f"{url} does not match the manifest's checksum")
    write_whole(target, _as_flac(content) if row["pcm_sha256"] else content)


def _pcm_sha256(content: bytes) -> str | None:
    import soundfile

    try:
        samples, _ = soundfile.read(io.BytesIO(content), dtype="int16")
    except soundfile.LibsndfileError:
        return None
    return hashlib.sha256(samples.tobytes()).hexdigest()


def _as_flac(content: bytes) -> bytes:
    import soundfile

    samples, sample_rate = soundfile.read(io.BytesIO(content), dtype="int16")
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, sample_rate, format="FLAC", subtype="PCM_16")
    return buffer.getvalue()
