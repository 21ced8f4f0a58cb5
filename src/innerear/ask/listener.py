"""A textual report on a sound for strategies: level, pitch, onsets, bands, noisiness, resonances.

The estimators differ from those of the checks: f0 by YIN (the checks use McLeod's method), onsets from
band levels (the checks: spectral flux). There is no second tagger: if YAMNet is available, its classes
are reported, and the scores that depend on it say "seen by the strategy". Units: seconds from the
start, hertz, dBFS.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from innerear import checks
from innerear.ask.strategies import Heard
from innerear.clip import Clip
from innerear.dsp.parabola import vertex
from innerear.errors import WeightsUnavailable
from innerear.records import Probe

Floats = NDArray[np.float64]

RATE_HZ = 22_050
WINDOW, HOP = 1024, 220  # samples: 46 ms, 10 ms
YIN_THRESHOLD = 0.15
FMIN_HZ, FMAX_HZ = 50.0, 2_500.0
SLICES = 10
BANDS_HZ = (0, 125, 250, 500, 1000, 2000, 4000, 8000)
RISE_DB, APART_S = 8.0, 0.06
AUDIBLE_DBFS = -60.0
PITCH_CENTS = 50.0


Tagger = Callable[[Clip], list[tuple[str, float]]]
"""The top classes of a clip, each with its score from 0 to 1."""


def find_tagger() -> Tagger | None:
    """A tagger with YAMNet's top classes, or `None` if its weights are unavailable."""
    from innerear.metrics.identity import network
    from innerear.metrics.instrument import FIRST_NAMES, audioset_names

    def names(clip: Clip) -> list[tuple[str, float]]:
        scores = network("yamnet").listen(clip)[1].mean(axis=0)
        return [(audioset_names()[index], float(scores[index])) for index in np.argsort(-scores)[:FIRST_NAMES]]

    try:
        network("yamnet")
    except WeightsUnavailable:
        return None
    return names


def hear(clip: Clip, probe: Probe, tagger: Tagger | None = None) -> Heard:
    """Report on one clip, and estimate how much of what its probe asks for is present.

    The tagger's classes are only reported; they do not affect the estimate.
    """
    signal = clip.at(RATE_HZ).astype(np.float64)
    level = float(np.sqrt(np.mean(signal**2))) if len(signal) else 0.0
    if level < 10 ** (AUDIBLE_DBFS / 20):
        return Heard(f"- {clip.duration_s:.2f} s of silence ({probe.duration_s:g} s were asked for).", 0.0)
    power = _power(signal)
    f0_hz, times_s = yin(signal)
    onsets_s = onsets(power)
    lines = [
        f"- Length {clip.duration_s:.2f} s ({probe.duration_s:g} s were asked for), {clip.sample_rate} Hz.",
        f"- Level in {SLICES} equal parts of the time, dB: {_levels(signal)}; peak {_db(np.abs(signal).max()):.1f}.",
        f"- Pitch: {_pitch(f0_hz, times_s)}.",
        f"- {len(onsets_s)} onsets{_times(onsets_s)}.",
        f"- Energy by band, dB re the whole: {_bands(power)}.",
        f"- Noisiness (spectral flatness, 0 a tone, 1 white noise): {_flatness(power):.2f}.",
    ]
    if resonances := formants(signal):
        lines.append(f"- Resonances near {', '.join(f'{hz:.0f}' for hz in resonances)} Hz.")
    if tagger is not None:
        named = ", ".join(f"{name} {score:.2f}" for name, score in tagger(clip))
        lines.append(f"- A tagger of everyday sounds names it (0 to 1): {named}.")
    return Heard("\n".join(lines), _worth(clip, probe, f0_hz, onsets_s))


def yin(signal: Floats) -> tuple[Floats, Floats]:
    """f0 in hertz (NaN: unvoiced) every 10 ms from 50 to 2500 Hz, and frame times in seconds.

    A. de Cheveigné, H. Kawahara, "YIN, a fundamental frequency estimator", JASA 111(4), 2002:
    steps 2 to 5, on frames of 46 ms.
    """
    longest, shortest = int(RATE_HZ / FMIN_HZ), int(RATE_HZ / FMAX_HZ)
    size = WINDOW + longest
    padded = np.pad(signal, (0, max(0, size - len(signal))))
    frames = np.lib.stride_tricks.sliding_window_view(padded, size)[::HOP]
    n_fft = 1 << (size + WINDOW - 1).bit_length()
    head = np.fft.rfft(frames[:, :WINDOW], n_fft)
    correlation = np.fft.irfft(np.fft.rfft(frames, n_fft) * np.conj(head), n_fft)[:, : longest + 1]
    squares = np.cumsum(np.pad(frames**2, ((0, 0), (1, 0))), axis=1)
    energy = squares[:, WINDOW : WINDOW + longest + 1] - squares[:, : longest + 1]
    difference = np.maximum(energy[:, :1] + energy - 2 * correlation, 0)  # eq. 6, 7
    mean = np.cumsum(difference[:, 1:], axis=1) / np.arange(1, longest + 1)
    normal = np.ones_like(difference)
    normal[:, 1:] = difference[:, 1:] / np.maximum(mean, 1e-12)  # eq. 8
    f0_hz = np.full(len(frames), np.nan)
    loud = energy[:, 0] > 1e-4 * energy[:, 0].max()
    for frame in np.flatnonzero(loud):
        row = normal[frame]
        below = np.flatnonzero(row[shortest:-1] < YIN_THRESHOLD)
        if not len(below):
            continue
        lag = shortest + int(below[0])
        while lag + 1 < longest and row[lag + 1] < row[lag]:
            lag += 1
        dip = row[lag - 1 : lag + 2] if lag + 1 <= longest else np.array([1.0, row[lag], 1.0])
        f0_hz[frame] = RATE_HZ / (lag + vertex(*-dip)[0])
    return f0_hz, (np.arange(len(frames)) * HOP + WINDOW / 2) / RATE_HZ


def _power(signal: Floats) -> Floats:
    """Power spectra every 10 ms, (frames, bins)."""
    padded = np.pad(signal, (WINDOW // 2, WINDOW))
    frames = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::HOP]
    spectra: Floats = np.abs(np.fft.rfft(frames * np.hanning(WINDOW), axis=1)) ** 2
    return spectra


def onsets(power: Floats) -> Floats:
    """Onset times in seconds: the level rises by 8 dB within 40 ms in two or more of eight bands."""
    banded = 10 * np.log10(_by_band(power) + 1e-6 * _by_band(power).max())
    rise = banded[4:] - banded[:-4]
    strength = np.where((rise > RISE_DB).sum(axis=1) >= 2, rise.sum(axis=1), 0.0)
    found: list[float] = []
    for place in np.flatnonzero(strength):
        near = strength[max(0, place - 6) : place + 7]
        time_s = float(place + 4) * HOP / RATE_HZ
        if strength[place] == near.max() and (not found or time_s - found[-1] > APART_S):
            found.append(time_s)
    if (starts := banded[:4].max()) > banded.max() - 30 and (not found or found[0] > APART_S) and np.isfinite(starts):
        found.insert(0, 0.0)
    return np.array(found)


def _by_band(power: Floats) -> Floats:
    edges = [round(hz * WINDOW / RATE_HZ) for hz in BANDS_HZ]
    return np.add.reduceat(power, edges, axis=1)


def formants(signal: Floats) -> list[float]:
    """The first three formants below 4 kHz in hertz, medians over loud frames, by LPC of order 12 at 11 kHz.

    J. D. Markel, A. H. Gray, "Linear Prediction of Speech", 1976: the autocorrelation method.
    """
    from scipy.linalg import solve_toeplitz
    from scipy.signal import decimate

    rate, length = RATE_HZ / 2, 330
    if len(signal) < 2 * length - 1:
        return []
    slow: Floats = decimate(np.append(signal[0], signal[1:] - 0.95 * signal[:-1]), 2)
    frames = np.lib.stride_tricks.sliding_window_view(slow, length)[:: length // 2]
    levels = (frames**2).sum(axis=1)
    found = []
    for frame in frames[levels > 0.1 * levels.max()][:100]:
        windowed = frame * np.hamming(length)
        lags = np.correlate(windowed, windowed, "full")[length - 1 : length + 12]
        lags[0] *= 1 + 1e-6
        roots = np.roots(np.append(1, -solve_toeplitz(lags[:-1], lags[1:])))
        roots = roots[roots.imag > 0]
        hz, width = np.angle(roots) * rate / (2 * np.pi), -np.log(np.abs(roots)) * rate / np.pi
        kept = np.sort(hz[(hz > 150) & (hz < 4000) & (width < 500)])
        if len(kept) >= 3:
            found.append(kept[:3])
    return [float(hz) for hz in np.median(found, axis=0)] if found else []


def _times(onsets_s: Floats) -> str:
    return f", at {', '.join(f'{t:.2f}' for t in onsets_s[:24])} s" if len(onsets_s) else ""


def _db(amplitude: float) -> float:
    return 20 * float(np.log10(max(amplitude, 1e-6)))


def _levels(signal: Floats) -> str:
    parts = (part for part in np.array_split(signal, SLICES) if len(part))  # a click may have fewer samples than parts
    return " ".join(f"{_db(float(np.sqrt(np.mean(part**2)))):.0f}" for part in parts)


def _bands(power: Floats) -> str:
    shares = 10 * np.log10(_by_band(power).sum(axis=0) / power.sum() + 1e-9)
    names = [*(f"to {hz}" for hz in BANDS_HZ[1:]), f"above {BANDS_HZ[-1]}"]
    return ", ".join(f"{name} Hz {share:.0f}" for name, share in zip(names, shares, strict=True))


def _flatness(power: Floats) -> float:
    loud = power[power.sum(axis=1) > 1e-3 * power.sum(axis=1).max()] + 1e-12
    return float(np.median(np.exp(np.mean(np.log(loud), axis=1)) / loud.mean(axis=1)))


def _pitch(f0_hz: Floats, times_s: Floats) -> str:
    voiced = ~np.isnan(f0_hz)
    if voiced.mean() < 0.05:
        return "none (noise, clicks, or several tones at once)"
    heard = f0_hz[voiced]
    medians = []
    for part in np.array_split(np.arange(len(f0_hz)), SLICES):
        inside = f0_hz[part][voiced[part]]
        medians.append(f"{np.median(inside):.1f}" if len(inside) else "–")
    share = f"median {np.median(heard):.1f} Hz, {voiced.mean():.0%} of the time"
    return f"{share}; in {SLICES} equal parts: {' '.join(medians)}"


def _worth(clip: Clip, probe: Probe, f0_hz: Floats, onsets_s: Floats) -> float:
    """The share of the probe's requirements that this listener can test and finds met."""
    found = [True, abs(clip.duration_s - probe.duration_s) <= max(0.05 * probe.duration_s, 0.05)]
    found += [judged for check in probe.expect if (judged := _finds(check, f0_hz, onsets_s)) is not None]
    return sum(found) / len(found)


def _finds(check: Any, f0_hz: Floats, onsets_s: Floats) -> bool | None:
    heard = f0_hz[~np.isnan(f0_hz)]
    median = float(np.median(heard)) if len(heard) else None
    match check:
        case checks.Pitch():
            if median is None:
                return False
            error = 1200 * np.log2(median / check.f0_hz)
            error = (error + 600) % 1200 - 600 if check.octave_free else error
            return bool(abs(error) <= PITCH_CENTS)
        case checks.VoiceF0():
            return median is not None and check.low_hz <= median <= check.high_hz
        case checks.Notes():
            return len(onsets_s) == len({onset for onset, _, _ in check.notes})
        case checks.Onsets():
            return len(onsets_s) == len(check.times_s)
        case checks.Events():
            return len(onsets_s) == check.count
        case _:
            return None
