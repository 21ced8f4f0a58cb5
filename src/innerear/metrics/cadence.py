"""Which tones, when? The check `cadence`, for telephone signals, alarms and time signals."""

from __future__ import annotations

import numpy as np

from innerear.checks import Cadence, SignalTone
from innerear.dsp.onsets import SAMPLE_RATE
from innerear.dsp.silence import is_silent
from innerear.dsp.tones import HOP_S, Floats, amplitude, peaks, power_spectrum
from innerear.metrics.base import CheckMetric, Sound, Value

SMOOTH_S = 0.05  # frequencies 40 Hz apart do not disturb each other
LONGEST_S = 1.0  # middle part of a tone whose spectrum is looked at
MIDDLE = 0.8  # ... at most this share of the tone
UNEQUAL_DB = 15.0  # the weakest of a tone's frequencies is at most this far below the strongest
OTHERS_DB = -20.0  # other peaks are at least this far below the strongest
HARMONIC_DB = -6.0  # harmonics of the requested frequencies may be this strong re the strongest
PAUSE_DB = -20.0  # the level of a pause re that of the tones
SHORTEST_S = 0.01  # shorter dips and bursts of one frequency are not edges


class CadenceCheck(CheckMetric[Cadence]):
    """The check `cadence`: share of the requested tones that have their frequencies and their times.

    In the middle of each tone, every requested frequency is a spectral peak within the tolerance, at most
    15 dB below the strongest; other peaks are at least 20 dB below it, harmonics of the requested ones
    6 dB. The amplitude of each requested frequency, demodulated, exceeds half of its median at the
    requested times and at no other. In pauses the level is 20 dB lower. Passes if all of this holds.
    """

    name, version, unit = "cadence", 1, "share"
    label = "Signals right"
    text = "Share of the signal's tones with their frequencies, and no others, at their times."
    better = "higher"

    def measure(self, sound: Sound, check: Cadence) -> Value:
        """Detail: the peaks found in each tone, and the times of each frequency."""
        samples = sound.signal.at(SAMPLE_RATE).astype(np.float64)
        if is_silent(samples):
            return Value(0.0, False, "silence")
        detail: dict[str, object] = {}
        faults = [_spectrum_fault(samples, tone, check.frequency_tolerance) for tone in check.tones]
        times = {}
        for hz in sorted({hz for tone in check.tones for hz in tone.hz}):
            own = [tone for tone in check.tones if hz in tone.hz]
            times[hz] = found = _sounding(samples, hz, own)
            for tone in own:
                place = check.tones.index(tone)
                faults[place] = faults[place] or _time_fault(
                    found, tone, check.time_tolerance_s, sound.probe.duration_s
                )
            if len(found) > len(own):
                faults.append(f"{hz:g} Hz sounds {len(found)} times where {len(own)} were asked")
        detail["sounding_s"] = {
            f"{hz:g}": [[round(a, 3), round(b, 3)] for a, b in found] for hz, found in times.items()
        }
        pause_db = _pause_db(samples, check)
        if pause_db > PAUSE_DB:
            faults.append(f"the pauses are {-pause_db:.0f} dB below the tones")
        right = sum(not fault for fault in faults[: len(check.tones)])
        reason = next((fault for fault in faults if fault), "")
        return Value(right / len(check.tones), not reason, reason, detail)


def _part(samples: Floats, start_s: float, end_s: float) -> Floats:
    return samples[max(0, round(start_s * SAMPLE_RATE)) : max(0, round(end_s * SAMPLE_RATE))]


def _spectrum_fault(samples: Floats, tone: SignalTone, tolerance: float) -> str:
    """What is wrong with the frequencies in the middle of a tone; empty if nothing is."""
    half = min(LONGEST_S, MIDDLE * (tone.end_s - tone.start_s)) / 2
    centre_s = (tone.start_s + tone.end_s) / 2
    part = _part(samples, centre_s - half, centre_s + half)
    if len(part) < half * SAMPLE_RATE or is_silent(part, 1e-5):
        return f"nothing at {centre_s:.2f} s"
    hertz, levels = peaks(*power_spectrum(part, SAMPLE_RATE))
    top = float(levels.max())
    asked = np.array(tone.hz)
    near = np.abs(hertz[:, None] / asked - 1) <= tolerance
    for place, hz in enumerate(tone.hz):
        if levels[near[:, place]].max(initial=-np.inf) < top - UNEQUAL_DB:
            return f"no {hz:g} Hz at {centre_s:.2f} s"
    lobe = 3 / (2 * half)  # half the width of a Blackman window's main lobe, in Hz
    own = np.any(near | (np.abs(hertz[:, None] - asked) <= lobe), axis=1)
    number = np.round(hertz[:, None] / asked)
    harmonic = np.any((number >= 2) & (np.abs(hertz[:, None] / asked - number) <= tolerance * number), axis=1)
    most = np.where(own, np.inf, np.where(harmonic, HARMONIC_DB, OTHERS_DB))
    foreign = levels - top > most
    if foreign.any():
        return f"{hertz[foreign][np.argmax(levels[foreign])]:.0f} Hz also sounds at {centre_s:.2f} s"
    return ""


def _sounding(samples: Floats, hz: float, tones: list[SignalTone]) -> list[tuple[float, float]]:
    """When the amplitude of a frequency exceeds half of its median in the tones that have it."""
    padding = round(SMOOTH_S * SAMPLE_RATE)
    level = amplitude(np.pad(samples, padding), SAMPLE_RATE, hz, SMOOTH_S)
    at = np.arange(len(level)) * HOP_S - padding / SAMPLE_RATE
    inside = np.any([(at > tone.start_s + 0.01) & (at < tone.end_s - 0.01) for tone in tones], axis=0)
    if not inside.any():
        return []
    on = np.concatenate([[False], level > 0.5 * np.median(level[inside]), [False]])
    edges = np.flatnonzero(np.diff(on.astype(int)))
    found: list[tuple[float, float]] = []
    for start, stop in zip(edges[::2] * HOP_S - SMOOTH_S, edges[1::2] * HOP_S - SMOOTH_S, strict=True):
        if found and start - found[-1][1] < SHORTEST_S:
            found[-1] = (found[-1][0], float(stop))
        else:
            found.append((float(start), float(stop)))
    return [(start, stop) for start, stop in found if stop - start >= SHORTEST_S]


def _time_fault(found: list[tuple[float, float]], tone: SignalTone, tolerance_s: float, duration_s: float) -> str:
    """What is wrong with the times of a tone; one that lasts to the end of the sound may last longer."""
    lasts = tone.end_s >= duration_s - tolerance_s
    for start, stop in found:
        late = stop - tone.end_s
        if abs(start - tone.start_s) <= tolerance_s and (abs(late) <= tolerance_s or (lasts and late > 0)):
            return ""
    return f"no tone from {tone.start_s:g} to {tone.end_s:g} s"


def _pause_db(samples: Floats, check: Cadence) -> float:
    """Level of the loudest 10 ms of the pauses in dB re the tones; -120 if there are no pauses."""
    block = round(SHORTEST_S * SAMPLE_RATE)
    power = np.mean(samples[: len(samples) // block * block].reshape(-1, block) ** 2, axis=1)
    at = (np.arange(len(power)) + 0.5) * SHORTEST_S
    reach = check.time_tolerance_s + SHORTEST_S
    tone = np.any([(at > t.start_s) & (at < t.end_s) for t in check.tones], axis=0)
    pause = ~np.any([(at > t.start_s - reach) & (at < t.end_s + reach) for t in check.tones], axis=0)
    if not pause.any() or not tone.any():
        return -120.0
    return 10 * float(np.log10(max(power[pause].max(), 1e-12) / max(float(np.median(power[tone])), 1e-12)))
