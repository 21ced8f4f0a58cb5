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


class F0Contour(CheckBase, frozen=True, tag="f0_contour"):
    """The shape of f0 over the voiced part: `semitones` at equally spaced times, or one of `also`."""

    semitones: list[float]
    also: list[list[float]] = msgspec.field(default_factory=list)
