"""Verification of checks: which checks are reliable enough to count in headline scores?

Before a check judges models, it is tried on sounds of known truth. It must pass sounds that are what it
requests (synthetic, recorded, or assembled from recorded notes) and fail the same sounds with wrong
pitch, time, order, count or kind, as well as noise, silence and sounds made for other probes. A check
that passes less than 80 % of the right sounds or more than 10 % of any kind of wrong ones is reported,
but does not count in headlines.

`verified.json` has the results on the reference data. `innerear checks verify --write` rebuilds it, and a
test compares it with new measurements.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import msgspec

from innerear import checks
from innerear.clip import Clip
from innerear.dsp.repetition import EVENTS_BELOW_HZ
from innerear.metrics.classes import merged_name
from innerear.metrics.spelling import ONES
from innerear.metrics.words import is_sentence
from innerear.metrics.words import shipped as texts
from innerear.records import Probe, Tier

LEAST_TRUE, MOST_WRONG = 0.8, 0.1
TRUE = ("synthetic", "real", "rule-made")
SHOWN = ("by flite", "by espeak-ng")
"""Columns of talkers of whom nobody knows how well they are understood: shown, and they decide nothing."""
WRONG = (
    "pitch", "time", "order", "count", "kind", "words", "vocoded", "not in set", "bare tone", "music", "noise",
    "silence", "other probe",
)  # fmt: skip
"""Columns of sounds that are wrong, in the order of the table; any other column is wrong too, after them."""
DIGITS = tuple(ONES[:10])
SUSTAINED = ("brass", "flute", "organ", "reed", "vocal")
"""Families whose notes do not die away by themselves."""
ANEW: dict[str, set[Tier]] = {"events": {"environment"}, "level_trend": {"environment"}}
"""Kinds used in several tiers, and the tiers on whose sounds they are verified separately."""


def in_order(columns: Iterable[str]) -> list[str]:
    """The columns in the order of the table: right sounds, those that are only shown, wrong sounds."""
    known = (*TRUE, *SHOWN, *WRONG)
    return sorted(columns, key=lambda name: known.index(name) if name in known else len(known))


class Trial(msgspec.Struct, frozen=True):
    """One sound, a check, and a column of the verification table.

    In the columns of `TRUE` the check should pass, in those of `SHOWN` nothing is required, in all others
    it should fail.
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
    """Results of a check by column; `version`: version of its metric."""

    version: int
    cells: dict[str, Cell]
    note: str = ""

    @property
    def counts(self) -> bool:
        """Whether its results count in headlines."""
        return not self.why

    @property
    def why(self) -> str:
        """Why it does not count in headlines; empty if it does."""
        if not any(name in self.cells for name in TRUE):
            return "no sound of known truth to try it on"
        for name, cell in self.cells.items():
            if name in TRUE and cell.rate < LEAST_TRUE:
                return f"passes {cell.rate:.0%} of {cell.n} {name} sounds that are right"
            if name not in (*TRUE, *SHOWN) and cell.rate > MOST_WRONG:
                return f"passes {cell.rate:.0%} of {cell.n} sounds that are wrong ({name})"
        return ""


def variant(check: checks.Check, tier: Tier, all_checks: Sequence[checks.Check] = ()) -> str:
    """Name under which a check is verified: its kind, and the parameters that its rule depends on.

    `all_checks`: all checks of the probe. They say how an instrument is played, if it is not plainly.

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
            return f"{name}:{check.family}{_way(check, all_checks)}"
        case checks.Label():
            return f"{name}:{merged_name(check.label)}"
        case checks.Sequence() | checks.Together():
            return f"{name}:{', '.join(check.labels)}"
        case checks.Vowel():
            return f"{name}:{check.ipa}"
        case checks.Decoded():
            return f"{name}:{check.mode}"
        case checks.Rate():
            return f"{name}:{'events' if check.hz < EVENTS_BELOW_HZ else 'period'}"
        case checks.Rhyme() if set(check.among) <= set(DIGITS):
            return f"{name}:digits"
        case checks.Speaker():
            return f"{name}:{check.kind}"
        case checks.Words() if len(check.text.split()) == 1:
            return f"{name}:single"
        case checks.Transcript() if is_sentence(check):
            return "words"
        case checks.Transcript():
            found = texts().among(check)
            return f"{name}:{found[0]}" if found else name
    return f"{name}:{tier}" if tier in ANEW.get(name, ()) else name


def _way(check: checks.Instrument, all_checks: Sequence[checks.Check]) -> str:
    """How the notes are played; empty if they are held, struck or plucked plainly."""
    for other in all_checks:
        match other:
            case checks.Modulation(of="level"):
                return " in tremolo"
            case checks.Glide():
                return " in glissando"
            case checks.LevelTrend(direction="rise"):
                return " in crescendo"
            case checks.LevelTrend() if check.family in SUSTAINED:
                return " in decrescendo"
    return ""


def shipped_path() -> Path:
    """Path of the bundled results."""
    return Path(str(resources.files(__package__).joinpath("verified.json")))


@functools.cache
def shipped() -> dict[str, Verified]:
    """The bundled results, by variant."""
    return msgspec.json.decode(shipped_path().read_bytes(), type=dict[str, Verified])


def counts_in(probe: Probe, check: checks.Check, detail: Mapping[str, Any] | None = None) -> tuple[bool, str]:
    """Whether a check of a probe counts in headlines, see `in_headline`."""
    return in_headline(check, probe.tier, detail, probe.expect)


def in_headline(
    check: checks.Check,
    tier: Tier,
    detail: Mapping[str, Any] | None = None,
    all_checks: Sequence[checks.Check] = (),
) -> tuple[bool, str]:
    """Whether a check of a tier's probe counts in headlines, and if not, why: excluded by the suite, or unreliable.

    `detail`: of the measurement, if there is one; it says if only one ear heard the sound, which is verified apart.
    `all_checks`: all checks of the probe.
    """
    if not check.headline:
        return False, "the suite takes it out of headlines"
    ears = (detail or {}).get("ears", "both")
    found = shipped().get(variant(check, tier, all_checks) + ("" if ears == "both" else f" by {ears}"))
    if found is None:
        return False, "it is not verified"
    return found.counts, found.why
