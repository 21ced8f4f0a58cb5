"""Does a program make its sound? Its syntax tree is read for what brings sound from elsewhere.

Named with the line: text-to-speech, samples and files read, network, other processes, audio
embedded in the text (long literals, packed data), code that cannot be read before it runs, and on
the track `scratch` imports beyond Python's library, NumPy and SciPy. The track `library` allows
any import and any file; it still has no network, no other process and no embedded audio. What
hides from a reader still meets the jail, in which there is no network, process or file to be had.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import msgspec

from innerear.extract import parse
from innerear.records import Program, Track

MOST_NUMBERS = 2000
"""Numbers written out in a program, below 1/20 s of samples."""
LONGEST_LITERAL = 2000
"""Characters of a string, bytes or number that is no docstring."""
LONGEST_LINE = 160  # of the program, as it is shown

_SPEECH = {
    "pyttsx3", "gtts", "espeakng", "espeak", "TTS", "torchaudio", "melo", "piper", "kokoro", "bark", "pyopenjtalk",
    "balcon", "speechd", "speech_recognition", "win32com", "nltk_tts", "flite", "festival", "styletts2", "edge_tts",
}  # fmt: skip
_NETWORK = {"socket", "ssl", "urllib", "http", "ftplib", "smtplib", "imaplib", "poplib", "nntplib", "telnetlib",
            "socketserver", "xmlrpc", "webbrowser", "requests", "httpx", "aiohttp", "urllib3", "asyncio"}  # fmt: skip
_PROCESS = {"subprocess", "multiprocessing", "pty", "ctypes", "cffi", "_ctypes", "_posixsubprocess"}
_PACKED = {"base64", "binascii", "zlib", "gzip", "bz2", "lzma", "zipfile", "tarfile", "pickle", "marshal", "codecs",
           "uu", "quopri", "compression"}  # fmt: skip
_HIDDEN = {"builtins", "importlib", "inspect", "imp", "runpy", "code", "codeop", "zipimport", "pkgutil"}
_LIBRARY = {"numpy", "scipy"}
_KINDS = {
    **dict.fromkeys(_SPEECH, "text-to-speech"),
    **dict.fromkeys(_NETWORK, "network"),
    **dict.fromkeys(_PROCESS, "another process"),
    **dict.fromkeys(_PACKED, "packed data"),
    **dict.fromkeys(_HIDDEN, "code that cannot be read"),
}
_MAKERS = {"eval", "exec", "compile", "__import__"}  # of code, wherever they are named
_CALLS = {
    **dict.fromkeys(("os.system", "os.popen", "os.fork", "os.forkpty", "os.posix_spawn"), "another process"),
    **dict.fromkeys(("fromhex", "b64decode", "a85decode", "b85decode", "unhexlify", "decompress"), "packed data"),
}
_OS_STARTS = ("os.exec", "os.spawn")
_READERS = {
    "open", "read", "load", "loadtxt", "genfromtxt", "fromfile", "memmap", "loadmat", "read_bytes", "read_text",
    "imread", "fromregex", "readframes", "os.open",
}  # fmt: skip
_READER_OWNERS = {
    "open": {"", "io", "wave", "aifc", "sunau", "codecs", "builtins"},
    "read": {"wavfile", "scipy.io.wavfile", "soundfile", "sf"},
    "load": {"np", "numpy", "librosa", "soundfile", "torchaudio"},
}
_DATASETS = ("scipy.datasets", "scipy.misc")


@dataclass(frozen=True)
class Violation:
    """What kind of foreign sound, at which line, and the line itself."""

    kind: str
    line: int
    source: str

    def __str__(self) -> str:
        return f"{self.kind}, line {self.line}: {self.source}"


def guarded(program: Program, track: Track = "scratch") -> Program:
    """The program with its `violation`, if it has one."""
    if program.code is None:
        return program
    found = violation(program.code, track)
    return program if found is None else msgspec.structs.replace(program, violation=str(found))


def violation(code: str, track: Track = "scratch") -> Violation | None:
    """The first line that takes sound from elsewhere; `None` also for what is no Python: that fails when it runs.

    >>> str(violation("import numpy as np\\nimport socket\\n"))
    'network, line 2: import socket'
    >>> violation("import numpy as np\\nx = np.zeros(3)\\n")
    """
    tree = parse(code)
    try:
        found = sorted(_Reader(tree, track).violations()) if tree else []
    except RecursionError:
        return None
    if not found:
        return None
    line, kind = found[0]
    lines = code.splitlines()
    shown = " ".join(lines[line - 1].split()) if line <= len(lines) else ""
    return Violation(kind, line, shown if len(shown) <= LONGEST_LINE else f"{shown[:LONGEST_LINE]}…")


class _Reader:
    """One program: its constants by name, what it writes, and the names that its imports go by."""

    def __init__(self, tree: ast.Module, track: Track) -> None:
        self._nodes, self._scratch = _nodes(tree), track == "scratch"
        self._constants: dict[str, str] = {}
        self._aliases: dict[str, str] = {}
        for node in self._nodes:
            match node:
                case ast.Assign(targets=[ast.Name(name)], value=ast.Constant(str(text))):
                    self._constants[name] = text
                case ast.Import(names):
                    self._aliases.update((n.asname, n.name) for n in names if n.asname)
                case ast.ImportFrom(module=str(module), names=names):
                    self._aliases.update((n.asname or n.name, f"{module}.{n.name}") for n in names)
                case _:
                    pass
        calls = [node for node in self._nodes if isinstance(node, ast.Call)]
        self._written = {path for call in calls if (path := self._writes(call)) is not None} | {"output.wav"}

    def violations(self) -> Iterator[tuple[int, str]]:
        """Line and kind of each."""
        documentation = self._documentation()
        makers = _MAKERS - {node.name for node in self._nodes if isinstance(node, ast.FunctionDef)}
        numbers = 0
        for node in self._nodes:
            match node:
                case ast.Import(names):
                    for name in names:
                        yield from self._imported(node.lineno, name.name)
                case ast.ImportFrom(module=module, names=names, level=level):
                    if level:
                        yield node.lineno, "an import beyond those allowed"
                    for name in names:
                        yield from self._imported(node.lineno, f"{module or ''}.{name.name}")
                case ast.Name(name) if name in makers:
                    yield node.lineno, "code that cannot be read"
                case ast.Call():
                    yield from self._called(node)
                case ast.Attribute() if any(self._full(node).startswith(where) for where in _DATASETS):
                    yield node.lineno, "a file is read"
                case ast.Constant(str(text) | bytes(text)):
                    if len(text) > LONGEST_LITERAL and id(node) not in documentation:
                        yield node.lineno, "embedded audio"
                case ast.Constant(value):
                    numbers += isinstance(value, int | float | complex)
                    if isinstance(value, int) and value.bit_length() > 4 * LONGEST_LITERAL:
                        yield node.lineno, "embedded audio"
                    if numbers == MOST_NUMBERS + 1:
                        yield node.lineno, f"embedded audio (more than {MOST_NUMBERS} numbers)"
                case _:
                    pass

    def _imported(self, line: int, name: str) -> Iterator[tuple[int, str]]:
        root = name.partition(".")[0]
        kind = _KINDS.get(root)
        if kind == "text-to-speech" and not self._scratch:
            return
        if kind is not None:
            yield line, kind
        elif self._scratch and name.startswith(_DATASETS):
            yield line, "a file is read"
        elif self._scratch and root not in _LIBRARY and root not in sys.stdlib_module_names:
            yield line, "an import beyond those allowed"

    def _called(self, call: ast.Call) -> Iterator[tuple[int, str]]:
        full = self._full(call.func)
        owner, _, last = full.rpartition(".")
        if kind := _CALLS.get(full) or (_CALLS.get(last) if isinstance(call.func, ast.Attribute) else None):
            yield call.lineno, kind
        elif full.startswith(_OS_STARTS):
            yield call.lineno, "another process"
        elif self._scratch and self._reads(call, owner, last):
            yield call.lineno, "a file is read"

    def _full(self, node: ast.expr) -> str:
        """`wavfile.read` as `scipy.io.wavfile.read`, where it was imported so."""
        match node:
            case ast.Name(name):
                return self._aliases.get(name, name)
            case ast.Attribute(value=value, attr=attr):
                return f"{self._full(value)}.{attr}".lstrip(".")
            case _:
                return ""

    def _reads(self, call: ast.Call, owner: str, last: str) -> bool:
        if last not in _READERS or (last in _READER_OWNERS and owner not in _READER_OWNERS[last]):
            return False
        if last in ("open",) and self._mode(call, 1, "r").strip("btU+") != "r":
            return False
        if last in ("read_bytes", "read_text"):
            match call.func:
                case ast.Attribute(value=ast.Call(args=[path, *_])):
                    return self._text(path) not in self._written
                case _:
                    return True
        if last == "readframes":
            return False  # of a file that `wave.open` has been judged for
        paths = [*call.args[:1], *(word.value for word in call.keywords if word.arg in ("file", "filename", "f"))]
        return not paths or self._text(paths[0]) not in self._written

    def _writes(self, call: ast.Call) -> str | None:
        """The name of the file that a call writes."""
        last = self._full(call.func).rpartition(".")[2]
        if not call.args:
            return None
        if last == "write" or (last == "open" and self._mode(call, 1, "r").strip("btU+") in ("w", "a", "x")):
            return self._text(call.args[0])
        return None

    def _mode(self, call: ast.Call, place: int, default: str) -> str:
        given = next((word.value for word in call.keywords if word.arg == "mode"), None)
        given = given or (call.args[place] if len(call.args) > place else None)
        return default if given is None else self._text(given) or default

    def _text(self, node: ast.expr) -> str | None:
        match node:
            case ast.Constant(str(text)):
                return text.removeprefix("./")
            case ast.Name(name):
                return self._constants.get(name)
            case _:
                return None

    def _documentation(self) -> set[int]:
        """The strings that stand as statements: documentation, no data, unless the program reads its own."""
        if any("__doc__" in (getattr(node, "attr", ""), getattr(node, "id", "")) for node in self._nodes):
            return set()
        return {
            id(node.value)
            for node in self._nodes
            if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        }


def _nodes(tree: ast.Module) -> list[ast.AST]:
    """The nodes of `ast.walk`, in its order, less those that carry nothing, such as `Load`: walked once."""
    nodes: list[ast.AST] = [tree]
    for node in nodes:  # which grows meanwhile
        for name in node._fields:
            value = getattr(node, name, None)
            if isinstance(value, list):
                nodes += [each for each in value if isinstance(each, ast.AST)]
            elif isinstance(value, ast.AST) and value._fields:
                nodes.append(value)
    return nodes
