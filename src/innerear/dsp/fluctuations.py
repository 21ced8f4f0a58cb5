"""How a sound fluctuates: what noise with its spectrum and its envelope lacks.

A recording's spectrum moves, its tones are steady, its onsets are sharp. Noise that copies the long-term spectrum and
the level envelope of a recording has none of this: each bin of its spectrum fluctuates as Gaussian noise does, and all
bands go up and down together. J. McDermott and E. Simoncelli, "Sound texture perception via statistics of the
auditory periphery", Neuron 2011, use statistics of this kind.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from numpy.typing import NDArray

from innerear.clip import Clip, Samples
from innerear.dsp.mel import hann, htk_hz, htk_mel, spectrum

Floats = NDArray[np.floating[Any]]

SAMPLE_RATE = 16_000  # Hz
LOW_HZ, HIGH_HZ = 80.0, 7_000.0
WINDOWS = (256, 1024, 4096)  # samples, 16 to 256 ms; hops are a quarter
NEIGHBOURS = 13  # frames over which the power of a bin is compared with its mean
N_FFT, HOP = 512, 128  # of the bands
BANDS = 16
SMOOTHED = (5, 25)  # frames, 40 and 200 ms
RANGE = 1e-5  # frames that are weaker by 50 dB than the strongest do not count
BLOCK, BLOCK_RANGE = 160, 1e-4  # samples and power range of blocks of the waveform
SILENCE = 1e-6  # peak, linear
NUMBERS = 4 * len(WINDOWS) + 4 * len(SMOOTHED) + 7


def of(clip: Clip) -> NDArray[np.float64]:
    """The descriptors of a sound, shape (27,); zeros for silence. Gain does not move them.

    For each window: how the power of a bin, as a share of its frame, fluctuates over time. It is ln(E[p^2] / E[p]^2)
    over 13 frames: 0 for a steady tone, up to ln 2 for Gaussian noise, more for what comes and goes. The mean, the
    90th percentile of frames, and the 10th and 90th of bins. For each smoothing: how the shape of the spectrum in 16
    bands moves. The standard deviation over time of a band's level relative to the mean of all (mean, 20th and 80th
    percentile), and the median change from one smoothing length to the next, in units of 3 dB. Then the correlation of
    the bands' levels over time (mean, 10th percentile, in thirds), log kurtosis of blocks of 10 ms (10th, 50th, 90th
    percentile), and the sharpest rises in 2 ms (99th percentile, largest, in units of 5 dB).
    """
    samples = clip.at(SAMPLE_RATE)
    peak = float(np.abs(samples).max(initial=0.0))
    if peak < SILENCE:
        return np.zeros(NUMBERS)
    unit = (samples / np.float32(peak)).astype(np.float32)
    found = [number for length in WINDOWS for number in _bins(unit, length)]
    found += [*_motion(unit), *_waveform(unit)]
    return np.nan_to_num(np.array(found, dtype=np.float64))


def _smooth(values: Floats, width: int) -> Floats:
    from scipy.ndimage import uniform_filter1d

    return np.asarray(uniform_filter1d(values, width, axis=0, mode="nearest"))


def _power(samples: Samples, length: int, hop: int) -> Floats:
    """Power spectrum of each frame, (frames, bins); at least four frames."""
    padded = np.pad(samples, (length // 2, length // 2 + length))
    found = spectrum(padded, hann(length).astype(np.float32), length, hop)
    return np.asarray(found.real**2 + found.imag**2 + 1e-12, np.float32)


def _bins(samples: Samples, length: int) -> list[float]:
    hz = np.fft.rfftfreq(length, 1 / SAMPLE_RATE)
    power = _power(samples, length, length // 4)[:, (hz >= LOW_HZ) & (hz <= HIGH_HZ)]
    level = power.mean(axis=1)
    loud = level > level.max() * RANGE
    share = power[loud] / level[loud, None]
    mean = _smooth(share, NEIGHBOURS)
    swing = np.log(np.maximum(_smooth(share**2, NEIGHBOURS) / np.maximum(mean**2, 1e-30), 1.0))
    weight = np.sqrt(mean)
    frames, bins = ((swing * weight).sum(axis=axis) / weight.sum(axis=axis) for axis in (1, 0))
    whole = (swing * weight).sum() / weight.sum()
    return [float(whole), float(np.percentile(frames, 90)), *np.percentile(bins, (10, 90)).tolist()]


@functools.cache
def _bands() -> Floats:
    """Bands even on the mel scale, each the mean of its bins, shape (bins, 16)."""
    edges = htk_hz(np.linspace(htk_mel(LOW_HZ), htk_mel(HIGH_HZ), BANDS + 1))
    of = np.digitize(np.fft.rfftfreq(N_FFT, 1 / SAMPLE_RATE), edges) - 1
    inside = of[:, None] == np.arange(BANDS)
    return np.asarray(inside / inside.sum(axis=0), np.float32)


def _motion(samples: Samples) -> list[float]:
    bands = _power(samples, N_FFT, HOP) @ _bands()
    level = bands.mean(axis=1)
    loud = level > level.max() * RANGE
    found: list[float] = []
    for width in SMOOTHED:
        shape = _decibels(_smooth(bands, width)[loud])
        shape -= shape.mean(axis=1, keepdims=True)
        spread = shape.std(axis=0) / 3
        steps = np.sqrt(np.mean(np.diff(shape[::width], axis=0) ** 2, axis=1)) / 3
        found += [float(spread.mean()), *np.percentile(spread, (20, 80)).tolist()]
        found.append(float(np.median(steps)) if len(steps) else 0.0)
    moving = _decibels(bands[loud])
    moving -= moving.mean(axis=0)
    size = np.sqrt((moving**2).sum(axis=0))
    unit = moving[:, size > 0] / size[size > 0]
    pairs = (unit.T @ unit)[np.triu_indices(unit.shape[1], 1)]
    return [*found, *((3 * pairs.mean(), 3 * np.percentile(pairs, 10)) if len(pairs) else (0.0, 0.0))]


def _decibels(power: Floats) -> Floats:
    """Levels of at most 60 dB below the largest."""
    return np.asarray(10 * np.log10(np.maximum(power, power.max() * 1e-6)))


def _waveform(samples: Samples) -> list[float]:
    blocks = np.resize(samples, max(1, len(samples) // BLOCK) * BLOCK).reshape(-1, BLOCK)
    power = np.mean(blocks**2, axis=1)
    loud = power > power.max() * BLOCK_RANGE
    peaked = np.log(np.mean(blocks[loud] ** 4, axis=1) / power[loud] ** 2)
    level = 10 * np.log10(_smooth(samples.astype(np.float64) ** 2, 16)[::16] + 1e-7)
    rises = (level[2:] - level[:-2])[level[2:] > level.max() - 25]
    sharp = np.percentile(rises, (99, 100)) / 5 if len(rises) else np.zeros(2)
    return [*np.percentile(peaked, (10, 50, 90)).tolist(), *sharp.tolist()]
