"""Logs of Inspect AI: `innerear import`."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from innerear.cli.options import RunFolder
from innerear.errors import UsageError
from innerear.text import storable


@click.command("import")
@click.argument("logs", metavar="LOG...", type=click.Path(path_type=Path, dir_okay=False), nargs=-1, required=True)
@click.option(
    "--out",
    type=RunFolder(),
    required=True,
    help="The run folder; logs are added to an existing run.",
)
def import_logs(logs: tuple[Path, ...], out: Path) -> None:
    """Import logs of Inspect AI as a run.

    LOG is a log of `inspect eval innerear/…`; its completions, renders, sounds and measurements are
    taken over. Logs of several tiers or models make one run. Then continue with innerear render, embed,
    measure, score and report, which do only what is missing.
    """
    inspect_logs = _logs()
    done = inspect_logs.import_logs(logs, out, storable(shlex.join(["innerear", *sys.argv[1:]])))
    for line in inspect_logs.summary(done.left):
        click.echo(f"innerear: {line}", err=True)
    click.echo(f"{out}  {done.completions} completions, {done.renders} renders; next: innerear embed {out}")


def export_rows(folders: Sequence[Path], out: Path) -> None:
    """Write one run's scores for Inspect: `innerear export RUN --inspect FOLDER`."""
    from innerear.run.run import Run

    if len(folders) > 1:
        raise UsageError("--inspect takes one run, as two runs may have the same model")
    for path in _logs().write_rows(Run(folders[0]), out):
        click.echo(path)


def _logs() -> Any:
    try:
        from innerear.inspect import logs
    except ModuleNotFoundError as error:
        raise UsageError(f"Inspect's logs need a package ({error.name}): pip install 'innerear[inspect]'") from error
    return logs
