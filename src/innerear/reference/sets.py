"""References: embeddings of real recordings with which sets of sounds are compared.

There is one per kind of sound, because a distance to sentences says nothing about a single digit. A
reference stores the frames of every clip losslessly, so any statistic can be computed without the audio.
A quarter of its clips is *held back*: distances are computed to the others; the held-back clips give the
ceiling (real against real) and are what the model `real` plays.
"""

from __future__ import annotations

import functools
import hashlib
import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from innerear.embed import Embedder
from innerear.embed.store import load_frames, quantise, save_frames
from innerear.errors import UsageError
from innerear.records import Probe, Tier
from innerear.reference.manifest import ManifestRow

HELD_BACK_SHARE = 4  # one in four


@dataclass(frozen=True)
class Kind:
    """A kind of sound: the probe families compared with it, and the clips it consists of."""

    name: str
    tier: Tier
    families: frozenset[str] | None  # None: all of the tier
    wanted: Callable[[ManifestRow], bool]
    made_of: str
    phrases: bool = False  # assembled from the clips, see `reference.phrases`
    without: frozenset[str] = frozenset()  # families of the tier that the clips have nothing like

    def holds(self, probe: Probe) -> bool:
        """Whether this probe's sound is compared with this kind."""
        if probe.tier != self.tier or probe.family in self.without:
            return False
        return self.families is None or probe.family in self.families


def _real_note(row: ManifestRow) -> bool:
    return row["set"].startswith("real:")


KINDS = (
    Kind("notes", "notes", frozenset({"waveform", "instrument", "articulation"}), _real_note,
         "recorded single notes of nine instruments"),
    Kind("phrases", "notes", frozenset({"scale", "chord", "rhythm", "melody", "tune", "tuning"}), _real_note,
         "melodies and chords put together from recorded single notes", phrases=True),
    Kind("environment", "environment", None, lambda row: row["set"].startswith("ESC-50"), "ESC-50 clips",
         without=frozenset({"signal", "physics"})),
    Kind("words", "speech", frozenset({"vowel", "syllable", "digit", "word", "rhyme", "digit-string"}),
         lambda row: row["set"] == "FSDD",
         "spoken digits, 8 kHz"),
    Kind("sentences", "speech", frozenset({"sentence", "prosody", "nonsense-sentence", "passage", "speaker"}),
         lambda row: row["set"] in {"LibriSpeech", "LJSpeech", "CMU ARCTIC"}, "read sentences"),
)  # fmt: skip


def kind_of(probe: Probe) -> Kind | None:
    """The kind that a probe's sound is compared with; `None` if its family has none."""
    return next((kind for kind in KINDS if kind.holds(probe)), None)


def held_back(rows: Iterable[ManifestRow]) -> frozenset[str]:
    """Choose the files to hold back: about a quarter, by whole speakers, sources and instruments.

    A quarter of each label or set; of recorded notes, a quarter of all, so that the ceiling is of instruments that
    are not in the reference. The choice follows the digest of the source, so it depends only on the clips.
    """
    strata: dict[tuple[str, str], dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        stratum = (row["set"], "" if row["tier"] == "speech" else row["label"])
        source = row["speaker"] or row["source_path"] or row["file"]
        if row["source_id"].startswith("freesound:"):
            source = row["source_id"]
        if _real_note(row):
            stratum, source = ("real", "notes"), row["set"].split("-")[0]  # two takes of one instrument are one
        strata[stratum][source].append(row["file"])
    held: list[str] = []
    for sources in strata.values():
        wanted = sum(map(len, sources.values())) / HELD_BACK_SHARE
        taken = 0
        for _, files in sorted(sources.items(), key=lambda item: hashlib.sha256(item[0].encode()).digest()):
            if taken + len(files) <= wanted + 0.5:
                held += files
                taken += len(files)
    return frozenset(held)


def class_of(row: ManifestRow) -> str:
    """The class of a recording: its label in the manifest, such as `rain`, `keyboard` or `sentence`."""
    return row["label"]


def source_of(row: ManifestRow) -> str:
    """What a recording shares with others that are not independent of it: session, sample library or speaker."""
    if row["tier"] == "speech" and row["speaker"]:
        return row["speaker"]
    if row["tier"] == "notes" and row["set"]:
        return row["set"]
    return row["source_id"] or row["source_path"] or row["file"]


@dataclass(frozen=True, eq=False)
class Reference:
    """The frames of real recordings from one embedder.

    `clips[i]` has shape (frames, dims); `names[i]` is its file in the manifest. `classes` and `sources` are empty in
    a reference built before they were stored.
    """

    kind: str
    signature: str
    digest: str
    names: Sequence[str]
    clips: Sequence[NDArray[np.float32]]
    held: Sequence[bool]
    classes: Sequence[str] = ()
    sources: Sequence[str] = ()

    @property
    def kept(self) -> list[NDArray[np.float32]]:
        """The clips to which distances are computed."""
        return [clip for clip, held in zip(self.clips, self.held, strict=True) if not held]

    @property
    def held_back(self) -> list[NDArray[np.float32]]:
        """The clips that are held back."""
        return [clip for clip, held in zip(self.clips, self.held, strict=True) if held]


def save(
    path: Path,
    kind: str,
    embedder: Embedder,
    names: Sequence[str],
    clips: Sequence[NDArray[np.float32]],
    held: Sequence[bool],
    classes: Sequence[str] = (),
    sources: Sequence[str] = (),
) -> None:
    """Write a reference as an npz: frames as bytes (lossless) if the embedder has a quantum, else as float16.

    `classes`, `sources`: those of each clip, see `class_of` and `source_of`.
    """
    if not embedder.quantum:
        clips = [clip.astype(np.float16) for clip in clips]
    content = hashlib.sha256(embedder.signature.encode() + bytes(held))
    for clip in clips:
        content.update(quantise(clip, embedder.quantum).tobytes())
    facts = {
        "kind": kind,
        "signature": embedder.signature,
        "held": list(held),
        "digest": content.hexdigest()[:16],
        "classes": list(classes),
        "sources": list(sources),
    }
    save_frames(path, names, clips, embedder.quantum, facts)


def open_reference(path: Path) -> Reference:
    """Read a reference that `save` wrote.

    Raises:
        UsageError: the file is missing or not a reference.
    """
    stored = load_frames(path)
    try:
        facts = {name: stored.facts[name] for name in ("kind", "signature", "digest", "held")}
    except KeyError as error:
        raise UsageError(
            f"{path} is not a reference, {error} is missing; `innerear reference build` writes one"
        ) from error
    more = {name: stored.facts.get(name, ()) for name in ("classes", "sources")}
    return Reference(names=stored.names, clips=stored.clips, **facts, **more)


def shipped_folder() -> Path:
    """The folder named by `INNEREAR_REFERENCES`, or else of the bundled references."""
    if named := os.environ.get("INNEREAR_REFERENCES"):
        return Path(named)
    return Path(str(resources.files(__package__).joinpath("data")))


def digests_of(embedders: Iterable[str]) -> dict[str, str]:
    """The SHA-256 of each reference file for these embedders, by its name."""
    paths = [path for name in embedders for path in shipped_folder().glob(f"*.{name}.npz")]
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


@functools.lru_cache(maxsize=32)
def find_reference(kind: str, embedder: str) -> Reference | None:
    """The reference of this kind for this embedder, or `None` if there is none."""
    path = shipped_folder() / f"{kind}.{embedder}.npz"
    return open_reference(path) if path.exists() else None
