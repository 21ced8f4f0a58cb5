"""The `informed` baseline: a probe's checks answered with pure tones and clicks.

It uses the figures in the checks (hertz, seconds, decibels, and digits and letters that tones can send), but
not the names (instruments, classes, words), which tones and clicks cannot render.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from itertools import pairwise
from typing import assert_never

from innerear import checks
from innerear.dsp.decoders.dtmf import tones_hz
from innerear.dsp.decoders.morse import elements
from innerear.dsp.repetition import EVENTS_BELOW_HZ
from innerear.records import Probe

VOICE_HZ = 180.0  # of a voice whose f0 may be any

_BODY = """\
TONES = {tones}  # start and stop in seconds, hertz at start and stop
CLICKS = {clicks}  # seconds
VIBRATO = {vibrato}  # hertz, cents
TREMOLO = {tremolo}  # hertz, share of the level
LEVEL = {level}  # decibels at start and end

sound = np.zeros(LENGTH)
for start, stop, low, high in TONES:
    first, last = round(start * RATE), min(round(stop * RATE), LENGTH)
    t = np.arange(last - first) / RATE
    hz = low * (high / low) ** (t / (stop - start))
    hz = hz * 2 ** (VIBRATO[1] / 1200 * np.sin(2 * np.pi * VIBRATO[0] * t))
    edges = np.clip(np.minimum(t / 0.005, (stop - start - t) / 0.02), 0, 1)
    sound[first:last] += edges * np.sin(2 * np.pi * np.cumsum(hz) / RATE)
for start in CLICKS:
    first = round(start * RATE)
    click = np.exp(-np.arange(441) / 60)[: LENGTH - first]
    sound[first : first + len(click)] += click
t = np.arange(LENGTH) / RATE
sound *= 1 - TREMOLO[1] * (0.5 - 0.5 * np.cos(2 * np.pi * TREMOLO[0] * t))
sound *= 10 ** (np.linspace(*LEVEL, LENGTH) / 20)
sound *= 0.5 / np.max(np.abs(sound))
"""


@dataclass
class _Sketch:
    duration_s: float
    tones: list[tuple[float, float, float, float]] = field(default_factory=list)
    clicks: list[float] = field(default_factory=list)
    vibrato: tuple[float, float] = (0, 0)
    tremolo: tuple[float, float] = (0, 0)
    level: tuple[float, float] = (0, 0)

    def tone(self, low_hz: float, high_hz: float | None = None) -> None:
        self.tones.append((0, self.duration_s, low_hz, high_hz or low_hz))

    def glides(self, hz: list[float]) -> None:
        step_s = self.duration_s / (len(hz) - 1)
        self.tones += [(i * step_s, (i + 1) * step_s, *ends) for i, ends in enumerate(pairwise(hz))]

    def steps(self, hz: list[float]) -> None:
        step_s = self.duration_s / len(hz)
        self.tones += [(i * step_s, (i + 1) * step_s, f0, f0) for i, f0 in enumerate(hz)]


def sketch(probe: Probe) -> str:
    """The part of a program that makes `sound` for this probe's checks."""
    drawn = _Sketch(probe.duration_s)
    for check in probe.expect:
        _draw(drawn, check)
    _combine(drawn, probe)
    if not drawn.tones and not drawn.clicks:
        drawn.clicks.append(0.1)
    return _BODY.format(
        tones=[tuple(round(x, 4) for x in tone) for tone in drawn.tones],
        clicks=[round(x, 4) for x in drawn.clicks],
        vibrato=drawn.vibrato,
        tremolo=drawn.tremolo,
        level=drawn.level,
    )


def _draw(drawn: _Sketch, check: checks.Check) -> None:
    match check:
        case checks.Pitch():
            drawn.tone(check.f0_hz)
        case checks.Modulation(of="f0"):
            drawn.vibrato = (check.rate_hz, check.depth_cents or 50)
        case checks.Modulation():
            drawn.tremolo = (check.rate_hz, 0.8)
        case checks.LevelTrend():
            drop = check.at_least_db + 6
            drawn.level = (-drop, 0) if check.direction == "rise" else (0, -drop)
        case checks.Notes():
            drawn.tones += [(start, stop, _hz(midi), _hz(midi)) for start, stop, midi in check.notes]
        case checks.Chord():
            for midi in check.midi:
                drawn.tone(_hz(midi))
        case checks.Onsets():
            drawn.clicks += check.times_s
        case checks.OnsetTrend():
            drawn.clicks += beats(check.from_hz, check.to_hz, drawn.duration_s)
        case checks.Doppler():
            drawn.tone(440, 440 * check.ratio_below * 0.97)
        case checks.Vowel():
            drawn.tone(check.f1_hz)
            drawn.tone(check.f2_hz)
        case checks.Tune():
            beat_s = drawn.duration_s / sum(length for _, length in check.notes)
            start = 0.0
            for midi, length in check.notes:
                drawn.tones.append((start, start + 0.9 * length * beat_s, _hz(midi), _hz(midi)))
                start += length * beat_s
        case checks.Groove():
            drawn.clicks += sorted({time for row in check.rows.values() for time in check.times_s(row)})
        case checks.Pitches():
            ends = [*check.onsets_s[1:], drawn.duration_s]
            notes = zip(check.onsets_s, ends, check.f0_hz, strict=True)
            drawn.tones += [(start, start + 0.9 * (end - start), f0, f0) for start, end, f0 in notes]
        case checks.Partials():
            for ratio in check.ratios:
                drawn.tone(check.reference_hz * ratio)
        case checks.Shepard():
            _scale(drawn, check)
        case checks.Cadence():
            drawn.tones += [(tone.start_s, tone.end_s, hz, hz) for tone in check.tones for hz in tone.hz]
        case checks.VoiceF0Steps():
            drawn.steps([(low * high) ** 0.5 for low, high in check.ranges_hz])
        case checks.Decoded(mode="dtmf"):
            for i, key in enumerate(check.text):
                drawn.tones += [(0.2 * i, 0.2 * i + 0.1, hz, hz) for hz in tones_hz(key)]
        case checks.Decoded(mode="morse"):
            spans = elements(check.text)
            dot_s = min(0.1, drawn.duration_s / (spans[-1][1] + 1))
            drawn.tones += [(start * dot_s, end * dot_s, 600, 600) for start, end in spans]
        case checks.Arrivals():
            drawn.clicks += random_times(check.rate_hz, drawn.duration_s)
        case checks.Passing():
            first, last = max(check.closest_s - 0.3, 0.1), min(check.closest_s + 0.3, drawn.duration_s - 0.1)
            drawn.tones += [
                (0, first, check.approach_hz, check.approach_hz),
                (first, last, check.approach_hz, check.recede_hz),
                (last, drawn.duration_s, check.recede_hz, check.recede_hz),
            ]
        case checks.Rate() if check.hz < EVENTS_BELOW_HZ:
            drawn.clicks += [n / check.hz for n in range(int(check.hz * drawn.duration_s))]
        case checks.Rate():
            drawn.tone(check.hz)
        case checks.F0Contour():
            drawn.glides([VOICE_HZ * 2 ** (step / 12) for step in check.semitones])
        case checks.Glide() | checks.VoiceF0() | checks.F0Trend() | checks.Events():
            pass  # `_combine` draws them
        case (
            checks.Waveform() | checks.Instrument() | checks.Label() | checks.Sequence() | checks.Together()
            | checks.Transcript() | checks.Words() | checks.Rhyme() | checks.Voice() | checks.Unvoiced()
            | checks.Speaker() | checks.BandLevel() | checks.Echo() | checks.DecayTime() | checks.Decoded()
            | checks.Custom()
        ):  # fmt: skip
            pass  # not made of a few tones and clicks
        case _:
            assert_never(check)


def _scale(drawn: _Sketch, check: checks.Shepard) -> None:
    """One pure tone that moves by the steps asked, or glides: it does rise."""
    if check.tones is None:
        drawn.tone(440, 440 * 2 ** (check.step_semitones * drawn.duration_s / 12))
    else:
        drawn.steps([440 * 2 ** (check.step_semitones * n / 12) for n in range(check.tones)])


def _combine(drawn: _Sketch, probe: Probe) -> None:
    """Apply the checks that depend on what the others drew."""
    kinds = {checks.kind(check): check for check in probe.expect}
    match kinds.get("glide"):
        case checks.Glide() as glide:
            drawn.tones = [(0, drawn.duration_s, glide.from_hz, glide.to_hz)]
    low, high = 120.0, 120.0
    match kinds.get("voice_f0"):
        case checks.VoiceF0() as voice:
            low = high = (voice.low_hz * voice.high_hz) ** 0.5
    match kinds.get("f0_trend"):
        case checks.F0Trend() as trend:
            ends = (low / 1.2, high * 1.2)
            drawn.tone(*(ends if trend.direction == "rise" else ends[::-1]))
            return
    if "voice_f0" in kinds and "pitch" not in kinds:
        drawn.tone(low)
    match kinds.get("events"):
        case checks.Events() as events if not drawn.clicks and "notes" not in kinds:
            starts = [i * drawn.duration_s / events.count for i in range(events.count)]
            length_s = 0.5 * drawn.duration_s / events.count
            if drawn.tones:
                drawn.tones = [(s, s + length_s, a, b) for s in starts for _, _, a, b in drawn.tones]
            else:
                drawn.clicks += starts


def _hz(midi: int) -> float:
    return float(440 * 2 ** ((midi - 69) / 12))


def beats(from_hz: float, to_hz: float, duration_s: float) -> list[float]:
    """Beat times in seconds at a rate that changes linearly from `from_hz` to `to_hz`."""
    slope = (to_hz - from_hz) / duration_s  # beats(t) = from_hz t + slope t² / 2
    count = int((from_hz + to_hz) / 2 * duration_s)
    if slope == 0:
        return [n / from_hz for n in range(count)]
    return [((from_hz**2 + 2 * slope * n) ** 0.5 - from_hz) / slope for n in range(count)]


def random_times(rate_hz: float, duration_s: float) -> list[float]:
    """Times of a Poisson process, the same at every call: intervals are quantiles of the exponential distribution.

    The quantiles follow the golden ratio's sequence, which is even but in no order.
    """
    found, now, n = [], 0.0, 1
    while (now := now - math.log(1 - n * 0.6180339887498949 % 1) / rate_hz) < duration_s:
        found.append(now)
        n += 1
    return found
