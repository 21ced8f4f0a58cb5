"""What a report was made of, and whether it is still whole: a report that would come out the same is not written again.

`report/made.json` has the digest of everything that decides the pages, and the digest of each file.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterable, Iterator
from importlib.metadata import version
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

import msgspec

from innerear.records import digest
from innerear.report.data import ReportData
from innerear.run.parts import from_json, to_json

NAME = "made.json"


class Made(msgspec.Struct, frozen=True):
    """`made.json`. `inputs` is the digest of what the report was made of; `files` has that of each file, by path."""

    inputs: str = ""
    files: dict[str, str] = {}


def made_of(data: ReportData, sounds: Iterable[Path]) -> str:
    """The digest of everything that decides a report: its data, its sounds, and the package's own code.

    Empty if the data holds text that is not Unicode, which has no digest; such a report is always written again.
    """
    try:
        shown = to_json(data)
    except UnicodeEncodeError:
        return ""
    return digest(hashlib.sha256(shown).hexdigest(), [_state(path) for path in sounds], code_stamp())


def _state(path: Path) -> tuple[str, int, int] | None:
    """The name, size and time of a file; `None` if it is not there."""
    try:
        found = path.stat()
    except OSError:
        return None
    return path.name, found.st_size, found.st_mtime_ns


@functools.cache
def code_stamp() -> str:
    """A digest of the package's version, its source, and the files of the page."""
    source = hashlib.sha256(version("innerear").encode())
    for file in _tree(files("innerear")):
        if file.name.endswith((".py", ".js", ".css", ".j2")):
            source.update(file.read_bytes())
    return source.hexdigest()


def _tree(folder: Traversable) -> Iterator[Traversable]:
    for path in sorted(folder.iterdir(), key=lambda path: path.name):
        if path.is_dir():
            yield from _tree(path)
        else:
            yield path


def read_made(report: Path) -> Made:
    """What is known of a report in a folder; of one that is missing, damaged or older, nothing."""
    try:
        return from_json((report / NAME).read_bytes(), Made)
    except (OSError, ValueError):
        return Made()


def write_made(report: Path, inputs: str) -> None:
    """Write down what the finished report in a folder was made of."""
    (report / NAME).write_bytes(to_json(Made(inputs, _digests(report))))


def is_current(report: Path, inputs: str) -> bool:
    """Whether the report in a folder was made of this, and all its files are as they were written."""
    made = read_made(report)
    try:
        return bool(inputs) and made.inputs == inputs and made.files == _digests(report)
    except OSError:  # replaced by another process
        return False


def _digests(report: Path) -> dict[str, str]:
    """The digest of each file of a report, by its path in the folder."""
    found = {path.relative_to(report).as_posix(): path for path in report.rglob("*") if path.is_file()}
    return {name: content_digest(path.read_bytes()) for name, path in sorted(found.items()) if name != NAME}


def content_digest(content: bytes) -> str:
    """The digest of a file's content."""
    return hashlib.blake2b(content, digest_size=16).hexdigest()
