"""Could these sounds be recordings? How well a classifier tells them from recordings.

**Told from real** is a classifier two-sample test (Lopez-Paz and Oquab, "Revisiting Classifier Two-Sample Tests",
ICLR 2017): a regularised logistic regression on one vector per sound, cross-validated. Its AUC is the probability that
it takes the made one of two sounds of the same class for the made one: 0.5 if they cannot be told apart, 1 if always.
No class is in training and in test at once if there are enough of them (`FEWEST_FOLDS`); if there are not, no source
is: no recording, speaker or probe. Both sides have the same weight in each class, and at each length of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from innerear.distance import logistic
from innerear.distance.moments import Array, as_frames
from innerear.distance.sounds import Index, Sounds, longest, others
from innerear.errors import UsageError
from innerear.stats import RESAMPLES, wilson

REPEATS = 5  # of the cross-validation, with different folds
FOLDS = 10
FEWEST_FOLDS = 5  # classes (or sources of each side) for a cross-validation
FEWEST_PROBES = 8
FEWEST_SOURCES = 8  # of recordings: files, or speakers
DIMS = 64  # principal components that the classifier sees
PENALTY = 0.1
SPLITS = 20  # of recordings into two, for the ceiling
SHARE = 4  # one source in so many plays the made one in a split
SEED = 0


@dataclass(frozen=True)
class Told:
    """How well made sounds are told from recordings.

    `auc`: 0.5 if not at all, 1 if always; `None` with a `reason` if it cannot be measured. `low`, `high`: its 95 %
    interval, over probes and sources. `each`: for each made sound, by name, the share of recordings of its class that
    look more like recordings than it does; `margins`: by how much on average, in log-odds. `sounds`, `probes`,
    `recordings`, `sources`: how many were compared; sounds of classes without recordings are not.
    """

    auc: float | None
    low: float | None = None
    high: float | None = None
    reason: str = ""
    sounds: int = 0
    probes: int = 0
    recordings: int = 0
    sources: int = 0
    each: dict[str, float] = field(default_factory=dict)
    margins: dict[str, float] = field(default_factory=dict)

    @property
    def telling(self) -> list[str]:
        """The made sounds in order, the one that gives itself away most first."""
        return sorted(self.each, key=lambda name: (-self.each[name], -self.margins[name], name))


@dataclass(frozen=True, eq=False)
class Pairs:
    """The comparisons of each made sound with each recording of its class.

    `right`: how often the made one is found, 0 to 1; `margins`: the difference of their log-odds; `weights`: 0 for
    pairs of different classes. All of shape (made, real).
    """

    made: Sounds
    real: Sounds
    right: Array
    margins: Array
    weights: Array

    def of(self, classes: Sequence[str] | None = None, seed: int = SEED) -> Told:
        """The result over these classes, or all."""
        rows = np.array([classes is None or name in classes for name in self.made.classes])
        made, weights, right, margins = self.made.at(rows), self.weights[rows], self.right[rows], self.margins[rows]
        used = weights.any(axis=0)
        real, weights, right, margins = self.real.at(used), weights[:, used], right[:, used], margins[:, used]
        facts = Told(
            None, sounds=len(made), probes=len(set(made.sources)), recordings=len(real), sources=len(set(real.sources))
        )
        if reason := _too_few(facts):
            return replace(facts, reason=reason)
        auc = float((weights * right).sum() / weights.sum())
        each, by = ((weights * of).sum(axis=1) / weights.sum(axis=1) for of in (right, margins))
        low, high = _interval(made, real, right, weights, auc, seed)
        by_name = (dict(zip(made.names, map(float, values), strict=True)) for values in (each, by))
        return replace(facts, auc=auc, low=low, high=high, each=next(by_name), margins=next(by_name))


def told_from_real(real: Sounds, made: Sounds, *, seed: int = SEED, repeats: int = REPEATS) -> Told:
    """How well a classifier tells made sounds from recordings of the same classes.

    Raises:
        UsageError: the vectors have different dims, or NaN.
    """
    found = pairs(real, made, seed=seed, repeats=repeats)
    return found.of(seed=seed) if isinstance(found, Pairs) else found


def pairs(real: Sounds, made: Sounds, *, seed: int = SEED, repeats: int = REPEATS) -> Pairs | Told:
    """All comparisons of `told_from_real`, for results of parts of the classes; or why there are none."""
    common = set(real.classes) & set(made.classes)
    real, made = (side.at([i for i, name in enumerate(side.classes) if name in common]) for side in (real, made))
    facts = Told(
        None, sounds=len(made), probes=len(set(made.sources)), recordings=len(real), sources=len(set(real.sources))
    )
    if reason := _too_few(facts):
        return replace(facts, reason=reason)
    if made.vectors.shape[-1] != real.vectors.shape[-1]:
        raise UsageError(
            f"the made sounds have {made.vectors.shape[-1]} dims, the recordings {real.vectors.shape[-1]}; "
            "use one embedder"
        )
    same = np.equal.outer(np.array(made.classes), np.array(real.classes))
    shared = same * np.outer(made.balanced, real.balanced)
    at = longest(made, real)
    of_made, of_real, points, sides, weights = _examples(made, real, shared, at)
    classes, sources = [*made.classes, *real.classes], [*made.sources, *real.sources]
    right, margins, seen = (np.zeros(same.shape) for _ in range(3))
    for repeat in range(repeats):
        rng = np.random.default_rng([seed, repeat])
        for test in folds(classes, sources, np.r_[np.ones(len(made)), np.zeros(len(real))], rng):
            train = ~test[np.r_[of_made, of_real + len(made)]] & (weights > 0)
            coefficients, _ = logistic.fit(points[train], sides[train], weights[train], PENALTY)
            scores = points @ coefficients
            i, j = np.flatnonzero(test[: len(made)]), np.flatnonzero(test[len(made) :])
            tested = np.ix_(i, j)
            above = _of(scores[: len(of_made)], made)[i[:, None], at[tested]]
            above = above - _of(scores[len(of_made) :], real)[j, at[tested]]
            right[tested] += 0.5 * (np.sign(above) + 1)
            margins[tested] += above
            seen[tested] += 1
    times = np.maximum(seen, 1)
    return Pairs(made, real, right / times, margins / times, shared * (seen > 0))


def _examples(made: Sounds, real: Sounds, shared: Array, at: Index) -> tuple[Index, Index, Array, Array, Array]:
    """What the classifier learns from: each sound at each length it fills.

    A sound weighs at a length what its pairs of that length weigh, so both sides weigh the same at each length of each
    class.

    Returns:
        Which made sound and which recording each is (made ones first), their principal components, sides and weights.
    """
    lengths = max(side.cuts.shape[1] for side in (made, real))
    which = [np.nonzero(np.arange(lengths) < side.lengths[:, None]) for side in (made, real)]
    points = np.concatenate([as_frames(side.cuts[i, at_]) for side, (i, at_) in zip((made, real), which, strict=True)])
    by_length = np.stack([shared * (at == length) for length in range(lengths)])
    weights = [by_length.sum(axis=axis).T[i, at_] for axis, (i, at_) in zip((2, 1), which, strict=True)]
    sides = np.repeat([1.0, 0.0], [len(i) for i, _ in which])
    return which[0][0], which[1][0], components(points, np.r_[which[0][1], which[1][1]]), sides, np.concatenate(weights)


def _of(scores: Array, sounds: Sounds) -> Array:
    """Scores of the examples of one side as a table of sounds by lengths; 0 for lengths a sound does not fill."""
    table: Array = np.zeros(sounds.cuts.shape[:2])
    table[np.arange(table.shape[1]) < sounds.lengths[:, None]] = scores
    return table


def components(vectors: Array, lengths: Index | None = None) -> Array:
    """The vectors standardised, those of each length alone, in at most 64 principal components.

    Nothing here may depend on which side a vector is of, not even by a weight: real against real then gives more
    than 0.5.
    """
    lengths = np.zeros(len(vectors), dtype=np.intp) if lengths is None else lengths
    scaled: Array = np.zeros_like(vectors)
    for length in np.unique(lengths):
        rows = lengths == length
        centred = vectors[rows] - vectors[rows].mean(axis=0)
        deviation = centred.std(axis=0)
        scaled[rows] = np.divide(centred, deviation, out=np.zeros(centred.shape), where=deviation > 0)
    scaled = scaled[:, scaled.any(axis=0)]
    if scaled.shape[1] == 0:
        return np.zeros((len(vectors), 1))
    small = min(scaled.shape)
    if scaled.shape[1] <= len(scaled):
        _, axes = np.linalg.eigh(scaled.T @ scaled)
        points = scaled @ axes[:, ::-1][:, : min(DIMS, small)]
    else:
        values, axes = np.linalg.eigh(scaled @ scaled.T)
        points = axes[:, ::-1][:, : min(DIMS, small)] * np.sqrt(np.maximum(values[::-1][: min(DIMS, small)], 0))
    return np.asarray(points / np.sqrt(scaled.shape[1]) * np.sqrt(DIMS))


def folds(
    classes: Sequence[str], sources: Sequence[str], sides: Array, rng: np.random.Generator
) -> Iterator[NDArray[np.bool_]]:
    """Masks of the sounds to test: whole classes if there are 5 or more, else whole sources of each side.

    Classes that share a source are tested together.
    """
    group = _linked(classes, sources)
    if len(set(group)) >= FEWEST_FOLDS:
        dealt = _dealt(group, rng)
    else:
        dealt = np.zeros(len(classes), dtype=np.intp)
        for side in (0.0, 1.0):
            mine = np.flatnonzero(sides == side)
            dealt[mine] = _dealt([sources[i] for i in mine.tolist()], rng)
    for fold in range(int(dealt.max()) + 1):
        test = dealt == fold
        if len(set(sides[test])) == 2 and len(set(sides[~test])) == 2:
            yield test


def _dealt(groups: Sequence[str], rng: np.random.Generator) -> Index:
    names = sorted(set(groups))
    fold = dict(
        zip(
            (names[i] for i in rng.permutation(len(names)).tolist()),
            (i % FOLDS for i in range(len(names))),
            strict=True,
        )
    )
    return np.array([fold[name] for name in groups], dtype=np.intp)


def _linked(classes: Sequence[str], sources: Sequence[str]) -> list[str]:
    """For each sound, a name for its class and all others that are linked to it by sources in both."""
    parent = {name: name for name in classes}

    def root(name: str) -> str:
        while parent[name] != name:
            name = parent[name]
        return name

    first: dict[str, str] = {}
    for name, source in zip(classes, sources, strict=True):
        parent[root(name)] = root(first.setdefault(source, name))
    return [root(name) for name in classes]


def _too_few(facts: Told) -> str:
    if not facts.sounds or not facts.recordings:
        return "no class has both sounds and recordings"
    if facts.probes < FEWEST_PROBES:
        return f"too few probes with a sound (has {facts.probes}, needs {FEWEST_PROBES})"
    if facts.sources < FEWEST_SOURCES:
        return f"too few sources or speakers of recordings (has {facts.sources}, needs {FEWEST_SOURCES})"
    return ""


def _interval(made: Sounds, real: Sounds, right: Array, weights: Array, auc: float, seed: int) -> tuple[float, float]:
    """The 95 % percentile bootstrap interval over probes and over sources, drawn at once.

    If all pairs are right (or wrong), the bootstrap is a point; then Wilson's with n = number of probes.
    """
    rng = np.random.default_rng(seed)
    probe, source = (np.unique(list(side.sources), return_inverse=True)[1] for side in (made, real))
    n, m = int(probe.max()) + 1, int(source.max()) + 1
    drawn = rng.multinomial(n, np.full(n, 1 / n), RESAMPLES)[:, probe].astype(float)
    against = rng.multinomial(m, np.full(m, 1 / m), RESAMPLES)[:, source].astype(float)
    total = ((drawn @ weights) * against).sum(axis=1)
    values = ((drawn @ (weights * right)) * against).sum(axis=1)[total > 0] / total[total > 0]
    low, high = np.quantile(values, [0.025, 0.975])
    if high - low < 1e-9:
        low, high = wilson(auc * n, n) or (low, high)
    return min(float(low), auc), max(float(high), auc)


def real_splits(real: Sounds, splits: int = SPLITS, seed: int = SEED) -> Iterator[tuple[Sounds, Sounds]]:
    """Fixed splits of recordings into (real, made) by source: a quarter of the sources of each class plays the made.

    Each split is drawn independently of the others. A class of a single source is left out.
    """
    for split in range(splits):
        rng = np.random.default_rng([split, seed])
        names = sorted(set(real.sources))
        place = dict(zip(names, rng.permutation(len(names)), strict=True))
        played: list[int] = []
        kept: list[int] = []
        for members in real.by_class_and_source().values():
            if len(members) > 1:
                for rank, source in enumerate(sorted(members, key=place.__getitem__)):
                    (kept if rank % min(SHARE, len(members)) else played).extend(members[source])
        yield real.at(kept), real.at(played)


@dataclass(frozen=True)
class Ceiling:
    """Real against real: the mean AUC over fixed splits by source, and its 95 % interval over the splits."""

    auc: float | None
    low: float | None = None
    high: float | None = None
    splits: int = 0
    reason: str = ""


def ceiling(real: Sounds, splits: int = SPLITS, seed: int = SEED) -> Ceiling:
    """The AUC of recordings against recordings of other sources; 0.5 if nothing but chance tells them apart."""
    found = [told_from_real(rest, part, seed=seed, repeats=1) for rest, part in real_splits(real, splits, seed)]
    values = [one.auc for one in found if one.auc is not None]
    if len(values) < 2:
        return Ceiling(None, reason=found[0].reason if found else "no recordings")
    from scipy.special import stdtrit  # scipy.stats takes a second to import

    mean, n = float(np.mean(values)), len(values)
    reach = float(stdtrit(n - 1, 0.975) * np.std(values, ddof=1) / np.sqrt(n))
    return Ceiling(mean, mean - reach, mean + reach, n)


@dataclass(frozen=True)
class Apart:
    """A dimension by which made sounds differ from recordings of their classes.

    `auc`: the probability that a made sound has more of it than a recording of its class.
    """

    dimension: int
    auc: float


def apart(real: Sounds, made: Sounds) -> list[Apart]:
    """The dimensions, each alone and without a classifier, in order of how far they part made from real."""
    shared = np.equal.outer(np.array(made.classes), np.array(real.classes)) * np.outer(made.balanced, real.balanced)
    if not shared.any():
        return []
    found = []
    for dimension, more in enumerate(_differences(made, real)):
        found.append(Apart(dimension, float((shared * 0.5 * (1 + np.sign(more))).sum() / shared.sum())))
    return sorted(found, key=lambda one: -abs(one.auc - 0.5))


def farthest(real: Sounds, made: Sounds) -> dict[str, tuple[int, float]]:
    """For each made sound the dimension in which it is farthest from recordings of its class, and how far.

    The mean difference from them, in standard deviations of recordings of one class; negative if it has less. Sounds
    of classes without recordings are left out.
    """
    within = np.nonzero(others(real, real))
    classes = np.equal.outer(np.array(made.classes), np.array(real.classes)) * real.balanced
    known = np.flatnonzero(classes.any(axis=1)).tolist()
    if not len(within[0]) or not known:
        return {}
    classes = classes[known] / classes[known].sum(axis=1, keepdims=True)
    far = []
    i, j = within
    at = longest(real, real)[within]
    for dimension, of_made in enumerate(_differences(made.at(known), real)):
        of_real = real.cuts[i, at, dimension] - real.cuts[j, at, dimension]
        deviation = np.sqrt(np.mean(of_real**2) / 2)
        far.append((classes * of_made).sum(axis=1) / deviation if deviation > 0 else np.zeros(len(known)))
    table = np.array(far)
    most = np.abs(table).argmax(axis=0)
    return {made.names[i]: (int(most[n]), float(table[most[n], n])) for n, i in enumerate(known)}


def _differences(first: Sounds, second: Sounds) -> Iterator[Array]:
    """How much more the first sound of each pair has of each dimension, at their longest length, (first, second)."""
    at = longest(first, second)
    for dimension in range(first.cuts.shape[2]):
        yield (
            np.take_along_axis(first.cuts[:, :, dimension], at, axis=1)
            - np.take_along_axis(second.cuts[:, :, dimension], at.T, axis=1).T
        )
