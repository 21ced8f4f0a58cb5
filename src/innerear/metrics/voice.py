"""The f0 of a voice: the checks `voice_f0`, `f0_trend` and `voice_f0_steps`.

They use one f0 track made for voices (`dsp.voice`): frames of 48 ms every 10 ms, between 60 and 700 Hz,
of sounds with overtones.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from innerear.checks import F0Trend, VoiceF0, VoiceF0Steps
from innerear.dsp.voice import median_f0, parts_f0, semitones, track_voice
from innerear.metrics.base import CheckMetric, Sound, Value

LEAST_MOVED, LEAST_STEP = 1.5, 3.0  # semitones
NO_F0 = "no voice with a fundamental"


class VoiceF0Check(CheckMetric[VoiceF0]):
    """The check `voice_f0`: median f0 of the voice in Hz. Passes within the range."""

    name, version, unit = "voice_f0", 1, "f0, Hz"
    label = "Voice pitch"
    text = "The median f0 of the voice is in the requested range."

    def measure(self, sound: Sound, check: VoiceF0) -> Value:
        """Detail: the f0 and the requested range in Hz."""
        f0_hz = median_f0(sound.signal, track_voice(sound.signal))
        asked = {"range_hz": [check.low_hz, check.high_hz]}
        if f0_hz is None:
            return Value(None, False, NO_F0, asked)
        passed = check.low_hz <= f0_hz <= check.high_hz
        way = "" if passed else f"too {'low' if f0_hz < check.low_hz else 'high'}: {f0_hz:.0f} Hz"
        return Value(f0_hz, passed, way, {**asked, "f0_hz": round(f0_hz, 1)})


class F0TrendCheck(CheckMetric[F0Trend]):
    """The check `f0_trend`: change of f0 at the end of the voice, in semitones.

    Passes if f0 moves by at least 1.5 semitones in the requested direction.
    """

    name, version, unit = "f0_trend", 1, "semitones"
    label = "Intonation"
    text = "The voice's f0 rises or falls at the end as requested."

    def measure(self, sound: Sound, check: F0Trend) -> Value:
        """Detail: the same number; negative if f0 falls."""
        track = track_voice(sound.signal)
        moved = semitones(track)
        if moved is None or median_f0(sound.signal, track) is None:
            return Value(None, False, NO_F0)
        passed = moved >= LEAST_MOVED if check.direction == "rise" else moved <= -LEAST_MOVED
        reason = "" if passed else f"moves by {moved:+.1f} semitones at its end"
        return Value(moved, passed, reason, {"semitones": round(moved, 2)})


class VoiceF0StepsCheck(CheckMetric[VoiceF0Steps]):
    """The check `voice_f0_steps`: share of successive voices whose f0 is in its range.

    The voices are split at the longest gaps. Passes if all are in their ranges and each voice that should
    be higher or lower than the previous one is so by at least 3 semitones.
    """

    name, version, unit = "voice_f0_steps", 1, "share"
    label = "Voices in turn"
    text = "Each voice in turn has an f0 in its range."

    def measure(self, sound: Sound, check: VoiceF0Steps) -> Value:
        """Detail: the f0 of each voice in Hz."""
        asked = {"ranges_hz": [list(one) for one in check.ranges_hz]}
        found = parts_f0(sound.signal, track_voice(sound.signal), len(check.ranges_hz))
        if found is None:
            return Value(None, False, f"not {len(check.ranges_hz)} voices one after the other", asked)
        inside = [low <= f0_hz <= high for f0_hz, (low, high) in zip(found, check.ranges_hz, strict=True)]
        passed = all(inside) and _steps(found, check.ranges_hz)
        heard = ", then ".join(f"{f0_hz:.0f} Hz" for f0_hz in found)
        return Value(
            sum(inside) / len(inside), passed, "" if passed else heard,
            {**asked, "heard_hz": [round(f0_hz, 1) for f0_hz in found]},
        )  # fmt: skip


def _steps(found: Sequence[float], ranges_hz: Sequence[tuple[float, float]]) -> bool:
    """Whether successive voices differ in the same direction as the centres of their ranges."""
    centres = [np.sqrt(low * high) for low, high in ranges_hz]
    for i in range(1, len(found)):
        asked, got = (12 * np.log2(f0s[i] / f0s[i - 1]) for f0s in (centres, found))
        if abs(asked) >= LEAST_STEP and np.sign(asked) * got < LEAST_STEP:
            return False
    return True
