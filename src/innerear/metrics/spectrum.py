"""Checks of the spectrum: `waveform` and `chord`.

Levels are in dB, intervals in cents (100 per semitone). Silence and noise have no tones and fail with a
reason.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from innerear.checks import Chord, Waveform
from innerear.dsp.f0 import cents, steady_f0
from innerear.dsp.onsets import SAMPLE_RATE
from innerear.dsp.parabola import vertex
from innerear.dsp.silence import is_silent
from innerear.metrics.base import CheckMetric, Sound, Value

Floats = NDArray[np.float64]

HARMONICS = 10
FLOOR_DB = -50.0  # floor of harmonic levels, relative to the fundamental
WAVEFORM_PASS_DB = 4.0
SHAPES = ("sine", "square", "sawtooth", "triangle")

N_FFT = 16_384  # samples: 0.37 s, 2.7 Hz
SKIP_S = 0.1  # of the attack
LOWEST_HZ, HIGHEST_HZ = 40.0, 5_000.0
NEAR_CENTS = 50.0
PEAK_RANGE_DB = 50.0
TONE_RANGE_DB = 30.0  # a requested tone may be this far below the strongest peak
OTHERS_DB = -6.0  # peaks that belong to none of the tones must be this far below the weakest tone
EXPLAINED = 24  # number of harmonics attributed to a tone


def ideal_levels(shape: str) -> Floats:
    """Levels of harmonics 2 to 10 of an ideal waveform in dB re the fundamental, floored at -50 dB.

    >>> [round(float(x), 1) for x in ideal_levels("square")[:4]]
    [-50.0, -9.5, -50.0, -14.0]
    """
    n = np.arange(2, HARMONICS + 1)
    odd = n % 2 == 1
    sounds = {"sine": np.zeros(len(n), bool), "square": odd, "sawtooth": np.ones(len(n), bool), "triangle": odd}[shape]
    slope = 40 if shape == "triangle" else 20
    return np.where(sounds, np.maximum(-slope * np.log10(n), FLOOR_DB), FLOOR_DB)


def harmonic_levels(samples: NDArray[np.float32], sample_rate: int, f0_hz: float) -> Floats:
    """Levels in dB of harmonics 2 to 10 re the fundamental, floored at -50 dB; only those below 0.45 × sample rate.

    Measured over the central second with a Blackman window.
    """
    centre, half = len(samples) // 2, min(len(samples), sample_rate) // 2
    part = samples[centre - half : centre + half].astype(np.float64)
    size = 4 * len(part)
    power = np.abs(np.fft.rfft(part * np.blackman(len(part)), size)) ** 2
    highest = min(HARMONICS, int(0.45 * sample_rate / f0_hz))
    levels = []
    for n in range(1, highest + 1):
        reach = max(0.02 * f0_hz, 3 * sample_rate / len(part))
        low, high = (max(0.0, n * f0_hz + side * reach) * size / sample_rate for side in (-1, 1))
        levels.append(10 * np.log10(max(power[int(low) : int(high) + 2].max(), 1e-20)))
    return np.asarray(np.maximum(np.array(levels[1:]) - levels[:1], FLOOR_DB))


class WaveformCheck(CheckMetric[Waveform]):
    """The check `waveform`: RMS difference in dB between the harmonic levels and those of the ideal waveform.

    Harmonics 2 to 10 re the fundamental. Passes up to 4 dB if none of the other three shapes is closer.
    Phase is ignored, because it is barely audible.
    """

    name, version, unit = "waveform", 1, "dB"
    label = "Waveform right"
    text = "The harmonics are nearest to those of the requested waveform."

    def measure(self, sound: Sound, check: Waveform) -> Value:
        """Detail: the distance to each shape."""
        f0_hz = steady_f0(sound.signal.mono, sound.signal.sample_rate)
        if f0_hz is None:
            return Value(None, False, "no fundamental: silence, noise, or several pitches")
        levels = harmonic_levels(sound.signal.mono, sound.signal.sample_rate, f0_hz)
        if len(levels) < 4:
            return Value(None, None, f"at {f0_hz:.0f} Hz too few harmonics lie below half the sample rate")
        distances = {s: float(np.sqrt(np.mean((levels - ideal_levels(s)[: len(levels)]) ** 2))) for s in SHAPES}
        nearest = min(distances, key=lambda shape: distances[shape])
        own = distances[check.shape]
        passed = nearest == check.shape and own <= WAVEFORM_PASS_DB
        reason = "" if passed else f"{own:.1f} dB from a {check.shape}; nearest is a {nearest}"
        if nearest == check.shape and not passed:
            reason = f"{own:.1f} dB from a {check.shape}, though no other shape is nearer"
        return Value(own, passed, reason, {f"{shape}_db": distance for shape, distance in distances.items()})


def peaks(samples: NDArray[np.float32]) -> tuple[Floats, Floats]:
    """Peaks of the mean spectrum of a signal at 44.1 kHz: frequencies in Hz and levels in dB."""
    import scipy.fft

    body = samples[round(SKIP_S * SAMPLE_RATE) :]
    body = np.pad(body, (0, max(0, N_FFT - len(body))))
    frames = np.lib.stride_tricks.sliding_window_view(body, N_FFT)[:: N_FFT // 2]
    power = np.mean(np.abs(scipy.fft.rfft(frames * np.hanning(N_FFT).astype(np.float32), axis=1)) ** 2, axis=0)
    level = 10 * np.log10(np.maximum(power, 1e-20)).astype(np.float64)
    low, high = round(LOWEST_HZ * N_FFT / SAMPLE_RATE), round(HIGHEST_HZ * N_FFT / SAMPLE_RATE)
    level = level[: high + 2]
    inner = level[low:high]
    strong = inner > inner.max() - PEAK_RANGE_DB
    places = low + np.flatnonzero(strong & (inner > level[low - 1 : high - 1]) & (inner >= level[low + 1 : high + 1]))
    shift, height = vertex(level[places - 1], level[places], level[places + 1])
    return (places + shift) * SAMPLE_RATE / N_FFT, height


class ChordCheck(CheckMetric[Chord]):
    """The check `chord`: level in dB of the weakest requested tone above the strongest foreign peak.

    A tone is present if a peak within 50 cents of its fundamental is at most 30 dB below the strongest
    peak. A peak belongs to a tone if it is within 50 cents of one of its first 24 harmonics, or of those of
    the octave below, as with organ stops. Passes if all tones are present and foreign peaks are at least
    6 dB below the weakest. An octave above a harmonic tone therefore cannot be distinguished from it.
    """

    name, version, unit = "chord", 1, "dB"
    label = "Chords right"
    text = "The requested tones are present and no other tone is louder."

    def measure(self, sound: Sound, check: Chord) -> Value:
        """Detail: the level of each tone and the frequency of the strongest foreign peak."""
        samples = sound.signal.at(SAMPLE_RATE)
        if is_silent(samples):
            return Value(None, False, "silence")
        hertz, levels = peaks(samples)
        if not len(hertz):
            return Value(None, False, "no tones: its spectrum has no peak")
        asked = [440 * 2 ** ((midi - 69) / 12) for midi in check.midi]
        tones = [max(levels[_near(hertz, f0)], default=-np.inf) - levels.max() for f0 in asked]
        missing = [midi for midi, tone in zip(check.midi, tones, strict=True) if tone < -TONE_RANGE_DB]
        detail: dict[str, object] = {
            "tones_db": {str(m): round(float(t), 1) for m, t in zip(check.midi, tones, strict=True) if t > -200}
        }
        if missing:
            return Value(None, False, f"not there: MIDI {', '.join(map(str, missing))}", detail)
        belongs = np.zeros(len(hertz), bool)
        for f0 in asked:
            for n in range(1, 2 * EXPLAINED + 1):
                belongs |= _near(hertz, n * f0 / 2)
        others = np.where(belongs, -np.inf, levels)
        place = int(np.argmax(others))
        if not np.isfinite(others[place]):
            return Value(PEAK_RANGE_DB, True, "", detail)
        margin = float(min(tones) - (others[place] - levels.max()))
        detail["other_hz"] = float(hertz[place])
        passed = margin >= -OTHERS_DB
        midi = 69 + cents(float(hertz[place]), 440) / 100
        reason = "" if passed else f"another tone is as loud: {hertz[place]:.0f} Hz, near MIDI {midi:.0f}"
        return Value(margin, passed, reason, detail)


def _near(hertz: Floats, f0_hz: float) -> NDArray[np.bool_]:
    return np.asarray(np.abs(1200 * np.log2(hertz / f0_hz)) <= NEAR_CENTS)
