"""Sets of sounds alone: `innerear fad`, `kad`, `realism`, `diversity`, `wer`, and `innerear embed FOLDER --out`."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from innerear.cli.bars import bars
from innerear.errors import UsageError
from innerear.text import counted

if TYPE_CHECKING:
    from innerear.distance.distance import Distance, SetFacts

Command = Callable[..., Any]
FILE = click.Path(path_type=Path, dir_okay=False)
CACHED = click.option(
    "--cache/--no-cache", default=True, show_default=True, help="Keep the embeddings of files in the cache folder."
)
WORDS = {"fad": "FAD", "fad_inf": "FAD∞", "kad": "KAD"}


def _set_options(command: Command) -> Command:
    for option in (
        click.option("--json", "as_json", is_flag=True, help="Print the full result as JSON."),
        click.option("--skip-bad", is_flag=True, help="Skip unreadable files and count them."),
        CACHED,
        click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Seed of all random draws."),
        click.option(
            "--embedder",
            multiple=True,
            default=("yamnet",),
            show_default=True,
            help="yamnet, aisfx, mel, clap-laion, vggish, vggish-torch, panns-cnn14, encodec-24khz, or "
            "python:module.attr; repeatable, for one distance by each.",
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
def fad(
    reference: str, sounds: str, embedder: tuple[str, ...], per_clip: Path | None, as_json: bool, **given: Any
) -> None:
    """Compute the Fréchet audio distance of SOUNDS to REFERENCE.

    Each is a folder of audio, a sound file, an .npz written by `innerear embed --out`, or the name of a
    shipped reference: notes, phrases, environment, words, sentences.
    """
    from innerear.distance import folders

    if per_clip:
        _can_hold(per_clip)
        if len(embedder) > 1:
            raise UsageError(f"--per-clip writes the distances by one embedder, and {len(embedder)} are named")
    with bars() as progress:
        found = [
            folders.fad(reference, sounds, name, **given, each_clip=bool(per_clip), progress=progress)
            for name in _each_once(embedder)
        ]
    _print(found, as_json)
    if per_clip:
        with per_clip.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([("file", "fad"), *(found[0].each_clip or {}).items()])


@click.command()
@_set_options
@click.option(
    "--permutations",
    type=click.IntRange(0),
    default=0,
    help="Least number of permutations for a p-value, such as 999; all, if there are few; more, if p is near 0.05.",
)
@click.option("--like-kadtk", is_flag=True, help="Compute KAD as kadtk 1.1.0 does.")
def kad(reference: str, sounds: str, embedder: tuple[str, ...], as_json: bool, **given: Any) -> None:
    """Compute the kernel audio distance of SOUNDS to REFERENCE.

    KAD is scaled by 100. Prefer it to FAD for small sets.

    Each is a folder of audio, a sound file, an .npz written by `innerear embed --out`, or the name of a
    shipped reference: notes, phrases, environment, words, sentences.
    """
    from innerear.distance import folders

    with bars() as progress:
        found = [folders.kad(reference, sounds, name, **given, progress=progress) for name in _each_once(embedder)]
    _print(found, as_json)


LEVELLED = click.option(
    "--embedder",
    default="aisfx-levelled",
    show_default=True,
    help="aisfx-levelled, yamnet-levelled, telltales; any other one too, but then sample rate and codec may tell.",
)
AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print the full result as JSON.")
SKIP_BAD = click.option("--skip-bad", is_flag=True, help="Skip unreadable files and count them.")


@click.command()
@click.argument("reference", metavar="REFERENCE")
@click.argument("sounds", metavar="SOUNDS")
@LEVELLED
@SKIP_BAD
@CACHED
@AS_JSON
def realism(reference: str, sounds: str, as_json: bool, **given: Any) -> None:
    """Tell SOUNDS from recordings: how well a classifier can, and what gives them away.

    REFERENCE is a folder of recordings, an .npz of embeddings, or a shipped reference: notes, phrases,
    environment, sentences. Classes are subfolders, or the column `label` of a MANIFEST.csv in the folder.
    """
    from innerear.distance.labelled import realism as realism_of

    with bars() as progress:
        found = realism_of(reference, sounds, **given, progress=progress)
    if as_json:
        _as_json(found)
        return
    told, typical = found.told, found.typicality
    click.echo(
        f"told from real: {_number(told.auc, told.low, told.high)} (0.5 cannot be told, 1 always can)"
        if told.auc is not None
        else f"told from real: not measurable: {told.reason}"
    )
    click.echo(
        f"  {told.sounds} sounds of {told.probes} probes, {told.recordings} recordings of {told.sources} sources"
    )
    for name, auc, words in found.given_away[:3]:
        click.echo(f"  {words}: {name} {'above' if auc > 0.5 else 'below'} recordings' in {max(auc, 1 - auc):.0%}")
    for name in told.telling[:5]:
        words = f", {found.words[name][2]}" if name in found.words else ""
        click.echo(f"  told in {told.each[name]:.0%}: {name}{words}{_near(typical.nearest.get(name))}")
    if typical.mean is not None:
        click.echo(
            f"typicality {typical.mean:.2f} (recordings 0.5), precision {typical.precision:.2f}, "
            f"density {typical.density:.2f}"
        )
    click.echo(f"  by  {found.embedder}")
    for note in found.notes:
        click.echo(f"  note: {note}")


def _near(name: str | None) -> str:
    return f", nearest to {name}" if name else ""


@click.command()
@click.argument("sounds", metavar="SOUNDS")
@click.option("--reference", default="environment", show_default=True, help="Recordings that set the scale.")
@LEVELLED
@SKIP_BAD
@CACHED
@AS_JSON
def diversity(sounds: str, as_json: bool, **given: Any) -> None:
    """Measure how different the sounds in each subfolder of SOUNDS are.

    A subfolder holds attempts at one sound, three or more; without subfolders all sounds are one group.
    """
    from innerear.distance.labelled import diversity as diversity_of
    from innerear.text import printable

    with bars() as progress:
        found = diversity_of(sounds, **given, progress=progress)
    if as_json:
        _as_json(found)
        return
    if found.vendi is None or found.spread is None:
        click.echo(f"not measurable: {found.reason}")
        return
    real = f"; as many recordings {found.vendi_real:.2f}" if found.vendi_real is not None else ""
    click.echo(f"Vendi score {_number(found.vendi, found.vendi_low, found.vendi_high)}{real}")
    click.echo(f"spread {_number(found.spread, found.spread_low, found.spread_high)} (copies 0, recordings 1)")
    if found.coverage is not None:
        click.echo(f"coverage {found.coverage:.2f} of recordings of the same classes")
    click.echo(
        f"near copies: {found.near_copies} of {counted(found.sounds, 'sound')}, {counted(found.groups, 'group')}"
    )
    for first, second in found.copies[:5]:
        click.echo(f"  {first} = {second}")
    if found.groups > 1:
        click.echo("Vendi score of each, the most alike first:")
        for name, score in sorted(found.each.items(), key=lambda one: one[1]):
            click.echo(f"  {score:.2f}  {printable(name)}")


@click.command()
@click.argument("sounds", metavar="SOUNDS")
@click.option("--text", "texts", metavar="TEXT", help="The text that every sound should say.")
@click.option("--model", default="whisper-tiny.en", show_default=True, help="whisper-tiny.en or whisper-base.en.")
@SKIP_BAD
@AS_JSON
def wer(sounds: str, as_json: bool, **given: Any) -> None:
    """Measure the word error rate of SOUNDS, a folder of speech or a sound file.

    Texts are in the column `text` of a MANIFEST.csv in the folder, or in a .txt file next to each sound.
    """
    from innerear.distance.words import wer as wer_of
    from innerear.text import printable

    with bars() as progress:
        found = wer_of(sounds, **given, progress=progress)
    if as_json:
        _as_json(found)
        return
    click.echo(f"WER {_number(found.value, found.low, found.high)} of {found.words} words in {len(found.each)} sounds")
    for one in found.each:
        if one.errors:
            heard = repr(one.heard) if one.voice else "no voice"
            click.echo(printable(f"  {one.errors} of {one.words}: {one.name}: heard {heard} for {one.text!r}"))
    click.echo(f"  by  {found.signature}")
    if found.skipped:
        click.echo(f"  note: {len(found.skipped)} files could not be read and were skipped")


def _each_once(names: tuple[str, ...]) -> list[str]:
    return list(dict.fromkeys(names))


def _number(value: float, low: float | None, high: float | None) -> str:
    return f"{value:.3f}" + (f"  95 % interval {low:.3f} to {high:.3f}" if low is not None else "")


def _as_json(found: Any) -> None:
    from innerear.run.parts import to_json

    click.echo(to_json(found, indent=2))


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


def _print(all_found: list[Distance], as_json: bool) -> None:
    if as_json:
        _as_json(all_found[0] if len(all_found) == 1 else all_found)
        return
    for found in all_found:
        interval = (
            f"  95 % interval {found.low:.6g} to {found.high:.6g}"
            if found.low is not None and found.high is not None
            else ""
        )
        spread = f"  spread of its repeats {found.spread:.3g}" if found.spread is not None else ""
        click.echo(f"{WORDS[found.metric]} {found.value:.6g}{interval}{spread}{_p_value(found)}")
        click.echo(f"  of  {_words(found.of)}")
        click.echo(f"  to  {_words(found.reference)}")
        click.echo(f"  by  {found.embedder} ({found.conventions})")
        for note in found.notes:
            click.echo(f"  note: {note}")


def _p_value(found: Distance) -> str:
    if found.p_value is None:
        return ""
    exact = found.p_low == found.p_high
    return f"  p = {found.p_value:.3g} for one source " + (
        "(exact)" if exact else f"(95 % interval {found.p_low:.2g} to {found.p_high:.2g})"
    )


def _words(facts: SetFacts) -> str:
    seconds = f", {facts.seconds:.1f} s" if facts.seconds is not None else ""
    return (
        f"{facts.name}: {facts.clips} clips{seconds}, {facts.frames} frames of {facts.dims} dims, rank {facts.rank}, "
        f"digest {facts.digest}"
    )
