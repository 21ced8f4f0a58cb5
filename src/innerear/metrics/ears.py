"""The ears of a run: by which ears its silent and missing sounds are judged.

Checks of identity are verified for two ears and for each ear alone, and the measurement says which ears heard a
sound. Silence and missing sounds fail without being heard. They count where sounds that were heard would count;
otherwise the number of checks of a model would depend on how many of its programs fail.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import msgspec

from innerear.checks import kind
from innerear.records import Item, Measurement


def with_ears(items: Iterable[Item]) -> list[Item]:
    """The items; rows of silent and missing sounds get the ears that heard most sounds of their kind of check."""
    items = list(items)
    most = ears_of(items)
    return [
        msgspec.structs.replace(item, measurements=[_with(row, item, most) for row in item.measurements])
        for item in items
    ]


def ears_of(items: Iterable[Item]) -> dict[str, str]:
    """By kind of check, the ears that heard most sounds; kinds that nothing heard are left out."""
    heard: dict[str, Counter[str]] = {}
    for item in items:
        for check, row in item.checked:
            if ears := row.detail.get("ears"):
                heard.setdefault(kind(check), Counter())[ears] += 1
    return {name: counts.most_common(1)[0][0] for name, counts in heard.items()}


def _with(row: Measurement, item: Item, most: dict[str, str]) -> Measurement:
    if row.check is None or row.passed is None or "ears" in row.detail:
        return row
    ears = most.get(kind(item.probe.expect[row.check]))
    return row if ears is None else msgspec.structs.replace(row, detail={**row.detail, "ears": ears})
