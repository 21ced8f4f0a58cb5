"""Read a suite file: one probe per line, as JSON, after an optional canary."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec

from innerear.errors import SuiteError, UsageError
from innerear.records import Probe, digest

MOST_NAMED = 20
"""Bad lines listed per file; the rest are counted."""


class Suite(msgspec.Struct, frozen=True):
    """Named probes in file order, with unique ids. The canary is not part of the digest."""

    name: str
    probes: list[Probe]
    canary: str = ""

    @property
    def digest(self) -> str:
        """The digest of the probes, independent of whitespace and key order in the file."""
        return digest("suite", self.probes)

    def lines(self) -> Iterator[bytes]:
        """The lines of the suite file."""
        if self.canary:
            yield msgspec.json.encode(_Canary(self.canary)) + b"\n"
        for probe in self.probes:
            yield msgspec.json.encode(probe) + b"\n"


class _Canary(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    canary: str


def read(file: Path) -> Suite:
    """Read a suite file.

    Raises:
        SuiteError: some lines are not probes; the message has the file, line, field and what was expected
            for each. UsageError: the file cannot be read.
    """
    try:
        text = file.read_bytes()
    except OSError as error:
        raise UsageError(
            f"the suite {file} cannot be read: {error.strerror}; wanted an edition (1, 2, 2/core), a file, or hf://…"
        ) from error
    return parse(text, str(file), file.name)


def parse(text: bytes, where: str, name: str) -> Suite:
    """Parse the bytes of a suite file; `where` names the file in messages.

    Raises:
        SuiteError: some lines are not probes, or an id appears twice.
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
            bad.append(f"{where}, line {number}: the id {probe.id!r} is already on line {seen[probe.id]}")
            continue
        seen[probe.id] = number
        probes.append(probe)
    if bad:
        more = [f"and {len(bad) - MOST_NAMED} more bad lines"] if len(bad) > MOST_NAMED else []
        raise SuiteError("\n".join([*bad[:MOST_NAMED], *more]))
    if not probes:
        raise SuiteError(f"{where}: contains no probe; wanted one JSON object per line")
    return Suite(name, probes, canary)


def validate(probe: Probe) -> None:
    """Check what the types do not express.

    Raises:
        ValueError: invalid duration, caption or id.
    """
    if not 0.05 <= probe.duration_s <= 60:
        raise ValueError(f"Expected a duration between 0.05 and 60 s, got {probe.duration_s} - at `$.duration_s`")
    if not probe.caption.strip():
        raise ValueError("Expected a caption, got an empty one - at `$.caption`")
    if not probe.id.strip("/") or any(c.isspace() for c in probe.id):
        raise ValueError(f"Expected an id without spaces, got {probe.id!r} - at `$.id`")
