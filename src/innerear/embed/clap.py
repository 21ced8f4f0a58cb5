"""`clap-laion` and its larger sisters: sounds and captions in one space (Wu et al., arXiv 2211.06687).

Where others take one random crop of 10 s from a longer clip, these hear windows of 10 s every 5 s,
the last of them ending with the clip; a shorter clip is repeated as often as it fits, then zeros,
as in training. A caption is as many tokens as it has, at most 77: published text towers take no
mask, so padding would be heard.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from innerear.compute.threads import ordered
from innerear.dsp.mel import slaney_log_mel
from innerear.embed.loudness import LoudnessRule, words
from innerear.embed.network import Network
from innerear.embed.weights import Weights, fetch
from innerear.embed.windows import Cut, Frames, Samples, Windowed, repeated, windows
from innerear.errors import UsageError, WeightsUnavailable
from innerear.stats import grouped

SAMPLE_RATE = 48_000  # Hz
HOP_LENGTH = 480  # samples, 10 ms
CUT = Cut(length=10 * SAMPLE_RATE, hop=5 * SAMPLE_RATE, tail="end", fill=repeated)
MOST_TOKENS = 77  # with the two that stand around a caption; as in training


class Clap(Windowed):
    """Both towers of one checkpoint. `embed` hears clips, `read` reads captions; all frames have length 1."""

    sample_rate = SAMPLE_RATE
    _cut = CUT

    def __init__(self, name: str, loudness: LoudnessRule = "active") -> None:
        self.name = name
        self._loudness = loudness
        files = fetch(name)
        audio, text, tokens = (files[file] for file in ("audio.onnx", "text.onnx", "tokenizer.json"))
        self._audio = Network(audio, "input_features", "audio_embeds")
        self._most = self._audio.batch
        self._text = _TextTower(text, tokens)
        self.dims = self._audio.dims
        self.signature = (
            f"{name}@{'+'.join(file.sha256[:8] for file in (audio, text, tokens))}|sr:{SAMPLE_RATE}|win:10s|hop:5s"
            f"|tail:end|pad:repeat|unit|loud:{words(loudness)}|tokens:{MOST_TOKENS}|v:1"
        )

    def read(self, captions: Sequence[str]) -> Frames:
        """One frame of length 1 a caption, (captions, dims); what is beyond 77 tokens is not read.

        Raises:
            UsageError: a caption is empty.
        """
        return unit(self._text(captions))

    def _hear(self, stretch: Samples) -> Frames:
        cut = windows(stretch, CUT.length, CUT.hop)
        heard = np.stack([slaney_log_mel(window, SAMPLE_RATE, HOP_LENGTH) for window in cut])
        return unit(self._audio(heard[:, None]))


def unit(frames: Frames) -> Frames:
    """Each frame at length 1."""
    lengths = np.linalg.norm(frames, axis=1, keepdims=True)
    scaled: Frames = (frames / np.maximum(lengths, 1e-12)).astype(np.float32)
    return scaled


class _TextTower:
    """Opened when the first caption is read: it is half a gigabyte that distances have no use for."""

    def __init__(self, weights: Weights, tokens: Weights) -> None:
        self._weights, self._tokens = weights, tokens
        self._lock = threading.Lock()
        self._opened: tuple[Any, Network] | None = None

    def __call__(self, captions: Sequence[str]) -> Frames:
        if empty := [place for place, caption in enumerate(captions, 1) if not caption.strip()]:
            raise UsageError(f"caption {empty[0]} is empty; wanted a few words that say what is to be heard")
        with self._lock:
            self._opened = self._opened or self._open()
        tokenizer, network = self._opened
        tokens = [encoding.ids for encoding in tokenizer.encode_batch(list(captions))]
        alike = grouped((len(ids), place) for place, ids in enumerate(tokens))
        batches = [same[i : i + 16] for same in alike.values() for i in range(0, len(same), 16)]

        def frames(batch: list[int]) -> Frames:
            ids: NDArray[np.int64] = np.array([tokens[place] for place in batch], dtype=np.int64)
            return network(ids)

        found = np.empty((len(captions), network.dims), np.float32)
        for batch, read in zip(batches, ordered(frames, batches), strict=True):
            found[batch] = read
        return found

    def _open(self) -> tuple[Any, Network]:
        try:
            from tokenizers import Tokenizer
        except ImportError as error:
            raise WeightsUnavailable("captions need the package tokenizers: pip install 'innerear[clap]'") from error
        try:
            tokenizer = Tokenizer.from_file(str(self._tokens.path))
        except Exception as error:  # the package raises bare Exception
            raise WeightsUnavailable(f"{self._tokens.path} is no tokenizer: {error}") from error
        tokenizer.no_padding()
        tokenizer.enable_truncation(MOST_TOKENS)
        return tokenizer, Network(self._weights, "input_ids", "text_embeds")


laion = partial(Clap, "clap-laion")
laion_int8 = partial(Clap, "clap-laion-int8")
laion_general = partial(Clap, "clap-laion-general")
laion_music_speech = partial(Clap, "clap-laion-music-speech")
