"""The anatomy of each program of a run, and whether its sound passes all its checks."""

from __future__ import annotations

import msgspec

from innerear.metrics.measure import paired
from innerear.programs.anatomy import Anatomy, anatomy
from innerear.run.run import Run
from innerear.scores.checks import verdicts


class Dissected(msgspec.Struct, frozen=True):
    """One program. `passed`: whether all checks that count in headlines passed; `None` if none has a verdict."""

    probe: str
    model: str
    strategy: str
    attempt: int
    passed: bool | None
    anatomy: Anatomy


def dissect(run: Run) -> list[Dissected]:
    """Every program of a run that can be read."""
    found = []
    for item in paired(run.measurements(), run.items()):
        parts = anatomy(item.program.code, item.program.language) if item.program.code is not None else None
        if parts is None:
            continue
        completion = item.completion
        judged = verdicts(item)
        passed = all(judged) if judged else None
        found.append(Dissected(item.probe.id, completion.model, completion.strategy, completion.attempt, passed, parts))
    return found
