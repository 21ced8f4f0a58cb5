"""Reverberation time of an impulse response, after ISO 3382: Schroeder's backward integration in the mid octaves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from innerear.dsp.silence import is_silent

OCTAVES_HZ = (500.0, 1000.0)  # ISO 3382-1: T_mid is the mean of these octaves
BLOCK_S = 0.01
DIRECT_S = 0.03  # after the peak: the clap itself, which is stronger than its reverberation if it is near
START_DB = -5.0  # the fit begins here; T30 ends at -35 dB, T20 at -25 dB
HEADROOM_DB = 10.0  # the curve must reach this far below the end of the fit (ISO 3382-2)
MOST_LATE_DB = 5.0  # how far above the start of the curve the fit may begin: else the level first stays
MOST_CURVED = 40.0
"""Per mille, xi of ISO 3382-2 annex B: 1000 (1 - r^2). An ideal decay has 0 to 10, a room with few modes up to 30."""
LEAST_FLAT = 0.02  # spectral flatness from 350 to 1400 Hz: rooms have many modes, a bell has few
MOST_DENSE_S = 0.4  # of the decay, for the flatness

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Decay:
    """A decay in one octave: T60 in seconds, the range of the fit in dB (30 or 20), and how good the fit is.

    `curvature` is in per mille. `late_db` is the level of the fit at the start; 0 for an exponential decay.
    """

    t60_s: float
    range_db: float
    curvature: float
    late_db: float

    @property
    def is_exponential(self) -> bool:
        """Whether the level falls evenly, from the start on."""
        return self.curvature <= MOST_CURVED and self.late_db <= MOST_LATE_DB


def decays(samples: NDArray[np.float32], sample_rate: int) -> list[Decay]:
    """The decay after the loudest moment in the octaves at 500 and 1000 Hz; octaves without enough range are left out.

    The level must fall at least 35 dB from the reverberation to the noise (10 dB of headroom for T20).
    """
    from scipy.signal import butter, sosfilt

    found = []
    block = max(1, round(BLOCK_S * sample_rate))
    if len(samples) < 10 * block or is_silent(samples):
        return []
    start = _after_direct(samples.astype(np.float64), block, sample_rate)
    for middle_hz in OCTAVES_HZ:
        if middle_hz * 2**0.5 < sample_rate / 2:
            band = (middle_hz / 2**0.5, middle_hz * 2**0.5)
            filtered = sosfilt(butter(3, band, "bandpass", fs=sample_rate, output="sos"), samples.astype(np.float64))
            decay = _decay(np.asarray(filtered)[start:] ** 2, block, sample_rate)
            if decay is not None:
                found.append(decay)
    return found


def is_dense(samples: NDArray[np.float32], sample_rate: int, t60_s: float) -> bool:
    """Whether the decay holds many partials from 350 to 1400 Hz, as a room does, and not a few, as a bell does."""
    start = _after_direct(samples.astype(np.float64), max(1, round(BLOCK_S * sample_rate)), sample_rate)
    part = samples[start : start + round(min(t60_s / 2, MOST_DENSE_S) * sample_rate)].astype(np.float64)
    power = np.abs(np.fft.rfft(part * np.hanning(len(part)))) ** 2
    mid = power[slice(*np.searchsorted(np.fft.rfftfreq(len(part), 1 / sample_rate), (350, 1400)))]
    if not len(mid) or not mid.any():
        return False
    return bool(np.exp(np.log(np.maximum(mid, mid.max() * 1e-12)).mean()) / mid.mean() >= LEAST_FLAT)


def _after_direct(samples: Floats, block: int, sample_rate: int) -> int:
    """The sample at which the direct sound is over."""
    power = (samples[: len(samples) // block * block].reshape(-1, block) ** 2).mean(axis=1)
    return int(power.argmax()) * block + round(DIRECT_S * sample_rate)


def _decay(power: Floats, block: int, sample_rate: int) -> Decay | None:
    """The decay of a band from its power per sample."""
    blocks = power[: len(power) // block * block].reshape(-1, block).mean(axis=1)
    if len(blocks) < 10 or blocks[0] <= 0:
        return None
    noise = float(np.mean(blocks[-max(3, len(blocks) // 10) :]))
    end = _knee(blocks, noise)
    tail = _tail(blocks[:end], noise)
    curve = np.cumsum(np.maximum(blocks[:end] - noise, 0)[::-1])[::-1] + tail
    if curve[0] <= 0:
        return None
    level = 10 * np.log10(np.maximum(curve / curve[0], 1e-12))
    reach = float(10 * np.log10(max(float(blocks[:3].max()), 1e-30) / max(noise, 1e-30)))
    for range_db in (30.0, 20.0):
        if reach < range_db - START_DB + HEADROOM_DB or level[-1] > START_DB - range_db:
            continue
        inside = np.flatnonzero((level <= START_DB) & (level >= START_DB - range_db))
        if len(inside) < 4:
            continue
        t = inside * block / sample_rate
        slope, offset = np.polyfit(t, level[inside], 1)
        if slope >= 0:
            return None
        residual = level[inside] - (slope * t + offset)
        r2 = 1 - float((residual**2).sum() / max(float(((level[inside] - level[inside].mean()) ** 2).sum()), 1e-12))
        return Decay(float(-60 / slope), range_db, 1000 * (1 - r2), float(offset))
    return None


def _knee(blocks: Floats, noise: float) -> int:
    """Where the smoothed level first falls within 5 dB of the noise; the end if it never does."""
    width = 5
    smooth = np.convolve(blocks, np.ones(width) / width, "same")
    low = np.flatnonzero(smooth <= noise * 10**0.5)
    return max(int(low[0]) if len(low) else len(blocks), 6)


def _tail(blocks: Floats, noise: float) -> float:
    """Energy that an exponential decay would have had after the last block (ISO 3382-1, 5.3.3)."""
    n = max(4, len(blocks) // 3)
    level = 10 * np.log10(np.maximum(blocks[-n:] - noise, blocks.max() * 1e-12))
    slope = float(np.polyfit(np.arange(len(level)), level, 1)[0])
    if slope >= -1e-3:
        return 0.0
    ratio = 10 ** (slope / 10)
    last = 10 ** (float(np.mean(level)) / 10 + slope * len(level) / 20)
    return float(last * ratio / (1 - ratio))
