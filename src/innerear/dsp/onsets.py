"""Find onsets by spectral flux, and count events by level.

Times are in seconds from the first sample. An onset is a moment at which energy appears in some part
of the spectrum: a click, a struck or blown note, also a note that follows another without a gap.
Silence has no onsets; steady noise has one.
"""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import NDArray

from innerear.dsp.silence import is_silent

SAMPLE_RATE = 44_100  # Hz; clips are resampled to it
N_FFT, HOP = 2048, 220  # samples: 46 ms, 5 ms
NEIGHBOURS = 3  # width of the maximum filter in bands, against vibrato
LAG = 8  # frames over which a rise is measured
BANDS_PER_OCTAVE = 24
FMIN_HZ, FMAX_HZ = 40.0, 16_000.0
POWER = 0.3  # exponent of loudness over intensity
PEAK_S = 0.03  # an onset is the maximum of the flux within this time on both sides ...
MEAN_BEFORE_S, MEAN_AFTER_S = 0.1, 0.07  # ... and exceeds the mean over these times ...
LEAST_RISE = 0.08  # ... by this share of the maximum loudness
APART_S = 0.05  # onsets closer than this are merged
EARLY_S = 0.010  # a struck sound starts this much before the peak of the flux (see docs/metrics.md)
EVENT_DIP_DB, EVENT_RANGE_DB = 6.0, 25.0
EVENT_SMOOTH_S = 0.03

Floats = NDArray[np.float64]


@functools.cache
def _bands(n_fft: int, sample_rate: int) -> NDArray[np.intp]:
    """First bin of each log-spaced band, and one past the last; no band is empty."""
    octaves = np.log2(FMAX_HZ / FMIN_HZ)
    edges = FMIN_HZ * 2 ** (np.arange(int(octaves * BANDS_PER_OCTAVE) + 1) / BANDS_PER_OCTAVE)
    return np.unique(np.round(edges * n_fft / sample_rate).astype(np.intp))


def flux(samples: NDArray[np.float32]) -> Floats:
    """Spectral flux every 5 ms, as a share of the maximum loudness; frame i is at i * HOP.

    After S. Böck, G. Widmer, "Maximum filter vibrato suppression for onset detection", DAFx 2013:
    log-spaced bands, each compared with the maximum of its neighbours `LAG` frames earlier. Band levels
    are compressed to loudness (Stevens' power law, intensity to the 0.3).
    """
    import scipy.fft
    from scipy.ndimage import maximum_filter1d

    padded = np.concatenate([np.zeros(N_FFT // 2 + LAG * HOP, np.float32), samples, samples[-N_FFT // 2 :][::-1]])
    frames = np.lib.stride_tricks.sliding_window_view(np.pad(padded, (0, max(0, N_FFT - len(padded)))), N_FFT)[::HOP]
    power = np.abs(scipy.fft.rfft(frames * np.hanning(N_FFT).astype(np.float32), axis=1)) ** 2
    banded = np.add.reduceat(power, _bands(N_FFT, SAMPLE_RATE), axis=1)[:, :-1]
    loudness = np.maximum(banded, 0) ** POWER
    before = maximum_filter1d(loudness, NEIGHBOURS, axis=1)[:-LAG]
    rise = np.maximum(loudness[LAG:] - before, 0).sum(axis=1)
    return np.asarray(rise / max(float(loudness.sum(axis=1).max()), 1e-20), dtype=np.float64)


def find_onsets(samples: NDArray[np.float32], least_rise: float = LEAST_RISE) -> Floats:
    """Onset times in seconds of a signal at 44.1 kHz, ascending; none for silence.

    `least_rise`: of the flux above its mean; a smaller one finds what begins softly while louder notes ring on.
    """
    from scipy.ndimage import maximum_filter1d

    if is_silent(samples):
        return np.zeros(0)
    rise = flux(samples)
    hop_s = HOP / SAMPLE_RATE
    reach = round(PEAK_S / hop_s)
    highest = rise == maximum_filter1d(rise, 2 * reach + 1)
    before, after = round(MEAN_BEFORE_S / hop_s), round(MEAN_AFTER_S / hop_s)
    sums = np.concatenate([[0.0], np.cumsum(rise)])
    places = np.arange(len(rise))
    left, right = np.maximum(places - before, 0), np.minimum(places + after + 1, len(rise))
    mean = (sums[right] - sums[left]) / (right - left)
    found: list[float] = []
    last_s = len(samples) / SAMPLE_RATE - APART_S
    for place in np.flatnonzero(highest & (rise >= mean + least_rise)):
        time_s = max(0.0, float(place) * hop_s - EARLY_S)
        if time_s < last_s and (not found or time_s - found[-1] >= APART_S):
            found.append(time_s)
    return np.array(found)


def count_events(samples: NDArray[np.float32]) -> int:
    """Count the separate events in a signal at 44.1 kHz: rises of the level after a fall.

    Levels are over 30 ms; an event is within 25 dB of the maximum and 6 dB above the lowest level since
    the previous event.
    """
    hop = HOP
    whole = len(samples) // hop * hop
    if whole == 0 or is_silent(samples):
        return 0
    power = np.mean(samples[:whole].reshape(-1, hop).astype(np.float64) ** 2, axis=1)
    width = max(1, round(EVENT_SMOOTH_S * SAMPLE_RATE / hop))
    level = 10 * np.log10(np.maximum(np.convolve(power, np.ones(width) / width, "same"), 1e-12))
    level = np.maximum(level - level.max(), -EVENT_RANGE_DB - EVENT_DIP_DB)
    count, low, high, inside = 0, -np.inf, -np.inf, False
    for now in [-EVENT_RANGE_DB - EVENT_DIP_DB, *level]:
        if inside:
            high = max(high, now)
            if now < high - EVENT_DIP_DB:
                inside, low = False, now
        else:
            low = min(low, now) if np.isfinite(low) else now
            if now > low + EVENT_DIP_DB and now > -EVENT_RANGE_DB:
                count, inside, high = count + 1, True, now
    return count
