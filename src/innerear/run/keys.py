"""Render keys: everything that determines a program's sound, with the versions of what runs it."""

from __future__ import annotations

import functools
import platform
import re
import subprocess
from collections.abc import Mapping
from importlib import metadata

from innerear.languages import LANGUAGES, Language
from innerear.records import Limits, Program, digest

VERSION_S = 20
"""The most seconds that a tool may take to say its version."""
_VERSION = re.compile(r"\d+(?:\.\d+)+")


@functools.cache
def runtime(language: Language = "python") -> dict[str, str]:
    """Versions that a program's sound may depend on, by name; empty for a tool that is not here."""
    if language == "python":
        return {"python": platform.python_version(), **{name: metadata.version(name) for name in ("numpy", "scipy")}}
    return {tool: tool_version(tool) for tool in LANGUAGES[language].tools}


@functools.cache
def tool_version(tool: str) -> str:
    """The version that a tool gives when it is asked with `--version`; empty if it is not here.

    >>> tool_version("no such tool")
    ''
    """
    try:
        done = subprocess.run(
            [tool, "--version"],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            timeout=VERSION_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    found = _VERSION.search(done.stdout.decode(errors="replace"))
    return found[0] if found else ""


def render_key(program: Program, limits: Limits, seed: int, versions: Mapping[str, str] | None = None) -> str:
    """The key of a program's render; `versions` defaults to this process's `runtime`."""
    if program.violation:
        return digest("render", program.digest, program.violation)
    if program.code is None:
        return digest("render", program.digest)
    return digest("render", program.digest, versions or runtime(program.language), limits, seed)
