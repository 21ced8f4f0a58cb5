"""The kinds of check that a probe's sound must pass, one type per kind.

In a suite file the field `check` has the kind; an unknown kind or field is an error when the suite
is read. `headline=False`: measured and shown, but not counted in headlines. Pitches are
sounding (concert) pitches, A4 = 440 Hz = MIDI 69.
"""

from __future__ import annotations

from typing import Literal

import msgspec

Note = tuple[float, float, int]
"""Onset in seconds, offset in seconds, MIDI pitch."""


class _Check(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="check", kw_only=True, omit_defaults=True
):
    headline: bool = True


class Pitch(_Check, frozen=True, tag="pitch"):
    """One steady fundamental. `octave_free`: the right pitch class in any octave passes."""

    f0_hz: float
    tolerance_cents: float
    midi: int | None = None
    octave_free: bool = False


class Waveform(_Check, frozen=True, tag="waveform"):
    """The harmonic amplitudes of an ideal waveform."""

    shape: Literal["sine", "square", "sawtooth", "triangle"]


class Instrument(_Check, frozen=True, tag="instrument"):
    """The instrument family that a listener would name, and the AudioSet names that count as a hit."""

    family: str
    audioset: list[str]


class Modulation(_Check, frozen=True, tag="modulation"):
    """Vibrato (`of="f0"`) or tremolo (`of="level"`): rate in hertz, depth in cents."""

    of: Literal["f0", "level"]
    rate_hz: float
    tolerance_hz: float
    depth_cents: float | None = None
    depth_tolerance_cents: float | None = None


class Glide(_Check, frozen=True, tag="glide"):
    """A fundamental that moves steadily from one frequency to another."""

    from_hz: float
    to_hz: float
    tolerance_cents: float


class LevelTrend(_Check, frozen=True, tag="level_trend"):
    """A level that rises or falls by at least `at_least_db` decibels."""

    direction: Literal["rise", "fall"]
    at_least_db: float


class Notes(_Check, frozen=True, tag="notes"):
    """Notes at given onsets and pitches; offsets are not judged."""

    notes: list[Note]
    onset_tolerance_s: float
    pitch_tolerance_cents: float
    offsets: Literal["not judged"] = "not judged"
    octave_free: bool = False


class Events(_Check, frozen=True, tag="events"):
    """The number of separate events."""

    count: int


class Chord(_Check, frozen=True, tag="chord"):
    """Tones that sound together, as MIDI pitches."""

    midi: list[int]


class Onsets(_Check, frozen=True, tag="onsets"):
    """Onsets at given times in seconds; extra onsets count as errors."""

    times_s: list[float]
    tolerance_s: float


class OnsetTrend(_Check, frozen=True, tag="onset_trend"):
    """An onset rate that changes from one value to another, in hertz."""

    direction: Literal["accelerate", "slow"]
    from_hz: float
    to_hz: float
    tolerance: float


class Label(_Check, frozen=True, tag="label"):
    """The class that a listener would name, from a named closed set."""

    label: str
    among: str


class Sequence(_Check, frozen=True, tag="sequence"):
    """Classes heard one after the other, in this order."""

    labels: list[str]


class Together(_Check, frozen=True, tag="together"):
    """Classes heard at the same time."""

    labels: list[str]


class Doppler(_Check, frozen=True, tag="doppler"):
    """A pitch that falls: its ratio of end to start is at most `ratio_below`."""

    ratio_below: float
    note: str = ""


class Vowel(_Check, frozen=True, tag="vowel"):
    """The vowel nearest to the first two formants, among those named (IPA)."""

    ipa: str
    f1_hz: float
    f2_hz: float
    among: list[str]


class VoiceF0(_Check, frozen=True, tag="voice_f0"):
    """The f0 of the voice is within a range in hertz."""

    low_hz: float
    high_hz: float


class VoiceF0Steps(_Check, frozen=True, tag="voice_f0_steps"):
    """Voices one after the other, each with its f0 range in hertz."""

    ranges_hz: list[tuple[float, float]]


class Transcript(_Check, frozen=True, tag="transcript"):
    """The spoken words; `closed_set` if the listener picks from given texts."""

    text: str
    closed_set: list[str] | None = None


class Words(_Check, frozen=True, tag="words"):
    """The words that are said, as a recogniser writes them that is told none of them."""

    text: str


class Rhyme(_Check, frozen=True, tag="rhyme"):
    """The word that is said, among words that differ in one sound (modified rhyme test)."""

    word: str
    among: list[str]


class F0Trend(_Check, frozen=True, tag="f0_trend"):
    """The f0 of the voice rises or falls at the end."""

    direction: Literal["rise", "fall"]


class Unvoiced(_Check, frozen=True, tag="unvoiced"):
    """Speech without voicing, such as a whisper."""


class Voice(_Check, frozen=True, tag="voice"):
    """A human voice is heard."""


Check = (
    Pitch | Waveform | Instrument | Modulation | Glide | LevelTrend | Notes | Events | Chord | Onsets
    | OnsetTrend | Label | Sequence | Together | Doppler | Vowel | VoiceF0 | VoiceF0Steps | Transcript
    | Words | Rhyme | F0Trend | Unvoiced | Voice
)  # fmt: skip


def kind(check: Check) -> str:
    """The name of a check's kind in a suite file.

    >>> kind(Events(count=3))
    'events'
    """
    return str(check.__struct_config__.tag)
