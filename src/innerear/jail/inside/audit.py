"""Does a running program make its sound itself? Python's audit events say what it does (`sys.addaudithook`).

The guard reads a program before it runs; this module sees what no reader can: a call by another
name, a path made at run time, code made from a string. An event is judged by the frames that
caused it: NumPy and SciPy import, open and compile thousands of times on their own account, and
what counts is what the program asked for.

The jail is the border that protects the machine, and it holds without this module. What is held
here is where a sound comes from. A hook cannot be removed, and this one looks up no name that a
program could replace: all that it calls is bound in its closure. A program that writes into its own
memory can still blind it; docs/jail.md says so.
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
    "cpython.PyInterpreterState_New": CODE,  # in another interpreter no hook of this one is called
}
"""Events that are never a library's own doing."""
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
"""Events that a library may cause while a module of its own is being imported, and at no other time."""
_ASKING = ("/platform.py", "/uuid.py")
"""Library files that ask other programs what this machine is; in the jail they get no answer."""
_CODE_MAKERS = ("/collections/__init__.py", "/dataclasses.py", "/scipy/stats/_distn_infrastructure.py")
"""Library files that make functions from text of their own after they were imported."""
_DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")
_CODE_ENDINGS = (".py", ".pyc", ".so")
_SOUND_ENDINGS = (".wav", ".au", ".aif", ".aiff", ".aifc", ".flac", ".mp3", ".ogg", ".mat", ".dat", ".npy")
_TEST_FOLDERS = ("/test/", "/tests/", "/datasets/")
_LONGEST_LINE = 160  # of the program, as it is shown
_LINE_ROOM = 1000  # characters of a line that are looked at

Rule = Callable[[tuple[Any, ...], FrameType], None]


def libraries() -> tuple[str, ...]:
    """The folders of code that every program may use: the standard library, NumPy and SciPy."""
    found = [os.path.dirname(os.__file__)]  # noqa: PTH120
    found += [path for path in sys.path if path.endswith("/lib-dynload")]
    for name in ("numpy", "scipy"):
        spec = getattr(sys.modules.get(name), "__spec__", None) or importlib.util.find_spec(name)
        found += (spec and spec.submodule_search_locations) or []
    return tuple(dict.fromkeys(f"{path}/" for path in found if path.startswith("/")))


def folder_of_work() -> str:
    """The program's folder; in the tier `ll` it may have no path that the program can learn."""
    try:
        return os.getcwd()  # noqa: PTH109
    except OSError:
        return "/its own folder"


def install(main: CodeType, lines: tuple[str, ...], runner: str, scratch: bool, verdict: Callable[[str], None]) -> None:
    """Watch this process from now on; there is no way back.

    Args:
        main: the program's compiled text, which may run; its file name marks the program's frames.
        lines: the program's text.
        runner: the file name of the code that runs it. What was called with only its frames on the
            stack was left behind by the program, to be called at its end.
        scratch: on this track foreign files, imports, processes, network and native code are named;
            on the other, only code that the program itself makes from text.
        verdict: takes "kind, line n: source" and never comes back.
    """
    # Whatever the hook needs is a local name here: a program can replace builtins and modules' names,
    # and none of these. Methods are taken from their types, as a program may hand in types of its own.
    own, folders, makers, devices = main.co_filename, libraries(), _CODE_MAKERS, _DEVICES
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
            # the standard library's folder may hold a folder of other packages
            for folder in folders:
                if starts(path, folder) and "-packages/" not in path[length(folder) :]:
                    return True
        return starts(path, "<frozen ")

    def cause(frame: FrameType | None) -> tuple[bool, FrameType | None]:
        """Whether a module of a library is being imported, and the program's frame that all this is for."""
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
        """An absolute path without `.` and `..`. A program cannot make links: text is enough."""
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
            return  # a descriptor: judged when its file was opened
        if flags & access == write_only:
            return  # the jail holds what may be written
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
        # A compiled module, named with its path; others are code that importlib runs. Those of Python's own
        # tests write memory and make interpreters.
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
