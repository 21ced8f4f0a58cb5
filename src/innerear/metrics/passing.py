"""Does a steady source pass by? The check `passing`: its pitch before, after, and when it falls."""

from __future__ import annotations

import numpy as np

from innerear.checks import Passing
from innerear.dsp.f0 import CLEAR, track_f0
from innerear.metrics.base import CheckMetric, Sound, Value

SAMPLE_RATE = 22_050  # Hz
END = 0.08  # share of the sound at each end whose median is the pitch there
LEAST_CLEAR = 0.5  # share of frames with a pitch
LEAST_FALL_S, MOST_FALL = 0.12, 0.45  # from 10 % to 90 % of the fall: in seconds, and as a share of the duration


class PassingCheck(CheckMetric[Passing]):
    """The check `passing`: the greater relative error of the pitches before and after.

    Passes if both are within the tolerance, the pitch is midway when the source is closest, and the middle
    80 % of the fall is neither a step (under 0.12 s) nor a glide through the whole sound (over 0.45 of it).
    """

    name, version, unit = "passing", 1, "relative error"
    label = "Passing source"
    text = "The pitch falls between the two requested values, when the source is closest."
    better = "lower"

    def measure(self, sound: Sound, check: Passing) -> Value:
        """Detail: both pitches, the time of the fall and its length."""
        duration_s = sound.signal.duration_s
        track = track_f0(sound.signal.at(SAMPLE_RATE), SAMPLE_RATE)
        clear = track.clarity >= CLEAR
        if clear.sum() < max(LEAST_CLEAR * len(clear), 10):
            return Value(None, False, "no pitch through most of the sound")
        t, f0 = track.times_s[clear], track.f0_hz[clear]
        first, last = f0[t <= END * duration_s], f0[t >= (1 - END) * duration_s]
        if not len(first) or not len(last):
            return Value(None, False, "no pitch at its start or end")
        before, after = float(np.median(first)), float(np.median(last))
        detail = {"approach_hz": before, "recede_hz": after}
        error = max(abs(before / check.approach_hz - 1), abs(after / check.recede_hz - 1))
        if error > check.tolerance:
            asked = f"wanted {check.approach_hz:.0f} and {check.recede_hz:.0f}"
            return Value(error, False, f"{before:.0f} Hz before and {after:.0f} Hz after, {asked}", detail)
        crossed = [self._crossing(t, f0, after + share * (before - after)) for share in (0.9, 0.5, 0.1)]
        begins_s, falls_s, ends_s = crossed
        detail |= {"falls_s": falls_s, "lasts_s": ends_s - begins_s}
        if abs(falls_s - check.closest_s) > check.time_tolerance_s:
            return Value(error, False, f"it passes at {falls_s:.2f} s, wanted {check.closest_s:g} s", detail)
        if not LEAST_FALL_S <= ends_s - begins_s <= MOST_FALL * duration_s:
            return Value(error, False, f"the pitch takes {ends_s - begins_s:.2f} s to fall", detail)
        return Value(error, True, "", detail)

    @staticmethod
    def _crossing(times_s: np.ndarray, f0_hz: np.ndarray, level_hz: float) -> float:
        """The time at which a falling pitch crosses a level: as many frames above it before as below it after."""
        below = np.concatenate([[0], np.cumsum(f0_hz < level_hz)])
        above = np.concatenate([[0], np.cumsum(f0_hz >= level_hz)])
        wrong = below + above[-1] - above  # frames on the wrong side if it crosses before frame i
        best = np.flatnonzero(wrong == wrong.min())
        place = int(best[len(best) // 2])
        if place in (0, len(times_s)):
            return float(times_s[min(place, len(times_s) - 1)])
        return float((times_s[place - 1] + times_s[place]) / 2)
