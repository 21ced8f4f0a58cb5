"""When does something start? The checks `onsets`, `onset_trend` and `events`, by spectral flux (`dsp.onsets`).

Times are in seconds from the first sample. An onset is a rise of energy in some part of the spectrum: a
click, a struck or blown note, also a note that follows another without a gap. Silence has no onsets;
steady noise has one.
"""

from __future__ import annotations

import numpy as np

from innerear.checks import Events, Onsets, OnsetTrend
from innerear.dsp.onsets import SAMPLE_RATE, count_events, find_onsets
from innerear.metrics.base import CheckMetric, Sound, Value
from innerear.records import Remark

PASS_F = 0.96
TREND_CORRELATION = 0.9
FEWEST_FOR_TREND = 5


class OnsetsCheck(CheckMetric[Onsets]):
    """The check `onsets`: F-measure of onsets against the requested times; extra onsets count as errors.

    `mir_eval.onset` (C. Raffel et al., "mir_eval", ISMIR 2014). Passes at F ≥ 0.96: with eleven or fewer
    onsets, all must be right.
    """

    name, version, unit = "onsets", 1, "F"
    label = "Onsets right"
    text = "F-measure of onsets within tolerance; extra onsets lower it."

    def measure(self, sound: Sound, check: Onsets) -> Value:
        """Detail: the onset times found."""
        heard = find_onsets(sound.signal.at(SAMPLE_RATE))
        detail = {"asked": len(check.times_s), "heard_s": [round(float(t), 3) for t in heard]}
        if not len(heard):
            return Value(0.0, False, "no onsets are heard", detail)
        import mir_eval.onset

        f, precision, recall = mir_eval.onset.f_measure(np.array(check.times_s), heard, window=check.tolerance_s)
        hit = round(recall * len(check.times_s))
        reason = f"{len(heard)} onsets heard where {len(check.times_s)} were asked; {hit} of them at the right time"
        passed = bool(f >= PASS_F)
        return Value(
            float(f),
            passed,
            "" if passed else reason,
            {**detail, "precision": float(precision), "recall": float(recall)},
        )


class OnsetTrendCheck(CheckMetric[OnsetTrend]):
    """The check `onset_trend`: Spearman's correlation of the onset rate with time, in the requested direction.

    The rate is the inverse of each interval; a parabola through its logarithm gives the rates at the
    first onset and at the end (at most one interval after the last). Passes if both are within the
    relative tolerance of the requested rates and the correlation is at least 0.9.
    """

    name, version, unit = "onset_trend", 1, "rank correlation"
    label = "Accelerando or ritardando"
    text = "Onset rate changes as requested, between the given rates."

    def measure(self, sound: Sound, check: OnsetTrend) -> Value:
        """Detail: the onset times found and the rates at both ends."""
        heard = find_onsets(sound.signal.at(SAMPLE_RATE))
        detail: dict[str, object] = {"heard_s": [round(float(t), 3) for t in heard]}
        if len(heard) < FEWEST_FOR_TREND:
            return Value(None, False, f"{len(heard)} onsets are heard, too few for a trend", detail)
        from scipy.stats import rankdata

        rates = np.log(1 / np.diff(heard))
        middles = (heard[1:] + heard[:-1]) / 2
        curve = np.polynomial.Polynomial.fit(middles, rates, 2)
        last_s = min(sound.signal.duration_s, 2 * heard[-1] - heard[-2])
        ends = np.exp(curve(np.array([heard[0], last_s])))
        ranks = rankdata(rates)
        trend = 0.0 if np.ptp(ranks) == 0 else float(np.corrcoef(np.arange(len(ranks)), ranks)[0, 1])
        trend = trend if check.direction == "accelerate" else -trend
        detail |= {"from_hz": float(ends[0]), "to_hz": float(ends[1])}
        limit = np.log(1 + check.tolerance)
        off = [abs(np.log(end / asked)) > limit for end, asked in zip(ends, (check.from_hz, check.to_hz), strict=True)]
        if trend < TREND_CORRELATION:
            return Value(trend, False, "the rate does not go the way asked", detail)
        if any(off):
            return Value(trend, False, f"the rate goes from {ends[0]:.2f} to {ends[1]:.2f} a second", detail)
        return Value(trend, True, "", detail)


class EventsCheck(CheckMetric[Events]):
    """The check `events`: number of separate events minus the requested number."""

    name, version, unit = "events", 1, "events"
    label = "Event count"
    text = "As many separate events as requested."
    better = "lower"
    value_is = "error"
    excused_by = (Remark.ANOTHER_COUNT,)

    def measure(self, sound: Sound, check: Events) -> Value:
        """Passes if the count is exact."""
        count = count_events(sound.signal.at(SAMPLE_RATE))
        passed = count == check.count
        reason = "" if passed else f"{count} event{'' if count == 1 else 's'} heard where {check.count} were asked"
        return Value(float(count - check.count), passed, reason, {"heard": count})
