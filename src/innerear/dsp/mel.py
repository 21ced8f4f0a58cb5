"""Spectra and mel bands, as the networks that hear them were trained on."""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import NDArray

from innerear.clip import Samples

Array = NDArray[np.floating]

BLOCK = 32  # frames at a time: what stays in a core's cache is twice as fast


def hann(length: int) -> Array:
    """The periodic Hann window."""
    return np.hanning(length + 1)[:-1]


def spectrum(samples: NDArray[np.floating], window: Array, n_fft: int, hop_length: int) -> NDArray[np.complex128]:
    """The Fourier transform of each windowed frame that fits whole, shape (frames, n_fft // 2 + 1).

    In float64: in float32 the bands where a pure tone is not would be rounding noise.
    """
    import scipy.fft

    framed = np.lib.stride_tricks.sliding_window_view(samples, len(window))[::hop_length] * window
    found: NDArray[np.complex128] = scipy.fft.rfft(framed, n_fft, axis=1)
    return found


def htk_mel(hz: NDArray[np.float64] | float) -> NDArray[np.float64]:
    """Frequency in hertz on the mel scale of HTK, after O'Shaughnessy (1987).

    >>> round(float(htk_mel(1000.0)))
    1000
    """
    return np.asarray(2595 * np.log10(1 + np.asarray(hz) / 700))


def htk_hz(mels: NDArray[np.float64]) -> NDArray[np.float64]:
    """Frequency in hertz of mels, the inverse of `htk_mel`."""
    return np.asarray(700 * (10 ** (mels / 2595) - 1))


def triangles(bins: Array, edges: Array) -> Array:
    """Filters of peak 1 between neighbouring edges, shape (bins, len(edges) - 2); both on the same scale."""
    rising = (bins[:, None] - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins[:, None]) / (edges[2:] - edges[1:-1])
    return np.maximum(0, np.minimum(rising, falling))


def slaney_log_mel(samples: Samples, sample_rate: int, hop_length: int) -> NDArray[np.float32]:
    """Power in 64 mel bands from 50 Hz to 14 kHz, in dB, floor -100 dB: what CLAP and PANNs hear.

    Frames of 1024 samples, centred, the ends mirrored; shape (1 + samples // hop_length, 64).
    """
    mirrored = np.pad(samples, 512, mode="reflect")
    count = 1 + len(samples) // hop_length
    window, filters = hann(1024), slaney_filters(sample_rate, 1024, 64, 50.0, 14_000.0)
    filters = filters[: -(-14_000 * 1024 // sample_rate)]  # bins from 14 kHz on are in no band
    power = np.empty((count, 64))
    for start in range(0, count, BLOCK):
        piece = mirrored[start * hop_length : (start + BLOCK - 1) * hop_length + 1024]
        found = spectrum(piece, window, 1024, hop_length)[:, : len(filters)]
        power[start : start + BLOCK] = (found.real**2 + found.imag**2) @ filters
    decibels: NDArray[np.float32] = (10 * np.log10(np.maximum(power, 1e-10))).astype(np.float32)
    return decibels


@functools.cache
def slaney_filters(sample_rate: int, n_fft: int, bands: int, low_hz: float, high_hz: float) -> Array:
    """Filters of area 1, shape (n_fft // 2 + 1, bands), on the scale of Slaney's Auditory Toolbox (1998).

    It is linear below 1 kHz and logarithmic above.
    """
    step, knee_hz, log_step = 200 / 3, 1000.0, np.log(6.4) / 27

    def mel(hz: float) -> float:
        return hz / step if hz < knee_hz else knee_hz / step + float(np.log(hz / knee_hz)) / log_step

    mels = np.linspace(mel(low_hz), mel(high_hz), bands + 2)
    edges = np.where(mels < 15, mels * step, knee_hz * np.exp((mels - 15) * log_step))
    filters = triangles(np.fft.rfftfreq(n_fft, 1 / sample_rate), edges)
    return filters * (2 / (edges[2:] - edges[:-2]))


def htk_log_mel(samples: Samples) -> NDArray[np.float32]:
    """Magnitude in 64 mel bands from 125 Hz to 7.5 kHz, log(x + 0.01), at 16 kHz: what VGGish hears.

    Frames of 25 ms every 10 ms that fit whole; shape (frames, 64).
    """
    found = np.abs(spectrum(samples, hann(400), 512, 160))
    bands: NDArray[np.float32] = np.log(found @ _htk_filters() + 0.01).astype(np.float32)
    return bands


@functools.cache
def _htk_filters() -> Array:
    """Triangles on the HTK mel scale itself, not in hertz; the constant term is in none."""

    def mel(hz: Array) -> Array:
        return 1127 * np.log1p(hz / 700)

    low, high = mel(np.array([125.0, 7500.0]))
    filters = triangles(mel(np.fft.rfftfreq(512, 1 / 16_000)), np.linspace(low, high, 64 + 2))
    filters[0] = 0
    return filters
