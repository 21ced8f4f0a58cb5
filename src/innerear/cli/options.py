"""Options that commands share, and what they are turned into: probes, an executor, a run folder with its models."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from innerear.cli.config import config_options, save_config
from innerear.errors import UsageError
from innerear.text import storable

if TYPE_CHECKING:
    from innerear.ask.models import Model
    from innerear.compute.work import Executor
    from innerear.records import Probe
    from innerear.run.run import Run, RunConfig


class RunFolder(click.ParamType):  # type: ignore[type-arg]
    """A local path, or a remote address such as s3://bucket/run."""

    name = "folder"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """Return the folder."""
        from innerear.run.folders import folder

        path = folder(value)
        if "://" not in str(value) and path.is_file():
            self.fail(f"{value} is a file, wanted a folder", param, ctx)
        return path


EMBEDDER_NAMES = "yamnet, aisfx, mel, clap-laion, clap-laion-int8, clap-laion-general, clap-laion-music-speech, vggish, vggish-torch, panns-cnn14, encodec-24khz, encodec-24khz-all, yamnet-levelled, aisfx-levelled, telltales"  # fmt: skip
"""The keys of `embed.EMBEDDERS`, which is too slow to import for a help text."""

F = TypeVar("F", bound=Callable[..., Any])


suite_option = click.option("--suite", type=click.Path(path_type=Path), metavar="SUITE", help="An edition (1, 2, or 2/core, its short form), your own JSON Lines as printed by `innerear probes show --json '*'`, or hf://datasets/OWNER/NAME.")  # fmt: skip
"""The option that names a suite; read by `suite.load`."""


def probe_options(command: F) -> F:
    """Options that select probes; read by `chosen_probes`."""
    for option in (
        suite_option,
        click.option("--limit", type=click.IntRange(1), metavar="N", help="Only N of these probes, each tier and family in proportion; always the same, and those of a smaller N are among them."),
        click.option("--levels", help="Only these difficulty levels, such as 1,2."),
        click.option("--probes", "pattern", metavar="GLOB", help="Only probes whose id matches, such as 'speech/vowel/*'."),
        click.option("--tiers", help="Only these tiers: notes, environment, speech."),
    ):  # fmt: skip
        command = option(command)
    return command


def ask_options(command: F) -> F:
    """Options for the models, how to ask them and the run folder; read by `open_run`."""
    command = config_options(command)
    for option in (
        click.option("--dry-run", is_flag=True, help="Ask nothing and write nothing: print what would be asked, and about what it would take."),
        click.option("--param", "parameters", multiple=True, metavar="NAME=VALUE", help="A sampling parameter for the model, such as temperature=0.7; repeatable."),
        click.option("--stream", is_flag=True, help="Ask for streamed replies."),
        click.option("-v", "--verbose", is_flag=True, help="Print a line per retried request."),
        click.option("--patience", type=click.FloatRange(0, min_open=True), default=1800.0, show_default=True, metavar="SECONDS", help="How long to retry a request while the server fails or hangs; a server that has never answered is given up after 20 s."),
        click.option("--concurrency", type=click.IntRange(1), default=8, show_default=True, help="Requests in flight per model."),
        click.option("--base-url", metavar="URL", help="An OpenAI-compatible server, such as vLLM, Ollama, llama.cpp or OpenRouter."),
        click.option("--max-cost", type=click.FloatRange(0, min_open=True), metavar="USD", help="Stop asking once the run has cost this much; requires a known price."),
        click.option("--attempts", type=click.IntRange(1), default=1, show_default=True, help="Completions per probe."),
        click.option("--strategy", default="direct", show_default=True, help="Prompting strategy: direct, brief, plan, few-shot:K, short:N, repair:K, listen:K, best-of:N, or python:module.attr."),
        click.option("--language", "languages", multiple=True, metavar="NAME", help="The language of the programs: python (default), csound, faust, javascript; repeatable, or separated by commas. Each is asked for separately."),
        click.option("--out", type=RunFolder(), required=True, help="The run folder, or an address such as s3://bucket/run; an existing run is resumed."),
        click.option("--model", "models", multiple=True, required=True, metavar="NAME", help="recorded/NAME, baseline/silence|noise|sine|informed|sampler|espeak-ng|flite, swap/MODEL, real, openai/NAME, anthropic/NAME, python:module.attr; repeatable."),
    ):  # fmt: skip
        command = option(command)
    return command


def jail_options(command: F) -> F:
    """Options for how programs are run."""
    for option in (
        click.option("--workers", type=click.IntRange(1), help="Programs to run in parallel; one per core by default."),
        click.option("--track", type=click.Choice(["scratch", "library"]), default="scratch", show_default=True, help="What programs may use: scratch is Python, NumPy and SciPy; library is any installed package."),
        click.option("--memory-mb", type=click.IntRange(64), default=2048, show_default=True, help="Address space per program, in MiB."),
        click.option("--wall-s", type=click.FloatRange(1), default=240.0, show_default=True, help="Wall-clock seconds per program."),
        click.option("--cpu-s", type=click.FloatRange(1), default=180.0, show_default=True, help="CPU seconds per program."),
        click.option("--jail", default="auto", show_default=True, help="How to isolate programs: auto, ns, ll, docker, podman, or off (no isolation; the report says so)."),
    ):  # fmt: skip
        command = option(command)
    return command


def on_option(command: F) -> F:
    """The option for where the work runs; read by `machines_on`."""
    return click.option("--on", metavar="MACHINES", help="Where to run the work: ray (the cluster this machine belongs to, or a new local one) or ray://HOST:PORT; by default, in threads on this machine.")(command)  # fmt: skip


def embedder_option(command: F) -> F:
    """The option that selects embedders."""
    return click.option("--embedder", "embedders", multiple=True, help=f"{EMBEDDER_NAMES}, or python:module.attr; repeatable. Default: yamnet and aisfx if available, else mel.")(command)  # fmt: skip


def _use_plugins(ctx: click.Context, param: click.Parameter, names: tuple[str, ...]) -> None:
    from innerear import plugins

    plugins.use(*names)


def plugin_option(command: F) -> F:
    """The option that names plug-ins, which are loaded before anything else happens."""
    return click.option("--plugin", multiple=True, is_eager=True, expose_value=False, callback=_use_plugins, metavar="python:MODULE.ATTR", help="Your own metric, check, embedder or strategy; repeatable, or in INNEREAR_PLUGINS. It is code and runs with your rights.")(command)  # fmt: skip


def run_argument(command: F) -> F:
    """The argument RUN, a run folder."""
    return click.argument("folder", metavar="RUN", type=RunFolder())(command)


def _split(words: str | None) -> list[str]:
    return [word.strip() for word in words.split(",") if word.strip()] if words else []


def chosen_probes(given: dict[str, Any]) -> tuple[Any, list[Any]]:
    """Return the suite and the probes that the options select."""
    from innerear import suite

    loaded = suite.load(given["suite"])
    levels = _split(given.get("levels"))
    if bad := [level for level in levels if not level.isdigit()]:
        raise UsageError(f"--levels has {bad[0]!r}; wanted whole numbers such as 1,2")
    return loaded, suite.choose(
        loaded.probes,
        _split(given.get("tiers")),
        given.get("pattern"),
        [int(level) for level in levels],
        given.get("limit"),
    )


@contextmanager
def machines_on(on: str | None, workers: int | None = None) -> Iterator[Executor]:
    """Open the executor that `--on` names, and print its remarks when it closes."""
    from innerear.compute.work import Local

    if on is None:
        yield Local(workers or 0)
        return
    from innerear.compute.ray import machines

    cluster = machines(on, workers)
    try:
        yield cluster
    finally:
        cluster.close()
        for remark in cluster.remarks:
            click.echo(f"innerear: {remark}", err=True)


@dataclass(frozen=True)
class Wanted:
    """What the options of a run ask for, checked: nothing is written yet."""

    asked: RunConfig
    probes: list[Probe]
    models: list[Model]
    folder: Path

    def open(self) -> Run:
        """Make or extend the run folder.

        Raises:
            UsageError: it cannot be made, or holds something else.
        """
        from innerear.run.create import create

        command = storable(shlex.join(["innerear", *sys.argv[1:]]))
        try:
            return create(self.folder, self.asked, self.probes, command)
        except OSError as error:
            raise UsageError(
                f"--out {self.folder} cannot be used as a run folder: {error.strerror or error}"
            ) from error


def open_run(given: dict[str, Any]) -> tuple[Run, list[Any]]:
    """Return the run folder and the models that the options name; all options are checked before anything is written."""
    from innerear.ask.generate import check_languages
    from innerear.ask.strategies import find_strategy

    wanted = read_options(given)
    run = wanted.open()
    draws = find_strategy(wanted.asked.strategy).draws
    for line in check_languages(wanted.models, wanted.asked.languages):
        click.echo(f"innerear: {line}", err=True)
    for model in wanted.models:
        if lacking := model.lacks(run.probes, run.asked.attempts * draws):
            click.echo(f"innerear: {lacking}", err=True)
    return run, wanted.models


def read_options(given: dict[str, Any]) -> Wanted:
    """Check the options of a run.

    Raises:
        UsageError: one of them is wrong.
    """
    from innerear import plugins
    from innerear.ask.generate import check_languages, check_priced
    from innerear.ask.models import Options, open_model
    from innerear.ask.models.recorded import Recorded
    from innerear.ask.strategies import find_strategy
    from innerear.cli.dotenv import read_env
    from innerear.embed import check_embedder
    from innerear.jail import TIERS
    from innerear.languages import bare, find_language, full_name
    from innerear.records import Limits
    from innerear.run.run import Run, RunConfig

    read_env(Path(".env"))
    loaded, chosen = chosen_probes(given)
    strategy = given["strategy"]
    plugins.use_named(bare(strategy), *given["embedders"])
    languages = list(dict.fromkeys(find_language(name) for names in given["languages"] for name in _split(names)))
    for name in [strategy, *(full_name(strategy, language) for language in languages if "@" not in strategy)]:
        way = find_strategy(name)
        for probe in chosen[:1]:
            way.opening(probe)
    if given["jail"] not in TIERS:
        raise UsageError(f"--jail {given['jail']!r}; wanted one of {', '.join(TIERS)}")
    for name in given["embedders"]:
        check_embedder(name)
    parameters = dict(_parameter(text) for text in given["parameters"])
    options = Options(
        base_url=given["base_url"],
        parameters=parameters,
        stream=given["stream"],
        concurrency=given["concurrency"],
        patience_s=given["patience"],
        asks=not given["dry_run"],
    )
    names = list(dict.fromkeys(given["models"]))
    models = [open_model(name, options) for name in names]
    if given["max_cost"] is not None:
        check_priced(models)
    for model in models:
        if isinstance(model, Recorded):
            model.prepare(chosen, [])
    asked = RunConfig(
        models=names,
        strategy=strategy,
        languages=languages or ["python"],
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
    check_languages(models, asked.languages)
    folder: Path = given["out"]
    try:
        known = [*names, *(Run(folder).asked.models if (folder / "run.json").exists() else [])]
    except OSError as error:
        raise UsageError(f"--out {folder} cannot be used as a run folder: {error.strerror or error}") from error
    for model in models:
        if model.after is not None and model.after not in known:
            raise UsageError(f"{model.name} needs the completions of {model.after}; add --model {model.after}")
    if given.get("save_config"):
        save_config(click.get_current_context(), given["save_config"])
    return Wanted(asked, chosen, models, folder)


def _parameter(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise UsageError(f"--param {text!r}; wanted NAME=VALUE, such as temperature=0.7")
    try:
        return name, json.loads(value)
    except json.JSONDecodeError:
        return name, value


def print_estimate(given: dict[str, Any]) -> None:
    """Print what a run would ask, and about what it would take: `--dry-run`."""
    from innerear.ask.estimate import estimate, past_completions
    from innerear.cli.rows import print_rows
    from innerear.run.run import Run
    from innerear.text import counted

    wanted = read_options(given)
    done = Run(wanted.folder).completions() if (wanted.folder / "run.json").exists() else []
    past = past_completions(sorted(path.parent for path in wanted.folder.parent.glob("*/run.json")))
    found = estimate(wanted.probes, wanted.models, wanted.asked.strategies, wanted.asked.attempts, done, past)
    families = len({probe.family for probe in wanted.probes})
    languages = wanted.asked.languages
    in_languages = f" in {', '.join(languages)}" if languages != ["python"] else ""
    click.echo(
        f"{counted(len(wanted.probes), 'probe')} of {counted(families, 'family', 'families')}, "
        f"{counted(wanted.asked.attempts, 'attempt')} each{in_languages}; nothing is asked"
    )

    def shown(value: float | None, form: str) -> str:
        return "–" if value is None else format(value, form)

    rows = [
        [
            one.model, str(one.answers), str(one.missing), shown(one.tokens_in, ",d"), shown(one.tokens_out, ",d"),
            shown(one.usd, ".4f"), shown(one.seconds, ",.0f"), one.by,
        ]
        for one in found
    ]  # fmt: skip
    print_rows(["model", "answers", "to ask", "tokens in", "tokens out", "USD", "seconds", "estimated by"], rows)
