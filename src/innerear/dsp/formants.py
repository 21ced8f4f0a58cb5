"""Estimate formants by linear prediction (Burg).

F1 and F2 are medians over the voiced frames of the steady part. Above an f0 of about 200 Hz the harmonics
are so sparse that estimates are biased towards them (see docs/metrics-speech.md).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from innerear.clip import Clip
from innerear.dsp.voice import LEAST_RELIEF_DB, relief_db, track_voice

Floats = NDArray[np.float64]

CEILING_HZ = {"men": 5000, "women": 5500}  # frequency below which there are five formants
POLES = 10
WINDOW_S = 0.05
MOST_FRAMES, FEWEST_FRAMES = 60, 5
PREEMPHASIS_HZ = 50.0
LOWEST_HZ, WIDEST_HZ = 150.0, 700.0  # lowest frequency and largest bandwidth of a formant
STEADY_DB = 15.0  # frames this far below the loudest are ignored


def burg(frames: Floats, order: int) -> Floats:
    """Linear prediction coefficients 1, a1 … a_order of each row, shape (rows, order + 1).

    J. P. Burg, "A new analysis technique for time series data", 1968.
    """
    forward, backward = frames[:, 1:].copy(), frames[:, :-1].copy()
    a = np.zeros((len(frames), order + 1))
    a[:, 0] = 1
    for m in range(1, order + 1):
        power = np.sum(forward**2 + backward**2, axis=1)
        k = -2 * np.sum(forward * backward, axis=1) / np.maximum(power, 1e-30)
        a[:, 1 : m + 1] += k[:, None] * a[:, m - 1 :: -1][:, :m]
        forward, backward = (forward + k[:, None] * backward)[:, 1:], (backward + k[:, None] * forward)[:, :-1]
    return a


def resonances(a: Floats, sample_rate: float) -> tuple[Floats, Floats]:
    """Frequencies (ascending, NaN if none) and bandwidths of the poles of each row in Hz, shape (rows, order)."""
    order = a.shape[1] - 1
    companion = np.zeros((len(a), order, order))
    companion[:, 0] = -a[:, 1:]
    companion[:, np.arange(1, order), np.arange(order - 1)] = 1
    roots = np.linalg.eigvals(companion)
    frequency = np.angle(roots) * sample_rate / (2 * np.pi)
    frequency = np.where(frequency > 0, frequency, np.nan)
    width = -np.log(np.maximum(np.abs(roots), 1e-12)) * sample_rate / np.pi
    by = np.argsort(frequency, axis=1)
    return np.take_along_axis(frequency, by, axis=1), np.take_along_axis(width, by, axis=1)


@dataclass(frozen=True)
class Formants:
    """Medians over the steady voiced frames, in hertz."""

    f1_hz: float
    f2_hz: float


def find_formants(clip: Clip, ceiling_hz: int = 5000) -> Formants | None:
    """Formants of a sustained vowel; `None` if there is no voice or no formants."""
    voice = track_voice(clip)
    places = np.flatnonzero(voice.voiced & (voice.level_db > voice.level_db.max() - STEADY_DB))
    if len(places) < FEWEST_FRAMES or relief_db(clip, voice) < LEAST_RELIEF_DB:
        return None
    places = places[np.unique(np.linspace(0, len(places) - 1, MOST_FRAMES).astype(int))]
    sample_rate = 2 * ceiling_hz
    samples = clip.at(sample_rate).astype(np.float64)
    samples[1:] -= np.exp(-2 * np.pi * PREEMPHASIS_HZ / sample_rate) * samples[:-1]
    length = round(WINDOW_S * sample_rate)
    starts = np.rint(voice.times_s[places] * sample_rate).astype(int) - length // 2
    window = np.exp(-12 * (np.arange(length) / (length - 1) - 0.5) ** 2)
    frames = np.pad(samples, (length, 2 * length))[length + starts[:, None] + np.arange(length)] * window
    frequency, width = resonances(burg(frames, POLES), sample_rate)
    formant = (frequency > LOWEST_HZ) & (frequency < ceiling_hz - 50) & (width < WIDEST_HZ)
    order = np.cumsum(formant, axis=1)
    complete = order[:, -1] >= 2
    if not complete.any():
        return None
    first, second = (frequency[complete][(formant & (order == n))[complete]] for n in (1, 2))
    return Formants(float(np.median(first)), float(np.median(second)))
