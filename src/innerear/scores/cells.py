"""The cells and rows of a scorecard, see `scorecard`."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from innerear.records import TIERS, Better
from innerear.scores.checks import FEW
from innerear.text import counted

QUESTIONS = {
    "runs": "Does the program run?",
    "right": "Is it what was asked?",
    "real": "Could it be a recording?",
    "varied": "Do several answers differ?",
}


class Cell(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One score as the answer to one question, with what it is to be compared with.

    `value` is `None` if it was not measured; `note` then says why and what to do. `kind` is the kind of sounds that the
    value is about, empty for the whole tier; `of` is what `n` counts. `fewer` is how many more another system of the
    table has. `visible` is the smallest difference between two systems that would have been
    seen (5 %, power 80 %): paired by probe if the run has two models, else of two independent systems with this
    interval.
    """

    question: str
    tier: str
    metric: str
    measure: str
    kind: str = ""
    value: float | None = None
    unit: str = "share"
    better: Better = "higher"
    low: float | None = None
    high: float | None = None
    n: int = 0
    of: str = "sounds"
    missing: int = 0
    fewer: int = 0
    floor: float | None = None
    floor_by: str = ""
    ceiling: float | None = None
    ceiling_by: str = ""
    visible: float | None = None
    paired: bool = False
    note: str = ""
    signature: str = ""
    also: list[Cell] = []

    @property
    def few(self) -> bool:
        """Whether n is too small to read the value as more than a count."""
        return self.value is not None and self.n < FEW

    @property
    def not_run(self) -> int:
        """Checks that did not run here, or what another system of the table has more of, if that is more."""
        return max(self.fewer, self.missing if self.metric == "checks" else 0)

    @property
    def lacks(self) -> str:
        """`not_run` in words; empty if it is 0."""
        how = "not run" if self.metric == "checks" else "fewer"
        return f"{counted(self.not_run, self.of.removesuffix('s'))} {how}" if self.not_run else ""

    def place(self, value: float | None) -> float | None:
        """Where a value is between floor (0) and ceiling (1), cut off at both; `None` without both."""
        if value is None or self.floor is None or self.ceiling is None or self.floor == self.ceiling:
            return None
        return min(1.0, max(0.0, (value - self.floor) / (self.ceiling - self.floor)))


class Row(msgspec.Struct, frozen=True):
    """The cells of one model and strategy. `end`: the floor or ceiling that it is, if it is one. `said`: in words."""

    model: str
    strategy: str
    end: str | None
    cells: list[Cell]
    said: str

    def cell(self, question: str, tier: str) -> Cell | None:
        """The answer to a question in a tier, if the run has the tier."""
        return next((cell for cell in self.cells if (cell.question, cell.tier) == (question, tier)), None)


def tiers_of(rows: Sequence[Row]) -> list[str]:
    """The tiers that rows have cells of."""
    return [tier for tier in TIERS if any(cell.tier == tier for row in rows for cell in row.cells)]
