"""Reference programs: written for this project, one file per probe of an edition, named by the probe's id.

Each proves that the probe's checks can be passed, gives a ceiling for code, and is an example for the strategy
`few-shot`. `innerear probes verify` runs them all.
"""

from __future__ import annotations

import functools
from importlib import resources

import msgspec

from innerear.records import Probe
from innerear.suite import every_probe


class Reference(msgspec.Struct, frozen=True):
    """A probe and a program that makes its sound."""

    probe: Probe
    code: str


@functools.cache
def bank() -> tuple[Reference, ...]:
    """All reference programs, in suite order."""
    folder = resources.files(__package__)
    files = {probe.id: folder / f"{probe.id}.py.txt" for probe in every_probe()}
    return tuple(
        Reference(probe, files[probe.id].read_text("utf-8")) for probe in every_probe() if files[probe.id].is_file()
    )
