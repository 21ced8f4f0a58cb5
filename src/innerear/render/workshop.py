"""Render single programs while a strategy is still asking the model, with the jail, limits and rows of the run.

The rows belong to the run like any other, so these programs are not run again by the render stage.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Self

from msgspec.structs import replace

from innerear.jail.base import Jail
from innerear.languages import LANGUAGES, Language
from innerear.programs.guard import guarded
from innerear.records import Limits, Program, Render, Track
from innerear.render.render import is_there, run_in, runs, without_jail
from innerear.run.keys import render_key
from innerear.run.parts import Writer, read_rows


class Workshop:
    """A context manager that renders programs; `render` is thread-safe.

    The first jail of `language` opens at once, so that a missing one is noticed before any model is asked; jails of
    other languages open when first needed.

    Raises:
        JailUnavailable: this machine cannot isolate programs.
    """

    def __init__(
        self,
        folder: Path,
        audio: Path,
        limits: Limits,
        seed: int,
        track: Track,
        open_jail: Callable[[Language], Jail],
        workers: int,
        language: Language = "python",
    ) -> None:
        self._audio, self._limits, self._seed, self._track = audio, limits, seed, track
        self._open_jail = open_jail
        self._writer = Writer(folder, Render)
        self._lock = threading.Lock()
        self._rows: dict[str, Future[Render]] = {}
        for key, row in read_rows(folder, Render).items():
            if row.audio and not is_there(audio / f"{row.audio}.flac"):
                continue  # its sound is missing: run the program again
            self._rows[key] = Future()
            self._rows[key].set_result(row)
        self._slots = threading.BoundedSemaphore(workers)
        self._opened: list[Jail] = []
        self._free: dict[Language, list[Jail]] = {name: [] for name in LANGUAGES}
        self._free[language].append(self._open(language))

    def _open(self, language: Language) -> Jail:
        jail = self._open_jail(language)
        self._opened.append(jail)
        return jail

    def __enter__(self) -> Self:
        self._stack = contextlib.ExitStack()
        self._stack.enter_context(self._writer)
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._stack.close()
        for jail in self._opened:
            jail.close()

    def render(self, program: Program) -> Render:
        """The row of a program, which is run if it has none yet; only once, even for simultaneous callers.

        Raises:
            JailFailure: the jail itself failed.
        """
        program = guarded(program, self._track)
        key = render_key(program, self._limits, self._seed)
        with self._lock:
            is_new = key not in self._rows
            future = self._rows.setdefault(key, Future())
        if is_new:
            try:
                row = self._run(program)
                with self._lock:
                    self._writer.keep(row)
            except BaseException as error:
                with self._lock:
                    del self._rows[key]  # the next call tries again
                future.set_exception(error)
                raise
            future.set_result(row)
        row = future.result()
        # All replies without a program share a row; each keeps its own reason.
        return row if program.code is not None else replace(row, reason=program.reason)

    def _run(self, program: Program) -> Render:
        if not runs(program):
            return without_jail(program, self._audio, self._limits, self._seed, None)
        with self._slots:
            free = self._free[program.language]
            with self._lock:
                jail = free.pop() if free else None
            jail = jail or self._open(program.language)
            try:
                return run_in(jail, program, self._audio, self._limits, self._seed)
            finally:
                with self._lock:
                    free.append(jail)
