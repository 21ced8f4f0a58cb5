"""The peak of a sampled curve between its samples."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def vertex(left: Any, top: Any, right: Any) -> tuple[Floats, Floats]:
    """The vertex of the parabola through a maximum and its neighbours: samples from the maximum, and height.

    Numbers, or arrays of one shape. Where the three do not curve downwards, the vertex is the middle sample.

    >>> shift, height = vertex(0.0, 1.0, 0.5)
    >>> round(float(shift), 3), round(float(height), 3)
    (0.167, 1.021)
    """
    curve = left - 2 * top + right
    shift = np.where(curve < 0, 0.5 * (left - right) / np.where(curve < 0, curve, 1.0), 0.0)
    return shift, top - 0.25 * (left - right) * shift
