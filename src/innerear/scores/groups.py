"""Groups of items that are scored together: one model, one strategy, one tier."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from innerear.ask.strategies import find_strategy
from innerear.records import Item, Outcome, Probe, Score


@dataclass(frozen=True)
class Group:
    """The items of one model in one tier with one strategy."""

    model: str
    strategy: str
    tier: str
    items: list[Item]
    probes: list[Probe]

    def score(self, metric: str, value: float | None, n: int, missing: int, signature: str, **more: Any) -> Score:
        """A score of this group. Its note says if the strategy was told what this metric checks."""
        if metric in find_strategy(self.strategy).shared:
            more["note"] = "; ".join(filter(None, ["seen by the strategy", more.get("note", "")]))
        return Score(metric, self.model, self.strategy, self.tier, value, n, missing, signature, **more)

    @property
    def rendered(self) -> list[Item]:
        """The items whose programs ran, however they ended; the others are infrastructure failures."""
        return [item for item in self.items if item.render.outcome != Outcome.NOT_RENDERED]


def groups_of(items: Sequence[Item]) -> Iterator[Group]:
    """The groups in the order of their first items."""
    groups: dict[tuple[str, str, str], list[Item]] = {}
    for item in items:
        groups.setdefault((item.completion.model, item.completion.strategy, item.probe.tier), []).append(item)
    for (model, strategy, tier), members in groups.items():
        yield Group(model, strategy, tier, members, list({item.probe.id: item.probe for item in members}.values()))
