"""Turn measurements and embeddings into scores: one metric over a group, with interval, n, floor and ceiling.

Model failures count in every rate. A sound that could not be rendered because of the infrastructure
counts only as missing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from innerear.compute.work import Executor
from innerear.embed.batches import Embedding
from innerear.metrics.group import Group
from innerear.metrics.registry import sound_metrics
from innerear.metrics.signal import right_length
from innerear.records import Item, Measurement, Outcome, Score, Signature
from innerear.scores.checks import check_scores
from innerear.scores.clap import clap_scores, embedder_agreement
from innerear.scores.comparisons import comparisons
from innerear.scores.distances import distance_scores
from innerear.scores.diversity import diversity_scores
from innerear.scores.ends import with_ends
from innerear.scores.groups import groups_of
from innerear.scores.identity import identity_scores
from innerear.scores.kept import Kept, key_of
from innerear.scores.ladder import ladder
from innerear.scores.realism import Floors, realism_scores

Progress = Callable[[str, int, int], None]

AUDIBLE_DBFS = -60.0  # RMS over the whole sound
VERSION = 6  # of how scores are computed from the same rows; a change makes older scores stale
FUNNEL = ("completion", "program", "ran", "audio", "audible", "right length")


def steps(item: Item) -> tuple[bool, ...]:
    """For each step of `FUNNEL`, whether an item meets it, regardless of earlier steps."""
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
    embedded: Mapping[str, Embedding | None],
    progress: Progress,
    machines: Executor | None = None,
    kept: Kept | None = None,
) -> list[Score]:
    """All scores of a run, from its items with their measurements.

    `embedded`: embeddings by the embedder's name; `None` without weights. `kept`: scores by embeddings of an earlier
    run of this function; it then has those of this run.
    """
    groups = list(groups_of(items))
    heard = {key_of(group, embedded, VERSION): group for group in groups}
    kept = {} if kept is None else kept
    for key in kept.keys() - heard.keys():
        del kept[key]
    new = {key: group for key, group in heard.items() if key not in kept}
    floors: Floors = {}
    for (key, group), distances in zip(
        new.items(), distance_scores([*new.values()], embedded, progress, machines), strict=True
    ):
        kept[key] = [
            *distances,
            *clap_scores(group, embedded),
            *realism_scores(group, embedded, floors),
            *diversity_scores(group, embedded),
        ]
    scores: list[Score] = []
    for key, group in heard.items():
        scores += _rates(group)
        scores += _measured(group)
        scores += check_scores(group)
        scores += ladder(group)
        scores += identity_scores(group)
        scores += kept[key]
    scores = with_ends(scores)
    return [*scores, *comparisons(groups), *embedder_agreement(scores)]


def _rates(group: Group) -> list[Score]:
    rendered = group.rendered
    missing = len(group.items) - len(rendered)
    met = [(item.probe.id, steps(item)) for item in rendered]
    return [
        group.rate(
            name.replace(" ", "_"), [(probe, got[index]) for probe, got in met], missing, Signature.of(name, v=1)
        )
        for index, name in enumerate(FUNNEL)
        if index > 0
    ]


def _measured(group: Group) -> list[Score]:
    found: dict[str, list[tuple[str, Measurement]]] = {}
    for item in group.rendered:
        for row in item.measurements:
            found.setdefault(row.metric, []).append((item.probe.id, row))
    return [score for metric in sound_metrics() for score in metric.combine(group, found.get(metric.name, []))]


def funnels(items: Sequence[Item]) -> list[tuple[str, str, str, list[tuple[str, int, int]]]]:
    """Per model, strategy and tier: the funnel steps as (name, count that passed this and all earlier steps, total)."""
    found = []
    for group in groups_of(items):
        met = [steps(item) for item in group.rendered]
        counts = [sum(all(got[: index + 1]) for got in met) for index in range(len(FUNNEL))]
        funnel = [(name, count, len(group.items)) for name, count in zip(FUNNEL, counts, strict=True)]
        found.append((group.model, group.strategy, group.tier, funnel))
    return found
