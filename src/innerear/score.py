"""Measurements and embeddings to scores: each a metric over a group, with interval, n, floor, ceiling.

What a model got wrong counts in every rate. A sound that could not be rendered for our own fault
counts as missing, nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from innerear import metrics
from innerear.checks import kind
from innerear.distances import Embedding, distance_scores
from innerear.groups import Group, groups_of
from innerear.metrics.agreement import clap_scores, embedder_agreement
from innerear.metrics.signal import right_length
from innerear.records import Measurement, Outcome, Score
from innerear.run import Item
from innerear.stats import bootstrap, wilson

Progress = Callable[[str, int, int], None]
Better = Literal["higher", "lower", "neither"]

AUDIBLE_DBFS = -60.0  # RMS over the whole sound
SEED = 0
FUNNEL = ("completion", "program", "ran", "audio", "audible", "right length")


def steps(item: Item) -> tuple[bool, ...]:
    """For each step of `FUNNEL` whether an item meets it, whatever became of the steps before."""
    render = item.render
    level = render.levels.rms_dbfs if render.levels else None
    return (
        True,
        item.program.code is not None or item.program.recording is not None,
        render.outcome in {Outcome.OK, Outcome.NO_AUDIO, Outcome.BAD_AUDIO},
        render.outcome == Outcome.OK,
        level is not None and level >= AUDIBLE_DBFS,
        render.duration_s is not None and right_length(render.duration_s, item.probe.duration_s),
    )


def score(
    items: Sequence[Item],
    rows: Mapping[str, Measurement],
    embedded: Mapping[str, Embedding | None],
    progress: Progress,
) -> list[Score]:
    """All scores of a run. `embedded`: by the embedder's name, what it heard; `None` without weights."""
    groups = list(groups_of(items))
    by_subject: dict[str, list[Measurement]] = {}
    for row in rows.values():
        by_subject.setdefault(row.subject, []).append(row)
    scores: list[Score] = []
    for group, distances in zip(groups, distance_scores(groups, embedded, progress), strict=True):
        scores += _rates(group)
        scores += _measured(group, by_subject)
        scores += distances
        scores += clap_scores(group, embedded)
    return [*scores, *embedder_agreement(scores)]


def _rate(
    group: Group, metric: str, passes: Sequence[tuple[str, bool]], missing: int, signature: str, **more: Any
) -> Score:
    """A rate over (probe, passed): Wilson's interval, or a bootstrap over probes where they repeat."""
    n = len(passes)
    count = sum(passed for _, passed in passes)
    repeated = len({probe for probe, _ in passes}) < n
    if repeated:
        reach = bootstrap([float(p) for _, p in passes], [probe for probe, _ in passes], np.mean, SEED)
    else:
        reach = wilson(count, n)
    low, high = reach or (None, None)
    how = f"{signature}|ci:{'bootstrap-probes' if repeated else 'wilson'}"
    return group.score(
        metric, count / n if n else None, n, missing, how, low=low, high=high, unit="share", better="higher", **more
    )


def _median_size(values: NDArray[np.float64], axis: int = 0) -> Any:
    return np.median(np.abs(values), axis=axis)


def _rates(group: Group) -> list[Score]:
    rendered = group.rendered
    missing = len(group.items) - len(rendered)
    met = [(item.probe.id, steps(item)) for item in rendered]
    return [
        _rate(group, name.replace(" ", "_"), [(probe, got[place]) for probe, got in met], missing, f"{name}|v:1")
        for place, name in enumerate(FUNNEL)
        if place > 0
    ]


def _measured(group: Group, by_subject: Mapping[str, list[Measurement]]) -> list[Score]:
    found: dict[str, list[tuple[str, Measurement]]] = {}
    for item in group.rendered:
        for row in by_subject.get(item.completion.key, []):
            found.setdefault(row.metric, []).append((item.probe.id, row))
    every = len(group.items)
    scores = [
        _middle(group, found.get("duration_error", []), "duration_error", "s", "lower", _median_size, every),
        _middle(group, found.get("loudness", []), "loudness", "LUFS", "neither", np.median, every),
    ]
    kinds = dict.fromkeys(kind(check) for probe in group.probes for check in probe.expect if check.headline)
    for name in kinds:
        asked = sum(kind(c) == name and c.headline for item in group.items for c in item.probe.expect)
        if name not in metrics.CHECK_METRICS:
            scores.append(group.score(name, None, 0, asked, f"{name}|v:0", unit="share", note=metrics.NOT_BUILT))
            continue
        metric = metrics.find_metric(metrics.CHECK_METRICS[name])
        judged = [(probe, row) for probe, row in found.get(name, []) if row.passed is not None]
        passes = [(probe, bool(row.passed)) for probe, row in judged]
        scores.append(_rate(group, name, passes, asked - len(passes), metrics.signature(metric)))
        scores.append(_middle(group, judged, f"{name}_error", metric.unit, "lower", _median_size, asked))
    return scores


def _middle(
    group: Group,
    rows: Sequence[tuple[str, Measurement]],
    metric: str,
    unit: str,
    better: Better,
    statistic: Callable[..., Any],
    asked: int,
) -> Score:
    """The median (of the size) of a metric over the sounds that have a value, bootstrap over probes."""
    valued = [(probe, row.value) for probe, row in rows if row.value is not None]
    values = [value for _, value in valued]
    reach = bootstrap(values, [probe for probe, _ in valued], statistic, SEED) or (None, None)
    return group.score(
        metric, float(statistic(np.array(values))) if values else None, len(values), asked - len(values),
        f"{metric}|v:1|median|ci:bootstrap-probes", low=reach[0], high=reach[1], unit=unit, better=better,
    )  # fmt: skip


def funnels(items: Sequence[Item]) -> list[tuple[str, str, str, list[tuple[str, int, int]]]]:
    """For each model, strategy and tier: the steps as (name, how many got there, of how many)."""
    found = []
    for group in groups_of(items):
        met = [steps(item) for item in group.rendered]
        counts = [sum(all(got[: place + 1]) for got in met) for place in range(len(FUNNEL))]
        funnel = [(name, count, len(group.items)) for name, count in zip(FUNNEL, counts, strict=True)]
        found.append((group.model, group.strategy, group.tier, funnel))
    return found
