"""The loudness rule: every clip enters an embedder at the same level, so that gain says nothing.

A program's level is measured elsewhere, on its raw samples. Networks such as YAMNet and VGGish
hear level, and ports that feed it raw give distances that move with a volume knob.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

LoudnessRule = Literal["active", "whole", "none"]
TARGET_DBFS = -20.0
BLOCK_S = 0.02
ACTIVE_BELOW_PEAK_DB = 40.0
SILENCE = 1e-7  # RMS of the loudest block, about -140 dBFS, below which a clip is silence


def active_blocks(samples: NDArray[np.float32], sample_rate: int) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Mean square of each 20 ms block, and which are within 40 dB of the loudest."""
    block = max(1, round(BLOCK_S * sample_rate))
    whole = len(samples) // block * block
    blocks = samples[:whole].reshape(-1, block) if whole else samples[None, :]
    power = np.einsum("ij,ij->i", blocks, blocks, dtype=np.float64) / blocks.shape[1]
    return power, power >= power.max(initial=0.0) * 10 ** (-ACTIVE_BELOW_PEAK_DB / 10)


def gain(samples: NDArray[np.float32], sample_rate: int, rule: LoudnessRule = "active") -> float:
    """The factor that brings a mono signal to -20 dBFS RMS; 1 for silence and for `none`.

    `active`: over the 20 ms blocks within 40 dB of the loudest. `whole`: over all samples.

    >>> tone = np.sin(np.arange(16000) * 0.3).astype(np.float32)
    >>> round(gain(tone, 16000), 3), round(gain(np.append(tone, 0 * tone), 16000), 3)
    (0.141, 0.141)
    """
    if rule == "none" or not len(samples):
        return 1.0
    power, active = active_blocks(samples, sample_rate)
    if power.max() < SILENCE**2:
        return 1.0
    mean_square = power[active].mean() if rule == "active" else float(np.dot(samples, samples)) / len(samples)
    return float(10 ** (TARGET_DBFS / 20) / np.sqrt(mean_square))


def level(samples: NDArray[np.float32], sample_rate: int, rule: LoudnessRule) -> NDArray[np.float32]:
    """The mono signal at the level of the rule."""
    return samples * np.float32(gain(samples, sample_rate, rule))


def words(rule: LoudnessRule) -> str:
    """The rule as it stands in a signature."""
    return "none" if rule == "none" else f"{rule}{TARGET_DBFS:g}dBFS"
