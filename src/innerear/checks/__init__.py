"""The kinds of check that a probe's sound must pass, one type per kind.

In a suite file the field `check` has the kind; an unknown kind or field is an error when the suite
is read. `headline=False`: measured and shown, but not counted in headlines. Pitches are
sounding (concert) pitches, A4 = 440 Hz = MIDI 69.
"""

from __future__ import annotations

from innerear.checks.custom import Custom
from innerear.checks.environment import (
    Arrivals,
    Cadence,
    DecayTime,
    Decoded,
    Doppler,
    Echo,
    Events,
    Label,
    Passing,
    Rate,
    Sequence,
    SignalTone,
    Together,
)
from innerear.checks.notes import (
    BandLevel,
    Chord,
    Glide,
    Groove,
    Instrument,
    LevelTrend,
    Modulation,
    Note,
    Notes,
    Onsets,
    OnsetTrend,
    Partials,
    Pitch,
    Pitches,
    Shepard,
    Tune,
    Waveform,
)
from innerear.checks.speech import (
    F0Contour,
    F0Trend,
    Rhyme,
    Speaker,
    Transcript,
    Unvoiced,
    Voice,
    VoiceF0,
    VoiceF0Steps,
    Vowel,
    Words,
)

__all__ = [
    "Arrivals",
    "BandLevel",
    "Cadence",
    "Check",
    "Chord",
    "Custom",
    "DecayTime",
    "Decoded",
    "Doppler",
    "Echo",
    "Events",
    "F0Contour",
    "F0Trend",
    "Glide",
    "Groove",
    "Instrument",
    "Label",
    "LevelTrend",
    "Modulation",
    "Note",
    "Notes",
    "OnsetTrend",
    "Onsets",
    "Partials",
    "Passing",
    "Pitch",
    "Pitches",
    "Rate",
    "Rhyme",
    "Sequence",
    "Shepard",
    "SignalTone",
    "Speaker",
    "Together",
    "Transcript",
    "Tune",
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
    | Tune | Groove | Pitches | Partials | BandLevel | Shepard | Cadence | Decoded | Echo | DecayTime
    | Arrivals | Passing | Rate | Speaker | F0Contour | Custom
)  # fmt: skip


def kind(check: Check) -> str:
    """The name of a check's kind in a suite file; for the check of a plug-in, the plug-in's.

    >>> kind(Events(count=3)), kind(Custom(by="brightness"))
    ('events', 'brightness')
    """
    if isinstance(check, Custom):
        return check.by
    return str(check.__struct_config__.tag)
