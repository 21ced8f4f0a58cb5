"""`mel`: log-mel statistics, with no weights and no learning.

A stand-in for use offline. It hears the spectrum and how much it moves, and nothing of what a
listener would call the sound; a distance on it is no perceptual measure.
"""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import NDArray

from innerear.dsp.mel import htk_hz, htk_mel, triangles
from innerear.embed.loudness import LoudnessRule, words
from innerear.embed.windows import Cut, Frames, Samples, Windowed, windows

SAMPLE_RATE = 16_000  # Hz
N_FFT = 512
HOP_LENGTH = 160  # samples, 10 ms
N_MELS = 64
FMIN_HZ, FMAX_HZ = 50.0, 8_000.0
PATCH, PATCH_HOP = 96, 48  # spectral frames: 0.96 s every 0.48 s
FLOOR_DB = -100.0
CUT = Cut(N_FFT + (PATCH - 1) * HOP_LENGTH, PATCH_HOP * HOP_LENGTH, fill=lambda samples, _: samples)
MOST = 128  # windows at a time


class Mel(Windowed):
    """Per patch of 0.96 s, 64 means over time of mel bands, then 64 standard deviations, in dB / 10."""

    name = "mel"
    dims = 2 * N_MELS
    sample_rate = SAMPLE_RATE
    _cut = CUT
    _most = MOST

    def __init__(self, loudness: LoudnessRule = "active") -> None:
        self._loudness = loudness
        self.signature = f"mel|sr:{SAMPLE_RATE}|win:0.96s|hop:0.48s|pad:zero|loud:{words(loudness)}|v:1"

    def _hear(self, stretch: Samples) -> Frames:
        bands = log_mel(stretch)
        if len(bands) < PATCH:  # zero samples after the end are the floor in every band
            bands = np.pad(bands, ((0, PATCH - len(bands)), (0, 0)), constant_values=FLOOR_DB)
        patches = np.lib.stride_tricks.sliding_window_view(bands, PATCH, axis=0)[::PATCH_HOP]
        statistics = np.concatenate([patches.mean(axis=2), patches.std(axis=2)], axis=1)
        return (statistics / 10).astype(np.float32)


def log_mel(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Power in 64 mel bands, dB re full scale, floor -100 dB; shape (frames, 64)."""
    import scipy.fft

    framed = windows(samples, N_FFT, HOP_LENGTH) * np.hanning(N_FFT + 1)[:-1].astype(np.float32)
    power = np.abs(scipy.fft.rfft(framed, axis=1)) ** 2 / (N_FFT / 4) ** 2
    bands: NDArray[np.float32] = 10 * np.log10(np.maximum(power @ _filters(), 10 ** (FLOOR_DB / 10)))
    return bands.astype(np.float32)


@functools.cache
def _filters() -> NDArray[np.float32]:
    """Triangles evenly spaced on the HTK mel scale, peak 1, shape (bins, bands)."""
    edges = htk_hz(np.linspace(htk_mel(FMIN_HZ), htk_mel(FMAX_HZ), N_MELS + 2))
    return triangles(np.fft.rfftfreq(N_FFT, 1 / SAMPLE_RATE), edges).astype(np.float32)
