"""How much energy hits add to bands of the spectrum at given times."""

from __future__ import annotations

import functools
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from innerear.dsp.onsets import SAMPLE_RATE

Floats = NDArray[np.float64]

HOP_S = 0.0025
SMOOTH_S = 0.008
BEFORE_S = (-0.06, -0.025)  # re the time of the hit: the level before ...
AFTER_S = (-0.02, 0.06)  # ... and when the hit is loudest
BODY_S = (0.015, 0.05)  # after the loudest moment of the whole sound near this time
RANGE_DB = 40.0
ORDER = 4


def envelope(samples: NDArray[np.floating], low_hz: float | None, high_hz: float | None) -> Floats:
    """Power of a band every 2.5 ms, smoothed over 8 ms (longer for low bands)."""
    from scipy.ndimage import uniform_filter1d
    from scipy.signal import sosfiltfilt

    band = sosfiltfilt(_band(low_hz, high_hz), samples.astype(np.float64), padlen=min(len(samples) - 1, 300))
    smooth_s = max(SMOOTH_S, 1.5 / (high_hz or 1e9))
    power = uniform_filter1d(band**2, round(smooth_s * SAMPLE_RATE), mode="constant")
    return np.asarray(power[:: round(HOP_S * SAMPLE_RATE)])


@functools.cache
def _band(low_hz: float | None, high_hz: float | None) -> Floats:
    from scipy.signal import butter

    if low_hz is None or high_hz is None:
        sos = butter(
            ORDER, low_hz or high_hz, "lowpass" if low_hz is None else "highpass", fs=SAMPLE_RATE, output="sos"
        )
    else:
        sos = butter(ORDER // 2, [low_hz, high_hz], "bandpass", fs=SAMPLE_RATE, output="sos")
    return np.asarray(sos)


def rises(power: Floats, times_s: Iterable[float], body: bool = False) -> Floats:
    """What is added to a band at each of these times, in dB re its loudest moment, at least -40.

    The loudest within 60 ms, or with `body` the mean from 15 to 50 ms, less the mean before.
    """
    hop = round(HOP_S * SAMPLE_RATE) / SAMPLE_RATE
    top = max(float(power.max()), 1e-20)
    added = []
    for time_s in times_s:
        before, after = (_part(power, time_s, window, hop) for window in (BEFORE_S, BODY_S if body else AFTER_S))
        level = float(after.mean() if body else after.max()) if len(after) else 0.0
        added.append((level - (float(before.mean()) if len(before) else 0.0)) / top)
    return 10 * np.log10(np.maximum(added, 10 ** (-RANGE_DB / 10)))


def _part(power: Floats, time_s: float, window: tuple[float, float], hop_s: float) -> Floats:
    return power[max(0, round((time_s + window[0]) / hop_s)) : max(0, round((time_s + window[1]) / hop_s))]
