"""How long does the reverberation last? The check `decay_time`: T60 in the middle frequencies (ISO 3382)."""

from __future__ import annotations

from dataclasses import astuple

from innerear.checks import DecayTime
from innerear.dsp.decay import decays, is_dense
from innerear.metrics.base import CheckMetric, Sound, Value


class DecayTimeCheck(CheckMetric[DecayTime]):
    """The check `decay_time`: T60 in seconds, the mean of the octaves at 500 and 1000 Hz, from T30 or T20.

    Passes if it is within the relative tolerance, the decay is exponential (ISO 3382-2: curvature), and the
    sound is dense in partials, as reverberation is.
    """

    name, version, unit = "decay_time", 1, "s"
    label = "Reverberation time"
    text = "T60 in the middle frequencies."

    def measure(self, sound: Sound, check: DecayTime) -> Value:
        """Detail: T60, range, curvature and start of the fit in each octave that has enough range."""
        samples, rate = sound.signal.mono, sound.signal.sample_rate
        found = decays(samples, rate)
        detail = {"octaves": [[round(number, 3) for number in astuple(one)] for one in found]}
        if not found:
            return Value(None, False, "no decay of 35 dB above the noise", detail)
        t60_s = sum(one.t60_s for one in found) / len(found)
        if not all(one.is_exponential for one in found):
            return Value(t60_s, False, "the level does not decay exponentially", detail)
        if not is_dense(samples, rate, t60_s):
            return Value(t60_s, False, "a ringing tone, not the reverberation of a room", detail)
        passed = abs(t60_s - check.t60_s) <= check.tolerance * check.t60_s
        return Value(t60_s, passed, "" if passed else f"T60 is {t60_s:.2f} s, wanted {check.t60_s:g} s", detail)
