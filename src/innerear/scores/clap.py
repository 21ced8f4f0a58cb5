"""CLAP scores (agreement of sounds with their captions), and agreement between embedders.

A CLAP score is the cosine similarity of a sound (the mean of its unit-length window embeddings) and
its caption. Alone it means little: all sounds and captions share a narrow cone, and random programs
can outscore language models. So it comes with

- `clap_rank`: the rank of the right caption among the captions of the tier, 1 for the nearest;
- `clap_retrieval`: how often that rank is 1;
- `clap_class`: for probes of one environment class, how often the nearest of the captions of the 50
  classes is the right one (zero-shot);

and with these ends: silence and noise of the same lengths, other probes' captions (`shuffled`),
chance, and held-back recordings if there is a reference for this embedder.

Cosines are in [-1, 1]; ranks count from 1, ties share their mean rank. A missing sound is left out
of all of them, as it is of distances; rates count it as missing.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from innerear.checks import Label
from innerear.embed import reads_captions
from innerear.metrics.clap import cosines
from innerear.records import Probe, Scope, Score, Signature
from innerear.reference.sets import find_reference
from innerear.scores.ends import FLOORS, end_name
from innerear.stats import SEED, central_95, holding
from innerear.text import counted

if TYPE_CHECKING:
    from innerear.embed.batches import Embedding
    from innerear.metrics.group import Group

Frames = NDArray[np.float32]

CAPTION = "caption/"
"""Prefix of the frame name of a caption."""
NO_WEIGHTS = "no weights: `innerear weights pull clap-laion` fetches them"
FEWEST_MODELS = 4  # least number of models for a bootstrap over models


@functools.cache
def classes() -> Mapping[str, str]:
    """The plain caption of each of the 50 environment classes, from edition 1."""
    from innerear import suite

    found: dict[str, str] = {}
    for probe in suite.edition("1").probes:
        match probe.expect:
            case [Label(label=label)]:
                found.setdefault(label, probe.caption)
    return found


def captions(probes: Sequence[Probe]) -> list[str]:
    """The captions that must be embedded to score these probes."""
    return list(dict.fromkeys([*(probe.caption for probe in probes), *classes().values()]))


def place(found: NDArray[np.float64], right: int) -> float:
    """The rank of the right caption, 1 for the largest cosine; ties share their mean rank.

    >>> place(np.array([0.1, 0.5, 0.3]), right=2), place(np.array([0.5, 0.5]), right=0)
    (2.0, 1.5)
    """
    others = np.delete(found, right)
    return float(1 + (others > found[right]).sum() + (others == found[right]).sum() / 2)


def clap_scores(group: Group, embedded: Mapping[str, Embedding | None]) -> list[Score]:
    """The CLAP scores of a group by each available checkpoint, or one row that says "no weights"."""
    readers = {name: embedding for name, embedding in embedded.items() if reads_captions(name)}
    if not readers:
        return [_without(group, Signature.of("clap"), NO_WEIGHTS)]
    scores: list[Score] = []
    for name, embedding in readers.items():
        if embedding is None:
            scores.append(_without(group, Signature.of("clap", emb=name), f"no weights: {name} is not available here"))
        else:
            scores += _Heard(group, name, *embedding).scores()
    return scores


def _without(group: Group, signature: Signature, note: str) -> Score:
    return group.score(
        "clap", None, 0, len(group.items), signature.plus(v=1), unit="cosine", better="higher", note=note
    )


class _Heard:
    """The scores of one group by one checkpoint."""

    def __init__(self, group: Group, name: str, signature: str, frames: Mapping[str, Frames]) -> None:
        self.group, self.name, self.frames = group, name, frames
        self.signature, self.how = signature, Signature.of(emb=signature, v=1)
        self.captions = [c for c in dict.fromkeys(probe.caption for probe in group.probes) if CAPTION + c in frames]
        self.made = [
            (item.probe, frames[audio])
            for item in group.items
            if (audio := item.render.audio) is not None and audio in frames and CAPTION + item.probe.caption in frames
        ]

    def texts(self, chosen: Sequence[str]) -> Frames:
        return np.concatenate([self.frames[CAPTION + caption] for caption in chosen])

    def scores(self) -> list[Score]:
        if not self.made:
            return [_without(self.group, Signature.of("clap").plus(self.how), "no sounds and captions were embedded")]
        texts = self.texts(self.captions)
        all_cosines = np.array([cosines(frames, texts) for _, frames in self.made])
        right = [self.captions.index(probe.caption) for probe, _ in self.made]
        own = all_cosines[np.arange(len(right)), right]
        places = np.array([place(row, at) for row, at in zip(all_cosines, right, strict=True)])
        others = len(self.captions) - 1
        anchors = {name: self._anchor(name, texts) for name in ("noise", "silence")}
        shuffled = float(((all_cosines.sum(axis=1) - own) / others).mean()) if others else None
        real = self._real(texts)
        detail = {"captions": len(self.captions), "checkpoint": self.name, "real_clips": len(real)}
        chance = 1 / len(self.captions)

        def ends(values: dict[str, float | None]) -> dict[str, float | None]:
            return {name: value for name, value in values.items() if value is not None}

        def of(pairs: Sequence[tuple[float, float]], column: int, statistic: Any) -> float | None:
            return float(statistic([pair[column] for pair in pairs])) if pairs else None

        def first(found: Sequence[float]) -> float:
            return float(np.mean(np.array(found) == 1))

        found = [
            self._score(
                "clap", own, np.mean, "cosine", "higher", detail,
                floor={"shuffled": shuffled} | {name: of(pairs, 0, np.mean) for name, pairs in anchors.items()},
                ceiling=ends({"real": of(real, 0, np.mean)}),
            ),
            self._score(
                "clap_rank", places, np.median, f"of {len(self.captions)}", "lower", detail,
                floor={"chance": (len(self.captions) + 1) / 2}
                | {name: of(pairs, 1, np.median) for name, pairs in anchors.items()},
                ceiling=ends({"real": of(real, 1, np.median)}),
            ),
            self._rate(
                "clap_retrieval", [(probe.id, bool(p == 1)) for (probe, _), p in zip(self.made, places, strict=True)],
                len(self.group.items), detail,
                floor={"chance": chance} | {name: of(pairs, 1, first) for name, pairs in anchors.items()},
                ceiling=ends({"real": of(real, 1, first)}),
            ),
        ]  # fmt: skip
        return [*found, *self._class()]

    def _score(
        self, metric: str, values: NDArray[np.float64], statistic: Any, unit: str, better: Any, detail: Any, **more: Any
    ) -> Score:
        pairs = [(probe.id, float(value)) for (probe, _), value in zip(self.made, values, strict=True)]
        how = Signature.of(metric).plus(self.how, statistic.__name__)
        more |= {"unit": unit, "better": better, "detail": detail}
        return self.group.average(metric, pairs, len(self.group.items), how, statistic, **more)

    def _rate(self, metric: str, passes: Sequence[tuple[str, bool]], asked: int, detail: Any, **more: Any) -> Score:
        return self.group.rate(
            metric, passes, asked - len(passes), Signature.of(metric).plus(self.how), detail=detail, **more
        )

    def _anchor(self, kind: str, texts: Frames) -> list[tuple[float, float]]:
        """Cosine and rank of noise, or silence, as long as each sound, for that sound's caption."""
        return [
            self._pair(self.frames[f"{kind}/{probe.id}"], texts, probe.caption)
            for probe, _ in self.made
            if f"{kind}/{probe.id}" in self.frames
        ]

    def _pair(self, frames: Frames, texts: Frames, caption: str) -> tuple[float, float]:
        found, at = cosines(frames, texts), self.captions.index(caption)
        return float(found[at]), place(found, at)

    def _real(self, texts: Frames) -> list[tuple[float, float]]:
        """Cosine and rank of held-back recordings of the environment classes whose captions are in this group."""
        reference = find_reference("environment", self.name) if self.group.tier == "environment" else None
        if reference is None or reference.signature != self.signature:
            return []
        labelled = [
            (classes().get(name.split("/")[-2] if "/" in name else "", ""), clip)
            for name, clip, held in zip(reference.names, reference.clips, reference.held, strict=True)
            if held
        ]
        return [self._pair(clip, texts, caption) for caption, clip in labelled if caption in self.captions]

    def _class(self) -> list[Score]:
        """Zero-shot classification among the captions of the 50 classes, for probes of one class."""
        wanted = {probe.id: check.label for probe in self.group.probes for check in probe.expect
                  if isinstance(check, Label) and check.label in classes()}  # fmt: skip
        chosen = {label: caption for label, caption in classes().items() if CAPTION + caption in self.frames}
        passes = []
        if chosen:
            texts, labels = self.texts(list(chosen.values())), list(chosen)
            for probe, frames in self.made:
                if probe.id in wanted:
                    passes.append((probe.id, labels[int(cosines(frames, texts).argmax())] == wanted[probe.id]))
        if not passes:
            return []
        asked = sum(item.probe.id in wanted for item in self.group.items)
        floor = {"chance": 1 / len(chosen)}
        return [self._rate("clap_class", passes, asked, {"classes": len(chosen), "checkpoint": self.name}, floor=floor)]


def embedder_agreement(scores: Sequence[Score]) -> list[Score]:
    """Kendall's tau between the model rankings of two embedders: one row per metric (FAD, KAD), tier and pair.

    Over all pairs of models within a kind of sound, concordant minus discordant pairs as a share of
    all; 1 is the same order, -1 the reverse. Floors are no models: every embedder ranks them last. The interval is a
    bootstrap over models, `None` for fewer than four.
    """
    values: dict[tuple[str, str, str], dict[str, dict[tuple[str, str], float]]] = {}
    for score in scores:
        if score.metric in ("fad", "kad") and score.value is not None and end_name(score.model) not in FLOORS:
            name = score.embedder
            by_embedder = values.setdefault((score.metric, score.strategy, score.tier), {})
            by_embedder.setdefault(name, {})[score.group, score.model] = score.value
    found = []
    for (metric, strategy, tier), by_embedder in values.items():
        for one, two in combinations(by_embedder, 2):
            both = by_embedder[one].keys() & by_embedder[two].keys()
            models = sorted({model for _, model in both})
            order = _concordance(by_embedder[one], by_embedder[two], both, models)
            tau = _tau(order, np.arange(len(models)))
            if tau is None:
                continue
            reach = holding(tau, _tau_interval(order)) if len(models) >= FEWEST_MODELS else None
            low, high = reach or (None, None)
            how = str(Signature.of("kendall-tau", of=metric, between=f"{one},{two}", ci="bootstrap-models", v=2))
            more: dict[str, Any] = {"better": "higher", "low": low, "high": high}
            more["group"] = Scope("", metric, f"{one} and {two}")
            more["note"] = "" if low is not None else f"{counted(len(models), 'model')}, too few for an interval"
            more["detail"] = {"pairs": int(np.triu(~np.isnan(order), 1).sum())}
            found.append(Score("agreement", "all models", strategy, tier, tau, len(models), 0, how, **more))
    return found


def _concordance(
    one: Mapping[tuple[str, str], float], two: Mapping[tuple[str, str], float], both: Any, models: Sequence[str]
) -> NDArray[np.float64]:
    """Per pair of models, the mean over kinds of 1 (concordant), -1 (discordant) or 0 (tie); NaN if never compared."""
    order = np.full((len(models), len(models)), np.nan)
    groups = {group for group, _ in both}
    for (i, a), (j, b) in combinations(enumerate(models), 2):
        signs = [
            np.sign(one[group, a] - one[group, b]) * np.sign(two[group, a] - two[group, b])
            for group in groups
            if (group, a) in both and (group, b) in both
        ]
        if signs:
            order[i, j] = order[j, i] = float(np.mean(signs))
    return order


def _tau(order: NDArray[np.float64], models: NDArray[np.int64]) -> float | None:
    first, second = _pairs(len(models))
    pairs = order[models[first], models[second]]
    pairs = pairs[~np.isnan(pairs)]  # a model drawn twice does not make a pair
    return float(pairs.mean()) if len(pairs) else None


@functools.cache
def _pairs(n: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The indices of each pair of n models."""
    return np.triu_indices(n, 1)


def _tau_interval(order: NDArray[np.float64]) -> tuple[float, float]:
    rng = np.random.default_rng(SEED)
    draws = [_tau(order, rng.integers(len(order), size=len(order))) for _ in range(2_000)]
    return central_95([tau for tau in draws if tau is not None])
