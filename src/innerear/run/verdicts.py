"""The guard's verdicts on a run's programs, kept so that a program is parsed and checked once, not by every command."""

from __future__ import annotations

import functools
import hashlib
import platform
from importlib import resources
from pathlib import Path

import msgspec

from innerear.programs.guard import guarded
from innerear.records import Program, Track, digest
from innerear.run.parts import Writer, read_rows


class Verdict(msgspec.Struct, frozen=True, omit_defaults=True):
    """A row of `RUN/guarded`: the violation of one program, if it has one."""

    key: str
    violation: str | None = None


class Verdicts:
    """The verdicts in a folder, read when first asked for.

    A verdict's key holds the program, the track and the guard itself (`guard_stamp`): another guard judges again.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[str, Verdict] | None = None
        self._new: list[Verdict] = []

    def guarded(self, program: Program, track: Track) -> Program:
        """What `programs.guard.guarded` returns, by a kept verdict if there is one."""
        if program.code is None:
            return program
        if self._known is None:
            self._known = read_rows(self._folder, Verdict)
        key = digest("guarded", guard_stamp(), track, program)
        if key not in self._known:
            self._known[key] = Verdict(key, _guarded(program, track).violation)
            self._new.append(self._known[key])
        violation = self._known[key].violation
        return program if violation is None else msgspec.structs.replace(program, violation=violation)

    def save(self) -> None:
        """Write the new verdicts.

        Raises:
            DiskFull, UsageError: the folder cannot be written.
        """
        if self._new:
            with Writer(self._folder, Verdict, every_s=1.0) as writer:
                writer.keep(*self._new)
            self._new = []


_guarded = functools.lru_cache(maxsize=1 << 18)(guarded)


@functools.cache
def guard_stamp() -> str:
    """A digest of the source of `innerear.programs`, and of the Python whose grammar it uses."""
    files = [file for file in resources.files("innerear.programs").iterdir() if file.name.endswith(".py")]
    source = b"".join(file.read_bytes() for file in sorted(files, key=lambda file: file.name))
    return digest(platform.python_version(), hashlib.sha256(source).hexdigest())
