"""The command line: one command a stage, and `run` for the whole. Parsing, bars and exit codes only."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from innerear.cli.bars import bars
from innerear.cli.checks import checks
from innerear.cli.distances import embed_folder, fad, kad
from innerear.cli.doctor import doctor
from innerear.cli.hub import pull, push
from innerear.cli.inspect import import_logs
from innerear.cli.listening import listen_test
from innerear.cli.options import (
    EMBEDDER_NAMES,
    RunFolder,
    ask_options,
    embedder_option,
    jail_options,
    machines_on,
    on_option,
    open_run,
    probe_options,
    run_argument,
)
from innerear.cli.probes import probes
from innerear.cli.programs import anatomy, record
from innerear.cli.reference import reference
from innerear.cli.sharing import compare, export, leaderboard, pack, unpack
from innerear.cli.weights import clap, models, weights
from innerear.errors import InnerEarError, JailUnavailable, UsageError
from innerear.text import speak_plainly

if TYPE_CHECKING:
    from innerear.run.run import Run
    from innerear.stages import Report

DONE, OUR_FAILURE, WRONG_USE, NOT_ISOLATED, INTERRUPTED = 0, 1, 2, 3, 130


class _Main(click.Group):
    """Turns our errors into one line and an exit code; a bug still shows its traceback."""

    def main(self, args: Sequence[str] | None = None, *more: Any, **how: Any) -> Any:
        """Run a command: these words, or else those of the command line, which ends the process (`threads.leave`)."""
        speak_plainly()
        if args is not None:
            return super().main(args, *more, **how)
        from innerear.compute.threads import leave

        try:
            super().main(args, *more, **how)
        except SystemExit as end:
            if isinstance(end.code, str):
                click.echo(end.code, err=True)
            code = end.code if isinstance(end.code, int) else int(end.code is not None)
            leave(code, code == INTERRUPTED)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except UsageError as error:
            _end(str(error), WRONG_USE)
        except JailUnavailable as error:
            _end(str(error), NOT_ISOLATED)
        except InnerEarError as error:
            _end(str(error), OUR_FAILURE)
        except OSError as error:
            if error.errno not in _OF_DISK:
                raise
            from innerear.run.whole import of_disk

            named = Path(error.filename) if isinstance(error.filename, str) else None
            found = of_disk(error, named.parent if named else "the place that this writes to")
            _end(str(found), WRONG_USE if isinstance(found, UsageError) else OUR_FAILURE)
        except KeyboardInterrupt:
            _end("interrupted; what was finished stays, and the same command goes on from there", INTERRUPTED)


_OF_DISK = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM}
"""Errors that say something of a disk, whoever comes upon them."""


def _end(line: str, code: int) -> None:
    click.echo(f"innerear: {line}", err=True)
    sys.exit(code)


@click.group(cls=_Main, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="innerear")
def main() -> None:
    """Can a language model that has never heard anything write a sound?

    InnerEar asks a model for programs, runs them in a jail, and measures what comes out: musical
    notes, environmental sounds, human speech.

    \b
    Try it without a key, then open the page that it names:
      innerear run --model recorded/one-shot --model baseline/noise --out runs/first

    \b
    Exit codes: 0 done; 1 done, with failures of ours; 2 wrong use; 3 this machine cannot isolate
    programs, so none ran; 130 interrupted: the same command goes on.
    """


for command in (
    *(anatomy, checks, clap, compare, doctor, export, fad, import_logs, kad, leaderboard, listen_test),
    *(pack, probes, pull, push, record, reference, unpack, weights),
):
    main.add_command(command)
main.add_command(models, "models")


@main.command()
@ask_options
@probe_options
@jail_options
@embedder_option
@on_option
def run(**given: Any) -> None:
    """Ask, run, measure, report: the whole way, or the rest of it.

    Everything finished stays on disk; the same command again does only what is missing. A second
    command with other models or probes adds them to the run; one with another suite, strategy or
    limits is refused.
    """
    from innerear.stages import do_report, evaluate

    opened, models = open_run(given)
    with machines_on(given["on"], given["workers"]) as machines, bars(models, given["verbose"]) as progress:
        opened, report = evaluate(opened, models, given["workers"], progress, given["max_cost"], machines)
        page = do_report(opened, say=report.failures.append)
    _print_table(opened)
    _say_unanswered(opened)
    click.echo(f"report: {page}")
    _finish(report)


@main.command()
@ask_options
@probe_options
@jail_options
@embedder_option
def generate(**given: Any) -> None:
    """Ask models for programs: probes to completions."""
    from innerear.stages import do_generate

    opened, models = open_run(given)
    with bars(models, given["verbose"]) as progress:
        report = do_generate(opened, models, progress, given["workers"], given["max_cost"])
    _finish(report)


@main.command()
@run_argument
@click.option("--workers", type=click.IntRange(1), help="Programs at a time; one a core by default.")
@click.option("--twice", is_flag=True, help="Run each a second time, and say which do not give the same bits.")
@on_option
def render(folder: Path, workers: int | None, twice: bool, on: str | None) -> None:
    """Run the programs of RUN in the jail: completions to sounds.

    Programs whose sounds are missing or damaged run again.
    """
    from innerear.run.run import Run
    from innerear.stages import do_render, do_repeat

    opened = Run(folder)
    with machines_on(on, workers) as machines, bars() as progress:
        report = do_render(opened, machines, progress, check=True)
        if twice:
            report.failures += do_repeat(opened, machines, progress).failures
    for item in opened.items() if twice else []:
        if (again := opened.repeats().get(item.render.key)) and not again.same:
            click.echo(f"{item.completion.probe} by {item.completion.model} gives another sound when it runs again")
    _finish(report)


@main.command()
@click.argument("folder", metavar="FOLDER", type=RunFolder())
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), help="Embed FOLDER as a set of audio, into this .npz."
)
@click.option("--embedder", default="yamnet", show_default=True, help=f"With --out: {EMBEDDER_NAMES}.")
@click.option("--skip-bad", is_flag=True, help="With --out: leave out files that cannot be read, and count them.")
@on_option
def embed(folder: Path, out: Path | None, embedder: str, skip_bad: bool, on: str | None) -> None:
    """Embed the sounds of a run, and noise and silence as long; with --out, any folder of audio."""
    from innerear.run.run import Run
    from innerear.stages import choose_embedders, do_embed

    if out:
        embed_folder(folder, out, embedder, skip_bad)
        return
    opened, report = choose_embedders(Run(folder))
    with machines_on(on) as machines, bars() as progress:
        report.add(do_embed(opened, progress, machines))
    _finish(report)


@main.command()
@run_argument
@click.option(
    "--dnsmos", is_flag=True, help="Also DNSMOS of what is asked for as speech: of low trust, and seconds a sound."
)
@click.option("--in-noise", is_flag=True, help="Also the words heard in noise, by Whisper: four times its usual cost.")
@click.option("--whisper-base", is_flag=True, help="Also the words heard by Whisper base.en, a second listener.")
@on_option
def measure(folder: Path, dnsmos: bool, in_noise: bool, whisper_base: bool, on: str | None) -> None:
    """Measure each sound of RUN: length, loudness, and the checks of its probe."""
    from innerear.run.run import Run
    from innerear.stages import do_measure

    opened = Run(folder)
    with machines_on(on) as machines, bars() as progress:
        asked = {"whisper_base_wer": whisper_base, "whisper_in_noise": in_noise, "dnsmos": dnsmos}
        report = do_measure(opened, progress, machines, [name for name, wanted in asked.items() if wanted])
    _finish(report)


@main.command()
@run_argument
@on_option
def score(folder: Path, on: str | None) -> None:
    """Combine measurements and embeddings of RUN into scores, and print the table."""
    from innerear.run.run import Run
    from innerear.scores.gaps import gaps
    from innerear.stages import do_score

    opened = Run(folder)
    said: list[str] = []
    with machines_on(on) as machines, bars() as progress:
        do_score(opened, progress, machines, said.append)
    _print_table(opened)
    for line in [*said, *gaps(opened, opened.items(), opened.measurements())]:
        click.echo(f"innerear: {line}", err=True)


@main.command()
@run_argument
@click.option(
    "--every-recording",
    is_flag=True,
    help="Beside the sounds, also real recordings whose licences forbid commerce or are unknown: "
    "for yourself, not to be passed on.",
)
def report(folder: Path, every_recording: bool) -> None:
    """Write the page of RUN: report/index.html, which opens from the disk, offline.

    Where INNEREAR_DATA names the reference data, a real recording stands beside the sounds of a
    probe, with its licence and attribution.
    """
    from innerear.run.run import Run
    from innerear.stages import Report, do_report

    found = Report()
    page = do_report(Run(folder), every_recording, found.failures.append)
    click.echo(f"report: {page}")
    _finish(found)


def _print_table(opened: Run) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from innerear.cli.table import HEADINGS, headline, heard_by
    from innerear.stages import do_score
    from innerear.text import printable

    table = Table(*HEADINGS, box=None, header_style="bold", pad_edge=False)
    scores = do_score(opened)
    for row in headline(scores):
        table.add_row(*(Text(printable(cell)) for cell in row))
    wide = None if sys.stdout.isatty() else max(140, int(os.environ.get("COLUMNS", "0")))
    Console(width=wide).print(table)
    measured = any(score.metric == "kad" and score.value is not None for score in scores)
    click.echo(f"\ndistances by {heard_by(scores)}" if measured else "\nno distances: no sound was embedded")


def _say_unanswered(opened: Run) -> None:
    """Which models' rows stand on fewer probes than the run has; an empty table says nothing by itself."""
    completions = opened.completions()
    for model in opened.asked.models:
        answered = len({completion.probe for completion in completions if completion.model == model})
        if answered < len(opened.probes):
            share = f"{answered} of the" if answered else "none of the"
            click.echo(f"innerear: {model} has answered {share} {len(opened.probes)} probes of this run", err=True)


def _finish(report: Report) -> None:
    lines: Sequence[str] = [*report.warnings, *report.failures]
    for line in dict.fromkeys(lines):  # several stages may come upon one damaged sound
        click.echo(f"innerear: {line}", err=True)
    if report.unrendered:
        raise report.unrendered
    sys.exit(OUR_FAILURE if report.failures else DONE)
