"""The sounds of a listening test: mono, 44.1 kHz, 16 bit, normalised in loudness; and the headphone check.

Loudness is integrated loudness (ITU-R BS.1770-4), computed by pyloudnorm.
"""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray

from innerear.clip import Clip, Samples

RATE_HZ = 44_100
TARGET_LUFS = -23.0  # EBU R 128; leaves 22 dB of headroom below the peak limit
PEAK_DBFS = -1.0
BLOCK_S = 0.4  # one gating block of BS.1770
QUIETEST_LUFS = -60.0  # quieter sounds get no more gain than this

CHECKS = 6
INTERVALS = 3
INTERVAL_S, GAP_S, RAMP_S = 1.0, 0.5, 0.03
CENTRE_HZ, HALF_WIDTH = 600.0, 0.06


def loudness_lufs(samples: Samples) -> float:
    """Integrated loudness of mono samples at 44.1 kHz; minus infinity below the gate of -70 LUFS.

    A sound shorter than one block of 0.4 s is padded with silence to one block.
    """
    import pyloudnorm

    block = int(BLOCK_S * RATE_HZ)
    padded = np.pad(samples, (0, max(0, block - len(samples)))).astype(np.float64)
    with np.errstate(divide="ignore"):
        return float(pyloudnorm.Meter(RATE_HZ).integrated_loudness(padded))


def gain_db(samples: Samples) -> tuple[float, float]:
    """Gain towards the target loudness, and how far the peak limit keeps it below target; both in dB.

    Peaks are measured at four times oversampling (BS.1770-4, annex 2) and kept below -1 dBFS.
    """
    import soxr

    wanted = TARGET_LUFS - max(loudness_lufs(samples), QUIETEST_LUFS)
    peak = float(np.abs(soxr.resample(samples, 1, 4, quality="HQ")).max(initial=float(np.abs(samples).max())))
    room = PEAK_DBFS - 20 * float(np.log10(peak))
    return min(wanted, room), max(0.0, wanted - room)


def presented(clip: Clip) -> tuple[Samples, float, float]:
    """Prepare a non-silent clip for listeners; returns samples, gain and shortfall in dB (see `gain_db`)."""
    samples = clip.at(RATE_HZ)
    gain, short = gain_db(samples)
    return samples * np.float32(10 ** (gain / 20)), gain, short


def white(seed: int, duration_s: float) -> Clip:
    """Gaussian white noise with ramps of 30 ms."""
    noise = np.random.default_rng(seed).normal(0, 0.1, max(1, round(duration_s * RATE_HZ)))
    return Clip((noise * _ramps(len(noise))).astype(np.float32)[np.newaxis], RATE_HZ)


def headphone_check(seed: int) -> tuple[NDArray[np.float32], int]:
    """Three noises, one of which contains a dichotic tone: samples of shape (2, samples), and which (1 to 3).

    Huggins pitch: white noise identical at both ears, except for a band of ±6 % around 600 Hz that is in
    antiphase at one ear, so the tone is only audible over headphones. A. E. Milne et al., "An online
    headphone screening test based on dichotic pitch", Behavior Research Methods, 2021: listeners pass
    with six of six; four in five do with headphones, one in five without.
    """
    rng = np.random.default_rng(seed)
    right = int(rng.integers(1, INTERVALS + 1))
    n = round(INTERVAL_S * RATE_HZ)
    gap = np.zeros((2, round(GAP_S * RATE_HZ)))
    parts = []
    for interval in range(1, INTERVALS + 1):
        noise = rng.normal(0, 1, n)
        both = np.stack([noise, noise])
        if interval == right:
            spectrum = np.fft.rfft(noise)
            hertz = np.fft.rfftfreq(n, 1 / RATE_HZ)
            spectrum[np.abs(hertz - CENTRE_HZ) <= HALF_WIDTH * CENTRE_HZ] *= -1
            both[1] = np.fft.irfft(spectrum, n)
        parts += [both * _ramps(n), gap]
    samples = np.concatenate(parts[:-1], axis=1)
    level = 10 ** ((TARGET_LUFS - loudness_lufs(samples[0].astype(np.float32))) / 20)
    return (samples * level).astype(np.float32), right


def _ramps(n: int) -> NDArray[np.float64]:
    """Raised-cosine ramps of 30 ms at both ends."""
    ramp = min(n // 2, round(RAMP_S * RATE_HZ))
    shape = np.ones(n)
    rise = 0.5 - 0.5 * np.cos(np.pi * (np.arange(ramp) + 0.5) / max(ramp, 1))
    shape[:ramp] *= rise
    shape[n - ramp :] *= rise[::-1]
    return shape


def flac16(samples: NDArray[np.float32]) -> bytes:
    """16-bit FLAC of (samples,) or (channels, samples), without tags."""
    import soundfile

    buffer = io.BytesIO()
    soundfile.write(buffer, samples.T, RATE_HZ, format="FLAC", subtype="PCM_16")
    return buffer.getvalue()
