"""What the builders of trials share."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from innerear.checks import Check
from innerear.clip import Clip
from innerear.lab import sounds as make
from innerear.metrics.verified import Trial

Rng = np.random.Generator
SECONDS = 3.0


def seeded(*words: object) -> Rng:
    """A generator of its own for each use, so that adding one changes no other."""
    return np.random.default_rng(list("|".join(map(str, words)).encode()))


def slope_noise(slope: float, duration_s: float, rng: Rng) -> Clip:
    """Noise whose power goes as f^-slope: 0 is white, 1 pink, 2 brown."""
    spectrum = np.fft.rfft(rng.standard_normal(round(duration_s * make.SAMPLE_RATE)))
    spectrum[1:] /= np.arange(1, len(spectrum)) ** (slope / 2)
    spectrum[0] = 0
    return make.clip(np.fft.irfft(spectrum, round(duration_s * make.SAMPLE_RATE)))


def others(
    mine: Sequence[tuple[Check, Clip]], differ: Callable[[Check, Check], bool], each: int = 2
) -> Iterator[Trial]:
    """Each check asked of sounds that were made for other probes and are not what it asks for."""
    for place, (check, _) in enumerate(mine):
        strange = [clip for other, clip in mine if differ(check, other)]
        for pick in seeded("others", place).permutation(len(strange))[:each]:
            yield Trial("other probe", check, strange[pick])
