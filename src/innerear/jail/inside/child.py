"""One program's process, from the fork until its code runs. Safety depends on the order of the steps."""

from __future__ import annotations

import contextlib
import fcntl
import os
import resource
import socket
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from innerear.jail.inside import landlock, linux, runner, seccomp, tool, view, wire
from innerear.jail.inside.commands import Tool
from innerear.jail.inside.wire import Request

INSIDE_UID = 1000
_SOCKET, _SOURCE = 4, 5  # descriptors, next to runner.LOG and runner.RESULT
_INODES = 256
_OWN_PID_PLACE = 0x7E57_91D5  # placeholder in the zygote's filter until the child's pid is known


@dataclass(frozen=True)
class Setting:
    """A zygote's configuration, the same for all of its programs."""

    namespaces: bool
    landlock_abi: int
    readable: tuple[str, ...]  # folders; the view may hide parts of them
    machine: str
    without: str  # a layer that tests leave out, to show that it is needed
    work: str = ""  # in `ll`: the folder of work folders
    tool: Tool | None = None  # what runs programs that are not Python


def filters_for(setting: Setting) -> tuple[bytes, bytes]:
    """The seccomp filters of a child and of its tools, made once, with a placeholder for each process's pid."""
    own, tools = (seccomp.program(setting.machine, _OWN_PID_PLACE, tool) for tool in (False, True))
    return own, tools


def _load(setting: Setting, filter_: bytes) -> None:
    if setting.without != "seccomp":
        seccomp.load(filter_.replace(_OWN_PID_PLACE.to_bytes(4, "little"), os.getpid().to_bytes(4, "little")))


def live(setting: Setting, filters: tuple[bytes, bytes], sock: socket.socket, parent: int) -> None:
    """Run in the child: enter new namespaces, wait for a request, drop all rights, run the program. Never returns.

    Only the numbers of a request are read before seccomp is active. Of a program for a tool, the text is copied to
    its file unread.
    """
    linux.prctl(linux.PR_SET_DUMPABLE, 1)  # needed to write to /proc/self
    linux.prctl(linux.PR_SET_PDEATHSIG, 9)
    if setting.namespaces:
        uid = os.geteuid()
        linux.unshare(linux.CLONE_NEWUSER | linux.CLONE_NEWNS | linux.CLONE_NEWIPC)
        linux.map_one_user(uid, uid, INSIDE_UID)
        linux.prctl(linux.PR_SET_PDEATHSIG, 9)  # entering a user namespace clears it
    elif os.getppid() != parent:
        os._exit(0)
    data, descriptors = wire.receive(sock, wire.REQUEST.size)
    if not data:
        os._exit(0)
    request = Request(*wire.REQUEST.unpack(data))
    source, log, result, *work = descriptors

    Path("/proc/self/oom_score_adj").write_text("1000")
    os.umask(0o077)
    if setting.namespaces:
        size = f"size={request.file_bytes},nr_inodes={_INODES},mode=700"
        linux.mount("tmpfs", view.WORK, "tmpfs", linux.MS_NOSUID | linux.MS_NODEV | linux.MS_NOEXEC, size)
        linux.mount("tmpfs", "/proc", "tmpfs", linux.MS_RDONLY, "size=4k")
        os.chdir(view.WORK)
        writable = (".", landlock.WORK)
    else:
        os.fchdir(work[0])
        if setting.tool:
            # Root's zygote may have mounts of its own; a folder of the host's mounts has no path there, and Node asks.
            os.chdir(f"{setting.work}/{os.fstat(work[0]).st_ino}")
        writable = (wire.OUTPUT, landlock.WRITE)
    if setting.tool:
        tool.place(setting.tool, source, made=not setting.namespaces)
    linux.prctl(linux.PR_SET_NO_NEW_PRIVS, 1)
    if setting.landlock_abi and setting.without != "landlock":
        readable = [(path, landlock.READ) for path in (*setting.readable, *view.DEVICES)]
        if setting.tool:
            readable += [(path, landlock.READ | landlock.EXECUTE) for path in setting.tool.executables]
            readable += [(path, landlock.LIST) for path in setting.tool.listed]
            readable += [(setting.tool.file, landlock.READ)]
            readable += [(path, landlock.WRITE) for path in setting.tool.made]
        landlock.restrict(setting.landlock_abi, [*readable, ("/dev/null", landlock.WRITE), writable])
    linux.drop_capabilities()
    linux.prctl(linux.PR_SET_DUMPABLE, 0)

    # Its own /dev/null: flags belong to the open file, so the next program would see them.
    null = os.open("/dev/null", os.O_RDONLY)
    _arrange(
        {0: null, runner.LOG: log, runner.LOG + 1: log, runner.RESULT: result, _SOCKET: sock.fileno(), _SOURCE: source}
    )
    _limit(request, setting)
    own, tools = filters
    if not setting.tool:
        _load(setting, own)
    os.write(_SOCKET, b"armed")
    os.close(_SOCKET)
    if setting.tool:
        os.close(_SOURCE)
        tool.run(setting.tool, request, partial(_load, setting, tools), partial(_load, setting, own))
    runner.run(_SOURCE, request)


def _arrange(places: dict[int, int]) -> None:
    """Move descriptors to the given numbers; close all others."""
    above = max(places) + 1
    high = {number: fcntl.fcntl(descriptor, fcntl.F_DUPFD, above) for number, descriptor in places.items()}
    for number, descriptor in high.items():
        os.dup2(descriptor, number, inheritable=False)
    os.closerange(above, 1 << 20)


def _limit(request: Request, setting: Setting) -> None:
    limits = {
        resource.RLIMIT_AS: request.memory_bytes,
        resource.RLIMIT_CPU: request.cpu_s,
        resource.RLIMIT_FSIZE: max(request.file_bytes, request.log_bytes),
        resource.RLIMIT_NOFILE: 64,
        resource.RLIMIT_STACK: 8 << 20,
        resource.RLIMIT_NPROC: 1,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_MEMLOCK: 0,
        resource.RLIMIT_MSGQUEUE: 0,
        resource.RLIMIT_SIGPENDING: 64,
    }
    if setting.tool:
        limits[resource.RLIMIT_AS] += setting.tool.reserved
        if setting.namespaces:
            limits[resource.RLIMIT_NPROC] += tool.THREADS
        else:  # all processes of the user would be counted
            del limits[resource.RLIMIT_NPROC]
    for which, value in limits.items():
        _, hard = resource.getrlimit(which)
        if hard != resource.RLIM_INFINITY:
            value = min(value, hard)
        resource.setrlimit(which, (value, value))


def main(setting: Setting, filters: tuple[bytes, bytes], sock: socket.socket, parent: int) -> None:
    """Call `live`; if the jail itself fails, write a traceback to the zygote's stderr."""
    with contextlib.suppress(BaseException):
        try:
            live(setting, filters, sock, parent)
        except BaseException:  # noqa: BLE001
            import traceback

            os.write(2, traceback.format_exc().encode())
    os._exit(1)
