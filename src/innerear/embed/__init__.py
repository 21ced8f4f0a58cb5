"""Embedders: a clip becomes frames, and the frames of many clips a distribution.

Every embedder is built once and then called on batches; a batch is only faster. What it does to
a clip before its network (loudness rule, sample rate, windows, padding) is part of its
`signature`, and so of every number made from it.
"""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, cast

from innerear.clip import Clip
from innerear.embed.loudness import LoudnessRule
from innerear.embed.windows import Frames as Frames
from innerear.errors import UsageError


class Embedder(Protocol):
    """What scoring relies on; `tests/test_embed.py` holds every embedder to it."""

    name: str
    dims: int
    sample_rate: int  # Hz, of what the network hears
    signature: str
    quantum: float | None  # frames are whole multiples of it, 0 to 255; `None`: any float

    def embed(self, clips: Sequence[Clip]) -> list[Frames]:
        """The frames of each clip, float32 of shape (frames, dims), at least one a clip."""
        ...

    def embed_file(self, path: Path) -> Frames:
        """The frames of a file of any length, as `embed` gives them, without holding its sound in memory."""
        ...


class CaptionReader(Embedder, Protocol):
    """An embedder that puts captions into the space of its sounds."""

    def read(self, captions: Sequence[str]) -> Frames:
        """One frame a caption, (captions, dims)."""
        ...


EMBEDDERS = {
    "mel": "innerear.embed.mel:Mel",
    "yamnet": "innerear.embed.yamnet:Yamnet",
    "aisfx": "innerear.embed.aisfx:Aisfx",
    "clap-laion": "innerear.embed.clap:laion",
    "clap-laion-int8": "innerear.embed.clap:laion_int8",
    "clap-laion-general": "innerear.embed.clap:laion_general",
    "clap-laion-music-speech": "innerear.embed.clap:laion_music_speech",
    "vggish": "innerear.embed.vggish:google",
    "vggish-torch": "innerear.embed.vggish:torchvggish",
    "panns-cnn14": "innerear.embed.panns:Cnn14",
    "encodec-24khz": "innerear.embed.encodec:sparse",
    "encodec-24khz-all": "innerear.embed.encodec:whole",
}


BY_DEFAULT = ("yamnet", "aisfx")
"""What a run hears with that names no embedder: each that can be had, the first of them in its headline."""


def open_embedder(name: str, loudness: LoudnessRule = "active") -> Embedder:
    """The embedder of this name, ready to be called.

    Raises:
        UsageError: no such embedder. WeightsUnavailable: its weights or its package are not here.
    """
    if name not in EMBEDDERS:
        near = difflib.get_close_matches(name, EMBEDDERS, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise UsageError(f"no embedder {name!r}; there are {', '.join(EMBEDDERS)}{hint}")
    module, _, attribute = EMBEDDERS[name].partition(":")
    return cast(Embedder, getattr(importlib.import_module(module), attribute)(loudness=loudness))


def reads_captions(name: str) -> bool:
    """Whether the embedder of this name is a `CaptionReader`."""
    return name.startswith("clap-")


def uses_gpu(name: str) -> bool:
    """Whether the embedder of this name is faster on a GPU."""
    return name not in ("mel", "yamnet")
