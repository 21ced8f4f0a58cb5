"""The shape of a voice's f0, such as a Mandarin tone: the check `f0_contour`.

The contour is f0 in semitones over the voiced part of a sound: from its first voiced frame to its last, on a
straight line across creaky or voiceless gaps, without the first and last 20 ms, in which consonants bend it.
Only the shape counts, never the pitch.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from innerear.checks import F0Contour
from innerear.clip import Clip
from innerear.dsp.glides import track_gliding
from innerear.dsp.voice import VoiceTrack, relief_db
from innerear.errors import WeightsUnavailable
from innerear.metrics.base import CheckMetric, Sound, Value
from innerear.metrics.silero import spoken_s

Floats = NDArray[np.float64]

POINTS = 41
LEAST_CORRELATION = 0.85
RANGE_FACTOR = 2.0  # the range may be so many times larger or smaller than asked
LEVEL = 2.0  # semitones that a level tone may move
FLAT = 1.0  # semitones; a form with a smaller range is a level tone
FEWEST_VOICED = 10  # frames of 10 ms
LONGEST_GAP = 30  # frames; beyond such a gap another voice begins
EDGE = 2  # frames left out at both ends
JUMP = 4.0  # semitones from one frame to the next; no voice does that
STRAY = 0.15  # of the longest run of voiced frames; shorter runs are left out
LOUD_DB = 20.0  # frames within this of the loudest should be voiced ...
LEAST_VOICED = 0.6  # ... at least this share of them
LEAST_VOICE_S = 0.16  # that Silero must hear: bent instruments reach 0.13
LEAST_RELIEF_DB = 2.0  # of the harmonics; a sawtooth has 0


def contour(track: VoiceTrack) -> Floats | None:
    """f0 in semitones at 41 equally spaced times of the voiced part, median 0.

    `None` if the part is shorter than 0.1 s, or if less than 60 % of the loud frames are voiced.
    """
    places = np.flatnonzero(track.voiced)
    loud = track.heard & (track.level_db > track.level_db.max() - LOUD_DB)
    if len(places) < FEWEST_VOICED or np.sum(loud & track.voiced) < LEAST_VOICED * loud.sum():
        return None
    pitch = 12 * np.log2(track.f0_hz)
    broken = (np.diff(places) > 1) | (np.abs(np.diff(pitch[places])) > JUMP)
    runs = np.split(places, np.flatnonzero(broken) + 1)
    longest = max(map(len, runs))
    places = np.concatenate([run for run in runs if len(run) >= STRAY * longest])
    places = max(np.split(places, np.flatnonzero(np.diff(places) > LONGEST_GAP) + 1), key=len)
    if len(places) < FEWEST_VOICED:
        return None
    every = np.interp(np.arange(places[0], places[-1] + 1), places, pitch[places])
    smooth = np.median(np.lib.stride_tricks.sliding_window_view(np.pad(every, 2, mode="edge"), 5), axis=1)
    inner = smooth[EDGE:-EDGE]
    found = np.interp(np.linspace(0, len(inner) - 1, POINTS), np.arange(len(inner)), inner)
    return np.asarray(found - np.median(found))


def likeness(found: Floats, form: Sequence[float]) -> tuple[float, float]:
    """The correlation of a contour with a form, and its range in semitones (2.5 % left out at both ends)."""
    low, high = np.percentile(found, [2.5, 97.5])
    asked = np.interp(np.linspace(0, len(form) - 1, len(found)), np.arange(len(form)), form)
    if np.ptp(asked) == 0 or np.ptp(found) < 1e-9:
        return 0.0, float(high - low)
    return float(np.corrcoef(found, asked)[0, 1]), float(high - low)


def fits(correlation: float, moved: float, form: Sequence[float]) -> bool:
    """Whether a contour of this correlation and range has the form."""
    asked = float(np.ptp(form))
    if asked < FLAT:
        return moved <= LEVEL
    return correlation >= LEAST_CORRELATION and 1 / RANGE_FACTOR <= moved / asked <= RANGE_FACTOR


def is_voice(clip: Clip, track: VoiceTrack) -> bool:
    """Whether a voice is heard, with resonances.

    Raises:
        WeightsUnavailable: Silero cannot be had here.
    """
    return relief_db(clip, track) >= LEAST_RELIEF_DB and spoken_s(clip) >= LEAST_VOICE_S


class F0ContourCheck(CheckMetric[F0Contour]):
    """The check `f0_contour`: correlation of f0 over the voiced part with the form asked, the best of its forms.

    Passes at a correlation of 0.85 or more and a range within a factor of two; a level tone (range of the form
    below 1 semitone) within 2 semitones, its value the range. Only if a voice is heard, with resonances.
    """

    name, version, unit = "f0_contour", 2, "correlation"
    label = "Melody of the voice"
    text = "The f0 of the voice moves in the requested shape, such as a tone of Mandarin."
    better = "higher"
    weights = ("silero-vad",)

    def measure(self, sound: Sound, check: F0Contour) -> Value:
        """Detail: the range in semitones, and the contour at five times."""
        track = track_gliding(sound.signal)
        found = contour(track)
        if found is None:
            return Value(None, False, "no voiced part, or too little of the sound is voiced")
        forms = [check.semitones, *check.also]
        heard = [(*likeness(found, form), form) for form in forms]
        correlation, moved, form = max(heard, key=lambda one: (fits(*one), one[0]))
        level = float(np.ptp(form)) < FLAT
        value = moved if level else correlation
        detail = {
            "semitones": [round(float(x), 1) for x in found[:: (POINTS - 1) // 4] - found[0]],
            "range": round(moved, 2), "correlation": None if level else round(correlation, 3),
        }  # fmt: skip
        if not fits(correlation, moved, form):
            far = f"moves by {moved:.1f} semitones"
            why = far if level else f"correlation {correlation:.2f}, {far}; wanted {np.ptp(form):.1f}"
            return Value(value, False, why, detail)
        try:
            voice = is_voice(sound.signal, track)
        except WeightsUnavailable as error:
            return Value.unavailable(error, detail=detail)
        return Value(value, voice, "" if voice else "no voice with resonances", detail)
