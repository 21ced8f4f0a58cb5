"""Is it that thing? A calibrated classifier by two ears, with a reject option; `label` and `instrument` use it.

The two ears are YAMNet and aiSFX, see `embed`. A clip's features are means and maxima of their frames, YAMNet's
log scores, and a few numbers on the level envelope; for `label` also on its fluctuations, which copies of a sound in
noise do not have (see `dsp.fluctuations`). The classifier is a multinomial logistic regression. Besides
the classes it has outputs for what is outside: noises, tones and copies of recordings that imitate a class.
Its probabilities are calibrated by temperature on recordings left out of the fit (C. Guo et al., "On Calibration
of Modern Neural Networks", ICML 2017).

There is a classifier for both ears and one for each ear alone, used if the other's weights are missing. Each is
verified on its own. `innerear checks fit` rebuilds them.
"""

from __future__ import annotations

import functools
import io
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from innerear.clip import Clip
from innerear.dsp import fluctuations
from innerear.dsp.silence import is_silent
from innerear.errors import WeightsUnavailable
from innerear.metrics.base import Sound, Value

Floats = NDArray[np.float64]
Frames = NDArray[np.float32]
Ear = Literal["both", "yamnet", "aisfx"]

EARS: tuple[Ear, ...] = ("both", "yamnet", "aisfx")
NETWORKS = ("yamnet", "aisfx")
FLUCTUATING = ("label",)  # checks whose features include fluctuations
LEAST_SCORE = 1e-3  # added to YAMNet's scores, because smaller ones are uninformative
TOP = 5
MOST_ODDS = 8.0  # log odds beyond this say no more
LEVELS_AT_S = (0.1, 0.3, 0.6, 1.0, 2.0)  # after the onset
RANGE_DB, ONSET_DB = 50.0, 25.0  # below the maximum: dynamic range, and threshold of the onset


@dataclass(frozen=True, eq=False)
class Heard:
    """What the ears make of a sound.

    `frames`, (n, 1024), and `scores`, (n, 521), are YAMNet's, `texture`, (m, 512), is aiSFX's; those of an ear
    that is not here are `None`.
    """

    frames: Frames | None
    scores: Frames | None
    texture: Frames | None
    envelope: Floats
    fluctuations: Floats

    @property
    def ear(self) -> Ear:
        """Which ears heard it."""
        return "both" if self.frames is not None and self.texture is not None else self._single

    @property
    def _single(self) -> Ear:
        return "aisfx" if self.frames is None else "yamnet"

    def features(self, ear: Ear, check: str) -> Floats:
        """Features of the sound by these ears for a check, one row."""
        parts = [self.envelope]
        if ear != "aisfx":
            assert self.frames is not None
            assert self.scores is not None
            root = np.sqrt(np.maximum(self.frames, 0), dtype=np.float64)
            parts += [root.mean(axis=0), root.max(axis=0), np.log(self.scores.mean(axis=0) + LEAST_SCORE)]
        if ear != "yamnet":
            assert self.texture is not None
            parts += [self.texture.mean(axis=0), self.texture.max(axis=0)]
        if check in FLUCTUATING:
            parts.append(self.fluctuations)
        return np.concatenate(parts, dtype=np.float64)


def envelope(clip: Clip) -> Floats:
    """Rise time (octaves of 10 ms), levels 0.1 to 2 s after the onset, level spread and roughness; shape (8,)."""
    samples, hop = clip.mono.astype(np.float64), max(1, clip.sample_rate // 100)
    power = np.mean(np.resize(samples, max(1, len(samples) // hop) * hop).reshape(-1, hop) ** 2, axis=1)
    level = 10 * np.log10(np.maximum(power, 1e-12))
    level = np.maximum(level - level.max(), -RANGE_DB)
    onset = int(np.argmax(level > -ONSET_DB))
    places = [min(len(level) - 1, onset + round(100 * time_s)) for time_s in LEVELS_AT_S]
    after = [float(np.median(level[max(0, place - 3) : place + 4])) / 10 for place in places]
    rise = np.log2(1 + max(0, int(level.argmax()) - onset)) / 2
    rough = float(np.mean(np.abs(np.diff(level)))) if len(level) > 1 else 0.0
    return np.array([rise, *after, float(level.std()) / 5, rough])


@functools.cache
def network(name: str) -> Any:
    """An ear's network, loaded once.

    Raises:
        WeightsUnavailable: its weights or its package are not here.
    """
    from innerear.embed import open_embedder

    return open_embedder(name)


def hear(clip: Clip, known: Mapping[str, Frames] | None = None) -> tuple[Heard, str]:
    """What the ears make of a clip, and what is missing if only one is here.

    `known`: frames of this clip by the signatures of embedders; aiSFX does not hear it again if it has heard it.

    Raises:
        WeightsUnavailable: neither ear is here.
    """
    missing = []
    frames = scores = texture = None
    try:
        frames, scores = network("yamnet").listen(clip)
    except WeightsUnavailable as error:
        missing.append(error)
    try:
        ear = network("aisfx")
        texture = (known or {}).get(ear.signature)
        texture = ear.embed([clip])[0] if texture is None else texture
    except WeightsUnavailable as error:
        missing.append(error)
    if len(missing) == len(NETWORKS):
        raise missing[0]
    return Heard(frames, scores, texture, envelope(clip), fluctuations.of(clip)), "; ".join(map(str, missing))


@dataclass(frozen=True, eq=False)
class Classifier:
    """Log probabilities of classes and of what is outside: `features @ weights + offsets`, through softmax.

    `groups`: classes that count as one have one group. `thresholds`: least log odds of a group with which a
    sound passes. `real`: sorted log odds of recordings of a group that were left out of the fit.
    """

    names: tuple[str, ...]  # classes, then what is outside
    classes: int  # number of classes
    groups: tuple[str, ...]  # of each class
    weights: NDArray[np.float32]  # (features, names)
    offsets: Floats  # (names,)
    thresholds: dict[str, float]
    real: dict[str, Floats]

    def log_probabilities(self, features: Floats) -> Floats:
        """Shape (..., names)."""
        logits = features @ self.weights + self.offsets
        top = logits - logits.max(axis=-1, keepdims=True)
        return np.asarray(top - np.log(np.exp(top).sum(axis=-1, keepdims=True)))

    def judge(self, features: Floats) -> Judgement:
        """What one sound is."""
        return Judgement(self, np.exp(self.log_probabilities(features)))


@dataclass(frozen=True, eq=False)
class Judgement:
    """Probabilities of the outputs of a classifier for one sound."""

    by: Classifier
    probabilities: Floats

    def odds(self, group: str) -> float:
        """Calibrated log odds of a group of classes, between -8 and 8 nats."""
        mine = [index for index, name in enumerate(self.by.groups) if name == group]
        share = float(self.probabilities[mine].sum())
        rest = float(np.delete(self.probabilities, mine).sum())
        return float(np.clip(np.log(max(share, 1e-12) / max(rest, 1e-12)), -MOST_ODDS, MOST_ODDS))

    def passes(self, group: str) -> bool:
        """Whether the sound is of this group: the log odds are high enough."""
        return self.odds(group) >= self.by.thresholds[group]

    def typicality(self, group: str) -> float:
        """Share of recordings of the group that are less clearly of it than the sound, 0 to 1."""
        real = self.by.real[group]
        return float(np.searchsorted(real, self.odds(group), "right") / len(real))

    def grade(self, group: str) -> float:
        """How far the log odds are on the way from -8 to the median of recordings of the group (at least 0), 0 to 1."""
        median = max(0.0, float(np.median(self.by.real[group])))
        return float(np.clip((self.odds(group) + MOST_ODDS) / (median + MOST_ODDS), 0, 1))

    def ranked(self) -> list[str]:
        """The classes, the most probable first."""
        return [self.by.names[index] for index in np.argsort(-self.probabilities[: self.by.classes], kind="stable")]

    @property
    def outside(self) -> float:
        """Probability that the sound is none of the classes."""
        return float(self.probabilities[self.by.classes :].sum())

    @property
    def heard(self) -> str | None:
        """The most probable class; `None` if what is outside is more probable."""
        best = self.probabilities[: self.by.classes].max()
        return None if self.outside > best else self.ranked()[0]


def path_of(check: str) -> Path:
    """Path of the bundled classifiers of a check."""
    return Path(str(resources.files(__package__).joinpath(f"{check}.npz")))


def pack(classifiers: Mapping[Ear, Classifier]) -> bytes:
    """The classifiers of a check as an npz, weights as float16 with a scale for each output."""
    first = classifiers["both"]
    stored: dict[str, Any] = {"names": first.names, "classes": first.classes, "groups": first.groups}
    for ear, one in classifiers.items():
        scale = np.abs(one.weights).max(axis=0)
        stored[f"{ear}_weights"] = (one.weights / scale).astype(np.float16)
        stored[f"{ear}_scale"], stored[f"{ear}_offsets"] = scale, one.offsets
        stored[f"{ear}_thresholds"] = [one.thresholds[name] for name in dict.fromkeys(one.groups)]
        stored |= {f"{ear}_real_{name}": values.astype(np.float32) for name, values in one.real.items()}
    buffer = io.BytesIO()
    arrays: dict[str, Any] = {name: np.asarray(value) for name, value in stored.items()}
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()


@functools.cache
def shipped(check: str, ear: Ear) -> Classifier:
    """The shipped classifier of a check for these ears."""
    with np.load(path_of(check), allow_pickle=False) as stored:
        groups = tuple(stored["groups"].tolist())
        distinct = list(dict.fromkeys(groups))
        return Classifier(
            names=tuple(stored["names"].tolist()),
            classes=int(stored["classes"]),
            groups=groups,
            weights=stored[f"{ear}_weights"].astype(np.float32) * stored[f"{ear}_scale"].astype(np.float32),
            offsets=stored[f"{ear}_offsets"],
            thresholds=dict(zip(distinct, stored[f"{ear}_thresholds"].tolist(), strict=True)),
            real={name: stored[f"{ear}_real_{name}"].astype(np.float64) for name in distinct},
        )


def judge(check: str, sound: Sound, group: str, words: str) -> Value:
    """Judge a sound: its value is the calibrated log odds of the group.

    Detail: the class found (`None`: nothing known), the rank of the group's best class, the first five with their
    probabilities, the probability of what is outside, grade and typicality, and which ears heard it. `words`: what
    the classes are called in a reason.

    Raises:
        WeightsUnavailable: neither ear is here.
    """
    if silent(sound.signal):
        return Value(None, False, "silence", {"heard": None})
    heard, missing = hear(sound.signal, sound.frames)
    found = shipped(check, heard.ear).judge(heard.features(heard.ear, check))
    ranked, ranked_names = found.ranked(), found.by.names[: found.by.classes]
    detail = {
        "heard": found.heard,
        "rank": 1
        + min(ranked.index(name) for name, own in zip(ranked_names, found.by.groups, strict=True) if own == group),
        "top": [[name, round(float(found.probabilities[found.by.names.index(name)]), 4)] for name in ranked[:TOP]],
        "outside": round(found.outside, 4),
        "identity": round(found.grade(group), 4),
        "typicality": round(found.typicality(group), 3),
        "ears": heard.ear,
    }
    passed = found.passes(group)
    said = f"heard as {found.heard.replace('_', ' ')}" if found.heard else f"heard as none of the {words}"
    reasons = [] if passed else [said]
    if missing:
        reasons.append(f"heard by {heard.ear} alone: {missing}")
    return Value(found.odds(group), passed, "; ".join(reasons), detail, partly=bool(missing))


def silent(clip: Clip) -> bool:
    """Whether a clip is empty or digitally (almost) silent."""
    return is_silent(clip.mono)
