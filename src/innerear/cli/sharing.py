"""Sharing and comparing runs: `innerear export|pack|unpack|compare|leaderboard`."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from innerear.cli.bars import bars
from innerear.cli.options import RunFolder

if TYPE_CHECKING:
    from rich.console import Console

    from innerear.sharing.compare import Comparison

FOLDER = click.Path(path_type=Path, file_okay=False)
FILE = click.Path(path_type=Path, dir_okay=False)


@click.command()
@click.argument("folders", metavar="RUN...", type=RunFolder(), nargs=-1, required=True)
@click.option(
    "--format",
    "form",
    type=click.Choice(["csv", "markdown", "latex", "json", "svg"]),
    default="csv",
    show_default=True,
    help="csv has all scores, for pandas; markdown and latex (booktabs) have the main scores, one table per tier; "
    "json and svg are for --scorecard.",
)
@click.option("--scorecard", is_flag=True, help="Export the scorecard: four questions by three tiers.")
@click.option(
    "--metric",
    "metrics",
    multiple=True,
    metavar="NAME",
    help="Only this metric, such as checks, fad or pitch; repeatable.",
)
@click.option("--tier", "tiers", multiple=True, metavar="TIER", help="Only this tier; repeatable.")
@click.option("--out", type=FILE, help="Output file; by default the table is printed.")
@click.option(
    "--inspect",
    type=FOLDER,
    metavar="FOLDER",
    help="Instead, write per-sound scores for Inspect's precomputed_scores to FOLDER/MODEL.jsonl.",
)
def export(
    folders: tuple[Path, ...],
    form: str,
    scorecard: bool,
    metrics: tuple[str, ...],
    tiers: tuple[str, ...],
    out: Path | None,
    inspect: Path | None,
) -> None:
    """Export the scores of RUN with interval, n and signature."""
    if inspect is not None:
        from innerear.cli.inspect import export_rows

        export_rows(folders, inspect)
        return
    from innerear.run.parts import write_whole

    if scorecard:
        from innerear.sharing.scorecards import export_scorecard

        if metrics or tiers:
            raise click.UsageError("--metric and --tier do not apply to --scorecard")
        text = export_scorecard(folders, form)
    elif form in ("json", "svg"):
        raise click.UsageError(f"--format {form} is for --scorecard")
    else:
        from innerear.sharing.formats import export

        text = export(folders, form, metrics, tiers)
    if out is None:
        click.echo(text.encode(), nl=False)
    else:
        write_whole(out, text.encode())
        click.echo(f"{out}")


@click.command()
@click.argument("folder", metavar="RUN", type=RunFolder())
@click.option("--out", type=FILE, required=True, help="Output file, such as mine.zip.")
@click.option(
    "--as-is",
    is_flag=True,
    help="Also pack programs that seem to contain an API key or a local path.",
)
def pack(folder: Path, out: Path, as_is: bool) -> None:
    """Pack RUN into one file to share.

    It holds rows, scores, embeddings and sounds, but no API keys or local paths.
    """
    from innerear.cli.dotenv import read_env
    from innerear.run.run import Run
    from innerear.sharing.pack import pack

    read_env(Path(".env"))  # to find its keys in what is packed
    digest = pack(Run(folder), out, as_is)
    click.echo(f"{out}  {out.stat().st_size / 1e6:.1f} MB  sha256 {digest}")


@click.command()
@click.argument("file", type=FILE)
@click.option("--out", type=FOLDER, required=True, help="A new run folder.")
def unpack(file: Path, out: Path) -> None:
    """Unpack a file made by `innerear pack` into a run folder.

    The content of FILE is not trusted, and no program in it is run. Compute its scores again with
    `innerear score RUN`, then `innerear report RUN`.
    """
    from innerear.sharing.pack import unpack

    run = unpack(file, out)
    click.echo(f"{out}  {len(run.completions())} completions; next: innerear score {out}")


@click.command()
@click.argument("folders", metavar="RUN...", type=RunFolder(), nargs=-1, required=True)
@click.option("--model", "models", multiple=True, metavar="NAME", help="Only this model; repeatable.")
@click.option(
    "--out", type=FOLDER, help="Also write a page that plays both sounds of each probe: OUT/report/index.html."
)
@click.option(
    "--most",
    type=click.IntRange(0),
    default=8,
    show_default=True,
    help="Number of improved and of worsened probes to list.",
)
def compare(folders: tuple[Path, ...], models: tuple[str, ...], out: Path | None, most: int) -> None:
    """Compare models or runs probe by probe, with significance tests.

    An entrant is a model in a run, so two runs of one model with different strategies show the effect
    of the strategy. The second entrant is compared with the first.
    """
    from innerear.sharing.compare import compare

    found = compare(folders, models)
    for line in found.differs:
        click.echo(f"innerear: {line}", err=True)
    for first, second in found.pairs:
        _print_pair(found, first, second, most)
    if out is None:
        click.echo("\nto listen side by side, add --out FOLDER")
    else:
        from innerear.sharing.compare_page import write_comparison

        click.echo(f"\npage: {write_comparison(found, out)}")


def _print_pair(found: Comparison, first: int, second: int, most: int) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from innerear.sharing.compare import p_text, signed
    from innerear.sharing.tables import figure
    from innerear.text import printable

    one, two = (printable(found.entrants[place].label) for place in (first, second))
    console = Console(width=None if sys.stdout.isatty() else max(140, int(os.environ.get("COLUMNS", "0"))))
    table = Table(
        "",
        "tier",
        one,
        two,
        "difference",
        "95 % interval",
        "p (Holm)",
        "visible",
        "probes",
        "",
        box=None,
        pad_edge=False,
    )
    for test in found.tests:
        if (test.first, test.second) == (first, second):
            values = [
                figure(v, test.unit, 1 if test.unit == "share" else 3) for v in (test.first_value, test.second_value)
            ]
            reach = f"{signed(test.low, test.unit)} to {signed(test.high, test.unit)}" if test.low is not None else "–"
            seen = signed(test.visible, test.unit).removeprefix("+")
            shown = {"none": "no significant difference", "better": "▲ better", "worse": "▼ worse"}[test.verdict]
            row = [test.metric.replace("_", " "), test.tier, *values, signed(test.difference, test.unit), reach]
            table.add_row(*map(Text, [*row, p_text(test.p_holm).removeprefix("p = "), seen, str(test.n), shown]))
    click.echo(f"\n{two} compared with {one}: {found.finding(first, second)}")
    console.print(table)
    _print_distances(found, first, second, console)
    for metric, unit in found.metrics(first, second):
        rows = found.differences(first, second, metric)
        for name, some in (("worse", [r for r in rows if r[2] < r[1]]), ("better", [r for r in rows if r[2] > r[1]])):
            if some and most:
                click.echo(f"{metric.replace('_', ' ')}, {name} in {len(some)} of {len(rows)} probes:")
            for probe, before, after in some[:most]:
                click.echo(f"  {signed(after - before, unit):>8}  {printable(probe.id)}  {printable(probe.caption)}")


def _print_distances(found: Comparison, first: int, second: int, console: Console) -> None:
    """Print FAD and KAD of both sets; pairs that must not be compared are marked."""
    from rich.table import Table
    from rich.text import Text

    from innerear.sharing.tables import decimals, figure
    from innerear.text import printable

    table = Table(
        "", "against", *(printable(found.entrants[i].label) for i in (first, second)), "", box=None, pad_edge=False
    )
    for line in found.lines:
        cells = [line.cells[place] for place in (first, second)]
        if line.metric in ("fad", "kad") and all(cell.value is not None for cell in cells):
            places = decimals([cell.value for cell in cells], line.unit)
            texts = [
                f"{figure(cell.value, line.unit, places)} "
                f"[{figure(cell.low, line.unit, places)}, {figure(cell.high, line.unit, places)}]"
                for cell in cells
            ]
            row = [
                f"{line.metric.upper()} ({line.embedder})",
                line.group,
                *texts,
                f"† {cells[0].mark}" if cells[0].mark else "",
            ]
            table.add_row(*map(Text, row))
    if table.row_count:
        console.print(table)


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option(
    "--out",
    "site",
    type=FOLDER,
    required=True,
    help="Output folder; the site works offline and on any static host.",
)
def leaderboard(folder: Path, site: Path) -> None:
    """Build a static leaderboard from the packed runs in FOLDER.

    The site has sortable tables and the report and sounds of each run (*.zip). Scores are computed
    here from the packed rows. Runs with different probes get separate tables; numbers computed in
    different ways get separate columns.
    """
    from innerear.sharing.leaderboard import leaderboard
    from innerear.text import counted

    with bars() as progress:
        built = leaderboard(folder, site, progress)
    for line in built.left_out:
        click.echo(f"innerear: {line}", err=True)
    click.echo(f"{counted(len(built.entries), 'run')}: {built.page}")
    sys.exit(1 if built.left_out else 0)
