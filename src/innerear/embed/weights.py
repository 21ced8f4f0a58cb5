"""Where weights come from: a local folder or the cache, put there from their public home; always checked.

Looked for in this order: the folder named by `INNEREAR_MODELS`; the cache (`INNEREAR_CACHE`, or
`innerear` in the user's cache folder). A file of up to 16 MB that is in neither is fetched into
the cache when it is wanted; larger ones by `pull`, which is `innerear models pull`.

Checked means: against the checksum of `weights.csv`. Where the table has none, or only the first
digits of one, the SHA-256 of the first download is written beside the file and holds from then on
(trust on first use). A network that we export from a checkpoint is recorded in the same way, along
with the checkpoint's SHA-256. Whatever the record says, the SHA-256 of what was opened is in the
embedder's signature.
"""

from __future__ import annotations

import csv
import functools
import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import msgspec

from innerear.download import fetch_file
from innerear.errors import UsageError, WeightsUnavailable
from innerear.parts import write_whole

Progress = Callable[[str, int, int], None]
"""Called with a name, the bytes so far, and the bytes in all."""

FETCHED_WHEN_WANTED_BYTES = 16 << 20
EXPORT = "export:"


@dataclass(frozen=True)
class Source:
    """One row of `weights.csv`: a file of a model.

    `checksum` is `algorithm:digits` (all of them, or the first), or empty where it is not known
    here. `bytes` is rounded where only the hub's own rounding is known, `None` where not even that.
    `url` starts with `export:` for a file that is made here from another one of the model.
    """

    model: str
    file: str
    bytes: int | None
    checksum: str
    licence: str
    url: str

    @property
    def exported_from(self) -> str | None:
        """The file that this one is made of, or `None` for one that is fetched."""
        return self.url.removeprefix(EXPORT) if self.url.startswith(EXPORT) else None

    @property
    def pinned(self) -> bool:
        """Whether the table has a whole checksum."""
        algorithm, _, digits = self.checksum.partition(":")
        return bool(algorithm) and len(digits) == 2 * hashlib.new(algorithm).digest_size


class Record(msgspec.Struct, frozen=True):
    """What is written beside a file whose content the table does not pin: its SHA-256, and where it came from."""

    sha256: str
    origin: str


@dataclass(frozen=True)
class Weights:
    """A file that is there and whose content was checked; `origin` says against what."""

    path: Path
    sha256: str
    origin: str


def sources() -> dict[str, list[Source]]:
    """The table: the files of each model."""
    table = resources.files(__package__).joinpath("weights.csv").read_text()
    found: dict[str, list[Source]] = {}
    for row in csv.DictReader(table.splitlines()):
        size = int(row["bytes"]) if row["bytes"] else None
        source = Source(row["model"], row["file"], size, row["checksum"], row["licence"], row["url"])
        found.setdefault(source.model, []).append(source)
    return found


def find(model: str) -> list[Source]:
    """The files of a model.

    Raises:
        UsageError: there is no such model.
    """
    table = sources()
    if model not in table:
        raise UsageError(f"no model {model!r}; there are {', '.join(table)}")
    return table[model]


def cache_folder() -> Path:
    """`INNEREAR_CACHE`, or `innerear` in the user's cache folder."""
    if named := os.environ.get("INNEREAR_CACHE"):
        return Path(named)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "innerear"


def home(file: str) -> Path:
    """Where a file lies in the cache."""
    return cache_folder() / "models" / file


def local(source: Source) -> Weights | None:
    """The file where it lies on this machine, or `None`.

    Raises:
        WeightsUnavailable: it is there with other content than the record beside it or the table says.
    """
    folders = [Path(named)] if (named := os.environ.get("INNEREAR_MODELS")) else []
    for path in (folder / source.file for folder in [*folders, cache_folder() / "models"]):
        if path.is_file():
            return check(source, path)
    return None


def check(source: Source, path: Path) -> Weights:
    """The file at a path, if its content is what the record beside it, or else the table, says.

    Raises:
        WeightsUnavailable: it is not.
    """
    sha256 = digest_of(path, "sha256")
    if (beside := _record_path(path)).is_file():
        try:
            record = msgspec.json.decode(beside.read_bytes(), type=Record)
        except msgspec.DecodeError as error:
            raise WeightsUnavailable(f"{beside} is damaged ({error}); remove it and the file it speaks of") from error
        _compare(path, "sha256", sha256, record.sha256)
        return Weights(path, sha256, record.origin)
    algorithm, _, digits = source.checksum.partition(":")
    if not algorithm:
        return Weights(path, sha256, "no checksum known here")
    _compare(path, algorithm, sha256 if algorithm == "sha256" else digest_of(path, algorithm), digits)
    return Weights(path, sha256, f"as in the table ({algorithm})")


def _compare(path: Path, algorithm: str, found: str, wanted: str) -> None:
    if not found.startswith(wanted):
        raise WeightsUnavailable(
            f"{path} has {algorithm} {found[:12]}…, wanted {wanted[:12]}…: it is damaged or another file; "
            "remove it, then `innerear models pull`"
        )


def digest_of(path: Path, algorithm: str) -> str:
    """The digest of a file, in hexadecimal; made again only where the file has changed."""
    facts = path.stat()
    return _digest_of(path, algorithm, facts.st_size, facts.st_mtime_ns)


@functools.lru_cache(maxsize=256)
def _digest_of(path: Path, algorithm: str, size: int, changed_ns: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, algorithm).hexdigest()


def record(path: Path, origin: str) -> Weights:
    """Write down the SHA-256 of a file and where it came from; it is held to that from now on."""
    sha256 = digest_of(path, "sha256")
    write_whole(_record_path(path), msgspec.json.encode(Record(sha256, origin)))
    return Weights(path, sha256, origin)


def _record_path(path: Path) -> Path:
    return path.with_name(path.name + ".record.json")


def fetch(model: str, may_fetch: bool = True) -> Mapping[str, Weights]:
    """The files that a model runs on, by name: on this machine, or small enough to be fetched right now.

    Raises:
        UsageError: no such model. WeightsUnavailable: not here, in one line that says what to do.
    """
    found = {}
    files = find(model)
    for source in files:
        if any(other.exported_from == source.file for other in files):
            continue  # only its export is run
        small = len(files) == 1 and source.bytes is not None and source.bytes <= FETCHED_WHEN_WANTED_BYTES
        weights = local(source) or (pull_file(source) if small and may_fetch else None)
        if weights is None:
            raise WeightsUnavailable(
                f"no weights: {source.file} is not here; `innerear models pull {model}` fetches it "
                f"({megabytes(files)}), or name a folder that has it in INNEREAR_MODELS"
            )
        found[Path(source.file).name] = weights
    return found


def megabytes(files: Sequence[Source]) -> str:
    """How much there is to fetch of these files, in words."""
    sizes = [source.bytes for source in files if not source.exported_from]
    known = sum(size or 0 for size in sizes) / 1e6
    if not known:
        return "size not known here"
    return f"{'over ' if None in sizes else 'about '}{known:.0f} MB"


def pull_file(source: Source, progress: Progress | None = None) -> Weights:
    """Fetch a file into the cache, going on where an earlier try was cut off; it is there whole and checked, or not.

    Raises:
        WeightsUnavailable: no answer, cut off, or other content than the table says.
    """
    path = home(source.file)
    unfinished = path.with_name(path.name + ".unfinished")
    unfinished.parent.mkdir(parents=True, exist_ok=True)
    try:
        fetch_file(source.url, unfinished, lambda done, size: progress(source.file, done, size) if progress else None)
    except OSError as error:
        raise WeightsUnavailable(
            f"{source.file} is not here, and {source.url} gives: {error}; the same command goes on from there, "
            f"or put the file into a folder named by INNEREAR_MODELS"
        ) from error
    try:
        check(source, unfinished)
    except WeightsUnavailable:
        unfinished.unlink()
        raise
    unfinished.replace(path)
    if source.pinned:
        return check(source, path)
    return record(path, f"first download, from {source.url}")
