"""The probes of a suite: `innerear probes list|show|stats|validate|vary|verify`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from innerear.cli.options import RunFolder, chosen_probes, probe_options, suite_option
from innerear.cli.programs import vary
from innerear.languages import LANGUAGES, Language


@click.group()
def probes() -> None:
    """List, show, validate, vary or verify the probes of a suite; measure how hard they are."""


probes.add_command(vary)


@probes.command("list")
@probe_options
def probes_list(**given: Any) -> None:
    """List the probes, one per line: id, level, seconds, checks, caption."""
    from innerear.checks import kind

    for probe in chosen_probes(given)[1]:
        kinds = ",".join(dict.fromkeys(kind(check) for check in probe.expect))
        click.echo(f"{probe.id:40} {probe.level}  {probe.duration_s:>6g} s  {kinds:24} {probe.caption}")


@probes.command("show")
@click.argument("pattern", metavar="GLOB")
@suite_option
@click.option("--strategy", default="direct", show_default=True, help="The strategy whose first messages are shown.")
@click.option("--json", "as_json", is_flag=True, help="Print only the probes, as JSON Lines that --suite accepts.")
def probes_show(pattern: str, suite: Path | None, strategy: str, as_json: bool) -> None:
    """Show probes as JSON, with the first messages sent to a model."""
    from innerear.ask.strategies import find_strategy
    from innerear.run.parts import to_json

    ask = find_strategy(strategy)
    for probe in chosen_probes({"suite": suite, "pattern": pattern})[1]:
        if as_json:
            click.echo(to_json(probe))
            continue
        click.echo(to_json(probe, indent=2))
        for message in ask.opening(probe):
            click.echo(f"\n[{message.role}]\n{message.content}")
        click.echo()


@probes.command("validate")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def probes_validate(file: Path) -> None:
    """Check a suite of your own; errors name the line, the field and what was expected."""
    from innerear import suite

    loaded = suite.load(file)
    click.echo(f"{file}: {len(loaded.probes)} probes, digest {loaded.digest}")


_RUNS = click.argument("runs", metavar="[RUN…]", nargs=-1, type=RunFolder())
_PROGRAMS = click.option("--programs", is_flag=True, help="Count the reference programs as a system; they are run.")
_SHIPPED = click.option("--shipped", is_flag=True, help="Add the systems whose results on edition 2 ship.")


@probes.command("stats")
@_RUNS
@_PROGRAMS
@_SHIPPED
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON per probe.")
@click.option("--csv", "as_csv", is_flag=True, help="Print who passes: one row per probe, one column per system.")
@probe_options
def probes_stats(
    runs: tuple[Path, ...], programs: bool, shipped: bool, as_json: bool, as_csv: bool, **given: Any
) -> None:
    """Show how hard each probe is: the share of systems that pass it, and whether it separates them.

    A system is a model with a strategy in a measured RUN; without a RUN, those whose results ship. Floors are none:
    they enter only the second item-rest correlation. Levels are the authors' guess until six systems have a verdict.
    """
    import csv

    import msgspec

    from innerear.scores.difficulty import FEWEST, csv_rows, is_floor, probe_stats

    chosen, results = chosen_probes(given)[1], _results(runs, programs, shipped)
    if as_csv:
        csv.writer(sys.stdout, lineterminator="\n").writerows(csv_rows(chosen, results))
        return
    found = probe_stats(chosen, results)
    for stats in found:
        if as_json:
            click.echo(msgspec.json.encode(stats))
            continue
        share = "–" if stats.share is None else f"{100 * stats.share:.0f} %"
        level = f"level {stats.level}" if stats.level else f"level {stats.guess}?"
        apart = "" if stats.item_rest is None else f"item-rest {stats.item_rest:+.2f}"
        floors = "" if stats.with_floors is None else f"with floors {stats.with_floors:+.2f}"
        said = "; ".join(filter(None, [apart or stats.why, floors]))
        click.echo(f"{stats.probe:40} {share:>5} of {stats.systems}  {level:8}  {said}".rstrip())
    if not as_json:
        known = [stats for stats in found if stats.systems]
        systems = sum(not is_floor(system) for system in results)
        judged = f"{len(known)} of {len(found)} probes have a verdict from {systems} systems"
        click.echo(f"{judged}; a level with ? is the authors' guess, for fewer than {FEWEST}", err=True)


@probes.command("table")
@_RUNS
@_PROGRAMS
@_SHIPPED
@probe_options
def probes_table(runs: tuple[Path, ...], programs: bool, shipped: bool, **given: Any) -> None:
    """Print what systems score by family, and how hard each family is, as Markdown tables.

    The systems and floors are those of the measured RUNs; without a RUN, those whose results ship.
    """
    from innerear.cli.probe_table import markdown

    click.echo(markdown(chosen_probes(given)[1], _results(runs, programs, shipped)))


def _results(runs: tuple[Path, ...], programs: bool, shipped: bool) -> dict[str, dict[str, float]]:
    """Who passes what in the runs, or in the results that ship."""
    from innerear.run.run import Run
    from innerear.scores import difficulty

    results = difficulty.shipped() if shipped or not (runs or programs) else {}
    for run in map(Run, runs):
        for system, rates in difficulty.passes(run).items():
            results.setdefault(system, {}).update(rates)
    if programs:
        from innerear.lab.reference_programs import verify

        verdicts = {verdict.probe: verdict.counted for verdict in verify()}
        results["reference programs"] = {probe: float(whole) for probe, whole in verdicts.items() if whole is not None}
    return results


@probes.command("verify")
@click.option(
    "--jail", default="auto", show_default=True, help="How to isolate programs: auto, ns, ll, docker, podman, or off."
)
@click.option(
    "--language",
    "languages",
    type=click.Choice(list(LANGUAGES)),
    multiple=True,
    default=["python"],
    show_default=True,
    help="The language of the programs; repeatable.",
)
def probes_verify(jail: str, languages: tuple[Language, ...]) -> None:
    """Run the hand-written reference programs and apply each probe's checks."""
    from innerear.lab.reference_programs import verify

    bad = 0
    for language in dict.fromkeys(languages):
        for verdict in verify(jail=jail, language=language):
            bad += not verdict.holds
            click.echo(verdict.line())
    sys.exit(1 if bad else 0)
