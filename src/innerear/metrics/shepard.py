"""Does it rise without end? The check `shepard`: octave-spaced components that move while the spectrum stays.

R. N. Shepard, "Circularity in judgments of relative pitch", 1964; J.-C. Risset's glissando is the same
without steps.
"""

from __future__ import annotations

import numpy as np

from innerear.checks import Shepard
from innerear.dsp.onsets import SAMPLE_RATE
from innerear.dsp.silence import is_silent
from innerear.dsp.tones import Floats, power_spectrum
from innerear.metrics.base import CheckMetric, Sound, Value

LOWEST_HZ, HIGHEST_HZ = 60.0, 8_000.0
RANGE_DB = 35.0  # what lies further below the strongest bin is not looked at
FRAME_S = 0.25  # of a glissando
EDGE_S = 0.02  # of each separate tone, on both sides
OCTAVE_SPACED = 0.8  # least length of the mean vector of chroma, weighted by power; 1 if all is in octaves
COMPONENTS = 3  # least number of octaves with a component
COMPONENT_DB = -30.0
CENTROID_OCTAVES = 0.2  # the most that the centroid may be away from its median
STEP_CENTS = 30.0  # tolerance of each step
SLOPE = 0.1  # relative tolerance of a glissando's slope


class ShepardCheck(CheckMetric[Shepard]):
    """The check `shepard`: the greatest distance in octaves of the spectral centroid from its median.

    Each tone (of equal length over the requested duration) or each frame of 0.25 s of a glissando has a
    chroma, the circular mean of log2 f weighted by power, and a centroid, the mean of log2 f. Passes if
    the components are octave-spaced (mean vector at least 0.8, three octaves within 30 dB), the chroma
    moves by the steps asked (30 cents) or at the speed asked (10 %), and the centroid stays within a
    fifth of an octave; so one step past the end is the beginning again.
    """

    name, version, unit = "shepard", 1, "octaves"
    label = "Shepard tones"
    text = "Octave-spaced components move as requested while the spectrum as a whole stays."
    better = "lower"

    def measure(self, sound: Sound, check: Shepard) -> Value:
        """Detail: chroma in semitones and centroid in Hz of each tone or frame."""
        samples = sound.signal.at(SAMPLE_RATE).astype(np.float64)
        if is_silent(samples):
            return Value(None, False, "silence")
        parts = _tones(samples, check.tones, sound.probe.duration_s) if check.tones else _frames(samples)
        found = [_folded(part) for part in parts if len(part)]
        if len(found) < len(parts) or len(found) < 2 or any(one is None for one in found):
            return Value(None, False, "a part of it is silent or missing")
        chroma, centroid, vector, octaves = np.array(found, dtype=np.float64).T
        away = float(np.abs(centroid - np.median(centroid)).max())
        detail = {
            "chroma_semitones": [round(12 * float(x), 2) for x in chroma],
            "centroid_hz": [round(2 ** float(x), 1) for x in centroid],
        }
        moved = np.diff(chroma)
        reason = (
            "its components are not octaves apart" if float(np.median(vector)) < OCTAVE_SPACED
            else f"{np.median(octaves):.0f} components, too few" if np.median(octaves) < COMPONENTS
            else _steps(moved, check.step_semitones / 12) if check.tones
            else _slope(moved, check.step_semitones / 12 * FRAME_S)
        )  # fmt: skip
        if not reason and away > CENTROID_OCTAVES:
            reason = f"the spectrum as a whole moves, by {away:.2f} octaves"
        return Value(away, not reason, reason, detail)


def _tones(samples: Floats, tones: int, duration_s: float) -> list[Floats]:
    step, edge = duration_s / tones * SAMPLE_RATE, round(EDGE_S * SAMPLE_RATE)
    return [samples[round(n * step) + edge : round((n + 1) * step) - edge] for n in range(tones)]


def _frames(samples: Floats) -> list[Floats]:
    length = round(FRAME_S * SAMPLE_RATE)
    return [samples[start : start + length] for start in range(length // 2, len(samples) - 3 * length // 2, length)]


def _folded(part: Floats) -> tuple[float, float, float, int] | None:
    """Chroma in octaves from 0 to 1, centroid as log2 of Hz, mean vector, and octaves with a component."""
    hertz, power = power_spectrum(part, SAMPLE_RATE)
    inside = (hertz >= LOWEST_HZ) & (hertz <= HIGHEST_HZ)
    octave, power = np.log2(hertz[inside]), power[inside]
    if not len(power) or power.max() < 1e-10:
        return None
    power = np.where(power > power.max() * 10 ** (-RANGE_DB / 10), power, 0)
    power /= power.sum()
    vector = np.sum(power * np.exp(2j * np.pi * octave))
    chroma = float(np.angle(vector) / (2 * np.pi)) % 1
    bands = np.bincount(np.round(octave - chroma).astype(int), power)
    return (
        chroma,
        float(power @ octave),
        float(abs(vector)),
        int((bands > bands.max() * 10 ** (COMPONENT_DB / 10)).sum()),
    )


def _steps(moved: Floats, asked: float) -> str:
    off = np.abs((moved - asked + 0.5) % 1 - 0.5) * 1200
    return "" if off.max() <= STEP_CENTS else f"step {int(off.argmax()) + 1} is off by {off.max():.0f} cents"


def _slope(moved: Floats, asked: float) -> str:
    """Why it does not move at this speed, in octaves per frame; empty if it does."""
    off = (moved - asked + 0.5) % 1 - 0.5
    if abs(float(off.mean())) > SLOPE * abs(asked) or np.abs(off).max() > abs(asked):
        return f"it moves by {12 * (asked + off.mean()) / FRAME_S:.2f} semitones a second"
    return ""
