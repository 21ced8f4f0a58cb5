"""When a signal counts as silent."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

SILENT = 1e-4
"""A peak of -80 dB re full scale."""


def is_silent(samples: NDArray[np.floating[Any]], peak: float = SILENT) -> bool:
    """Whether there are no samples, or all are below this peak.

    >>> is_silent(np.zeros(0)), is_silent(np.full(9, -9e-5)), is_silent(np.array([0.0, -0.1]))
    (True, True, False)
    """
    return not len(samples) or float(np.abs(samples).max()) < peak
