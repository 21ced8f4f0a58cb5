"""Does it pass by? The check `doppler`: a drop in pitch from start to end.

A passing source is higher in pitch as it approaches and lower as it recedes. Its own pattern (a siren's
wail) may vary more than that, so the mean spectra of the first and last thirds are compared on a
logarithmic axis, on which a Doppler shift moves all partials equally.
"""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import NDArray

from innerear.checks import Doppler
from innerear.dsp.parabola import vertex
from innerear.dsp.silence import is_silent
from innerear.metrics.base import CheckMetric, Sound, Value

Floats = NDArray[np.float64]

SAMPLE_RATE = 22_050  # Hz
N_FFT, HOP = 4096, 1024  # samples: 0.19 s, 46 ms
FMIN_HZ, FMAX_HZ = 120.0, 8_000.0
BINS_PER_OCTAVE = 60  # 20 cents
FARTHEST_CENTS = 800.0  # largest shift considered
LEAST_ALIKE = 0.4  # correlation of the two spectra after the shift; noise reaches 0.25
RANGE_DB = 40.0  # frames this far below the maximum are ignored
FLOOR_DB = 50.0  # floor of levels, below the frame's maximum
ENVELOPE_OCTAVES = 0.7


@functools.cache
def _axis() -> Floats:
    """The logarithmic frequency axis in Hz."""
    n = int(np.log2(FMAX_HZ / FMIN_HZ) * BINS_PER_OCTAVE) + 1
    return np.asarray(FMIN_HZ * 2 ** (np.arange(n) / BINS_PER_OCTAVE))


def partials_over_time(samples: NDArray[np.float32]) -> Floats:
    """Spectrum above its envelope per frame, on a logarithmic axis, unit norm; shape (frames, bins)."""
    import scipy.fft
    from scipy.ndimage import uniform_filter1d

    samples = np.pad(samples, (0, max(0, N_FFT - len(samples))))
    frames = np.lib.stride_tricks.sliding_window_view(samples, N_FFT)[::HOP]
    power = np.abs(scipy.fft.rfft(frames * np.hanning(N_FFT).astype(np.float32), axis=1)) ** 2
    power = power.astype(np.float64)
    energy = power.sum(axis=1)
    power = power[energy > energy.max() * 10 ** (-RANGE_DB / 10)]
    places = _axis() * N_FFT / SAMPLE_RATE
    low = places.astype(np.intp)
    part = places - low
    power = power[:, low] * (1 - part) + power[:, low + 1] * part
    level = np.log(power + power.max(axis=1, keepdims=True) * 10 ** (-FLOOR_DB / 10))
    width = round(ENVELOPE_OCTAVES * BINS_PER_OCTAVE)
    standing = np.maximum(level - uniform_filter1d(level, width, axis=1, mode="nearest"), 0)
    standing = standing[:, width // 2 : -(width // 2)]  # where the envelope has both sides
    return np.asarray(standing / np.maximum(np.sqrt((standing**2).sum(axis=1, keepdims=True)), 1e-12))


def shift_cents(samples: NDArray[np.float32]) -> tuple[float, float] | None:
    """Shift in cents from the first third to the last (negative: lower), and their correlation after it."""
    found = partials_over_time(samples)
    n = len(found) // 3
    if n < 4:
        return None
    first, last = found[:n].mean(axis=0), found[-n:].mean(axis=0)
    reach = round(FARTHEST_CENTS / 1200 * BINS_PER_OCTAVE)
    alike = np.array([_correlation(first, last, move) for move in range(-reach, reach + 1)])
    place = int(alike.argmax())
    move = float(place - reach)
    if 0 < place < len(alike) - 1:
        move += float(vertex(*alike[place - 1 : place + 2])[0])
    return move * 1200 / BINS_PER_OCTAVE, float(alike[place])


def _correlation(first: Floats, last: Floats, move: int) -> float:
    """Correlation of the first spectrum, shifted by a number of bins, with the last, over their common bins."""
    one, other = (first[: len(first) - move], last[move:]) if move >= 0 else (first[-move:], last[:move])
    one, other = one - one.mean(), other - other.mean()
    return float(one @ other / max(float(np.sqrt((one @ one) * (other @ other))), 1e-12))


class DopplerCheck(CheckMetric[Doppler]):
    """The check `doppler`: shift in cents from the first third to the last, negative if lower.

    Passes if the frequency ratio is at most the requested one, the shift is less than 800 cents (no road
    vehicle is faster), and the aligned spectra are similar.
    """

    name, version, unit = "doppler", 1, "cents moved"
    label = "Doppler"
    text = "The pitch falls as the source passes."

    def measure(self, sound: Sound, check: Doppler) -> Value:
        """Detail: the frequency ratio found and the similarity of both ends."""
        samples = sound.signal.at(SAMPLE_RATE)
        if is_silent(samples):
            return Value(None, False, "silence")
        found = shift_cents(samples)
        if found is None:
            return Value(None, False, "too short to compare its ends")
        cents, alike = found
        detail = {"ratio": 2 ** (cents / 1200), "alike": alike}
        if alike < LEAST_ALIKE:
            return Value(None, False, "its end and its start have no pitches in common", detail)
        lowest = 1200 * float(np.log2(check.ratio_below))
        passed = -FARTHEST_CENTS < cents <= lowest
        how = "lower" if cents < 0 else "higher"
        reason = "" if passed else f"{abs(cents):.0f} cents {how} at its end, wanted {-lowest:.0f} cents lower or more"
        return Value(cents, passed, reason, detail)
