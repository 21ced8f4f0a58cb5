"""Render keys: everything that determines a program's sound."""

from __future__ import annotations

import functools
import platform
from collections.abc import Mapping
from importlib import metadata

from innerear.records import Limits, Program, digest


@functools.cache
def runtime() -> dict[str, str]:
    """Versions that a program's sound may depend on, by name."""
    return {"python": platform.python_version(), **{name: metadata.version(name) for name in ("numpy", "scipy")}}


def render_key(program: Program, limits: Limits, seed: int, versions: Mapping[str, str] | None = None) -> str:
    """The key of a program's render; `versions` defaults to this process's `runtime`."""
    if program.violation:
        return digest("render", program.digest, program.violation)
    if program.code is None:
        return digest("render", program.digest)
    return digest("render", program.digest, versions or runtime(), limits, seed)
