"""Checks of speech."""

from __future__ import annotations

from typing import Literal

import msgspec

from innerear.checks.base import CheckBase


class Vowel(CheckBase, frozen=True, tag="vowel"):
    """The vowel nearest to the first two formants, among those named (IPA)."""

    ipa: str
    f1_hz: float
    f2_hz: float
    among: list[str]

    def brief(self, duration_s: float) -> list[str]:
        """Its figures."""
        resonances = f"F1 {self.f1_hz:.0f} Hz, F2 {self.f2_hz:.0f} Hz, F3 near 2500 Hz (higher for /i/: 3000 Hz)"
        return [f"Glottal pulses through resonances at {resonances}, 60 to 150 Hz wide, steady."]


class VoiceF0(CheckBase, frozen=True, tag="voice_f0"):
    """The f0 of the voice is within a range in hertz."""

    low_hz: float
    high_hz: float

    def brief(self, duration_s: float) -> list[str]:
        """Its figures."""
        return [f"The voice's fundamental lies between {self.low_hz:g} and {self.high_hz:g} Hz."]


class VoiceF0Steps(CheckBase, frozen=True, tag="voice_f0_steps"):
    """Voices one after the other, each with its f0 range in hertz."""

    ranges_hz: list[tuple[float, float]]

    def brief(self, duration_s: float) -> list[str]:
        """Its figures."""
        ranges = ", then ".join(f"{low:g} to {high:g} Hz" for low, high in self.ranges_hz)
        return [f"The voices' fundamentals, one after the other: {ranges}."]


class Transcript(CheckBase, frozen=True, tag="transcript"):
    """The spoken words; `closed_set` if the listener picks from given texts."""

    text: str
    closed_set: list[str] | None = None


class Words(CheckBase, frozen=True, tag="words"):
    """The words that are said, as a recogniser writes them that is told none of them."""

    text: str


class Rhyme(CheckBase, frozen=True, tag="rhyme"):
    """The word that is said, among words that differ in one sound (modified rhyme test)."""

    word: str
    among: list[str]


class F0Trend(CheckBase, frozen=True, tag="f0_trend"):
    """The f0 of the voice rises or falls at the end."""

    direction: Literal["rise", "fall"]

    def brief(self, duration_s: float) -> list[str]:
        """Its figures."""
        return [f"In its last third the fundamental {self.direction}s by half an octave or more."]


class Unvoiced(CheckBase, frozen=True, tag="unvoiced"):
    """Speech without voicing, such as a whisper."""

    def brief(self, duration_s: float) -> list[str]:
        """Its figures."""
        return ["No glottal pulses anywhere: the same resonances driven by noise."]


class Voice(CheckBase, frozen=True, tag="voice"):
    """A human voice is heard."""

    def brief(self, duration_s: float) -> list[str]:
        """Its figures."""
        return ["A human voice: glottal pulses through moving resonances, a little jitter and vibrato."]


class Speaker(CheckBase, frozen=True, tag="speaker"):
    """The group of speakers that f0 and the scale of the formants are nearest to."""

    kind: Literal["man", "woman", "child"]

    def brief(self, duration_s: float) -> list[str]:
        """Figures of the group: J. Hillenbrand and others, JASA 1995; S. Lee and others, JASA 1999."""
        f0, scale, length = {
            "man": ("90 to 140", "", "17"),
            "woman": ("180 to 230", "16 % higher than a man's, ", "14.5"),
            "child": ("260 to 320", "35 % higher than a man's, ", "12"),
        }[self.kind]
        return [f"The voice is a {self.kind}'s: f0 {f0} Hz, all formants {scale}as of a vocal tract of {length} cm."]


class F0Contour(CheckBase, frozen=True, tag="f0_contour"):
    """The shape of f0 over the voiced part: `semitones` at equally spaced times, or one of `also`."""

    semitones: list[float]
    also: list[list[float]] = msgspec.field(default_factory=list)

    def brief(self, duration_s: float) -> list[str]:
        """The first of the forms, in semitones."""
        if max(self.semitones) == min(self.semitones):
            return ["The voice's fundamental is level, within 2 semitones, from the start of the syllable to its end."]
        steps = ", ".join(f"{step:+g}" for step in self.semitones)
        times = "at equally spaced times of the voiced part"
        return [f"The voice's fundamental moves smoothly through {steps} semitones re its start, {times}."]
