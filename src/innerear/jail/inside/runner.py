"""Run the program in the child and write its result.

All of this is on the program's side of the border, so the host checks everything it reads. Functions used after the
program has run are bound to names before, so a program that replaces `os.write` can only damage its own result.
"""

from __future__ import annotations

import atexit
import builtins
import contextlib
import errno
import gc
import io
import linecache
import os
import random
import stat
import sys
import traceback
import types
from collections.abc import Callable
from typing import Any

from innerear.jail.inside import audit, wav, wire
from innerear.jail.inside.wire import OFFERS, OUTPUT, PROGRAM, Audit, Request, Result, Status

LOG, RESULT = 1, 3
_TRACEBACK_BYTES = 16 << 10
_HEAD_BYTES = 1 << 20
_open, _pread, _pwrite, _write, _fstat, _leave = os.open, os.pread, os.pwrite, os.write, os.fstat, os._exit


class _Log(io.RawIOBase):
    """stdout and stderr in one memfd; output past the limit is dropped and the program continues."""

    room = 0

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return LOG

    def write(self, data: Any) -> int:
        piece = bytes(data[: _Log.room])
        _Log.room -= len(piece)
        # A program may have filled the memfd itself.
        with contextlib.suppress(OSError):
            _write(LOG, piece)
        return len(data)


def run(source: int, request: Request) -> None:
    """Run the program from a descriptor as `__main__`, write the result, exit. Never returns."""
    exhausted = _packed(Status.OUT_OF_MEMORY, b"MemoryError")
    _open_log(request.log_bytes)
    seed(request.seed)
    gc.enable()
    try:
        with open(source, "rb") as file:
            code = file.read()
        report(*_execute(code, Audit(request.audit)))
    except MemoryError:
        _pwrite(RESULT, exhausted, 0)
    _leave(0)


def seed(value: int) -> None:
    """Seed the usual random number generators: `random`, and NumPy's if NumPy is loaded.

    A NumPy generator made without a seed takes its entropy from a stream seeded with `value`.
    """
    random.seed(value)
    numpy_random = sys.modules.get("numpy.random")
    if numpy_random is not None:
        numpy_random.seed(value % (1 << 32))
        sys.modules["numpy.random.bit_generator"].randbits = random.Random(value).getrandbits  # type: ignore[attr-defined]


def _open_log(size: int) -> None:
    _Log.room = max(size - _TRACEBACK_BYTES, size // 2)
    for name in ("stdout", "stderr"):
        text = io.TextIOWrapper(
            io.BufferedWriter(_Log()), encoding="utf-8", errors="backslashreplace", line_buffering=True
        )
        setattr(sys, name, text)
        setattr(sys, f"__{name}__", text)


def _execute(code: bytes, audited: Audit) -> tuple[Status, int, str]:
    main = types.ModuleType("__main__")
    main.__dict__.update(__file__=PROGRAM, __builtins__=builtins)
    sys.modules["__main__"] = main
    sys.argv = [PROGRAM]
    linecache.cache[PROGRAM] = (lambda: code.decode("utf-8", "replace"),)
    ending: tuple[Status, int, str] = (Status.AUDIO, 0, "")
    try:
        # Compile text, not bytes: what the guard read is what runs, whatever encoding the program declares.
        text = code.decode()
        compiled = compile(text, PROGRAM, "exec", dont_inherit=True)
        if audited is not Audit.NOTHING:
            runner = _execute.__code__.co_filename
            audit.install(compiled, tuple(text.split("\n")), runner, audited is Audit.SCRATCH, _refusal())
        exec(compiled, main.__dict__)  # noqa: S102
    except SystemExit as leaving:
        left = leaving.code
        if left is not None and not isinstance(left, int):
            sys.stderr.write(f"{left}\n")
            left = 1
        if left:
            ending = (Status.EXIT_CODE, left & 0xFF, f"left with exit code {left & 0xFF}")
    except BaseException as error:  # noqa: BLE001
        ending = _judge(error)
    # As at a normal interpreter exit: files that were left open are closed, and so flushed.
    atexit._run_exitfuncs()
    if ending[0] is Status.AUDIO:
        main.__dict__.clear()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    return ending


def _refusal() -> Callable[[str], None]:
    """The function that ends a program which takes its sound from elsewhere; it uses no name that can be replaced."""
    pack, pwrite, leave, encode, length = wire.RESULT.pack, os.pwrite, os._exit, str.encode, len
    place, most = RESULT, wire.REASON_BYTES
    fields = tuple(Result(wire.RESULT_MAGIC, int(Status.PROVENANCE), 0, 0, 0, 0, 0))
    before = Result._fields.index("payload")
    first, last = fields[:before], fields[before + 1 :]

    def refuse(reason: str) -> None:
        payload = encode(reason, "utf-8", "replace")[:most]
        pwrite(place, pack(*first, length(payload), *last) + payload, 0)
        leave(0)

    return refuse


def _judge(error: BaseException) -> tuple[Status, int, str]:
    lines = traceback.format_exception(type(error), error, error.__traceback__ and error.__traceback__.tb_next)
    reason = traceback.format_exception_only(type(error), error)[-1].strip()
    status = Status.ERROR
    if isinstance(error, MemoryError):
        status = Status.OUT_OF_MEMORY
    elif _forbidden(error):
        status = Status.FORBIDDEN
        own = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == PROGRAM]
        reason = f"`{own[-1].line}`: {reason}" if own else reason
        lines.append(f"note: the jail forbids this. {OFFERS}\n")
    sys.stdout.flush()
    text = "".join(lines).encode("utf-8", "backslashreplace")
    _Log.room = min(_Log.room + _TRACEBACK_BYTES, _TRACEBACK_BYTES + len(text))
    sys.stderr.write(text[-_TRACEBACK_BYTES:].decode("utf-8", "replace"))
    return status, 1, reason


def _forbidden(error: BaseException) -> bool:
    """Whether the jail ended the program, judging by the exception."""
    for one in (error, error.__cause__, getattr(error, "reason", None)):
        if isinstance(one, RuntimeError) and "start new thread" in str(one):
            return True
        if not isinstance(one, OSError):
            continue
        if one.errno in (errno.EPERM, errno.EACCES, errno.EROFS) or type(one).__name__ == "gaierror":
            return True
        path = one.filename
        if one.errno == errno.ENOENT and isinstance(path, str) and path.startswith("/"):
            return not path.startswith(os.getcwd() + "/")  # noqa: PTH109
    return False


def _packed(status: Status, payload: bytes, exit_code: int = 0) -> bytes:
    payload = payload[: wire.REASON_BYTES]
    return wire.RESULT.pack(*Result(wire.RESULT_MAGIC, status, 0, 0, 0, exit_code, len(payload))) + payload


def report(status: Status, exit_code: int, reason: str) -> None:
    """Write the result: with `AUDIO` the sound in output.wav, if that is one."""
    if status is Status.AUDIO:
        try:
            return _report_audio()
        except FileNotFoundError:
            status, reason = Status.NO_AUDIO, "the program left no output.wav"
        except wav.NotAudio as error:
            status, reason = Status.BAD_AUDIO, str(error)
    _pwrite(RESULT, _packed(status, reason.encode("utf-8", "replace"), exit_code), 0)


def _report_audio() -> None:
    file = _open(OUTPUT, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    info = _fstat(file)
    # In `ll`, the host makes an empty file before the program starts.
    if not stat.S_ISREG(info.st_mode) or not info.st_size:
        raise FileNotFoundError
    head = wav.head(_pread(file, _HEAD_BYTES, 0), info.st_size)
    done = 0
    while done < head.size:
        piece = _pread(file, min(_HEAD_BYTES, head.size - done), head.start + done)
        _pwrite(RESULT, piece, wire.RESULT.size + done)
        done += len(piece)
    fields = Result(wire.RESULT_MAGIC, Status.AUDIO, head.form, head.channels, head.sample_rate, 0, done, head.promised)
    _pwrite(RESULT, wire.RESULT.pack(*fields), 0)
