"""Logs of Inspect AI: `innerear import`."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import click

from innerear.errors import UsageError


@click.command("import")
@click.argument("logs", metavar="LOG...", type=click.Path(path_type=Path, dir_okay=False), nargs=-1, required=True)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="The run folder; an existing run is added to.",
)
def import_logs(logs: tuple[Path, ...], out: Path) -> None:
    """Make a run of Inspect's logs of `inspect eval innerear/…`: completions, renders, sounds, measurements.

    Several logs, of other tiers or models, make one run. The stages do what is missing:
    innerear render, embed, measure, score, report.
    """
    try:
        from innerear.inspect_face import logs as inspect_logs
    except ModuleNotFoundError as error:
        raise UsageError(f"logs of Inspect's need a package ({error.name}): pip install 'innerear[inspect]'") from error
    done = inspect_logs.import_logs(logs, out, shlex.join(["innerear", *sys.argv[1:]]))
    for line in inspect_logs.summary(done.left):
        click.echo(f"innerear: {line}", err=True)
    click.echo(f"{out}  {done.completions} completions, {done.renders} renders; next: innerear embed {out}")
