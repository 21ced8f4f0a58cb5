"""Scores of diversity: is it always the same sound? Over the attempts at each probe of a group."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

import msgspec

from innerear.distance.diversity import FEWEST, diversity
from innerear.embed.batches import Embedding
from innerear.errors import UsageError
from innerear.metrics.group import Group
from innerear.records import Item, Scope, Score, Signature
from innerear.scores.realism import Levelled, levelled
from innerear.stats import Estimate


def diversity_scores(group: Group, embedded: Mapping[str, Embedding | None]) -> list[Score]:
    """The scores `vendi`, `spread`, `coverage` and `near_copies` of a group, and its `identical_programs`."""
    scores = [_identical(group)] if group.items else []
    for found, _ in levelled(group, embedded, "vendi"):
        scores += _diversity(group, found) if found else []
    return scores


def _diversity(group: Group, found: Levelled) -> list[Score]:
    asked, kind, note = len(found.items), Scope("", found.kind.name), ""
    try:
        varied = diversity(found.made, found.real)
        note = varied.reason
    except UsageError as error:
        varied, note = None, str(error)

    def how(metric: str, **facts: str) -> Signature:
        return Signature.of(metric).plus(found.how, **facts, v=2)

    if varied is None or varied.vendi is None or varied.spread is None:
        return [group.score("vendi", None, 0, asked, how("vendi"), group=kind, better="higher", note=note)]
    ci = "bootstrap-probes"
    vendi = Estimate(varied.vendi, varied.vendi_low, varied.vendi_high)
    spread = Estimate(varied.spread, varied.spread_low, varied.spread_high)
    n, missing = varied.sounds, asked - varied.sounds
    detail = {"probes": varied.groups, "each": {name: round(value, 4) for name, value in varied.each.items()}}
    copies = [list(pair) for pair in varied.copies]
    return [
        group.score(
            "vendi", vendi, n, missing, how("vendi", ci=ci), group=kind, unit="sounds", better="higher",
            floor={"copies": 1.0}, ceiling={"real": varied.vendi_real}, detail=detail,
        ),
        group.score(
            "spread", spread, n, missing, how("spread", ci=ci), group=kind, better="higher",
            floor={"copies": 0.0}, ceiling={"real": 1.0},
        ),
        group.score(
            "coverage", Estimate(varied.coverage), n, missing, how("coverage"), group=kind, unit="of recordings",
            better="higher", note="" if varied.coverage is not None else "no class has recordings of four sources",
        ),
        group.score(
            "near_copies", Estimate(varied.near_copies / n), n, missing, how("near_copies"), group=kind,
            unit="of attempts", better="lower", floor={"copies": 1.0}, detail={"copies": copies},
        ),
    ]  # fmt: skip


def _identical(group: Group) -> Score:
    """The share of programs that an earlier or later attempt at the same probe repeats to the letter."""
    by_probe: dict[str, list[Item]] = defaultdict(list)
    for item in group.items:
        if item.program.code is not None:
            by_probe[item.probe.id].append(item)
    several = {probe: items for probe, items in by_probe.items() if len(items) >= FEWEST}
    passes, named = [], {}
    for probe, items in several.items():
        counts = Counter(item.program.digest for item in items)
        passes += [(probe, counts[item.program.digest] > 1) for item in items]
        if repeated := _attempts(items, counts):
            named[probe] = repeated
    signature = Signature.of("identical_programs", v=1)
    if not several:
        return group.score(
            "identical_programs", None, 0, len(group.items), signature, unit="of attempts", better="lower",
            note=f"no probe has {FEWEST} attempts; `innerear run --attempts 5` makes five",
        )  # fmt: skip
    found = group.rate("identical_programs", passes, len(group.items) - len(passes), signature, detail={"same": named})
    return _lower(found)


def _attempts(items: Sequence[Item], counts: Counter[str]) -> list[list[int]]:
    """The attempts that share a program, one list for each program."""
    same: dict[str, list[int]] = defaultdict(list)
    for item in items:
        same[item.program.digest].append(item.completion.attempt)
    return [attempts for program, attempts in same.items() if counts[program] > 1]


def _lower(score: Score) -> Score:
    return msgspec.structs.replace(score, better="lower", unit="of attempts")
