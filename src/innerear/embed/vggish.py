"""`vggish` and `vggish-torch`: the 128 numbers of VGGish before its last activation, by two recipes.

No port reproduces Google's FAD, so a VGGish distance means little without its recipe:

- `vggish`, Google's: each clip divided by max(0.1, its largest sample), windows of 1 s every 0.5 s.
- `vggish-torch`, torchvggish's as FAD toolkits use it: patches of 0.96 s side by side. The ports
  hear the level as it is, which makes their distances move with a volume knob; here the loudness
  rule comes first, and `loudness="none"` gives theirs.

Neither applies the PCA and 8-bit quantising of the AudioSet release, and no FAD toolkit does.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from innerear.dsp.mel import htk_log_mel
from innerear.embed.loudness import LoudnessRule
from innerear.embed.network import NetworkEmbedder
from innerear.embed.windows import Cut, Frames, Samples, windows

SAMPLE_RATE = 16_000  # Hz
HEARD = 15_600  # samples of a window: 96 frames of 25 ms every 10 ms
CUTS = {"vggish": Cut(length=16_000, hop=8_000), "vggish-torch": Cut(length=HEARD, hop=15_360)}


class Vggish(NetworkEmbedder):
    """VGGish under one of the two recipes."""

    dims = 128
    sample_rate = SAMPLE_RATE

    def __init__(self, name: str, loudness: LoudnessRule = "active") -> None:
        self.name = name
        self._cut = CUTS[name]
        how = f"win:{self._cut.length / SAMPLE_RATE:g}s|hop:{self._cut.hop / SAMPLE_RATE:g}s|pad:zero"
        self._open("vggish", "log_mel", how, "peak" if name == "vggish" else loudness)

    def _hear(self, stretch: Samples) -> Frames:
        cut = windows(stretch, self._cut.length, self._cut.hop)[:, :HEARD]
        return self._network(np.stack([htk_log_mel(window) for window in cut])[:, None])


google = partial(Vggish, "vggish")
torchvggish = partial(Vggish, "vggish-torch")
