"""`innerear checks`: what the checks are, and how reliable each is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from innerear.data_folders import data_folders
from innerear.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from innerear.lab.sounds import Bank
    from innerear.metrics.verified import Verified


DATA = click.option(
    "--data",
    multiple=True,
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Folder of recordings, repeatable; by default those of INNEREAR_DATA.",
)
SOUNDFONTS = click.option(
    "--soundfont",
    "soundfonts",
    multiple=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Soundfont, or timidity's .cfg of a patch set, that `instrument` also learns from; repeatable.",
)


@click.group()
def checks() -> None:
    """List, verify or fit the checks that sounds must pass."""


@checks.command("list")
def checks_list() -> None:
    """List the checks: version, unit, question, whether it counts in headlines."""
    from innerear.metrics.registry import CHECK_METRICS, check_metric
    from innerear.metrics.verified import shipped

    verified = shipped()
    for metric in map(check_metric, CHECK_METRICS):
        name = metric.name
        about = (type(metric).__doc__ or "").split("\n")[0]
        click.echo(f"{name:14} v{metric.version}  {metric.unit:18} {about}")
        for variant, one in verified.items():
            if variant.split(":")[0] == name:
                click.echo(f"{'':14} {variant:24} {'counts' if one.counts else f'does not count: {one.why}'}")


@checks.command("verify")
@click.option("--only", help="Only these kinds, such as notes,chord.")
@click.option("--wrong", is_flag=True, help="Also list the sounds that a check misjudged.")
@DATA
@SOUNDFONTS
@click.option("--write", is_flag=True, help="Save the result, which decides which checks count in later runs.")
def checks_verify(
    only: str | None, wrong: bool, write: bool, data: tuple[Path, ...], soundfonts: tuple[Path, ...]
) -> None:
    """Test each check on sounds with a known right answer.

    Some of the sounds fit the check and some do not. Recordings come from the reference data that
    --data or INNEREAR_DATA names (several folders are joined by ':'); without them, only synthetic sounds are used.
    """
    from innerear.lab.all import kinds, table, verify_all
    from innerear.metrics.verified import SHOWN, TRUE, Trial, variant

    chosen = only.split(",") if only else list(kinds())
    if unknown := [name for name in chosen if name not in kinds()]:
        raise UsageError(f"--only {unknown[0]!r}; wanted some of {', '.join(kinds())}")
    misjudged: list[str] = []

    def keep(trial: Trial, passed: bool) -> None:
        if passed != (trial.column in (*TRUE, *SHOWN)):
            misjudged.append(f"{variant(trial.check, trial.tier)}: {trial.column}: {trial.about or trial.check}")

    found = verify_all(chosen, _bank(data, soundfonts), keep)
    for row in _aligned([["check", "v", "right sounds that pass", "wrong sounds that pass", ""], *table(found)]):
        click.echo(row)
    if wrong:
        click.echo("\n".join(["", *misjudged]))
    if write:
        _write(found, chosen)


@checks.command("fit")
@DATA
@SOUNDFONTS
@click.option("--only", help="Only these, such as label; by default instrument,label.")
def checks_fit(only: str | None, data: tuple[Path, ...], soundfonts: tuple[Path, ...]) -> None:
    """Fit the checks that are trained on recordings.

    These are instrument and label. Needs the reference data (INNEREAR_DATA). Writes the
    fitted parameters and the verification results.
    """
    from innerear.lab.all import FITTED, fit, table

    chosen = only.split(",") if only else list(FITTED)
    if unknown := [name for name in chosen if name not in FITTED]:
        raise UsageError(f"--only {unknown[0]!r}; wanted some of {', '.join(FITTED)}")
    bank = _bank(data, soundfonts)
    if bank is None:
        raise UsageError("INNEREAR_DATA names no folder with a MANIFEST.csv; `innerear reference fetch` makes one")
    for name in chosen:
        save, found = fit(name, bank)
        save()
        _write(found, [name])
        for row in _aligned(list(table(found))) if found else ():
            click.echo(row)


@checks.command("templates")
def checks_templates() -> None:
    """Make the templates of the check `transcript`.

    The suite's texts are spoken by espeak-ng, flite and real speakers. Needs both programs (Debian
    packages of the same names) and the reference data (INNEREAR_DATA).
    """
    from innerear import suite
    from innerear.lab.words import build
    from innerear.metrics.words import save, shipped_path

    bank = _bank(())
    if bank is None:
        raise UsageError("INNEREAR_DATA names no folder with a MANIFEST.csv; `innerear reference fetch` makes one")
    sets, made = build(suite.edition("1").probes, bank)
    save(shipped_path(), sets, made)
    click.echo(f"{len(made)} templates of {sum(map(len, sets.values()))} texts, {shipped_path().stat().st_size} bytes")


def _write(found: dict[str, Verified], kinds: Sequence[str]) -> None:
    """Replace the shipped results of these kinds, each in its place."""
    import msgspec

    from innerear.metrics.verified import Verified, shipped_path
    from innerear.run.parts import to_json, write_whole

    before = msgspec.json.decode(shipped_path().read_bytes(), type=dict[str, Verified])
    kept = {name: one for name, one in before.items() if name.split(":")[0] not in kinds or name in found}
    write_whole(shipped_path(), to_json({**kept, **found}, indent=1) + b"\n")


def _bank(folders: Sequence[Path], soundfonts: Sequence[Path] = ()) -> Bank | None:
    from innerear.lab.sounds import Bank

    if not data_folders(folders or None):
        click.echo("innerear: INNEREAR_DATA is not set, so only synthetic sounds are used", err=True)
        return None
    return Bank(folders or None, soundfonts)


def _aligned(rows: list[list[str]]) -> Iterator[str]:
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True) if width).rstrip()
