"""Results of listening tests of a run: which metrics agree with listeners."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec

from innerear.errors import UsageError
from innerear.records import Score
from innerear.run.parts import from_json


class Best(msgspec.Struct, frozen=True):
    """The metric that correlates best with listeners; `rivals` are those whose intervals overlap its own."""

    tier: str
    measure: str
    metric: str | None
    rivals: list[str] = []


class Validation(msgspec.Struct, frozen=True, kw_only=True):
    """`RUN/listening/<test>.json`: listeners' answers on a run's sounds, and which metrics agree with them.

    A row of `correlations` has the metric's name, and in `group` the listener measure it is compared
    with; `model` is empty for all models together.
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
    """The listening results of a run, one per test, oldest first."""
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
