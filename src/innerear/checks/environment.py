"""Checks of environmental sounds."""

from __future__ import annotations

from innerear.checks.base import CheckBase


class Events(CheckBase, frozen=True, tag="events"):
    """The number of separate events."""

    count: int


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
