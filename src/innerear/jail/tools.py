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
_FAUST_LIBRARIES = ("/usr/share/faust", "/usr/local/share/faust")
_GIB = 1 << 30
_WASM = 12 * _GIB  # what V8 reserves for one memory of WebAssembly
_NODE_SMALL_WASM = (20, 15)  # from this version on, it need not


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
    made: tuple[str, ...] = ()
    if "node" in spec.tools:
        node = (paths[-1], *_NODE)
        environment |= {"UV_THREADPOOL_SIZE": "1", "OPENSSL_CONF": "/dev/null"}
        files += [path for name in _NODE_FILES if Path(path := f"/usr/share/nodejs/{name}").exists()]
        reserved = _GIB
        if _version(paths[-1]) >= _NODE_SMALL_WASM:
            node += ("--disable-wasm-trap-handler",)
        elif language == "faust":
            reserved += _WASM
    if language == "javascript":
        commands = [(*node, spec.file)]
    elif language == "faust":
        renderer = Path(__file__).with_name("faust.js").read_text("utf-8")
        commands = [(paths[0], "-lang", "wasm", "-o", "program.wasm", spec.file), (*node, "-e", renderer)]
        made = ("program.wasm", "program.js")
        files += [str(path) for folder in _FAUST_LIBRARIES for path in sorted(Path(folder).glob("*.lib"))]
    elif language == "csound":
        commands = [(paths[0], *_CSOUND, spec.file)]
        environment["OPCODE6DIR64"] = environment["OPCODE6DIR"] = listed[0] if listed else "/dev/null"
    else:
        raise AssertionError(language)
    executables = (*paths, *loaders)
    return Tool(
        language=language,
        file=spec.file,
        commands=tuple(commands),
        environment=tuple(environment.items()),
        executables=executables,
        files=tuple(dict.fromkeys([*(path for path in libraries if path not in loaders), *plugins, *files])),
        listed=tuple(listed),
        made=made,
        reserved=reserved,
    )


def _plugins(libraries: tuple[str, ...]) -> tuple[list[str], list[str]]:
    """The folder of Csound's plug-ins, next to its library, and those in it that are used; empty if there is none."""
    for library in libraries:
        if Path(library).name.startswith("libcsound64"):
            for folder in sorted(Path(library).parent.glob("csound/plugins64-*")):
                return [str(folder)], [
                    str(path) for name in _CSOUND_PLUGINS if (path := folder / f"lib{name}.so").exists()
                ]
    return [], []


def versions(language: Language) -> dict[str, str]:
    """The versions of a language's tools, by their names."""
    names = LANGUAGES[language].tools
    return {name: ".".join(map(str, _version(_path(name, language)))) or "unknown" for name in names}


@functools.cache
def _version(path: str) -> tuple[int, ...]:
    told = subprocess.run([path, "--version"], capture_output=True, text=True, errors="replace")
    found = re.search(r"\d+(?:\.\d+)+", told.stdout + told.stderr)
    return tuple(map(int, found[0].split("."))) if found else ()


def _path(name: str, language: Language) -> str:
    """The executable of a tool, links resolved."""
    spec = LANGUAGES[language]
    found = shutil.which(name)
    if found is None:
        raise JailUnavailable(f"{name}, which runs {spec.title} programs, is not installed", f"{spec.install}.")
    path = os.path.realpath(found)
    if sys.platform == "linux" and not elf.libraries([path]):
        raise JailUnavailable(
            f"{name}, which runs {spec.title} programs, is not an executable: {path}", f"{spec.install}."
        )
    return path
