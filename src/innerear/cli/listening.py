"""Listening tests: `innerear listen-test build|score|validate`."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from innerear.data_folders import data_setting
from innerear.errors import UsageError

if TYPE_CHECKING:
    from innerear.listening.files import Key
    from innerear.listening.results import Results
    from innerear.records import Score
    from innerear.report.validations import Validation

F = TypeVar("F", bound=Callable[..., Any])

FOLDER = click.Path(path_type=Path, file_okay=False)
FILE = click.Path(path_type=Path, dir_okay=False)


@click.group("listen-test")
def listen_test() -> None:
    """Run a listening test: build its page, score answers, validate metrics."""


@listen_test.command("build")
@click.argument("folders", metavar="RUN...", nargs=-1, required=True, type=FOLDER)
@click.option("--kind", type=click.Choice(["identify", "ab", "rate"]), required=True, help="identify: what do you hear? ab: which of two fits the caption better? rate: how well does it fit, how natural is it?")  # fmt: skip
@click.option("--out", type=FOLDER, required=True, help="A new folder to send or serve; the key is written next to it.")  # fmt: skip
@click.option("--key", type=FILE, help="Where to write the key instead of OUT.key.json; never send it.")
@click.option("--seed", default=0, show_default=True, help="Random seed for the questions and their order.")
@click.option("--trials", type=click.IntRange(1), default=40, show_default=True, help="Questions per listener, not counting hidden references and anchors.")  # fmt: skip
@click.option("--anchors", type=click.IntRange(0), default=6, show_default=True, help="Hidden references (recordings) and anchors (noise) per listener.")  # fmt: skip
@click.option("--listeners", type=click.IntRange(1, 10_000), default=24, show_default=True, help="Number of different forms; further listeners start again with the first.")  # fmt: skip
@click.option("--model", "models", multiple=True, metavar="NAME", help="Only sounds of this model; repeatable.")
@click.option("--probes", "pattern", metavar="GLOB", help="Only probes whose id matches.")
@click.option("--tiers", help="Only these tiers: notes, environment, speech.")
@click.option("--options", type=click.IntRange(2, 8), default=6, show_default=True, help="identify: captions to choose from, besides 'none of these'.")  # fmt: skip
@click.option("--free-text", is_flag=True, help="identify: listeners write what they hear instead of choosing.")
@click.option("--least-s", type=click.FloatRange(0), default=10.0, show_default=True, help="Seconds of a sound to play before an answer counts, or the whole of a shorter sound.")  # fmt: skip
@click.option("--headphones/--no-headphones", default=True, show_default=True, help="Start with a headphone check (Huggins pitch).")  # fmt: skip
@click.option("--title", default="What do you hear?", show_default=True, help="The heading of the page.")
@click.option("--welcome", type=FILE, help="A text file that listeners read first, such as a consent form.")
@click.option("--non-commercial", is_flag=True, help="The test is non-commercial, so recordings under NC licences may be used.")  # fmt: skip
def build_command(folders: tuple[Path, ...], out: Path, key: Path | None, **given: Any) -> None:
    """Build a page for a blind listening test with the sounds of RUN.

    The page is one folder to send or serve, and works offline. Which model made which sound is only in
    the key, next to the folder. If INNEREAR_DATA names the reference data, real recordings are mixed in
    as hidden references.
    """
    from innerear.cli.bars import bars
    from innerear.listening.build import Wanted, build
    from innerear.run.run import Run

    runs = [Run(folder) for folder in folders]
    wanted = Wanted(
        **{name: given[name] for name in ("kind", "seed", "trials", "anchors", "listeners", "models", "options")},
        **{name: given[name] for name in ("free_text", "least_s", "headphones", "title", "non_commercial")},
        welcome=_text(given["welcome"]),
        probes=_probes(runs, given["tiers"], given["pattern"]),
        data=data_setting(),
    )
    with bars() as progress:
        built = build(runs, out, wanted, key, progress)
    for line in built.warnings:
        click.echo(f"innerear: {line}", err=True)
    form, plays = built.test.forms[0], sum(map(len, built.test.forms)) / len(built.test.trials)
    if plays < 2:
        click.echo(
            f"innerear: with {wanted.listeners} listeners each sound is heard {plays:.1f} times; to measure how far listeners agree, use fewer --probes, or more --trials or --listeners",
            err=True,
        )
    click.echo(f"page: {built.page}  (send or serve the whole folder; {len(form)} questions per listener)")
    click.echo(f"key:  {built.key}  (keep it secret: it is needed to score answers, and with it the test is not blind)")


def _answers(command: F) -> F:
    for option in (
        click.option(
            "--coding",
            type=FILE,
            help="CSV of written answers marked 1 or 0, filled in from the table that `score` writes.",
        ),
        click.option(
            "--key", "key_file", type=FILE, required=True, help="The key that `build` wrote next to the page."
        ),
    ):
        command = option(command)
    return command


@listen_test.command("score")
@click.argument("files", metavar="ANSWERS...", nargs=-1, required=True, type=click.Path(path_type=Path))
@_answers
@click.option("--out", type=FILE, help="JSON file for the scores; by default KEY.scores.json next to the key.")
def score_command(files: tuple[Path, ...], key_file: Path, coding: Path | None, out: Path | None) -> None:
    """Score ANSWERS: files that listeners sent back, or folders of them.

    Prints the results with 95 % intervals over listeners and sounds, the agreement between listeners,
    and whose answers are excluded and why. Exit code 1 if a file was refused.
    """
    from innerear.listening.coding import write_coding
    from innerear.listening.files import read_key
    from innerear.run.parts import to_json, write_whole

    results = _results(files, key_file, coding, read_key(key_file))
    stem = key_file.name.removesuffix(".json").removesuffix(".key")
    out = out or key_file.with_name(f"{stem}.scores.json")
    write_whole(out, to_json(results, indent=1))
    _print_results(results)
    click.echo(f"scores: {out}")
    if results.uncoded:
        table = out.with_name(f"{stem}.coding.csv")
        if table == coding:
            click.echo(f"innerear: {len(results.uncoded)} written answers have no mark in {coding}", err=True)
        else:
            write_coding(table, results.uncoded)
            click.echo(
                f"{len(results.uncoded)} written answers need marking by hand: fill in {table}, then add --coding {table}"
            )
    sys.exit(1 if results.refused else 0)


@listen_test.command("validate")
@click.argument("folder", metavar="RUN", type=FOLDER)
@click.argument("files", metavar="ANSWERS...", nargs=-1, required=True, type=click.Path(path_type=Path))
@_answers
def validate_command(folder: Path, files: tuple[Path, ...], key_file: Path, coding: Path | None) -> None:
    """Correlate the metrics of RUN with listeners' answers.

    Spearman rank correlation over sounds, with 95 % intervals over listeners and probes; added to the
    report. Exit code 1 if a file of ANSWERS was refused.
    """
    from innerear import stages
    from innerear.listening.answers import read_answers
    from innerear.listening.coding import read_coding
    from innerear.listening.files import read_key
    from innerear.listening.validate import validate
    from innerear.run.run import Run

    key, run = read_key(key_file), Run(folder)
    answers, refused = read_answers(files, key)
    found = validate(run, answers, refused, key, read_coding(coding) if coding else None)
    for file in refused:
        click.echo(f"refused: {file.file}: {file.reason}")
    for line in found.left_out:
        click.echo(f"left out: {line}")
    _print_correlations(found)
    for best in found.best:
        rivals = f"; not significantly different: {', '.join(best.rivals)}" if best.rivals else ""
        click.echo(f"{best.tier}, {best.measure}: {best.metric or 'no metric correlates significantly'}{rivals}")
    click.echo(f"report: {stages.report(run)}#/people")
    sys.exit(1 if refused else 0)


def _print_correlations(found: Validation) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(
        "metric", "compared with", "tier", "Spearman", "95 %", "sounds", box=None, header_style="bold", pad_edge=False
    )
    rows = [row for row in found.correlations if not row.model and row.value is not None]
    for row in sorted(rows, key=lambda row: (row.group, row.tier, -abs(row.value or 0))):
        reach = f"{_number(row, row.low)} to {_number(row, row.high)}"
        table.add_row(row.metric, row.group, row.tier, _number(row, row.value), reach, str(row.n))
    Console(width=None if sys.stdout.isatty() else 120).print(table)


def _results(files: tuple[Path, ...], key_file: Path, coding: Path | None, key: Key) -> Results:
    from innerear.listening.answers import read_answers
    from innerear.listening.coding import read_coding
    from innerear.listening.score import score_answers

    answers, refused = read_answers(files, key)
    return score_answers(answers, refused, key, read_coding(coding) if coding else None)


def _print_results(results: Results) -> None:
    """Print who answered, then the table of scores."""
    from rich.console import Console
    from rich.table import Table

    from innerear.records import ALL

    for file in results.refused:
        click.echo(f"refused: {file.file}: {file.reason}")
    used = [one for one in results.listeners if not one.out]
    click.echo(f"{len(used)} listeners, {sum(one.answers for one in used)} answers")
    click.echo(results.rule)
    if results.guessers is not None:
        click.echo(f"(a listener who guesses passes this rule with probability {results.guessers:.2g})")
    for one in results.listeners:
        if one.out:
            click.echo(f"left out: listener {one.listener} ({one.session[:8]}): {one.out}")
    every = {(s.metric, s.model, s.strategy, s.tier, s.group): s for s in results.everyone}
    heads = ["", "model", "tier", "value", "95 %", "answers", "no sound", "floor", "ceiling", "incl. excluded"]
    table = Table(*heads, box=None, header_style="bold", pad_edge=False)
    for s in results.scores:
        if s.group != ALL and s.metric != "alpha":
            continue
        other = every.get((s.metric, s.model, s.strategy, s.tier, s.group))
        table.add_row(
            f"alpha of {s.group}" if s.metric == "alpha" else s.metric,
            s.model, s.tier, _number(s, s.value), f"{_number(s, s.low)} to {_number(s, s.high)}",
            str(s.n), str(s.missing) if s.metric != "alpha" else "",
            ", ".join(f"{name} {_number(s, value)}" for name, value in s.floor.items()),
            ", ".join(f"{name} {_number(s, value)}" for name, value in s.ceiling.items()),
            _number(other, other.value) if other else "",
        )  # fmt: skip
    wide = None if sys.stdout.isatty() else max(160, int(os.environ.get("COLUMNS", "0")))
    Console(width=wide).print(table)


def _number(score: Score, value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:.0%}" if score.unit == "share" else f"{value:.2f}"


def _text(path: Path | None) -> str:
    if path is None:
        return ""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"--welcome {path} cannot be read: {error}; wanted a text in UTF-8") from error


def _probes(runs: list[Any], tiers: str | None, pattern: str | None) -> list[str] | None:
    from innerear import suite

    if tiers is None and pattern is None:
        return None
    every = {probe.id: probe for run in runs for probe in run.probes}
    named = [word.strip() for word in tiers.split(",")] if tiers else []
    return [probe.id for probe in suite.choose(list(every.values()), named, pattern)]
