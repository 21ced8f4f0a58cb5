"""A metric of every sound: `innerear run … --plugin python:crest_metric.CrestFactor`."""

import numpy as np

from innerear.metrics.base import SoundMetric, Value


class CrestFactor(SoundMetric):
    """Peak over RMS of the whole sound, in dB."""

    name, version, unit, label, text = "crest_factor", 1, "dB", "Crest factor", "Peak over RMS of the sound."

    def measure(self, sound):
        rms = float(np.sqrt(np.mean(sound.clip.mono**2)))
        peak = float(np.abs(sound.clip.mono).max())
        return Value(20 * float(np.log10(peak / rms))) if rms else Value(None, None, "silence has no crest factor")

    def combine(self, group, rows):
        yield group.median(self, rows, len(group.items))
