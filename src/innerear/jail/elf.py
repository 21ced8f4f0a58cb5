"""Find the shared libraries that a binary needs: read ELF dynamic sections as the loader does (ld.so(8))."""

from __future__ import annotations

import os
import sysconfig
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from glob import glob
from pathlib import Path
from struct import error as NotWhole
from struct import iter_unpack, unpack_from

_LOAD, _DYNAMIC, _INTERPRETER = 1, 2, 3  # kinds of segments
_NEEDED, _STRINGS, _RPATH, _RUNPATH = 1, 5, 15, 29  # tags of the dynamic section
_CONFIGURATION = "/etc/ld.so.conf"
_USUAL = ("/lib64", "/usr/lib64", "/lib", "/usr/lib", "/usr/local/lib")


@dataclass(frozen=True)
class _Object:
    """One ELF file: its machine, its loader, the names of the libraries it needs, and its own search path."""

    machine: int
    loader: str
    needed: tuple[str, ...]
    path: tuple[str, ...]


def libraries(files: Iterable[str], first: Iterable[str] = ()) -> tuple[str, ...]:
    """All shared libraries that these files need, directly or indirectly, and the loader.

    Args:
        files: programs and extension modules; anything but 64-bit little-endian ELF needs nothing.
        first: folders to search before the system's, such as those of LD_LIBRARY_PATH.

    Returns:
        Sorted paths as the loader opens them: the folder is resolved, the file may be a link. A library that is not
        found is left out; the loader will not find it either.
    """
    system = (*first, *_system())
    found: set[str] = set()
    seen: set[tuple[str, tuple[str, ...]]] = set()
    stack: list[tuple[str, tuple[str, ...]]] = [(path, ()) for path in files]
    while stack:
        path, inherited = stack.pop()
        one = _read(path)
        if one is None or (path, inherited) in seen:
            continue
        seen.add((path, inherited))
        own = (*one.path, *inherited)
        for name in (one.loader, *one.needed):
            library = _find(name, (*own, *system), one.machine) if name else None
            if library is not None and (library, own) not in seen:
                found.add(library)
                stack.append((library, own))
    return tuple(sorted(found))


def _find(name: str, folders: Iterable[str], machine: int) -> str | None:
    """The first library of that name for that machine."""
    for path in [name] if "/" in name else (f"{folder}/{name}" for folder in folders):
        if Path(path).is_file():
            one = _read(path)
            if one is not None and one.machine == machine:
                folder, _, last = path.rpartition("/")
                return f"{os.path.realpath(folder)}/{last}"
    return None


def _system() -> list[str]:
    """The folders that the loader searches by default."""
    triplet = sysconfig.get_config_var("MULTIARCH") or f"{os.uname().machine}-linux-gnu"
    folders = [*_configured(_CONFIGURATION), f"/lib/{triplet}", f"/usr/lib/{triplet}", *_USUAL]
    return [folder for folder in dict.fromkeys(map(os.path.realpath, folders)) if Path(folder).is_dir()]


def _configured(file: str) -> Iterator[str]:
    try:
        lines = Path(file).read_text("utf-8", "replace").splitlines()
    except OSError:
        return
    for line in lines:
        word, _, rest = line.partition("#")[0].strip().partition(" ")
        if word == "include":
            for pattern in rest.split():
                for path in sorted(glob(os.path.join(os.path.dirname(file), pattern))):  # noqa: PTH118, PTH120, PTH207
                    yield from _configured(path)
        elif word.startswith("/"):
            yield word


_known: dict[str, _Object | None] = {}


def _read(path: str) -> _Object | None:
    """The parsed file; `None` if it is not ELF, or is broken."""
    if path not in _known:
        try:
            _known[path] = _parsed(path)
        except (OSError, NotWhole, ValueError, OverflowError, StopIteration):
            _known[path] = None
    return _known[path]


def _parsed(path: str) -> _Object | None:
    with Path(path).open("rb") as file:
        whole = os.fstat(file.fileno()).st_size

        def piece(start: int, size: int) -> bytes:
            return os.pread(file.fileno(), min(size, whole), start)

        head = piece(0, 64)
        if head[:6] != b"\x7fELF\x02\x01":
            return None
        (machine,), (start,), (count,) = (unpack_from(f, head, at) for f, at in (("<H", 18), ("<Q", 32), ("<H", 56)))
        segments = list(iter_unpack("<IIQQQQQQ", piece(start, 56 * count)))
        loader, entries = "", []
        for kind, _, offset, _, _, size, _, _ in segments:
            if kind == _INTERPRETER:
                loader = piece(offset, size).rstrip(b"\0").decode()
            elif kind == _DYNAMIC:
                entries = list(iter_unpack("<qQ", piece(offset, size - size % 16)))
        if not entries:
            return _Object(machine, loader, (), ())
        address = next(value for tag, value in entries if tag == _STRINGS)
        strings = next(
            piece(offset + address - start, size - (address - start))
            for kind, _, offset, start, _, size, _, _ in segments
            if kind == _LOAD and start <= address < start + size
        )

        def texts(*tags: int) -> list[str]:
            return [strings[value : strings.index(b"\0", value)].decode() for tag, value in entries if tag in tags]

        folder = os.path.dirname(path)  # noqa: PTH120
        places = [place for text in texts(_RPATH, _RUNPATH) for place in text.split(":") if place]
        places = [place.replace("${ORIGIN}", folder).replace("$ORIGIN", folder) for place in places]
        return _Object(machine, loader, tuple(texts(_NEEDED)), tuple(map(os.path.normpath, places)))
