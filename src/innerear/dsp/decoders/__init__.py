"""Decoders of signals that carry text. Each takes samples and a sample rate and returns the text; "" if there is none.

Silence, noise, sweeps and clicks have no text.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from innerear.dsp.decoders.dtmf import decode_dtmf
from innerear.dsp.decoders.fsk import decode_bell202, decode_rtty
from innerear.dsp.decoders.morse import decode_morse

__all__ = ["DECODERS", "decode_bell202", "decode_dtmf", "decode_morse", "decode_rtty"]

DECODERS: dict[str, Callable[[NDArray[np.float32], int], str]] = {
    "dtmf": decode_dtmf,
    "morse": decode_morse,
    "bell202": decode_bell202,
    "rtty": decode_rtty,
}
"""The decoder of each mode of the check `decoded`."""
