"""The loudness rule: every clip enters an embedder at the same level, so that gain says nothing.

A program's level is measured elsewhere, on its raw samples. Networks such as YAMNet and VGGish
hear level, and ports that feed it raw give distances that move with a volume knob.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import numpy as np
from numpy.typing import NDArray

LoudnessRule = Literal["active", "whole", "peak", "none"]
TARGET_DBFS = -20.0
BLOCK_S = 0.02
ACTIVE_BELOW_PEAK_DB = 40.0
SILENCE = 1e-7  # RMS of the loudest block, about -140 dBFS, below which a clip is silence


def block_powers(blocks: Iterable[NDArray[np.float32]], sample_rate: int) -> NDArray[np.float64]:
    """The mean square of each 20 ms of a signal; of all of it where it is shorter."""
    length = max(1, round(BLOCK_S * sample_rate))
    powers = []
    rest = np.zeros(0, np.float32)
    for block in blocks:
        rest = np.concatenate([rest, block]) if len(rest) else block
        whole = len(rest) // length * length
        powers.append(_mean_square(rest[:whole].reshape(-1, length)))
        rest = rest[whole:]
    if not any(map(len, powers)) and len(rest):
        powers.append(_mean_square(rest[None, :]))
    return np.concatenate([np.zeros(0), *powers])


def _mean_square(rows: NDArray[np.float32]) -> NDArray[np.float64]:
    square: NDArray[np.float64] = np.einsum("ij,ij->i", rows, rows, dtype=np.float64) / rows.shape[1]
    return square


def gain(blocks: Iterable[NDArray[np.float32]], sample_rate: int, rule: LoudnessRule = "active") -> float:
    """The factor that sets the level of a mono signal, given in blocks; 1 for silence and for `none`.

    `active`: to -20 dBFS RMS over the 20 ms blocks within 40 dB of the loudest. `whole`: the same
    over all blocks. `peak`: what Google's FAD does, 1 / max(0.1, largest sample), sign and all.

    >>> tone = np.sin(np.arange(16000) * 0.3).astype(np.float32)
    >>> round(gain([tone], 16000), 3), round(gain([tone, 0 * tone], 16000), 3)
    (0.141, 0.141)
    """
    if rule == "none":
        return 1.0
    if rule == "peak":
        return 1 / max(0.1, max((float(block.max(initial=0.0)) for block in blocks), default=0.0))
    power = block_powers(blocks, sample_rate)
    if power.max(initial=0.0) < SILENCE**2:
        return 1.0
    if rule == "active":
        power = power[power >= power.max() * 10 ** (-ACTIVE_BELOW_PEAK_DB / 10)]
    return float(10 ** (TARGET_DBFS / 20) / np.sqrt(power.mean()))


def words(rule: LoudnessRule) -> str:
    """The rule as it stands in a signature."""
    return rule if rule in ("none", "peak") else f"{rule}{TARGET_DBFS:g}dBFS"
