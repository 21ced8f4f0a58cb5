"""`encodec-24khz` and `encodec-24khz-all`: what EnCodec's encoder gives before its quantiser (arXiv 2210.13438).

128 numbers for every 320 samples at 24 kHz, 75 frames a second.

- `encodec-24khz-all`: all of them, neither averaged nor scaled, as fadtk's `encodec-emb` has them.
- `encodec-24khz`: the first and every sixth after it, one each 80 ms. KAD goes through all pairs of
  frames, 36 times as many with all; its value and its interval are the same from one in six, since
  neighbours 13 ms apart say nearly the same. An average of six would be of another distribution.

The encoder is causal, and its LSTM remembers, so a frame depends on all that was heard before it.
A sound of up to 10 s is heard whole, at its own length; a longer one in windows of 10 s side by
side, the last as long as what is left, each heard as if it were the first. Others hear all of it at
once, fadtk the first 3 minutes of it, in a memory that grows with it. Where fadtk takes the level as it
is, the loudness rule comes first here; `loudness="none"` gives theirs.
"""

from __future__ import annotations

from functools import partial

from innerear.embed.loudness import LoudnessRule
from innerear.embed.network import NetworkEmbedder
from innerear.embed.windows import Cut, Frames, Samples, zeros_after

SAMPLE_RATE = 24_000  # Hz
FRAME = 320  # samples of a frame
CUT = Cut(
    length=10 * SAMPLE_RATE,
    hop=10 * SAMPLE_RATE,
    tail="rest",
    fill=lambda samples, _: zeros_after(samples, FRAME),  # a part of the last frame is mirrored by the network
)
EVERY = {"encodec-24khz": 6, "encodec-24khz-all": 1}  # a window has 750 frames, so the next one goes on in step


class Encodec(NetworkEmbedder):
    """EnCodec's encoder for 24 kHz mono."""

    dims = 128
    sample_rate = SAMPLE_RATE
    _cut = CUT

    def __init__(self, name: str, loudness: LoudnessRule = "active") -> None:
        self.name = name
        self._every = EVERY[name]
        how = f"win:10s|hop:10s|tail:rest|frames:{self._every * FRAME / SAMPLE_RATE:.3g}s|pad:mirror"
        self._open("encodec-24khz", "samples", how, loudness)

    def _hear(self, stretch: Samples) -> Frames:
        found = self._network(stretch.reshape(-1, min(CUT.length, len(stretch))))
        return found[:, :: self._every].reshape(-1, self.dims)


sparse = partial(Encodec, "encodec-24khz")
whole = partial(Encodec, "encodec-24khz-all")
