"""What the builders of trials share."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from innerear.checks import Check
from innerear.clip import Clip
from innerear.lab import sounds as make
from innerear.lab.sounds import Bank, Voice
from innerear.metrics.verified import Trial
from innerear.records import Probe

Rng = np.random.Generator
Pairs = Sequence[tuple[Probe, Check]]
Builder = Callable[[Pairs, Bank | None], Iterator[Trial]]
"""Makes the trials of one kind of check, for the checks of this kind in a suite."""
SECONDS = 3.0
OCTAVES = (0, 12, -12, 24, -24)
NOT_AS_WRITTEN = {"Glockenspiel", "Drawbar Organ", "Church Organ", "Lead 1 (square)"}
"""General MIDI programs that sound in other octaves than written, or beat like repeated notes."""


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


def players(
    seed: str, midis: Sequence[float], bank: Bank | None, synthetic: Mapping[str, Voice], most: int
) -> Iterator[tuple[str, str, Voice, int]]:
    """(column, name, voice, shift in semitones) of who can play these pitches: synthetic voices, some recorded ones."""
    for name, voice in synthetic.items():
        yield "synthetic", name, voice, 0
    if bank is None:
        return
    everyone = [*bank.real, *(name for name in bank.rendered if name not in NOT_AS_WRITTEN)]
    for pick in seeded("players", seed).permutation(len(everyone)):
        name = everyone[pick]
        shift = next((octave for octave in OCTAVES if bank.reaches(name, [midi + octave for midi in midis])), None)
        if shift is not None and most:
            most -= 1
            yield "real", name, bank.voice(name), shift
