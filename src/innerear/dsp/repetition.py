"""How often a sound repeats: events below 20 Hz, the period of the sound or of its envelope above."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from innerear.dsp.parabola import vertex
from innerear.dsp.silence import is_silent

Floats = NDArray[np.float64]

EVENTS_BELOW_HZ = 20.0
FRAME_S = 0.004  # of the loudness of slow events
SMOOTH = 0.15  # of a period: events are merged over this time
LEAST_DEPTH = 0.12  # of the range of loudness: how far it must fall between two events
BANDS_HZ = (0, 125, 250, 500, 1000, 2000, 4000, 8000, 16_000)
POWER = 0.3  # exponent of loudness over intensity
NEAR = 0.25  # of a period: how far an event may be from where the rate puts it
LEAST_REGULAR = 0.75  # share of the events that are that near

LEAST_CLEAR = 0.25  # of the autocorrelation at the period
FIRST_SHARE = 0.8  # the period is the first maximum with this share of the highest up to 1.4 periods
CYCLE_SHARE = 0.5  # of the autocorrelation at a longer cycle, that the period itself must have
CYCLES = 8  # longest cycle in periods: an engine of sixteen cylinders


@dataclass(frozen=True)
class Repetition:
    """A rate in hertz, and how clear it is (0 to 1)."""

    hz: float
    clear: float


def event_rate(samples: NDArray[np.float32], sample_rate: int, about_hz: float) -> Repetition | None:
    """Rate of events below 20 Hz, looked for at the time scale of `about_hz`; None if none is regular.

    Loudness is summed over octaves and smoothed over 0.15 periods of `about_hz`, so that the syllables of a
    chirp or the parts of a tick are one event. Events at half or up to three times that rate are found at their
    own rate. The rate is the slope of event number over time.
    """
    loudness, frame_s = _loudness(samples, sample_rate, min(FRAME_S, 0.02 / about_hz))
    if not len(loudness):
        return None
    times = _events(loudness, max(1, round(SMOOTH / about_hz / frame_s))) * frame_s
    if len(times) < 3:
        return None
    period = float(np.median(np.diff(times)))
    numbers = np.concatenate([[0], np.cumsum(np.maximum(1, np.round(np.diff(times) / period)))])
    slope, first = np.polyfit(numbers, times, 1)
    off = np.abs(times - (first + slope * numbers)) / slope
    steps = np.abs(np.diff(times) / period - 1)
    regular = min(float((off <= NEAR).mean()), float((steps <= NEAR).mean()))
    return Repetition(float(1 / slope), regular)


def _loudness(samples: NDArray[np.float32], sample_rate: int, frame_s: float) -> tuple[Floats, float]:
    """Loudness per frame, and the length of a frame in seconds."""
    import scipy.fft

    if is_silent(samples):
        return np.zeros(0), frame_s
    hop = max(1, round(frame_s * sample_rate))
    length = max(2 * hop, round(0.008 * sample_rate))
    x = np.pad(samples, (length, length + hop))
    frames = np.lib.stride_tricks.sliding_window_view(x, length)[::hop]
    hz = scipy.fft.rfftfreq(length, 1 / sample_rate)
    edges = np.unique(np.searchsorted(hz, BANDS_HZ))
    total = np.zeros(len(frames))
    window = np.hanning(length).astype(np.float32)
    for start in range(0, len(frames), 4096):
        power = np.abs(scipy.fft.rfft(frames[start : start + 4096] * window, axis=1)) ** 2
        banded = np.add.reduceat(power, edges[edges < len(hz)], axis=1)
        total[start : start + 4096] = (np.maximum(banded, 0) ** POWER).sum(axis=1)
    return total, hop / sample_rate


def _events(loudness: Floats, width: int) -> Floats:
    """Frames of the maxima of the smoothed loudness; it falls between two of them."""
    from scipy.ndimage import gaussian_filter1d
    from scipy.signal import find_peaks

    smooth = gaussian_filter1d(np.pad(loudness, 3 * width, mode="constant"), width / 2.35)
    floor = float(np.quantile(smooth[3 * width : -3 * width or None], 0.02))
    span = float(smooth.max()) - min(floor, float(smooth.max()) * 0.999)
    if span < 0.2 * smooth.max():
        return np.zeros(0)
    peaks = find_peaks(smooth, prominence=LEAST_DEPTH * span, height=floor + 0.2 * span)[0]
    return np.asarray(peaks - 3 * width, dtype=float)


def period_rate(samples: NDArray[np.float32], sample_rate: int, about_hz: float) -> Repetition | None:
    """Rate from 20 Hz, as the period of the sound or else of its envelope; None if there is none near `about_hz`.

    The first clear maximum of the autocorrelation up to 1.4 periods of `about_hz`: an engine that shows its
    cycle of several firings as well has its firing rate, if that is at least half as clear. The sound itself
    decides if it is periodic, also in a longer cycle; only then its envelope, for bursts of noise.
    """
    import scipy.fft
    from scipy.signal import butter, hilbert, sosfiltfilt

    if len(samples) < 4 * sample_rate / about_hz or is_silent(samples):
        return None
    x = samples.astype(np.float64)
    x = x - x.mean()
    of_sound = _autocorrelation(x, sample_rate, about_hz)
    found = _first_period(of_sound, sample_rate, about_hz)
    if found is not None:
        return found
    p = sample_rate / about_hz
    longer = max(_near(of_sound, n * p) for n in range(2, CYCLES + 1))
    if longer >= 0.6 and _near(of_sound, p) <= -0.3 * longer:  # half a cycle is the other half upside down
        return None
    if _near(of_sound, p) > 0.8 * max(longer, 0.5):  # periodic, at another rate
        return None
    low = butter(2, min(8 * about_hz, 0.45 * sample_rate), fs=sample_rate, output="sos")
    envelope = sosfiltfilt(low, np.abs(np.asarray(hilbert(x, scipy.fft.next_fast_len(len(x)))))[: len(x)])
    return _first_period(_autocorrelation(envelope - envelope.mean(), sample_rate, about_hz), sample_rate, about_hz)


def _autocorrelation(x: Floats, sample_rate: int, about_hz: float) -> Floats:
    """Normalised autocorrelation up to 8.5 periods, 1 at lag 0, corrected for the overlap."""
    import scipy.fft

    longest = min(len(x) - 1, round((CYCLES + 0.5) * sample_rate / about_hz))
    size = scipy.fft.next_fast_len(len(x) + longest, real=True)
    raw = scipy.fft.irfft(np.abs(scipy.fft.rfft(x, size)) ** 2, size)[: longest + 1]
    return np.asarray(raw / max(float(raw[0]), 1e-20) * len(x) / (len(x) - np.arange(longest + 1)))


def _near(correlation: Floats, lag: float) -> float:
    """The highest value within 3 % of a lag; 0 past the end."""
    part = correlation[int(lag * 0.97) : int(lag * 1.03) + 2]
    return float(part.max()) if len(part) else 0.0


def _first_period(correlation: Floats, sample_rate: int, about_hz: float) -> Repetition | None:
    """The first clear maximum up to 1.4 periods; None if it is weak, or weaker than a longer cycle."""
    from scipy.signal import find_peaks

    part = correlation[: round(1.4 * sample_rate / about_hz) + 2]
    dips = np.flatnonzero(part < 0.5 * part[0])
    if not len(dips):
        return None
    peaks = find_peaks(part)[0]
    peaks = peaks[(peaks > dips[0]) & (part[peaks] > 0)]
    if not len(peaks):
        return None
    first = int(peaks[part[peaks] >= FIRST_SHARE * part[peaks].max()][0])
    top = part[first]
    lag = first + float(vertex(*part[first - 1 : first + 2])[0])
    longer = max(_near(correlation, n * lag) for n in range(2, CYCLES + 1))
    if top < LEAST_CLEAR or top < CYCLE_SHARE * longer:
        return None
    return Repetition(float(sample_rate / lag), float(top))
