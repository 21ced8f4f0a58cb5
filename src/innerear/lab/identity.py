"""Fit the classifiers of `metrics.identity` to recordings, and verify them on sounds left out.

Recordings are the classes; impostors are the outside. A sound is judged by a fit that has neither it nor another
clip of its source: whole sources are dealt to the folds. Impostors of a sort in `KEPT_OUT` are in no fit at all.

Thresholds follow from the log odds of sounds left out. Rates are by nested thresholds: those of one half of the sources
judge the other half. What ships has thresholds from all of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from innerear.clip import Clip
from innerear.dsp import fluctuations
from innerear.errors import WeightsUnavailable
from innerear.lab.impostors import KEPT_OUT, SORTS, impostor
from innerear.lab.tools import seeded
from innerear.metrics.identity import EARS, FLUCTUATING, MOST_ODDS, Classifier, Ear, Heard, hear
from innerear.metrics.verified import Cell, Verified, in_order

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]

AXES = 500  # principal axes of the features in which the regression is fitted
FEW = 20  # sounds of a column; thresholds do not follow fewer
SMALLEST = 0.05  # added to a feature's standard deviation, in means over its block
BLOCKS: dict[Ear, tuple[int, ...]] = {
    "yamnet": (8, 1024, 1024, 521), "aisfx": (8, 512, 512), "both": (8, 1024, 1024, 521, 512, 512),
}  # fmt: skip
"""Lengths of the blocks of features, without fluctuations; each block weighs as much as another."""


def blocks(ear: Ear, check: str) -> tuple[int, ...]:
    """Lengths of the blocks of features for a check."""
    return (*BLOCKS[ear], fluctuations.NUMBERS) if check in FLUCTUATING else BLOCKS[ear]


@dataclass(frozen=True)
class Item:
    """A sound to fit to or to try: its class or sort, its source, and its column in the verification table.

    `of`: the class that an impostor copies. `fitted=False`: in no fit. `key` names the sound.
    """

    key: str
    name: str
    source: str
    column: str
    make: Callable[[], Clip]
    of: str = ""
    fitted: bool = True


Ears = Callable[[Item], Heard]


def by_ear(item: Item) -> Heard:
    """What both ears make of a sound.

    Raises:
        WeightsUnavailable: an ear is not here.
    """
    heard, missing = hear(item.make())
    if missing:
        raise WeightsUnavailable(missing)
    return heard


def deal(names: Sequence[str], sources: Sequence[str], folds: int) -> Indices:
    """Fold of each sound: whole sources, each to the fold that has the fewest sounds of its class."""
    of: dict[str, int] = {}
    by_class: dict[str, dict[str, int]] = {}
    for name, source in zip(names, sources, strict=True):
        by_class.setdefault(name, {}).setdefault(source, 0)
        by_class[name][source] += 1
    for name, counts in sorted(by_class.items()):
        load = np.zeros(folds)
        for source in counts:
            if source in of:
                load[of[source]] += counts[source]
        order = seeded("deal", name).permutation(sorted(counts))
        for source in sorted(order.tolist(), key=lambda source: -counts[source]):
            if source not in of:
                of[source] = int(load.argmin())
                load[of[source]] += counts[source]
    return np.array([of[source] for source in sources])


def scaled(features: Floats, lengths: Sequence[int]) -> tuple[Floats, Floats]:
    """Mean and scale of each feature: after both, each block has about unit length."""
    means, scales, start = features.mean(axis=0), np.empty(features.shape[1]), 0
    for length in lengths:
        spread = features[:, start : start + length].std(axis=0)
        scales[start : start + length] = (spread + SMALLEST * spread.mean() + 1e-9) * np.sqrt(length)
        start += length
    return means, scales


def logistic(features: Floats, of: Indices, count: int, penalty: float, weights: Floats) -> tuple[Floats, Floats]:
    """Weights, (features, count), and offsets of a multinomial logistic regression with an L2 penalty.

    `weights` weigh the sounds. The fit is in the space of the first principal axes of the sounds.
    """
    from scipy.linalg import eigh
    from scipy.optimize import minimize

    small = features.astype(np.float32)
    first = max(0, len(small) - AXES)
    values, vectors = eigh(small @ small.T, subset_by_index=[first, len(small) - 1])
    axes = small.T @ (vectors / np.sqrt(np.maximum(values, 1e-6 * values[-1])))
    seen = np.hstack([small @ axes, np.ones((len(features), 1), np.float32)])
    share = (weights / weights.sum()).astype(np.float32)[:, None]
    truth = np.zeros((len(seen), count), np.float32)
    truth[np.arange(len(seen)), of] = 1

    def loss(flat: Floats) -> tuple[float, Floats]:
        matrix = flat.astype(np.float32).reshape(-1, count)
        logits = seen @ matrix
        logits -= logits.max(axis=1, keepdims=True)
        logs = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
        slope = seen.T @ ((np.exp(logs) - truth) * share)
        slope[:-1] += penalty * matrix[:-1]
        value = -float((logs * truth * share).sum()) + penalty / 2 * float((matrix[:-1] ** 2).sum())
        return value, slope.ravel().astype(np.float64)

    found = minimize(loss, np.zeros(seen.shape[1] * count), jac=True, method="L-BFGS-B", options={"maxiter": 120})
    matrix = found.x.reshape(-1, count)
    return np.asarray(axes @ matrix[:-1], dtype=np.float64), matrix[-1]


@dataclass(frozen=True)
class Plan:
    """What to fit: the check, its classes and the name of the group of each, and the penalty.

    `wrong(item, group)`: the column in which a sound is a wrong one for a group, `None` if it is not tried.
    `allowed(group, column)`: share of a column that may pass.
    """

    check: str
    classes: tuple[str, ...]
    groups: tuple[str, ...]
    penalty: float
    wrong: Callable[[Item, str], str | None]
    allowed: Callable[[str, str], float]
    outside_weight: float = 0.5  # of all impostors together, to all recordings together
    balance: float = 0.0  # a class of n sounds has the weight n^(1 - balance)
    least_odds: float = -1.0  # lowest threshold: a probability of 0.27
    folds: int = 5


@dataclass(frozen=True, eq=False)
class Fit:
    """A classifier, and how it does on sounds left out: right and tried, by group and column."""

    classifier: Classifier
    cells: dict[str, dict[str, tuple[int, int]]]
    odds: Floats  # (sounds, groups): log odds of sounds left out
    passed: NDArray[np.bool_]  # (sounds, groups): by thresholds that follow from other sources
    left_out: tuple[Classifier, ...]  # by fold: fitted without its sounds
    folds: Indices  # of each sound
    ranked: list[list[str]]  # classes of each, the most probable first


def fit_all(
    items: Sequence[Item], ears: Ears, plan: Plan, progress: Callable[[str, int, int], None] | None = None
) -> dict[Ear, Fit]:
    """Fit and verify the classifiers of both ears and of each ear alone."""
    heard = []
    for count, item in enumerate(items, 1):
        heard.append(ears(item))
        if progress:
            progress("sounds heard", count, len(items))
    return {ear: fit(items, np.stack([one.features(ear, plan.check) for one in heard]), ear, plan) for ear in EARS}


def fit(items: Sequence[Item], features: Floats, ear: Ear, plan: Plan) -> Fit:
    """Fit a classifier to all sounds, with temperature and thresholds from fits that leave them out."""
    right = np.array([item.name in plan.classes for item in items])
    fitted = np.array([item.fitted for item in items])
    sorts = sorted({item.name for item in items if item.fitted and item.name not in plan.classes})
    names = (*plan.classes, *sorts)
    of = np.array([names.index(item.name) if item.fitted else -1 for item in items])
    counts = Counter(item.name for item in items)
    weights = np.array([float(counts[item.name]) ** -plan.balance for item in items])
    weights *= right.sum() / weights[right].sum()
    weights[~right] = plan.outside_weight * right.sum() / max(1, (fitted & ~right).sum())
    folds = deal([item.of or item.name for item in items], [item.source for item in items], plan.folds)
    logits = np.empty((len(items), len(names)))
    without = []
    for turn in range(plan.folds):
        out = folds == turn
        without.append(_fold_in(features, of, len(names), fitted & ~out, weights, ear, plan))
        logits[out] = features[out] @ without[-1][0] + without[-1][1]
    warmth = _temperature(logits[fitted], of[fitted], weights[fitted])
    odds = _odds(logits / warmth, plan)
    distinct = list(dict.fromkeys(plan.groups))
    thresholds = dict(zip(distinct, _thresholds(items, odds, plan).tolist(), strict=True))
    passed = judged_by_others(items, odds, plan)
    matrix, offsets = _fold_in(features, of, len(names), fitted, weights, ear, plan)
    real = {
        group: np.sort(odds[[_is(item, group, plan) and item.column == "real" for item in items], place])
        for place, group in enumerate(distinct)
    }

    def calibrated(matrix: Floats, offsets: Floats) -> Classifier:
        weights, size = (matrix / warmth).astype(np.float32), len(plan.classes)
        return Classifier(names, size, plan.groups, weights, offsets / warmth, thresholds, real)

    order = np.argsort(-logits[:, : len(plan.classes)], axis=1)
    ranked = [[names[place] for place in row] for row in order]
    left_out = tuple(calibrated(*one) for one in without)
    cells = _cells(items, passed, plan)
    return Fit(calibrated(matrix, offsets), cells, odds, passed, left_out, folds, ranked)


def judged_by_others(items: Sequence[Item], odds: Floats, plan: Plan) -> NDArray[np.bool_]:
    """Which sounds pass, (sounds, groups), by thresholds from the half of the sources that they are not in."""
    halves = deal([item.of or item.name for item in items], [item.source for item in items], 2)
    passed = np.zeros(odds.shape, bool)
    for half in (0, 1):
        others = np.flatnonzero(halves != half).tolist()
        thresholds = _thresholds([items[place] for place in others], odds[others], plan)
        passed[halves == half] = odds[halves == half] >= thresholds
    return passed


def _cells(items: Sequence[Item], passed: NDArray[np.bool_], plan: Plan) -> dict[str, dict[str, tuple[int, int]]]:
    found: dict[str, dict[str, tuple[int, int]]] = {}
    for place, group in enumerate(dict.fromkeys(plan.groups)):
        columns: dict[str, list[bool]] = {}
        for item, own in zip(items, passed[:, place], strict=True):
            if column := item.column if _is(item, group, plan) else plan.wrong(item, group):
                columns.setdefault(column, []).append(bool(own))
        found[group] = {column: (sum(some), len(some)) for column, some in columns.items()}
    return found


def _is(item: Item, group: str, plan: Plan) -> bool:
    return item.name in plan.classes and plan.groups[plan.classes.index(item.name)] == group


def _fold_in(
    features: Floats, of: Indices, count: int, used: NDArray[np.bool_], weights: Floats, ear: Ear, plan: Plan
) -> tuple[Floats, Floats]:
    """Weights and offsets for plain features, from a fit to scaled ones."""
    means, scales = scaled(features[used], blocks(ear, plan.check))
    matrix, offsets = logistic((features[used] - means) / scales, of[used], count, plan.penalty, weights[used])
    matrix = matrix / scales[:, None]
    return matrix, offsets - means @ matrix


def _temperature(logits: Floats, of: Indices, weights: Floats) -> float:
    """What the logits are divided by, so that their probabilities are the most likely for sounds left out."""
    from scipy.optimize import minimize_scalar
    from scipy.special import logsumexp

    def surprise(log_warmth: float) -> float:
        scaled_logits = logits / np.exp(log_warmth)
        own = scaled_logits[np.arange(len(of)), of] - logsumexp(scaled_logits, axis=1)
        return -float((own * weights).sum() / weights.sum())

    return float(np.exp(minimize_scalar(surprise, bounds=(-2, 2), method="bounded").x))


def _odds(logits: Floats, plan: Plan) -> Floats:
    """Log odds of each group, (sounds, groups)."""
    from scipy.special import logsumexp

    found = []
    for group in dict.fromkeys(plan.groups):
        mine = np.array([name == group for name in plan.groups] + [False] * (logits.shape[1] - len(plan.groups)))
        rest = logsumexp(logits[:, ~mine], axis=1)
        found.append(logsumexp(logits[:, mine], axis=1) - rest)
    odds: Floats = np.clip(np.stack(found, axis=1), -MOST_ODDS, MOST_ODDS)
    return odds


def _thresholds(items: Sequence[Item], odds: Floats, plan: Plan) -> Floats:
    """Per group the lowest log odds with which no column of wrong sounds that are fitted passes more than allowed."""
    return np.array(
        [_threshold(items, odds[:, at], group, plan) for at, group in enumerate(dict.fromkeys(plan.groups))]
    )


def _threshold(items: Sequence[Item], odds: Floats, group: str, plan: Plan) -> float:
    columns: dict[str, list[float]] = {}
    for item, own in zip(items, odds, strict=True):
        if item.fitted and not _is(item, group, plan) and (column := plan.wrong(item, group)):
            columns.setdefault(column, []).append(own)
    least = [plan.least_odds]
    for column, values in columns.items():
        if len(values) < FEW:
            continue
        passing = int(plan.allowed(group, column) * len(values))
        least.append(float(np.sort(values)[::-1][passing]) + 1e-6)
    return max(least)


def verified(fits: Mapping[Ear, Fit], kind: str, version: int, notes: Mapping[str, str]) -> dict[str, Verified]:
    """Results by variant: `label:dog` for both ears, `label:dog by yamnet` for an ear alone."""
    found = {}
    for ear, one in fits.items():
        for group, columns in one.cells.items():
            suffix = "" if ear == "both" else f" by {ear}"
            cells = {column: Cell(*columns[column]) for column in in_order(columns)}
            found[f"{kind}:{group}{suffix}"] = Verified(version, cells | {"silence": Cell(0, 1)}, notes.get(group, ""))
    return found


def impostor_items(count: int, duration_s: float) -> list[Item]:
    """Impostors of all sorts; each number is a source of its own."""
    found = []
    for sort in SORTS:
        for turn in range(count):
            key = f"{sort}/{turn}"

            def made(sort: str = sort, turn: int = turn) -> Clip:
                return impostor(sort, turn, duration_s)

            found.append(Item(key, sort, key, sort, made, fitted=sort not in KEPT_OUT))
    return found
