"""How often does it repeat? The check `rate`: ticks, chirps and waves below 20 Hz, engines and hums above."""

from __future__ import annotations

from innerear.checks import Rate
from innerear.dsp.repetition import EVENTS_BELOW_HZ, LEAST_REGULAR, event_rate, period_rate
from innerear.metrics.base import CheckMetric, Sound, Value


class RateCheck(CheckMetric[Rate]):
    """The check `rate`: repetitions per second.

    Below 20 Hz, of events at regular intervals (tick and tock may differ); above, of the sound or of its
    envelope (the firing rate of an engine may come with its slower cycle). Passes within the relative tolerance.
    """

    name, version, unit = "rate", 1, "Hz"
    label = "Rate"
    text = "Events or cycles per second."

    def measure(self, sound: Sound, check: Rate) -> Value:
        """Detail: how clear the rate is: the share of events in time, or the autocorrelation."""
        events = check.hz < EVENTS_BELOW_HZ
        found = (event_rate if events else period_rate)(sound.signal.mono, sound.signal.sample_rate, check.hz)
        if found is None:
            return Value(None, False, "no events" if events else f"no period near 1/{check.hz:g} s")
        detail = {"clear": found.clear}
        if events and found.clear < LEAST_REGULAR:
            return Value(None, False, "its events come at no regular rate", detail)
        passed = abs(found.hz - check.hz) <= check.tolerance * check.hz
        return Value(found.hz, passed, "" if passed else f"{found.hz:.4g} Hz, wanted {check.hz:.4g} Hz", detail)
