"""The world that attacks are aimed at: canaries, listeners, a victim; and what must be true after each."""

from __future__ import annotations

import contextlib
import os
import platform
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
from jail_attacks import Attack

import innerear
from innerear.jail.base import Jail
from innerear.jail.host import ZygoteJail
from innerear.records import Limits, Outcome

ENVIRONMENT_CANARY = "CANARY_IN_THE_ENVIRONMENT"
PACKAGE = Path(innerear.__file__).resolve().parent
FOLDERS = list(dict.fromkeys(str(Path(file).resolve().parents[1]) for file in (innerear.__file__, np.__file__)))
REFERENCE = """
import math, random, struct, wave
with wave.open("output.wav", "wb") as out:
    out.setparams((1, 2, 8000, 0, "NONE", ""))
    out.writeframes(struct.pack("<800h", *(int(9000 * math.sin(i / 9) + 99 * random.random()) for i in range(800))))
"""


class World:
    """Canaries and listeners of the host; `broken()` says which of them an attack reached."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="innerear-world-"))
        self.folder.chmod(0o777)
        self.canary = self.folder / "canary"
        self.nobody = 65534 if os.geteuid() == 0 else None  # whom programs run as where the host is root
        self.tcp, self.udp = socket.create_server(("127.0.0.1", 0)), socket.socket(type=socket.SOCK_DGRAM)
        self.udp.bind(("127.0.0.1", 0))
        self.path, self.abstract = socket.socket(socket.AF_UNIX), socket.socket(socket.AF_UNIX)
        self.path.bind(str(self.folder / "socket"))
        (self.folder / "socket").chmod(0o777)
        self.abstract.bind(f"\0innerear-{os.getpid()}")
        for listener in (self.path, self.abstract):
            listener.listen()
        for listener in (self.tcp, self.udp, self.path, self.abstract):
            listener.setblocking(False)
        self.victim = subprocess.Popen(["sleep", "3600"], user=self.nobody)
        os.environ[ENVIRONMENT_CANARY] = "a secret"
        self.restore()
        self.untouched = self._state()

    def restore(self) -> None:
        for path in self.folder.iterdir():
            if not path.is_socket():
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        for suffix in ("", ".spare", ".own"):
            file = Path(f"{self.canary}{suffix}")
            file.write_text("a secret of the host")
            file.chmod(0o666)
            if self.nobody and suffix == ".own":
                os.chown(file, self.nobody, self.nobody)
            os.utime(file, (10**9, 10**9))
        Path(f"{self.canary}.link").symlink_to(self.canary)

    def literals(self, jailed: bool) -> dict[str, object]:
        return {
            "CANARY": str(self.canary),
            "CANARY_OWN": f"{self.canary}.own",
            "HOME": str(Path.home()),
            "TCP_PORT": self.tcp.getsockname()[1],
            "UDP_PORT": self.udp.getsockname()[1],
            "UNIX_PATH": str(self.folder / "socket"),
            "ABSTRACT": f"\0innerear-{os.getpid()}",
            "HOST_NAME": platform.node(),
            "VICTIM": self.victim.pid,
            "PACKAGE": str(PACKAGE),
            "FOLDERS": FOLDERS,
            "JAILED": jailed,
        }

    def _state(self) -> list[tuple[object, ...]]:
        return sorted(
            (
                path.name,
                s.st_mode,
                s.st_uid,
                s.st_size,
                s.st_nlink,
                s.st_mtime,
                os.listxattr(path) if path.is_file() else [],
            )
            for path in self.folder.iterdir()
            for s in [path.stat()]
            if not path.is_socket()
        )

    def broken(self) -> list[str]:
        found = [] if self._state() == self.untouched else [f"files changed: {self._state()}"]
        for name in ("tcp", "path", "abstract"):
            with contextlib.suppress(BlockingIOError):
                getattr(self, name).accept()[0].close()
                found.append(f"{name} was reached")
        with contextlib.suppress(BlockingIOError):
            self.udp.recv(16)
            found.append("udp was reached")
        if self.victim.poll() is not None or os.getpriority(os.PRIO_PROCESS, self.victim.pid) != 0:
            found.append("the victim was harmed")
        return found

    def close(self) -> None:
        self.victim.kill()
        self.victim.wait()
        for one in (self.tcp, self.udp, self.path, self.abstract):
            one.close()
        shutil.rmtree(self.folder)
        del os.environ[ENVIRONMENT_CANARY]


def processes(jail: ZygoteJail) -> set[int]:
    """All processes of a jail: descendants of its zygotes' first processes, and what shares their sessions."""
    sessions: dict[int, int] = {}
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                if fields[0] != "Z":
                    parents[int(entry.name)], sessions[int(entry.name)] = int(fields[1]), int(fields[3])
    found = {zygote._process.pid for zygote in (*jail._zygotes.values(), *jail._next.values())}
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    own = {sessions[pid] for pid in found if pid in sessions}
    return {pid for pid in sessions if pid in found or sessions[pid] in own}


def settled(jail: ZygoteJail, at_most: int = 1 << 20) -> int:
    """How many processes a jail has, once that is `at_most` and steady, or 0.3 s later."""
    deadline = time.monotonic() + 0.3
    last = -1
    while (now := len(processes(jail))) > at_most or (now != last and time.monotonic() < deadline):
        if time.monotonic() > deadline:
            break
        last = now
        time.sleep(0.01)
    return now


def verdict(
    jail: Jail, world: World, attack: Attack, reference: np.ndarray, base: int, honest: str = REFERENCE
) -> list[str]:
    """What an attack broke; empty where the jail held.

    `base`: its processes at rest; `honest`: a program that gives `reference`, or empty to leave that out.
    """
    begin = time.monotonic()
    ran = jail.run(attack.program(world.literals(jailed=True)), attack.limits, audited=False)
    wall_s = time.monotonic() - begin
    problems = world.broken()
    if "GOTTHROUGH" in ran.log and not attack.outcomes:
        problems.append("it got through")
    if attack.outcomes and ran.outcome not in attack.outcomes:
        problems.append(f"the outcome is {ran.outcome} ({ran.reason}), wanted one of {sorted(attack.outcomes)}")
    if ran.outcome is Outcome.OK and not attack.outcomes:
        problems.append("audio was taken")
    if wall_s > attack.limits.wall_s + 1:
        problems.append(f"it took {wall_s:.1f} s")
    if len(ran.log.encode()) > attack.limits.log_bytes:
        problems.append("the log is longer than its limit")
    after = jail.run(honest, Limits()) if honest else None
    if after and (after.clip is None or after.clip.samples.tobytes() != reference.tobytes()):
        problems.append(f"the next program is not what it was: {after.outcome} {after.reason}")
    if isinstance(jail, ZygoteJail) and (left := settled(jail, base) - base) > 0:
        problems.append(f"{left} processes are left")
    if problems:
        world.restore()
    return problems
