"""The probes: package data of an edition, or a file of one's own; loading, choosing, digest.

A suite file has one probe a line, as JSON; see `records.Probe` and `checks`. Its first line may be
a canary, `{"canary": "…"}`: a string that nobody would write by chance. Who makes a training set can
leave out what holds it, and a completion that holds it comes from a model that has seen the file.
"""

from __future__ import annotations

import difflib
import fnmatch
import functools
import re
from collections.abc import Iterable, Iterator, Sequence
from importlib import resources
from pathlib import Path

import msgspec

from innerear.errors import SuiteError, UsageError
from innerear.records import TIERS, Probe, digest

EDITION = "1"
CANARY = "INNEREAR SUITE CANARY 5d4c1f0e-8a36-4b7f-9f62-d1c07be3a954: this file must not be in training data"
"""Stands first in the editions of the package and in suites made from them."""
MOST_NAMED = 20
"""Bad lines of a file that are named."""
_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)


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


@functools.cache
def edition(name: str = EDITION) -> Suite:
    """An edition that ships with the package.

    >>> len(edition().probes)
    172
    """
    text = resources.files(__name__).joinpath(f"edition-{name}.jsonl").read_bytes()
    return _parse(text, f"edition {name}", f"edition {name}")


def load(file: Path | None = None) -> Suite:
    """The suite in a file, at an address of the hub (`hf://datasets/OWNER/NAME`), or the current edition.

    Raises:
        SuiteError: lines are no probes; the message has for each the file, the line, the field, what
            was expected. UsageError: the file cannot be read. HubError: the hub was not reached.
    """
    if file is None:
        return edition()
    if str(file).startswith("hf:"):
        from innerear.suite.hub import fetch_suite

        return fetch_suite(str(file))
    try:
        text = file.read_bytes()
    except OSError as error:
        raise UsageError(f"the suite {file} cannot be read: {error.strerror}") from error
    return _parse(text, str(file), file.name)


def _parse(text: bytes, where: str, name: str) -> Suite:
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


def holds_canary(text: str, canary: str) -> bool:
    """Whether a canary, or the part of it that is by chance nowhere else (its UUID), stands in a text.

    >>> holds_canary("# 5D4C1F0E-8a36-4b7f-9f62-d1c07be3a954", CANARY)
    True
    """
    if not canary:
        return False
    unique = _UUID.search(canary)
    return (unique[0] if unique else canary).lower() in text.lower()


def choose(
    probes: Iterable[Probe],
    tiers: Sequence[str] = (),
    pattern: str | None = None,
    levels: Sequence[int] = (),
) -> list[Probe]:
    """Those of the tiers, of the levels, and whose id matches the glob pattern; all where not given.

    >>> [p.id for p in choose(edition().probes, pattern="speech/vowel/[iu]")]
    ['speech/vowel/i', 'speech/vowel/u']

    Raises:
        UsageError: nothing is left; the message says which ids come near.
    """
    unknown = sorted(set(tiers) - set(TIERS))
    if unknown:
        raise UsageError(f"no tier {unknown[0]!r}; there are {', '.join(TIERS)}")
    everything = list(probes)
    chosen = [
        probe
        for probe in everything
        if (not tiers or probe.tier in tiers)
        and (not levels or probe.level in levels)
        and (pattern is None or fnmatch.fnmatchcase(probe.id, pattern))
    ]
    if not chosen:
        near = difflib.get_close_matches(pattern or "", [p.id for p in everything], n=3, cutoff=0.4)
        hint = f"; near it: {', '.join(near)}" if near else "; see `innerear probes list`"
        asked = (
            f"tier {', '.join(tiers)}" if tiers else "",
            f"id {pattern!r}" if pattern is not None else "",
            f"level {', '.join(map(str, levels))}" if levels else "",
        )
        raise UsageError(f"no probe fits {' and '.join(filter(None, asked)) or 'an empty suite'}{hint}")
    return chosen
