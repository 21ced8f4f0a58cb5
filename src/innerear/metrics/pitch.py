"""What is its fundamental? The check `pitch`.

Silence and noise have no f0: the check fails with a reason instead of a number.
"""

from __future__ import annotations

from innerear.checks import Pitch
from innerear.dsp.f0 import cents, steady_f0
from innerear.metrics.base import CheckMetric, Sound, Value
from innerear.records import Remark


class PitchCheck(CheckMetric[Pitch]):
    """The check `pitch`: signed error, in cents, of the median f0 over the steady part."""

    name, version, unit = "pitch", 1, "cents"
    label = "Pitch right"
    text = "Share of pitch checks within tolerance."
    better = "lower"
    value_is = "error"
    overview = True
    excused_by = (Remark.ANOTHER_PITCH,)

    def measure(self, sound: Sound, check: Pitch) -> Value:
        """Passes within the check's tolerance; with `octave_free` in any octave."""
        f0_hz = steady_f0(sound.signal.mono, sound.signal.sample_rate)
        asked = {"asked_hz": check.f0_hz, "tolerance_cents": check.tolerance_cents}
        if f0_hz is None:
            return Value(None, False, "no fundamental: silence, noise, or several pitches", asked)
        error = cents(f0_hz, check.f0_hz)
        if check.octave_free:
            error = (error + 600) % 1200 - 600
        return Value(error, abs(error) <= check.tolerance_cents, "", {**asked, "heard_hz": f0_hz})
