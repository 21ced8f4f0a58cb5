"""Which partials? The checks `partials` and `band_level`, by the spectrum of the whole sound."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from innerear.checks import BandLevel, Partials
from innerear.dsp.onsets import SAMPLE_RATE
from innerear.dsp.silence import is_silent
from innerear.dsp.tones import Floats, peaks, power_spectrum
from innerear.metrics.base import CheckMetric, Sound, Value

ATTACKS_S = (0.1, 0.4, 1.6)  # a partial may die within a tenth of a second, and two may be 3 Hz apart
FRAME_S = 0.4  # of the mean spectrum
SKIP_S = 0.005  # of the stroke itself
RANGE_DB = 40.0  # a partial may be so far below the strongest
ABSENT_DB = 15.0  # an absent partial is at least so far below each of its neighbours
CLEAR_DB = 12.0  # a peak stands so far above the median of the spectrum around it
AROUND = 0.3  # octaves on both sides
INAUDIBLE_HZ = 20.0


class PartialsCheck(CheckMetric[Partials]):
    """The check `partials`: share of the requested partials that are there, and of the absent ones that are not.

    A partial is a spectral peak within the tolerance, at most 40 dB below the strongest, and 12 dB above the
    median of the spectrum within 0.3 octaves, in the first 0.1, 0.4 or 1.6 s or in the mean of all frames of
    0.4 s. An absent partial is at least 15 dB below each of the requested partials next to it, in that mean.
    Other partials are not judged. Passes if all is as requested.
    """

    name, version, unit = "partials", 1, "share"
    label = "Partials right"
    text = "Share of the requested partials that are there, and of the excluded ones that are not."
    better = "higher"

    def measure(self, sound: Sound, check: Partials) -> Value:
        """Detail: the level of each partial in dB re the strongest, `None` if it is not there."""
        samples = sound.signal.at(SAMPLE_RATE).astype(np.float64)
        if is_silent(samples):
            return Value(None, False, "silence")
        spectra = [*_attacks(samples), mean := _mean(samples)]
        levels = [_level(spectra, check.reference_hz * ratio, check.tolerance_cents) for ratio in check.ratios]
        detail: dict[str, object] = {
            "levels_db": [None if level is None else round(level, 1) for level in levels],
            "absent_db": (above := [round(_relative(mean, check, ratio), 1) for ratio in check.absent]),
        }
        missing = [ratio for ratio, level in zip(check.ratios, levels, strict=True) if level is None]
        heard = [ratio for ratio, level in zip(check.absent, above, strict=True) if level > -ABSENT_DB]
        share = 1 - (len(missing) + len(heard)) / (len(levels) + len(above))
        reason = "; ".join(
            f"{what}: {', '.join(f'{ratio:g}' for ratio in some)} times {check.reference_hz:g} Hz"
            for what, some in (("not there", missing), ("there, though it should be absent", heard))
            if some
        )
        return Value(share, not reason, reason, detail)


Spectrum = tuple[Floats, Floats]
"""Frequencies in Hz and power."""


def _attacks(samples: Floats) -> list[Spectrum]:
    """The spectra of segments of several lengths from the attack on."""
    loud = np.abs(samples) > 0.1 * np.abs(samples).max()
    start = int(np.argmax(loud)) + round(SKIP_S * SAMPLE_RATE)
    lengths = {min(round(length_s * SAMPLE_RATE), len(samples) - start) for length_s in ATTACKS_S}
    return [power_spectrum(samples[start : start + n], SAMPLE_RATE) for n in sorted(lengths) if n > 64]


def _mean(samples: Floats) -> Spectrum:
    """The mean spectrum of frames of 0.4 s that overlap by half."""
    length = round(FRAME_S * SAMPLE_RATE)
    samples = np.pad(samples, (0, max(0, length - len(samples))))
    spectra = [power_spectrum(frame, SAMPLE_RATE) for frame in sliding_window_view(samples, length)[:: length // 2]]
    return spectra[0][0], np.mean([power for _, power in spectra], axis=0)


def _level(spectra: Sequence[Spectrum], hz: float, tolerance_cents: float) -> float | None:
    """Level in dB re the strongest peak of a partial, the highest of these spectra; `None` if it is in none."""
    found = []
    for hertz, power in spectra:
        at, levels = peaks(hertz, power)
        near = np.abs(1200 * np.log2(at / hz)) <= tolerance_cents
        if not near.any():
            continue
        level = float(levels[near].max())
        around = power[np.abs(np.log2(np.maximum(hertz, 1e-9) / hz)) <= AROUND]
        if level >= 10 * np.log10(max(float(np.median(around)), 1e-20)) + CLEAR_DB:
            found.append(level - float(levels.max()))
    return max((level for level in found if level >= -RANGE_DB), default=None)


def _relative(mean: Spectrum, check: Partials, ratio: float) -> float:
    """Level in dB of a ratio re the weaker of the requested partials next to it."""
    below, above = [r for r in check.ratios if r < ratio], [r for r in check.ratios if r > ratio]
    beside = [*([max(below)] if below else []), *([min(above)] if above else [])]
    own, *others = (_highest(mean, check.reference_hz * r, check.tolerance_cents) for r in (ratio, *beside))
    return own - min(others)


def _highest(spectrum: Spectrum, hz: float, tolerance_cents: float) -> float:
    hertz, power = spectrum
    near = np.abs(np.log2(np.maximum(hertz, 1e-9) / hz)) <= tolerance_cents / 1200
    return 10 * float(np.log10(max(power[near].max(initial=0.0), 1e-20)))


class BandLevelCheck(CheckMetric[BandLevel]):
    """The check `band_level`: level in dB of what lies between two frequencies, relative to the whole.

    By Welch's mean spectrum (1967), Blackman windows of 0.37 s; below 20 Hz nothing is heard and nothing counts.
    """

    name, version, unit = "band_level", 1, "dB"
    label = "Empty band"
    text = "The energy of a band, relative to the whole, is at most as high as requested."
    better = "lower"

    def measure(self, sound: Sound, check: BandLevel) -> Value:
        """Passes at or below the requested level."""
        from scipy.signal import welch

        samples = sound.signal.mono.astype(np.float64)
        if is_silent(samples):
            return Value(None, False, "silence")
        length = min(len(samples), round(0.37 * sound.signal.sample_rate))
        hertz, power = welch(samples, sound.signal.sample_rate, "blackman", length, detrend=False)
        power[hertz < INAUDIBLE_HZ] = 0
        band = float(power[(hertz >= check.low_hz) & (hertz <= check.high_hz)].sum())
        if not power.sum():
            return Value(None, False, "nothing above 20 Hz")
        level_db = 10 * float(np.log10(max(band / power.sum(), 1e-12)))
        passed = level_db <= check.at_most_db
        reason = "" if passed else f"{level_db:.0f} dB between {check.low_hz:g} and {check.high_hz:g} Hz"
        return Value(level_db, passed, reason)
