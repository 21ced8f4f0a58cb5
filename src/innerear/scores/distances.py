"""FAD and KAD of groups from the references of their kinds, with interval, floors and ceiling.

Floors and ceiling match the scored set: noise and silence as long as each of its sounds, and the
same number of held-back recordings, cut to the same numbers of frames.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache, partial, reduce
from itertools import chain
from operator import add
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from innerear.compute.threads import one_blas_thread
from innerear.compute.work import Executor, Job, Local
from innerear.distance.collapse import collapse
from innerear.distance.frechet import fad_interval, frechet_distance
from innerear.distance.intervals import assign
from innerear.distance.kernel import KernelReference, KernelSums, kad
from innerear.distance.moments import Gaussian, moments_of
from innerear.embed import LEVELLED, TELLTALES
from innerear.embed.batches import Embedded, Embedding
from innerear.errors import InnerEarError, UsageError
from innerear.metrics.group import Group
from innerear.records import Probe, Scope, Score, Signature, digest
from innerear.reference.sets import KINDS, Kind, Reference, find_reference
from innerear.run.progress import Progress, Tally
from innerear.stats import Estimate, Reach, grouped, holding

Frames = NDArray[np.float32]

DRAWS = 5  # of held-back clips, for a ceiling
SEED = 0
FEWEST_CLIPS = 4  # least number of clips for a distance
PART_FRAMES = 10_000  # KAD of sets with more frames is computed in parts
PARTS = 20
METRICS = ("fad", "kad")
ANCHORS = ("noise", "silence")


@dataclass(frozen=True)
class Answer:
    """A distance and its interval, and the rank of the reference's covariance."""

    estimate: Estimate
    rank: int = 0


def distance_scores(
    groups: Sequence[Group],
    embedded: Mapping[str, Embedding | None],
    progress: Progress,
    machines: Executor | None = None,
) -> Iterator[list[Score]]:
    """The distances of each group, in order. `embedded`: embeddings by the embedder's name; `None` without weights."""
    sets = [
        [
            _set_of(group, kind, name, embedding)
            for name, embedding in embedded.items()
            if name not in (*LEVELLED, TELLTALES)
            for kind in KINDS
        ]
        for group in groups
    ]
    asks = {ask.key: ask for found in chain(*sets) if isinstance(found, _Set) for ask in found.asks.values()}
    todo = [part for ask in asks.values() for part in ask.parts()]
    answers: dict[str, Answer] = {}
    sums: defaultdict[str, dict[int, KernelSums]] = defaultdict(dict)
    tally = Tally(progress, "distances", 0, len(todo))

    def keep(ask: _Ask, result: Answer | KernelSums) -> None:
        if isinstance(result, Answer):
            answers[ask.key] = result
        else:
            sums[ask.key][ask.start] = result
        tally.add()

    lost = (machines or Local()).map(Job(_answering), todo, keep)
    if lost:
        raise InnerEarError(f"a distance could not be computed: {lost[0].why}")
    for key, parts in sums.items():
        whole = reduce(add, (parts[start] for start in sorted(parts)))
        answers[key] = Answer(_estimate(whole.kad(), whole.interval()))
    for of_group in sets:
        yield [score for found in of_group for score in (found.scores(answers) if isinstance(found, _Set) else found)]


@dataclass(frozen=True, eq=False)
class _Ask:
    """A distance to compute: of clips, or (`clips=None`) of held-back recordings of these lengths.

    A part of a large KAD is about pairs of the clips from `start` on with the first `first` of them.
    """

    key: str
    kind: str
    embedder: str
    reference: str  # its digest
    metric: str
    clips: Sequence[Frames] | None
    lengths: Sequence[int]  # frames of each clip
    interval: bool = False
    start: int = 0
    first: int | None = None

    def parts(self) -> list[_Ask]:
        """The ask itself, or the parts of a large KAD, whose sums add up."""
        if self.clips is None or self.metric == "fad" or sum(self.lengths) <= PART_FRAMES:
            return [self]
        rows = [rows for rows in np.array_split(np.arange(len(self.clips)), PARTS) if len(rows)]
        return [replace(self, clips=self.clips[r[0] :], start=int(r[0]), first=len(r)) for r in rows]


@contextmanager
def _answering() -> Iterator[Callable[[_Ask], Answer | KernelSums]]:
    """Yield a function that computes a distance, or the kernel sums of a part."""
    locks: defaultdict[tuple[str, str], Lock] = defaultdict(Lock)

    @cache
    def prepared(reference: Reference, metric: str) -> Gaussian | KernelReference:
        return Gaussian.of(np.concatenate(reference.kept)) if metric == "fad" else KernelReference.of(reference.kept)

    def answer(ask: _Ask) -> Answer | KernelSums:
        reference = find_reference(ask.kind, ask.embedder)
        if reference is None or reference.digest != ask.reference:
            raise UsageError(
                f"the reference {ask.kind!r} for {ask.embedder} does not match this run's, {ask.reference}"
            )
        with locks[reference.digest, ask.metric]:  # the first thread prepares it, the others wait
            ready = prepared(reference, ask.metric)
        if ask.clips is None:
            return Answer(_estimate(_real(ready, reference, ask.lengths)))
        if isinstance(ready, KernelReference):
            groups = assign(len(ask.lengths), SEED)[ask.start :]
            return KernelSums.of(ready, ask.clips, groups, ask.first)
        reach = fad_interval(ready, ask.clips, SEED) if ask.interval else None
        return Answer(_estimate(_distance(ready, ask.clips), reach), ready.rank)

    with one_blas_thread():
        yield answer


def _estimate(value: float | None, reach: Reach | None = None) -> Estimate:
    low, high = (value is not None and holding(value, reach)) or (None, None)
    return Estimate(value, low, high)


def _set_of(group: Group, kind: Kind, embedder: str, embedding: Embedding | None) -> _Set | list[Score]:
    """The sounds of a group of this kind, or the rows that say why they have no distance."""
    items = [item for item in group.items if kind.holds(item.probe)]
    if not items:
        return []

    def without(why: str, n: int = 0) -> list[Score]:
        how = Signature.of(emb=embedder, ref=kind.name)
        more: dict[str, Any] = {"note": why, "group": Scope("", kind.name), "better": "lower"}
        return [group.score(name, None, n, len(items) - n, Signature.of(name).plus(how), **more) for name in METRICS]

    reference = find_reference(kind.name, embedder)
    if embedding is None:
        return without(f"no weights: {embedder} is not available here")
    if reference is None:
        return without(f"no reference {kind.name!r} for {embedder}; `innerear reference build` makes one")
    signature, frames = embedding
    if reference.signature != signature:
        return without(f"the reference {kind.name!r} was made with different settings: {reference.signature}")
    made = [(item.probe, frames[item.render.audio]) for item in items if item.render.audio in frames]
    if len(made) < FEWEST_CLIPS:
        return without(f"too few clips for a distance (has {len(made)}, needs {FEWEST_CLIPS})", len(made))
    return _Set(group, kind, embedder, reference, made, _anchors(made, frames), len(items))


class _Set:
    """A set of sounds: the distances to compute for it, and its scores from their answers."""

    def __init__(
        self,
        group: Group,
        kind: Kind,
        embedder: str,
        reference: Reference,
        made: Sequence[tuple[Probe, Frames]],
        anchors: Mapping[str, Sequence[Frames]],
        asked: int,
    ) -> None:
        self.group, self.kind, self.reference, self.made, self.asked = group, kind, reference, made, asked
        clips = [clip for _, clip in made]
        self.n_frames = sum(map(len, clips))
        n, ref = f"{len(clips)}clips,{self.n_frames}frames", f"{kind.name}@{reference.digest}"
        self.how = Signature.of(emb=reference.signature, ref=ref, n=n, ci="jackknife20-clips", v=1)
        how = str(self.how)
        probes = [probe.id for probe, _ in made]
        lengths = sorted(map(len, clips))
        self.asks: dict[tuple[str, str], _Ask] = {}
        for metric in METRICS:
            ask = partial(_Ask, kind=kind.name, embedder=embedder, reference=reference.digest, metric=metric)
            own = digest(metric, how, group.model, group.strategy, group.tier)
            self.asks[metric, "own"] = ask(key=own, clips=clips, lengths=list(map(len, clips)), interval=True)
            for anchor, sounds in anchors.items():  # shared by all sets of these probes
                key = digest(metric, how, anchor, probes)
                self.asks[metric, anchor] = ask(key=key, clips=sounds, lengths=list(map(len, sounds)))
            real = digest(metric, how, "real", lengths)
            self.asks[metric, "real"] = ask(key=real, clips=None, lengths=lengths)

    def scores(self, answers: Mapping[str, Answer]) -> list[Score]:
        """FAD, KAD and variety; `answers` by the keys of the asks."""
        n, reference = len(self.made), self.reference
        found = {what: answers[ask.key] for what, ask in self.asks.items()}
        kept, dims = reference.kept, int(self.made[0][1].shape[1])
        real_clips = min(n, len(reference.held_back))
        detail = {
            "frames": self.n_frames,
            "dims": dims,
            "rank": found["fad", "own"].rank,
            "reference_clips": len(kept),
            "reference_frames": sum(map(len, kept)),
            "ceiling_clips": real_clips,
        }
        scores = []
        for metric in METRICS:
            own = found[metric, "own"].estimate
            floor = {name: found[metric, name].estimate.value for name in ANCHORS if (metric, name) in found}
            more: dict[str, Any] = {
                "note": _small(metric, self.n_frames, dims, real_clips, n),
                "floor": floor,
                "ceiling": {"real": found[metric, "real"].estimate.value},
                "group": Scope("", self.kind.name),
                "better": "lower",
                "detail": detail,
            }
            signature = Signature.of(metric).plus(self.how)
            scores.append(self.group.score(metric, own, n, self.asked - n, signature, **more))
        return [*scores, _variety(self.group, self.kind, reference, self.made, self.how)]


def _variety(
    group: Group, kind: Kind, reference: Reference, made: Sequence[tuple[Probe, Frames]], how: Signature
) -> Score:
    """Variety of the sounds, 1 for real ones; with several attempts, the share of it between probes."""
    found = collapse(grouped((probe.id, clip) for probe, clip in made), reference.kept)
    detail = {"between": found.between, "within": found.within, "share_between": found.share}
    signature = Signature.of("variety").plus(how.without("ci"))
    scope = Scope("", kind.name)
    return group.score("variety", Estimate(found.variety), found.clips, 0, signature, scope, detail=detail)


def _anchors(made: Sequence[tuple[Probe, Frames]], frames: Embedded) -> dict[str, list[Frames]]:
    """Noise and silence of each probe's duration, if they were embedded."""
    found = {name: [f"{name}/{probe.id}" for probe, _ in made] for name in ANCHORS}
    return {name: [frames[key] for key in keys] for name, keys in found.items() if all(key in frames for key in keys)}


def _real(ready: Gaussian | KernelReference, reference: Reference, lengths: Sequence[int]) -> float | None:
    """The ceiling: held-back clips, as many and as long as the set's, against the reference; the mean over draws."""
    held = reference.held_back
    n = min(len(lengths), len(held))
    if n < FEWEST_CLIPS:
        return None
    rng = np.random.default_rng(SEED)
    draws = []
    for _ in range(DRAWS):
        chosen = rng.permutation(len(held))[:n]
        cut = rng.permutation(np.array(lengths))[:n]
        draws.append(_distance(ready, [held[i][:k] for i, k in zip(chosen, cut, strict=True)]))
    return float(np.mean(draws))


def _distance(ready: Gaussian | KernelReference, clips: Sequence[Frames]) -> float:
    if isinstance(ready, Gaussian):
        return frechet_distance(ready, moments_of(clips))
    return kad(ready, clips)


def _small(metric: str, n_frames: int, dims: int, n_real: int, n: int) -> str:
    notes = []
    if metric == "fad" and n_frames < dims:
        notes.append(f"small n: {n_frames} frames in {dims} dimensions bias FAD upward; compare equal n only")
    if n_real < n:
        notes.append(f"the ceiling has only {n_real} clips, all that are held back")
    return "; ".join(notes)
