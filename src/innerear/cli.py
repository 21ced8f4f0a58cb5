"""The command line: one command a stage, and `run` for the whole. Parsing, bars and exit codes only."""

from __future__ import annotations

import json
import os
import shlex
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from innerear.bars import bars
from innerear.cli_alone import embed_folder, fad, kad
from innerear.cli_asking import anatomy, record, vary
from innerear.cli_checks import checks
from innerear.cli_folder import RunFolder
from innerear.cli_hub import pull, push
from innerear.cli_inspect import import_logs
from innerear.cli_listening import listen_test
from innerear.cli_models import clap, is_near, models
from innerear.cli_reference import reference
from innerear.cli_sharing import compare, export, leaderboard, pack, unpack
from innerear.errors import InnerEarError, JailUnavailable, UsageError

if TYPE_CHECKING:
    from innerear.run import Run
    from innerear.stages import Report
    from innerear.work import Machines

DONE, OUR_FAILURE, WRONG_USE, NOT_ISOLATED, INTERRUPTED = 0, 1, 2, 3, 130

EMBEDDER_NAMES = "yamnet, mel, clap-laion, clap-laion-int8, clap-laion-general, clap-laion-music-speech, vggish, vggish-torch, panns-cnn14"  # fmt: skip
"""The keys of `embed.EMBEDDERS`, which takes too long to import for a help text."""

F = TypeVar("F", bound=Callable[..., Any])


class _Main(click.Group):
    """Turns our errors into one line and an exit code; a bug still shows its traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except UsageError as error:
            _end(str(error), WRONG_USE)
        except JailUnavailable as error:
            _end(str(error), NOT_ISOLATED)
        except InnerEarError as error:
            _end(str(error), OUR_FAILURE)
        except KeyboardInterrupt:
            _end("interrupted; what was finished stays, and the same command goes on from there", INTERRUPTED)


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


main.add_command(fad)
main.add_command(kad)
main.add_command(anatomy)
main.add_command(record)
main.add_command(import_logs)
main.add_command(push)
main.add_command(pull)
main.add_command(models)
main.add_command(clap)
main.add_command(checks)
main.add_command(reference)
main.add_command(listen_test)
main.add_command(export)
main.add_command(compare)
main.add_command(pack)
main.add_command(unpack)
main.add_command(leaderboard)


def _probe_options(command: F) -> F:
    for option in (
        click.option("--suite", type=click.Path(path_type=Path, dir_okay=False), help="Your own suite: one probe a line, as `innerear probes show --json '*'` prints them, or hf://datasets/OWNER/NAME."),
        click.option("--levels", help="Only these levels of difficulty, such as 1,2."),
        click.option("--probes", "pattern", metavar="GLOB", help="Only probes whose id matches, such as 'speech/vowel/*'."),
        click.option("--tiers", help="Only these tiers: notes, environment, speech."),
    ):  # fmt: skip
        command = option(command)
    return command


def _ask_options(command: F) -> F:
    for option in (
        click.option("--param", "parameters", multiple=True, metavar="NAME=VALUE", help="A sampling parameter for the model, such as temperature=0.7; repeatable."),
        click.option("--stream", is_flag=True, help="Ask for streamed replies."),
        click.option("--concurrency", type=click.IntRange(1), default=8, show_default=True, help="Requests in flight at once."),
        click.option("--base-url", metavar="URL", help="An OpenAI-compatible server: vLLM, Ollama, llama.cpp, OpenRouter …"),
        click.option("--max-cost", type=click.FloatRange(0, min_open=True), metavar="USD", help="Ask nothing more once the run has cost so much; wants a known price."),
        click.option("--attempts", type=click.IntRange(1), default=1, show_default=True, help="Completions for each probe."),
        click.option("--strategy", default="direct", show_default=True, help="How to ask: direct, brief, plan, few-shot:K, repair:K, listen:K, best-of:N."),
        click.option("--out", type=RunFolder(), required=True, help="The run folder, or its address such as s3://bucket/run; an existing run is gone on with."),
        click.option("--model", "models", multiple=True, required=True, metavar="NAME", help="recorded/NAME, baseline/silence|noise|sine|informed|sampler|espeak-ng|flite, swap/MODEL, real, openai/NAME, anthropic/NAME, python:module.attr; repeatable."),
    ):  # fmt: skip
        command = option(command)
    return command


def _jail_options(command: F) -> F:
    for option in (
        click.option("--workers", type=click.IntRange(1), help="Programs at a time; one a core by default."),
        click.option("--track", type=click.Choice(["scratch", "library"]), default="scratch", show_default=True, help="What a program may use: Python, NumPy and SciPy, or anything installed."),
        click.option("--memory-mb", type=click.IntRange(64), default=2048, show_default=True, help="Address space of a program."),
        click.option("--wall-s", type=click.FloatRange(1), default=240.0, show_default=True, help="Wall clock of a program."),
        click.option("--cpu-s", type=click.FloatRange(1), default=180.0, show_default=True, help="Processor time of a program."),
        click.option("--jail", default="auto", show_default=True, help="How to isolate programs: auto, ns, ll, docker, podman, or off (run them unprotected; stamped on the report)."),
    ):  # fmt: skip
        command = option(command)
    return command


def _on_option(command: F) -> F:
    return click.option("--on", metavar="MACHINES", help="Where the work is done: ray (a cluster of this machine, or the one it belongs to) or ray://HOST:PORT; by default here.")(command)  # fmt: skip


@contextmanager
def _machines(on: str | None, workers: int | None = None) -> Iterator[Machines]:
    """Where work is done; what there is to say of it is said at the end."""
    from innerear.work import Local

    if on is None:
        yield Local(workers or 0)
        return
    from innerear.scale import machines

    found = machines(on, workers)
    try:
        yield found
    finally:
        found.close()
        for remark in found.remarks:
            click.echo(f"innerear: {remark}", err=True)


def _embedder_option(command: F) -> F:
    return click.option("--embedder", "embedders", multiple=True, help=f"{EMBEDDER_NAMES}; repeatable. By default yamnet where it can be had, else mel.")(command)  # fmt: skip


@main.command()
@_ask_options
@_probe_options
@_jail_options
@_embedder_option
@_on_option
def run(**given: Any) -> None:
    """Ask, run, measure, report: the whole way, or the rest of it.

    Everything finished stays on disk; the same command again does only what is missing. A second
    command with other models or probes adds them to the run; one with another suite, strategy or
    limits is refused.
    """
    from innerear.stages import do_report, evaluate

    opened, models = _open(given)
    with _machines(given["on"], given["workers"]) as machines, bars() as progress:
        opened, report = evaluate(opened, models, given["workers"], progress, given["max_cost"], machines)
        page = do_report(opened)
    _print_table(opened)
    _say_unanswered(opened)
    sounds = any(item.render.audio for item in opened.items())
    embedded = [name for name in opened.asked.embedders if sounds and name in opened.file.signatures]
    click.echo(f"\nembeddings by {', '.join(embedded) or 'none: there is no sound to embed'}")
    click.echo(f"report: {page}")
    _finish(report)


@main.command()
@_ask_options
@_probe_options
@_jail_options
@_embedder_option
def generate(**given: Any) -> None:
    """Ask models for programs: probes to completions."""
    from innerear.stages import do_generate

    opened, models = _open(given)
    with bars() as progress:
        report = do_generate(opened, models, progress, given["workers"], given["max_cost"])
    _finish(report)


def _run_argument(command: F) -> F:
    return click.argument("folder", metavar="RUN", type=RunFolder())(command)


@main.command()
@_run_argument
@click.option("--workers", type=click.IntRange(1), help="Programs at a time; one a core by default.")
@click.option("--twice", is_flag=True, help="Run each a second time, and say which do not give the same bits.")
@_on_option
def render(folder: Path, workers: int | None, twice: bool, on: str | None) -> None:
    """Run the programs of RUN in the jail: completions to sounds."""
    from innerear.run import Run
    from innerear.stages import do_render, do_repeat

    opened = Run(folder)
    with _machines(on, workers) as machines, bars() as progress:
        report = do_render(opened, machines, progress)
        if twice:
            report.failures += do_repeat(opened, machines, progress).failures
    for item in opened.items() if twice else []:
        if (again := opened.repeats().get(item.render.key)) and not again.same:
            click.echo(f"{item.completion.probe} by {item.completion.model} gives another sound when it runs again")
    _finish(report)


@main.command()
@click.argument("folder", metavar="FOLDER", type=RunFolder())
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Embed FOLDER as a set of audio, into this .npz.")  # fmt: skip
@click.option(
    "--embedder",
    default="yamnet",
    show_default=True,
    help=f"With --out: {EMBEDDER_NAMES}.",
)
@click.option("--skip-bad", is_flag=True, help="With --out: leave out files that cannot be read, and count them.")
@_on_option
def embed(folder: Path, out: Path | None, embedder: str, skip_bad: bool, on: str | None) -> None:
    """Embed the sounds of a run, and noise and silence as long; with --out, any folder of audio."""
    from innerear.run import Run
    from innerear.stages import choose_embedders, do_embed

    if out:
        embed_folder(folder, out, embedder, skip_bad)
        return
    opened, report = choose_embedders(Run(folder))
    with _machines(on) as machines, bars() as progress:
        report.failures += do_embed(opened, progress, machines).failures
    _finish(report)


@main.command()
@_run_argument
@click.option(
    "--dnsmos", is_flag=True, help="Also DNSMOS of what is asked for as speech: of low trust, and seconds a sound."
)
@_on_option
def measure(folder: Path, dnsmos: bool, on: str | None) -> None:
    """Measure each sound of RUN: length, loudness, and the checks of its probe."""
    from innerear.run import Run
    from innerear.stages import do_measure

    opened = Run(folder)
    with _machines(on) as machines, bars() as progress:
        report = do_measure(opened, progress, machines, ["dnsmos"] if dnsmos else [])
    _finish(report)


@main.command()
@_run_argument
@_on_option
def score(folder: Path, on: str | None) -> None:
    """Combine measurements and embeddings of RUN into scores, and print the table."""
    from innerear.run import Run
    from innerear.stages import do_score

    opened = Run(folder)
    with _machines(on) as machines, bars() as progress:
        do_score(opened, progress, machines)
    _print_table(opened)


@main.command()
@_run_argument
@click.option(
    "--every-recording",
    is_flag=True,
    help="Beside the sounds, also real recordings whose licences forbid commerce or are unknown: for yourself, not to be passed on.",
)
def report(folder: Path, every_recording: bool) -> None:
    """Write the page of RUN: report/index.html, which opens from the disk, offline.

    Where INNEREAR_DATA names the reference data, a real recording stands beside the sounds of a
    probe, with its licence and attribution.
    """
    from innerear.run import Run
    from innerear.stages import do_report

    click.echo(f"report: {do_report(Run(folder), every_recording)}")


@main.group()
def probes() -> None:
    """The probes of a suite: list, show, validate, vary, verify."""


probes.add_command(vary)


@probes.command("list")
@_probe_options
def probes_list(**given: Any) -> None:
    """One line a probe: id, level, seconds, the kinds of its checks, caption."""
    from innerear.checks import kind

    for probe in _chosen(given)[1]:
        kinds = ",".join(dict.fromkeys(kind(check) for check in probe.expect))
        click.echo(f"{probe.id:40} {probe.level}  {probe.duration_s:>6g} s  {kinds:24} {probe.caption}")


@probes.command("show")
@click.argument("pattern", metavar="GLOB")
@click.option("--suite", type=click.Path(path_type=Path, dir_okay=False), help="Your own suite.")
@click.option("--strategy", default="direct", show_default=True, help="Whose first message is shown.")
@click.option("--json", "as_json", is_flag=True, help="JSON Lines and nothing else: a suite, for --suite.")
def probes_show(pattern: str, suite: Path | None, strategy: str, as_json: bool) -> None:
    """Each probe as JSON, and the first messages that a model is sent for it."""
    import msgspec

    from innerear.strategies import find_strategy

    ask = find_strategy(strategy)
    for probe in _chosen({"suite": suite, "pattern": pattern})[1]:
        if as_json:
            click.echo(msgspec.json.encode(probe).decode())
            continue
        click.echo(msgspec.json.format(msgspec.json.encode(probe), indent=2).decode())
        for message in ask.opening(probe):
            click.echo(f"\n[{message.role}]\n{message.content}")
        click.echo()


@probes.command("validate")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def probes_validate(file: Path) -> None:
    """Check a suite of your own; each bad line is named with its field and what was expected."""
    from innerear import suite

    loaded = suite.load(file)
    click.echo(f"{file}: {len(loaded.probes)} probes, digest {loaded.digest}")


@probes.command("verify")
@click.option(
    "--jail", default="auto", show_default=True, help="How to isolate programs: auto, ns, ll, docker, podman, or off."
)
def probes_verify(jail: str) -> None:
    """Run the reference programs, written by hand, and hold each against the checks of its probe."""
    from innerear.programs.verify import verify

    bad = 0
    for verdict in verify(jail=jail):
        bad += not verdict.holds
        click.echo(verdict.line())
    sys.exit(OUR_FAILURE if bad else DONE)


@main.command()
@click.option(
    "--parity",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="FOLDER",
    help="Instead: hold the CLAP here to a checkpoint folder as on the hub, by transformers.",
)
@click.option("--embedder", default="clap-laion", show_default=True, help="With --parity: which CLAP.")
def doctor(parity: Path | None, embedder: str) -> None:
    """What works on this machine: jail, cache, embedders, models; and how to mend what does not."""
    from innerear.doctor import examine
    from innerear.dotenv import read_env

    read_env(Path(".env"))
    if parity:
        sys.exit(DONE if is_near(parity, embedder) else OUR_FAILURE)
    for finding in examine():
        mark = "*" if finding.demo else " "
        click.echo(f"{'ok ' if finding.works else 'no '}{mark} {finding.what:28} {finding.says}")
    click.echo(
        "\n* `make demo` uses it: of the jails one that is ok; weights that are not here it fetches, or does without"
    )


def _split(words: str | None) -> list[str]:
    return [word.strip() for word in words.split(",") if word.strip()] if words else []


def _chosen(given: dict[str, Any]) -> tuple[Any, list[Any]]:
    from innerear import suite

    loaded = suite.load(given["suite"])
    levels = _split(given.get("levels"))
    if bad := [level for level in levels if not level.isdigit()]:
        raise UsageError(f"--levels has {bad[0]!r}; wanted whole numbers such as 1,2")
    return loaded, suite.choose(
        loaded.probes, _split(given.get("tiers")), given.get("pattern"), [int(level) for level in levels]
    )


def _open(given: dict[str, Any]) -> tuple[Run, list[Any]]:
    """The run folder and the models of a command's options; nothing is written where one is wrong."""
    from innerear.dotenv import read_env
    from innerear.embed import EMBEDDERS
    from innerear.jail import TIERS
    from innerear.models import Options, open_model
    from innerear.records import Limits
    from innerear.run import Asked, Run, create
    from innerear.strategies import find_strategy

    read_env(Path(".env"))
    loaded, chosen = _chosen(given)
    find_strategy(given["strategy"])
    if given["jail"] not in TIERS:
        raise UsageError(f"--jail {given['jail']!r}; there are {', '.join(TIERS)}")
    if unknown := [name for name in given["embedders"] if name not in EMBEDDERS]:
        raise UsageError(f"--embedder {unknown[0]!r}; there are {', '.join(EMBEDDERS)}")
    parameters = dict(_parameter(text) for text in given["parameters"])
    options = Options(
        base_url=given["base_url"],
        parameters=parameters,
        stream=given["stream"],
        concurrency=given["concurrency"],
    )
    names = list(dict.fromkeys(given["models"]))
    models = [open_model(name, options) for name in names]
    asked = Asked(
        models=names,
        strategy=given["strategy"],
        attempts=given["attempts"],
        suite=loaded.name,
        suite_digest=loaded.digest,
        canary=loaded.canary,
        limits=Limits(given["cpu_s"], given["wall_s"], given["memory_mb"] << 20),
        jail=given["jail"],
        track=given["track"],
        embedders=list(given["embedders"]),
        base_url=given["base_url"],
        parameters=parameters,
    )
    command = shlex.join(["innerear", *sys.argv[1:]])
    folder: Path = given["out"]
    try:
        known = [*names, *(Run(folder).asked.models if (folder / "run.json").exists() else [])]
        for model in models:
            if model.after is not None and model.after not in known:
                raise UsageError(f"{model.name} wants the answers of {model.after}; give --model {model.after} too")
        return create(folder, asked, chosen, command), models
    except OSError as error:
        raise UsageError(f"--out {folder} cannot be used as a run folder: {error.strerror or error}") from error


def _parameter(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise UsageError(f"--param {text!r}; wanted NAME=VALUE, such as temperature=0.7")
    try:
        return name, json.loads(value)
    except json.JSONDecodeError:
        return name, value


def _print_table(opened: Run) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from innerear.evidence import HEADINGS, headline
    from innerear.sharing.tables import printable
    from innerear.stages import do_score

    table = Table(*HEADINGS, box=None, header_style="bold", pad_edge=False)
    for row in headline(do_score(opened)):
        table.add_row(*(Text(printable(cell)) for cell in row))
    wide = None if sys.stdout.isatty() else max(140, int(os.environ.get("COLUMNS", "0")))
    Console(width=wide).print(table)


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
    for line in lines:
        click.echo(f"innerear: {line}", err=True)
    if report.unrendered:
        raise report.unrendered
    sys.exit(OUR_FAILURE if report.failures else DONE)
