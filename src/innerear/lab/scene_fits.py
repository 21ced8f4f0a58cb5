"""Verify `sequence` and `together` on scenes of two recordings, by classifiers that know neither.

All recordings of a scene are from one fold of the fits of `label`, and the fit that leaves out this fold judges it.
Levels differ by up to 6 dB, the second sound follows with a gap or an overlap, or sets in up to a second later, and a
third of the scenes have pink noise. Sounds that must fail: one sound alone, the other order, another class instead of
one, one after the other instead of at once and the reverse, noises in sequence and at once, and noise with the spectrum
and envelope of a right scene.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from innerear import checks, suite
from innerear.clip import Clip
from innerear.lab import sounds as make
from innerear.lab.identity import Fit, Item
from innerear.lab.impostors import SORTS, SPECTRUM_AND_ENVELOPE, copy
from innerear.lab.scenes import SECONDS, whole
from innerear.lab.sounds import Bank, Floats
from innerear.lab.tools import Rng, seeded, slope_noise
from innerear.metrics.identity import Classifier, Heard
from innerear.metrics.registry import check_metric
from innerear.metrics.scene import at_once, by_yamnet, in_sequence
from innerear.metrics.verified import Cell, Verified, in_order

SCENES = 30  # right ones of each pair, and wrong ones of each sort
KINDS = ("sequence", "together")
STRANGERS = ("cat", "hand_saw", "sheep", "church_bells", "toilet_flush", "train", "pig", "crow")
NOISES = ("coloured noise", "filtered noise", "gated noise", "modulated noise", "bursts of noise", "swept noise")
Folds = Mapping[str, Sequence[Sequence[Path]]]
"""Recordings of a class by fold."""


@dataclasses.dataclass(frozen=True)
class Scene:
    """A sound, the fold that its recordings are from (`None`: it has none), and its column."""

    key: str
    column: str
    fold: int | None
    make: Callable[[], Clip]


def asked() -> dict[str, list[tuple[str, str]]]:
    """The pairs of classes that the suite asks for, by kind."""
    found: dict[str, list[tuple[str, str]]] = {kind: [] for kind in KINDS}
    for probe in suite.every_probe():
        for check in probe.expect:
            if isinstance(check, checks.Sequence | checks.Together):
                pair = (check.labels[0], check.labels[1])
                if pair not in found[checks.kind(check)]:
                    found[checks.kind(check)].append(pair)
    return found


def scenes(kind: str, first: str, second: str, of: Folds) -> Iterator[Scene]:
    """The right and the wrong scenes of a pair."""
    count = len(of[first])
    for turn in range(SCENES):
        fold, round_ = turn % count, turn // count
        name = f"{kind}/{first}/{second}/{turn}"
        stranger = STRANGERS[turn % len(STRANGERS)]
        mixed, other = (_then, _at_once) if kind == "sequence" else (_at_once, _then)
        if round_ % 2:
            alone, replaced = (first, first), (first, stranger)
        else:
            alone, replaced = (second, second), (stranger, second)

        def scene(
            classes: tuple[str, str], how: Callable[[Floats, Floats, Rng], Floats], name: str = name,
            fold: int = fold, round_: int = round_,
        ) -> Clip:  # fmt: skip
            rng = seeded("scene", name)
            one, two = (
                whole(some[(round_ + shift) % len(some)], SECONDS)
                for some, shift in ((of[classes[0]][fold], 0), (of[classes[1]][fold], round_ // 2))
            )
            return make.clip(how(one, two * 10 ** (rng.uniform(-6, 6) / 20), rng))

        def copied(scene: Callable[..., Clip] = scene, mixed: Callable[..., Floats] = mixed, name: str = name) -> Clip:
            samples = scene((first, second), mixed).mono.astype(np.float64)
            return make.clip(copy(samples, seeded("copy", name), envelope=True))

        sorts: dict[str, tuple[tuple[str, str], Callable[[Floats, Floats, Rng], Floats]]] = {
            "real": ((first, second), mixed), "count": (alone, mixed), "kind": (replaced, mixed),
            "time": ((first, second), other),
        }  # fmt: skip
        if kind == "sequence":
            sorts["order"] = ((second, first), mixed)
        for column, (classes, how) in sorts.items():
            yield Scene(f"{name}/{column}", column, fold, lambda c=classes, h=how, s=scene: s(c, h))  # type: ignore[misc]
        yield Scene(f"{name}/copy", SPECTRUM_AND_ENVELOPE, fold, copied)


def noises(kind: str) -> Iterator[Scene]:
    """Two noises of different sorts, one after the other or at once; asked of every pair."""
    how = _then if kind == "sequence" else _at_once
    for turn in range(SCENES):

        def made(turn: int = turn) -> Clip:
            rng = seeded("scene noise", kind, turn)
            one, two = (SORTS[NOISES[(turn + place) % len(NOISES)]](rng, SECONDS) for place in (0, 1 + turn // 6 % 5))
            return make.clip(how(one / np.std(one), two / np.std(two), rng))

        yield Scene(f"{kind}/noise/{turn}", "noise", None, made)


def _then(one: Floats, two: Floats, rng: Rng) -> Floats:
    """One sound after the other, from a gap of 0.3 s to an overlap of 0.8 s."""
    cut_s, overlap_s = float(rng.uniform(2.2, 3.8)), float(rng.uniform(-0.3, 0.8))
    before = make.edges(one[: round((cut_s + overlap_s / 2) * make.SAMPLE_RATE)], 0.01, 0.1)
    after = make.edges(two[: round((SECONDS - cut_s + overlap_s / 2) * make.SAMPLE_RATE)], 0.1, 0.05)
    return _in_noise(make.mix([(0.0, before), (cut_s - overlap_s / 2, after)], SECONDS), rng)


def _at_once(one: Floats, two: Floats, rng: Rng) -> Floats:
    """Both sounds at once; the second sets in up to a second later."""
    later_s = float(rng.uniform(0, 1)) * float(rng.random() < 0.5)
    after = make.edges(two[: round((SECONDS - later_s) * make.SAMPLE_RATE)], 0.05, 0.05)
    return _in_noise(make.mix([(0.0, one), (later_s, after)], SECONDS), rng)


def _in_noise(samples: Floats, rng: Rng) -> Floats:
    """A third of the scenes, in pink noise at 15 to 30 dB."""
    if rng.random() > 1 / 3:
        return samples
    noise = slope_noise(1.0, SECONDS, rng).mono.astype(np.float64)
    return np.asarray(samples + noise / np.std(noise) * np.std(samples) * 10 ** (-rng.uniform(15, 30) / 20))


def passes(kind: str, pair: tuple[str, str], heard: Heard, by: Classifier) -> bool:
    """Whether a scene is judged to be what was asked, by this classifier."""
    if kind == "sequence":
        return bool(in_sequence(heard, SECONDS, *pair, by).passed)
    return bool(at_once(heard, SECONDS, list(pair), by).passed)


def verify_scenes(
    bank: Bank,
    items: Sequence[Item],
    fit: Fit,
    listen: Callable[[Scene], Heard] = lambda scene: by_yamnet(scene.make()),
) -> dict[str, Verified]:
    """Results by variant, from the fit of `label` by YAMNet alone and the items that it was made of."""
    by_class: dict[str, list[list[Path]]] = {}
    folds = len(fit.left_out)
    for item, fold in zip(items, fit.folds, strict=True):
        if item.column == "real":
            by_class.setdefault(item.name, [[] for _ in range(folds)])[fold].append(bank.path(item.key))
    found = {}
    for kind, pairs in asked().items():
        made = {pair: list(scenes(kind, *pair, by_class)) for pair in pairs}
        shared = list(noises(kind))
        heard = {one.key: listen(one) for some in (*made.values(), shared) for one in some}
        for pair, mine in made.items():
            tried = [(one, one.column) for one in (*mine, *shared)]
            strange = [one for other in pairs if not set(other) & set(pair) for one in made[other]]
            tried += [(one, "other probe") for one in strange if one.column == "real"]
            cells: dict[str, list[bool]] = {}
            for place, (one, column) in enumerate(tried):
                by = fit.left_out[place % folds if one.fold is None else one.fold]
                cells.setdefault(column, []).append(passes(kind, pair, heard[one.key], by))
            counted = {column: Cell(sum(cells[column]), len(cells[column])) for column in in_order(cells)}
            version = check_metric(kind).version
            found[f"{kind}:{', '.join(pair)}"] = Verified(version, counted | {"silence": Cell(0, 1)})
    return found
