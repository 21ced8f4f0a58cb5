"""The provenance guard: before a program runs, check its text for ways to take sound from elsewhere.

Violations, reported with their line: text-to-speech, network, other processes, code that cannot be read, packed data
and, on the track `scratch`, foreign files and imports other than the standard library, NumPy and SciPy. The track
`library` allows any import and any file.

The guard sees only what is written plainly. What is disguised (another name for `os.system`, a path made at run time)
is seen at run time by `jail.inside.audit`, with the same outcome. Embedded audio cannot be disguised: in whatever form,
it is in the program's text, which may have at most `MOST_CONTENT` bytes of content in all.

This module reads Python; `guard_csound`, `guard_faust` and `guard_javascript` read the tokens of the other languages,
in which any other file and any other module than those that the request allows is a violation on both tracks. There
the jail has nothing to read and nothing to run, and no audit.
"""

from __future__ import annotations

import ast
import bz2
import codecs
import collections
import heapq
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import msgspec

from innerear.languages import Language
from innerear.programs import guard_csound, guard_faust, guard_javascript
from innerear.programs.grammar import parse
from innerear.programs.syntax import walk
from innerear.records import Program, Track

MOST_CONTENT = 7000
"""The most bytes a program's text may have after compression.

The compressed size measures a text's content, whether it is written as numbers, strings, names, comments or operators.
The largest of 737 recorded programs has 4,511 bytes, a table of 2,500 numbers about 4,250. Two seconds of speech at
8 kHz and 8 bits have 16,000, or 7,303 to 13,000 if they were encoded first.
"""
LONGEST_LINE = 160  # characters of the program's line that are shown
_MOST_PARTS = 16  # statements that are compressed to find the one with most content

_SPEECH = {
    "pyttsx3", "gtts", "espeakng", "espeak", "TTS", "torchaudio", "melo", "piper", "kokoro", "bark", "pyopenjtalk",
    "balcon", "speechd", "speech_recognition", "win32com", "nltk_tts", "flite", "festival", "styletts2", "edge_tts",
}  # fmt: skip
_NETWORK = {"socket", "ssl", "urllib", "http", "ftplib", "smtplib", "imaplib", "poplib", "nntplib", "telnetlib",
            "socketserver", "xmlrpc", "webbrowser", "requests", "httpx", "aiohttp", "urllib3", "asyncio"}  # fmt: skip
_PROCESS = {"subprocess", "multiprocessing", "pty", "ctypes", "cffi", "_ctypes", "_posixsubprocess"}
_HIDDEN = {"builtins", "importlib", "inspect", "imp", "runpy", "code", "codeop", "zipimport", "pkgutil", "marshal"}
_LIBRARY = {"numpy", "scipy"}
_KINDS = {
    **dict.fromkeys(_SPEECH, "text-to-speech"),
    **dict.fromkeys(_NETWORK, "network"),
    **dict.fromkeys(_PROCESS, "another process"),
    **dict.fromkeys(_HIDDEN, "code that cannot be read"),
}
_MAKERS = {"eval", "exec", "compile", "__import__"}  # of code, unless the program defines a function of that name
_NAMED = {
    **dict.fromkeys(("os.system", "os.popen", "os.fork", "os.forkpty", "os.posix_spawn"), "another process"),
    **dict.fromkeys(
        ("fromhex", "b64decode", "a85decode", "b85decode", "b32decode", "b16decode", "unhexlify", "a2b_hex",
         "a2b_base64", "decompress", "decodebytes"),
        "packed data",
    ),
    "ctypes": "another process",  # as in `np.ctypeslib.ctypes`: it writes memory without an audit event
}  # fmt: skip
_OS_STARTS = ("os.exec", "os.spawn")
_READERS = {
    *("open", "os.open", "io.open", "wave.open", "aifc.open", "sunau.open", "codecs.open"),
    *("scipy.io.wavfile.read", "wavfile.read", "soundfile.read", "sf.read", "librosa.load", "scipy.io.loadmat"),
    *("np.load", "numpy.load", "np.loadtxt", "numpy.loadtxt", "np.genfromtxt", "numpy.genfromtxt", "np.fromfile"),
    *("numpy.fromfile", "np.memmap", "numpy.memmap", "Path.read_bytes", "Path.read_text", "pathlib.Path.read_bytes"),
    "pathlib.Path.read_text",
}
_DATASETS = ("scipy.datasets", "scipy.misc")
_VIOLATIONS: dict[Language, Callable[[str], Iterator[tuple[int, str]]]] = {
    "csound": guard_csound.violations,
    "faust": guard_faust.violations,
    "javascript": guard_javascript.violations,
}
_CODING = re.compile(r"[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")  # as in PEP 263


@dataclass(frozen=True)
class Violation:
    """The kind of violation, the line's number and its text."""

    kind: str
    line: int
    source: str

    def __str__(self) -> str:
        return f"{self.kind}, line {self.line}: {self.source}"


def guarded(program: Program, track: Track = "scratch") -> Program:
    """Fill in a program's `violation`, if it has one."""
    if program.code is None:
        return program
    found = violation(program.code, track, program.language)
    return program if found is None else msgspec.structs.replace(program, violation=str(found))


def violation(code: str, track: Track = "scratch", language: Language = "python") -> Violation | None:
    """The first violation in a program; `None` also if it does not parse, which shows when it runs.

    >>> str(violation("import numpy as np\\nimport socket\\n"))
    'network, line 2: import socket'
    >>> violation("import numpy as np\\nx = np.zeros(3)\\n")
    >>> str(violation("a1 diskin2 Sname, 1", language="csound"))
    'a file is read, line 1: a1 diskin2 Sname, 1'
    """
    lines = code.split("\n")
    if language != "python":
        return _first([*_too_much(code, lines, range(1, len(lines) + 1)), *_VIOLATIONS[language](code)], lines)
    try:
        tree = parse(code)
        found = [*_foreign_coding(lines)]
        if tree:
            found += _too_much(code, lines, {1, *(node.lineno for node in tree.body)})
            found += _Reader(tree, track).violations()
    except (RecursionError, MemoryError):
        longest = max(range(len(lines)), key=lambda number: len(lines[number]))
        found = [(longest + 1, "code that cannot be read (nested too deep)")]
    return _first(found, lines)


def _first(found: Sequence[tuple[int, str]], lines: list[str]) -> Violation | None:
    if not found:
        return None
    line, kind = min(found)
    shown = " ".join(lines[line - 1].split()) if line <= len(lines) else ""
    return Violation(kind, line, shown if len(shown) <= LONGEST_LINE else f"{shown[:LONGEST_LINE]}…")


def content(text: str) -> int:
    """The compressed size of a text in bytes."""
    return len(bz2.compress(text.encode("utf-8", "surrogatepass")))


def _foreign_coding(lines: list[str]) -> Iterator[tuple[int, str]]:
    """An encoding declared in the text, by which it would be a different program."""
    for number, line in enumerate(lines[:2], 1):
        coding = _CODING.match(line)
        if coding and not _is_utf_8(coding[1]):
            yield number, f"code that cannot be read (its coding is {coding[1]}, wanted UTF-8)"


def _too_much(code: str, lines: list[str], begin_at: Iterable[int]) -> Iterator[tuple[int, str]]:
    """Too much content in the whole text, reported at the statement with most of it, of those that begin at lines."""
    size = content(code)
    if size > MOST_CONTENT:
        # Each part goes from a statement to the next one, with the comments between.
        begins = sorted(begin_at)
        ends = [*begins[1:], len(lines) + 1]
        parts = {begin: "\n".join(lines[begin - 1 : end - 1]) for begin, end in zip(begins, ends, strict=True)}
        longest = heapq.nlargest(_MOST_PARTS, parts, key=lambda begin: len(parts[begin]))
        fullest = max(longest, key=lambda begin: content(parts[begin]))
        yield fullest, f"embedded audio ({size} bytes of content in the program, at most {MOST_CONTENT} may be)"


def _is_utf_8(coding: str) -> bool:
    try:
        return codecs.lookup(coding).name in ("utf-8", "utf-8-sig")
    except LookupError:
        return True  # a comment that only looks like a declaration


class _Reader:
    """One program's syntax tree with its string constants and import aliases by name."""

    def __init__(self, tree: ast.Module, track: Track) -> None:
        self._nodes, self._scratch = walk(tree), track == "scratch"
        self._constants: dict[str, str] = {}
        self._aliases: dict[str, str] = {}
        functions: dict[ast.AST, str] = {}
        methods: set[ast.AST] = set()
        values: set[int] = set()
        for node in self._nodes:
            match node:
                case ast.Assign(targets=[ast.Name(name)], value=ast.Constant(str(text))):
                    self._constants[name] = text
                    values.add(id(node.value))
                case ast.FunctionDef(name=name):
                    functions[node] = name
                case ast.ClassDef(body=body):
                    methods.update(body)
                case ast.Import(names):
                    self._aliases.update((n.asname, n.name) for n in names if n.asname)
                case ast.ImportFrom(module=str(module), names=names):
                    self._aliases.update((n.asname or n.name, f"{module}.{n.name}") for n in names)
                case _:
                    pass
        # A method of that name does not shadow the builtin.
        self._makers = _MAKERS - {name for function, name in functions.items() if function not in methods}
        mentions = [
            node for node in self._nodes if isinstance(node, ast.Constant | ast.Name) and id(node) not in values
        ]
        self._mentioned = collections.Counter(word for node in mentions if (word := self._text(node)) is not None)

    def violations(self) -> Iterator[tuple[int, str]]:
        """Yield the line and kind of each violation."""
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
                        if kind := self._named(f"{module or ''}.{name.name}"):
                            yield node.lineno, kind
                case ast.Name(name) if name in self._makers:
                    yield node.lineno, "code that cannot be read"
                case ast.Attribute():
                    full = self._full(node)
                    if kind := self._named(full):
                        yield node.lineno, kind
                    elif self._scratch and full.startswith(_DATASETS):
                        yield node.lineno, "a file is read"
                case ast.Call() if self._scratch and self._reads(node):
                    yield node.lineno, "a file is read"
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

    def _named(self, full: str) -> str | None:
        """The kind of violation of naming this, whatever is done with it."""
        if full.startswith(_OS_STARTS):
            return "another process"
        return _NAMED.get(full) or _NAMED.get(full.rpartition(".")[2])

    def _full(self, node: ast.expr) -> str:
        """The full name of an expression: `scipy.io.wavfile.read` for an imported `wavfile.read`."""
        match node:
            case ast.Name(name):
                return self._aliases.get(name, name)
            case ast.Attribute(value=value, attr=attr):
                return f"{self._full(value)}.{attr}"
            case ast.Call(func=ast.Name() as func):
                return self._full(func)
            case _:
                return "?"

    def _reads(self, call: ast.Call) -> bool:
        """Whether a call reads a file with a constant name that the program mentions nowhere else."""
        full = self._full(call.func)
        if full not in _READERS or self._mode(call).strip("btU+") not in ("", "r"):
            return False
        within = (
            call.func.value if full.startswith(("Path.", "pathlib.")) and isinstance(call.func, ast.Attribute) else call
        )
        arguments = [*within.args[:1]] if isinstance(within, ast.Call) else []
        arguments += [word.value for word in call.keywords if word.arg in ("file", "filename", "fname", "f")]
        path = self._text(arguments[0]) if arguments else None
        if path is None or path in ("output.wav", "./output.wav"):
            return False
        stem = path.rpartition(".")[0]
        return self._mentioned[path] + (self._mentioned[stem] if stem else 0) < 2

    def _mode(self, call: ast.Call) -> str:
        given = next((word.value for word in call.keywords if word.arg == "mode"), None)
        if given is None and self._full(call.func).rpartition(".")[2] == "open" and len(call.args) > 1:
            given = call.args[1]
        return ("" if given is None else self._text(given)) or ""

    def _text(self, node: ast.expr) -> str | None:
        match node:
            case ast.Constant(str(text)):
                return text
            case ast.Name(name, ctx=ast.Load()):
                return self._constants.get(name)
            case _:
                return None
