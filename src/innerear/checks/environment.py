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


class Decoded(CheckBase, frozen=True, tag="decoded"):
    """A payload that a decoder reads exactly."""

    mode: Literal["dtmf", "morse", "bell202", "rtty"]
    text: str


class Echo(CheckBase, frozen=True, tag="echo"):
    """A second arrival after `delay_s` seconds; `tolerance` is relative."""

    delay_s: float
    tolerance: float


class DecayTime(CheckBase, frozen=True, tag="decay_time"):
    """The time in which the level decays by 60 dB (ISO 3382); `tolerance` is relative."""

    t60_s: float
    tolerance: float


class Arrivals(CheckBase, frozen=True, tag="arrivals"):
    """Clicks at random times: their mean rate, and the coefficient of variation of their intervals.

    A Poisson process has a coefficient of 1. `tolerance` of the rate is relative.
    """

    rate_hz: float
    tolerance: float
    variation: tuple[float, float]


class Passing(CheckBase, frozen=True, tag="passing"):
    """The pitch of a source that passes: before, after, and when it is closest; `tolerance` is relative."""

    approach_hz: float
    recede_hz: float
    closest_s: float
    tolerance: float
    time_tolerance_s: float


class Rate(CheckBase, frozen=True, tag="rate"):
    """How often something repeats, in hertz; `tolerance` is relative."""

    hz: float
    tolerance: float
