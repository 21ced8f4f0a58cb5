"""Checks of musical notes. Pitches are sounding (concert) pitches, A4 = 440 Hz = MIDI 69."""

from __future__ import annotations

from typing import Literal

import msgspec

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


class Tune(CheckBase, frozen=True, tag="tune"):
    """A melody that the prompt only names, in any key and at any tempo.

    `notes` are (MIDI pitch, beats); `also` has other settings that are right. `rhythm`: the ratios of
    inter-onset intervals are judged too. `octave_free`: intervals are compared modulo an octave.
    """

    title: str
    notes: list[tuple[int, float]]
    rhythm: bool = True
    octave_free: bool = False
    also: list[list[tuple[int, float]]] = msgspec.field(default_factory=list)


class Groove(CheckBase, frozen=True, tag="groove"):
    """Drum hits on the steps of a grid, bar by bar; a row that is `None` is not judged.

    Rows are a drum kit's (`kick`, `snare`, `hihat`) or any two sounds' (`low`, `high`). Steps count from 0
    within a bar.
    """

    bpm: float
    beats_per_bar: int
    steps_per_beat: int
    bars: int
    kick: list[int] | None = None
    snare: list[int] | None = None
    hihat: list[int] | None = None
    low: list[int] | None = None
    high: list[int] | None = None


class Pitches(CheckBase, frozen=True, tag="pitches"):
    """Notes at given onsets, each at its own frequency in hertz: tunings that MIDI numbers cannot say."""

    f0_hz: list[float]
    onsets_s: list[float]
    tolerance_cents: float
    onset_tolerance_s: float


class Partials(CheckBase, frozen=True, tag="partials"):
    """Partials at given ratios to a reference frequency, and none at the ratios of `absent`."""

    reference_hz: float
    ratios: list[float]
    tolerance_cents: float
    absent: list[float] = msgspec.field(default_factory=list)


class BandLevel(CheckBase, frozen=True, tag="band_level"):
    """The energy of a band is at most `at_most_db` decibels relative to the whole."""

    low_hz: float
    high_hz: float
    at_most_db: float


class Shepard(CheckBase, frozen=True, tag="shepard"):
    """Octave-spaced components that move while the spectrum as a whole stays.

    `tones` separate tones, each `step_semitones` from the one before; or, if `tones` is `None`, a glissando
    of `step_semitones` per second (`per_s`).
    """

    tones: int | None
    step_semitones: float
    per_s: bool = False
