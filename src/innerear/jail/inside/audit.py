"""Check at run time that a program makes its own sound, by Python's audit events (`sys.addaudithook`).

The guard reads a program before it runs; this module sees what cannot be read from the text: a call under another
name, a path made at run time, code made from a string. An event is judged by the frames that caused it, because NumPy
and SciPy import, open and compile thousands of times for their own purposes.

The jail protects the machine, with or without this module. This module guards only where a sound comes from. A hook
cannot be removed, and this one looks up no name that a program could replace: everything it calls is bound in its
closure. A program that writes to its own memory can still disable it; docs/jail.md says so.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Callable
from types import CodeType, FrameType, MappingProxyType
from typing import Any

CODE = "code that cannot be read"
FILE = "a file is read"
IMPORT = "an import beyond those allowed"
NETWORK = "network"
PROCESS = "another process"

_KINDS = {
    **dict.fromkeys(
        ("os.system", "os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "pty.spawn"), PROCESS
    ),
    **dict.fromkeys(("socket.__new__", "socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"), NETWORK),
    "cpython.PyInterpreterState_New": CODE,  # hooks of this interpreter are not called in another
}
"""Events that a library never causes by itself."""
_KINDS_UNLESS_IMPORTING = {
    **dict.fromkeys(
        (
            *("ctypes.dlopen", "ctypes.dlsym", "ctypes.dlsym/handle", "ctypes.call_function", "ctypes.addressof"),
            *("ctypes.string_at", "ctypes.wstring_at", "ctypes.memoryview_at", "ctypes.cdata", "ctypes.cdata/buffer"),
            *("ctypes.create_string_buffer", "ctypes.create_unicode_buffer", "ctypes.PyObj_FromPtr"),
        ),
        PROCESS,
    ),
    **dict.fromkeys(
        (
            *("code.__new__", "function.__new__", "marshal.loads", "marshal.load"),
            *("gc.get_objects", "gc.get_referrers", "gc.get_referents"),
        ),
        CODE,
    ),
}
"""Events that a library may cause only while one of its modules is being imported."""
_ASKING = ("/platform.py", "/uuid.py")
"""Library files that run other programs to identify the machine; in the jail they get no answer."""
_CODE_MAKERS = ("/collections/__init__.py", "/dataclasses.py", "/scipy/stats/_distn_infrastructure.py")
"""Library files that compile functions from their own text after import."""
_DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")
_CODE_ENDINGS = (".py", ".pyc", ".so")
_SOUND_ENDINGS = (".wav", ".au", ".aif", ".aiff", ".aifc", ".flac", ".mp3", ".ogg", ".mat", ".dat", ".npy")
_TEST_FOLDERS = ("/test/", "/tests/", "/datasets/")
_LONGEST_LINE = 160  # characters of the program's line that are shown
_LINE_ROOM = 1000  # characters of a line that are read

Rule = Callable[[tuple[Any, ...], FrameType], None]


def libraries() -> tuple[str, ...]:
    """The code folders that every program may use: the standard library, NumPy and SciPy."""
    folders = [os.path.dirname(os.__file__)]  # noqa: PTH120
    folders += [path for path in sys.path if path.endswith("/lib-dynload")]
    for name in ("numpy", "scipy"):
        spec = getattr(sys.modules.get(name), "__spec__", None) or importlib.util.find_spec(name)
        folders += (spec and spec.submodule_search_locations) or []
    return tuple(dict.fromkeys(f"{path}/" for path in folders if path.startswith("/")))


def folder_of_work() -> str:
    """The program's working directory; in the tier `ll`, its path may be hidden from the program."""
    try:
        return os.getcwd()  # noqa: PTH109
    except OSError:
        return "/its own folder"


def install(main: CodeType, lines: tuple[str, ...], runner: str, scratch: bool, verdict: Callable[[str], None]) -> None:
    """Audit this process from now on. This cannot be undone.

    Args:
        main: the program's compiled code, which may run; its file name identifies the program's frames.
        lines: the program's text.
        runner: the file name of the code that runs the program. A call with only the runner's frames on the stack was
            registered by the program to run at its end.
        scratch: report foreign files, imports, processes, network and native code; if false (the track `library`),
            only code that the program itself makes from text.
        verdict: called with "kind, line n: source"; never returns.
    """
    # Everything the hook needs is a local name: a program can replace builtins and module attributes, but not these.
    # Methods are taken from their types, because a program may pass in types of its own.
    own, folders, makers = main.co_filename, libraries(), _CODE_MAKERS
    # Importing looks for the standard library in a zip file first (`python311.zip`), which is rarely there.
    devices = (*_DEVICES, *(path for path in sys.path if path.endswith(".zip")))
    asking, process = _ASKING, PROCESS
    home, executable = f"{folder_of_work()}/", os.path.realpath(sys.executable)
    inside = os.path.dirname(runner) + "/"  # noqa: PTH120
    code_ends, sound_ends, tests = _CODE_ENDINGS, _SOUND_ENDINGS, _TEST_FOLDERS
    longest, room = _LONGEST_LINE, _LINE_ROOM
    file_read, imported, made = FILE, IMPORT, CODE
    typeof, derived, text, raw, length, getcwd, getframe = type, issubclass, str, bytes, len, os.getcwd, sys._getframe
    exactly, starts, ends, split, join = str.__str__, str.startswith, str.endswith, str.split, str.join
    append, pop, decode, plain_bytes = list.append, list.pop, bytes.decode, bytes.__getitem__
    write_only, access = os.O_WRONLY, os.O_ACCMODE
    whole, code_type, failure = slice(None), CodeType, OSError

    def of_library(path: str) -> bool:
        if starts(path, folders):
            # The standard library's folder may contain a folder of other packages.
            for folder in folders:
                if starts(path, folder) and "-packages/" not in path[length(folder) :]:
                    return True
        return starts(path, "<frozen ")

    def cause(frame: FrameType | None) -> tuple[bool, FrameType | None]:
        """Whether a library module is being imported, and the program's frame that caused the event."""
        importing = False
        while frame is not None:
            code = frame.f_code
            name = code.co_filename
            if name == own:
                return importing, frame
            if name == runner:
                return importing, None
            importing = importing or (code.co_name == "<module>" and of_library(name))
            frame = frame.f_back
        return importing, None

    def accuse(kind: str, frame: FrameType | None) -> None:
        line = 0 if frame is None else frame.f_lineno or 0
        if not 0 < line <= length(lines):
            return verdict(f"{kind}, when the program had ended")
        source = join(" ", split(lines[line - 1][:room]))
        return verdict(f"{kind}, line {line}: {source if length(source) <= longest else source[:longest] + '…'}")

    def full(path: str) -> str:
        """The absolute path without `.` and `..`. Text is enough, because a program cannot make links."""
        parts: list[str] = []
        if not starts(path, "/"):
            try:
                path = f"{getcwd()}/{path}"
            except failure:
                path = home + path
        for part in split(path, "/"):
            if part == "..":
                if parts:
                    pop(parts)
            elif part and part != ".":
                append(parts, part)
        return "/" + join("/", parts)

    def opens(args: tuple[Any, ...], frame: FrameType) -> None:
        path, _, flags = args
        if derived(typeof(path), text):
            path = exactly(path)
        elif derived(typeof(path), raw):
            path = decode(plain_bytes(path, whole), "utf-8", "surrogateescape")
        else:
            return  # a descriptor: checked when its file was opened
        if flags & access == write_only:
            return  # the jail restricts what may be written
        path = full(path)
        if starts(f"{path}/", home) or path in devices or path == executable or starts(path, inside):
            return
        if of_library(path):
            tested = False
            for folder in tests:
                tested = tested or folder in f"{path}/"
            if ends(path, code_ends) or not (tested or ends(path, sound_ends)):
                return
        accuse(file_read, cause(frame)[1])

    def runs(args: tuple[Any, ...], frame: FrameType) -> None:
        code, by = args[0], frame.f_code.co_filename
        if code is main:
            return
        importing, asked = cause(frame)
        if starts(by, "<frozen importlib"):
            if typeof(code) is not code_type or not of_library(code.co_filename):
                accuse(imported, asked)
        elif not importing and not (of_library(by) and ends(by, makers)):
            accuse(made, asked)

    def makes(args: tuple[Any, ...], frame: FrameType) -> None:
        if frame.f_code.co_filename == own and not (args and args[0] is main):
            accuse(made, frame)

    def imports(args: tuple[Any, ...], frame: FrameType) -> None:
        # A compiled module has its path in the event; other modules are code that importlib runs. The compiled
        # modules of Python's own tests can write memory and make interpreters.
        name, path = args[0], args[1]
        if typeof(path) is text and path and (not of_library(path) or starts(exactly(name), "_test")):
            accuse(imported, cause(frame)[1])

    def starts_process(args: tuple[Any, ...], frame: FrameType | None) -> None:
        asked = cause(frame)[1]
        while frame is not None and ends(frame.f_code.co_filename, "/subprocess.py"):
            frame = frame.f_back
        if frame is None or not ends(frame.f_code.co_filename, asking):
            accuse(process, asked)

    def always(kind: str) -> Rule:
        return lambda args, frame: accuse(kind, cause(frame)[1])

    def unless_importing(kind: str) -> Rule:
        def rule(args: tuple[Any, ...], frame: FrameType) -> None:
            importing, asked = cause(frame)
            if not importing and not starts(frame.f_code.co_filename, "<frozen importlib"):
                accuse(kind, asked)

        return rule

    rules: dict[str, Rule] = {"exec": makes, "compile": makes}
    if scratch:
        rules |= {event: always(kind) for event, kind in _KINDS.items()}
        rules |= {event: unless_importing(kind) for event, kind in _KINDS_UNLESS_IMPORTING.items()}
        rules |= {"open": opens, "exec": runs, "import": imports, "subprocess.Popen": starts_process}
    watched = MappingProxyType(rules)

    def hook(event: str, args: tuple[Any, ...]) -> None:
        if event in watched:
            frame = getframe().f_back
            if frame is not None:
                watched[event](args, frame)

    sys.addaudithook(hook)
