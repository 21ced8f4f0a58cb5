"""Checks of environmental sounds."""

from __future__ import annotations

from typing import Literal

import msgspec

from innerear.checks.base import CheckBase


class Events(CheckBase, frozen=True, tag="events"):
    """The number of separate events."""

    count: int

    def brief(self, duration_s: float) -> list[str]:
        """Its figures."""
        return [f"Exactly {self.count} separate events, each with a sharp start, silence between them."]


class Label(CheckBase, frozen=True, tag="label"):
    """The class that a listener would name, from a named closed set."""

    label: str
    among: str


class Sequence(CheckBase, frozen=True, tag="sequence"):
    """Classes heard one after the other, in this order."""

    labels: list[str]


class Together(CheckBase, frozen=True, tag="together"):
    """Classes heard at the same time."""

    labels: list[str]


class Doppler(CheckBase, frozen=True, tag="doppler"):
    """A pitch that falls: its ratio of end to start is at most `ratio_below`."""

    ratio_below: float
    note: str = ""

    def brief(self, duration_s: float) -> list[str]:
        """Its figures."""
        ratio = f"its pitch at the end at most {self.ratio_below:g} of that at the start"
        return [f"It passes in the middle, loudest there, {ratio}, the fall within about one second."]


class SignalTone(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One tone of a signal: its frequencies, and when it sounds."""

    start_s: float
    end_s: float
    hz: list[float]


class Cadence(CheckBase, frozen=True, tag="cadence"):
    """Tones of given frequencies, and only these, at given times: a telephone signal, an alarm, a siren."""

    tones: list[SignalTone]
    time_tolerance_s: float
    frequency_tolerance: float

    def brief(self, duration_s: float) -> list[str]:
        """Every tone's time and frequencies."""
        tones = (
            f"{tone.start_s:.3f} to {tone.end_s:.3f} s: {' and '.join(f'{hz:g}' for hz in tone.hz)} Hz"
            for tone in self.tones
        )
        return [f"Sines of equal level, silence between them: {'; '.join(tones)}."]


_MODES = {
    "dtmf": "DTMF (ITU-T Q.23): each key is two sines, rows 697, 770, 852, 941 Hz, columns 1209, 1336, 1477, 1633 Hz.",
    "morse": "Morse code (ITU-R M.1677): one tone; dash 3 dots, gaps of 1 dot in a letter, 3 between letters, 7"
    " between words; a dot is 1.2 s divided by the words per minute.",
    "bell202": "Bell 202: 1200 baud, mark (1) 1200 Hz, space (0) 2200 Hz, continuous phase; per character a start bit"
    " (space), 8 data bits, least significant first, a stop bit (mark).",
    "rtty": "Radioteletype: 45.45 baud (22 ms per bit), mark (1) 2125 Hz, space (0) 2295 Hz, continuous phase; ITA2;"
    " per character a start bit (space), 5 data bits, least significant first, 1.5 stop bits (mark).",
}


class Decoded(CheckBase, frozen=True, tag="decoded"):
    """A payload that a decoder reads exactly."""

    mode: Literal["dtmf", "morse", "bell202", "rtty"]
    text: str

    def brief(self, duration_s: float) -> list[str]:
        """How the mode is sent."""
        return [_MODES[self.mode], f"A receiver must decode exactly {self.text!r}."]


class Echo(CheckBase, frozen=True, tag="echo"):
    """A second arrival after `delay_s` seconds; `tolerance` is relative."""

    delay_s: float
    tolerance: float

    def brief(self, duration_s: float) -> list[str]:
        """The delay."""
        return [f"One echo {self.delay_s:.4f} s after the direct sound, 6 to 20 dB weaker and a little duller."]


class DecayTime(CheckBase, frozen=True, tag="decay_time"):
    """The time in which the level decays by 60 dB (ISO 3382); `tolerance` is relative."""

    t60_s: float
    tolerance: float

    def brief(self, duration_s: float) -> list[str]:
        """The decay in dB per second."""
        slope = 60 / self.t60_s
        return [
            f"Reverberation: dense noise that decays exponentially, by {slope:.1f} dB per second at 500 and 1000 Hz."
        ]


class Arrivals(CheckBase, frozen=True, tag="arrivals"):
    """Clicks at random times: their mean rate, and the coefficient of variation of their intervals.

    A Poisson process has a coefficient of 1. `tolerance` of the rate is relative.
    """

    rate_hz: float
    tolerance: float
    variation: tuple[float, float]

    def brief(self, duration_s: float) -> list[str]:
        """The process and its rate."""
        gaps = f"intervals drawn from an exponential distribution with mean {1000 / self.rate_hz:.1f} ms"
        return [f"Clicks of 1 to 2 ms at random times, a Poisson process of {self.rate_hz:g} per second: {gaps}."]


class Passing(CheckBase, frozen=True, tag="passing"):
    """The pitch of a source that passes: before, after, and when it is closest; `tolerance` is relative."""

    approach_hz: float
    recede_hz: float
    closest_s: float
    tolerance: float
    time_tolerance_s: float

    def brief(self, duration_s: float) -> list[str]:
        """The pitches and the time."""
        ends = f"{self.approach_hz:.1f} Hz while it approaches and {self.recede_hz:.1f} Hz while it recedes"
        return [f"Its fundamental is {ends}; it falls fastest at {self.closest_s:g} s, within about one second."]


class Rate(CheckBase, frozen=True, tag="rate"):
    """How often something repeats, in hertz; `tolerance` is relative."""

    hz: float
    tolerance: float

    def brief(self, duration_s: float) -> list[str]:
        """The rate and its period."""
        return [f"It repeats {self.hz:g} times per second, every {1 / self.hz:.4g} s, from start to end."]
