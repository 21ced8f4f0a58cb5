"""Where weights are: a local folder or the cache; always checked. What fetches them is in `downloads`.

Looked for in this order: the folder named by `INNEREAR_MODELS`; the cache (`INNEREAR_CACHE`, or
`innerear` in the user's cache folder). A file of up to 16 MB that is in neither is fetched into
the cache when it is wanted; larger ones by `innerear weights pull`.

Checked means: against the checksum of `weights.csv`. Where the table has none, or only the first
digits of one, the SHA-256 of the first download is written next to the file and is binding from then on
(trust on first use). A network that we export from a checkpoint is recorded in the same way, along
with the checkpoint's SHA-256. Whatever the record says, the SHA-256 of what was opened is in the
embedder's signature.
"""

from __future__ import annotations

import csv
import functools
import hashlib
import os
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import msgspec

from innerear.embed.wheels import Wheel, wheels
from innerear.errors import UsageError, WeightsUnavailable
from innerear.run.parts import write_whole

FETCHED_WHEN_WANTED_BYTES = 16 << 20
EXPORT = "export:"
WHEEL = "wheel:"
DEFAULT = ("yamnet", "silero-vad", "whisper-tiny.en", "aisfx")
"""The models that `innerear weights pull` brings where none is named: what `make demo` hears with."""

PACKAGES = {
    "yamnet": ("ai_edge_litert",),
    "aisfx": ("onnxruntime",),
    "silero-vad": ("onnxruntime",),
    "dnsmos": ("onnxruntime",),
    "whisper-tiny.en": ("ctranslate2", "tokenizers"),
    "whisper-base.en": ("ctranslate2", "tokenizers"),
}
"""The packages, by the name they are imported by, that run the networks of metrics: extras of this package."""

WRITTEN_WHEN_WANTED = ("aisfx",)
"""The models whose network is written from their checkpoint in a moment, without torch."""

fetching = threading.RLock()
"""Held while a file is put into the cache."""


@dataclass(frozen=True)
class Source:
    """One row of `weights.csv`: a file of a model.

    `checksum` is `algorithm:digits` (all of them, or the first), or empty where it is not known
    here. `bytes` is rounded where only the hub's own rounding is known, `None` where not even that.
    `homes` are tried in order: `https:` addresses, or `wheel:NAME/PATH`, a place inside a wheel of
    `wheels.csv`; or the only one is `export:FILE`, for what is made here from another file of the model.
    """

    model: str
    file: str
    bytes: int | None
    checksum: str
    licence: str
    homes: tuple[str, ...]

    @property
    def exported_from(self) -> str | None:
        """The file that this one is made of, or `None` for one that is fetched."""
        return self.homes[0].removeprefix(EXPORT) if self.homes[0].startswith(EXPORT) else None

    @property
    def pinned(self) -> bool:
        """Whether the table has a whole checksum."""
        algorithm, _, digits = self.checksum.partition(":")
        return bool(algorithm) and len(digits) == 2 * hashlib.new(algorithm).digest_size


class Record(msgspec.Struct, frozen=True):
    """What is written next to a file whose content the table does not pin: its SHA-256, and where it came from."""

    sha256: str
    origin: str


@dataclass(frozen=True)
class Weights:
    """A file that is there and whose content was checked; `origin` says against what."""

    path: Path
    sha256: str
    origin: str


def in_wheel(home: str) -> tuple[Wheel, str] | None:
    """The wheel that a home is in, and the path inside it; `None` for an address."""
    if not home.startswith(WHEEL):
        return None
    name, _, path = home.removeprefix(WHEEL).partition("/")
    return wheels()[name], path


def described(home: str) -> str:
    """A home in words."""
    packed = in_wheel(home)
    return f"{packed[1]} in {packed[0]} of the package index" if packed else home


def sources() -> dict[str, list[Source]]:
    """The table: the files of each model."""
    table = resources.files(__package__).joinpath("weights.csv").read_text()
    found: dict[str, list[Source]] = {}
    for row in csv.DictReader(table.splitlines()):
        size = int(row["bytes"]) if row["bytes"] else None
        source = Source(row["model"], row["file"], size, row["checksum"], row["licence"], tuple(row["homes"].split()))
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
    """Where a file is in the cache."""
    return cache_folder() / "models" / file


def local(source: Source) -> Weights | None:
    """The path of the file on this machine, or `None`.

    Raises:
        WeightsUnavailable: it is there with other content than the record next to it or the table says.
    """
    path = place(source)
    return check(source, path) if path else None


def place(source: Source) -> Path | None:
    """The path of the file on this machine, unchecked, or `None`."""
    folders = [Path(named)] if (named := os.environ.get("INNEREAR_MODELS")) else []
    places = (folder / source.file for folder in [*folders, cache_folder() / "models"])
    return next((path for path in places if path.is_file()), None)


def is_here(model: str) -> bool:
    """Whether all files that a model runs on are on this machine. Nothing is fetched or read."""
    files = find(model)
    return all(map(place, _run_on(files))) or (
        model in WRITTEN_WHEN_WANTED and all(place(source) for source in files if not source.exported_from)
    )


def _run_on(files: Sequence[Source]) -> list[Source]:
    """The files of a model that are run: not those that others are made of."""
    made_of = {source.exported_from for source in files}
    return [source for source in files if source.file not in made_of]


def check(source: Source, path: Path) -> Weights:
    """The file at a path, if its content is what the record next to it, or else the table, says.

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
            "remove it, then `innerear weights pull`"
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
    for source in _run_on(files):
        small = len(files) == 1 and source.bytes is not None and source.bytes <= FETCHED_WHEN_WANTED_BYTES
        weights = local(source) or _written(source) or (_when_wanted(source) if small and may_fetch else None)
        if weights is None:
            raise WeightsUnavailable(
                f"no weights: {source.file} is not here; `innerear weights pull {model}` fetches it "
                f"({megabytes(files)}), or name a folder that has it in INNEREAR_MODELS"
            )
        found[Path(source.file).name] = weights
    return found


def _when_wanted(source: Source) -> Weights:
    from innerear.embed.downloads import download

    with fetching:
        return local(source) or download(source)


def _written(source: Source) -> Weights | None:
    """A network that is written from its checkpoint in a moment, if that is here."""
    checkpoint = next((other for other in find(source.model) if other.file == source.exported_from), None)
    if source.model not in WRITTEN_WHEN_WANTED or checkpoint is None:
        return None
    with fetching:
        if (found := local(source)) or (weights := local(checkpoint)) is None:
            return found
        return write_network(source, weights.path)


def write_network(source: Source, checkpoint: Path) -> Weights:
    """Write a network of `WRITTEN_WHEN_WANTED` from its checkpoint, into the cache.

    Raises:
        WeightsUnavailable: it is another checkpoint.
    """
    from innerear.embed.aisfx_network import network

    path = home(source.file)
    write_whole(path, network(checkpoint))
    return record(path, f"written from {checkpoint.name}, sha256 {digest_of(checkpoint, 'sha256')}")


def megabytes(files: Sequence[Source]) -> str:
    """How much there is to fetch of these files, in words."""
    sizes = [source.bytes for source in files if not source.exported_from]
    known = sum(size or 0 for size in sizes) / 1e6
    if not known:
        return "size not known here"
    return f"{'over ' if None in sizes else 'about '}{known:.0f} MB"
