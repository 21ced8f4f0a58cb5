"""What works on this machine: `innerear doctor`."""

from __future__ import annotations

import sys
from pathlib import Path

import click


@click.command()
@click.option(
    "--parity",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="FOLDER",
    help="Instead: hold the CLAP or EnCodec here to a checkpoint folder as on the hub, by transformers.",
)
@click.option("--embedder", default="clap-laion", show_default=True, help="With --parity: which one.")
def doctor(parity: Path | None, embedder: str) -> None:
    """What works on this machine: jail, cache, embedders, models; and how to mend what does not."""
    from innerear.doctor import examine
    from innerear.dotenv import read_env

    read_env(Path(".env"))
    if parity:
        sys.exit(0 if _is_near(parity, embedder) else 1)
    for finding in examine():
        mark = "*" if finding.demo else " "
        click.echo(f"{'ok ' if finding.works else 'no '}{mark} {finding.what:28} {finding.says}")
    click.echo(
        "\n* `make demo` uses it: of the jails one that is ok; weights that are not here it fetches, or does without"
    )


def _is_near(folder: Path, embedder: str) -> bool:
    """Print how an embedder here differs from its checkpoint by transformers; whether it is near enough in all."""
    from innerear.embed.parity import parity

    near = True
    for found in parity(folder, embedder):
        near &= found.difference <= found.wanted
        mark = "ok  " if found.difference <= found.wanted else "no  "
        click.echo(f"{mark} {found.what:30} differs by {found.difference:.1e}, expected at most {found.wanted:.0e}")
    return near
