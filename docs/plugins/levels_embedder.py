"""An embedder: `innerear fad REFERENCE SOUNDS --embedder python:levels_embedder.Levels`."""

import numpy as np


class Levels:
    """RMS and peak level of windows of 0.5 s, in dB re full scale."""

    version, dims, sample_rate = 1, 2, 16_000
    signature = "levels|sr:16000|win:0.5s|hop:0.5s|pad:zero"

    def embed(self, clips):
        return [self.frames(clip.at(self.sample_rate)) for clip in clips]

    def frames(self, samples):
        windows = np.pad(samples, (0, -len(samples) % 8_000)).reshape(-1, 8_000)
        levels = np.stack([np.sqrt((windows**2).mean(axis=1)), np.abs(windows).max(axis=1)], axis=1)
        return 20 * np.log10(levels + 1e-5)
