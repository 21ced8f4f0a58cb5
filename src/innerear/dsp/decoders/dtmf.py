"""Decode DTMF: the telephone keypad's pairs of tones (ITU-T Q.23).

The limits follow ITU-T Q.24 (receivers): tones within 1.5 % must be accepted and tones 3.5 % off may be
rejected, so the limit is 2.5 %; a digit lasts at least 40 ms and so does the pause after it (here 25 ms).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

ROWS_HZ = (697.0, 770.0, 852.0, 941.0)
COLUMNS_HZ = (1209.0, 1336.0, 1477.0, 1633.0)
KEYS = ("123A", "456B", "789C", "*0#D")

WINDOW_S, HOP_S = 0.025, 0.005
LEAST_S = 0.025  # a shorter tone is not a digit
TWIST_DB = 9.0  # largest difference in level of the two tones
LEAST_SHARE = 0.4  # of a digit's energy, in its two tones
RANGE_DB = 25.0  # frames this far below the loudest are pauses
DIP_DB = 9.0  # a dip this deep separates two equal digits
TOLERANCE = 0.025  # relative, of each tone

Floats = NDArray[np.float64]


def tones_hz(key: str) -> tuple[float, float]:
    """The two frequencies of a key.

    >>> tones_hz("5")
    (770.0, 1336.0)
    """
    row = next(i for i, keys in enumerate(KEYS) if key in keys)
    return ROWS_HZ[row], COLUMNS_HZ[KEYS[row].index(key)]


def decode_dtmf(samples: NDArray[np.float32], sample_rate: int) -> str:
    """The keys, one character each."""
    if sample_rate <= 2 * COLUMNS_HZ[-1]:
        return ""
    length, hop = round(WINDOW_S * sample_rate), max(1, round(HOP_S * sample_rate))
    x = np.pad(samples.astype(np.float64), length)
    frames = np.lib.stride_tricks.sliding_window_view(x, length)[::hop]
    energy = (frames**2).mean(axis=1)
    if energy.max() < 1e-10:
        return ""
    keys = _keys(frames, sample_rate)
    loud = energy > energy.max() * 10 ** (-RANGE_DB / 10)
    return "".join(
        KEYS[key // 4][key % 4]
        for key, first, last in _runs(np.where(loud, keys, -1), energy)
        if (last - first) * hop >= LEAST_S * sample_rate
        and _is_digit(x[first * hop : last * hop + length], sample_rate, key)
    )


def _keys(frames: Floats, sample_rate: int) -> NDArray[np.intp]:
    """For each frame, the number of the key whose two tones are strongest."""
    t = np.arange(frames.shape[1]) / sample_rate
    waves = np.exp(-2j * np.pi * np.outer(t, (*ROWS_HZ, *COLUMNS_HZ))) * np.hanning(len(t))[:, None]
    power = np.abs(frames @ waves) ** 2
    return np.asarray(4 * power[:, :4].argmax(axis=1) + power[:, 4:].argmax(axis=1))


def _runs(keys: NDArray[np.intp], energy: Floats) -> list[tuple[int, int, int]]:
    """Runs of frames with the same key, as (key, first frame, last frame); a dip in level ends a run."""
    found: list[tuple[int, int, int]] = []
    start, high, low = 0, 0.0, np.inf
    dip = 10 ** (-DIP_DB / 10)
    for i, key in enumerate(keys):
        if i == start or key != keys[start]:
            if i > start:
                found.append((int(keys[start]), start, i - 1))
            start, high, low = i, energy[i], np.inf
            continue
        high = max(high, energy[i])
        low = min(low, energy[i]) if energy[i] < high * dip or low < np.inf else low
        if low < np.inf and energy[i] * dip > low:  # up again after a dip
            found.append((int(key), start, i - 1))
            start, high, low = i, energy[i], np.inf
    found.append((int(keys[start]), start, len(keys) - 1))
    return [run for run in found if run[0] >= 0]


def _is_digit(samples: Floats, sample_rate: int, key: int) -> bool:
    """Whether a stretch holds both tones of a key at the right frequencies, and little else."""
    size = 1 << 15
    part = samples * np.hanning(len(samples))
    power = np.abs(np.fft.rfft(part, max(size, len(part)))) ** 2
    hz = np.fft.rfftfreq(max(size, len(part)), 1 / sample_rate)
    width = 3.0 * sample_rate / len(part)  # most of the main lobe of the window
    levels = []
    for asked in (ROWS_HZ[key // 4], COLUMNS_HZ[key % 4]):
        near = np.flatnonzero(np.abs(hz - asked) < 0.045 * asked)
        peak = hz[near[power[near].argmax()]]
        if abs(peak - asked) > TOLERANCE * asked:
            return False
        levels.append(power[np.abs(hz - peak) < width].sum())
    twist_db = abs(10 * np.log10(levels[0] / levels[1]))
    return bool(twist_db <= TWIST_DB and sum(levels) >= LEAST_SHARE * power.sum())
