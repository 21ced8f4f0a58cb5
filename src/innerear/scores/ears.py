"""The ears of a run: by which ears its silent and missing sounds are judged.

Checks of identity are verified for two ears and for each ear alone, and the measurement says which ears heard a
sound. Silence and missing sounds fail without being heard. They count where sounds that were heard would count;
otherwise the number of checks of a model would depend on how many of its programs fail.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import msgspec

from innerear.checks import Check, kind
from innerear.records import Measurement

Rows = Sequence[tuple[Check, Measurement]]


def with_ears(judged: Mapping[str, Rows]) -> dict[str, list[tuple[Check, Measurement]]]:
    """The rows by completion key; silent and missing sounds get the ears that heard most sounds of their kind."""
    heard: dict[str, Counter[str]] = {}
    for rows in judged.values():
        for check, row in rows:
            if ears := row.detail.get("ears"):
                heard.setdefault(kind(check), Counter())[ears] += 1
    most = {name: counts.most_common(1)[0][0] for name, counts in heard.items()}
    return {key: [(check, _with(row, most.get(kind(check)))) for check, row in rows] for key, rows in judged.items()}


def _with(row: Measurement, ears: str | None) -> Measurement:
    if ears is None or "ears" in row.detail or row.passed is None:
        return row
    return msgspec.structs.replace(row, detail={**row.detail, "ears": ears})
