"""Is a check to be believed? Each is tried on sounds whose truth is known, before it judges anyone.

A check must pass sounds that are what it asks for (synthetic, recorded, or put together from
recorded notes), and fail the same sounds wrong in pitch, time, order, count or kind, and noise,
silence and sounds made for another probe. Under 80 % of the true or over 10 % of any of the wrong:
its result is shown and counts in no headline.

`verified.json` is the outcome on the reference data, shipped so that every run knows which checks
count; `innerear checks verify --write` makes it anew, and a test holds it to what is measured.
"""

from __future__ import annotations

import functools
from importlib import resources
from pathlib import Path

import msgspec

from innerear import checks
from innerear.clip import Clip
from innerear.metrics.classes import merged_name
from innerear.metrics.words import is_sentence
from innerear.metrics.words import shipped as texts
from innerear.records import Tier

LEAST_TRUE, MOST_WRONG = 0.8, 0.1
TRUE = ("synthetic", "real", "rule-made")
SHOWN = ("by flite", "by espeak-ng")
"""Columns of talkers of whom nobody knows how well they are understood: shown, and they decide nothing."""
WRONG = (
    "pitch", "time", "order", "count", "kind", "words", "vocoded", "not in set", "bare tone", "music", "noise",
    "silence", "other probe",
)  # fmt: skip
ANEW: dict[str, set[Tier]] = {"events": {"environment"}, "level_trend": {"environment"}}
"""Kinds that the notes tier asks too, and the tiers on whose sounds they are verified anew."""


class Trial(msgspec.Struct, frozen=True):
    """One sound, what is asked of it, and the column of the table that it stands in.

    In a column of `TRUE` the check should pass, in one of `WRONG` it should fail.
    """

    column: str
    check: checks.Check
    clip: Clip
    about: str = ""
    tier: Tier = "notes"


class Cell(msgspec.Struct, frozen=True):
    """How many of a column's sounds passed."""

    passed: int
    n: int

    @property
    def rate(self) -> float:
        """The share that passed."""
        return self.passed / self.n


class Verified(msgspec.Struct, frozen=True):
    """How a check did, by column; `version` is that of its metric."""

    version: int
    cells: dict[str, Cell]
    note: str = ""

    @property
    def counts(self) -> bool:
        """Whether its results may stand in a headline."""
        return not self.why

    @property
    def why(self) -> str:
        """Why not, or nothing."""
        if not any(name in self.cells for name in TRUE):
            return "no sound of known truth to try it on"
        for name, cell in self.cells.items():
            if name in TRUE and cell.rate < LEAST_TRUE:
                return f"passes {cell.rate:.0%} of {cell.n} {name} sounds that are right"
            if name in WRONG and cell.rate > MOST_WRONG:
                return f"passes {cell.rate:.0%} of {cell.n} sounds that are wrong ({name})"
        return ""


def variant(check: checks.Check, tier: Tier) -> str:
    """The name that a check of a tier's probe is verified under: its kind, and what its rule depends on.

    >>> variant(checks.Modulation(of="f0", rate_hz=6, tolerance_hz=1), "notes")
    'modulation:f0'
    >>> variant(checks.Events(count=3), "environment")
    'events:environment'
    """
    name = checks.kind(check)
    match check:
        case checks.Modulation():
            return f"{name}:{check.of}"
        case checks.Instrument():
            return f"{name}:{check.family}"
        case checks.Label():
            return f"{name}:{merged_name(check.label)}"
        case checks.Sequence() | checks.Together():
            return f"{name}:{', '.join(check.labels)}"
        case checks.Vowel():
            return f"{name}:{check.ipa}"
        case checks.Transcript() if is_sentence(check):
            return "words"
        case checks.Transcript():
            found = texts().among(check)
            return f"{name}:{found[0]}" if found else name
    return f"{name}:{tier}" if tier in ANEW.get(name, ()) else name


def shipped_path() -> Path:
    """Where the shipped outcome lies."""
    return Path(str(resources.files(__package__).joinpath("verified.json")))


@functools.cache
def shipped() -> dict[str, Verified]:
    """The shipped outcome, by variant."""
    return msgspec.json.decode(shipped_path().read_bytes(), type=dict[str, Verified])


def in_headline(check: checks.Check, tier: Tier) -> tuple[bool, str]:
    """Whether a check of a tier's probe counts in headlines, and why not: the suite says so, or it failed to verify."""
    if not check.headline:
        return False, "the suite takes it out of headlines"
    found = shipped().get(variant(check, tier))
    if found is None:
        return False, "it is not verified"
    return found.counts, found.why
