"""The zygote: an interpreter with everything imported that forks once per program.

It handles only fixed-size numbers and descriptors, never a program's text or output, so a program cannot find the
previous one in the memory it inherits.
"""

from __future__ import annotations

import contextlib
import fcntl
import gc
import os
import select
import signal
import site
import socket
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_file_location
from typing import Any

from innerear.jail.inside import child, landlock, linux, view, wire
from innerear.jail.inside.child import Setting
from innerear.jail.inside.commands import Tool
from innerear.jail.inside.wire import Reply, Request, Why

IMPORTS = {
    "stdlib": ("array", "cmath", "json", "math", "pathlib", "random", "re", "struct", "wave"),
    "numpy": ("numpy", "numpy.random", "numpy.fft", "numpy.linalg", "wave"),
    "scipy": (
        "numpy.random",
        "numpy.fft",
        "numpy.linalg",
        "scipy.signal",
        "scipy.io.wavfile",
        "scipy.ndimage",
        "scipy.interpolate",
        "wave",
    ),
}
NOBODY = 65534
_GRACE_S = 0.5


def main(
    tier: str,
    imports: str,
    control_fd: int,
    binds: tuple[str, ...],
    links: tuple[tuple[str, str], ...],
    hidden: tuple[str, ...],
    folders: tuple[str, ...],
    packages: tuple[tuple[str, str], ...],
    reads: tuple[tuple[str, bool], ...],
    work: str,
    without: str,
    tool: tuple[Any, ...],
) -> None:
    """Enter the jail, import, serve. For the arguments see `start.Start.letter` and `start.Runtime`.

    `tier` is `own` (make the namespaces and the view here), `bwrap` (they exist already) or `ll` (there are none).
    """
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)  # replaces the letter
    os.close(null)
    control = socket.socket(fileno=control_fd)
    _allow(packages)
    # Opened now: after dropping root, the path may not be accessible.
    works = [os.open(work, os.O_PATH)] if work else []
    if os.geteuid() == 0 and not linux.is_admin():
        _drop_root()
    if tier == "own":
        view.enter(binds, links)
    if os.geteuid() == 0:
        if tier == "ll":
            view.open_the_way(binds)
        _drop_root()
    if tier != "ll":
        uid, gid = os.geteuid(), os.getegid()
        linux.unshare(linux.CLONE_NEWUSER | linux.CLONE_NEWPID | linux.CLONE_NEWNS)
        linux.map_one_user(uid, gid, child.INSIDE_UID)
        view.hide(hidden)
        if pid := os.fork():
            view.wait_and_leave(pid)
    with _leaving_with_the_host(control):
        for name in IMPORTS[imports]:
            __import__(name)
    for name in [name for name in sys.modules if name.partition(".")[0] == "innerear"]:
        del sys.modules[name]
    tasks = len(os.listdir("/proc/self/task"))  # noqa: PTH208
    if tasks != 1:
        raise RuntimeError(f"the zygote has {tasks} threads, wanted 1: forking would not be safe")
    setting = Setting(
        tier != "ll", landlock.abi(), folders, os.uname().machine, without, work, Tool(*tool) if tool else None
    )
    if tier == "ll" and without != "landlock":
        # The children add rules of their own, and a read must be allowed by both.
        linux.prctl(linux.PR_SET_NO_NEW_PRIVS, 1)
        rules = [(path, landlock.READ if below else landlock.LIST) for path, below in reads]
        rules += [(path, landlock.READ) for path in (*(f"/proc/self/fd/{n}" for n in works), *view.DEVICES)]
        landlock.restrict(setting.landlock_abi, rules, only=landlock.READ)
    for number in works:
        os.close(number)
    gc.collect()
    gc.freeze()
    gc.disable()
    hello = wire.HELLO.pack(wire.HELLO_MAGIC, setting.landlock_abi)
    with contextlib.suppress(BrokenPipeError):
        wire.send(control, hello, [os.pidfd_open(os.getpid())])
        _serve(control, setting)
    os._exit(0)


class _Packages:
    """An import finder for the allowed packages, consulted after the path."""

    def __init__(self, folders: dict[str, str]) -> None:
        self._folders = folders

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        folder = self._folders.get(name)
        if folder is None:
            return None
        return spec_from_file_location(name, f"{folder}/__init__.py", submodule_search_locations=[folder])


def _allow(packages: tuple[tuple[str, str], ...]) -> None:
    """Allow imports of these packages besides the standard library; if none are given, of what `site` found."""
    if packages:
        sys.meta_path.append(_Packages(dict(packages)))
        # The builtins that `site` adds (`exit` and the like), without its package folders.
        site.setquit()
        site.setcopyright()
        site.sethelper()


@contextlib.contextmanager
def _leaving_with_the_host(control: socket.socket) -> Iterator[None]:
    """Exit at once if the host closes its socket during imports; later, waiting on the socket shows it."""
    signal.signal(signal.SIGIO, lambda *_: os._exit(0))
    fcntl.fcntl(control, fcntl.F_SETOWN, os.getpid())
    flags = fcntl.fcntl(control, fcntl.F_GETFL)
    fcntl.fcntl(control, fcntl.F_SETFL, flags | os.O_ASYNC)
    if select.select([control], [], [], 0)[0]:  # closed already
        os._exit(0)
    yield
    fcntl.fcntl(control, fcntl.F_SETFL, flags)
    signal.signal(signal.SIGIO, signal.SIG_DFL)


def _drop_root() -> None:
    os.setgroups([])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)
    linux.prctl(linux.PR_SET_DUMPABLE, 1)  # else /proc/self belongs to root, and no user map can be written


@dataclass(frozen=True)
class _Spare:
    pid: int
    pidfd: int
    sock: socket.socket


def _serve(control: socket.socket, setting: Setting) -> None:
    filters = child.filters_for(setting)
    own_namespace = os.open("/proc/self/ns/pid", os.O_RDONLY) if setting.namespaces else -1
    linux.prctl(linux.PR_SET_DUMPABLE, 0)
    spare = _fork(setting, filters, own_namespace)
    while True:
        data, descriptors = wire.receive(control, wire.REQUEST.size)
        if not data:
            return
        used = spare
        begin = time.monotonic()
        wire.send(used.sock, data, descriptors)
        for descriptor in descriptors:
            os.close(descriptor)
        spare = _fork(setting, filters, own_namespace)
        reply = _watch(control, used, Request(*wire.REQUEST.unpack(data)), begin, _GRACE_S if setting.tool else 0.0)
        if reply is None:
            return
        control.send(wire.REPLY.pack(*reply))


def _fork(setting: Setting, filters: tuple[bytes, bytes], own_namespace: int) -> _Spare:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    parent = os.getpid()
    if setting.namespaces:
        linux.unshare(linux.CLONE_NEWPID)
    pid = os.fork()
    if not pid:
        ours.close()
        child.main(setting, filters, theirs, parent)
    if setting.namespaces:
        linux.setns(own_namespace, linux.CLONE_NEWPID)
    theirs.close()
    return _Spare(pid, os.pidfd_open(pid), ours)


def _watch(control: socket.socket, used: _Spare, request: Request, begin: float, grace_s: float) -> Reply | None:
    """Wait until the child ends, its time is up, or the host is gone (`None`).

    `grace_s`: how long a child may take to end when its time is up; it kills its tool itself, to know its CPU time.
    """
    why = Why.ENDED
    deadline = begin + request.wall_ms / 1000 + grace_s
    while True:
        left = max(0.0, deadline - time.monotonic())
        ready, _, _ = select.select([used.pidfd, control.fileno()], [], [], left)
        if control.fileno() in ready:
            return None
        if not ready:
            why = Why.TIMED_OUT
            signal.pidfd_send_signal(used.pidfd, signal.SIGKILL)
        if used.pidfd in ready or not ready:
            break
    _, status, usage = os.wait4(used.pid, 0)
    wall = time.monotonic() - begin
    if grace_s and wall >= request.wall_ms / 1000:
        why = Why.TIMED_OUT
    used.sock.setblocking(False)
    try:
        armed = used.sock.recv(16) == b"armed"
    except OSError:
        armed = False
    used.sock.close()
    os.close(used.pidfd)
    if not armed:
        why = Why.NOT_ARMED
    times = (round(1e6 * usage.ru_utime), round(1e6 * usage.ru_stime), round(1e6 * wall))
    return Reply(why, status, *times, usage.ru_maxrss)
