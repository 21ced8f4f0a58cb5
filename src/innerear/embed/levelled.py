"""Embeddings of levelled sounds: the spaces in which sounds are told from recordings.

What says nothing about a sound (sample rate, gain, padding, clipping, length, codec) is levelled before an
embedder hears it, see `dsp.levelling`. A sound has one frame for each of the lengths it fills, the shortest first:
sounds are compared at a length that both have.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from innerear.clip import Clip, read_mono
from innerear.dsp import levelling, telltales
from innerear.embed.aisfx import Aisfx
from innerear.embed.loudness import LoudnessRule
from innerear.embed.windows import Frames
from innerear.embed.yamnet import Yamnet

SUFFIX = "-levelled"


class Levelled:
    """The mean frame of another embedder's frames of each cut of the levelled sound."""

    quantum = None
    sample_rate = levelling.SAMPLE_RATE

    def __init__(self, of: Aisfx | Yamnet) -> None:
        self._of = of
        self.name, self.dims = f"{of.name}{SUFFIX}", of.dims
        self.signature = f"{of.signature}|level:{levelling.RULE}|mean|v:2"

    def embed(self, clips: Sequence[Clip]) -> list[Frames]:
        """One frame for each length that a clip fills, (1 to 3, dims)."""
        cuts = [levelling.cuts(clip) for clip in clips]
        frames = iter(self._of.embed([cut for of_clip in cuts for cut in of_clip]))
        return [np.stack([next(frames).mean(axis=0) for _ in of_clip]) for of_clip in cuts]

    def embed_file(self, path: Path) -> Frames:
        """The frames of a file."""
        return self.embed([read_mono(path, self.sample_rate)])[0]


class Telltales:
    """The descriptors of `dsp.telltales` of each cut of the levelled sound; no weights."""

    name, dims, quantum = "telltales", len(telltales.WORDS), None
    sample_rate = levelling.SAMPLE_RATE
    signature = f"telltales|sr:{sample_rate}|win:2s|hop:none|pad:none|loud:rms-20dBFS|level:{levelling.RULE}|v:2"

    def __init__(self, loudness: LoudnessRule = "active") -> None:
        """Levelled sounds have one level, so there is no loudness rule to choose."""

    def embed(self, clips: Sequence[Clip]) -> list[Frames]:
        """One frame for each length that a clip fills, (1 to 3, 12)."""
        return [np.stack([telltales.telltales(cut.mono) for cut in levelling.cuts(clip)]) for clip in clips]

    def embed_file(self, path: Path) -> Frames:
        """The frames of a file."""
        return self.embed([read_mono(path, self.sample_rate)])[0]


def yamnet(loudness: LoudnessRule = "active") -> Levelled:
    """YAMNet's layer of 1024 numbers, of levelled sounds."""
    return Levelled(Yamnet(loudness))


def aisfx(loudness: LoudnessRule = "active") -> Levelled:
    """The 512 numbers of aiSFX, of levelled sounds."""
    return Levelled(Aisfx(loudness))
