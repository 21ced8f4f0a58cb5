"""How well the recogniser understands recorded speech: the ceiling of word error rates, in silence and in noise.

`real_speech.json` has what Whisper tiny.en hears of 28 sentences read aloud (24 of LJSpeech, 4 of CMU ARCTIC), in
silence and at each ratio; `python -m innerear.lab.real_speech` makes it again. They are other texts than the suite's,
longer and easier to guess, and nothing of the listener or its rules was fitted to them. So they are the ceiling of
sentences and passages, and of a tier as a whole; unpredictable sentences, single words and digits have none.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any

import msgspec

from innerear.checks import Words
from innerear.metrics.group import Group
from innerear.metrics.registry import sound_metric
from innerear.records import ALL, Completion, Item, Measurement, Outcome, Probe, Program, Render, Score, Signature

NAME = "real speech"
METRICS = ("whisper_wer", "whisper_in_noise")
GROUPS = ("all", "family:sentence", "family:passage")
"""The groups of the speech tier whose ceiling it is."""


class Heard(msgspec.Struct, frozen=True):
    """A recorded sentence, and the detail of its row of each of `METRICS`."""

    file: str  # in the manifest
    text: str
    duration_s: float
    details: dict[str, dict[str, Any]]


class RealSpeech(msgspec.Struct, frozen=True):
    """What was heard, and the signatures of the metrics that heard it."""

    signatures: dict[str, str]
    sentences: list[Heard]


def shipped_path() -> Path:
    """Path of the bundled results."""
    return Path(str(resources.files(__package__).joinpath("real_speech.json")))


@functools.cache
def shipped() -> RealSpeech:
    """The bundled results."""
    return msgspec.json.decode(shipped_path().read_bytes(), type=RealSpeech)


def probe_of(file: str, text: str, duration_s: float) -> Probe:
    """The probe that a recorded sentence answers."""
    return Probe(file, "speech", "sentence", 1, text, "", duration_s, [Words(text=text)])


def scores_of(heard: RealSpeech) -> list[Score]:
    """The word error rates and the threshold of recorded speech, as those of a run's model."""
    probes = [probe_of(one.file, one.text, one.duration_s) for one in heard.sentences]
    items = [
        Item(probe, Completion(probe.id, probe.id, NAME, "", 0, [], ""), Program(None), Render("", "", Outcome.OK))
        for probe in probes
    ]
    group = Group(NAME, "", "speech", items, probes)
    return [
        score
        for name in METRICS
        for score in sound_metric(name).combine(
            group,
            [(one.file, Measurement("", one.file, name, None, detail=one.details[name])) for one in heard.sentences],
        )
        if score.group == ALL
    ]


@functools.cache
def ceilings() -> Mapping[tuple[str, str], Score]:
    """The scores of recorded speech by metric and signature (see `how`); other weights have none."""
    heard = shipped()
    current = {name: str(sound_metric(name).signature()) for name in METRICS}
    if heard.signatures != current:
        return {}
    return {(score.metric, how(score)): score for score in scores_of(heard)}


def how(score: Score) -> str:
    """The signature of a score without the method of its interval, which small groups do not have."""
    return str(Signature.parse(score.signature).without("ci"))


def with_ceiling(score: Score) -> Score:
    """A score with recorded speech as a ceiling, and its interval in the detail, if it is one that has it."""
    if score.tier != "speech" or score.group not in GROUPS:
        return score
    found = ceilings().get((score.metric, how(score)))
    if found is None:
        return score
    detail = {
        "value": found.value, "low": found.low, "high": found.high, "n": found.n, "note": found.note,
        "sounds": found.detail.get("sounds"),
    }  # fmt: skip
    return msgspec.structs.replace(
        score, ceiling={**score.ceiling, NAME: found.value}, detail={**score.detail, NAME: detail}
    )
