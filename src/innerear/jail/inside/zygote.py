"""The zygote: an interpreter with everything imported, that forks once for each program.

It handles fixed-size numbers and descriptors, never a program's text or output, so the next
program cannot find the last one in the memory that it inherits.
"""

from __future__ import annotations

import contextlib
import fcntl
import gc
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass

from innerear.jail.inside import child, landlock, linux, view, wire
from innerear.jail.inside.child import Setting
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


def main(tier: str, imports: str, control_fd: str, binds: str, links: str, without: str) -> None:
    """Take a place in the jail, import, serve.

    `tier`: `own` (make the namespaces and the view), `bwrap` (they are made), `ll` (there are none).
    """
    control = socket.socket(fileno=int(control_fd))
    paths = tuple(filter(None, binds.split(":")))
    if os.geteuid() == 0 and not linux.is_admin():
        _drop_root()
    if tier == "own":
        view.enter(list(paths), [(a, b) for a, _, b in (link.partition("=") for link in links.split(":") if link)])
    if os.geteuid() == 0:
        if tier == "ll":
            view.open_the_way(list(paths))
        _drop_root()
    if tier != "ll":
        uid, gid = os.geteuid(), os.getegid()
        linux.unshare(linux.CLONE_NEWUSER | linux.CLONE_NEWPID)
        linux.map_one_user(uid, gid, child.INSIDE_UID)
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
    setting = Setting(tier != "ll", landlock.abi(), paths, os.uname().machine, without)
    gc.collect()
    gc.freeze()
    gc.disable()
    hello = wire.HELLO.pack(wire.HELLO_MAGIC, setting.landlock_abi)
    with contextlib.suppress(BrokenPipeError):
        wire.send(control, hello, [os.pidfd_open(os.getpid())])
        _serve(control, setting)
    os._exit(0)


@contextlib.contextmanager
def _leaving_with_the_host(control: socket.socket) -> Iterator[None]:
    """While importing: end at once where the host closes its end; later, waiting for it will show that."""
    signal.signal(signal.SIGIO, lambda *_: os._exit(0))
    fcntl.fcntl(control, fcntl.F_SETOWN, os.getpid())
    flags = fcntl.fcntl(control, fcntl.F_GETFL)
    fcntl.fcntl(control, fcntl.F_SETFL, flags | os.O_ASYNC)
    if select.select([control], [], [], 0)[0]:  # it has closed it before
        os._exit(0)
    yield
    fcntl.fcntl(control, fcntl.F_SETFL, flags)
    signal.signal(signal.SIGIO, signal.SIG_DFL)


def _drop_root() -> None:
    os.setgroups([])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)
    linux.prctl(linux.PR_SET_DUMPABLE, 1)  # else /proc/self is root's, and no user map can be written


@dataclass(frozen=True)
class _Spare:
    pid: int
    pidfd: int
    sock: socket.socket


def _serve(control: socket.socket, setting: Setting) -> None:
    filter_ = child.filter_for(setting)
    own_namespace = os.open("/proc/self/ns/pid", os.O_RDONLY) if setting.namespaces else -1
    linux.prctl(linux.PR_SET_DUMPABLE, 0)
    spare = _fork(setting, filter_, own_namespace)
    while True:
        data, descriptors = wire.receive(control, wire.REQUEST.size)
        if not data:
            return
        used = spare
        begin = time.monotonic()
        wire.send(used.sock, data, descriptors)
        for descriptor in descriptors:
            os.close(descriptor)
        spare = _fork(setting, filter_, own_namespace)
        reply = _watch(control, used, Request(*wire.REQUEST.unpack(data)), begin)
        if reply is None:
            return
        control.send(wire.REPLY.pack(*reply))


def _fork(setting: Setting, filter_: bytes, own_namespace: int) -> _Spare:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    parent = os.getpid()
    if setting.namespaces:
        linux.unshare(linux.CLONE_NEWPID)
    pid = os.fork()
    if not pid:
        ours.close()
        child.main(setting, filter_, theirs, parent)
    if setting.namespaces:
        linux.setns(own_namespace, linux.CLONE_NEWPID)
    theirs.close()
    return _Spare(pid, os.pidfd_open(pid), ours)


def _watch(control: socket.socket, used: _Spare, request: Request, begin: float) -> Reply | None:
    """Wait for the child's end, the clock's, or the host's (`None`)."""
    why = Why.ENDED
    deadline = begin + request.wall_ms / 1000
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
