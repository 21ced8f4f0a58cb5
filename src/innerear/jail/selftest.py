"""Attacks that every jail must stop before it runs its first program, and a report of what a program can reach."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from innerear.jail import tool_attacks
from innerear.jail.base import Jail
from innerear.languages import Language
from innerear.records import Limits, Outcome

# Each attempt is harmless if it succeeds: it reads a file made for it, sends signal 0, and the like.
_ATTACKS = """
import ctypes, os, socket, sys, sysconfig, threading, wave
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
def import_innerear():
    before = list(sys.path)
    sys.path += [os.path.dirname(PACKAGE), sysconfig.get_path("purelib")]
    try: import innerear.suite
    finally: sys.path[:] = before
def read_probes(): open(PACKAGE + "/suite/edition-1.jsonl").read()
def root(): call(0 if os.geteuid() == 0 else -1)
def descriptors():
    for number in range(4, 256):
        try: os.fstat(number)
        except OSError: continue
        return
    raise OSError
held = []
for attack in (network, unix_socket, read_file, write_file, list_home, read_environment, fork, thread, execute,
               signal_parent, read_process, namespaces, symlink, memfd, import_innerear, read_probes, root,
               descriptors):
    try: attack()
    except (OSError, RuntimeError, ImportError): held.append(attack.__name__)
    else: print("got through:", attack.__name__)
print("held:", len(held))
with wave.open("output.wav", "wb") as out:
    out.setparams((1, 2, 8000, 0, "NONE", ""))
    out.writeframes(b"\\x00\\x40\\x00\\xc0")
"""
_HELD = "held: 18"
_SECRET = "a secret of the host"
_PACKAGE = Path(__file__).resolve().parents[1]


def leaks(jail: Jail, language: Language = "python") -> list[str]:
    """The attacks that got through this jail, or what else is wrong with it; empty if it holds."""
    with tempfile.NamedTemporaryFile("w", prefix="innerear-canary-") as canary:
        canary.write(_SECRET)
        canary.flush()
        Path(canary.name).chmod(0o666)
        names = canary.name, str(Path.home()), str(_PACKAGE)
        code, held, sound = f"CANARY, HOME, PACKAGE = {names!r}\n{_ATTACKS}", _HELD, ""
        if language != "python":
            code, held, sound = tool_attacks.attacks(language, *names)
        ran = jail.run(code, Limits(cpu_s=5, wall_s=10), audited=False)
        written = Path(canary.name).read_text() != _SECRET
    through = ["write_file"] if written else []
    told = ran.log.splitlines()
    through += [line.removeprefix("got through: ") for line in told if line.startswith("got through")]
    if sound and not through:
        ran = jail.run(sound, Limits(cpu_s=5, wall_s=10))
    if through or ran.outcome is not Outcome.OK or ran.clip is None:
        return through or [f"a program that should run gave {ran.outcome} ({ran.reason})"]
    if held not in told or not np.array_equal(ran.clip.samples, [[0.5, -0.5]]):
        return [f"a program's output did not come back whole: {told}"]
    return []


# Tries everything that is on the host but not for programs; prints the first ten of each kind that it reaches.
_REACH = """
import ctypes, importlib, os, sys
sys.path += FOLDERS
def reach(kind, names, how):
    count = 0
    for name in names:
        try: how(name)
        except (OSError, ImportError): continue
        print("reached:", kind, name)
        count += 1
        if count == 10: break
def found(name):
    if importlib.util.find_spec(name) is None: raise ImportError(name)
for name in NEEDED: importlib.import_module(name)
reach("file", FILES, lambda name: open(name, "rb").read(1))
reach("sound", SOUNDS, lambda name: open(name, "rb").read(1))
reach("library", LIBRARIES, ctypes.CDLL)
reach("package", PACKAGES, found)
print("tried all")
"""
_NEEDED = ("scipy.signal", "scipy.io.wavfile", "scipy.fft", "scipy.interpolate", "scipy.stats", "zoneinfo", "sqlite3")


@dataclass(frozen=True)
class Sight:
    """What a program of the track `scratch` tried to reach, and what it reached.

    `own` counts files of this package, `sounds` the WAV files of test data.
    """

    packages: tuple[str, ...]
    own: int
    sounds: int
    libraries: tuple[str, ...]
    reached: tuple[str, ...]

    def __str__(self) -> str:
        tried = (
            f"import {len(self.packages)} packages ({_some(self.packages, 'innerear', 'onnxruntime', 'soundfile')}), "
            f"read {self.own} files of innerear and {self.sounds} sounds of test data, "
            f"load {len(self.libraries)} libraries ({_some(self.libraries, 'libflite.so.1', 'libespeak-ng.so.1')})"
        )
        if self.reached:
            return f"tried to {tried}; reached {len(self.reached)}: {_some(self.reached)}"
        return f"tried to {tried}: all refused; NumPy and SciPy are whole"


def sight(jail: Jail) -> Sight:
    """Try to reach, from inside a jail, what programs of the track `scratch` should not see.

    That is other installed packages, the files of this package, the sounds in the test data of Python, NumPy and
    SciPy, and the system's shared libraries.
    """
    from innerear.jail.start import package, runtime

    shown = runtime("scratch")
    folders = {str(_PACKAGE.parent), *(str(Path(folder).parent) for _, folder in shown.packages)}
    found = {entry.name.partition(".")[0] for folder in folders for entry in Path(folder).iterdir()}
    known = sys.stdlib_module_names | {name for name, _ in shown.packages}
    packages = sorted(name for name in found - known if name.isidentifier() and package(name))
    own = [str(path) for path in _PACKAGE.rglob("*") if path.is_file() and path.suffix != ".pyc"]
    sounds = [str(path) for folder in shown.hidden for path in Path(folder).rglob("*.wav")]
    systems = {path.parent for path in map(Path, shown.binds) if ".so" in path.name}
    libraries = sorted(
        str(path)
        for folder in systems
        for path in folder.glob("*.so*")
        if path.is_file() and path.resolve() not in {Path(bind).resolve() for bind in shown.binds}
    )
    tries = {"FOLDERS": sorted(folders), "PACKAGES": packages, "FILES": own, "SOUNDS": sounds, "LIBRARIES": libraries}
    code = "".join(f"{name} = {value!r}\n" for name, value in (tries | {"NEEDED": _NEEDED}).items())
    ran = jail.run(code + _REACH, Limits(), audited=False)
    lines = ran.log.splitlines()
    reached = [line.removeprefix("reached: ") for line in lines if line.startswith("reached: ")]
    if "tried all" not in lines:
        reached.append(f"a program that should run gave {ran.outcome} ({ran.reason})")
    names = tuple(Path(library).name for library in libraries)
    return Sight(tuple(packages), len(own), len(sounds), names, tuple(reached))


def _some(names: Iterable[str], *first: str) -> str:
    """Up to three of the names, preferring `first`."""
    names = tuple(names)
    chosen = [name for name in (*first, *names) if name in names]
    return ", ".join(dict.fromkeys(chosen[:3])) + (" …" if len(names) > 3 else "")
