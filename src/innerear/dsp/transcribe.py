"""Transcribe a monophonic melody: which notes were played, and when.

Onsets come from `innerear.dsp.onsets`; soft onsets are found by a change of pitch or a dip in level. The
pitch of a note is that of what its onset *added* to the spectrum, so that notes ringing on do not mask the
next one. Offsets are not estimated. Unpitched hits are not notes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from innerear.dsp.f0 import FMAX_HZ, PEAK_SHARE, track_f0
from innerear.dsp.onsets import SAMPLE_RATE, find_onsets
from innerear.dsp.parabola import vertex
from innerear.dsp.tones import power_spectrum

SKIP_S = 0.03  # skipped after an onset, until the pitch is stable
LONGEST_S, SHORTEST_S = 0.19, 0.06  # segment over which a note's pitch is measured
FMIN_HZ = 27.0
CLEAR = 0.5  # a segment with a lower autocorrelation at the period has no pitch
NEW_SHARE = 0.3  # if a smaller share of the energy is new, the whole spectrum is used
QUIET_DB = -35.0  # notes this far below the loudest are ignored
STEADY_CLEAR, HOLDS = 0.85, 5  # clarity and number of 20 ms frames for a stable pitch to be a note
SETTLED_S = 0.03  # from a soft onset to the first stable frame
SAME = 0.6  # semitones; closer pitches are the same
DIP_DB = 10.0  # dip in level between two soft notes of the same pitch
AGAIN_DB = 1.5  # rise in level when a note of the same pitch is struck again
NEAR_S = 0.09  # a soft onset this close to another is dropped
LEVEL_HOP_S = 0.005
TAIL_DB, TAIL_RISE_DB = -10.0, 1.0
BINS = 5  # per semitone
SHIFT_S, SHIFT_LOW_HZ, SHIFT_POWER = 0.38, 60.0, 0.3
MULTIPLE = 0.03  # relative distance from a whole multiple

Floats = NDArray[np.float64]


def transcribe(samples: NDArray[np.float32]) -> list[tuple[float, float]]:
    """Transcribe a monophonic signal at 44.1 kHz to (onset in s, f0 in Hz) per note."""
    return chosen(possible_notes(samples), AGAIN_DB)


@dataclass(frozen=True)
class PossibleNote:
    """What begins at an onset: its f0, its level, and how much the level rises there.

    `new_hz` is the f0 of what the onset adds to the spectrum. `f0_hz` is that of the whole spectrum if it is
    a multiple of `new_hz`: what a repeated note adds to itself may be only a residue with a longer period.
    """

    onset_s: float
    new_hz: float
    f0_hz: float
    level_db: float
    rise_db: float


def chosen(possible: Sequence[PossibleNote], again_db: float, corrected: bool = False) -> list[tuple[float, float]]:
    """The notes (onset in s, f0 in Hz) among what may be notes: those of a pitch of their own, or struck again.

    A note of the same pitch as the one before needs a rise of `again_db`: less is a vibrato or a beat.
    `corrected`: by `f0_hz` instead of `new_hz`, and without what is only the end of the note before: a level
    10 dB lower that does not rise.
    """
    heard: list[tuple[float, float, float]] = []
    for note in possible:
        f0_hz = note.f0_hz if corrected else note.new_hz
        if heard and abs(12 * np.log2(f0_hz / heard[-1][1])) < SAME and note.rise_db < again_db:
            continue
        if corrected and heard and note.rise_db < TAIL_RISE_DB and note.level_db < heard[-1][2] + TAIL_DB:
            continue
        heard.append((note.onset_s, f0_hz, note.level_db))
    loudest = max((level_db for _, _, level_db in heard), default=0.0)
    return [(onset, f0) for onset, f0, level_db in heard if level_db > loudest + QUIET_DB]


def possible_notes(samples: NDArray[np.float32]) -> list[PossibleNote]:
    """Everything in a signal at 44.1 kHz that begins and has a pitch."""
    hard = find_onsets(samples)
    if not len(hard):
        return []
    level = _level(samples)
    onsets = _with_soft_onsets(samples, hard, level)
    found: list[PossibleNote] = []
    for onset, end in zip(onsets, [*onsets[1:], len(samples) / SAMPLE_RATE], strict=True):
        length = round(min(LONGEST_S, end - onset - SKIP_S) * SAMPLE_RATE)
        if length < SHORTEST_S * SAMPLE_RATE:
            continue
        start = round((onset + SKIP_S) * SAMPLE_RATE)
        after = samples[start : start + length].astype(np.float64)
        length = len(after)  # one less if the sound ends here
        stop = max(0, round((onset - 0.01) * SAMPLE_RATE))
        before = samples[max(0, stop - length) : stop].astype(np.float64)
        new_hz, whole_hz, level_db = _new_pitch(np.pad(before, (length - len(before), 0)), after)
        if new_hz is None:
            continue
        ratio = (whole_hz or 0.0) / new_hz
        multiple = whole_hz is not None and ratio > 1.5 and abs(ratio / round(ratio) - 1) < MULTIPLE
        f0_hz = whole_hz if multiple and whole_hz else new_hz
        found.append(PossibleNote(onset, new_hz, f0_hz, level_db, _rise_db(level, onset)))
    return found


def by_shift(samples: NDArray[np.float32], onsets: Sequence[float]) -> list[tuple[float, float]]:
    """Onset in s, and semitones from the first note, of each onset in a signal at 44.1 kHz, harmonic or not.

    How far the spectrum that an onset adds must be moved along log frequency to be most like the first one's,
    at most two octaves. For notes of one timbre, such as bells, which have no common period. A note that is struck
    again adds little to itself: there, half of what rang before is taken away instead of all, if that is more alike.
    """
    spans = list(zip(onsets, [*onsets[1:], len(samples) / SAMPLE_RATE], strict=True))
    whole = samples.astype(np.float64)
    first = _added(whole, *spans[0], 1.0)
    reach = 24 * BINS
    found = []
    for onset, end in spans:
        alike = [np.correlate(np.pad(_added(whole, onset, end, taken), reach), first, "valid") for taken in (1.0, 0.5)]
        best = max(alike, key=np.max)
        found.append((onset, (int(np.argmax(best)) - reach) / BINS))
    return found


def _added(samples: Floats, onset_s: float, end_s: float, taken: float) -> Floats:
    """What an onset adds to the amplitude spectrum, compressed, over log frequency; mean 0, norm 1.

    `taken`: share of the power before the onset that is taken away.
    """
    from scipy.ndimage import gaussian_filter1d

    start, stop = round((onset_s + SKIP_S) * SAMPLE_RATE), max(0, round((onset_s - 0.01) * SAMPLE_RATE))
    after = samples[start : round(min(end_s, onset_s + SHIFT_S) * SAMPLE_RATE)]
    length = max(len(after), round(SHORTEST_S * SAMPLE_RATE))
    before = samples[max(0, stop - length) : stop]
    hertz, power = power_spectrum(np.pad(after, (0, length - len(after))), SAMPLE_RATE)
    rang = power_spectrum(np.pad(before, (length - len(before), 0)), SAMPLE_RATE)[1]
    power = np.maximum(power - taken * rang, 0)
    edges = SHIFT_LOW_HZ * 2 ** ((np.arange(7 * 12 * BINS + 1) - 0.5) / (12 * BINS)) / hertz[1]
    bands = np.array([power[int(low) : int(high) + 1].max() for low, high in pairwise(edges)])
    smooth = gaussian_filter1d(bands**SHIFT_POWER, 1.0)
    smooth -= smooth.mean()
    return np.asarray(smooth / max(float(np.linalg.norm(smooth)), 1e-12))


def _level(samples: NDArray[np.float32]) -> Floats:
    """Level in dB every 5 ms, smoothed over about 40 ms."""
    hop = round(LEVEL_HOP_S * SAMPLE_RATE)
    whole = max(len(samples) // hop, 1) * hop
    power = np.mean(np.resize(samples, whole).reshape(-1, hop).astype(np.float64) ** 2, axis=1)
    kernel = np.hanning(10)[1:-1]
    smooth = np.convolve(power, kernel / kernel.sum(), "full")[len(kernel) // 2 :][: len(power)]
    return np.asarray(10 * np.log10(np.maximum(smooth, 1e-12)))


def _rise_db(level: Floats, onset_s: float) -> float:
    """How far the level rises around this time."""
    place = round(onset_s / LEVEL_HOP_S)
    low = level[max(0, place - 8) : place + 5].min(initial=0.0)
    return float(level[place : place + 17].max(initial=-200.0) - low)


def _with_soft_onsets(samples: NDArray[np.float32], hard: Floats, level: Floats) -> list[float]:
    """Add soft onsets, at which the pitch changes or the level recovers from a dip."""
    track = track_f0(samples, SAMPLE_RATE)
    midi = np.where(track.clarity >= STEADY_CLEAR, 69 + 12 * np.log2(track.f0_hz / 440), np.nan)
    midi[track.level_db < track.level_db.max() + QUIET_DB] = np.nan
    soft = [max(0.0, float(track.times_s[i]) - SETTLED_S) for i in _steps(midi)] + _dips(level)
    onsets = [float(onset) for onset in hard]
    for time_s in sorted(soft):
        if all(abs(time_s - other) > NEAR_S for other in onsets):
            onsets.append(time_s)
    return sorted(onsets)


def _steps(midi: Floats) -> list[int]:
    """Frames at which a new stable pitch begins."""
    found = []
    current = np.nan
    for i in range(len(midi) - HOLDS + 1):
        ahead = midi[i : i + HOLDS]
        if np.isnan(ahead).any() or np.ptp(ahead) > SAME:
            continue
        pitch = float(np.median(ahead))
        if not abs(pitch - current) <= SAME:
            if not abs(abs(pitch - current) - 12) <= SAME:  # an octave jump without an onset is a tracker error
                found.append(i)
            current = pitch
    return found


def _dips(level: Floats) -> list[float]:
    """Times of the minima from which the level recovers."""
    found = []
    high, low, place = level[0], level[0], 0
    for i, now in enumerate(level):
        if now < low:
            low, place = now, i
        elif now > low + DIP_DB:
            if high > low + DIP_DB:
                found.append(place * LEVEL_HOP_S)
            high = low = now
        else:
            high = max(high, now)
    return found


def _new_pitch(before: Floats, after: Floats) -> tuple[float | None, float | None, float]:
    """f0 in Hz of what `after` adds to the power spectrum of `before`, that of `after`, and its level in dB.

    Autocorrelation of a windowed segment, divided by that of the window: P. Boersma, "Accurate short-term
    analysis of the fundamental frequency and the harmonics-to-noise ratio of a sampled sound", 1993.
    """
    import scipy.fft

    n = len(after)
    window = np.hanning(n)
    size = scipy.fft.next_fast_len(2 * n, real=True)
    power_after = np.abs(scipy.fft.rfft((after - after.mean()) * window, size)) ** 2
    power_before = np.abs(scipy.fft.rfft((before - before.mean()) * window, size)) ** 2
    power = np.maximum(power_after - power_before, 0)
    if power.sum() < NEW_SHARE * power_after.sum():
        power = power_after
    level_db = 10 * float(np.log10(max(power_after.sum() / size / np.sum(window**2), 1e-20)))
    if level_db < -90:
        return None, None, level_db
    own = scipy.fft.irfft(np.abs(scipy.fft.rfft(window, size)) ** 2, size)[: n // 2]
    new, whole = (
        _first_period((found / found[0]) / (own / own[0]))
        for found in (scipy.fft.irfft(some, size)[: n // 2] for some in (power, power_after))
    )
    return new, whole, level_db


def _first_period(normal: Floats) -> float | None:
    """f0 at the first maximum of at least 0.9 of the highest, or `None` if none is clear."""
    longest = min(len(normal) - 1, int(SAMPLE_RATE / FMIN_HZ))
    negative = np.flatnonzero(normal[:longest] < 0)
    start = max(int(negative[0]) if len(negative) else 0, int(SAMPLE_RATE / FMAX_HZ))
    inner = normal[start + 1 : longest - 1]
    peaks = start + 1 + np.flatnonzero((inner > normal[start : longest - 2]) & (inner >= normal[start + 2 : longest]))
    if not len(peaks) or normal[peaks].max() < CLEAR:
        return None
    peak = peaks[np.argmax(normal[peaks] >= PEAK_SHARE * normal[peaks].max())]
    return float(SAMPLE_RATE / (peak + vertex(*normal[peak - 1 : peak + 2])[0]))
