"""Metrics of any sound: duration, loudness and format."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from innerear.metrics.base import Sound, SoundMetric, Value
from innerear.metrics.group import Group
from innerear.records import Measurement, Score

LENGTH_SHARE, LENGTH_S = 0.05, 0.05  # "right length" is within the greater of the two
ASKED_RATE_HZ, ASKED_CHANNELS = 44_100, 1
SHORTEST_LUFS_S = 0.4  # one gating block of BS.1770


def right_length(duration_s: float, asked_s: float) -> bool:
    """Whether a duration is within 5 % or 50 ms of the requested one, whichever is more.

    >>> right_length(1.04, 1.0), right_length(4.7, 5.0)
    (True, False)
    """
    return abs(duration_s - asked_s) <= max(LENGTH_SHARE * asked_s, LENGTH_S) + 1e-9


class DurationError(SoundMetric):
    """Duration error in seconds, positive if too long; passes within the tolerance of `right_length`."""

    name, version, unit = "duration_error", 1, "s"
    label = "Duration error"
    text = "Distance from the requested duration."
    better = "lower"
    value_is = "error"

    def measure(self, sound: Sound) -> Value:
        """Measured on the samples that the program wrote."""
        duration_s = sound.render.duration_s
        if duration_s is None:
            return Value(None, None, "no sound")
        asked_s = sound.probe.duration_s
        return Value(duration_s - asked_s, right_length(duration_s, asked_s), "", {"heard_s": duration_s})

    def combine(self, group: Group, rows: Sequence[tuple[str, Measurement]]) -> Iterator[Score]:
        """The median of the sizes of the errors."""
        yield group.median(self, rows, len(group.items))


class Loudness(SoundMetric):
    """Integrated loudness by ITU-R BS.1770-4, as pyloudnorm measures it."""

    name, version, unit = "loudness", 1, "LUFS"
    label = "Loudness"
    text = "Integrated loudness (ITU-R BS.1770)."

    def measure(self, sound: Sound) -> Value:
        """Not measurable below 0.4 s (one gating block) or if all blocks are gated."""
        import pyloudnorm

        clip = sound.signal
        if clip.duration_s < SHORTEST_LUFS_S:
            return Value(None, None, f"{clip.duration_s:.2f} s is shorter than one block of 0.4 s")
        with np.errstate(divide="ignore"):
            lufs = float(pyloudnorm.Meter(clip.sample_rate).integrated_loudness(clip.samples.T.astype(np.float64)))
        return Value(lufs) if np.isfinite(lufs) else Value(None, None, "below the gate of -70 LUFS")

    def combine(self, group: Group, rows: Sequence[tuple[str, Measurement]]) -> Iterator[Score]:
        """The median."""
        yield group.median(self, rows, len(group.items))


class Format(SoundMetric):
    """Whether the file is complete and has the requested sample rate and channels; the value is the sample rate."""

    name, version, unit = "format", 2, "Hz"
    label = "Sample rate"
    text = "Format of the file that the program wrote."

    def measure(self, sound: Sound) -> Value:
        """Another sample rate, stereo or a truncated file is a format difference, not a failure of the sound."""
        sample_rate, channels = sound.signal.sample_rate, sound.signal.samples.shape[0]
        asked = sample_rate == ASKED_RATE_HZ and channels == ASKED_CHANNELS
        return Value(float(sample_rate), asked and not sound.render.reason, sound.render.reason, {"channels": channels})
