"""What came of a listening test: the scores of its answers, and of a run, which metrics agree with them."""

from __future__ import annotations

import msgspec

from innerear.listening.answers import Refused
from innerear.records import Score
from innerear.report.validations import Kind


class Listener(msgspec.Struct, frozen=True, omit_defaults=True):
    """A listener, and whether their answers are used. `out` says why they are not."""

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
    """What was written of a probe's sound, and by how many; nobody has said whether it is right."""

    probe: str
    caption: str
    text: str
    count: int


class Results(msgspec.Struct, frozen=True, kw_only=True):
    """What people answered. `everyone` are the scores with those who were left out; empty where none was."""

    test: str
    kind: Kind
    rule: str
    guessers: float | None
    listeners: list[Listener]
    refused: list[Refused]
    scores: list[Score]
    everyone: list[Score] = []
    uncoded: list[Uncoded] = []
