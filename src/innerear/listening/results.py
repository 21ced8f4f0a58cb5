"""What came of a listening test: the scores of its answers, and of a run, which metrics agree with them."""

from __future__ import annotations

from pathlib import Path

import msgspec

from innerear.errors import UsageError
from innerear.listening.answers import Refused
from innerear.listening.files import Kind
from innerear.parts import from_json
from innerear.records import Score


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


class Best(msgspec.Struct, frozen=True):
    """The metric that goes best with what people said; `rivals` are those whose intervals reach into its own."""

    tier: str
    measure: str
    metric: str | None
    rivals: list[str] = []


class Validation(msgspec.Struct, frozen=True, kw_only=True):
    """`RUN/listening/<test>.json`: what people said of a run's sounds, and which metrics agree with them.

    A row of `correlations` has the metric's name, and in `group` what of the listeners' it is held
    against; `model` is empty where all models are taken together.
    """

    test: str
    kind: Kind
    created: str
    rule: str
    guessers: float | None
    listeners: int
    left_out: list[str]
    scores: list[Score]
    everyone: list[Score]
    correlations: list[Score]
    best: list[Best]


def read_validations(folder: Path) -> list[Validation]:
    """What people said of a run's sounds, one for each test, oldest first."""
    found = []
    for path in sorted((folder / "listening").glob("[!.]*.json")):
        try:
            found.append(from_json(path.read_bytes(), Validation))
        except (OSError, ValueError) as error:
            raise UsageError(
                f"{path} is damaged, or of another version; delete it, and `innerear listen-test validate` writes it "
                f"again: {error}"
            ) from error
    return sorted(found, key=lambda one: (one.created, one.test))
