"""The table of metrics. A module is imported when its metric is first needed."""

from __future__ import annotations

import functools
import importlib
from typing import Any

from innerear.checks import Check, kind
from innerear.metrics.base import CheckMetric, Metric, SoundMetric

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


def check_metric(name: str) -> CheckMetric[Any]:
    """The metric of a kind of check."""
    metric: CheckMetric[Any] = _made(CHECK_METRICS[name])
    return metric


def metric_of(check: Check) -> CheckMetric[Any]:
    """The metric that measures a check."""
    return check_metric(kind(check))


def sound_metric(name: str) -> SoundMetric:
    """A metric of the sound itself."""
    metric: SoundMetric = _made(SOUND_METRICS[name])
    return metric


def find(name: str) -> Metric:
    """The metric of this name, of either sort."""
    return check_metric(name) if name in CHECK_METRICS else sound_metric(name)


def every() -> list[Metric]:
    """All metrics: those of sounds, then those of checks."""
    return [find(name) for name in (*SOUND_METRICS, *CHECK_METRICS)]
