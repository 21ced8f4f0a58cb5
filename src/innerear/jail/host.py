"""The host's side of a jail: one zygote per worker and import set, and the result of each program."""

from __future__ import annotations

import contextlib
import fcntl
import math
import os
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from innerear.errors import JailFailure
from innerear.jail import result
from innerear.jail.base import JailResult
from innerear.jail.inside import wire
from innerear.jail.inside.wire import OUTPUT, Audit, Reply, Request, Why
from innerear.jail.inside.zygote import NOBODY
from innerear.jail.start import WORK_PREFIX, Start
from innerear.records import Limits, Outcome, Track

_START_S = 60.0
_GRACE_S = 5.0  # past a program's time limit, after which its zygote counts as lost
_PROGRAMS, _AGE_S = 1000, 600.0  # a zygote is replaced after so many programs or seconds
_AUDITS: dict[Track, Audit] = {"scratch": Audit.SCRATCH, "library": Audit.LIBRARY}
_SEALS = fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_SEAL


class Lost(Exception):
    """A zygote that did not start, did not answer, or could not confine its child."""


class Zygote:
    """One zygote's process, seen from the host.

    Raises:
        Lost: the zygote failed in any way; from every method.
    """

    def __init__(self, start: Start, imports: str, work: str = "") -> None:
        self._start = start
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._errors = os.memfd_create("errors", os.MFD_CLOEXEC)
        self._pidfd = -1
        self._closing = threading.Lock()
        self._closed = False
        self.born = time.monotonic()
        self.programs = 0
        with theirs, _memfd("letter", start.letter(imports, theirs.fileno(), work)) as letter:
            self._process = subprocess.Popen(
                start.command(),
                stdin=letter.number,
                stdout=self._errors,
                stderr=self._errors,
                env=start.environment,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
                cwd="/",
            )

    @property
    def ready(self) -> bool:
        """Whether it has said hello."""
        return self._pidfd >= 0 or bool(select.select([self._control], [], [], 0)[0])

    def greet(self) -> int:
        """Wait until its imports are done; return the Landlock ABI it found."""
        data, descriptors = self._receive(wire.HELLO.size, _START_S)
        self._pidfd = descriptors[0]
        _, abi = wire.HELLO.unpack(data)
        return int(abi)

    def run(self, request: Request, descriptors: list[int]) -> Reply:
        """Run one program to its end."""
        if self._pidfd < 0:
            self.greet()
        self.programs += 1
        try:
            wire.send(self._control, wire.REQUEST.pack(*request), descriptors)
        except OSError as error:
            raise Lost(f"the zygote is gone ({error}): {self.errors()}") from error
        data, _ = self._receive(wire.REPLY.size, request.wall_ms / 1000 + _GRACE_S)
        reply = Reply(*wire.REPLY.unpack(data))
        if reply.why == Why.NOT_ARMED:
            raise Lost(f"the child could not be confined: {self.errors()}")
        return reply

    def _receive(self, size: int, timeout_s: float) -> tuple[bytes, list[int]]:
        try:
            self._control.settimeout(timeout_s)
            data, descriptors = wire.receive(self._control, size)
        except OSError as error:
            raise Lost(f"the zygote did not answer ({error}): {self.errors()}") from error
        if len(data) != size:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(1.0)
            raise Lost(f"the zygote exited: {self.errors()}")
        return data, descriptors

    def errors(self) -> str:
        """The last line that the zygote, or its launcher, wrote to stderr."""
        try:
            lines = result.clean(os.pread(self._errors, 1 << 16, 0)).strip().splitlines()
        except OSError:
            return "it was closed"
        return lines[-1] if lines else "it printed nothing"

    def close(self) -> None:
        """Stop it and its children: closing the socket ends it, the kill is for one that hangs.

        May be called again, and by several threads at once; each returns only when it has ended.
        """
        with self._closing:
            if not self._closed:
                self._end()
                self._closed = True

    def _end(self) -> None:
        self._control.close()
        if self._pidfd >= 0:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)
            os.close(self._pidfd)
            self._pidfd = -1
        try:
            self._process.wait(_GRACE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        errors, self._errors = self._errors, -1
        os.close(errors)


def _word(code: str) -> str:
    """The smallest import set for a program, by a word search: the host never parses a program."""
    return "scipy" if "scipy" in code else "numpy" if "numpy" in code else "stdlib"


class ZygoteJail:
    """A `Jail` of the tiers `ns` and `ll`."""

    def __init__(self, start: Start, facts: dict[str, Any], ahead: tuple[str, ...] = ()) -> None:
        """`ahead`: import sets whose zygotes start now, not with their first program."""
        self.facts = facts
        self._start = start
        self._work = _work_folder() if start.work_folders else ""
        self._zygotes = {imports: self._born(imports) for imports in ahead}
        self._next: dict[str, Zygote] = {}
        self._changing = threading.Lock()
        self._closed = False

    def run(self, code: str, limits: Limits, seed: int = 0, audited: bool = True) -> JailResult:
        """Run one program to its end; see `base.Jail`."""
        imports = _word(code) if self._start.language == "python" else "stdlib"
        try:
            return self._try(self._zygote(imports), code, limits, seed, audited)
        except Lost as lost:
            if self._closed:  # by another thread, after an interrupt
                raise JailFailure("the jail was closed while a program ran in it") from lost
            self._drop(imports)
        try:
            return self._try(self._zygote(imports), code, limits, seed, audited)
        except Lost as lost:
            self._drop(imports)
            raise JailFailure(f"the jail ({self.facts['tier']}) failed twice on a program: {lost}") from lost

    def _zygote(self, imports: str) -> Zygote:
        with self._changing:
            if self._closed:
                raise JailFailure("the jail is closed")
            return self._current(imports)

    def _born(self, imports: str) -> Zygote:
        return Zygote(self._start, imports, self._work)

    def _current(self, imports: str) -> Zygote:
        current = self._zygotes.get(imports)
        if current is None:
            current = self._zygotes[imports] = self._born(imports)
        old = current.programs >= _PROGRAMS or time.monotonic() - current.born > _AGE_S
        if old and imports not in self._next:
            self._next[imports] = self._born(imports)
        if imports in self._next and self._next[imports].ready:
            current.close()
            current = self._zygotes[imports] = self._next.pop(imports)
        return current

    def _drop(self, imports: str) -> None:
        with self._changing:
            lost = self._zygotes.pop(imports, None)
        if lost is not None:
            lost.close()

    def _try(self, zygote: Zygote, code: str, limits: Limits, seed: int, audited: bool) -> JailResult:
        request = Request(
            seed=seed % (1 << 64),
            wall_ms=math.ceil(limits.wall_s * 1000),
            cpu_s=max(1, math.ceil(limits.cpu_s)),
            memory_bytes=limits.memory_bytes,
            file_bytes=limits.file_bytes,
            log_bytes=limits.log_bytes,
            audit=_AUDITS[self._start.track] if audited else Audit.NOTHING,
        )
        with (
            _memfd("source", code.encode("utf-8", "surrogatepass")) as source,
            _memfd("log", size=limits.log_bytes) as log,
            _memfd("result", size=result.room(limits)) as answer,
            contextlib.ExitStack() as work,
        ):
            descriptors = [source.number, log.number, answer.number]
            if self._start.work_folders:
                descriptors.append(work.enter_context(_WorkFolder(self._work)))
            reply = zygote.run(request, descriptors)
            return _ran(reply, limits, log, answer)

    def close(self) -> None:
        """Stop all of its processes. May be called twice; a program still running fails with `JailFailure`."""
        with self._changing:
            self._closed = True
            zygotes = [*self._zygotes.values(), *self._next.values()]
            self._zygotes.clear()
            self._next.clear()
        for zygote in zygotes:
            zygote.close()
        if self._work:
            shutil.rmtree(self._work, ignore_errors=True)


def _ran(reply: Reply, limits: Limits, log: _memfd, answer: _memfd) -> JailResult:
    cpu_s = (reply.user_us + reply.system_us) / 1e6
    exit_code: int | None
    clip = None
    if reply.why == Why.TIMED_OUT:
        outcome, reason, exit_code = Outcome.TIMED_OUT, f"more than {limits.wall_s:g} s", None
    elif os.WIFSIGNALED(reply.status):
        outcome, reason, exit_code = result.killed(os.WTERMSIG(reply.status), cpu_s, limits)
    elif exit_code := os.WEXITSTATUS(reply.status):
        outcome, reason = Outcome.EXIT_CODE, f"left with exit code {exit_code}"
    else:
        outcome, reason, exit_code, clip = result.read(answer.number, answer.size, limits, cpu_s)
    return JailResult(
        outcome=outcome,
        reason=reason,
        log=result.clean(log.written()),
        exit_code=exit_code,
        wall_s=reply.wall_us / 1e6,
        cpu_s=cpu_s,
        memory_bytes=reply.rss_kib << 10,
        clip=clip,
    )


class _memfd:
    """A file in memory whose size is sealed; if made with content, the content is sealed too."""

    def __init__(self, name: str, content: bytes | None = None, size: int = 0) -> None:
        self.number = os.memfd_create(name, os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        self.size = size if content is None else len(content)
        os.ftruncate(self.number, self.size)
        if content is not None:
            with open(self.number, "wb", closefd=False) as file:
                file.write(content)
            os.lseek(self.number, 0, os.SEEK_SET)
        fcntl.fcntl(self.number, fcntl.F_ADD_SEALS, _SEALS | (0 if content is None else fcntl.F_SEAL_WRITE))

    def written(self) -> bytes:
        """The bytes before the file position, which the child shares."""
        return os.pread(self.number, min(self.size, os.lseek(self.number, 0, os.SEEK_CUR)), 0)

    def __enter__(self) -> _memfd:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self.number)


class _WorkFolder:
    """In `ll`: a folder with an empty output.wav, the only file that the program may write.

    Its name is the number of its inode, so that a child that has its descriptor can find its path.
    """

    def __init__(self, parent: str) -> None:
        self._parent = parent

    def __enter__(self) -> int:
        made = tempfile.mkdtemp(dir=self._parent)
        self._number = os.open(made, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self._path = f"{self._parent}/{os.fstat(self._number).st_ino}"
        Path(made).rename(self._path)
        output = os.open(OUTPUT, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600, dir_fd=self._number)
        if os.geteuid() == 0:
            os.fchown(output, NOBODY, NOBODY)
            os.fchown(self._number, NOBODY, NOBODY)
        os.close(output)
        return self._number

    def __exit__(self, *_: object) -> None:
        os.close(self._number)
        shutil.rmtree(self._path, ignore_errors=True)


def _work_folder() -> str:
    """In `ll`: make the parent folder of a jail's work folders; remove those of hosts that were killed."""
    for path in Path(tempfile.gettempdir()).glob(f"{WORK_PREFIX}*"):
        owner = path.name.removeprefix(WORK_PREFIX).partition("-")[0]
        if owner.isdigit() and not Path("/proc", owner).exists():
            shutil.rmtree(path, ignore_errors=True)
    folder = tempfile.mkdtemp(prefix=f"{WORK_PREFIX}{os.getpid()}-")
    Path(folder).chmod(0o711)  # as root, the programs' user must pass through
    return folder
