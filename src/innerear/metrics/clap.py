"""Compare one sound with captions, without a run: what `innerear clap` prints."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import cast

import msgspec
import numpy as np
from numpy.typing import NDArray

from innerear.clip import Clip
from innerear.embed import EMBEDDERS, CaptionReader, open_embedder, reads_captions
from innerear.embed.windows import Frames
from innerear.errors import UsageError

ANCHOR_S = 10.0
"""Duration of noise and silence; the embedder repeats shorter sounds to this length anyway."""


class Heard(msgspec.Struct, frozen=True):
    """Cosine similarity of a caption with the sound, with white noise and with silence."""

    caption: str
    cosine: float
    noise: float
    silence: float


class Held(msgspec.Struct, frozen=True):
    """A sound compared with captions, closest first; `embedder`: signature of both towers."""

    captions: list[Heard]
    windows: int
    embedder: str


def hold(audio: Path, captions: Sequence[str], embedder: str = "clap-laion") -> Held:
    """Compare a file of any length with captions.

    Raises:
        UsageError: the embedder does not support captions, or a caption is empty.
        AudioError: the file cannot be read.
        WeightsUnavailable: the weights are not installed.
    """
    if not reads_captions(embedder):
        raise UsageError(f"{embedder} does not support captions; {', '.join(filter(reads_captions, EMBEDDERS))} do")
    opened = cast(CaptionReader, open_embedder(embedder))
    texts = opened.read(captions)
    frames = opened.embed_file(audio)
    samples = round(ANCHOR_S * opened.sample_rate)
    white = np.random.default_rng(0).normal(0, 0.1, (1, samples)).astype(np.float32)
    noise, silence = opened.embed([Clip(made, opened.sample_rate) for made in (white, np.zeros_like(white))])
    columns = (cosines(one, texts).tolist() for one in (frames, noise, silence))
    found = [Heard(caption, *values) for caption, *values in zip(captions, *columns, strict=True)]
    return Held(sorted(found, key=lambda heard: -heard.cosine), len(frames), opened.signature)


def cosines(frames: Frames, texts: Frames) -> NDArray[np.float64]:
    """Cosine of a sound, (frames, dims), with each caption, (captions, dims); all rows have unit length.

    >>> sound, texts = np.eye(2, dtype=np.float32), np.array([[1, 0], [-1, 0]], dtype=np.float32)
    >>> cosines(sound, texts).round(4).tolist()
    [0.7071, -0.7071]
    """
    mean = frames.mean(axis=0, dtype=np.float64)
    found: NDArray[np.float64] = texts.astype(np.float64) @ mean / max(float(np.linalg.norm(mean)), 1e-12)
    return found
