"""Distances between folders of audio: `innerear fad`, `innerear kad`, `innerear embed FOLDER --out`."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from innerear.cli.bars import bars
from innerear.errors import UsageError

if TYPE_CHECKING:
    from innerear.distance.distance import Distance, SetFacts

Command = Callable[..., Any]
FILE = click.Path(path_type=Path, dir_okay=False)
WORDS = {"fad": "FAD", "fad_inf": "FAD∞", "kad": "KAD"}


def _set_options(command: Command) -> Command:
    for option in (
        click.option("--json", "as_json", is_flag=True, help="Print the full result as JSON."),
        click.option("--skip-bad", is_flag=True, help="Skip unreadable files and count them."),
        click.option(
            "--embedder",
            default="yamnet",
            show_default=True,
            help="yamnet, aisfx, mel, clap-laion, vggish, vggish-torch, panns-cnn14, encodec-24khz.",
        ),
        click.argument("sounds", metavar="SOUNDS"),
        click.argument("reference", metavar="REFERENCE"),
    ):
        command = option(command)
    return command


@click.command()
@_set_options
@click.option(
    "--inf",
    "infinite",
    is_flag=True,
    help="FAD∞: extrapolate to an infinite set, which removes the bias of finite ones; needs many frames.",
)
@click.option("--per-clip", type=FILE, metavar="CSV", help="Also write the distance of each clip to CSV.")
@click.option("--like-fadtk", is_flag=True, help="Compute FAD as fadtk 1.1.0 does.")
def fad(reference: str, sounds: str, per_clip: Path | None, as_json: bool, **given: Any) -> None:
    """Compute the Fréchet audio distance of SOUNDS to REFERENCE.

    Each is a folder of audio, a sound file, an .npz written by `innerear embed --out`, or the name of a
    shipped reference: notes, phrases, environment, words, sentences.
    """
    from innerear.distance import folders

    if per_clip:
        _can_hold(per_clip)
    with bars() as progress:
        found = folders.fad(reference, sounds, **given, each_clip=bool(per_clip), progress=progress)
    _print(found, as_json)
    if per_clip:
        with per_clip.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([("file", "fad"), *(found.each_clip or {}).items()])


@click.command()
@_set_options
@click.option(
    "--permutations", type=click.IntRange(0), default=0, help="Number of permutations for a p-value, such as 999."
)
@click.option("--like-kadtk", is_flag=True, help="Compute KAD as kadtk 1.1.0 does.")
def kad(reference: str, sounds: str, as_json: bool, **given: Any) -> None:
    """Compute the kernel audio distance of SOUNDS to REFERENCE.

    KAD is scaled by 100. Prefer it to FAD for small sets.

    Each is a folder of audio, a sound file, an .npz written by `innerear embed --out`, or the name of a
    shipped reference: notes, phrases, environment, words, sentences.
    """
    from innerear.distance import folders

    with bars() as progress:
        found = folders.kad(reference, sounds, **given, progress=progress)
    _print(found, as_json)


def embed_folder(folder: Path, out: Path, embedder: str, skip_bad: bool) -> None:
    """Write the embeddings of a folder of audio to an .npz file."""
    from innerear.distance import folders

    if out.suffix != ".npz":
        raise UsageError(f"--out {out}; wanted a name that ends in .npz")
    _can_hold(out)
    with bars() as progress:
        found = folders.embed(folder, embedder, skip_bad=skip_bad, progress=progress)
    found.save(out)
    click.echo(f"{out}: {len(found.clips)} clips, {len(found.frames)} frames, digest {found.digest}\n{found.signature}")
    for name in found.skipped:
        click.echo(f"innerear: skipped {name}, which cannot be read", err=True)


def _can_hold(path: Path) -> None:
    """Fail before the work starts if the output cannot be written."""
    if not os.access(path.parent, os.W_OK):
        raise UsageError(f"{path} cannot be written; wanted a file in an existing, writable folder")


def _print(found: Distance, as_json: bool) -> None:
    if as_json:
        import msgspec

        click.echo(msgspec.json.format(msgspec.json.encode(found), indent=2))
        return
    interval = (
        f"  95 % interval {found.low:.6g} to {found.high:.6g}"
        if found.low is not None and found.high is not None
        else ""
    )
    spread = f"  spread of its repeats {found.spread:.3g}" if found.spread is not None else ""
    p_value = f"  p = {found.p_value:.3g} for one source" if found.p_value is not None else ""
    click.echo(f"{WORDS[found.metric]} {found.value:.6g}{interval}{spread}{p_value}")
    click.echo(f"  of  {_words(found.of)}")
    click.echo(f"  to  {_words(found.reference)}")
    click.echo(f"  by  {found.embedder} ({found.conventions})")
    for note in found.notes:
        click.echo(f"  note: {note}")


def _words(facts: SetFacts) -> str:
    seconds = f", {facts.seconds:.1f} s" if facts.seconds is not None else ""
    return (
        f"{facts.name}: {facts.clips} clips{seconds}, {facts.frames} frames of {facts.dims} dims, rank {facts.rank}, "
        f"digest {facts.digest}"
    )
