"""The sounds of a listening test: all mono, 44.1 kHz, 16 bit, and as loud as one another; and the headphone check.

Loudness is integrated loudness by ITU-R BS.1770-4, through pyloudnorm.
"""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray

from innerear.clip import Clip, Samples

RATE_HZ = 44_100
TARGET_LUFS = -23.0  # EBU R 128: room for peaks 22 dB above it
PEAK_DBFS = -1.0
BLOCK_S = 0.4  # one gating block of BS.1770
QUIETEST_LUFS = -60.0  # what is quieter is raised no further

CHECKS = 6
INTERVALS = 3
INTERVAL_S, GAP_S, RAMP_S = 1.0, 0.5, 0.03
CENTRE_HZ, HALF_WIDTH = 600.0, 0.06


def loudness_lufs(samples: Samples) -> float:
    """Integrated loudness of mono samples at 44.1 kHz; minus infinity below the gate of -70 LUFS.

    A sound shorter than one block of 0.4 s is measured in a block of its own, the rest of it silence.
    """
    import pyloudnorm

    block = int(BLOCK_S * RATE_HZ)
    padded = np.pad(samples, (0, max(0, block - len(samples)))).astype(np.float64)
    with np.errstate(divide="ignore"):
        return float(pyloudnorm.Meter(RATE_HZ).integrated_loudness(padded))


def gain_db(samples: Samples) -> tuple[float, float]:
    """The gain to the target loudness, and how much of it the peaks leave no room for; both in decibels.

    Peaks are those of the samples four times oversampled (BS.1770-4, annex 2), kept below -1 dBFS.
    """
    import soxr

    wanted = TARGET_LUFS - max(loudness_lufs(samples), QUIETEST_LUFS)
    peak = float(np.abs(soxr.resample(samples, 1, 4, quality="HQ")).max(initial=float(np.abs(samples).max())))
    room = PEAK_DBFS - 20 * float(np.log10(peak))
    return min(wanted, room), max(0.0, wanted - room)


def presented(clip: Clip) -> tuple[Samples, float, float]:
    """A clip that is not silent, as listeners hear it: samples, gain in dB, and decibels short of what was wanted."""
    samples = clip.at(RATE_HZ)
    gain, short = gain_db(samples)
    return samples * np.float32(10 ** (gain / 20)), gain, short


def white(seed: int, duration_s: float) -> Clip:
    """Gaussian white noise, with ramps of 30 ms."""
    noise = np.random.default_rng(seed).normal(0, 0.1, max(1, round(duration_s * RATE_HZ)))
    return Clip((noise * _ramps(len(noise))).astype(np.float32)[np.newaxis], RATE_HZ)


def headphone_check(seed: int) -> tuple[NDArray[np.float32], int]:
    """Three noises, one of which (1 to 3) holds a tone that only two separate ears hear; shape (2, samples).

    Huggins pitch: white noise that is the same at both ears but for a band of 6 % on either side of
    600 Hz, where one ear has it in antiphase. A. E. Milne et al., "An online headphone screening
    test based on dichotic pitch", Behavior Research Methods, 2021: who hears it six times of six
    passes; four in five with headphones do, and one in five without.
    """
    rng = np.random.default_rng(seed)
    right = int(rng.integers(1, INTERVALS + 1))
    n = round(INTERVAL_S * RATE_HZ)
    gap = np.zeros((2, round(GAP_S * RATE_HZ)))
    parts = []
    for place in range(1, INTERVALS + 1):
        noise = rng.normal(0, 1, n)
        both = np.stack([noise, noise])
        if place == right:
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
    """16-bit FLAC of (samples,) or (channels, samples), with no tags; every browser plays it."""
    import soundfile

    buffer = io.BytesIO()
    soundfile.write(buffer, samples.T, RATE_HZ, format="FLAC", subtype="PCM_16")
    return buffer.getvalue()
