"""A few numbers a listener has words for, by which programs and recordings differ.

Each is computed from a levelled sound (see `levelling`), so sample rate, gain, padding and codec do not move it.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from numpy.typing import NDArray

from innerear.clip import Samples
from innerear.dsp.f0 import CLEAR, track_f0
from innerear.dsp.levelling import SAMPLE_RATE
from innerear.dsp.mel import hann, htk_hz, htk_mel, spectrum, triangles

Floats = NDArray[np.floating[Any]]

N_FFT, HOP = 512, 160  # samples: 32 ms every 10 ms
BANDS = 24
LOW_HZ, HIGH_HZ = 80.0, 6_800.0
RANGE_DB = 50.0
SHORTEST_LOOP, LONGEST_LOOP = 10, 100  # frames: 0.1 to 1 s

WORDS: dict[str, tuple[str, str]] = {
    "noise_floor_db": ("no noise floor", "too much noise in the gaps"),
    "between_partials_db": ("too clean between partials", "too full between partials"),
    "periodicity": ("too noisy", "too periodic"),
    "pitch_jitter_cents": ("pitch too steady", "pitch too unsteady"),
    "level_jitter_db": ("level too even", "level too jumpy"),
    "spectral_change_db": ("spectrum too still", "spectrum too restless"),
    "loop": ("repeats too little", "repeats itself"),
    "bands_together": ("bands move too independently", "bands move together"),
    "centroid_octaves": ("too dark", "too bright"),
    "tilt_db": ("too little treble", "too much treble"),
    "attack_db": ("attacks too soft", "attacks too hard"),
    "crest_db": ("too compressed", "too peaky"),
}
"""The descriptors in order, and what it means for a sound to have less or more of each than recordings have."""


def telltales(samples: Samples) -> NDArray[np.float32]:
    """The descriptors of a levelled sound, in the order of `WORDS`; zeros for silence.

    Noise floor: the 10th percentile of frame levels under the 95th. Between partials: the 20th percentile of the
    bins of a frame under its strongest. Periodicity: mean clarity of the period, 0 to 1. Jitter: median change from
    frame to frame, of the pitch in cents where there is one, and of the level. Spectral change: the same over bands,
    level apart. Loop: the highest correlation of the band levels with themselves 0.1 to 1 s later. Bands together:
    mean correlation of band levels over time. Centroid in octaves above 1 kHz; tilt: power above 2 kHz re below.
    Attack: largest rise in 20 ms. Crest: peak over RMS.
    """
    if not samples.any():
        return np.zeros(len(WORDS), np.float32)
    padded = np.pad(samples, (0, max(0, 2 * N_FFT - len(samples)))).astype(np.float64)
    power = np.abs(spectrum(padded, hann(N_FFT), N_FFT, HOP)) ** 2 + 1e-12
    hz = np.fft.rfftfreq(N_FFT, 1 / SAMPLE_RATE)
    inside = (hz >= LOW_HZ) & (hz <= HIGH_HZ)
    power_in, hz = power[:, inside], hz[inside]
    level = 10 * np.log10(power_in.sum(axis=1))
    active = level > level.max() - RANGE_DB
    bands = 10 * np.log10(power @ _bands())
    bands = np.maximum(bands, bands.max() - 70.0)
    mean = power_in[active].mean(axis=0)
    found = [
        np.percentile(level, 10) - np.percentile(level, 95),
        np.median(10 * np.log10(np.percentile(power_in[active], 20, axis=1) / power_in[active].max(axis=1))),
        *_pitch(samples),
        np.median(np.abs(np.diff(level[active]))) if active.sum() > 1 else 0.0,
        _change(bands[active]),
        _loop(bands),
        _together(bands[active]),
        np.log2(float(mean @ hz / mean.sum()) / 1000),
        10 * np.log10(mean[hz > 2000].sum() / mean[hz <= 2000].sum()),
        np.max(level[2:] - level[:-2]) if len(level) > 2 else 0.0,
        20 * np.log10(np.abs(samples).max() / np.sqrt(np.mean(np.square(samples, dtype=np.float64)))),
    ]
    return np.nan_to_num(np.array(found, dtype=np.float32))


@functools.cache
def _bands() -> Floats:
    """Triangles even on the mel scale, shape (bins, 24)."""
    mels = np.linspace(htk_mel(LOW_HZ), htk_mel(HIGH_HZ), BANDS + 2)
    return triangles(np.fft.rfftfreq(N_FFT, 1 / SAMPLE_RATE), htk_hz(mels)) + 0.0


def _pitch(samples: Samples) -> tuple[float, float]:
    track = track_f0(samples, SAMPLE_RATE, window_s=0.064, hop_s=0.02)
    loud = track.level_db > track.level_db.max() - 40
    clear = loud & (track.clarity >= CLEAR)
    neighbours = clear[1:] & clear[:-1]
    if neighbours.sum() < 5:
        return float(track.clarity[loud].mean()), 50.0  # as unsteady as noise is
    steps = 1200 * np.abs(np.log2(track.f0_hz[1:][neighbours] / track.f0_hz[:-1][neighbours]))
    return float(track.clarity[loud].mean()), float(min(50.0, np.median(steps)))


def _change(bands: Floats) -> float:
    """Median over frames of the RMS change of the bands in 10 ms, without that of their mean, in dB."""
    if len(bands) < 2:
        return 0.0
    shape = bands - bands.mean(axis=1, keepdims=True)
    return float(np.median(np.sqrt(np.mean(np.diff(shape, axis=0) ** 2, axis=1))))


def _loop(bands: Floats) -> float:
    moving = bands - bands.mean(axis=0)
    best = 0.0
    for lag in range(SHORTEST_LOOP, min(LONGEST_LOOP, len(moving) // 2) + 1):
        first, second = moving[:-lag], moving[lag:]
        size = np.sqrt((first**2).sum() * (second**2).sum())
        best = max(best, float((first * second).sum() / size)) if size > 0 else best
    return best


def _together(bands: Floats) -> float:
    """Mean correlation between the levels of two bands over time."""
    moving = bands - bands.mean(axis=0)
    size = np.sqrt((moving**2).sum(axis=0))
    if len(bands) < 3 or not (size > 0).any():
        return 0.0
    unit = moving[:, size > 0] / size[size > 0]
    n = unit.shape[1]
    return 0.0 if n < 2 else float((np.square(unit.sum(axis=1)).sum() - n) / (n * (n - 1)))
