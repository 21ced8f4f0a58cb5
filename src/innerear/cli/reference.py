"""The real recordings that distances are to: `innerear reference list|build|fetch`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from innerear.cli.bars import bars


@click.group()
def reference() -> None:
    """The real recordings that distances are to: list, build, fetch."""


@reference.command("list")
def reference_list() -> None:
    """The references that are here, with their clips, frames and digest."""
    from innerear.reference import open_reference, shipped_folder

    for path in sorted(shipped_folder().glob("*.npz")):
        found = open_reference(path)
        frames = sum(map(len, found.kept))
        click.echo(
            f"{path.stem:24} {len(found.kept):4} clips, {frames:5} frames, {len(found.held_back):3} clips held back, "
            f"digest {found.digest}\n{'':24} {found.signature}"
        )


@reference.command("build")
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option(
    "--manifest",
    type=click.Path(path_type=Path, dir_okay=False),
    help="CSV with the clips; FOLDER/MANIFEST.csv by default.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="Where the references go; name it in INNEREAR_REFERENCES to use them.",
)
@click.option("--embedder", "embedders", multiple=True, help="By default yamnet, aisfx and mel; repeatable.")
def reference_build(folder: Path, manifest: Path | None, out: Path, embedders: tuple[str, ...]) -> None:
    """Embed the real recordings in FOLDER, kind by kind."""
    from innerear.embed import open_embedder
    from innerear.reference.build import build
    from innerear.reference.manifest import read_manifest

    rows = read_manifest(manifest or folder / "MANIFEST.csv")
    with bars() as progress:
        for name in embedders or ("yamnet", "aisfx", "mel"):
            written = build(folder, rows, open_embedder(name), out, progress=progress)
            for path in written:
                click.echo(f"{path}  {path.stat().st_size / 1e6:.2f} MB")


@reference.command("fetch")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--kinds", help="Only these kinds: environment, words, sentences.")
def reference_fetch(folder: Path, kinds: str | None) -> None:
    """Fetch the real recordings themselves from their public homes into FOLDER, checked by SHA-256."""
    from innerear.reference.fetch import fetch

    with bars() as progress:
        fetched = fetch(folder, [kind.strip() for kind in kinds.split(",")] if kinds else [], progress)
    click.echo(f"{fetched.there} clips are in {folder}; set INNEREAR_DATA to it to use the model `real`")
    for line in fetched.failures:
        click.echo(f"innerear: {line}", err=True)
    sys.exit(1 if fetched.failures else 0)
