"""Checks of musical notes. Pitches are sounding (concert) pitches, A4 = 440 Hz = MIDI 69."""

from __future__ import annotations

from typing import Literal

import msgspec

from innerear.checks.base import CheckBase

Note = tuple[float, float, int]
"""Onset in seconds, offset in seconds, MIDI pitch."""


_NAMES = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
_SHAPES = {
    "sine": "Only the fundamental; no other partial.",
    "square": "Odd harmonics n = 1, 3, 5 … at 1/n, all below 20 kHz, in sine phase; no even harmonics.",
    "sawtooth": "All harmonics n = 1, 2, 3 … at 1/n, all below 20 kHz, in sine phase.",
    "triangle": "Odd harmonics at 1/n² with alternating sign, in sine phase; no even harmonics.",
}


def note_hz(midi: float) -> float:
    """The frequency of a MIDI pitch.

    >>> note_hz(69)
    440.0
    """
    return float(440 * 2 ** ((midi - 69) / 12))


def note_name(midi: int) -> str:
    """The name of a MIDI pitch.

    >>> note_name(60)
    'C4'
    """
    return f"{_NAMES[midi % 12]}{midi // 12 - 1}"


class Pitch(CheckBase, frozen=True, tag="pitch"):
    """One steady fundamental. `octave_free`: the right pitch class in any octave passes."""

    f0_hz: float
    tolerance_cents: float
    midi: int | None = None
    octave_free: bool = False

    def brief(self, duration_s: float) -> list[str]:
        """Its figures."""
        return [f"Fundamental: {self.f0_hz:.2f} Hz, within {self.tolerance_cents:g} cents, all the time."]


class Waveform(CheckBase, frozen=True, tag="waveform"):
    """The harmonic amplitudes of an ideal waveform."""

    shape: Literal["sine", "square", "sawtooth", "triangle"]

    def brief(self, duration_s: float) -> list[str]:
        """Its figures."""
        return [_SHAPES[self.shape]]


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

    def brief(self, duration_s: float) -> list[str]:
        """Its figures."""
        what = "fundamental" if self.of == "f0" else "level"
        depth = f", {self.depth_cents:g} cents to each side" if self.depth_cents else ""
        return [f"The {what} swings as a sine at {self.rate_hz:g} Hz{depth}."]


class Glide(CheckBase, frozen=True, tag="glide"):
    """A fundamental that moves steadily from one frequency to another."""

    from_hz: float
    to_hz: float
    tolerance_cents: float

    def brief(self, duration_s: float) -> list[str]:
        """Its figures."""
        slide = f"from {self.from_hz:.2f} Hz to {self.to_hz:.2f} Hz over the whole {duration_s:g} s"
        return [f"The fundamental slides evenly in semitones {slide}: f(t) = f0 · (f1/f0)^(t/T)."]


class LevelTrend(CheckBase, frozen=True, tag="level_trend"):
    """A level that rises or falls by at least `at_least_db` decibels."""

    direction: Literal["rise", "fall"]
    at_least_db: float

    def brief(self, duration_s: float) -> list[str]:
        """Its figures."""
        return [f"The level {self.direction}s by at least {self.at_least_db + 6:g} dB from start to end."]


class Notes(CheckBase, frozen=True, tag="notes"):
    """Notes at given onsets and pitches; offsets are not judged."""

    notes: list[Note]
    onset_tolerance_s: float
    pitch_tolerance_cents: float
    offsets: Literal["not judged"] = "not judged"
    octave_free: bool = False

    def brief(self, duration_s: float) -> list[str]:
        """Its figures."""
        notes = (f"{start:g} s {note_name(midi)} ({note_hz(midi):.2f} Hz)" for start, _, midi in self.notes)
        return [f"Notes, each with a clear attack at its time: {', '.join(notes)}."]


class Chord(CheckBase, frozen=True, tag="chord"):
    """Tones that sound together, as MIDI pitches."""

    midi: list[int]

    def brief(self, duration_s: float) -> list[str]:
        """Its figures."""
        tones = ", ".join(f"{note_name(midi)} {note_hz(midi):.2f} Hz" for midi in self.midi)
        return [f"Tones, all at the same level and for the whole time: {tones}."]


class Onsets(CheckBase, frozen=True, tag="onsets"):
    """Onsets at given times in seconds; extra onsets count as errors."""

    times_s: list[float]
    tolerance_s: float

    def brief(self, duration_s: float) -> list[str]:
        """Its figures."""
        return [f"Onsets at exactly {', '.join(f'{time:.3f}' for time in self.times_s)} s, and no others."]


class OnsetTrend(CheckBase, frozen=True, tag="onset_trend"):
    """An onset rate that changes from one value to another, in hertz."""

    direction: Literal["accelerate", "slow"]
    from_hz: float
    to_hz: float
    tolerance: float

    def brief(self, duration_s: float) -> list[str]:
        """Its figures."""
        return [f"The rate of strokes moves evenly from {self.from_hz:g} Hz to {self.to_hz:g} Hz."]


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

    def brief(self, duration_s: float) -> list[str]:
        """The first setting, note by note, at a tempo that fits the time."""
        beat_s = duration_s / sum(beats for _, beats in self.notes)
        at, notes = 0.0, []
        for midi, beats in self.notes:
            notes.append(f"{at * beat_s:.3f} s {440 * 2 ** ((midi - 69) / 12):.2f} Hz")
            at += beats
        return [f"{len(self.notes)} notes, each with a clear attack at its time, none else: {', '.join(notes)}."]


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

    @property
    def rows(self) -> dict[str, list[int]]:
        """The rows that are judged: those with steps."""
        rows = {"kick": self.kick, "snare": self.snare, "hihat": self.hihat, "low": self.low, "high": self.high}
        return {name: row for name, row in rows.items() if row}

    def times_s(self, row: list[int]) -> list[float]:
        """The times of a row's hits in seconds, in all bars."""
        step_s = 60 / self.bpm / self.steps_per_beat
        steps = self.beats_per_bar * self.steps_per_beat
        return [(bar * steps + step) * step_s for bar in range(self.bars) for step in row]

    def brief(self, duration_s: float) -> list[str]:
        """The times of each row."""
        return [
            f"{name.capitalize()} at exactly {', '.join(f'{time:.3f}' for time in self.times_s(row))} s, and no others."
            for name, row in self.rows.items()
        ]


class Pitches(CheckBase, frozen=True, tag="pitches"):
    """Notes at given onsets, each at its own frequency in hertz: tunings that MIDI numbers cannot say."""

    f0_hz: list[float]
    onsets_s: list[float]
    tolerance_cents: float
    onset_tolerance_s: float

    def brief(self, duration_s: float) -> list[str]:
        """Every note's time and frequency."""
        notes = (f"{at:.3f} s {hz:.3f} Hz" for at, hz in zip(self.onsets_s, self.f0_hz, strict=True))
        return [
            f"Notes, each with a clear attack at its time, within {self.tolerance_cents:g} cents: {', '.join(notes)}."
        ]


class Partials(CheckBase, frozen=True, tag="partials"):
    """Partials at given ratios to a reference frequency, and none at the ratios of `absent`."""

    reference_hz: float
    ratios: list[float]
    tolerance_cents: float
    absent: list[float] = msgspec.field(default_factory=list)

    def brief(self, duration_s: float) -> list[str]:
        """The frequencies of the partials, and of those that must not sound."""
        at = ", ".join(f"{self.reference_hz * ratio:.2f}" for ratio in self.ratios)
        none = ", ".join(f"{self.reference_hz * ratio:.2f}" for ratio in self.absent)
        lines = [f"Partials at {at} Hz, within {self.tolerance_cents:g} cents and 20 dB of each other."]
        return [*lines, *([f"No energy at {none} Hz."] if none else [])]


class BandLevel(CheckBase, frozen=True, tag="band_level"):
    """The energy of a band is at most `at_most_db` decibels relative to the whole."""

    low_hz: float
    high_hz: float
    at_most_db: float

    def brief(self, duration_s: float) -> list[str]:
        """The band and its level."""
        return [f"At most {self.at_most_db:g} dB of the energy lies between {self.low_hz:g} and {self.high_hz:g} Hz."]


class Shepard(CheckBase, frozen=True, tag="shepard"):
    """Octave-spaced components that move while the spectrum as a whole stays.

    `tones` separate tones, each `step_semitones` from the one before; or, if `tones` is `None`, a glissando
    of `step_semitones` per second (`per_s`).
    """

    tones: int | None
    step_semitones: float
    per_s: bool = False

    def brief(self, duration_s: float) -> list[str]:
        """How the components move, and under which envelope."""
        step = f"{self.step_semitones:+g} semitones"
        how = (
            "a second, without steps"
            if self.tones is None
            else f"a tone, {self.tones} tones of {duration_s / self.tones:g} s"
        )
        return [
            f"Components an octave apart from 20 Hz to 10 kHz, all moving by {step} {how}.",
            "Their levels follow one fixed bell over log frequency, centred at 500 Hz, 1 octave wide: "
            "what leaves at one end enters at the other, silently.",
        ]
