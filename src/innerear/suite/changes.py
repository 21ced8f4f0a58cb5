"""What the functions that vary probes share."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from typing import TypeVar

from msgspec.structs import replace

from innerear import checks
from innerear.records import Probe

NAMES = ("C", "C sharp", "D", "E flat", "E", "F", "F sharp", "G", "A flat", "A", "B flat", "B")
STEPS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
# fmt: off
WORDS = [
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen",
]
# fmt: on

Change = Callable[[Probe, random.Random], Probe | None]
"""Returns the probe varied in one respect, or `None` if that does not apply to it."""
SeededChange = Callable[[int, Probe, random.Random], Probe | None]
"""The same, with the seed of the whole suite: for lists that are shifted, so that all probes stay different."""
T = TypeVar("T")


def find(probe: Probe, kind: type[T]) -> T | None:
    """The probe's first check of a kind."""
    return next((check for check in probe.expect if isinstance(check, kind)), None)


def expecting(probe: Probe, old: checks.Check, new: checks.Check) -> Probe:
    """The probe with one check replaced."""
    return replace(probe, expect=[new if check is old else check for check in probe.expect])


def reworded(probe: Probe, *swaps: tuple[str, str]) -> Probe | None:
    """Replace parts of the caption and the details; `None` if one of them is in neither.

    A part is not replaced inside a longer word or number.
    """
    caption, details = probe.caption, probe.details
    for old, new in swaps:
        pattern = re.compile(rf"(?<![\w.,]){re.escape(old)}(?![\w]|[.,]\d)")
        if not pattern.search(f"{caption} {details}"):
            return None
        caption, details = (pattern.sub(lambda _: new, text) for text in (caption, details))  # noqa: B023
    return replace(probe, caption=caption, details=details)


def shifted(items: Sequence[T], index: int, seed: int) -> T:
    """Another item, the same number of places further for every index: all stay different.

    >>> [shifted("abc", index, 7) for index in range(3)]
    ['c', 'a', 'b']
    """
    return items[(index + 1 + seed % (len(items) - 1)) % len(items)]


def at(time_s: float) -> float:
    """A time as it is written in a suite."""
    return round(time_s, 4)
