"""A dozen attacks that every jail must hold before it runs its first program."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

from innerear.jail.base import Jail
from innerear.records import Limits, Outcome

# Each attempt is harmless where it succeeds: it reads a file of ours, sends signal 0, and the like.
_ATTACKS = """
import ctypes, os, socket, threading, wave
libc = ctypes.CDLL(None, use_errno=True)
def call(result):
    if result < 0: raise OSError(ctypes.get_errno(), "")
def network(): socket.socket(socket.AF_INET, socket.SOCK_STREAM)
def unix_socket(): socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
def read_file(): open(CANARY).read()
def write_file(): open(CANARY, "a").write("x")
def list_home(): os.listdir(HOME)
def read_environment():
    if CANARY in str(os.environ): return
    open("/proc/self/environ").read()
def fork():
    if not os.fork(): os._exit(0)
def thread(): threading.Thread(target=int).start()
def execute(): os.execv("/bin/true", ["true"]) if os.path.exists("/bin/true") else call(libc.execv(b"/x", None) or -1)
def signal_parent(): os.kill(os.getppid() or -1, 0)
def read_process(): open(f"/proc/{os.getppid()}/maps").read()
def namespaces(): call(libc.unshare(0x10000000))
def symlink(): os.symlink("/etc/passwd", "link")
def memfd(): os.memfd_create("x")
def root(): call(0 if os.geteuid() == 0 else -1)
def descriptors():
    for number in range(4, 256):
        try: os.fstat(number)
        except OSError: continue
        return
    raise OSError
held = []
for attack in (network, unix_socket, read_file, write_file, list_home, read_environment, fork, thread, execute,
               signal_parent, read_process, namespaces, symlink, memfd, root, descriptors):
    try: attack()
    except (OSError, RuntimeError): held.append(attack.__name__)
    else: print("got through:", attack.__name__)
print("held:", len(held))
with wave.open("output.wav", "wb") as out:
    out.setparams((1, 2, 8000, 0, "NONE", ""))
    out.writeframes(b"\\x00\\x40\\x00\\xc0")
"""
_HELD = "held: 16"


def leaks(jail: Jail) -> list[str]:
    """The attacks that got through this jail, or what else is wrong with it; empty where it holds."""
    with tempfile.NamedTemporaryFile("w", prefix="innerear-canary-") as canary:
        canary.write("a secret of the host")
        canary.flush()
        Path(canary.name).chmod(0o666)
        code = f"CANARY, HOME = {canary.name!r}, {str(Path.home())!r}\n{_ATTACKS}"
        ran = jail.run(code, Limits(cpu_s=5, wall_s=10), audited=False)
    through = [line.removeprefix("got through: ") for line in ran.log.splitlines() if line.startswith("got through")]
    if through or ran.outcome is not Outcome.OK or ran.clip is None:
        return through or [f"a program that should run gave {ran.outcome} ({ran.reason})"]
    if ran.log.strip() != _HELD or not np.array_equal(ran.clip.samples, [[0.5, -0.5]]):
        return [f"a program's output did not come back whole: {ran.log.strip()!r}"]
    return []
