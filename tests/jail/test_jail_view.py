"""What a program sees: the interpreter, NumPy, SciPy and their libraries, whole; nothing else, also from a wheel."""

import importlib.util
import os
import resource
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
from jail_world import FOLDERS, PACKAGE

from innerear.errors import JailUnavailable
from innerear.jail import Jail, elf, open_jail, selftest
from innerear.jail.host import ZygoteJail
from innerear.jail.start import Start, runtime
from innerear.jail.tiers import _lacks
from innerear.records import Limits, Outcome

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="jails are Linux's")
FAST = Limits(cpu_s=20, wall_s=40)
by_way = pytest.mark.parametrize(
    "way", ["auto", *(pytest.param(way, marks=pytest.mark.slow) for way in ("bwrap", "own", "ll"))]
)


def jail_of(way: str, track: str = "scratch") -> Jail:
    if way == "auto":
        try:
            return open_jail("auto", track)  # type: ignore[arg-type]
        except JailUnavailable as error:
            pytest.skip(str(error))
    if _lacks(way)[0]:
        pytest.skip(_lacks(way)[0])
    return ZygoteJail(Start(way, track=track), {"tier": way})  # type: ignore[arg-type]


def test_the_libraries_that_are_found_are_those_that_the_loader_finds():
    if not shutil.which("ldd"):
        pytest.skip("ldd is not installed")
    modules = [*Path(sysconfig.get_path("platlib")).glob("scipy/**/*.so"), Path(sys.executable)]
    files = [str(path) for path in (modules[0], *modules[::20])]
    told = subprocess.run(["ldd", *files], capture_output=True, text=True, env={"LD_LIBRARY_PATH": runtime().libraries})
    lines = [line.split() for line in told.stdout.splitlines() if line.startswith("\t") and "/" in line]
    wanted = {os.path.realpath(words[2] if "=>" in words else words[0]) for words in lines}
    found = {os.path.realpath(path) for path in elf.libraries(files, runtime().libraries.split(":"))}
    assert found == wanted


def test_a_file_that_is_no_program_needs_no_library(tmp_path):
    for content in (b"", b"\x7fELF", b"\x7fELF\2\1" + bytes(58), b"\x7fELF\2\1" + b"\xff" * 200, b"text"):
        (tmp_path / "file").write_bytes(content)
        assert elf.libraries([str(tmp_path / "file")]) == ()
        elf._known.clear()


@by_way
def test_a_program_reaches_nothing_of_the_machine_but_python_numpy_and_scipy(way):
    jail = jail_of(way)
    seen = selftest.sight(jail)
    jail.close()
    assert seen.reached == ()
    assert "innerear" in seen.packages
    assert len(seen.packages) > 10
    assert seen.own > 100
    assert seen.sounds > 10
    assert len(seen.libraries) > 10


@pytest.mark.slow
def test_what_shows_more_is_found_out():
    seen = selftest.sight(open_jail("off", "library"))
    assert {name.partition(" ")[0] for name in seen.reached} >= {"file", "library", "package", "sound"}
    assert "reached" in str(seen)


# Every module that is not a test, imported after the zygote's own, in one child.
EVERY_MODULE = """
import importlib, pkgutil, warnings, numpy, scipy
warnings.simplefilter("ignore")
names = [m.name for p in (numpy, scipy) for m in pkgutil.walk_packages(p.__path__, p.__name__ + ".", lambda _: None)]
for name in names:
    if SKIPPED & set(name.split(".")): continue
    try: importlib.import_module(name)
    except BaseException: print("failed:", name)  # in ll, what is not there may also be refused
print("tried", len(names) > 500)
"""


@pytest.mark.slow
@pytest.mark.parametrize("way", ["auto", "ll"])
def test_every_module_of_numpy_and_scipy_that_can_be_imported_outside_can_be_in_the_jail(way):
    code = "SKIPPED = {'tests', 'conftest', 'setup', '__main__', 'f2py', 'datasets', 'distutils'}\n" + EVERY_MODULE
    jail = jail_of(way)
    inside = jail.run(code, Limits(cpu_s=60, wall_s=200))
    jail.close()
    outside = open_jail("off").run(code, Limits(cpu_s=60, wall_s=200))  # which finds no other package either
    assert inside.log == outside.log, inside.reason
    assert outside.log.endswith("tried True\n")


STANDARD = """
import bisect, bz2, codecs, ctypes, datetime, decimal, encodings.idna, fractions, hashlib, locale, lzma, readline
import secrets, sqlite3, ssl, statistics, unicodedata, uuid, xml.etree.ElementTree, zlib, zoneinfo
import numpy as np, scipy.fft, scipy.interpolate, scipy.stats, scipy.stats.qmc, scipy.special, scipy.linalg
from scipy.io import wavfile
from numpy.testing import assert_allclose
assert locale.setlocale(locale.LC_ALL, "") == "C.UTF-8" and zoneinfo.ZoneInfo and exit and help
assert len(open("/dev/urandom", "rb").read(8)) == 8 and hashlib.sha256(b"x").hexdigest() and "ß".encode("cp437")
assert scipy.stats.qmc.Sobol(3, seed=1).random(4).shape == (4, 3)
assert_allclose(scipy.linalg.svdvals(np.eye(3)), 1)
assert_allclose(scipy.interpolate.CubicSpline(range(9), np.arange(9.0) ** 2)(2.5), 6.25)
x = scipy.fft.ifft(scipy.fft.fft(np.sin(np.arange(800) / 9))).real * scipy.special.j0(0.1)
wavfile.write("output.wav", 8000, x.astype(np.float32))
"""


@by_way
def test_what_programs_use_of_python_numpy_and_scipy_is_whole(way):
    jail = jail_of(way)
    for code in (STANDARD, STANDARD.replace("numpy", "numpy").replace("scipy", "scipy")):
        ran = jail.run(code, FAST)
        assert ran.outcome is Outcome.OK, ran
    late = "m = __import__('num' + 'py'); s = __import__('sci' + 'py.signal'); print(m.__name__, s.signal.__name__)"
    assert jail.run(late, FAST).log == "numpy scipy.signal\n", "not imported by its zygote"
    jail.close()


@by_way
def test_the_track_library_shows_other_packages_and_not_this_one(way):
    jail = jail_of(way, "library")
    code = f"import soundfile, numpy, sys; print(soundfile.__name__)\nsys.path += {FOLDERS}\n"
    ran = jail.run(code + "import innerear.suite", FAST)
    assert ran.log.startswith("soundfile\n")
    assert ran.reason.startswith(("ModuleNotFoundError", "`import innerear.suite`: PermissionError")), ran
    read = jail.run(f"open({str(PACKAGE / 'suite' / 'edition-1.jsonl')!r})", FAST)
    assert read.outcome is Outcome.FORBIDDEN, read
    jail.close()


@pytest.mark.parametrize("track", ["scratch", "library"])
def test_without_a_jail_imports_keep_to_the_track(track):
    jail = open_jail("off", track)
    assert jail.run("import numpy, scipy.signal, wave; exit(7)", FAST).exit_code == 7
    for name in ("soundfile", "innerear"):
        ran = jail.run(f"import {name}", FAST)
        wanted = ("ModuleNotFoundError", Outcome.ERROR) if track == "scratch" else ("", Outcome.NO_AUDIO)
        assert (ran.reason.partition(":")[0] if ran.exit_code else "", ran.outcome) == wanted


@by_way
def test_flags_that_one_program_sets_are_not_there_for_the_next(way):
    jail = jail_of(way)
    look = "import fcntl\nprint([fcntl.fcntl(n, 3) for n in range(4)])"
    before = jail.run(look, FAST).log
    jail.run("import fcntl\nfor n in range(4): fcntl.fcntl(n, 4, fcntl.fcntl(n, 3) | 0o6000)", FAST)
    assert jail.run(look, FAST).log == before
    assert jail.run("print(repr(input()))", FAST).reason.startswith("EOFError")
    jail.close()


@by_way
def test_a_jail_opens_where_64_files_may_be_open(way):
    if way != "auto" and _lacks(way)[0]:
        pytest.skip(_lacks(way)[0])
    code = f"""
from innerear.jail import open_jail, Jail
from innerear.jail.host import ZygoteJail
from innerear.jail.start import Start
from innerear.records import Limits
jail = open_jail("auto") if {way!r} == "auto" else ZygoteJail(Start({way!r}), {{}})
for _ in range(3): print(jail.run("print(1)", Limits()).log.strip())
jail.close()
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64)),
    )
    assert done.stdout.split() == ["1"] * 3, done.stderr


def test_the_folders_of_a_jail_are_gone_when_it_is_closed(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    jail = jail_of("ll")
    jail.run("print(1)", FAST)
    assert list(tmp_path.iterdir())
    jail.close()
    assert not list(tmp_path.iterdir())


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """The Python of an environment into which the package was installed from a wheel, as users do."""
    folder = tmp_path_factory.mktemp("wheel")
    root = Path(__file__).resolve().parents[2]
    if not (root / "pyproject.toml").exists():
        pytest.skip("these are not the sources")
    folder.parent.chmod(0o755)
    python = folder / "venv" / "bin" / "python"
    pip = [str(python), "-m", "pip", "--disable-pip-version-check", "-q"]
    base = getattr(sys, "_base_executable", sys.executable)
    if uv := shutil.which("uv"):
        steps = [
            [uv, "build", "-q", "--wheel", "--out-dir", str(folder), str(root)],
            [uv, "venv", "-q", "--python", base, str(folder / "venv")],
            [uv, "pip", "install", "-q", "--python", str(python), "WHEEL[speech]", "pytest", "hypothesis"],
        ]
    else:
        steps = [
            [base, "-m", "venv", str(folder / "venv")],
            [*pip, "wheel", "--no-deps", "-w", str(folder), str(root)],
            [*pip, "install", "WHEEL[speech]", "pytest", "hypothesis"],
        ]
    for step in steps:
        built = next(map(str, folder.glob("*.whl")), "")
        done = subprocess.run(
            [word.replace("WHEEL", built) for word in step], capture_output=True, text=True, timeout=300
        )
        if done.returncode:
            pytest.skip(f"no wheel could be installed: {done.stderr.strip()[-300:]}")
    return python


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.parametrize(
    ("file", "chosen"),
    [
        ("test_jail_attacks.py", "(sight or read or usual) and not ordinary and not layer"),
        ("test_jail_view.py", "not wheel and not every_module and not shows_more"),
    ],
)
def test_a_jail_of_a_package_installed_from_a_wheel_holds(wheel, tmp_path, file, chosen):
    shutil.copytree(Path(__file__).parent, tmp_path / "jail", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers =\n  slow\n  long\n")
    command = [str(wheel), "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", f"jail/{file}", "-k", chosen]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env=environment, timeout=540)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    assert importlib.util.find_spec("innerear") is not None
    assert " passed" in done.stdout
