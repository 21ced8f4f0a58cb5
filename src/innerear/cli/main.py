"""The command line: one command per stage, and `run` for all of them. Parsing, progress bars and exit codes only."""

from __future__ import annotations

import errno
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from innerear.cli.bars import bars
from innerear.cli.checks import checks
from innerear.cli.distances import diversity, embed_folder, fad, kad, realism, wer
from innerear.cli.doctor import doctor
from innerear.cli.hub import eval_results, pull, push
from innerear.cli.inspect import import_logs
from innerear.cli.jail import jail
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
    plugin_option,
    print_estimate,
    probe_options,
    run_argument,
)
from innerear.cli.probes import probes
from innerear.cli.programs import anatomy, record
from innerear.cli.reference import reference
from innerear.cli.rows import print_rows
from innerear.cli.sharing import compare, export, leaderboard, pack, unpack
from innerear.cli.weights import clap, models, weights
from innerear.errors import InnerEarError, JailUnavailable, UsageError
from innerear.text import speak_plainly

if TYPE_CHECKING:
    from innerear.run.progress import Report
    from innerear.run.run import Run

DONE, OUR_FAILURE, WRONG_USE, NOT_ISOLATED, INTERRUPTED = 0, 1, 2, 3, 130


class _Main(click.Group):
    """Turns InnerEar's errors into one line and an exit code; a bug still shows its traceback."""

    def main(self, args: Sequence[str] | None = None, *more: Any, **how: Any) -> Any:
        """Run the command in `args`; without `args`, that of the command line, then exit (`threads.leave`)."""
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
            failure = of_disk(error, named.parent if named else "the output folder")
            _end(str(failure), WRONG_USE if isinstance(failure, UsageError) else OUR_FAILURE)
        except KeyboardInterrupt:
            _end("interrupted; finished work is kept: run the same command again to resume", INTERRUPTED)


_OF_DISK = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM}
"""Errors about a disk, wherever they are raised."""


def _end(line: str, code: int) -> None:
    click.echo(f"innerear: {line}", err=True)
    sys.exit(code)


@click.group(cls=_Main, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="innerear")
def main() -> None:
    """Can a language model that has never heard anything write a sound?

    InnerEar asks a model for programs that synthesise sounds, runs them in a jail and measures the
    audio: musical notes, environmental sounds and speech.

    \b
    Try it without an API key, then open the page it prints:
      innerear run --model recorded/one-shot --model baseline/noise --out runs/first

    \b
    Exit codes: 0 done; 1 infrastructure failures; 2 usage error; 3 this machine cannot isolate
    programs, so none ran; 130 interrupted (run the same command again to resume).
    """


for command in (
    *(anatomy, checks, clap, compare, diversity, doctor, eval_results, export, fad, import_logs, jail, kad),
    *(leaderboard, listen_test, pack, probes, pull, push, realism, record, reference, unpack, weights, wer),
):
    main.add_command(command)
main.add_command(models, "models")


@main.command()
@ask_options
@probe_options
@jail_options
@embedder_option
@plugin_option
@on_option
def run(**given: Any) -> None:
    """Run all stages: generate, render, embed, measure, score, report.

    Finished work stays on disk, and running the same command again does only what is missing. Run it
    with other models or probes to add them to the run. Another suite, strategy or limits need a new
    run folder.
    """
    from innerear import stages
    from innerear.stages import evaluate

    if given["dry_run"]:
        print_estimate(given)
        return
    opened, models = open_run(given)
    if not given["on"]:  # the nodes of a cluster may have what this machine lacks
        _check_languages(opened)
    with machines_on(given["on"], given["workers"]) as machines, bars(models, given["verbose"]) as progress:
        opened, report = evaluate(opened, models, given["workers"], progress, given["max_cost"], machines)
        page = stages.report(opened, say=report.failures.append)
    _print_table(opened)
    _print_asked(opened)
    _say_unanswered(opened)
    click.echo(f"report: {page}")
    _finish(report)


def _check_languages(opened: Run) -> None:
    """Say which languages cannot run here before a model is asked.

    Raises:
        JailUnavailable: none can.
    """
    from innerear.errors import JailUnavailable
    from innerear.jail.tiers import check_language
    from innerear.languages import LANGUAGES

    missing = {}
    for language in opened.asked.languages:
        try:
            check_language(opened.asked.jail, language)
        except JailUnavailable as error:
            missing[language] = error
    if len(missing) == len(opened.asked.languages):
        raise next(iter(missing.values()))
    for language, why in missing.items():
        title = LANGUAGES[language].title
        click.echo(f"innerear: {title} programs will not be run here: {why.missing}. {why.fix}", err=True)


@main.command()
@ask_options
@probe_options
@jail_options
@embedder_option
@plugin_option
def generate(**given: Any) -> None:
    """Ask models for programs (probes to completions)."""
    from innerear import stages

    if given["dry_run"]:
        print_estimate(given)
        return
    opened, models = open_run(given)
    with bars(models, given["verbose"]) as progress:
        report = stages.generate(opened, models, progress, given["workers"], given["max_cost"])
    _print_asked(opened)
    _finish(report)


@main.command()
@run_argument
@click.option("--workers", type=click.IntRange(1), help="Programs to run in parallel; one per core by default.")
@click.option("--twice", is_flag=True, help="Run each program twice and list those whose output differs.")
@on_option
def render(folder: Path, workers: int | None, twice: bool, on: str | None) -> None:
    """Run the programs of RUN in the jail (completions to sounds).

    A program whose sound is missing or damaged runs again.
    """
    from innerear import stages
    from innerear.run.run import Run

    opened = Run(folder)
    with machines_on(on, workers) as machines, bars() as progress:
        report = stages.render(opened, machines, progress, check=True)
        if twice:
            report.failures += stages.repeat(opened, machines, progress).failures
    for item in opened.items() if twice else []:
        if (again := opened.repeats().get(item.render.key)) and not again.same:
            click.echo(f"{item.completion.probe} by {item.completion.model} gives a different sound on its second run")
    _finish(report)


@main.command()
@click.argument("folder", metavar="FOLDER", type=RunFolder())
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Embed the audio files in FOLDER into this .npz file.",
)
@click.option("--embedder", default="yamnet", show_default=True, help=f"With --out: {EMBEDDER_NAMES}.")
@click.option("--skip-bad", is_flag=True, help="With --out: skip unreadable files and count them.")
@plugin_option
@on_option
def embed(folder: Path, out: Path | None, embedder: str, skip_bad: bool, on: str | None) -> None:
    """Embed the sounds of a run, or any folder of audio with --out.

    For a run, noise and silence of the same durations are embedded too, as floors for the distances.
    """
    from innerear import stages
    from innerear.embed.stage import choose_embedders
    from innerear.run.run import Run

    if out:
        embed_folder(folder, out, embedder, skip_bad)
        return
    opened, report = choose_embedders(Run(folder))
    with machines_on(on) as machines, bars() as progress:
        report.add(stages.embed(opened, progress, machines))
    _finish(report)


@main.command()
@run_argument
@click.option(
    "--dnsmos",
    is_flag=True,
    help="Also compute DNSMOS for speech probes (unreliable on synthetic speech; seconds per clip).",
)
@click.option("--in-noise", is_flag=True, help="Also score words recognised in noise (4x Whisper's usual cost).")
@click.option("--whisper-base", is_flag=True, help="Also score the words with Whisper base.en, a second recogniser.")
@plugin_option
@on_option
def measure(folder: Path, dnsmos: bool, in_noise: bool, whisper_base: bool, on: str | None) -> None:
    """Measure each sound in RUN: duration, loudness and the checks of its probe."""
    from innerear import stages
    from innerear.run.run import Run

    opened = Run(folder)
    with machines_on(on) as machines, bars() as progress:
        asked = {"whisper_base_wer": whisper_base, "whisper_in_noise": in_noise, "dnsmos": dnsmos}
        report = stages.measure(opened, progress, machines, [name for name, wanted in asked.items() if wanted])
    _finish(report)


@main.command()
@run_argument
@plugin_option
@on_option
def score(folder: Path, on: str | None) -> None:
    """Compute scores from RUN's measurements and embeddings and print them."""
    from innerear import stages
    from innerear.metrics.measure import paired
    from innerear.run.run import Run
    from innerear.scores.gaps import gaps

    opened = Run(folder)
    warnings: list[str] = []
    with machines_on(on) as machines, bars() as progress:
        stages.score(opened, progress, machines, warnings.append)
    _print_table(opened)
    for line in [*warnings, *gaps(opened, paired(opened.measurements(), opened.items()))]:
        click.echo(f"innerear: {line}", err=True)


@main.command()
@run_argument
@click.option(
    "--every-recording",
    is_flag=True,
    help="Include real recordings under non-commercial or unknown licences; do not pass such a report on.",
)
@plugin_option
def report(folder: Path, every_recording: bool) -> None:
    """Write the report of RUN as HTML.

    The page is RUN/report/index.html and works offline. If INNEREAR_DATA names the reference data,
    each probe also has a real recording to compare with, with its licence and attribution.
    """
    from innerear import stages
    from innerear.run.progress import Report
    from innerear.run.run import Run

    result = Report()
    page = stages.report(Run(folder), every_recording, result.failures.append)
    click.echo(f"report: {page}")
    _finish(result)


def _print_table(opened: Run) -> None:
    from innerear import stages
    from innerear.cli.scorecard import print_scorecard
    from innerear.cli.table import HEADINGS, headline, said_of_distances

    scores = stages.score(opened)
    print_rows(HEADINGS, headline(scores))
    click.echo(f"\n{said_of_distances(scores)}")
    print_scorecard(scores)


def _print_asked(opened: Run) -> None:
    """Print what asking took, if any model has tokens, a cost or retries."""
    from innerear.cli.table import ASKED, asked

    if rows := asked(opened.completions()):
        click.echo()
        print_rows(ASKED, rows)


def _say_unanswered(opened: Run) -> None:
    """Print which models have not answered all probes; the table itself does not show it."""
    completions = opened.completions()
    for model in opened.asked.models:
        answered = len({completion.probe for completion in completions if completion.model == model})
        if answered < len(opened.probes):
            share = f"{answered} of the" if answered else "none of the"
            click.echo(f"innerear: {model} has answered {share} {len(opened.probes)} probes of this run", err=True)


def _finish(report: Report) -> None:
    lines: Sequence[str] = [*report.warnings, *report.failures]
    for line in dict.fromkeys(lines):  # several stages may report the same damaged sound
        click.echo(f"innerear: {line}", err=True)
    if report.unrendered:
        raise report.unrendered
    sys.exit(OUR_FAILURE if report.failures else DONE)
