"""Read a suite file: one probe per line, as JSON, after an optional canary."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec

from innerear.errors import SuiteError, UsageError
from innerear.records import Probe, digest

MOST_NAMED = 20
"""Bad lines of a file that are named."""


class Suite(msgspec.Struct, frozen=True):
    """Named probes, in the order of their file; ids are unique. The canary is no part of the digest."""

    name: str
    probes: list[Probe]
    canary: str = ""

    @property
    def digest(self) -> str:
        """The digest of the probes' content, whatever the spacing or order of keys of their file."""
        return digest("suite", self.probes)

    def lines(self) -> Iterator[bytes]:
        """The lines of its file."""
        if self.canary:
            yield msgspec.json.encode(_Canary(self.canary)) + b"\n"
        for probe in self.probes:
            yield msgspec.json.encode(probe) + b"\n"


class _Canary(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    canary: str


def read(file: Path) -> Suite:
    """The suite in a file.

    Raises:
        SuiteError: lines that are not probes; the message has for each the file, the line, the field and
            what was expected. UsageError: the file cannot be read.
    """
    try:
        text = file.read_bytes()
    except OSError as error:
        raise UsageError(f"the suite {file} cannot be read: {error.strerror}") from error
    return parse(text, str(file), file.name)


def parse(text: bytes, where: str, name: str) -> Suite:
    """The suite in the bytes of a file; `where` is the file's name in messages.

    Raises:
        SuiteError: lines that are not probes, or an id that appears twice.
    """
    decoder = msgspec.json.Decoder(Probe)
    probes: list[Probe] = []
    canary = ""
    seen: dict[str, int] = {}
    bad: list[str] = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            if number == 1 and line.startswith(b'{"canary"'):
                canary = msgspec.json.decode(line, type=_Canary).canary
                continue
            probe = decoder.decode(line)
            validate(probe)
        except (ValueError, RecursionError) as error:  # msgspec's errors are ValueErrors
            bad.append(f"{where}, line {number}: {error}")
            continue
        if probe.id in seen:
            bad.append(f"{where}, line {number}: the id {probe.id!r} stands on line {seen[probe.id]} already")
            continue
        seen[probe.id] = number
        probes.append(probe)
    if bad:
        more = [f"and {len(bad) - MOST_NAMED} more bad lines"] if len(bad) > MOST_NAMED else []
        raise SuiteError("\n".join([*bad[:MOST_NAMED], *more]))
    if not probes:
        raise SuiteError(f"{where}: no probe in it; wanted one JSON object a line")
    return Suite(name, probes, canary)


def validate(probe: Probe) -> None:
    """Check what types alone do not say.

    Raises:
        ValueError: the duration, the caption or the id is not one of a probe.
    """
    if not 0.05 <= probe.duration_s <= 60:
        raise ValueError(f"Expected a duration between 0.05 and 60 s, got {probe.duration_s} - at `$.duration_s`")
    if not probe.caption.strip():
        raise ValueError("Expected a caption, got an empty one - at `$.caption`")
    if not probe.id.strip("/") or any(c.isspace() for c in probe.id):
        raise ValueError(f"Expected an id without spaces, got {probe.id!r} - at `$.id`")
