"""Reference programs: written for this project, one file per probe and language, named by the probe's id.

Each proves that the probe's checks can be passed, gives a ceiling for code, and is an example for the strategy
`few-shot`. `innerear probes verify` runs them all.
"""

from __future__ import annotations

import functools
from importlib import resources

import msgspec

from innerear.languages import LANGUAGES, Language
from innerear.records import Probe
from innerear.suite import every_probe


class Reference(msgspec.Struct, frozen=True):
    """A probe and a program that makes its sound."""

    probe: Probe
    code: str
    language: Language = "python"


@functools.cache
def bank(language: Language = "python") -> tuple[Reference, ...]:
    """All reference programs of a language, in suite order."""
    folder, kind = resources.files(__package__), LANGUAGES[language].file.partition(".")[2]
    files = {probe.id: folder / f"{probe.id}.{kind}.txt" for probe in every_probe()}
    return tuple(
        Reference(probe, files[probe.id].read_text("utf-8"), language)
        for probe in every_probe()
        if files[probe.id].is_file()
    )
