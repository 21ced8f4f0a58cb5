"""FAD and KAD of groups to the references of their kinds, with interval, floors and ceiling.

Floors and ceiling are matched to the set they stand beside: noise and silence as long as each of
its sounds, and held-back recordings, as many and cut to as many frames.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from threading import Lock
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from innerear.groups import Group
from innerear.metrics.collapse import collapse
from innerear.metrics.frechet import fad_interval, frechet_distance
from innerear.metrics.kernel import KernelReference, kad, kad_interval
from innerear.metrics.moments import Gaussian
from innerear.records import Probe, Score, digest
from innerear.reference import KINDS, Kind, Reference, find_reference

Frames = NDArray[np.float32]
Embedded = dict[str, Frames]
"""Frames by the digest of their audio, or by the name of an anchor."""
Embedding = tuple[str, Embedded]
"""The embedder's signature, and what it heard."""

DRAWS = 5  # of held-back clips, for a ceiling
SEED = 0
FEWEST_CLIPS = 4  # below which a distance says nothing at all
METRICS = ("fad", "kad")

T = TypeVar("T")


def distance_scores(
    groups: Sequence[Group], embedded: Mapping[str, Embedding | None], progress: Callable[[str, int, int], None]
) -> Iterator[list[Score]]:
    """The distances of each group, in order. `embedded`: by the embedder's name; `None` without weights.

    Groups go to as many threads as there are cores, each with one BLAS thread: the matrices are
    small, and BLAS threads that wait for work would take the cores from one another.
    """
    import scipy.linalg  # noqa: F401  its BLAS must be there to be limited
    from threadpoolctl import threadpool_limits

    once = _Once()
    with threadpool_limits(1), ThreadPoolExecutor(os.cpu_count()) as pool:

        def of(group: Group) -> list[Score]:
            return [
                score
                for name, embedding in embedded.items()
                for kind in KINDS
                for score in _of_kind(group, kind, name, embedding, once)
            ]

        for done, scores in enumerate(pool.map(of, groups), 1):
            progress("distances", done, len(groups))
            yield scores


class _Once:
    """Values that several groups need, worked out by the first that asks."""

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
    """A reference as FAD and as KAD see it."""

    gaussian: Gaussian
    kernel: KernelReference

    @classmethod
    def of(cls, reference: Reference) -> _Prepared:
        return cls(Gaussian.of(np.concatenate(reference.kept)), KernelReference.of(reference.kept))

    def distance(self, metric: str, clips: Sequence[Frames]) -> float:
        if metric == "fad":
            return frechet_distance(self.gaussian, np.concatenate(clips))
        return kad(self.kernel, clips)

    def interval(self, metric: str, clips: Sequence[Frames]) -> tuple[float | None, float | None]:
        if metric == "fad":
            return fad_interval(self.gaussian, clips, SEED) or (None, None)
        return kad_interval(self.kernel, clips, SEED) or (None, None)


def _of_kind(group: Group, kind: Kind, embedder: str, embedding: Embedding | None, once: _Once) -> list[Score]:
    items = [item for item in group.items if kind.holds(item.probe)]
    if not items:
        return []
    more: dict[str, Any] = {"group": kind.name, "better": "lower"}

    def without(why: str, n: int = 0) -> list[Score]:
        how = f"emb:{embedder}|ref:{kind.name}"
        return [group.score(name, None, n, len(items) - n, f"{name}|{how}", note=why, **more) for name in METRICS]

    reference = find_reference(kind.name, embedder)
    if embedding is None:
        return without(f"no weights: {embedder} cannot be had here")
    if reference is None:
        return without(f"no reference {kind.name!r} for {embedder}; `innerear reference build` makes one")
    signature, frames = embedding
    if reference.signature != signature:
        return without(f"the reference {kind.name!r} was made another way: {reference.signature}")
    made = [(item.probe, frames[item.render.audio]) for item in items if item.render.audio in frames]
    clips = [clip for _, clip in made]
    if len(clips) < FEWEST_CLIPS:
        return without(f"{len(clips)} clips are too few for a distance; wanted {FEWEST_CLIPS}", len(clips))
    n_frames = sum(map(len, clips))
    how = f"emb:{reference.signature}|ref:{kind.name}@{reference.digest}|n:{len(clips)}clips,{n_frames}frames"
    how += "|ci:jackknife20-clips|v:1"
    prepared = once(reference.digest, lambda: _Prepared.of(reference))
    more["detail"] = {
        "frames": n_frames,
        "dims": prepared.gaussian.dims,
        "rank": int(prepared.gaussian.rank),
        "reference_clips": len(reference.kept),
        "reference_frames": prepared.gaussian.n,
        "ceiling_clips": min(len(clips), len(reference.held_back)),
    }
    scores = []
    probes = [probe.id for probe, _ in made]
    lengths = sorted(map(len, clips))
    for name in METRICS:
        low, high = prepared.interval(name, clips)
        floor = {
            anchor: once(digest(name, how, anchor, probes), partial(prepared.distance, name, sounds))
            for anchor, sounds in _anchors(made, frames).items()
        }
        real = once(digest(name, how, "real", lengths), partial(_real, prepared, name, reference, lengths))
        note = _small(name, n_frames, prepared.gaussian.dims, more["detail"]["ceiling_clips"], len(clips))
        value = prepared.distance(name, clips)
        ends = {"low": low, "high": high, "floor": floor, "ceiling": {"real": real}}
        scores.append(
            group.score(name, value, len(clips), len(items) - len(clips), f"{name}|{how}", note=note, **ends, **more)
        )
    return [*scores, _variety(group, kind, reference, made, how)]


def _variety(group: Group, kind: Kind, reference: Reference, made: Sequence[tuple[Probe, Frames]], how: str) -> Score:
    """The collapse meter: how varied the sounds are, 1 as real ones; with attempts, how much the probe decides."""
    by_probe: dict[str, list[Frames]] = {}
    for probe, clip in made:
        by_probe.setdefault(probe.id, []).append(clip)
    found = collapse(by_probe, reference.kept)
    detail = {"between": found.between, "within": found.within, "share_between": found.share}
    signature = f"variety|{how.replace('|ci:jackknife20-clips', '')}"
    return group.score("variety", found.variety, found.clips, 0, signature, group=kind.name, detail=detail)


def _anchors(made: Sequence[tuple[Probe, Frames]], frames: Embedded) -> dict[str, list[Frames]]:
    """Noise and silence as long as each probe asks, where they were embedded."""
    found = {name: [f"{name}/{probe.id}" for probe, _ in made] for name in ("noise", "silence")}
    return {name: [frames[key] for key in keys] for name, keys in found.items() if all(key in frames for key in keys)}


def _real(prepared: _Prepared, metric: str, reference: Reference, lengths: Sequence[int]) -> float | None:
    """Real against real: held-back clips, as many and as long as the set's, the mean over draws."""
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
        notes.append(f"small n: {n_frames} frames for {dims} dimensions, so FAD is biased upward; compare equal n only")
    if n_real < n:
        notes.append(f"the ceiling has {n_real} clips, all that are held back")
    return "; ".join(notes)
