"""Reference recordings for the distances: `innerear reference list|build|fetch`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from innerear.cli.bars import bars


@click.group()
def reference() -> None:
    """List, build or fetch the reference recordings for the distances."""


@reference.command("list")
def reference_list() -> None:
    """List the installed references: clips, frames, digest."""
    from innerear.reference.sets import open_reference, shipped_folder

    for path in sorted(shipped_folder().glob("*.npz")):
        found = open_reference(path)
        frames = sum(map(len, found.kept))
        click.echo(
            f"{path.stem:24} {len(found.kept):4} clips, {frames:5} frames, {len(found.held_back):3} clips held back, "
            f"digest {found.digest}\n{'':24} {found.signature}"
        )


@reference.command("build")
@click.argument("folders", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option(
    "--manifest",
    type=click.Path(path_type=Path, dir_okay=False),
    help="CSV that lists the clips; by default MANIFEST.csv of each folder.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="Output folder; set INNEREAR_REFERENCES to it to use these references.",
)
@click.option("--embedder", "embedders", multiple=True, help="Default: yamnet, aisfx and mel; repeatable.")
def reference_build(folders: tuple[Path, ...], manifest: Path | None, out: Path, embedders: tuple[str, ...]) -> None:
    """Embed the recordings in FOLDERS as references, one per kind."""
    from innerear.embed import open_embedder
    from innerear.reference.build import build
    from innerear.reference.manifest import read_manifest, read_manifests

    rows = read_manifest(manifest) if manifest else read_manifests(folders)
    with bars() as progress:
        for name in embedders or ("yamnet", "aisfx", "mel"):
            written = build(folders, rows, open_embedder(name), out, progress=progress)
            for path in written:
                click.echo(f"{path}  {path.stat().st_size / 1e6:.2f} MB")


@reference.command("fetch")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--kinds", help="Only these kinds: environment, words, sentences.")
def reference_fetch(folder: Path, kinds: str | None) -> None:
    """Download the reference recordings into FOLDER.

    They come from their public sources and are checked by SHA-256.
    """
    from innerear.reference.fetch import fetch

    with bars() as progress:
        fetched = fetch(folder, [kind.strip() for kind in kinds.split(",")] if kinds else [], progress)
    click.echo(f"{fetched.there} clips are in {folder}; set INNEREAR_DATA to it to use the model `real`")
    for line in fetched.failures:
        click.echo(f"innerear: {line}", err=True)
    sys.exit(1 if fetched.failures else 0)
