"""How a zygote is started in each tier: a command, an environment, the paths that it may see."""

from __future__ import annotations

import functools
import importlib.util
import os
import sys
import sysconfig
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from innerear.jail.inside import view
from innerear.records import Track

Way = Literal["bwrap", "own", "ll"]
WORK_PREFIX = "innerear-jail-"
_INSIDE = Path(view.__file__).resolve().parent
_SYSTEM = ("/lib", "/lib64", "/usr/lib", "/usr/lib64")

# Makes this one folder importable under its own name, and nothing else of the package.
_BOOT = """
import sys, types
for name, path in ("innerear", []), ("innerear.jail", []), ("innerear.jail.inside", [sys.argv[1]]):
    sys.modules[name] = module = types.ModuleType(name)
    module.__path__ = path
from innerear.jail.inside import zygote
zygote.main(*sys.argv[2:])
"""


@dataclass(frozen=True)
class Start:
    """One way to start zygotes."""

    way: Way
    without: str = ""  # tests only: a layer to leave out
    track: Track = "scratch"

    @property
    def work_folders(self) -> bool:
        """Whether each program needs a folder made by the host."""
        return self.way == "ll"

    @property
    def environment(self) -> dict[str, str]:
        """All that a program finds in its environment."""
        found = runtime()
        threads = ("OPENBLAS", "OMP", "MKL", "NUMEXPR", "VECLIB_MAXIMUM")
        work = view.WORK if self.way != "ll" else tempfile.gettempdir()
        return {
            "PATH": "/usr/bin:/bin",
            "HOME": work,
            "TMPDIR": work,
            "LANG": "C.UTF-8",
            "PYTHONHASHSEED": "0",
            "PYTHONPATH": ":".join(found.packages),
            "LD_LIBRARY_PATH": found.library,
            **{f"{name}_NUM_THREADS": "1" for name in threads},
        }

    def command(self, imports: str, control: int) -> list[str]:
        """The command that starts a zygote which serves the socket `control`."""
        found = runtime()
        links = ":".join(f"{place}={target}" for place, target in found.links)
        python = [found.python, "-s", "-P", "-B", "-c", _BOOT, str(_INSIDE)]
        python += [self.way, imports, str(control), ":".join(found.binds), links, self.without]
        return [*_bubblewrap(found), *python] if self.way == "bwrap" else python


@dataclass(frozen=True)
class Runtime:
    """The interpreter that programs run with, and the paths (`binds`, and `links` to them) that it needs."""

    python: str
    packages: tuple[str, ...]
    library: str
    binds: tuple[str, ...]
    links: tuple[tuple[str, str], ...]


@functools.cache
def runtime() -> Runtime:
    """The interpreter behind this one (not its virtual environment's link), and what it needs."""
    python = os.path.realpath(getattr(sys, "_base_executable", sys.executable))
    library = os.path.realpath(sysconfig.get_config_var("LIBDIR") or Path(sys.base_prefix, "lib"))
    specs = [importlib.util.find_spec(name) for name in ("numpy", "scipy")]
    packages = [Path(spec.origin).parents[1] for spec in specs if spec and spec.origin]
    packages.append(Path(sysconfig.get_path("purelib")))
    places = tuple(dict.fromkeys(os.path.realpath(path) for path in packages))
    standard = [os.path.realpath(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib")]
    wanted = [python, library, *standard, *places, str(_INSIDE)]
    wanted += [path for path in _SYSTEM if not Path(path).is_symlink()]
    links = tuple((path, str(Path(path).readlink())) for path in _SYSTEM if Path(path).is_symlink())
    return Runtime(python, places, library, _outermost(wanted), links)


def _outermost(paths: list[str]) -> tuple[str, ...]:
    """Those that exist and lie below none of the others."""
    kept: list[str] = []
    for path in sorted({path for path in paths if Path(path).exists()}):
        if not kept or not path.startswith(kept[-1] + "/"):
            kept.append(path)
    return tuple(kept)


def _bubblewrap(runtime: Runtime) -> list[str]:
    root = os.geteuid() == 0
    command = ["bwrap", "--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts"]
    command += ["--unshare-cgroup-try", "--hostname", view.HOST_NAME]
    # As root the zygote leaves root by itself: uid 65534 of a user namespace would be root outside.
    command += ["--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"] if root else ["--unshare-user"]
    parents = {parent for path in (*runtime.binds, *view.DEVICES) for parent in Path(path).parents[:-1]}
    for parent in sorted(map(str, parents)):
        command += ["--perms", "0755", "--dir", parent]
    for path in runtime.binds:
        command += ["--ro-bind", path, path]
    for place, target in runtime.links:
        command += ["--symlink", target, place]
    for device in view.DEVICES:
        command += ["--dev-bind", device, device]
    command += ["--proc", "/proc", "--dir", view.WORK, "--remount-ro", "/", "--chdir", "/"]
    return [*command, "--new-session", "--as-pid-1", "--"]
