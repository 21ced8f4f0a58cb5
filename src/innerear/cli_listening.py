"""People listen: `innerear listen-test build|score|validate`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from innerear.errors import UsageError

FOLDER = click.Path(path_type=Path, file_okay=False)
FILE = click.Path(path_type=Path, dir_okay=False)


@click.group("listen-test")
def listen_test() -> None:
    """People listen: build a page for them, score what they answer, hold the metrics against it."""


@listen_test.command("build")
@click.argument("folders", metavar="RUN...", nargs=-1, required=True, type=FOLDER)
@click.option("--kind", type=click.Choice(["identify", "ab", "rate"]), required=True, help="What do you hear? Which of two fits the caption better? How well does it fit, how natural is it?")  # fmt: skip
@click.option("--out", type=FOLDER, required=True, help="The folder to send or serve, a new one; its key is put beside it.")  # fmt: skip
@click.option("--key", type=FILE, help="Where the key is put instead of OUT.key.json; never send it.")
@click.option("--seed", default=0, show_default=True, help="Decides who is asked what, and in which order.")
@click.option("--trials", type=click.IntRange(1), default=40, show_default=True, help="Questions for each listener, anchors not counted.")  # fmt: skip
@click.option("--anchors", type=click.IntRange(0), default=6, show_default=True, help="Hidden anchors for each listener: recordings and noise.")  # fmt: skip
@click.option("--listeners", type=click.IntRange(1, 10_000), default=24, show_default=True, help="How many different forms; more listeners begin again with the first.")  # fmt: skip
@click.option("--model", "models", multiple=True, metavar="NAME", help="Only sounds of this model; repeatable.")
@click.option("--probes", "pattern", metavar="GLOB", help="Only probes whose id matches.")
@click.option("--tiers", help="Only these tiers: notes, environment, speech.")
@click.option("--options", type=click.IntRange(2, 8), default=6, show_default=True, help="identify: captions to choose from, besides 'none of these'.")  # fmt: skip
@click.option("--free-text", is_flag=True, help="identify: listeners write what they hear, instead of choosing.")
@click.option("--least-s", type=click.FloatRange(0), default=10.0, show_default=True, help="Seconds of each sound to be heard before an answer counts, or all of it where it is shorter.")  # fmt: skip
@click.option("--headphones/--no-headphones", default=True, show_default=True, help="Begin with a headphone check (Huggins pitch).")  # fmt: skip
@click.option("--title", default="What do you hear?", show_default=True, help="What stands at the top of the page.")
@click.option("--welcome", type=FILE, help="A text that listeners read first, such as what they consent to.")
@click.option("--non-commercial", is_flag=True, help="The test is non-commercial: recordings under NC licences may be anchors.")  # fmt: skip
def build_command(folders: tuple[Path, ...], out: Path, key: Path | None, **given: Any) -> None:
    """Make a page that plays sounds of RUN to people, blind.

    One folder to send or serve; it opens from the disk, offline. Which sound is whose stands only in
    the key beside it. Real recordings are hidden among the sounds where INNEREAR_DATA names them.
    """
    from innerear.bars import bars
    from innerear.listening.build import Wanted, build
    from innerear.run import Run

    runs = [Run(folder) for folder in folders]
    data = os.environ.get("INNEREAR_DATA")
    wanted = Wanted(
        **{name: given[name] for name in ("kind", "seed", "trials", "anchors", "listeners", "models", "options")},
        **{name: given[name] for name in ("free_text", "least_s", "headphones", "title", "non_commercial")},
        welcome=_text(given["welcome"]),
        probes=_probes(runs, given["tiers"], given["pattern"]),
        data=Path(data) if data else None,
    )
    with bars() as progress:
        built = build(runs, out, wanted, key, progress)
    for line in built.warnings:
        click.echo(f"innerear: {line}", err=True)
    form = built.test.forms[0]
    click.echo(f"page: {built.page}  (send or serve the whole folder; {len(form)} questions for each listener)")
    click.echo(f"key:  {built.key}  (keep it: without it no answers can be scored, and with it the test is not blind)")


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
