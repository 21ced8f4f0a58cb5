"""Which vowel is it? Formants, and the check `vowel`.

Formants are estimated by linear prediction (Burg) in the voiced frames of the steady part; F1 and F2 are
medians over frames. Above an f0 of about 200 Hz the harmonics are so sparse that estimates are biased
towards them (see docs/metrics-speech.md). `vowels.csv` has the mean of each vowel over adult speakers
from Michigan and the standard deviation between speakers: J. Hillenbrand, L. Getty, M. Clark,
K. Wheeler, "Acoustic characteristics of American English vowels", JASA 1995, computed from the authors'
published measurements.
"""

from __future__ import annotations

import csv
import functools
import math
from dataclasses import dataclass
from importlib import resources
from typing import Any

from innerear.checks import Vowel
from innerear.dsp.formants import CEILING_HZ, find_formants
from innerear.metrics.base import CheckMetric, Sound, Value

FARTHEST = 6.0  # standard deviations; farther from every vowel means no vowel


@dataclass(frozen=True)
class Spoken:
    """A vowel, an example word, and the means and standard deviations of F1 and F2 over speakers, in Hz."""

    ipa: str
    word: str
    f1_hz: float
    f2_hz: float
    f1_sd: float
    f2_sd: float

    def apart(self, f1_hz: float, f2_hz: float) -> float:
        """Distance of these formants from the vowel, in standard deviations."""
        return math.hypot((f1_hz - self.f1_hz) / self.f1_sd, (f2_hz - self.f2_hz) / self.f2_sd)


@functools.cache
def vowels(speakers: str) -> dict[str, Spoken]:
    """The table of `men` or `women`, by IPA symbol."""
    text = resources.files(__package__).joinpath("vowels.csv").read_text(encoding="utf-8")
    rows = [row for row in csv.DictReader(text.splitlines()) if row["speakers"] == speakers]
    return {
        row["ipa"]: Spoken(
            row["ipa"], row["word"], float(row["f1_hz"]), float(row["f2_hz"]), float(row["f1_sd"]), float(row["f2_sd"])
        )
        for row in rows
    }


def speakers_of(check: Vowel) -> str:
    """Whose vowel is requested: `men` or `women`, whichever mean is closer to the check's formants."""
    apart = {
        who: table[check.ipa].apart(check.f1_hz, check.f2_hz)
        for who in CEILING_HZ
        if check.ipa in (table := vowels(who))
    }
    return min(apart, key=apart.__getitem__, default="men")


class VowelCheck(CheckMetric[Vowel]):
    """The check `vowel`: distance from the requested vowel in standard deviations between speakers.

    Passes if no other vowel of the set is closer and the distance is at most 6. A name such as `ɑ/ɔ` in
    the set counts as one vowel, at the distance of the closer of the two.
    """

    name, version, unit = "vowel", 1, "deviations"
    label = "Vowels right"
    text = "F1 and F2 are nearest to the requested vowel of the set."
    fitted = "vowels.csv"

    def measure(self, sound: Sound, check: Vowel) -> Value:
        """Detail: F1 and F2 in Hz, and the closest vowel of the set."""
        speakers = speakers_of(check)
        found = find_formants(sound.signal, CEILING_HZ[speakers])
        detail: dict[str, Any] = {"asked": check.ipa, "among": check.among}
        if found is None:
            return Value(None, False, "no voice with resonances", detail)
        detail |= {"f1_hz": round(found.f1_hz, 1), "f2_hz": round(found.f2_hz, 1)}
        table = vowels(speakers)
        apart = {
            name: min(table[ipa].apart(found.f1_hz, found.f2_hz) for ipa in name.split("/")) for name in check.among
        }
        heard = min(apart, key=apart.__getitem__)
        asked = next(name for name in check.among if check.ipa in name.split("/"))
        if apart[heard] > FARTHEST:
            return Value(apart[asked], False, "formants of no vowel of the set", {**detail, "heard": None})
        passed = heard == asked
        return Value(apart[asked], passed, "" if passed else f"sounds more like /{heard}/", {**detail, "heard": heard})
