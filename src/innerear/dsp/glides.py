"""Track an f0 that moves fast, such as that of a falling Mandarin tone, which falls by half an octave in 50 ms.

Within a window of two periods such a voice has no period. So each window is also heard on time axes that are
stretched until a glide of so many octaves per second is a steady tone (L. Weruaga, M. Képesi, "The fan-chirp
transform for non-stationary harmonic signals", Signal Processing 87, 2007). The f0 of all frames is the path that
is clearest and jumps least (P. Boersma, "Accurate short-term analysis of the fundamental frequency", 1993).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from innerear.clip import Clip
from innerear.dsp import voice
from innerear.dsp.f0 import normal_differences
from innerear.dsp.voice import HOP_S, SAMPLE_RATE, VoiceTrack

Floats = NDArray[np.float64]

WINDOW_S = 0.036  # two periods of 60 Hz, and a little
GLIDES = (-8.0, -4.0, 0.0, 4.0, 8.0)  # octaves per second
PER_OCTAVE = 48  # steps of f0
OCTAVE_COST = 0.03  # per octave down: at twice the period a steady voice is as clear
JUMP_COST = 0.35  # per octave between two frames


def track_gliding(clip: Clip) -> VoiceTrack:
    """Track the f0 of one voice, however fast it moves; frames as those of `track_voice`."""
    from scipy.signal import butter, sosfiltfilt

    samples = clip.at(SAMPLE_RATE)
    length, hop = round(1.2 * WINDOW_S * SAMPLE_RATE), round(HOP_S * SAMPLE_RATE)
    samples = np.pad(samples, (0, max(0, length - len(samples))))
    low_pass = butter(8, voice.HIGHEST_HARMONIC_HZ, fs=SAMPLE_RATE, output="sos")
    samples = sosfiltfilt(low_pass, samples).astype(np.float32)
    frames = np.lib.stride_tricks.sliding_window_view(samples, length)[::hop]
    octaves = np.arange(np.ceil(np.log2(voice.HIGHEST_HZ / voice.LOWEST_HZ) * PER_OCTAVE) + 1) / PER_OCTAVE
    f0_hz = voice.LOWEST_HZ * 2**octaves
    clear = np.zeros((len(frames), len(f0_hz)))
    level_db = np.zeros(len(frames))
    for glide in GLIDES:
        nsdf, level = normal_differences(_stretched(frames, glide), SAMPLE_RATE)
        if not glide:
            level_db = level
        lags = SAMPLE_RATE / f0_hz
        low = lags.astype(int)
        share = lags - low
        clear = np.maximum(clear, (1 - share) * nsdf[:, low] + share * nsdf[:, low + 1])
    path = _best_path(clear + OCTAVE_COST * octaves)
    clarity = clear[np.arange(len(frames)), path]
    heard = (level_db > level_db.max() - voice.HEARD_DB) & (level_db > -80)
    times_s = (np.arange(len(frames)) * hop + length / 2) / SAMPLE_RATE
    return VoiceTrack(times_s, f0_hz[path], level_db, heard, voice.lasting(heard & (clarity >= voice.CLEAR)))


def _stretched(frames: NDArray[np.float32], glide: float) -> NDArray[np.float32]:
    """The middle of frames on a time axis on which a glide of so many octaves per second is steady.

    Time and f0 in the middle are unchanged.
    """
    length = round(WINDOW_S * SAMPLE_RATE)
    at_s = (np.arange(length) - (length - 1) / 2) / SAMPLE_RATE
    if glide:
        warp = glide * np.log(2)
        at_s = np.log1p(warp * at_s) / warp
    places = at_s * SAMPLE_RATE + (frames.shape[1] - 1) / 2
    low = places.astype(int)
    share = (places - low).astype(np.float32)
    return np.asarray((1 - share) * frames[:, low] + share * frames[:, low + 1])


def _best_path(scores: Floats) -> NDArray[np.intp]:
    """The column of each row on the path of the highest sum, less what its jumps cost (Viterbi)."""
    columns = np.arange(scores.shape[1])
    cost = JUMP_COST * np.abs(np.subtract.outer(columns, columns)) / PER_OCTAVE
    back = np.zeros(scores.shape, dtype=np.intp)
    best = scores[0]
    for row in range(1, len(scores)):
        from_each = best[:, None] - cost
        back[row] = from_each.argmax(axis=0)
        best = scores[row] + from_each[back[row], columns]
    path = np.zeros(len(scores), dtype=np.intp)
    path[-1] = int(best.argmax())
    for row in range(len(scores) - 1, 0, -1):
        path[row - 1] = back[row, path[row]]
    return path
