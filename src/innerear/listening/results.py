"""The results of a listening test, as written to its scores file."""

from __future__ import annotations

import msgspec

from innerear.listening.answers import Refused
from innerear.records import Score
from innerear.report.validations import Kind


class Listener(msgspec.Struct, frozen=True, omit_defaults=True):
    """A listener, and why their answers are not used (`out`; empty if they are)."""

    session: str
    listener: int
    answers: int
    complete: bool
    anchors_right: int
    anchors: int
    headphones_right: int
    headphones: int
    out: str = ""
    comment: str = ""


class Uncoded(msgspec.Struct, frozen=True):
    """A written answer about a probe's sound that nobody has marked right or wrong; `count`: how often it was given."""

    probe: str
    caption: str
    text: str
    count: int


class Results(msgspec.Struct, frozen=True, kw_only=True):
    """Scores of a test. `everyone`: the scores including excluded listeners; empty if nobody was excluded."""

    test: str
    kind: Kind
    rule: str
    guessers: float | None
    listeners: list[Listener]
    refused: list[Refused]
    scores: list[Score]
    everyone: list[Score] = []
    uncoded: list[Uncoded] = []
