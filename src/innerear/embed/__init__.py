"""Embedders: a clip becomes frames, and the frames of many clips a distribution.

Every embedder is built once and then called on batches; a batch is only faster. What it does to
a clip before its network (loudness rule, sample rate, windows, padding) is part of its
`signature`, and so of every number made from it.
"""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, cast

from innerear import plugins
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


@dataclass(frozen=True)
class Entry:
    """An embedder that can be opened by name: where its class is, and its properties."""

    where: str
    captions: bool = False  # it is a `CaptionReader`
    gpu: bool = True  # it is faster on a GPU
    perceptual: bool = True  # its distances say something of what is heard
    by_default: bool = False  # used by a run that names no embedder, if it is available
    levelled: bool = False  # one frame for each length a sound fills; for realism and diversity, not for FAD and KAD


EMBEDDERS = {
    "mel": Entry("innerear.embed.mel:Mel", gpu=False, perceptual=False),
    "yamnet": Entry("innerear.embed.yamnet:Yamnet", gpu=False, by_default=True),
    "aisfx": Entry("innerear.embed.aisfx:Aisfx", by_default=True),
    "clap-laion": Entry("innerear.embed.clap:laion", captions=True),
    "clap-laion-int8": Entry("innerear.embed.clap:laion_int8", captions=True),
    "clap-laion-general": Entry("innerear.embed.clap:laion_general", captions=True),
    "clap-laion-music-speech": Entry("innerear.embed.clap:laion_music_speech", captions=True),
    "vggish": Entry("innerear.embed.vggish:google"),
    "vggish-torch": Entry("innerear.embed.vggish:torchvggish"),
    "panns-cnn14": Entry("innerear.embed.panns:Cnn14"),
    "encodec-24khz": Entry("innerear.embed.encodec:sparse"),
    "encodec-24khz-all": Entry("innerear.embed.encodec:whole"),
    "yamnet-levelled": Entry("innerear.embed.levelled:yamnet", gpu=False, levelled=True),
    "aisfx-levelled": Entry("innerear.embed.levelled:aisfx", levelled=True),
    "telltales": Entry("innerear.embed.levelled:Telltales", gpu=False, perceptual=False),
}

BY_DEFAULT = tuple(name for name, entry in EMBEDDERS.items() if entry.by_default)
"""The first that is available is in the headline."""

LEVELLED = tuple(name for name, entry in EMBEDDERS.items() if entry.levelled)
"""Spaces of levelled sounds, in which realism and diversity are measured, not FAD and KAD."""

TELLTALES = "telltales"
"""The descriptors that say in words what gives levelled sounds away; it is not scored itself."""


def open_embedder(name: str, loudness: LoudnessRule = "active") -> Embedder:
    """The embedder of this name, ready to be called; also that of a plug-in.

    Raises:
        UsageError: no such embedder. WeightsUnavailable: its weights or its package are not here.
    """
    if name not in EMBEDDERS and (plugin := plugins.find("embedders", name)) is not None:
        from innerear.embed.plugged import Plugged

        return Plugged.of(plugin, loudness)
    check_embedder(name)
    module, _, attribute = EMBEDDERS[name].where.partition(":")
    return cast(Embedder, getattr(importlib.import_module(module), attribute)(loudness=loudness))


def check_embedder(name: str) -> None:
    """Raise a `UsageError` that suggests a similar name if there is no embedder of this name; nothing is opened."""
    if name in EMBEDDERS or plugins.is_here("embedders", name):
        return
    known = [*EMBEDDERS, *plugins.installed("embedders")]
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    raise UsageError(f"no embedder {name!r}; there are {', '.join(known)}{hint}")


def entry(name: str) -> Entry:
    """The properties of the embedder of this name; those of a plug-in are the defaults."""
    return EMBEDDERS.get(name) or Entry(name)


def is_perceptual(name: str) -> bool:
    """Whether distances by the embedder of this name say something of what is heard."""
    return entry(name).perceptual


def is_levelled(signature: str) -> bool:
    """Whether the embedder of this signature levels sounds and gives a frame for each length they fill."""
    return "|level:" in signature


def reads_captions(name: str) -> bool:
    """Whether the embedder of this name is a `CaptionReader`."""
    return entry(name).captions
