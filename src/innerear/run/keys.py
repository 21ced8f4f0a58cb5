"""Render keys: everything that determines a program's sound, with the versions of what runs it."""

from __future__ import annotations

import functools
import platform
from collections.abc import Mapping
from importlib import metadata

from innerear.errors import JailUnavailable
from innerear.languages import LANGUAGES, Language
from innerear.records import Limits, Program, digest


@functools.cache
def runtime(language: Language = "python") -> dict[str, str]:
    """Versions that a program's sound may depend on, by name; empty for a tool that is not here."""
    if language == "python":
        return {"python": platform.python_version(), **{name: metadata.version(name) for name in ("numpy", "scipy")}}
    from innerear.jail.tools import versions

    try:
        return versions(language)
    except JailUnavailable:
        return dict.fromkeys(LANGUAGES[language].tools, "")


def render_key(program: Program, limits: Limits, seed: int, versions: Mapping[str, str] | None = None) -> str:
    """The key of a program's render; `versions` defaults to this process's `runtime`."""
    if program.violation:
        return digest("render", program.digest, program.violation)
    if program.code is None:
        return digest("render", program.digest)
    return digest("render", program.digest, versions or runtime(program.language), limits, seed)
