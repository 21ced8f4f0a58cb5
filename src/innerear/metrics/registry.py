"""The table of metrics. A module is imported when its metric is first needed."""

from __future__ import annotations

import functools
import importlib
import inspect
from collections.abc import Mapping
from typing import Any, Literal, cast

from innerear import plugins
from innerear.checks import Check, Custom, kind
from innerear.errors import UsageError
from innerear.metrics.base import CheckMetric, Metric, Sound, SoundMetric, Value

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
    "f0_contour": "innerear.metrics.f0_contour:F0ContourCheck",
    "speaker": "innerear.metrics.speaker:SpeakerCheck",
    "unvoiced": "innerear.metrics.silero:UnvoicedCheck",
    "voice": "innerear.metrics.silero:VoiceCheck",
    "tune": "innerear.metrics.tune:TuneCheck",
    "groove": "innerear.metrics.groove:GrooveCheck",
    "pitches": "innerear.metrics.pitches:PitchesCheck",
    "partials": "innerear.metrics.partials:PartialsCheck",
    "band_level": "innerear.metrics.partials:BandLevelCheck",
    "shepard": "innerear.metrics.shepard:ShepardCheck",
    "cadence": "innerear.metrics.cadence:CadenceCheck",
    "decoded": "innerear.metrics.decoded:DecodedCheck",
    "echo": "innerear.metrics.echo:EchoCheck",
    "decay_time": "innerear.metrics.decay_time:DecayTimeCheck",
    "arrivals": "innerear.metrics.arrivals:ArrivalsCheck",
    "passing": "innerear.metrics.passing:PassingCheck",
    "rate": "innerear.metrics.rate:RateCheck",
}
"""By kind of check."""

SOUND_METRICS = {
    "duration_error": "innerear.metrics.signal:DurationError",
    "loudness": "innerear.metrics.signal:Loudness",
    "format": "innerear.metrics.signal:Format",
    "whisper_wer": "innerear.metrics.open_words:WhisperWer",
    "whisper_base_wer": "innerear.metrics.open_words:WhisperBaseWer",
    "whisper_in_noise": "innerear.metrics.in_noise:InNoise",
    "dnsmos": "innerear.metrics.dnsmos:Dnsmos",
}
"""By name; these measure the sound itself."""


@functools.cache
def _made(path: str) -> Any:
    module, _, attribute = path.partition(":")
    return getattr(importlib.import_module(module), attribute)()


def _plugged(group: Literal["metrics", "checks"]) -> Mapping[str, Metric]:
    """The metrics of plug-ins by name: of installed packages, and those named by the user.

    Raises:
        UsageError: one cannot be loaded, is not a metric, or has the name of another.
    """
    listed: list[tuple[plugins.Plugin | None, type[Metric]]] = []
    listed += [(plugins.find("metrics", name), SoundMetric) for name in plugins.installed("metrics")]
    listed += [(plugins.find("checks", name), CheckMetric) for name in plugins.installed("checks")]
    listed += [(plugins.find("metrics", name), Metric) for name in plugins.used()]
    return _opened(tuple(listed))[group == "checks"]


@functools.cache
def _opened(listed: tuple[tuple[plugins.Plugin | None, type[Metric]], ...]) -> tuple[Mapping[str, Metric], ...]:
    """The plugged metrics of sounds, and of checks."""
    found: dict[str, Metric] = {}
    for plugin, wanted in listed:
        assert plugin is not None, "it was just listed"
        if not (inspect.isclass(plugin.what) and issubclass(plugin.what, wanted)):
            if wanted is Metric:
                continue  # the user named a model, an embedder or a strategy
            raise UsageError(f"the plug-in {plugin.name!r} of {plugin.where} is not a subclass of {wanted.__name__}")
        try:
            metric = plugin.what()
            taken = metric.name in {*SOUND_METRICS, *CHECK_METRICS, *found}
        except (TypeError, AttributeError) as error:
            raise UsageError(f"{plugin.name} is not a whole metric: {error}") from error
        if taken:
            raise UsageError(f"{plugin.name} has the name {metric.name!r}, which another metric has; change its `name`")
        metric.plugin = plugin.stamp
        found[metric.name] = metric
    judges = {name: one for name, one in found.items() if isinstance(one, CheckMetric)}
    return {name: one for name, one in found.items() if name not in judges}, judges


class _Absent(CheckMetric[Custom]):
    """Stands for the check of a plug-in that is not here: nothing is measured."""

    def __init__(self, name: str) -> None:
        self.name, self.version = name, 0

    def is_lacking(self, wholly: bool = False) -> bool:
        """It always is."""
        return True

    def measure(self, sound: Sound, check: Custom) -> Value:
        """Nothing, and why."""
        return Value.unavailable(f"the check {self.name!r} needs its plug-in: install it, or name it with --plugin")


def check_metric(name: str) -> CheckMetric[Any]:
    """The metric of a kind of check."""
    if name in CHECK_METRICS:
        found = _made(CHECK_METRICS[name])
    else:
        found = _plugged("checks").get(name) or _Absent(name)
    return cast(CheckMetric[Any], found)


def metric_of(check: Check) -> CheckMetric[Any]:
    """The metric that measures a check."""
    return check_metric(kind(check))


def sound_metrics() -> list[SoundMetric]:
    """All metrics of the sound itself: those of the package, then those of plug-ins."""
    return [sound_metric(name) for name in (*SOUND_METRICS, *_plugged("metrics"))]


def sound_metric(name: str) -> SoundMetric:
    """A metric of the sound itself."""
    return cast(SoundMetric, _made(SOUND_METRICS[name]) if name in SOUND_METRICS else _plugged("metrics")[name])


def find(name: str) -> Metric:
    """The metric of this name, of either sort."""
    return sound_metric(name) if name in SOUND_METRICS else check_metric(name)


def every() -> list[Metric]:
    """All metrics: those of sounds, then those of checks."""
    return [*sound_metrics(), *(check_metric(name) for name in (*CHECK_METRICS, *_plugged("checks")))]
