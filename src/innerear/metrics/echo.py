"""When does the echo arrive? The check `echo`: a second, weaker arrival after a loud impulse."""

from __future__ import annotations

from innerear.checks import Echo
from innerear.dsp.impulses import find_arrivals
from innerear.metrics.base import CheckMetric, Sound, Value

LEAST_LOSS_DB = 1.0  # an echo is weaker than its source


class EchoCheck(CheckMetric[Echo]):
    """The check `echo`: seconds from the impulse to its strongest echo.

    Passes if that delay is within the relative tolerance, and the echo is at least 1 dB weaker.
    """

    name, version, unit = "echo", 1, "s"
    label = "Echo"
    text = "The strongest echo arrives after the requested time."

    def measure(self, sound: Sound, check: Echo) -> Value:
        """Detail: arrivals as (seconds, dB re the loudest)."""
        found = find_arrivals(sound.signal.mono, sound.signal.sample_rate)
        detail = {"arrivals": [(round(one.at_s, 3), round(one.level_db, 1)) for one in found]}
        if len(found) < 2:
            return Value(None, False, "no echo" if found else "no impulse", detail)
        direct = found[0]
        echo = max(found[1:], key=lambda one: one.level_db)
        delay_s = echo.at_s - direct.at_s
        if echo.level_db > direct.level_db - LEAST_LOSS_DB:
            return Value(delay_s, False, "the second sound is as loud as the first", detail)
        passed = abs(delay_s - check.delay_s) <= check.tolerance * check.delay_s
        reason = "" if passed else f"the echo comes after {delay_s:.3f} s, wanted {check.delay_s:.3f} s"
        return Value(delay_s, passed, reason, detail)
