"""Groups of items that are scored together: one model, one strategy, one tier."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from innerear.ask.strategies import seen_by
from innerear.metrics.group import Group
from innerear.records import Item


def groups_of(items: Sequence[Item]) -> Iterator[Group]:
    """The groups in the order of their first items."""
    groups: dict[tuple[str, str, str], list[Item]] = {}
    for item in items:
        groups.setdefault((item.completion.model, item.completion.strategy, item.probe.tier), []).append(item)
    for (model, strategy, tier), members in groups.items():
        probes = list({item.probe.id: item.probe for item in members}.values())
        yield Group(model, strategy, tier, members, probes, seen_by(strategy))
