"""The sounds of a run: which are missing or damaged, and running the programs that make them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from innerear.compute.work import Executor, Job, Local
from innerear.data_folders import data_setting
from innerear.errors import AudioError, JailUnavailable
from innerear.languages import LANGUAGES
from innerear.records import Program, Render, Repeat
from innerear.render.render import is_there, load, render_all, runs
from innerear.run.progress import Progress, Tally
from innerear.run.run import Run
from innerear.stats import grouped
from innerear.text import counted


def without_sound(run: Run, rows: Mapping[str, Render] | Mapping[str, Repeat]) -> set[str]:
    """The keys of the rows whose sounds are missing."""
    return {key for key, row in rows.items() if row.audio and not is_there(run.audio / f"{row.audio}.flac")}


def damaged(run: Run, rows: Sequence[Render], machines: Executor | None, progress: Progress) -> set[str]:
    """The keys of the rows whose sounds cannot be decoded."""
    tally = Tally(progress, "sounds checked", 0, len(rows))
    work = Job(partial(_reading, run.audio), forgives=(AudioError,), sees=run.folder)
    lost = (machines or Local()).map(work, rows, lambda row, _: tally.add())
    return {one.item.key for one in lost}


@contextmanager
def _reading(audio: Path) -> Iterator[Callable[[Render], None]]:
    """A function that raises AudioError if a row's sound cannot be read."""

    def read(row: Render) -> None:
        load(row, audio)

    yield read


def run_programs(
    run: Run, programs: Sequence[Program], keep: Callable[[Render], None], machines: Executor | None
) -> list[str]:
    """Run programs with the run's settings, language by language; return infrastructure failures, one line each.

    Raises:
        JailUnavailable: this machine cannot run the programs of any of their languages.
    """
    from innerear.jail import open_jail

    failures: list[str] = []
    unable: list[JailUnavailable] = []
    by_language = grouped((program.language, program) for program in programs)
    for language, mine in by_language.items():
        try:
            failures += render_all(
                mine,
                keep,
                run.audio,
                run.asked.limits,
                open_jail=partial(open_jail, run.asked.jail, run.asked.track, language),
                seed=run.asked.seed,
                data=data_setting(),
                machines=machines,
                sees=run.folder,
            )
        except JailUnavailable as error:
            unable.append(error)
            failures.append(f"{counted(sum(map(runs, mine)), f'{LANGUAGES[language].title} program')} not run: {error}")
    if unable and len(unable) == len(by_language):
        raise unable[0]
    return failures
