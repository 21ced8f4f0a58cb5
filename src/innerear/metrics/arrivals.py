"""Do clicks come at random, at the right mean rate? The check `arrivals`: a Geiger counter."""

from __future__ import annotations

from innerear.checks import Arrivals
from innerear.dsp.impulses import find_clicks
from innerear.metrics.base import CheckMetric, Sound, Value

FEWEST = 8
MOST_DISTANCE = 0.25  # of the intervals from an exponential distribution; pairs of clicks at regular times have 0.4


class ArrivalsCheck(CheckMetric[Arrivals]):
    """The check `arrivals`: mean rate of clicks per second, corrected for dead time.

    Passes if the rate is within the relative tolerance, and the coefficient of variation of the intervals
    (1 for a Poisson process, 0 for a regular train) is in the requested range, and their distribution is near
    an exponential one (Kolmogorov's distance at most 0.25).
    """

    name, version, unit = "arrivals", 1, "Hz"
    label = "Random clicks"
    text = "Clicks come at random, at the requested mean rate."

    def measure(self, sound: Sound, check: Arrivals) -> Value:
        """Detail: number of clicks, dead time, coefficient of variation, distance."""
        clicks = find_clicks(sound.signal.mono, sound.signal.sample_rate)
        detail: dict[str, float] = {"clicks": len(clicks.times_s), "dead_s": clicks.dead_s}
        if len(clicks.times_s) < FEWEST:
            return Value(None, False, f"{len(clicks.times_s)} clicks, too few for a rate", detail)
        rate, variation = clicks.rate_hz, clicks.variation
        detail |= {"variation": variation, "distance": clicks.distance}
        low, high = check.variation
        if abs(rate - check.rate_hz) > check.tolerance * check.rate_hz:
            return Value(rate, False, f"{rate:.1f} clicks per second, wanted {check.rate_hz:g}", detail)
        if not low <= variation <= high:
            how = "too regular" if variation < low else "in bursts"
            return Value(rate, False, f"{how}: coefficient of variation {variation:.2f}", detail)
        if clicks.distance > MOST_DISTANCE:
            return Value(rate, False, "the intervals are not those of random clicks", detail)
        return Value(rate, True, "", detail)
