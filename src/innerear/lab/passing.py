"""Passing sounds: `passed_by` moves any sound past a listener; sirens of three patterns, made from sines."""

from __future__ import annotations

import numpy as np

from innerear.lab import sounds as make
from innerear.lab.sounds import Floats
from innerear.lab.tools import Rng

SOUND_M_S = 343.0
PATTERNS = ("wail", "yelp", "two tones")


def passed_by(samples: Floats, speed_m_s: float, nearest_m: float, at_s: float) -> Floats:
    """The sound of a source that passes on a straight line at constant speed, closest (`nearest_m`) at `at_s`.

    What arrives at t was emitted at t' with t = t' + r(t')/c, which gives the exact Doppler shift; the
    amplitude is 1/r. A negative speed reverses the shift: from lower to higher.
    """
    t = np.arange(len(samples)) / make.SAMPLE_RATE
    distance = np.hypot(nearest_m, speed_m_s * (t - at_s))
    arrives = t + np.sign(speed_m_s) * distance / SOUND_M_S
    moved = np.interp(t, arrives - arrives[0] if arrives[0] > 0 else arrives, t)
    gain = nearest_m / np.hypot(nearest_m, speed_m_s * (moved - at_s))
    return np.asarray(np.interp(moved, t, samples) * np.maximum(gain, 0.1))


def siren(pattern: str, duration_s: float, rng: Rng) -> Floats:
    """A siren: a wail (3.5 s up and down), a yelp (0.3 s) or two tones, each with a few harmonics."""
    t = make.seconds(duration_s)
    base = rng.uniform(450, 700)
    if pattern == "two tones":
        f0 = np.where((t / 0.6 + rng.uniform()) % 1 < 0.5, base, base * 4 / 3)
    else:
        period = rng.uniform(1.6, 2.2) if pattern == "wail" else rng.uniform(0.25, 0.4)
        phase = (t / period + rng.uniform()) % 1
        f0 = base * 2 ** (1 - np.abs(2 * phase - 1))
    return make.noisy(make.edges(make.partials(f0, t, [1, 0.5, 0.35, 0.2, 0.1]), 0.02, 0.05), rng, 35)
