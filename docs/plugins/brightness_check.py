"""A check: `innerear run … --suite mine.jsonl --plugin python:brightness_check.Brightness`.

In the suite: {"check": "custom", "by": "brightness", "needs": {"at_least_hz": 1000}, "says": ["A bright sound."]}
"""

import numpy as np

from innerear.metrics.base import CheckMetric, Value


class Brightness(CheckMetric):
    name, version, unit = "brightness", 1, "Hz"

    def measure(self, sound, check):
        power = np.abs(np.fft.rfft(sound.clip.mono)) ** 2
        if not power.any():
            return Value(None, False, "silence has no centroid")
        hz = float(power @ np.fft.rfftfreq(len(sound.clip.mono), 1 / sound.clip.sample_rate) / power.sum())
        return Value(hz, hz >= check.needs["at_least_hz"])
