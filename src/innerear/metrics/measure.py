"""Metrics: `measure` makes a value of one sound, `innerear.scores.score` combines values over a group.

Each kind of check has one metric of the same name.
"""

from __future__ import annotations

import functools
import hashlib
import importlib
import logging
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from importlib import resources
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Protocol, cast

from innerear.checks import Check, kind
from innerear.clip import Clip
from innerear.records import Measurement, Probe, Render, digest

if TYPE_CHECKING:
    from innerear.records import Item


@dataclass(frozen=True)
class Sound:
    """One sound and what was asked: what a metric may look at."""

    probe: Probe
    render: Render
    clip: Clip | None
    remark: str = ""  # of a recording that is not quite what was asked, such as "another pitch"


def sound_of(item: Item, clip: Clip | None = None) -> Sound:
    """The sound of an item of a run."""
    recorded = item.completion.recording is not None
    return Sound(item.probe, item.render, clip, (item.completion.finish_reason or "") if recorded else "")


@dataclass(frozen=True)
class Value:
    """What a metric found. `value=None`: not measurable, or nothing to give a number to; see `reason`."""

    value: float | None
    passed: bool | None = None
    reason: str = ""
    detail: dict[str, Any] = field(default_factory=dict)


class CheckMetric(Protocol):
    """Measures one kind of check on a clip that is there."""

    name: str
    version: int
    unit: str

    def measure(self, sound: Sound, check: Any) -> Value: ...  # noqa: D102


class SoundMetric(Protocol):
    """Measures every sound that it applies to."""

    name: str
    version: int
    unit: str

    def applies(self, probe: Probe) -> bool:
        """Whether it says anything of a sound for this probe."""
        return True

    def measure(self, sound: Sound) -> Value: ...  # noqa: D102


CHECK_METRICS = {
    "pitch": "innerear.metrics.pitch:PitchCheck",
    "notes": "innerear.metrics.notes:NotesCheck",
    "chord": "innerear.metrics.spectrum:ChordCheck",
    "onsets": "innerear.metrics.onsets:OnsetsCheck",
    "onset_trend": "innerear.metrics.onsets:OnsetTrendCheck",
    "events": "innerear.metrics.onsets:EventsCheck",
    "waveform": "innerear.metrics.spectrum:WaveformCheck",
    "modulation": "innerear.metrics.motion:ModulationCheck",
    "glide": "innerear.metrics.motion:GlideCheck",
    "instrument": "innerear.metrics.instrument:InstrumentCheck",
    "level_trend": "innerear.metrics.motion:LevelTrendCheck",
    "label": "innerear.metrics.classes:LabelCheck",
    "sequence": "innerear.metrics.scene:SequenceCheck",
    "together": "innerear.metrics.scene:TogetherCheck",
    "doppler": "innerear.metrics.doppler:DopplerCheck",
    "transcript": "innerear.metrics.words:TranscriptCheck",
    "words": "innerear.metrics.open_words:WordsCheck",
    "rhyme": "innerear.metrics.closed_set:RhymeCheck",
    "vowel": "innerear.metrics.formants:VowelCheck",
    "voice_f0": "innerear.metrics.voice:VoiceF0Check",
    "voice_f0_steps": "innerear.metrics.voice:VoiceF0StepsCheck",
    "f0_trend": "innerear.metrics.voice:F0TrendCheck",
    "unvoiced": "innerear.metrics.silero:UnvoicedCheck",
    "voice": "innerear.metrics.silero:VoiceCheck",
}
SOUND_METRICS = {
    "duration_error": "innerear.metrics.signal:DurationError",
    "loudness": "innerear.metrics.signal:Loudness",
    "format": "innerear.metrics.signal:Format",
    "whisper_wer": "innerear.metrics.open_words:WhisperWer",
    "whisper_base_wer": "innerear.metrics.open_words:WhisperBaseWer",
    "whisper_in_noise": "innerear.metrics.in_noise:InNoise",
    "dnsmos": "innerear.metrics.dnsmos:Dnsmos",
}
ON_REQUEST = ("whisper_base_wer", "whisper_in_noise", "dnsmos")
"""Metrics that take so long that they are measured only where they are asked for."""

FITTED = {
    "instrument": "instrument.npz",
    "label": "label.npz",
    "sequence": "label.npz",
    "together": "label.npz",
    "transcript": "words.npz",
    "words": "pronunciations.txt.xz",
    "rhyme": "pronunciations.txt.xz",
    "whisper_wer": "pronunciations.txt.xz",
    "whisper_base_wer": "pronunciations.txt.xz",
    "whisper_in_noise": "pronunciations.txt.xz",
    "vowel": "vowels.csv",
}
"""What metrics rest on that was learnt from sounds: files of this package. Another file is another metric."""

WEIGHTS = {
    "instrument": ("yamnet", "aisfx"),
    "label": ("yamnet", "aisfx"),
    "sequence": ("yamnet", "aisfx"),
    "together": ("yamnet", "aisfx"),
    "voice": ("silero-vad",),
    "unvoiced": ("silero-vad",),
    "transcript": ("whisper-tiny.en", "silero-vad"),
    "words": ("whisper-tiny.en", "silero-vad"),
    "rhyme": ("whisper-tiny.en", "silero-vad"),
    "whisper_wer": ("whisper-tiny.en", "silero-vad"),
    "whisper_base_wer": ("whisper-base.en", "silero-vad"),
    "whisper_in_noise": ("whisper-tiny.en", "silero-vad"),
    "dnsmos": ("dnsmos",),
}
"""The weights that metrics run on, by their name in the table of weights. Other weights are another metric."""

PACKAGES = {
    "yamnet": ("ai_edge_litert",),
    "aisfx": ("onnxruntime",),
    "silero-vad": ("onnxruntime",),
    "dnsmos": ("onnxruntime",),
    "whisper-tiny.en": ("ctranslate2", "tokenizers"),
    "whisper-base.en": ("ctranslate2", "tokenizers"),
}
"""The packages, by the name they are imported by, that run those weights: extras of this package."""

NO_SOUND = "no sound"
EXCUSED = {
    "another pitch": {"pitch"},
    "another text": {"transcript", "words", "whisper_wer", "whisper_base_wer", "whisper_in_noise"},
}
"""Checks that a recording cannot be held to, by what is remarked of it."""
UNAVAILABLE = "not measured here"
FAILED = f"{UNAVAILABLE}: the metric failed"


def find_metric(path: str) -> Any:
    """The metric at `module:Class`."""
    module, _, attribute = path.partition(":")
    return getattr(importlib.import_module(module), attribute)()


def signature(metric: CheckMetric | SoundMetric) -> str:
    """The metric's name and version, and the digest of what it is fitted to, as they stand in keys and scores."""
    fitted = f"|fit:{_content(FITTED[metric.name])}" if metric.name in FITTED else ""
    weights = ",".join(map(_weights, WEIGHTS.get(metric.name, ())))
    return f"{metric.name}|v:{metric.version}{fitted}{f'|weights:{weights}' if weights else ''}"


@functools.cache
def _content(file: str) -> str:
    return hashlib.sha256(resources.files(__package__).joinpath(file).read_bytes()).hexdigest()[:8]


@functools.cache
def _weights(model: str) -> str:
    from innerear.embed.weights import find

    return f"{model}@{digest('weights', *(source.checksum for source in find(model)))[:8]}"


def keys(subject: str, sound: Sound) -> Iterator[tuple[str, str, Check | None]]:
    """For each metric that applies to a sound: the key of its row, its name, and its check."""
    for name, path in SOUND_METRICS.items():
        metric: SoundMetric = find_metric(path)
        if metric.applies(sound.probe):
            yield _key(subject, sound, metric, None), name, None
    for check in sound.probe.expect:
        name = kind(check)
        yield _key(subject, sound, find_metric(CHECK_METRICS[name]), check), name, check


def _key(subject: str, sound: Sound, metric: CheckMetric | SoundMetric, check: Check | None) -> str:
    how = signature(metric)
    remark = [sound.remark] if sound.remark else []
    return digest("measurement", subject, sound.render.audio, sound.probe.duration_s, how, check, *remark)


def measure(subject: str, sound: Sound, wanted: Collection[str] | None = None) -> list[Measurement]:
    """What is measured of one sound: one row a metric and check.

    A check on a sound that is not there has failed; other metrics have no value then. `wanted`: the
    keys of the rows to be made; all but those of `ON_REQUEST` unless it is given.
    """
    rows = []
    for key, name, check in keys(subject, sound):
        if name in ON_REQUEST if wanted is None else key not in wanted:
            continue
        if sound.clip is None:
            value = Value(None, None if check is None else False, NO_SOUND)
        elif name in EXCUSED.get(sound.remark, ()):
            value = Value(None, None, f"not judged: the recording has {sound.remark}")
        else:
            value = _value(name, sound, check)
        if value.reason.startswith(UNAVAILABLE):
            key = _unavailable(key)
        rows.append(Measurement(key, subject, name, value.value, value.passed, value.reason, value.detail))
    return rows


def _value(name: str, sound: Sound, check: Check | None) -> Value:
    """What a metric finds; a fault of its own costs this one number, and neither the sound nor the run."""
    try:
        if check is not None:
            return cast(CheckMetric, find_metric(CHECK_METRICS[name])).measure(sound, check)
        return cast(SoundMetric, find_metric(SOUND_METRICS[name])).measure(sound)
    except Exception as error:
        logging.getLogger("innerear").warning("%s failed on a sound for %s", name, sound.probe.id, exc_info=True)
        return Value(None, None, f"{FAILED} with {type(error).__name__}: {error}")


def rows_of(found: Mapping[str, Measurement], subject: str, sound: Sound) -> list[Measurement]:
    """The rows of a sound that are there, in the order of `keys`.

    A row that failed because a dependency is missing has its own key, so it is measured again once that
    is installed; until then it is the sound's row.
    """
    rows = (found.get(key) or found.get(_unavailable(key)) for key, _, _ in keys(subject, sound))
    return [row for row in rows if row is not None]


def is_settled(found: Mapping[str, Measurement], key: str, name: str) -> bool:
    """Whether the row of this key and metric is there, or its metric still lacks what it lacked.

    A row that says "not measured here" is measured again once the weights and packages of its metric
    are here, and not before: nothing is fetched for it.
    """
    return key in found or (_unavailable(key) in found and _lacks(name))


def _lacks(name: str) -> bool:
    """Whether weights or packages of a metric are not on this machine. Nothing is fetched or read."""
    from innerear.embed.weights import is_here

    models = WEIGHTS.get(name, ())
    packages = {package for model in models for package in PACKAGES.get(model, ())}
    return not models or not all(map(find_spec, packages)) or not all(map(is_here, models))


def is_unavailable(row: Measurement) -> bool:
    """Whether a row says that this machine lacks what its metric needs."""
    return row.reason.startswith(UNAVAILABLE)


def _unavailable(key: str) -> str:
    return digest("unavailable", key)
