"""Checks of musical notes. Pitches are sounding (concert) pitches, A4 = 440 Hz = MIDI 69."""

from __future__ import annotations

from typing import Literal

from innerear.checks.base import CheckBase

Note = tuple[float, float, int]
"""Onset in seconds, offset in seconds, MIDI pitch."""


class Pitch(CheckBase, frozen=True, tag="pitch"):
    """One steady fundamental. `octave_free`: the right pitch class in any octave passes."""

    f0_hz: float
    tolerance_cents: float
    midi: int | None = None
    octave_free: bool = False


class Waveform(CheckBase, frozen=True, tag="waveform"):
    """The harmonic amplitudes of an ideal waveform."""

    shape: Literal["sine", "square", "sawtooth", "triangle"]


class Instrument(CheckBase, frozen=True, tag="instrument"):
    """The instrument family that a listener would name, and the AudioSet names that count as a hit."""

    family: str
    audioset: list[str]


class Modulation(CheckBase, frozen=True, tag="modulation"):
    """Vibrato (`of="f0"`) or tremolo (`of="level"`): rate in hertz, depth in cents."""

    of: Literal["f0", "level"]
    rate_hz: float
    tolerance_hz: float
    depth_cents: float | None = None
    depth_tolerance_cents: float | None = None


class Glide(CheckBase, frozen=True, tag="glide"):
    """A fundamental that moves steadily from one frequency to another."""

    from_hz: float
    to_hz: float
    tolerance_cents: float


class LevelTrend(CheckBase, frozen=True, tag="level_trend"):
    """A level that rises or falls by at least `at_least_db` decibels."""

    direction: Literal["rise", "fall"]
    at_least_db: float


class Notes(CheckBase, frozen=True, tag="notes"):
    """Notes at given onsets and pitches; offsets are not judged."""

    notes: list[Note]
    onset_tolerance_s: float
    pitch_tolerance_cents: float
    offsets: Literal["not judged"] = "not judged"
    octave_free: bool = False


class Chord(CheckBase, frozen=True, tag="chord"):
    """Tones that sound together, as MIDI pitches."""

    midi: list[int]


class Onsets(CheckBase, frozen=True, tag="onsets"):
    """Onsets at given times in seconds; extra onsets count as errors."""

    times_s: list[float]
    tolerance_s: float


class OnsetTrend(CheckBase, frozen=True, tag="onset_trend"):
    """An onset rate that changes from one value to another, in hertz."""

    direction: Literal["accelerate", "slow"]
    from_hz: float
    to_hz: float
    tolerance: float
