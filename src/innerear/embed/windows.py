"""How a signal of any length becomes windows: one rule for arrays, files and streams.

A signal is a thing that gives its blocks again each time it is asked, because the loudness rule
has to hear all of it before a network hears any.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from innerear.clip import Clip, stream_mono
from innerear.embed.loudness import LoudnessRule, gain

Samples = NDArray[np.float32]
Frames = NDArray[np.float32]
Signal = Callable[[], Iterable[Samples]]
"""The mono signal at an embedder's sample rate, in blocks of any length, from its start."""


def windows(samples: Samples, length: int, hop: int) -> Samples:
    """The windows that fit whole, shape (windows, length); a shorter signal is one, padded with zeros.

    >>> windows(np.arange(5, dtype=np.float32), 3, 2).tolist()
    [[0.0, 1.0, 2.0], [2.0, 3.0, 4.0]]
    """
    if len(samples) < length:
        samples = np.pad(samples, (0, length - len(samples)))
    return np.lib.stride_tricks.sliding_window_view(samples, length)[::hop]


def zeros_after(samples: Samples, length: int) -> Samples:
    """A short signal, then zeros up to a length."""
    return np.pad(samples, (0, max(0, length - len(samples))))


def repeated(samples: Samples, length: int) -> Samples:
    """A short signal as often as it fits whole, then zeros: what CLAP was trained on.

    >>> repeated(np.array([1, 2], dtype=np.float32), 5).tolist()
    [1.0, 2.0, 1.0, 2.0, 0.0]
    """
    return zeros_after(np.tile(samples, max(1, length // max(1, len(samples)))), length)


@dataclass(frozen=True)
class Cut:
    """Windows of `length` samples every `hop`, which is no more than `length`.

    `tail`: what is left after the last whole window is dropped, heard by one more window that ends
    where the signal ends, or heard as a short signal is (`rest`). `fill` makes a window of a signal
    that is shorter than one.
    """

    length: int
    hop: int
    tail: Literal["drop", "end", "rest"] = "drop"
    fill: Callable[[Samples, int], Samples] = zeros_after

    def stretches(self, blocks: Iterable[Samples], most: int) -> Iterator[Samples]:
        """The signal in stretches of whole windows, at most so many in one, at least one in all."""
        buffer = recent = np.zeros(0, np.float32)
        windows = 0
        full, step = self.length + (most - 1) * self.hop, most * self.hop
        for block in blocks:
            recent = np.concatenate([recent[-self.length :], block])
            buffer = np.concatenate([buffer, block])
            while len(buffer) >= full:
                yield buffer[:full]
                buffer = buffer[step:]
                windows += most
        if not windows and len(buffer) < self.length:
            yield self.fill(buffer, self.length)
            return
        count = max(0, (len(buffer) - self.length) // self.hop + 1)
        if count:
            yield buffer[: self.length + (count - 1) * self.hop]
        reached = (count - 1) * self.hop + self.length  # samples of the buffer that whole windows cover
        if self.tail == "end" and len(buffer) > reached:
            yield recent[-self.length :]
        if self.tail == "rest" and len(buffer) > reached:
            yield self.fill(buffer[reached:], self.length)


class Windowed(ABC):
    """An embedder that hears a signal in windows, the same ones from an array and from a file."""

    sample_rate: int
    quantum: float | None = None
    _loudness: LoudnessRule
    _cut: Cut
    _most = 1  # windows that `_hear` is given at a time

    def embed(self, clips: Sequence[Clip]) -> list[Frames]:
        """The frames of each clip, (frames, dims)."""
        return [self._frames_of_array(clip.at(self.sample_rate)) for clip in clips]

    def embed_file(self, path: Path) -> Frames:
        """The frames of a file of any length, (frames, dims)."""
        return self._frames(lambda: stream_mono(path, self.sample_rate))

    def _frames_of_array(self, samples: Samples) -> Frames:
        return self._frames(lambda: [samples])

    def _frames(self, signal: Signal) -> Frames:
        """Its level set, cut into stretches, each heard by the network."""
        factor = np.float32(gain(signal(), self.sample_rate, self._loudness))
        stretches = self._cut.stretches(self._heard(signal()), self._most)
        return np.concatenate([self._hear(stretch * factor) for stretch in stretches])

    def _heard(self, blocks: Iterable[Samples]) -> Iterable[Samples]:
        """What of a signal is cut into windows: all of it, as it is."""
        return blocks

    @abstractmethod
    def _hear(self, stretch: Samples) -> Frames:
        """The frames of a stretch that holds whole windows, or of what `fill` made of less than one."""
