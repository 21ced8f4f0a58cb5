"""Told from real, typical and varied, for folders of audio: `realism` and `diversity`.

    >>> from innerear.distance.labelled import realism                    # doctest: +SKIP
    >>> realism("recordings/", "generated/").told.auc                     # doctest: +SKIP

A folder has its classes and sources in a `MANIFEST.csv` (columns `file` and `label`; `speaker`, `source_id` or
`source_path`, and `set` as in `reference.manifest`). Without one, a sound's class is the name of its subfolder, and
each file is a source. Embedders are those of levelled sounds, one frame a length; others work too, but then sample
rate, codec, length and padding may tell.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from innerear.distance.diversity import Diversity
from innerear.distance.diversity import diversity as diversity_of
from innerear.distance.folders import Source, embed
from innerear.distance.realism import Told, apart, farthest, told_from_real
from innerear.distance.sounds import Sounds
from innerear.distance.typicality import Typicality
from innerear.distance.typicality import typicality as typicality_of
from innerear.dsp.telltales import WORDS
from innerear.embed import TELLTALES, Embedder, is_levelled
from innerear.errors import UsageError
from innerear.reference.manifest import ManifestRow, read_manifest
from innerear.reference.sets import Reference, class_of, find_reference, source_of
from innerear.run.progress import Progress, silent

ALL = "all"
"""The class of sounds without classes."""


@dataclass(frozen=True)
class Realism:
    """How well sounds are told from recordings, how typical they are, and what gives them away.

    `given_away`: (descriptor, probability that a made sound has more of it than a recording of its class, what a
    listener would say), the most telling first; `words`: for each sound the (descriptor, deviations above those
    recordings, words) by which it is farthest from them. Both are empty if the sounds themselves are not here.
    `notes`: caveats.
    """

    told: Told
    typicality: Typicality
    given_away: list[tuple[str, float, str]]
    words: dict[str, tuple[str, float, str]]
    embedder: str
    notes: list[str]


def realism(
    reference: Source,
    sounds: Source,
    embedder: str | Embedder = "aisfx-levelled",
    *,
    skip_bad: bool = False,
    cache: bool = True,
    progress: Progress = silent,
) -> Realism:
    """How well a classifier tells sounds from recordings of the same classes, and how typical each is.

    `reference`, `sounds`: sets of sounds as in `folders`; classes are known only of folders and bundled references.

    Raises:
        UsageError: sets from different embedders, or see `folders.embed`.
    """
    real, signature = labelled(reference, embedder, skip_bad, cache, progress)
    made, other = labelled(sounds, embedder, skip_bad, cache, progress)
    if signature != other:
        raise UsageError(
            f"the reference was embedded by {signature}, the sounds by {other}; use the same embedder for both"
        )
    notes = []
    if not set(real.classes) & set(made.classes):
        notes.append("no class is in both sets, so all sounds are compared as one class")
        real, made = (replace(side, classes=[ALL] * len(side)) for side in (real, made))
    told, typical = told_from_real(real, made), typicality_of(real, made)
    if embedder != TELLTALES:
        try:
            descriptors = [_descriptors(source, skip_bad, cache, progress) for source in (reference, sounds)]
        except UsageError:
            notes.append("a set of embeddings has no sound, so what gives the sounds away is not known")
            return Realism(told, typical, [], {}, signature, notes)
        real, made = (replace(d, classes=s.classes) for d, s in zip(descriptors, (real, made), strict=True))
    return Realism(told, typical, words_of(real, made), words_of_each(real, made), signature, notes)


def diversity(
    sounds: Source,
    reference: Source = "environment",
    embedder: str | Embedder = "aisfx-levelled",
    *,
    skip_bad: bool = False,
    cache: bool = True,
    progress: Progress = silent,
) -> Diversity:
    """How different the sounds of each subfolder are, on the scale of the recordings of a reference.

    The sounds of a subfolder are attempts at one sound. Without subfolders all are.

    Raises:
        UsageError: see `realism`.
    """
    real, signature = labelled(reference, embedder, skip_bad, cache, progress)
    made, other = labelled(sounds, embedder, skip_bad, cache, progress)
    if signature != other:
        raise UsageError(
            f"the reference was embedded by {signature}, the sounds by {other}; use the same embedder for both"
        )
    return diversity_of(replace(made, sources=made.classes), real)


def _descriptors(source: Source, skip_bad: bool, cache: bool, progress: Progress) -> Sounds:
    """The descriptors of a set.

    Raises:
        UsageError: it is a set of embeddings, or see `folders.embed`.
    """
    sounds, signature = labelled(source, TELLTALES, skip_bad, cache, progress)
    if not signature.startswith(TELLTALES):
        raise UsageError("a set of embeddings has no sound")
    return sounds


def words_of(real: Sounds, made: Sounds) -> list[tuple[str, float, str]]:
    """The descriptors that part made sounds from recordings of their classes, the most telling first, in words."""
    names = list(WORDS)
    return [(names[one.dimension], one.auc, WORDS[names[one.dimension]][one.auc > 0.5]) for one in apart(real, made)]


def words_of_each(real: Sounds, made: Sounds) -> dict[str, tuple[str, float, str]]:
    """The descriptor by which each made sound is farthest from recordings of its class, how far, and in words."""
    names = list(WORDS)
    return {
        sound: (names[dimension], deviations, WORDS[names[dimension]][deviations > 0])
        for sound, (dimension, deviations) in farthest(real, made).items()
    }


def labelled(
    source: Source, embedder: str | Embedder, skip_bad: bool, cache: bool, progress: Progress
) -> tuple[Sounds, str]:
    """A set as vectors with classes and sources, and the signature of its embedder."""
    path = Path(source) if isinstance(source, str | Path) else None
    name = embedder if isinstance(embedder, str) else embedder.name
    if path is not None and not path.exists() and (reference := find_reference(str(path), name)) is not None:
        return of_reference(reference, held=False), reference.signature
    embedded = embed(source, embedder, skip_bad=skip_bad, cache=cache, progress=progress)
    rows = _rows(path) if path is not None and path.is_dir() else {}
    classes = [class_of(rows[name]) if name in rows else _folder_of(name) for name in embedded.names]
    sources = [source_of(rows[name]) if name in rows else name for name in embedded.names]
    names = list(embedded.names)
    return Sounds.of(_cuts(embedded.clips, embedded.signature), classes, sources, names), embedded.signature


def of_reference(reference: Reference, held: bool | None = None) -> Sounds:
    """The recordings of a reference as vectors; `held`: only those held back, or only the others.

    Raises:
        UsageError: the reference was built before classes and sources were stored.
    """
    if not reference.classes:
        raise UsageError(
            f"the reference {reference.kind!r} for {reference.signature.partition('|')[0]} has no classes and sources; "
            "`innerear reference build` makes one that has"
        )
    cuts = _cuts(reference.clips, reference.signature)
    sounds = Sounds.of(cuts, list(reference.classes), list(reference.sources), list(reference.names))
    return sounds if held is None else sounds.at(np.array(reference.held, dtype=bool) == held)


def _cuts(clips: Sequence[NDArray[np.float32]], signature: str) -> list[NDArray[np.float32]]:
    """A frame for each length of each clip from an embedder of levelled sounds, else the mean of its frames."""
    if is_levelled(signature):
        return list(clips)
    return [clip.mean(axis=0, keepdims=True) for clip in clips]


def _rows(folder: Path) -> dict[str, ManifestRow]:
    path = folder / "MANIFEST.csv"
    if not path.exists():
        return {}
    needed = ("tier", "set", "speaker", "source_id", "source_path")
    rows = read_manifest(path, columns=("file", "label"))
    return {row["file"]: {**dict.fromkeys(needed, ""), **row} for row in rows}


def _folder_of(name: str) -> str:
    return name.rpartition("/")[0] or ALL
