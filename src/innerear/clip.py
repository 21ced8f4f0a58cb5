"""Sound in memory, from files and to files.

A `Clip` is float32 of shape (channels, samples). Metrics take the mean of the channels and
resample with soxr's HQ setting, the same everywhere.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from innerear.errors import AudioError

Samples = NDArray[np.float32]


@dataclass(frozen=True, eq=False, slots=True)
class Clip:
    """Sound in memory: float32, nominally in [-1, 1], shape (channels, samples)."""

    samples: Samples
    sample_rate: int  # Hz

    def __post_init__(self) -> None:
        if self.samples.ndim != 2 or self.samples.shape[0] > 8:
            raise AudioError(
                f"the shape is {self.samples.shape}, wanted (channels, samples) with at most 8 channels; "
                "after soundfile.read(..., always_2d=True), pass samples.T"
            )
        if self.samples.dtype != np.float32:
            raise AudioError(f"the samples are {self.samples.dtype}, wanted float32")
        if self.sample_rate <= 0:
            raise AudioError(f"the sample rate is {self.sample_rate}, wanted a positive number of hertz")

    @property
    def duration_s(self) -> float:
        """Seconds of sound."""
        return self.samples.shape[1] / self.sample_rate

    @property
    def mono(self) -> Samples:
        """The mean of the channels, shape (samples,)."""
        if self.samples.shape[0] == 1:
            return self.samples[0]
        return np.add.reduce(self.samples, axis=0) / np.float32(self.samples.shape[0])

    def at(self, sample_rate: int) -> Samples:
        """The mono signal at another sample rate in hertz, shape (samples,)."""
        if sample_rate == self.sample_rate:
            return self.mono
        import soxr

        return np.asarray(soxr.resample(self.mono, self.sample_rate, sample_rate, quality="HQ"), dtype=np.float32)


def read(source: Path | str | BinaryIO) -> Clip:
    """Read a WAV, FLAC, OGG or MP3 file.

    Raises:
        AudioError: the file is missing, is no audio, is empty, or holds NaN or infinity.
    """
    import soundfile

    name = source if isinstance(source, str | Path) else "the stream"
    try:
        samples, sample_rate = soundfile.read(source, dtype="float32", always_2d=True)
    except (soundfile.LibsndfileError, OSError) as error:
        raise AudioError(f"{name} cannot be read as audio: {error}") from error
    if not len(samples):
        raise AudioError(f"{name} holds no samples")
    if not np.isfinite(samples).all():
        raise AudioError(f"{name} holds NaN or infinity; wanted finite samples")
    return Clip(np.ascontiguousarray(samples.T), int(sample_rate))


def flac(clip: Clip) -> tuple[bytes, float]:
    """The clip as 24-bit FLAC, and the factor that its samples were divided by (1 unless |x| > 1)."""
    import soundfile

    peak = float(np.abs(clip.samples).max(initial=0.0))
    factor = max(1.0, peak)
    stored = clip.samples if factor == 1.0 else clip.samples / np.float32(factor)
    buffer = io.BytesIO()
    soundfile.write(buffer, stored.T, clip.sample_rate, format="FLAC", subtype="PCM_24")
    return buffer.getvalue(), factor
