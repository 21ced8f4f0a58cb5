"""Track the fundamental frequency (f0) of a sound, after McLeod and Wyvill (2005).

Frequencies are in hertz, intervals in cents (1200 to the octave). Silence and noise have no f0.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from innerear.dsp.parabola import vertex

FMIN_HZ, FMAX_HZ = 25.0, 4500.0
WINDOW_S, HOP_S = 0.096, 0.02
PEAK_SHARE = 0.9  # the period is the first key maximum with at least this share of the highest
CLEAR = 0.7  # a frame with a lower NSDF at the period has no f0
STEADY_DB = 20.0  # frames this far below the loudest are ignored
ATTACK_S = 0.05  # attack of a struck note, during which f0 is not yet stable
BLOCK = 64  # frames processed at a time, to limit memory
LEAST_CLEAR_SHARE = 0.3  # a sound with a smaller share of clear steady frames has no f0


@dataclass(frozen=True, eq=False)
class F0Track:
    """f0 over time, all of shape (frames,): `f0_hz` is NaN if there is none, `clarity` is 0 to 1."""

    times_s: NDArray[np.float64]
    f0_hz: NDArray[np.float64]
    clarity: NDArray[np.float64]
    level_db: NDArray[np.float64]


def cents(estimate_hz: float, reference_hz: float) -> float:
    """Signed distance, 1200 * log2(estimate / reference); 100 cents are a semitone.

    >>> round(cents(446.0, 440.0), 1)
    23.4
    """
    return 1200 * float(np.log2(estimate_hz / reference_hz))


def track_f0(
    samples: NDArray[np.float32], sample_rate: int, window_s: float = WINDOW_S, hop_s: float = HOP_S
) -> F0Track:
    """Track f0 between 25 and 4500 Hz by the normalised square difference function (NSDF).

    A shorter window follows a vibrato more closely, but does not reach as low. P. McLeod, G. Wyvill, "A
    smarter way to find pitch", ICMC 2005: the first key maximum of at least 0.9 of the highest, refined by
    parabolic interpolation.
    """
    length, hop = round(window_s * sample_rate), round(hop_s * sample_rate)
    if len(samples) < length:
        samples = np.pad(samples, (0, length - len(samples)))
    frames = np.lib.stride_tricks.sliding_window_view(samples, length)[::hop]
    f0, clarity, level_db = np.empty(len(frames)), np.empty(len(frames)), np.empty(len(frames))
    for start in range(0, len(frames), BLOCK):
        part = slice(start, start + BLOCK)
        nsdf, level_db[part] = normal_differences(frames[part], sample_rate)
        f0[part], clarity[part] = _periods(nsdf, sample_rate)
    quiet = level_db <= max(level_db.max() - 60, -100)
    f0[quiet], clarity[quiet] = np.nan, 0.0
    return F0Track((np.arange(len(frames)) * hop + length / 2) / sample_rate, f0, clarity, level_db)


def normal_differences(
    frames: NDArray[np.float32], sample_rate: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """NSDF of each frame, (frames, lags), and its level in dB."""
    import scipy.fft

    length = frames.shape[1]
    frames = frames.astype(np.float32)
    frames -= frames.mean(axis=1, keepdims=True)
    longest = min(length // 2 + 1, round(sample_rate / FMIN_HZ) + 2)
    size = scipy.fft.next_fast_len(length + longest, real=True)
    spectrum = scipy.fft.rfft(frames, size, axis=1)
    correlation = scipy.fft.irfft(spectrum.real**2 + spectrum.imag**2, size, axis=1)[:, :longest]
    squares = frames.astype(np.float64) ** 2
    total = squares.sum(axis=1)
    head = np.cumsum(squares[:, : longest - 1], axis=1)  # energy that a lag cuts off at the start ...
    tail = np.cumsum(squares[:, : length - longest : -1], axis=1)  # ... and at the end
    energy = np.empty((len(frames), longest))  # m(tau) of eq. 6
    energy[:, 0] = 2 * total
    energy[:, 1:] = 2 * total[:, None] - head - tail
    nsdf = 2 * correlation / np.maximum(energy, 1e-12)
    return nsdf, 10 * np.log10(np.maximum(total / length, 1e-20))


def _periods(nsdf: NDArray[np.float64], sample_rate: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """f0 in Hz and clarity of each frame; NaN and 0 if there is no maximum in range."""
    rows, lags = np.arange(len(nsdf)), np.arange(nsdf.shape[1])
    negative = nsdf < 0
    first = np.where(negative.any(axis=1), negative.argmax(axis=1), nsdf.shape[1])
    start = np.maximum(first, int(sample_rate / FMAX_HZ))
    inner = nsdf[:, 1:-1]
    peaks = (inner > nsdf[:, :-2]) & (inner >= nsdf[:, 2:]) & (inner > 0) & (lags[1:-1] > start[:, None])
    heights = np.where(peaks, inner, 0.0)
    chosen = 1 + np.argmax(peaks & (heights >= PEAK_SHARE * heights.max(axis=1, keepdims=True)), axis=1)
    shift, height = vertex(nsdf[rows, chosen - 1], nsdf[rows, chosen], nsdf[rows, chosen + 1])
    some = peaks.any(axis=1)
    lag = np.where(some, chosen + shift, np.nan)  # without a maximum the sum may be 0
    return sample_rate / lag, np.where(some, np.minimum(1.0, height), 0.0)


def steady_f0(samples: NDArray[np.float32], sample_rate: int) -> float | None:
    """Median f0 in Hz over the steady part, or `None` if there is no f0.

    The steady part is within 20 dB of the loudest frame and starts 50 ms after the first such frame; at
    least 0.3 of its frames must be clear.
    """
    track = track_f0(samples, sample_rate)
    if track.level_db.max() < -80:
        return None
    loud = track.level_db > track.level_db.max() - STEADY_DB
    settled = loud & (track.times_s >= track.times_s[np.argmax(loud)] + ATTACK_S)
    steady = settled if settled.sum() >= 3 else loud
    clear = steady & (track.clarity >= CLEAR)
    if clear.sum() < LEAST_CLEAR_SHARE * steady.sum():
        return None
    return float(np.median(track.f0_hz[clear]))
