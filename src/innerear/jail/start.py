"""How a zygote is started in each tier: its command, its environment, and a letter with its code and arguments."""

from __future__ import annotations

import functools
import importlib.util
import marshal
import os
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from innerear.jail import elf
from innerear.jail.inside import view
from innerear.jail.tools import tool
from innerear.languages import Language
from innerear.records import Track

Way = Literal["bwrap", "own", "ll"]
WORK_PREFIX = "innerear-jail-"
_INSIDE = Path(view.__file__).resolve().parent
_SYSTEM = ("/lib", "/lib64", "/usr/lib", "/usr/lib64")
_LOCALES = ("/usr/lib/locale/C.utf8", "/usr/lib/locale/C.UTF-8")  # of LANG below, if the C library keeps it in files

_LIBRARY = ("numpy", "scipy")
# Test data contains sounds; packages are allowed by name.
_NOT_SHOWN = {"test", "tests", "idle_test", "site-packages", "dist-packages"}
# Extension modules whose libraries are not needed here: a window system, a network directory.
_NOT_FOLLOWED = ("_tkinter.", "nis.")

# Imports the zygote's modules from the letter: no file of this package is visible inside.
_BOOT = """
import marshal, os, sys
from importlib.machinery import ModuleSpec
modules, arguments = marshal.loads(os.pread(0, os.fstat(0).st_size, 0))
class Letter:
    def find_spec(name, path=None, target=None):
        return ModuleSpec(name, Letter, is_package=name.count(".") < 3) if name in modules else None
    def create_module(spec): return None
    def exec_module(module): exec(modules.pop(module.__name__), module.__dict__)
sys.meta_path.insert(0, Letter)
from innerear.jail.inside import zygote
sys.meta_path.remove(Letter)
del modules, Letter
zygote.main(*arguments)
"""


@dataclass(frozen=True)
class Start:
    """One way to start zygotes."""

    way: Way
    without: str = ""  # tests only: a layer to leave out
    track: Track = "scratch"
    language: Language = "python"

    @property
    def work_folders(self) -> bool:
        """Whether the host must make a work folder for each program."""
        return self.way == "ll"

    @property
    def environment(self) -> dict[str, str]:
        """A program's environment variables."""
        found = runtime(self.track, self.language)
        threads = ("OPENBLAS", "OMP", "MKL", "NUMEXPR", "VECLIB_MAXIMUM")
        work = view.WORK if self.way != "ll" else tempfile.gettempdir()
        return {
            "PATH": "/usr/bin:/bin",
            "HOME": work,
            "TMPDIR": work,
            "LANG": "C.UTF-8",
            "PYTHONHASHSEED": "0",
            **({"PYTHONPATH": ":".join(found.path)} if found.path else {}),
            "LD_LIBRARY_PATH": found.libraries,
            **{f"{name}_NUM_THREADS": "1" for name in threads},
        }

    def command(self) -> list[str]:
        """The command that starts a zygote; its stdin is the letter."""
        found = runtime(self.track, self.language)
        # `scratch` runs without `site`: no package folders on the path, and none of their start-up code.
        python = [
            found.python,
            "-s",
            "-P",
            "-B",
            *(["-S"] if self.track == "scratch" or self.language != "python" else []),
            "-c",
            _BOOT,
        ]
        return [*_bubblewrap(found), *python] if self.way == "bwrap" else python

    def letter(self, imports: str, control: int, work: str) -> bytes:
        """What a zygote reads first: its modules, and the arguments of `zygote.main`.

        Args:
            imports: the import set, a key of `zygote.IMPORTS`.
            control: the descriptor of the socket that it serves.
            work: the host's folder for work folders, or empty.
        """
        found = runtime(self.track, self.language)
        ran: tuple[Any, ...] = () if self.language == "python" else tuple(tool(self.language))
        folders = tool(self.language).files if ran else _folders(found.binds)
        sight = (found.binds, found.links, found.hidden, folders, found.packages)
        reads = readable(self.track, self.language) if self.way == "ll" else ()
        return marshal.dumps((_worker(), (self.way, imports, control, *sight, reads, work, self.without, ran)))


@functools.cache
def _worker() -> dict[str, object]:
    """The modules that run inside, compiled; the interpreter inside is the same as this one."""
    modules: dict[str, object] = {name: compile("", name, "exec") for name in ("innerear", "innerear.jail")}
    for path in sorted(_INSIDE.glob("*.py")):
        name = "innerear.jail.inside" + ("" if path.stem == "__init__" else f".{path.stem}")
        modules[name] = compile(path.read_bytes(), f"inside/{path.name}", "exec", dont_inherit=True)
    return modules


@dataclass(frozen=True)
class Runtime:
    """The interpreter that programs run with, and the files they can see.

    `binds` are the files and folders that it needs, `hidden` the folders inside them that are not shown, `links` the
    symbolic links to them. Besides the standard library, a program may import `packages` by name and anything in the
    folders of `path`.
    """

    python: str
    libraries: str
    packages: tuple[tuple[str, str], ...]
    path: tuple[str, ...]
    binds: tuple[str, ...]
    hidden: tuple[str, ...]
    links: tuple[tuple[str, str], ...]


@functools.cache
def runtime(track: Track = "scratch", language: Language = "python") -> Runtime:
    """The base interpreter (not a virtual environment's link to it), and what it needs.

    In `scratch` that is the standard library, NumPy, SciPy and the shared libraries they need, without test data and
    other packages; in `library`, everything that is installed. Neither shows this package. For another language, the
    interpreter has only the standard library, and there is what the language's tools need.
    """
    python = os.path.realpath(getattr(sys, "_base_executable", sys.executable))
    library = os.path.realpath(sysconfig.get_config_var("LIBDIR") or Path(sys.base_prefix, "lib"))
    base = {"base": sys.base_prefix, "platbase": sys.base_exec_prefix}  # not those of a virtual environment
    standard = [os.path.realpath(sysconfig.get_path(name, vars=base)) for name in ("stdlib", "platstdlib")]
    packages = tuple((name, str(folder)) for name in _LIBRARY if language == "python" and (folder := package(name)))
    links = tuple((path, str(Path(path).readlink())) for path in _SYSTEM if Path(path).is_symlink())
    if track == "library" and language == "python":
        parents = [os.path.dirname(folder) for _, folder in packages]  # noqa: PTH120
        path = tuple(dict.fromkeys([*parents, os.path.realpath(sysconfig.get_path("purelib"))]))
        system = [folder for folder in _SYSTEM if not Path(folder).is_symlink()]
        binds = _outermost([python, library, *standard, *path, *system])
        return Runtime(python, library, (), path, binds, _below([str(_INSIDE.parents[1])], binds), links)
    folders = _outermost([*standard, *(folder for _, folder in packages)])
    modules: list[str] = [python]
    hidden: list[str] = []
    for module, is_hidden in (found for folder in folders for found in _walk(folder)):
        (hidden if is_hidden else modules).append(module)
    libraries = elf.libraries(modules, [library])
    more = [*tool(language).executables, *tool(language).files] if language != "python" else []
    binds = _outermost([python, *folders, *libraries, *_LOCALES, *more])
    searched = dict.fromkeys([library, *map(os.path.dirname, _below(list(libraries), ("/",)))])
    searched = {folder: None for folder in searched if not folder.endswith(".libs")}  # found by $ORIGIN
    return Runtime(python, ":".join(searched), packages, (), binds, _below(hidden, binds), links)


def package(name: str) -> str | None:
    """The resolved folder of an installed package; `None` if it is not installed."""
    spec = importlib.util.find_spec(name)
    return os.path.realpath(Path(spec.origin).parent) if spec and spec.origin else None


def _walk(folder: str) -> Iterator[tuple[str, bool]]:
    """Yield a folder's extension modules (`False`), and the outermost folders in it that are not shown (`True`)."""
    for here, folders, files in os.walk(folder):
        for name in sorted(_NOT_SHOWN & set(folders)):
            yield f"{here}/{name}", True
        folders[:] = [name for name in folders if name not in _NOT_SHOWN and name != "__pycache__"]
        for name in files:
            if ".so" in name and not name.startswith(_NOT_FOLLOWED):
                yield f"{here}/{name}", False


@functools.cache
def readable(track: Track, language: Language = "python") -> tuple[tuple[str, bool], ...]:
    """In `ll`: the paths whose contents may be read (`True`), or only listed (`False`).

    Landlock can only allow, so a folder with hidden parts is expanded into what remains.
    """
    found = runtime(track, language)
    parents = {str(parent) for path in found.hidden for parent in Path(path).parents}

    def expanded(path: str) -> Iterator[tuple[str, bool]]:
        if path not in parents:
            yield path, True
            return
        for entry in os.scandir(path):
            if entry.path not in found.hidden:
                yield from expanded(entry.path)

    listed = [(path, False) for path in found.binds if path in parents]
    listed += [(path, False) for path in (tool(language).listed if language != "python" else ())]
    return (*listed, *(one for path in found.binds for one in expanded(path)))


def _folders(binds: tuple[str, ...]) -> tuple[str, ...]:
    """The outermost folders that contain the binds: a program may read what the view shows of them."""
    return _outermost([path if Path(path).is_dir() else os.path.dirname(path) for path in binds])  # noqa: PTH120


def _below(paths: list[str], folders: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted(path for path in paths if path.startswith(tuple(f"{f.rstrip('/')}/" for f in folders))))


def _outermost(paths: list[str]) -> tuple[str, ...]:
    """The paths that exist and are not inside any of the others."""
    kept: list[str] = []
    for path in sorted({path for path in paths if Path(path).exists()}, key=lambda path: path.split("/")):
        if not kept or not path.startswith(kept[-1] + "/"):
            kept.append(path)
    return tuple(kept)


def _bubblewrap(runtime: Runtime) -> list[str]:
    root = os.geteuid() == 0
    command = ["bwrap", "--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts"]
    command += ["--unshare-cgroup-try", "--hostname", view.HOST_NAME]
    # As root, the zygote itself drops to another user: uid 65534 of a user namespace would be root outside.
    command += ["--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"] if root else ["--unshare-user"]
    parents = {parent for path in (*runtime.binds, *view.DEVICES) for parent in Path(path).parents[:-1]}
    for parent in sorted(map(str, parents)):
        command += ["--perms", "0755", "--dir", parent]
    for path in runtime.binds:
        command += ["--ro-bind", os.path.realpath(path), path]
    for link, target in runtime.links:
        command += ["--symlink", target, link]
    for device in view.DEVICES:
        command += ["--dev-bind", device, device]
    command += ["--proc", "/proc", "--dir", view.WORK, "--remount-ro", "/", "--chdir", "/"]
    return [*command, "--new-session", "--as-pid-1", "--"]
