"""The ladder of the speech tier: from vowels to sentences, how often is what was said heard?

A rung is a family of speech probes; it is climbed by its check `vowel` or `transcript`, whether or
not that counts in headlines, so that a rung which no check can be believed on is seen as well.
"""

from __future__ import annotations

from collections.abc import Sequence

from innerear.checks import kind
from innerear.records import Measurement, Outcome, Probe, Score
from innerear.report.data import Item
from innerear.stats import wilson

CLIMBED_BY = ("vowel", "transcript")
REAL = "real"  # the model whose rate is the ceiling


def ladder(items: Sequence[Item], probes: Sequence[Probe]) -> list[Score]:
    """For each entrant and rung the share heard as asked, with Wilson's interval, chance, and the ceiling."""
    asked = {probe.id: probe for probe in probes if probe.tier == "speech"}
    rows: dict[tuple[str, str, str], list[Measurement]] = {}
    wanted: dict[tuple[str, str, str], int] = {}
    for item in items:
        probe = asked.get(item.completion.probe)
        name = next((kind(c) for c in probe.expect if kind(c) in CLIMBED_BY), None) if probe else None
        if probe is None or name is None or item.render.outcome == Outcome.NOT_RENDERED:
            continue
        place = (item.completion.model, item.completion.strategy, probe.family)
        wanted[place] = wanted.get(place, 0) + 1
        rows.setdefault(place, []).extend(m for m in item.measurements if m.metric == name and m.passed is not None)
    rates = {place: sum(bool(m.passed) for m in own) / len(own) for place, own in rows.items() if own}
    scores = []
    for place, value in rates.items():
        model, strategy, family = place
        own = rows[place]
        low, high = wilson(sum(bool(m.passed) for m in own), len(own)) or (None, None)
        chances = [chance for m in own if (chance := _chance(m)) is not None]
        ceiling = rates.get((REAL, strategy, family))
        scores.append(
            Score(
                "ladder", model, strategy, "speech", value, len(own), wanted[place] - len(own),
                "ladder|of:vowel,transcript|ci:wilson|v:1", group=f"rung:{family}", unit="share", better="higher",
                low=low, high=high, floor={"chance": sum(chances) / len(chances)} if chances else {},
                ceiling={} if ceiling is None or model == REAL else {REAL: ceiling},
            )
        )  # fmt: skip
    return scores


def _chance(row: Measurement) -> float | None:
    """Of one row, the rate of a blind guess."""
    chance, among = row.detail.get("chance"), row.detail.get("among")
    if isinstance(chance, float):
        return chance
    return 1 / len(among) if isinstance(among, list) and among else None
