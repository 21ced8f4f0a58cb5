"""What a listening test found about a run: which metrics agree with people."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec

from innerear.errors import UsageError
from innerear.records import Score
from innerear.run.parts import from_json


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


Kind = Literal["identify", "ab", "rate"]
