"""Sinusoids in a signal: spectral peaks, the f0 of a note to a cent or two, and the amplitude of one frequency.

Frequencies are in hertz, levels in dB, times in seconds.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from innerear.dsp.parabola import vertex

Floats = NDArray[np.float64]

PADDING = 4  # length of the transform over that of the segment
F0_PARTIALS = 4  # partials that an f0 is taken from: the higher ones of a stiff string are sharp
F0_REACH_CENTS = 60.0  # how far from the first estimate
HOP_S = 0.001


def power_spectrum(samples: NDArray[np.floating], sample_rate: int) -> tuple[Floats, Floats]:
    """Frequencies in Hz and power, with a Blackman window over all samples; a sine of amplitude 1 has power 1."""
    import scipy.fft

    window = np.blackman(len(samples))
    size = scipy.fft.next_fast_len(PADDING * len(samples), real=True)
    power = np.abs(scipy.fft.rfft(samples.astype(np.float64) * window, size)) ** 2 * (2 / window.sum()) ** 2
    return np.arange(len(power)) * sample_rate / size, power


def peaks(hertz: Floats, power: Floats) -> tuple[Floats, Floats]:
    """Frequencies in Hz and levels in dB of the local maxima of a spectrum, by a parabola through the levels."""
    level = 10 * np.log10(np.maximum(power, 1e-20))
    inner = level[1:-1]
    places = 1 + np.flatnonzero((inner > level[:-2]) & (inner >= level[2:]))
    shift, height = vertex(level[places - 1], level[places], level[places + 1])
    return (places + shift) * hertz[1], height


def refined_f0(before: Floats, after: Floats, sample_rate: int, near_hz: float) -> float:
    """The f0 in Hz of what `after` adds to `before`, near a first estimate.

    The peaks of the first four partials within 60 cents of their multiples, each divided by its number,
    weighted by power. Both segments have the same length; pad `before` with zeros where there is less.
    """
    hertz, power = power_spectrum(after, sample_rate)
    power = np.maximum(power - power_spectrum(before, sample_rate)[1], 0)
    total = weight = 0.0
    for n in range(1, F0_PARTIALS + 1):
        low, high = (n * near_hz * 2 ** (side * F0_REACH_CENTS / 1200) / hertz[1] for side in (-1, 1))
        first, last = max(1, int(low)), min(len(power) - 2, int(high) + 1)
        if first >= last:
            break
        place = first + int(np.argmax(power[first : last + 1]))
        shift, _ = vertex(*(10 * np.log10(np.maximum(power[place - 1 : place + 2], 1e-20))))
        total += power[place] * (place + np.clip(shift, -1, 1)) * hertz[1] / n
        weight += power[place]
    return float(total / weight) if weight else near_hz


def amplitude(samples: NDArray[np.floating], sample_rate: int, hz: float, smooth_s: float) -> Floats:
    """The amplitude of one frequency every millisecond, smoothed by a Hann window of this length.

    At the edge of a tone it passes through half of the tone's amplitude. Frequencies 2 / `smooth_s` and
    further away are suppressed. Before and after the sound there is silence.
    """
    from scipy.signal import oaconvolve

    window = np.hanning(round(smooth_s * sample_rate) | 1)
    carrier = np.exp(-2j * np.pi * hz / sample_rate * np.arange(len(samples)))
    smooth = oaconvolve(samples.astype(np.float64) * carrier, window * (2 / window.sum()), "same")
    places = np.round(np.arange(0, len(samples) / sample_rate, HOP_S) * sample_rate).astype(np.intp)
    return np.asarray(np.abs(smooth[np.minimum(places, len(samples) - 1)]))
