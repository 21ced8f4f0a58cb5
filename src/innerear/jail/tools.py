"""The tools that run programs in other languages: where they are, what they need to see, and their versions."""

from __future__ import annotations

import functools
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from innerear.errors import JailUnavailable
from innerear.jail import elf
from innerear.jail.inside.commands import Tool
from innerear.languages import LANGUAGES, Language

# No native add-ons, no modules of the machine's; random numbers that repeat; one thread for garbage and compiling.
_NODE: tuple[str, ...] = ("--no-addons", "--no-global-search-paths", "--v8-pool-size=0")
_NODE += ("--random-seed={seed}", "--max-old-space-size={mib}")
_NODE_FILES = ("acorn", "acorn-walk", "cjs-module-lexer", "undici")  # Debian's node reads these of itself from files
# Opcodes of Csound's own plug-ins that only compute; others talk to devices and networks.
_CSOUND_PLUGINS: tuple[str, ...] = (
    "ampmidid",
    "arrayops",
    "bformdec2",
    "doppler",
    "fractalnoise",
    "lfsr",
    "mixer",
    "padsynth",
)
_CSOUND_PLUGINS += ("pvsops", "signalflowgraph", "trigenvsegs")
# Its own sound file whatever the program's options say; no displays, no colours, only messages that matter.
_CSOUND = ("-d", "-m", "0", "-+msg_color=0", "-o", "output.wav")
_GIB = 1 << 30


@functools.cache
def tool(language: Language) -> Tool:
    """How the programs of a language are run here.

    Raises:
        JailUnavailable: a tool is not installed.
    """
    spec = LANGUAGES[language]
    paths = [_path(name, language) for name in spec.tools]
    listed: list[str] = []
    plugins: list[str] = []
    if language == "csound":
        listed, plugins = _plugins(elf.libraries(paths))
    libraries = elf.libraries([*paths, *plugins])
    loaders = [path for path in libraries if Path(path).name.startswith("ld-")]
    environment = {
        "PATH": "/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "LD_LIBRARY_PATH": ":".join(dict.fromkeys(map(os.path.dirname, libraries))),
    }
    files: list[str] = []
    commands: list[tuple[str, ...]]
    reserved = 0
    if language == "javascript":
        commands = [(paths[0], *_NODE, spec.file)]
        environment |= {"UV_THREADPOOL_SIZE": "1", "OPENSSL_CONF": "/dev/null"}
        files += [path for name in _NODE_FILES if Path(path := f"/usr/share/nodejs/{name}").exists()]
        reserved = _GIB
    elif language == "csound":
        commands = [(paths[0], *_CSOUND, spec.file)]
        environment["OPCODE6DIR64"] = environment["OPCODE6DIR"] = listed[0] if listed else "/dev/null"
    else:
        raise JailUnavailable(f"{spec.title} programs cannot be run yet", "")
    executables = (*paths, *loaders)
    return Tool(
        language=language,
        file=spec.file,
        commands=tuple(commands),
        environment=tuple(environment.items()),
        executables=executables,
        files=tuple(dict.fromkeys([*(path for path in libraries if path not in loaders), *plugins, *files])),
        listed=tuple(listed),
        made=(),
        reserved=reserved,
    )


def _plugins(libraries: tuple[str, ...]) -> tuple[list[str], list[str]]:
    """The folder of Csound's plug-ins, beside its library, and those in it that are used; empty if there is none."""
    for library in libraries:
        if Path(library).name.startswith("libcsound64"):
            for folder in sorted(Path(library).parent.glob("csound/plugins64-*")):
                return [str(folder)], [
                    str(path) for name in _CSOUND_PLUGINS if (path := folder / f"lib{name}.so").exists()
                ]
    return [], []


@functools.cache
def versions(language: Language) -> dict[str, str]:
    """The versions of a language's tools, by their names."""
    found = {}
    for name in LANGUAGES[language].tools:
        told = subprocess.run([_path(name, language), "--version"], capture_output=True, text=True, errors="replace")
        version = re.search(r"\d+(?:\.\d+)+", told.stdout + told.stderr)
        found[name] = version[0] if version else "unknown"
    return found


def _path(name: str, language: Language) -> str:
    """The executable of a tool, links resolved."""
    spec = LANGUAGES[language]
    found = shutil.which(name)
    if found is None:
        raise JailUnavailable(f"{name}, which runs {spec.title} programs, is not installed", f"{spec.install}.")
    path = os.path.realpath(found)
    if sys.platform == "linux" and not elf.libraries([path]):
        raise JailUnavailable(f"{name}, which runs {spec.title} programs, is no executable: {path}", f"{spec.install}.")
    return path
