"""Build the image of the tiers `docker` and `podman`: an interpreter, NumPy, SciPy, msgspec and this package.

The image is one layer on top of a base image. Nothing runs during the build, so it needs no network of its own and
works for another architecture; wheels are fetched by the pip of this Python, with its settings.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from importlib import metadata
from pathlib import Path

from innerear.errors import JailUnavailable, UsageError
from innerear.jail import container
from innerear.jail.start import Runtime, package, runtime

HOST = "host"
"""The base that is this machine's own interpreter."""
_FOLDER = "opt/innerear"
_PACKAGE = Path(__file__).resolve().parents[1]
_PACKAGES = ("numpy", "scipy", "msgspec")
_LINKER = ("/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/ld.so.cache")
_ASK = "import platform, sys; print(*sys.version_info[:2], platform.machine(), *platform.libc_ver())"


def default_base() -> str:
    """The base image with the same Python as this one.

    >>> default_base().startswith("docker.io/library/python:3.")
    True
    """
    return f"docker.io/library/python:{sys.version_info.major}.{sys.version_info.minor}-slim"


def build(engine: str, base: str, tag: str, say: Callable[[str], None] = lambda line: None) -> dict[str, object]:
    """Build the image, then start it and run the self-test in it.

    Args:
        engine: `docker` or `podman`.
        base: an image with Python 3.11 or later and glibc; or `host`, which copies this interpreter, its standard
            library and the shared libraries they need, and asks no registry.
        tag: the name of the new image.
        say: called with a line about each step.

    Returns:
        What the self-test found inside: tier, kernel, versions.

    Raises:
        UsageError: the engine, the base or a wheel cannot be had.
        JailUnavailable: the image was built, but does not hold or cannot be started.
    """
    if not shutil.which(engine):
        raise UsageError(f"{engine} is not installed")
    with tempfile.TemporaryDirectory(prefix="innerear-image-") as name:
        folder = Path(name)
        root = folder / "root"
        if base == HOST:
            say("copying this machine's interpreter")
            settings = _copy_interpreter(root)
        else:
            say(f"fetching {base}, and wheels for its Python")
            settings = _fetch_wheels(engine, base, root / _FOLDER)
        _copy(_PACKAGE, root / _FOLDER / "innerear", leave_out=("__pycache__",), only=_is_code)
        _open_to_all(root)
        settings["PYTHONPATH"] = ":".join(filter(None, [f"/{_FOLDER}", settings.get("PYTHONPATH", "")]))
        lines = [f"FROM {'scratch' if base == HOST else base}", "COPY root/ /"]
        lines += [f'ENV {key}="{value}"' for key, value in settings.items()]
        (folder / "Dockerfile").write_text("\n".join([*lines, 'CMD ["python3", "-m", "innerear.jail.serve"]', ""]))
        say(f"building {tag} with {engine}")
        _run([engine, "build", "--tag", tag, str(folder)])
    say("running the self-test in it")
    return _check(engine, tag)


def _check(engine: str, tag: str) -> dict[str, object]:
    from innerear.jail import selftest

    jail = container.ContainerJail(container.command(engine, image=tag), {})
    try:
        through = selftest.leaks(jail)
        if through:
            raise JailUnavailable(f"the self-test found a hole in {tag}: {', '.join(through)}", "Please report it.")
        return dict(jail.facts["inside"])
    finally:
        jail.close()


def _copy_interpreter(root: Path) -> dict[str, str]:
    """Copy what `runtime` shows to programs, at the same paths; return the image's environment."""
    if sys.platform != "linux":
        raise UsageError("the base `host` needs Linux; leave out --base")
    found: Runtime = runtime("scratch")
    for path in (*found.binds, *filter(os.path.exists, _LINKER)):
        _copy(Path(path), root / path[1:], leave_out=found.hidden)
    for link, target in found.links:
        if not (root / link[1:]).exists():
            (root / link[1:]).symlink_to(target)
    serializer = package("msgspec")
    assert serializer is not None
    _copy(Path(serializer), root / _FOLDER / "msgspec")
    for name in _PACKAGES:
        _copy_metadata(name, root / _FOLDER)
    (root / "usr/local/bin").mkdir(parents=True, exist_ok=True)
    (root / "usr/local/bin/python3").symlink_to(found.python)
    (root / "tmp").mkdir(exist_ok=True)
    parents = dict.fromkeys(str(Path(folder).parent) for _, folder in found.packages)
    return {"PATH": "/usr/local/bin", "LD_LIBRARY_PATH": found.libraries, "PYTHONPATH": ":".join(parents)}


def _copy_metadata(name: str, folder: Path) -> None:
    """Copy the file that holds a package's version, which every render's row has."""
    for file in metadata.distribution(name).files or ():
        if file.name == "METADATA" and file.parent.name.endswith(".dist-info"):
            target = folder / file.parent.name / "METADATA"
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(str(file.locate()), target)


def _fetch_wheels(engine: str, base: str, folder: Path) -> dict[str, str]:
    """Install NumPy, SciPy and msgspec for the base's Python, in the versions that are installed here."""
    if importlib.util.find_spec("pip") is None:
        raise UsageError("this Python has no pip, which fetches the wheels: run `python -m ensurepip`")
    said = _run([*container.isolated(engine), "--entrypoint=python3", base, "-c", _ASK]).split()
    if len(said) != 5 or said[3] != "glibc":
        raise UsageError(f"{base} has no Python with glibc: it says {' '.join(said)!r}")
    major, minor, machine, _, libc = said
    if (int(major), int(minor)) < (3, 11):
        raise UsageError(f"{base} has Python {major}.{minor}, wanted 3.11 or later")
    tags = [f"manylinux_2_{n}_{machine}" for n in range(int(libc.split(".")[1]), 16, -1)]
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile"]
    command += ["--target", str(folder), "--no-deps", "--only-binary=:all:", "--implementation=cp"]
    command += [f"--python-version={major}.{minor}", *(f"--platform={tag}" for tag in tags)]
    _run([*command, *(f"{name}=={metadata.version(name)}" for name in _PACKAGES)])
    return {}


def _is_code(path: Path) -> bool:
    """Whether the server inside needs this file of the package: code, not data.

    >>> _is_code(Path("innerear/errors.py")), _is_code(Path("innerear/reference/data/words.npz"))
    (True, False)
    """
    return path.suffix == ".py"


def _copy(
    source: Path, target: Path, leave_out: Iterable[str] = (), only: Callable[[Path], bool] = lambda path: True
) -> None:
    """Copy a file or folder without what is named (whole paths, or names of folders), following links."""
    left_out = {*leave_out, "__pycache__"}
    if source.is_file():
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target)
        return
    for here, folders, files in os.walk(source):
        folders[:] = [name for name in folders if name not in left_out and str(Path(here, name)) not in left_out]
        into = target / Path(here).relative_to(source)
        into.mkdir(parents=True, exist_ok=True)
        for name in files:
            if only(Path(here, name)) and Path(here, name).exists():
                shutil.copy(Path(here, name), into / name)


def _open_to_all(root: Path) -> None:
    """Let the container's user read everything, whatever the file mode creation mask here is."""
    for here, _, files in os.walk(root):
        Path(here).chmod(0o755)
        for name in files:
            path = Path(here, name)
            if not path.is_symlink():
                path.chmod(0o755 if path.stat().st_mode & 0o111 else 0o644)


def _run(command: list[str]) -> str:
    """Run a command and return its output; a failure is one line."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if re.match(r"(?i)error", line)]
        said = lines[0] if lines else container.cause(done.stderr)
        raise UsageError(f"`{' '.join(command[:3])} …` failed: {said}")
    return done.stdout
