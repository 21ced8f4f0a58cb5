"""Measurements and embeddings to scores: each a metric over a group, with interval, n, floor, ceiling.

What a model got wrong counts in every rate. A sound that could not be rendered for our own fault
counts as missing, nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from innerear import metrics
from innerear.checks import kind
from innerear.metrics.frechet import fad_interval, frechet_distance
from innerear.metrics.kernel import KernelReference, kad, kad_interval
from innerear.metrics.moments import Gaussian
from innerear.metrics.signal import right_length
from innerear.records import Measurement, Outcome, Probe, Score, digest
from innerear.reference import KINDS, Kind, Reference, find_reference
from innerear.run import Item
from innerear.stats import bootstrap, wilson

Frames = NDArray[np.float32]
Embedded = dict[str, Frames]
"""Frames by the digest of their audio, or by the name of an anchor."""

Progress = Callable[[str, int, int], None]
Better = Literal["higher", "lower", "neither"]

AUDIBLE_DBFS = -60.0  # RMS over the whole sound
DRAWS = 10  # of held-back clips, for a ceiling
SEED = 0
FEWEST_CLIPS = 4  # below which a distance says nothing at all
FUNNEL = ("completion", "program", "ran", "audio", "audible", "right length")


def passed_steps(item: Item) -> int:
    """How many steps of the funnel an item got through, in the order of `FUNNEL`."""
    render = item.render
    level = render.levels.rms_dbfs if render.levels else None
    steps = (
        True,
        item.program.code is not None or item.program.recording is not None,
        render.outcome in {Outcome.OK, Outcome.NO_AUDIO, Outcome.BAD_AUDIO},
        render.outcome == Outcome.OK,
        level is not None and level >= AUDIBLE_DBFS,
        render.duration_s is not None and right_length(render.duration_s, item.probe.duration_s),
    )
    return steps.index(False) if False in steps else len(steps)


def score(
    items: Sequence[Item],
    rows: Mapping[str, Measurement],
    embedded: Mapping[str, tuple[str, Embedded]],
    attempts: int,
    progress: Progress,
) -> list[Score]:
    """All scores of a run. `embedded`: by the embedder's signature, its name and frames."""
    groups = list(_groups(items))
    by_subject: dict[str, list[Measurement]] = {}
    for row in rows.values():
        by_subject.setdefault(row.subject, []).append(row)
    scores: list[Score] = []
    for number, group in enumerate(groups):
        progress("scores", number, len(groups))
        scores += _rates(group, attempts)
        scores += _measured(group, by_subject, attempts)
        for name, frames in embedded.values():
            scores += _distances(group, name, frames)
        scores.append(
            group.score("clap", None, 0, len(group.items), "clap|v:0", note="no weights: CLAP is not built yet")
        )
    progress("scores", len(groups), len(groups))
    return scores


@dataclass(frozen=True)
class _Group:
    """What one model made of one tier with one strategy."""

    model: str
    strategy: str
    tier: str
    items: list[Item]
    probes: list[Probe]

    def score(self, metric: str, value: float | None, n: int, missing: int, signature: str, **more: Any) -> Score:
        return Score(metric, self.model, self.strategy, self.tier, value, n, missing, signature, **more)

    @property
    def rendered(self) -> list[Item]:
        return [item for item in self.items if item.render.outcome != Outcome.NOT_RENDERED]


def _groups(items: Sequence[Item]) -> Iterator[_Group]:
    groups: dict[tuple[str, str, str], list[Item]] = {}
    for item in items:
        groups.setdefault((item.completion.model, item.completion.strategy, item.probe.tier), []).append(item)
    for (model, strategy, tier), members in groups.items():
        yield _Group(model, strategy, tier, members, list({item.probe.id: item.probe for item in members}.values()))


def _rate(
    group: _Group, metric: str, passes: Sequence[tuple[str, bool]], missing: int, signature: str, **more: Any
) -> Score:
    """A rate over (probe, passed): Wilson's interval, or a bootstrap over probes where they repeat."""
    n = len(passes)
    count = sum(passed for _, passed in passes)
    repeated = len({probe for probe, _ in passes}) < n
    if repeated:
        reach = bootstrap([float(p) for _, p in passes], [probe for probe, _ in passes], _mean, SEED)
    else:
        reach = wilson(count, n)
    low, high = reach or (None, None)
    how = f"{signature}|ci:{'bootstrap-probes' if repeated else 'wilson'}"
    return group.score(
        metric, count / n if n else None, n, missing, how, low=low, high=high, unit="share", better="higher", **more
    )


def _mean(values: NDArray[np.float64]) -> float:
    return float(values.mean())


def _median_size(values: NDArray[np.float64]) -> float:
    return float(np.median(np.abs(values)))


def _median(values: NDArray[np.float64]) -> float:
    return float(np.median(values))


def _rates(group: _Group, attempts: int) -> list[Score]:
    rendered = group.rendered
    missing = len(group.items) - len(rendered)
    steps = [(item.probe.id, passed_steps(item)) for item in rendered]
    return [
        _rate(group, name.replace(" ", "_"), [(probe, got > place) for probe, got in steps], missing, f"{name}|v:1")
        for place, name in enumerate(FUNNEL)
        if place > 0
    ]


def _measured(group: _Group, by_subject: Mapping[str, list[Measurement]], attempts: int) -> list[Score]:
    found: dict[str, list[tuple[str, Measurement]]] = {}
    for item in group.rendered:
        for row in by_subject.get(item.completion.key, []):
            found.setdefault(row.metric, []).append((item.probe.id, row))
    every = len(group.items)
    scores = [
        _middle(group, found.get("duration_error", []), "duration_error", "s", "lower", _median_size, every),
        _middle(group, found.get("loudness", []), "loudness", "LUFS", "neither", _median, every),
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
    group: _Group,
    rows: Sequence[tuple[str, Measurement]],
    metric: str,
    unit: str,
    better: Better,
    statistic: Callable[[NDArray[np.float64]], float],
    asked: int,
) -> Score:
    """The median (of the size) of a metric over the sounds that have a value, bootstrap over probes."""
    valued = [(probe, row.value) for probe, row in rows if row.value is not None]
    values = [value for _, value in valued]
    reach = bootstrap(values, [probe for probe, _ in valued], statistic, SEED) or (None, None)
    return group.score(
        metric, statistic(np.array(values)) if values else None, len(values), asked - len(values),
        f"{metric}|v:1|median|ci:bootstrap-probes", low=reach[0], high=reach[1], unit=unit, better=better,
    )  # fmt: skip


def _distances(group: _Group, embedder: str, frames: Embedded) -> list[Score]:
    scores = []
    for sort in KINDS:
        items = [item for item in group.items if sort.holds(item.probe)]
        if not items:
            continue
        reference = find_reference(sort.name, embedder)
        made = [(item.probe, frames[item.render.audio]) for item in items if item.render.audio in frames]
        if reference is None:
            note = f"no reference {sort.name!r} for {embedder}"
            scores += [
                group.score(name, None, 0, len(items), f"{name}|emb:{embedder}", group=sort.name, note=note)
                for name in ("fad", "kad")
            ]
            continue
        scores += _against(group, sort, reference, made, len(items) - len(made), frames)
    return scores


_held: dict[tuple[str, str], tuple[Gaussian, KernelReference]] = {}
_ends: dict[str, float] = {}


def _prepared(reference: Reference) -> tuple[Gaussian, KernelReference]:
    """The reference as FAD and as KAD see it; costly, so made once."""
    key = (reference.kind, reference.digest)
    if key not in _held:
        _held[key] = Gaussian.of(np.concatenate(reference.kept)), KernelReference.of(reference.kept)
    return _held[key]


def _against(
    group: _Group,
    sort: Kind,
    reference: Reference,
    made: Sequence[tuple[Probe, Frames]],
    missing: int,
    frames: Embedded,
) -> list[Score]:
    gaussian, kernel = _prepared(reference)
    clips = [clip for _, clip in made]
    n_frames = sum(len(clip) for clip in clips)
    lengths = [len(clip) for clip in clips]
    anchors = {
        name: [frames[f"{name}/{probe.id}"] for probe, _ in made if f"{name}/{probe.id}" in frames]
        for name in ("noise", "silence")
    }
    distances: dict[str, Callable[[list[Frames]], float]] = {
        "fad": lambda some: frechet_distance(gaussian, np.concatenate(some)),
        "kad": lambda some: kad(kernel, some),
    }
    scores = []
    for name, distance in distances.items():
        how = (
            f"{name}|emb:{reference.signature}|ref:{sort.name}@{reference.digest}|n:{len(clips)}clips,{n_frames}frames"
            "|ci:jackknife20-clips|v:1"
        )
        detail = {
            "frames": n_frames, "dims": gaussian.dims, "rank": int(gaussian.rank),
            "reference_clips": len(reference.kept), "reference_frames": gaussian.n,
        }  # fmt: skip
        more: dict[str, Any] = {"group": sort.name, "better": "lower", "detail": detail}
        if len(clips) < FEWEST_CLIPS:
            few = f"{len(clips)} clips are too few for a distance; wanted {FEWEST_CLIPS}"
            scores.append(group.score(name, None, len(clips), missing, how, note=few, **more))
            continue
        reach = fad_interval(gaussian, clips, SEED) if name == "fad" else kad_interval(kernel, clips, SEED)
        low, high = reach or (None, None)
        floor = {anchor: _once(distance, some, how) for anchor, some in anchors.items() if len(some) == len(clips)}
        ceiling, n_real = _real(distance, reference, lengths, how)
        detail["ceiling_clips"] = n_real
        more |= {"low": low, "high": high, "floor": floor, "ceiling": {"real": ceiling}}
        note = _small(name, n_frames, gaussian.dims, n_real, len(clips))
        scores.append(group.score(name, distance(clips), len(clips), missing, how, note=note, **more))
    return scores


def _small(name: str, n_frames: int, dims: int, n_real: int, n: int) -> str:
    notes = []
    if name == "fad" and n_frames < dims:
        notes.append(f"small n: {n_frames} frames for {dims} dimensions, so FAD is biased upward; compare equal n only")
    if n_real < n:
        notes.append(f"the ceiling has {n_real} clips, all that are held back")
    return "; ".join(notes)


def _once(distance: Callable[[list[Frames]], float], clips: list[Frames], how: str) -> float:
    """The distance of anchors, which are the same for every model with the same sounds missing."""
    key = digest(how, [hash(clip.tobytes()) for clip in clips])
    if key not in _ends:
        _ends[key] = distance(clips)
    return _ends[key]


def _real(
    distance: Callable[[list[Frames]], float], reference: Reference, lengths: Sequence[int], how: str
) -> tuple[float | None, int]:
    """Real against real: held-back clips, as many and as long as the set's, the mean of ten draws."""
    held = reference.held_back
    n = min(len(lengths), len(held))
    if n < FEWEST_CLIPS:
        return None, n
    key = digest(how, "real", list(lengths))
    if key not in _ends:
        rng = np.random.default_rng(SEED)
        draws = []
        for _ in range(DRAWS):
            chosen = rng.permutation(len(held))[:n]
            cut = rng.permutation(np.array(lengths))[:n]
            draws.append(distance([held[i][:length] for i, length in zip(chosen, cut, strict=True)]))
        _ends[key] = float(np.mean(draws))
    return _ends[key], n


def funnels(items: Sequence[Item]) -> list[tuple[str, str, str, list[tuple[str, int, int]]]]:
    """For each model, strategy and tier: the steps as (name, how many got there, of how many)."""
    found = []
    for group in _groups(items):
        got = [passed_steps(item) for item in group.rendered]
        steps = [(name, sum(n > place for n in got), len(group.items)) for place, name in enumerate(FUNNEL)]
        found.append((group.model, group.strategy, group.tier, steps))
    return found
