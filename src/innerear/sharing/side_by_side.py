"""Set scores (FAD, KAD, rates) of entrants side by side; those that are not comparable are marked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from innerear.records import Scope, Score
from innerear.sharing.entrants import Entrant
from innerear.sharing.tables import bare


class Cell(msgspec.Struct, frozen=True):
    """A score of one entrant; empty if it has none. `mark` says why it is not comparable."""

    value: float | None = None
    low: float | None = None
    high: float | None = None
    n: int = 0
    missing: int = 0
    floor: dict[str, float | None] = {}
    ceiling: dict[str, float | None] = {}
    signature: str = ""
    mark: str = ""


class Line(msgspec.Struct, frozen=True):
    """One set metric, with one cell per entrant."""

    tier: str
    group: Scope
    metric: str
    embedder: str
    unit: str
    better: str
    cells: list[Cell]


def side_by_side(entrants: Sequence[Entrant], touched: Mapping[str, str]) -> Iterator[Line]:
    """One line per score, with the entrants side by side; cells that were computed differently are marked."""
    known: dict[tuple[str, Scope, str, str], dict[int, Score]] = {}
    for index, entrant in enumerate(entrants):
        for score in entrant.scores:
            if score.metric not in ("checks_difference", "identity_difference", "tier_trend", "agreement"):
                key = (score.tier, score.group, score.metric, score.embedder)
                known.setdefault(key, {}).setdefault(index, score)
    for (tier, group, metric, by), scores in known.items():
        ways = {bare(score.signature) for score in scores.values() if score.value is not None}
        some = next(iter(scores.values()))
        why = "computed differently; see the signature" if len(ways) > 1 else touched.get(tier, "")
        cells = [_cell(scores.get(index), why) for index in range(len(entrants))]
        yield Line(tier, group, metric, by, some.unit, some.better, cells)


def _cell(score: Score | None, why: str) -> Cell:
    if score is None:
        return Cell()
    mark = why if score.value is not None else score.note
    return Cell(
        score.value, score.low, score.high, score.n, score.missing, score.floor, score.ceiling, score.signature, mark
    )
