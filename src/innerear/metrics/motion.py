"""How does it move? The checks `modulation`, `glide` and `level_trend`.

Pitch is in cents (1200 per octave), level in dB, rates in Hz, all over the audible part of the sound.
Silence and noise have no f0, so they fail checks of f0.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from innerear.checks import Glide, LevelTrend, Modulation
from innerear.dsp.f0 import CLEAR, STEADY_DB, track_f0
from innerear.dsp.silence import is_silent
from innerear.metrics.base import CheckMetric, Sound, Value

Floats = NDArray[np.float64]

HOP_S = 0.01
SLOWEST_HZ, FASTEST_HZ = 2.0, 20.0  # of a vibrato or tremolo
LEAST_SHARE = 0.4  # share of the fluctuation's power at the rate, below which the modulation is not regular
LEAST_DEPTH_CENTS, LEAST_DEPTH_DB = 5.0, 0.5
LEVEL_WINDOW_S = 0.03
TRACK_WINDOW_S = 0.05  # window of the f0 tracker, short compared with the period of a vibrato

GLIDE_ENDS_S = 0.15  # segments from which the end frequencies are extrapolated
LEAST_MOVING = 0.6  # share of the time during which a glide must be moving
MOVING, MOVING_S = 0.2, 0.04  # moving means this share of the mean speed, measured over this time
OUTSIDE_CENTS = 60.0  # allowed overshoot beyond the ends

TREND_WINDOW_S = 0.1
TREND_RANGE_DB = 60.0  # floor of levels, below the maximum
TREND_ENDS = 0.2  # share of the sound at each end
TREND_CORRELATION = 0.8


def _spectral_peak(series: Floats, hop_s: float) -> tuple[float, float, float]:
    """Rate in Hz of the strongest fluctuation, its amplitude, and its share of the fluctuation's power."""
    n = len(series)
    t = np.arange(n)
    steady = series - np.polynomial.Polynomial.fit(t, series, 2)(t)
    window = np.hanning(n)
    size = 8 * n
    power = np.abs(np.fft.rfft(steady * window, size)) ** 2
    rates = np.fft.rfftfreq(size, hop_s)
    searched = (rates >= SLOWEST_HZ) & (rates <= FASTEST_HZ)
    place = int(np.argmax(np.where(searched, power, 0)))
    width = 2.0 / (n * hop_s)  # half the main lobe of the window
    share = float(power[np.abs(rates - rates[place]) <= width].sum() / max(power[rates > width].sum(), 1e-20))
    return float(rates[place]), float(2 * np.sqrt(power[place]) / window.sum()), share


class ModulationCheck(CheckMetric[Modulation]):
    """The check `modulation`: signed error of its rate in hertz.

    The strongest line between 2 and 20 Hz in the spectrum of the detrended f0 (cents) or level (dB); depth
    is its amplitude (half of peak to peak). Passes if the rate and, if requested, the depth are within
    their tolerances and the line has at least 0.4 of the fluctuation's power.
    """

    name, version, unit = "modulation", 1, "Hz"
    label = "Vibrato or tremolo"
    text = "Rate and depth of the modulation."
    better = "lower"
    value_is = "error"

    def measure(self, sound: Sound, check: Modulation) -> Value:
        """Detail: rate, depth and share of the power."""
        samples, sample_rate = sound.signal.mono, sound.signal.sample_rate
        of_f0 = check.of == "f0"
        series = _cents(samples, sample_rate) if of_f0 else _level_db(samples, sample_rate)
        if series is None or len(series) * HOP_S < 1.0:
            return Value(None, False, "no steady fundamental of a second" if of_f0 else "less than a second is heard")
        rate, depth, share = _spectral_peak(series, HOP_S)
        if of_f0:  # undo the smoothing by the tracker's window
            depth /= float(np.sinc(min(rate * TRACK_WINDOW_S, 0.7)))
        unit = "cents" if of_f0 else "dB"
        detail = {"rate_hz": rate, f"depth_{unit}": depth, "share": share}
        error = rate - check.rate_hz
        if depth < (LEAST_DEPTH_CENTS if of_f0 else LEAST_DEPTH_DB) or share < LEAST_SHARE:
            return Value(error, False, "no regular modulation", detail)
        if abs(error) > check.tolerance_hz:
            return Value(error, False, f"modulated at {rate:.1f} Hz, wanted {check.rate_hz:g} Hz", detail)
        if check.depth_cents is not None and abs(depth - check.depth_cents) > (check.depth_tolerance_cents or 0):
            return Value(error, False, f"{depth:.0f} cents deep, wanted {check.depth_cents:g}", detail)
        return Value(error, True, "", detail)


def _cents(samples: NDArray[np.float32], sample_rate: int) -> Floats | None:
    """f0 in cents every 10 ms over the voiced part, with gaps interpolated; `None` if it is mostly unvoiced."""
    track = track_f0(samples, sample_rate, TRACK_WINDOW_S, HOP_S)
    good = (track.level_db > track.level_db.max() - STEADY_DB) & (track.clarity >= CLEAR)
    if track.level_db.max() < -80 or good.sum() < 10:
        return None
    first, last = np.flatnonzero(good)[[0, -1]]
    if good[first : last + 1].mean() < 0.6:
        return None
    cents = 1200 * np.log2(np.where(good, track.f0_hz, 1.0))
    median = float(np.median(cents[good]))
    good &= np.abs(cents - median) < 600  # drop octave errors of the tracker
    if not good.any():
        return None  # two pitches, an octave or more apart, and nothing at the median between them
    return np.asarray(np.interp(np.arange(first, last + 1), np.flatnonzero(good), cents[good] - median))


def _level_db(samples: NDArray[np.float32], sample_rate: int) -> Floats | None:
    """Level in dB every 10 ms in windows of 30 ms, from the first to the last within 20 dB of the maximum."""
    hop = round(HOP_S * sample_rate)
    length = round(LEVEL_WINDOW_S * sample_rate)
    if len(samples) < length or is_silent(samples):
        return None
    squares = np.concatenate([[0.0], np.cumsum(samples.astype(np.float64) ** 2)])
    power = (squares[length:] - squares[:-length])[::hop] / length
    level = 10 * np.log10(np.maximum(power, 1e-12))
    loud = np.flatnonzero(level > level.max() - STEADY_DB)
    return np.asarray(np.maximum(level[loud[0] : loud[-1] + 1], level.max() - 2 * STEADY_DB))


class GlideCheck(CheckMetric[Glide]):
    """The check `glide`: the larger signed error of the two end frequencies, in cents.

    The ends are extrapolated by lines through the first and last 0.15 s of f0. Passes if both are within
    the tolerance, the pitch is moving at least 0.6 of the time (unlike a scale), and it does not overshoot
    the ends.
    """

    name, version, unit = "glide", 1, "cents"
    label = "Glide"
    text = "A pitch that moves steadily from one note to another."
    better = "lower"
    value_is = "error"

    def measure(self, sound: Sound, check: Glide) -> Value:
        """Detail: the frequencies at both ends."""
        track = track_f0(sound.signal.mono, sound.signal.sample_rate, TRACK_WINDOW_S, HOP_S)
        good = (track.level_db > track.level_db.max() - STEADY_DB) & (track.clarity >= CLEAR)
        if track.level_db.max() < -80 or good.sum() < 30:
            return Value(None, False, "no fundamental that could glide")
        first, last = np.flatnonzero(good)[[0, -1]]
        if good[first : last + 1].mean() < 0.7:
            return Value(None, False, "a fundamental is heard in less than 0.7 of the sound")
        times = track.times_s[good]
        cents = 1200 * np.log2(track.f0_hz[good] / check.from_hz)
        half = TRACK_WINDOW_S / 2 if first == 0 else 0.0
        n = round(GLIDE_ENDS_S / HOP_S)
        ends = (
            float(np.polynomial.Polynomial.fit(times[:n], cents[:n], 1)(times[0] - half)),
            float(np.polynomial.Polynomial.fit(times[-n:], cents[-n:], 1)(times[-1] + half)),
        )
        whole = 1200 * float(np.log2(check.to_hz / check.from_hz))
        errors = (ends[0], ends[1] - whole)
        worst = max(errors, key=abs)
        detail = {"from_hz": check.from_hz * 2 ** (ends[0] / 1200), "to_hz": check.from_hz * 2 ** (ends[1] / 1200)}
        if abs(worst) > check.tolerance_cents:
            return Value(worst, False, f"goes from {detail['from_hz']:.0f} to {detail['to_hz']:.0f} Hz", detail)
        over = round(MOVING_S / HOP_S)
        speed = (cents[over:] - cents[:-over]) * np.sign(whole)
        mean_speed = abs(whole) / max(len(cents) - 1, 1) * over
        moving = float(np.mean(speed >= MOVING * mean_speed))
        progress = cents * np.sign(whole)
        strays = max(-float(progress.min()), float(progress.max()) - abs(whole))
        detail["moving"] = moving
        if moving < LEAST_MOVING:
            return Value(worst, False, f"on its way during {moving:.0%} of the time: steps, not a slide", detail)
        if strays > OUTSIDE_CENTS + check.tolerance_cents:
            return Value(worst, False, f"strays {strays:.0f} cents beyond its ends", detail)
        return Value(worst, True, "", detail)


class LevelTrendCheck(CheckMetric[LevelTrend]):
    """The check `level_trend`: change of level in dB from the first to the last fifth, in the requested direction.

    Levels over 0.1 s, floored 60 dB below the maximum; medians of both ends, without the attack before a
    loudest start or the release after a loudest end. Passes if the change is at least the requested one
    and Spearman's correlation of level with time is at least 0.8.
    """

    name, version, unit = "level_trend", 1, "dB"
    label = "Crescendo or fade"
    text = "Level rises or falls steadily by at least the given amount."

    def measure(self, sound: Sound, check: LevelTrend) -> Value:
        """The value is positive if the level moves in the requested direction."""
        from scipy.stats import rankdata

        samples, sample_rate = sound.signal.mono, sound.signal.sample_rate
        hop = round(TREND_WINDOW_S / 2 * sample_rate)
        whole = len(samples) // hop * hop
        if whole < 10 * hop or is_silent(samples):
            return Value(None, False, "silence, or too short for a trend")
        power = np.mean(samples[:whole].reshape(-1, hop).astype(np.float64) ** 2, axis=1)
        power = (power[1:] + power[:-1]) / 2
        level = 10 * np.log10(np.maximum(power, power.max() * 10 ** (-TREND_RANGE_DB / 10)))
        rising = check.direction == "rise"
        level = _without_edge(level if rising else level[::-1])
        n = max(2, round(TREND_ENDS * len(level)))
        change = float(np.median(level[-n:]) - np.median(level[:n]))
        ranks = rankdata(np.round(level, 1))
        trend = 0.0 if np.ptp(ranks) == 0 else float(np.corrcoef(np.arange(len(ranks)), ranks)[0, 1])
        detail = {"correlation": trend}
        if change < check.at_least_db:
            reason = f"{check.direction}s by {change:.1f} dB, wanted {check.at_least_db:g}"
            return Value(change, False, reason, detail)
        if trend < TREND_CORRELATION:
            return Value(change, False, f"the level does not {check.direction} all the time", detail)
        return Value(change, True, "", detail)


def _without_edge(level: Floats) -> Floats:
    """Drop what follows the maximum if that is at most a tenth: a release, or an attack in reversed levels."""
    loudest = int(np.argmax(level))
    return level[: loudest + 1] if loudest >= 0.9 * (len(level) - 1) else level
