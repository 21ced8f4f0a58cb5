"""Man, woman or child: the check `speaker`.

Two things tell them apart: how fast the folds vibrate (f0) and how long the vocal tract is (the scale of the
formants, `dsp.vocal_tract`, relative to the men of `vowels.csv`). Both must be nearer to the group asked than to the
others, so a man's voice that is merely pitched up is not a child's. The borders lie between what was measured of
people: men 0.89, women 1.10 in running speech, 1.0 and 1.15 in vowels, and children by scaled speech (1.25 to 1.4).
"""

from __future__ import annotations

import csv
import functools
import math
from importlib import resources

import numpy as np
from numpy.typing import NDArray

from innerear.checks import Speaker
from innerear.dsp.vocal_tract import formant_scale
from innerear.dsp.voice import median_f0, track_voice
from innerear.errors import WeightsUnavailable
from innerear.metrics.base import CheckMetric, Sound, Value
from innerear.metrics.f0_contour import is_voice

F0_HZ = {"man": (0.0, 165.0), "woman": (150.0, 250.0), "child": (235.0, math.inf)}
SCALE = {"man": (0.0, 1.02), "woman": (1.02, 1.2), "child": (1.2, math.inf)}
"""What is nearest to each group. The f0 ranges of groups overlap, those of the formants do not."""
NO_VOICE = "no voice with a fundamental and resonances"


@functools.cache
def vowels_of_men() -> NDArray[np.float64]:
    """F1, F2 and F3 in hertz of the vowels of men, (12, 3)."""
    text = resources.files(__package__).joinpath("vowels.csv").read_text(encoding="utf-8")
    rows = [row for row in csv.DictReader(text.splitlines()) if row["speakers"] == "men"]
    return np.array([[float(row[f"f{n}_hz"]) for n in (1, 2, 3)] for row in rows])


class SpeakerCheck(CheckMetric[Speaker]):
    """The check `speaker`: scale of the formants, relative to men's vowels.

    Passes if both this and the median f0 are in the range of the group asked, and a voice is heard.
    """

    name, version, unit = "speaker", 1, "re men"
    label = "Speaker"
    text = "f0 and the scale of the formants are those of the requested group: man, woman or child."
    fitted = "vowels.csv"
    weights = ("silero-vad",)

    def measure(self, sound: Sound, check: Speaker) -> Value:
        """Detail: the f0 in Hz, the scale, and the group that each is of."""
        track = track_voice(sound.signal)
        f0_hz = median_f0(sound.signal, track)
        scale = formant_scale(sound.signal, track, vowels_of_men()) if f0_hz is not None else None
        if f0_hz is None or scale is None:
            return Value(None, False, NO_VOICE)
        by_f0 = [who for who, (low, high) in F0_HZ.items() if low <= f0_hz <= high]
        by_formants = next(who for who, (low, high) in SCALE.items() if low <= scale < high)
        detail = {"f0_hz": round(f0_hz, 1), "scale": round(scale, 3), "by_f0": by_f0, "by_formants": by_formants}
        if check.kind not in by_f0 or check.kind != by_formants:
            reason = f"f0 of {f0_hz:.0f} Hz as of a {' or '.join(by_f0)}, formants as of a {by_formants}"
            return Value(scale, False, reason, detail)
        try:
            voice = is_voice(sound.signal, track)
        except WeightsUnavailable as error:
            return Value.unavailable(error, detail=detail)
        return Value(scale, voice, "" if voice else NO_VOICE, detail)
