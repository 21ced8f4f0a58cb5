"""FAD and KAD of groups from the references of their kinds, with interval, floors and ceiling.

Floors and ceiling match the scored set: noise and silence as long as each of its sounds, and the
same number of held-back recordings, cut to the same numbers of frames.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from threading import Lock
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from innerear.compute.threads import one_blas_thread
from innerear.compute.work import Executor, Failure, Job, Local
from innerear.distance import intervals, shards
from innerear.distance.collapse import collapse
from innerear.distance.frechet import fad_interval, frechet_distance
from innerear.distance.kernel import KernelReference, kad, kad_interval
from innerear.distance.moments import Gaussian, Moments
from innerear.distance.shards import Sums
from innerear.embed.batches import Embedded, Embedding
from innerear.errors import InnerEarError, UsageError
from innerear.metrics.group import Group
from innerear.records import Probe, Score, digest
from innerear.reference.sets import KINDS, Kind, Reference, find_reference
from innerear.stats import Estimate, holding

Frames = NDArray[np.float32]

DRAWS = 5  # of held-back clips, for a ceiling
SEED = 0
FEWEST_CLIPS = 4  # least number of clips for a distance
SHARD_FRAMES = 10_000  # sets with more frames are computed in shards
METRICS = ("fad", "kad")
ANCHORS = ("noise", "silence")


T = TypeVar("T")


@dataclass(frozen=True)
class Answer:
    """A distance and its interval, and the rank of the reference's covariance."""

    estimate: Estimate
    rank: int


def distance_scores(
    groups: Sequence[Group],
    embedded: Mapping[str, Embedding | None],
    progress: Callable[[str, int, int], None],
    machines: Executor | None = None,
) -> Iterator[list[Score]]:
    """The distances of each group, in order. `embedded`: embeddings by the embedder's name; `None` without weights."""
    sets = [
        [_set_of(group, kind, name, embedding) for name, embedding in embedded.items() for kind in KINDS]
        for group in groups
    ]
    asks = {ask.key: ask for found in chain(*sets) if isinstance(found, _Set) for ask in found.asks.values()}
    large = {key: ask for key, ask in asks.items() if ask.frames > SHARD_FRAMES}
    first = [*(ask for key, ask in asks.items() if key not in large), *chain(*map(_shards_of, large.values()))]
    answers: dict[str, Answer] = {}
    of_parts: dict[str, dict[int, Moments | Sums]] = {key: {} for key in large}
    done = 0

    def keep(asked: _Ask | _Shard | _Merge, found: Answer | Moments | Sums) -> None:
        nonlocal done
        done += 1
        if isinstance(found, Answer):
            answers[asked.key] = found
        elif isinstance(asked, _Shard):
            of_parts[asked.key][asked.place] = found
        progress("distances", done, len(first) + len(large))

    work: Job[Any, Any] = Job(_answering)
    do = (machines or Local()).map
    lost: list[Failure[Any]] = do(work, first, keep)
    if not lost:
        merges = [
            _Merge(ask.without_clips(), [of_parts[key][place] for place in sorted(of_parts[key])])
            for key, ask in large.items()
        ]
        lost = do(work, merges, keep)
    if lost:
        raise InnerEarError(f"a distance could not be computed: {lost[0].why}")
    for of_group in sets:
        yield [score for found in of_group for score in (found.scores(answers) if isinstance(found, _Set) else found)]


def _shards_of(ask: _Ask) -> list[_Shard]:
    assert ask.clips is not None
    found = shards.parts(ask.clips, SEED)
    if ask.metric == "fad":
        return [_Shard(ask.without_clips(), place, [part]) for place, part in enumerate(found)]
    return [_Shard(ask.without_clips(), place, found[place:]) for place in range(len(found))]


@contextmanager
def _answering() -> Iterator[Callable[[_Ask | _Shard | _Merge], Answer | Moments | Sums]]:
    """Yield a function that computes an ask, a shard or a merge."""
    once = _Once()

    def answer(asked: _Ask | _Shard | _Merge) -> Answer | Moments | Sums:
        ask = asked if isinstance(asked, _Ask) else asked.ask
        reference = find_reference(ask.kind, ask.embedder)
        if reference is None or reference.digest != ask.reference:
            raise UsageError(
                f"the reference {ask.kind!r} for {ask.embedder} does not match this run's, {ask.reference}"
            )
        prepared = once(reference.digest, lambda: _Prepared.of(reference))
        rank = int(prepared.gaussian.rank)
        if isinstance(asked, _Shard):
            return shards.moments(asked.parts[0]) if ask.metric == "fad" else prepared.sums(asked.parts)
        if isinstance(asked, _Merge):
            return Answer(Estimate(*prepared.merged(ask, asked.parts), ""), rank)
        if ask.clips is None:
            return Answer(Estimate(_real(prepared, ask.metric, reference, ask.lengths), None, None, ""), rank)
        value = prepared.distance(ask.metric, ask.clips)
        low, high = (ask.interval and holding(value, prepared.interval(ask.metric, ask.clips))) or (None, None)
        return Answer(Estimate(value, low, high, ""), rank)

    with one_blas_thread():
        yield answer


class _Once:
    """Cache of values that several threads need; the first caller computes, the others wait."""

    def __init__(self) -> None:
        self._found: dict[str, Future[Any]] = {}
        self._lock = Lock()

    def __call__(self, key: str, work: Callable[[], T]) -> T:
        with self._lock:
            mine = key not in self._found
            future = self._found.setdefault(key, Future())
        if mine:
            try:
                future.set_result(work())
            except BaseException as error:
                future.set_exception(error)
                raise
        value: T = future.result()
        return value


@dataclass(frozen=True)
class _Prepared:
    """A reference prepared for FAD and for KAD."""

    gaussian: Gaussian
    kernel: KernelReference

    @classmethod
    def of(cls, reference: Reference) -> _Prepared:
        return cls(Gaussian.of(np.concatenate(reference.kept)), KernelReference.of(reference.kept))

    def distance(self, metric: str, clips: Sequence[Frames]) -> float:
        if metric == "fad":
            return frechet_distance(self.gaussian, np.concatenate(clips))
        return kad(self.kernel, clips)

    def interval(self, metric: str, clips: Sequence[Frames]) -> tuple[float, float] | None:
        if metric == "fad":
            return fad_interval(self.gaussian, clips, SEED)
        return kad_interval(self.kernel, clips, SEED)

    def sums(self, parts: Sequence[shards.Part]) -> Sums:
        return shards.kernel_sums(self.kernel, parts)

    def merged(self, ask: _Ask, parts: Sequence[Any]) -> tuple[float, float | None, float | None]:
        clips = [len(group) for group in intervals.groups(len(ask.lengths), SEED)]
        value, low, high = (
            shards.fad(self.gaussian, parts, clips) if ask.metric == "fad" else shards.kad(self.kernel, parts)
        )
        return (value, low, high) if ask.interval else (value, None, None)


@dataclass(frozen=True, eq=False)
class _Ask:
    """A distance to compute: of clips, or (`clips=None`) of held-back recordings of these lengths."""

    key: str
    kind: str
    embedder: str
    reference: str  # its digest
    metric: str
    clips: Sequence[Frames] | None
    lengths: Sequence[int]  # frames of each clip
    interval: bool = False

    @property
    def frames(self) -> int:
        """Number of frames in `clips`."""
        return sum(self.lengths) if self.clips is not None else 0

    def without_clips(self) -> _Ask:
        """The same ask without its clips, which the shards carry."""
        return replace(self, clips=None)


@dataclass(frozen=True, eq=False)
class _Shard:
    """One shard of a large ask; for KAD, with all later parts."""

    ask: _Ask
    place: int
    parts: Sequence[shards.Part]

    @property
    def key(self) -> str:
        """The key of the ask."""
        return self.ask.key


@dataclass(frozen=True, eq=False)
class _Merge:
    """A large ask and the results of its shards."""

    ask: _Ask
    parts: Sequence[Moments | Sums]

    @property
    def key(self) -> str:
        """The key of the ask."""
        return self.ask.key


def _set_of(group: Group, kind: Kind, embedder: str, embedding: Embedding | None) -> _Set | list[Score]:
    """The sounds of a group of this kind, or the rows that say why they have no distance."""
    items = [item for item in group.items if kind.holds(item.probe)]
    if not items:
        return []

    def without(why: str, n: int = 0) -> list[Score]:
        how = f"emb:{embedder}|ref:{kind.name}"
        more: dict[str, Any] = {"note": why, "group": kind.name, "better": "lower"}
        return [group.score(name, None, n, len(items) - n, f"{name}|{how}", **more) for name in METRICS]

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
        return without(f"{len(made)} clips are too few for a distance; needs {FEWEST_CLIPS}", len(made))
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
        how = f"emb:{reference.signature}|ref:{kind.name}@{reference.digest}|n:{len(clips)}clips,{self.n_frames}frames"
        self.how = how + "|ci:jackknife20-clips|v:1"
        probes = [probe.id for probe, _ in made]
        lengths = sorted(map(len, clips))
        self.asks: dict[tuple[str, str], _Ask] = {}
        for metric in METRICS:
            ask = partial(_Ask, kind=kind.name, embedder=embedder, reference=reference.digest, metric=metric)
            own = digest(metric, self.how, group.model, group.strategy, group.tier)
            self.asks[metric, "own"] = ask(key=own, clips=clips, lengths=list(map(len, clips)), interval=True)
            for anchor, sounds in anchors.items():  # shared by all sets of these probes
                key = digest(metric, self.how, anchor, probes)
                self.asks[metric, anchor] = ask(key=key, clips=sounds, lengths=list(map(len, sounds)))
            real = digest(metric, self.how, "real", lengths)
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
            own = found[metric, "own"]
            floor = {name: found[metric, name].estimate.value for name in ANCHORS if (metric, name) in found}
            more: dict[str, Any] = {
                "note": _small(metric, self.n_frames, dims, real_clips, n),
                "floor": floor,
                "ceiling": {"real": found[metric, "real"].estimate.value},
                "group": self.kind.name,
                "better": "lower",
                "detail": detail,
            }
            scores.append(self.group.score(metric, own.estimate, n, self.asked - n, f"{metric}|{self.how}", **more))
        return [*scores, _variety(self.group, self.kind, reference, self.made, self.how)]


def _variety(group: Group, kind: Kind, reference: Reference, made: Sequence[tuple[Probe, Frames]], how: str) -> Score:
    """Variety of the sounds, 1 for real ones; with several attempts, the share of it between probes."""
    by_probe: dict[str, list[Frames]] = {}
    for probe, clip in made:
        by_probe.setdefault(probe.id, []).append(clip)
    found = collapse(by_probe, reference.kept)
    detail = {"between": found.between, "within": found.within, "share_between": found.share}
    signature = f"variety|{how.replace('|ci:jackknife20-clips', '')}"
    return group.score(
        "variety", Estimate(found.variety, None, None, ""), found.clips, 0, signature, group=kind.name, detail=detail
    )


def _anchors(made: Sequence[tuple[Probe, Frames]], frames: Embedded) -> dict[str, list[Frames]]:
    """Noise and silence of each probe's duration, if they were embedded."""
    found = {name: [f"{name}/{probe.id}" for probe, _ in made] for name in ANCHORS}
    return {name: [frames[key] for key in keys] for name, keys in found.items() if all(key in frames for key in keys)}


def _real(prepared: _Prepared, metric: str, reference: Reference, lengths: Sequence[int]) -> float | None:
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
        draws.append(prepared.distance(metric, [held[i][:k] for i, k in zip(chosen, cut, strict=True)]))
    return float(np.mean(draws))


def _small(metric: str, n_frames: int, dims: int, n_real: int, n: int) -> str:
    notes = []
    if metric == "fad" and n_frames < dims:
        notes.append(f"small n: {n_frames} frames in {dims} dimensions bias FAD upward; compare equal n only")
    if n_real < n:
        notes.append(f"the ceiling has only {n_real} clips, all that are held back")
    return "; ".join(notes)
