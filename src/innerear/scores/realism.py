"""Scores of realism: how well a group's sounds are told from recordings, and how typical of them they are.

By each embedder of levelled sounds and per kind of recording, and for families with enough probes. The floor is noise
of the same durations, the ceiling recordings against recordings of other sources.
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from innerear.checks import Instrument, Label
from innerear.distance.labelled import of_reference, words_of, words_of_each
from innerear.distance.realism import (
    FEWEST_PROBES,
    Ceiling,
    Pairs,
    Told,
    pairs,
    real_splits,
    told_from_real,
)
from innerear.distance.realism import ceiling as ceiling_of
from innerear.distance.sounds import Sounds
from innerear.distance.typicality import typicality
from innerear.embed import LEVELLED, TELLTALES
from innerear.embed.batches import Embedded, Embedding
from innerear.metrics.group import Group
from innerear.records import Better, Item, Probe, Scope, Score, Signature
from innerear.reference.sets import KINDS, Kind, find_reference, kind_of
from innerear.stats import Estimate, estimate

SHOWN = 5  # most telling probes, and descriptors
NO_CLASS = "no recordings of what these probes ask for"
MOST_RECORDINGS = 400  # that a ceiling is measured on, which takes time with the square of their number


@dataclass(frozen=True, eq=False)
class Levelled:
    """The sounds of a group that are of one kind, by one embedder, with the recordings of that kind."""

    kind: Kind
    embedder: str
    signature: str
    items: Sequence[Item]
    made: Sounds
    noise: Sounds
    real: Sounds
    reference: str  # its digest

    @property
    def how(self) -> Signature:
        """The part of a signature that says by what and against what."""
        return Signature.of(emb=self.signature, ref=f"{self.kind.name}@{self.reference}")


def levelled(
    group: Group, embedded: Mapping[str, Embedding | None], metric: str
) -> Iterator[tuple[Levelled | None, Score | None]]:
    """Each kind of sound in a group by each embedder of levelled sounds, or a score that says why it is lacking."""
    for name in LEVELLED:
        embedding = embedded.get(name)
        if name not in embedded:
            continue
        for kind in KINDS:
            items = [item for item in group.items if kind.holds(item.probe) and class_of(item.probe)]
            if not items:
                continue
            reference = find_reference(kind.name, name)
            why = _lacking(kind, name, embedding, reference)
            if not why and embedding and not any(item.render.audio in embedding[1] for item in items):
                why = "no program made a sound"
            if why or embedding is None or reference is None:
                how = Signature.of(metric, emb=name, ref=kind.name, v=1)
                yield None, group.score(metric, None, 0, len(items), how, note=why, group=Scope("", kind.name))
                continue
            signature, frames = embedding
            made, noise = sounds_of(items, frames), _noise(items, frames)
            yield (
                Levelled(
                    kind, name, signature, items, made, noise, of_reference(reference, held=False), reference.digest
                ),
                None,
            )


def _lacking(kind: Kind, name: str, embedding: Embedding | None, reference: Any) -> str:
    if embedding is None:
        return f"no weights: {name} is not available here"
    if reference is None or not reference.classes:
        return f"no reference {kind.name!r} for {name}; `innerear reference build` makes one"
    if reference.signature != embedding[0]:
        return f"the reference {kind.name!r} was made with different settings: {reference.signature}"
    return ""


def class_of(probe: Probe) -> str:
    """The class of recordings that a probe's sound is compared with; empty if there is none."""
    if probe.tier == "speech":
        kind = kind_of(probe)
        return "sentence" if kind and kind.name == "sentences" else "digit" if probe.family == "digit" else ""
    for check in probe.expect:
        match check:
            case Label(label=label):
                return label
            case Instrument(family=family):
                return family
    return ""


def sounds_of(items: Sequence[Item], frames: Embedded) -> Sounds:
    """The embedded sounds of items: the class of each probe, and the probe as the source."""
    there = [item for item in items if item.render.audio in frames]
    return Sounds.of(
        [frames[item.render.audio or ""] for item in there],
        [class_of(item.probe) for item in there],
        [item.probe.id for item in there],
        [*map(name_of, there)],
    )


def name_of(item: Item) -> str:
    """The name of a sound in the details: its probe, and the attempt if it is not the first."""
    return f"{item.probe.id}#{item.completion.attempt}" if item.completion.attempt else item.probe.id


def _noise(items: Sequence[Item], frames: Embedded) -> Sounds:
    probes = list({item.probe.id: item.probe for item in items if f"noise/{item.probe.id}" in frames}.values())
    names = [probe.id for probe in probes]
    return Sounds.of([frames[f"noise/{name}"] for name in names], [*map(class_of, probes)], names, names)


@functools.lru_cache(maxsize=32)
def _recordings(kind: str, embedder: str) -> Sounds:
    """The recordings that ceilings are measured on: all, or the first of each class of a large reference."""
    reference = find_reference(kind, embedder)
    assert reference is not None, "the caller found one"
    sounds = of_reference(reference)
    most, counted, chosen = MOST_RECORDINGS // len(set(sounds.classes)), Counter[str](), []
    for place, name in enumerate(sounds.classes):
        counted[name] += 1
        if counted[name] <= most or len(sounds) <= MOST_RECORDINGS:
            chosen.append(place)
    return sounds.at(chosen)


@functools.lru_cache(maxsize=32)
def _typical_recordings(kind: str, embedder: str) -> float | None:
    """The mean typicality of recordings among recordings of other sources, over the splits of the ceiling."""
    means = [typicality(rest, part).mean for rest, part in real_splits(_recordings(kind, embedder))]
    found = [mean for mean in means if mean is not None]
    return float(np.mean(found)) if found else None


@functools.lru_cache(maxsize=32)
def _ceiling(kind: str, embedder: str) -> Ceiling:
    return ceiling_of(_recordings(kind, embedder))


@dataclass(frozen=True)
class Floor:
    """What noise scores: the AUC by which it is told from recordings, and its mean typicality."""

    auc: float | None
    typical: float | None


Floors = dict[tuple[str, ...], Floor]
"""The floors of the groups so far: models that were asked for the same probes share one, as they share the noise."""


def _floor(found: Levelled, floors: Floors) -> Floor | None:
    """The floor of a group's sounds of one kind; `None` if no noise was embedded."""
    if not len(found.noise):
        return None
    key = found.signature, found.kind.name, found.reference, *found.noise.names
    if key not in floors:
        told, typical = told_from_real(found.real, found.noise, repeats=1), typicality(found.real, found.noise)
        floors[key] = Floor(told.auc, typical.mean)
    return floors[key]


def realism_scores(group: Group, embedded: Mapping[str, Embedding | None], floors: Floors | None = None) -> list[Score]:
    """The scores `told_from_real` and `proximity` of a group; none if no embedder of levelled sounds was used.

    A group whose probes have no class of recordings gets one score without a value that says so. `floors`: of the
    other groups of the run.
    """
    scores: list[Score] = []
    floors = {} if floors is None else floors
    for found, lacking in levelled(group, embedded, "told_from_real"):
        scores += [lacking] if lacking else []
        if found:
            floor = _floor(found, floors)
            scores += _told(group, found, embedded, floor) + _typical(group, found, floor)
    if not scores and any(name in embedded for name in LEVELLED):
        how = Signature.of("told_from_real", v=2)
        scores.append(group.score("told_from_real", None, 0, len(group.items), how, note=NO_CLASS))
    return scores


def per_sound(
    group: Group, embedded: Mapping[str, Embedding | None]
) -> Iterator[tuple[str, Signature, Better, dict[str, float]]]:
    """For each sound of a group, by name, how surely it is told from recordings (log-odds) and its proximity."""
    for found, _ in levelled(group, embedded, "told_from_real"):
        if found is None or not len(found.made):
            continue
        told, typical = told_from_real(found.real, found.made), typicality(found.real, found.made)
        how = Signature.of("told_from_real", "log-odds").plus(found.how, v=2)
        yield f"told_from_real ({found.embedder})", how, "lower", told.margins
        how = Signature.of("proximity").plus(found.how, v=2)
        yield f"proximity ({found.embedder})", how, "higher", typical.each


def _told(group: Group, found: Levelled, embedded: Mapping[str, Embedding | None], floor: Floor | None) -> list[Score]:
    compared = pairs(found.real, found.made)
    top = _ceiling(found.kind.name, found.embedder)
    families: dict[str, list[Item]] = {found.kind.name: list(found.items)}
    for item in found.items if found.kind.families is None else ():
        families.setdefault(item.probe.family, []).append(item)
    scores = []
    for name, items in families.items():
        classes = sorted({class_of(item.probe) for item in items})
        if name != found.kind.name and len({item.probe.id for item in items}) < FEWEST_PROBES:
            continue
        told = compared.of(classes) if isinstance(compared, Pairs) else compared
        scores.append(
            group.score(
                "told_from_real", Estimate(told.auc, told.low, told.high), told.sounds, len(items) - told.sounds,
                Signature.of("told_from_real").plus(found.how, ci="bootstrap-probes,sources", v=2),
                group=Scope("", name), unit="AUC", better="lower", note=told.reason,
                floor={"noise": floor and floor.auc} if name == found.kind.name else {}, ceiling={"real": top.auc},
                detail=_details(told, top) | (_given_away(items, found, told, embedded) if told.auc else {}),
            )
        )  # fmt: skip
    return scores


def _details(told: Told, top: Ceiling) -> dict[str, Any]:
    counts = {name: getattr(told, name) for name in ("probes", "recordings", "sources")}
    telling = [[name, round(told.each[name], 4)] for name in told.telling[:SHOWN]]
    return counts | {"telling": telling, "real_interval": [top.low, top.high], "real_splits": top.splits}


def _given_away(
    items: Sequence[Item], found: Levelled, told: Told, embedded: Mapping[str, Embedding | None]
) -> dict[str, Any]:
    """What gives the sounds away: all of them as [name, AUC, words], and each as a dictionary."""
    given_away, words = _words(items, found, embedded)
    each: dict[str, dict[str, float | str]] = {}
    for rank, name in enumerate(told.telling, 1):
        each[name] = {"told": round(told.each[name], 4), "log_odds": round(told.margins[name], 3), "rank": rank}
        if name in words:
            descriptor, deviations, said = words[name]
            each[name] |= {"descriptor": descriptor, "deviations": round(deviations, 2), "words": said}
    return {"given_away": [[name, round(auc, 4), said] for name, auc, said in given_away[:SHOWN]], "each": each}


def _words(
    items: Sequence[Item], found: Levelled, embedded: Mapping[str, Embedding | None]
) -> tuple[list[tuple[str, float, str]], dict[str, tuple[str, float, str]]]:
    """The descriptors that part the sounds from recordings, and that of each sound, in words."""
    embedding, reference = embedded.get(TELLTALES), find_reference(found.kind.name, TELLTALES)
    if embedding is None or reference is None or reference.signature != embedding[0]:
        return [], {}
    made, real = sounds_of(items, embedding[1]), of_reference(reference, False)
    return (words_of(real, made), words_of_each(real, made)) if len(made) else ([], {})


def _typical(group: Group, found: Levelled, floor: Floor | None) -> list[Score]:
    if not len(found.made):
        return []
    typical = typicality(found.real, found.made)
    probes = dict(zip(found.made.names, found.made.sources, strict=True))
    kind = found.kind.name
    values = estimate([(probes[name], value) for name, value in typical.each.items()], np.mean)
    why = "" if typical.each else "no class has recordings of four sources"
    return [
        group.score(
            "proximity", values, len(typical.each), len(found.items) - len(typical.each),
            Signature.of("proximity").plus(found.how, v=2), group=Scope("", kind), unit="rank", better="higher",
            note=why,
            floor={"noise": floor and floor.typical}, ceiling={"real": _typical_recordings(kind, found.embedder)},
            detail={
                "precision": typical.precision,
                "density": typical.density,
                "classes": {name: [round(value, 4) for value in values] for name, values in typical.by_class.items()},
                "each": {name: [round(rank, 4), typical.nearest[name]] for name, rank in typical.each.items()},
            },
        )
    ]  # fmt: skip
