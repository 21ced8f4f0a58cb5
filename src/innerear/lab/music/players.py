"""Who plays the trial sounds of music: synthetic voices, and recorded instruments."""

from __future__ import annotations

import numpy as np

from innerear.lab import sounds as make
from innerear.lab.sounds import SYNTHETIC, Voice
from innerear.lab.tools import Rng

PLAYERS = 5  # recorded instruments that each tune is played on


def bell(f0_hz: float, held_s: float, rng: Rng) -> make.Floats:
    """A bell that rings on for 3 s: hum, prime, tierce, quint, nominal and four partials above, each beating slowly."""
    t = make.seconds(3.0)
    total = np.zeros(len(t))
    ratios = (0.5, 1.0, 1.2, 1.5, 2.0, 2.5, 2.62, 3.0, 4.1)
    for place, ratio in enumerate(ratios):
        level, decay = rng.uniform(0.3, 1.0) / (1 + 0.15 * place), (0.5 + 0.5 * ratio) * 1.2
        for side in (-0.5, 0.5):
            total += level * np.sin(2 * np.pi * (ratio * f0_hz + side * 0.6) * t) * np.exp(-t * decay)
    return make.edges(total, 0.003, 0.3)


def harpsichord(f0_hz: float, held_s: float, rng: Rng) -> make.Floats:
    """A plucked string with twenty strong partials, its quill and its damper."""
    t = make.seconds(held_s)
    pluck = rng.uniform(0.08, 0.2)
    levels = [abs(np.sin(np.pi * n * pluck)) / n**0.7 for n in range(1, 21)]
    quill = 0.05 * np.pad(make.click(rng), (0, max(0, len(t) - 900)))[: len(t)]
    return make.edges(make.partials(f0_hz, t, levels, 2e-5) * np.exp(-t * rng.uniform(1, 4)) + quill, 0.002, 0.03)


def karplus(f0_hz: float, held_s: float, rng: Rng) -> make.Floats:
    """K. Karplus, A. Strong's plucked string (1983), in tune by an all-pass filter (D. Jaffe, J. Smith, 1983)."""
    from scipy.signal import lfilter

    period = make.SAMPLE_RATE / f0_hz - 0.5
    whole = int(period - 0.1)
    rest = period - whole
    allpass = (1 - rest) / (1 + rest)
    burst = np.zeros(round(held_s * make.SAMPLE_RATE))
    burst[:whole] = rng.uniform(-1, 1, whole)
    feedback = 0.997 * np.convolve([0.5, 0.5], [allpass, 1.0])
    denominator = np.zeros(whole + 3)
    denominator[:2] = 1.0, allpass
    denominator[whole:] -= feedback
    return make.edges(lfilter([1.0, allpass], denominator, burst), 0.002, 0.03)


TUNED: dict[str, Voice] = {**SYNTHETIC, "harpsichord": harpsichord, "Karplus-Strong": karplus}
