"""The kinds of check that a probe's sound must pass, one type per kind.

In a suite file the field `check` has the kind; an unknown kind or field is an error when the suite
is read. `headline=False`: measured and shown, but not counted in headlines. Pitches are
sounding (concert) pitches, A4 = 440 Hz = MIDI 69.
"""

from __future__ import annotations

from innerear.checks.environment import Doppler, Events, Label, Sequence, Together
from innerear.checks.notes import (
    Chord,
    Glide,
    Instrument,
    LevelTrend,
    Modulation,
    Note,
    Notes,
    Onsets,
    OnsetTrend,
    Pitch,
    Waveform,
)
from innerear.checks.speech import F0Trend, Rhyme, Transcript, Unvoiced, Voice, VoiceF0, VoiceF0Steps, Vowel, Words

__all__ = [
    "Check",
    "Chord",
    "Doppler",
    "Events",
    "F0Trend",
    "Glide",
    "Instrument",
    "Label",
    "LevelTrend",
    "Modulation",
    "Note",
    "Notes",
    "OnsetTrend",
    "Onsets",
    "Pitch",
    "Rhyme",
    "Sequence",
    "Together",
    "Transcript",
    "Unvoiced",
    "Voice",
    "VoiceF0",
    "VoiceF0Steps",
    "Vowel",
    "Waveform",
    "Words",
    "kind",
]

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
