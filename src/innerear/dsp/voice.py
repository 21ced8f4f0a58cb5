"""Track the fundamental frequency of a voice.

Frames of 48 ms every 10 ms, between 60 and 700 Hz. A frame is voiced if its period is clear and the
sound has overtones, so that a pure tone is not a voice.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from innerear.clip import Clip
from innerear.dsp.f0 import track_f0

Floats = NDArray[np.float64]

SAMPLE_RATE = 16_000
WINDOW_S, HOP_S = 0.048, 0.01
LOWEST_HZ, HIGHEST_HZ = 60.0, 700.0
CLEAR = 0.65  # least NSDF at the period of a voiced frame
HEARD_DB = 35.0  # audible frames are within this of the loudest
SHORTEST = 3  # frames; shorter voiced segments are dropped
FEWEST_VOICED, LEAST_VOICED = 8, 0.15  # voiced frames needed for an f0, absolute and as a share of audible ones
SHORTEST_GAP = 5  # frames between two voices
BARE_DB = -30.0  # level of the second strongest harmonic below which a sound is a pure tone
HIGHEST_HARMONIC_HZ = 4000
LEAST_RELIEF_DB = 3.0  # deviation of the harmonics from a straight slope, below which there are no formants


@dataclass(frozen=True, eq=False)
class VoiceTrack:
    """f0 every 10 ms, all of shape (frames,). `f0_hz` is valid in `voiced` frames; `level_db` is re full scale."""

    times_s: Floats
    f0_hz: Floats
    level_db: Floats
    heard: NDArray[np.bool_]
    voiced: NDArray[np.bool_]


def track_voice(clip: Clip, window_s: float = WINDOW_S) -> VoiceTrack:
    """Track the f0 of a voice. Silence has no audible frames. A shorter window follows a fast fall."""
    track = track_f0(clip.at(SAMPLE_RATE), SAMPLE_RATE, window_s, HOP_S)
    heard = (track.level_db > track.level_db.max() - HEARD_DB) & (track.level_db > -80)
    f0 = np.nan_to_num(track.f0_hz)
    voiced = heard & (track.clarity >= CLEAR) & (f0 >= LOWEST_HZ) & (f0 <= HIGHEST_HZ)
    return VoiceTrack(track.times_s, f0, track.level_db, heard, lasting(voiced))


def lasting(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Drop segments shorter than `SHORTEST` frames."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(int)))
    kept = np.zeros_like(mask)
    for start, end in zip(edges[::2], edges[1::2], strict=True):
        kept[start:end] = end - start >= SHORTEST
    return kept


def median_f0(clip: Clip, track: VoiceTrack) -> float | None:
    """Median f0 in Hz over the voiced frames; `None` if they are too few, or for a pure tone."""
    if track.voiced.sum() < max(FEWEST_VOICED, LEAST_VOICED * track.heard.sum()):
        return None
    f0_hz = float(np.median(track.f0_hz[track.voiced]))
    return None if is_bare(clip, track) else f0_hz


def harmonics(clip: Clip, track: VoiceTrack) -> tuple[Floats, Floats]:
    """Harmonics below 4 kHz over the voiced frames: frequencies in Hz, and levels in dB re the strongest."""
    samples, length = clip.at(SAMPLE_RATE), round(WINDOW_S * SAMPLE_RATE)
    places = np.flatnonzero(track.voiced)
    places = places[np.unique(np.linspace(0, len(places) - 1, 40).astype(int))]
    starts = np.maximum(np.rint(track.times_s[places] * SAMPLE_RATE).astype(int) - length // 2, 0)
    frames = np.pad(samples, (0, 2 * length))[starts[:, None] + np.arange(length)] * np.hanning(length)
    power = np.abs(np.fft.rfft(frames, 4 * length, axis=1)) ** 2
    per_hz = 4 * length / SAMPLE_RATE
    count = max(2, int(HIGHEST_HARMONIC_HZ / np.median(track.f0_hz[places])))
    found = np.zeros((len(places), count))
    for row, f0_hz in enumerate(track.f0_hz[places]):
        centres = np.rint(np.arange(1, count + 1) * f0_hz * per_hz).astype(int)
        near = np.minimum(centres[:, None] + np.arange(-1, 2) * max(1, int(0.12 * f0_hz * per_hz)), 2 * length)
        found[row] = power[row, near].max(axis=1)
    levels = 10 * np.log10(np.maximum(found.mean(axis=0), 1e-20))
    hz = np.arange(1, count + 1) * np.median(track.f0_hz[places])
    relative: Floats = levels - levels.max()
    return np.asarray(hz, dtype=np.float64), relative


def is_bare(clip: Clip, track: VoiceTrack) -> bool:
    """Whether a sound is a pure tone: all harmonics but one are at least 30 dB below it."""
    levels = np.sort(harmonics(clip, track)[1])
    return bool(levels[-2] < BARE_DB)


def relief_db(clip: Clip, track: VoiceTrack) -> float:
    """RMS deviation of the harmonics in dB from a straight slope (dB per octave).

    Zero for a sawtooth, square wave or pulse train, which have no formants; also 0 if there are fewer than
    five harmonics within 50 dB, because it cannot be estimated.
    """
    hz, levels = harmonics(clip, track)
    present = levels > -50
    if present.sum() < 5:
        return 0.0
    octaves = np.log2(hz[present])
    return float(np.std(levels[present] - np.polyval(np.polyfit(octaves, levels[present], 1), octaves)))


def semitones(track: VoiceTrack) -> float | None:
    """Final movement of f0 in semitones, negative if down; `None` if there are too few voiced frames.

    The larger of two estimates: the Theil-Sen slope over the last half of the voiced frames, which is
    robust to octave errors; and the step from the median of the first four fifths to that of the last fifth.
    """
    places = np.flatnonzero(track.voiced)
    if len(places) < 2 * FEWEST_VOICED:
        return None
    times, pitch = track.times_s[places], 12 * np.log2(track.f0_hz[places])
    first, second = np.triu_indices(len(places) - len(places) // 2, 1)
    first, second = first + len(places) // 2, second + len(places) // 2
    slope = float(np.median((pitch[second] - pitch[first]) / (times[second] - times[first])))
    last = len(places) - len(places) // 5
    moves = slope * (times[-1] - times[len(places) // 2]), float(np.median(pitch[last:]) - np.median(pitch[:last]))
    return float(max(moves, key=abs))


def parts_f0(clip: Clip, track: VoiceTrack, count: int) -> list[float] | None:
    """Median f0 in Hz of each of `count` successive voices, split at the longest gaps between voiced frames."""
    places = np.flatnonzero(track.voiced)
    if len(places) < count * FEWEST_VOICED or is_bare(clip, track):
        return None
    gaps = np.diff(places)
    cuts = np.sort(np.argsort(-gaps, kind="stable")[: count - 1]) + 1
    parts = np.split(places, cuts)
    if min(map(len, parts)) < FEWEST_VOICED or gaps[cuts - 1].min(initial=SHORTEST_GAP) < SHORTEST_GAP:
        return None
    return [float(np.median(track.f0_hz[part])) for part in parts]
