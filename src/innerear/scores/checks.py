"""Scores from checks: pass rates by kind, family and level, and pass@k.

A check counts in headlines if the suite says so and verification allows it (`innerear.metrics.verified`);
the others are scored and marked, but enter no sum. A missing sound fails its checks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from innerear.checks import Label, kind
from innerear.metrics.group import Group
from innerear.metrics.registry import check_metric
from innerear.metrics.verified import counts_in
from innerear.records import ALL, Item, Measurement, Outcome, Probe, Scope, Score, Signature
from innerear.scores.classes import with_classes
from innerear.stats import pass_at_k
from innerear.text import counted

PASSED, CHECKS = "passed", "checks"
FITTED_TO = "not an independent ceiling: the classifier was also fitted to notes of FluidR3"
FEW = 10  # checks; a share of fewer is too uncertain for a headline or a finding


def check_scores(group: Group) -> list[Score]:
    """All check-based scores of a group."""
    scores = [score for name in _kinds(group) for score in _of_kind(group, name)]
    scores += _sums(group, ALL, lambda probe: True)
    for family in dict.fromkeys(probe.family for probe in group.probes):
        scores += _sums(group, Scope("family", family), lambda probe, family=family: probe.family == family)  # type: ignore[misc]
    for level in sorted({probe.level for probe in group.probes}):
        scores += _sums(group, Scope("level", str(level)), lambda probe, level=level: probe.level == level)  # type: ignore[misc]
    return scores + _at_k(group)


def _kinds(group: Group) -> list[str]:
    return list(dict.fromkeys(kind(check) for probe in group.probes for check in probe.expect))


def _of_kind(group: Group, name: str) -> Iterator[Score]:
    """The pass rate of one kind over the checks that the suite takes into headlines, and the median of its value."""
    asked = sum(kind(check) == name and check.headline for item in group.items for check in item.probe.expect)
    if not asked:
        return
    metric = check_metric(name)
    rows: list[tuple[str, Measurement]] = []
    labels: list[tuple[str, Label, Measurement]] = []
    out: dict[str, str] = {}
    counted = 0
    for item in group.rendered:
        for check, row in item.checked:
            if kind(check) == name and check.headline and row.passed is not None:
                rows.append((item.probe.id, row))
                labels += [(item.probe.id, check, row)] if isinstance(check, Label) else []
                counts, why = counts_in(item.probe, check, row.detail)
                counted += counts
                out |= {} if counts else {why: why}
    passes = [(probe, bool(row.passed)) for probe, row in rows]
    note = "" if counted == len(rows) else f"{len(rows) - counted} of {len(rows)} not counted: {_few(list(out))}"
    if name == "instrument" and group.model == "baseline/sampler":
        note = "; ".join(filter(None, [note, FITTED_TO]))
    found = group.rate(name, passes, asked - len(passes), metric.signature(), note=note)
    if labels:
        yield from with_classes(group, found, labels, asked)
    else:
        yield found
    yield group.median(metric, rows, asked, f"{name}_{metric.value_is}")


def _few(reasons: Sequence[str], most: int = 3) -> str:
    """The first reasons, and the number of further ones."""
    more = f"; and {len(reasons) - most} more reasons (`innerear checks list`)" if len(reasons) > most else ""
    return "; ".join(reasons[:most]) + more


def verdicts(item: Item) -> list[bool]:
    """The verdict of each headline check; checks without a verdict are left out."""
    return [
        bool(row.passed)
        for check, row in item.checked
        if row.passed is not None and counts_in(item.probe, check, row.detail)[0]
    ]


def all_passed(group: Group) -> dict[str, float]:
    """By probe, the share of sounds that pass all headline checks; probes without a verdict are left out."""
    by_probe: dict[str, list[bool]] = {}
    for item in group.rendered:
        if passed := verdicts(item):
            by_probe.setdefault(item.probe.id, []).append(all(passed))
    return {probe: float(np.mean(passed)) for probe, passed in by_probe.items()}


def _sums(group: Group, scope: Scope, wanted: Callable[[Probe], bool]) -> list[Score]:
    items = [item for item in group.rendered if wanted(item.probe)]
    asked = [item for item in group.items if wanted(item.probe)]
    if not any(counts_in(item.probe, check)[0] for item in asked for check in item.probe.expect):
        return []
    results = [(item.probe.id, verdicts(item)) for item in items]
    whole = [(probe, all(passed)) for probe, passed in results if passed]
    single = [(probe, one) for probe, passed in results for one in passed]
    how = Signature.of(checks="counted", v=1)
    lacking = not_run(asked)
    more: dict[str, Any] = {"group": scope, "note": _coverage(len(single), lacking, scope)}
    return [
        group.rate(PASSED, whole, len(asked) - len(whole), Signature.of(PASSED).plus(how), **more),
        group.rate(CHECKS, single, lacking.total(), Signature.of(CHECKS).plus(how), **more),
    ]


def not_run(items: Sequence[Item]) -> Counter[str]:
    """The number of headline checks without a verdict, by reason."""
    found: Counter[str] = Counter()
    for item in items:
        counting = [check for check in item.probe.expect if counts_in(item.probe, check)[0]]
        if item.render.outcome == Outcome.NOT_RENDERED:
            found["not rendered"] += len(counting)
            continue
        counted = [row for check, row in item.checked if counts_in(item.probe, check)[0]]
        found["not measured yet"] += len(counting) - len(counted)
        for row in counted:
            if row.passed is None:
                found[row.cause] += 1
    return +found


def _coverage(n: int, lacking: Counter[str], scope: Scope) -> str:
    """The note of a rate over checks: how many were not run and why, and whether there are too few."""
    notes = []
    if lacking:
        missing, whys = lacking.total(), [why for why, _ in lacking.most_common()]
        notes.append(f"{n} of {n + missing} checks run; {missing} not run: {_few(whys)}")
    if scope == ALL and 0 < n < FEW:
        notes.append(f"{counted(n, 'check')}, too few for a headline")
    return "; ".join(notes)


def _at_k(group: Group) -> list[Score]:
    """pass@k, averaged over probes, for each k up to the number of attempts; empty for a single attempt."""
    by_probe: dict[str, list[bool]] = {}
    for item in group.rendered:
        if passed := verdicts(item):
            by_probe.setdefault(item.probe.id, []).append(all(passed))
    attempts = max((len(passed) for passed in by_probe.values()), default=0)
    scores = []
    for k in range(1, attempts + 1 if attempts > 1 else 1):
        chances = {probe: pass_at_k(len(passed), sum(passed), k) for probe, passed in by_probe.items()}
        scores.append(
            group.average(
                f"pass@{k}", list(chances.items()), len(group.probes),
                Signature.of(f"pass@{k}", "unbiased", checks="counted", v=1),
                share=True, unit="share", better="higher",
            )
        )  # fmt: skip
    return scores
