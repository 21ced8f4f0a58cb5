"""`panns-cnn14`: the 2048 numbers of PANNs' CNN14 before its classifier (Kong et al., arXiv 1912.10211).

A clip of up to 10 s, which is what it was trained on, is heard whole, at its own length; a longer
one in windows of 10 s every 5 s.
"""

from __future__ import annotations

import numpy as np

from innerear.dsp.mel import slaney_log_mel
from innerear.embed.loudness import LoudnessRule
from innerear.embed.network import NetworkEmbedder
from innerear.embed.windows import Cut, Frames, Samples, windows, zeros_after

SAMPLE_RATE = 32_000  # Hz
HOP_LENGTH = 320  # samples, 10 ms
SHORTEST = SAMPLE_RATE  # five halvings of the time axis leave nothing of much less
CUT = Cut(
    length=10 * SAMPLE_RATE,
    hop=5 * SAMPLE_RATE,
    tail="end",
    fill=lambda samples, _: zeros_after(samples, SHORTEST),
)


class Cnn14(NetworkEmbedder):
    """CNN14 at 32 kHz."""

    name = "panns-cnn14"
    dims = 2048
    sample_rate = SAMPLE_RATE
    _cut = CUT

    def __init__(self, loudness: LoudnessRule = "active") -> None:
        self._open("panns-cnn14", "log_mel", "win:10s|hop:5s|tail:end|pad:zero-to-1s", loudness)

    def _hear(self, stretch: Samples) -> Frames:
        cut = windows(stretch, min(CUT.length, len(stretch)), CUT.hop)
        heard = np.stack([slaney_log_mel(window, SAMPLE_RATE, HOP_LENGTH) for window in cut])
        return self._network(heard[:, None])
