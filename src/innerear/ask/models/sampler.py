"""`baseline/sampler`: recorded instruments, played from the probe's checks; a ceiling for timbre.

A General MIDI soundfont played by fluidsynth (see `render.tools`). Answers only probes of tier notes that
ask for an instrument.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from innerear import checks
from innerear.ask.models.base import Local, Options, Reply
from innerear.ask.models.informed import beats
from innerear.records import Message, Probe
from innerear.render.tools import recording, soundfont

PROGRAMS = {  # General MIDI programs from 0, by the first of these words in the caption
    "music box": 10, "tubular bell": 14, "church bell": 14, "tower bell": 14, "electric organ": 17, "organ": 19,
    "accordion": 21, "electric bass": 33, "double bass": 32, "nylon": 24, "guitar": 25, "mandolin": 25, "piano": 0,
    "violin": 40, "cello": 42, "harpsichord": 6, "harp": 46, "choir": 52, "trumpet": 56, "trombone": 57, "tuba": 58,
    "french horn": 60, "saxophone": 66, "oboe": 68, "bassoon": 70, "clarinet": 71, "flute": 73, "synthesizer": 80,
    "marimba": 12, "xylophone": 13, "vibraphone": 11, "glockenspiel": 9, "kettledrum": 47,
}  # fmt: skip
"""The electric organ is 17 because 16 also sounds an octave below."""
KEYS = {
    "woodblock": (76, 77), "wood block": (76,), "rim click": (37,), "clave": (75,), "ride cymbal": (51,),
    "metronome": (76,), "drum kit": (42, 36, 38), "drum machine": (42, 36, 38),
}  # fmt: skip
"""Keys of the percussion channel."""
HITS = {"open hi-hat": ("hihat", 46), "clap": ("snare", 39), "cross-stick": ("snare", 37)}
"""Words of a groove's prompt that ask for another sound of a row."""
GAP_S = 0.03  # between notes of which each has its own bend
DRUMS = 9  # the percussion channel
RINGING = (
    "music box",
    "bell",
    "piano",
    "harpsichord",
    "xylophone",
    "kettledrum",
    "guitar",
    "bass",
    "harp",
    "marimba",
    "vibraphone",
    "glockenspiel",
    "mandolin",
)
TICKS_PER_S = 960  # 480 ticks per beat at 120 beats per minute
VELOCITY = 100
STEP_S = 0.01  # between values of a moving controller
BELL_MIDI = 67  # for bells without a requested pitch

Event = tuple[float, int, bytes]
"""Seconds, order among those at the same time, message."""


class Sampler(Local):
    """Answers with the name of a sound that fluidsynth makes at the render stage."""

    def __init__(self, options: Options) -> None:
        self.name = "baseline/sampler"
        self._font = soundfont()

    def identity(self, probe: Probe, attempt: int) -> str | None:
        """The MIDI file to play; `None` if no instrument is asked for."""
        events = score(probe)
        return recording("fluidsynth", {"soundfont": self._font.name, "midi": midi_file(events)}) if events else None

    async def ask(self, probe: Probe, messages: Sequence[Message], attempt: int) -> Reply:
        """The name of the sound."""
        return Reply("", recording=self.identity(probe, attempt))


def score(probe: Probe) -> list[Event] | None:
    """The MIDI events for a probe's checks; `None` unless it is of tier notes and asks for an instrument."""
    caption = probe.caption.lower()
    if any(isinstance(check, checks.Tune) for check in probe.expect):
        caption = caption.partition(" playing ")[0]  # a title may name another instrument
    if any(isinstance(check, checks.Pitches) for check in probe.expect):
        caption = probe.details.lower()
    drums = next((keys for word, keys in KEYS.items() if word in caption), None)
    program = next((number for word, number in PROGRAMS.items() if word in caption), None)
    if probe.tier != "notes" or (drums is None and program is None):
        return None
    part = _Part(DRUMS if drums else 0, probe.duration_s, any(word in caption for word in RINGING))
    if drums is None and program is not None:
        part.send(0.0, 0xC0, program)
    for check in probe.expect:
        if isinstance(check, checks.Groove):
            _groove(part, check, f"{probe.caption} {probe.details}")
        else:
            _play(part, check, drums)
    if not part.notes:
        part.note(0.0, probe.duration_s, BELL_MIDI)
    return part.events if part.notes else None


class _Part:
    """One channel's messages."""

    def __init__(self, channel: int, duration_s: float, rings: bool) -> None:
        self.channel, self.duration_s, self.rings = channel, duration_s, rings
        self.events: list[Event] = []
        self.notes = 0

    def send(self, time_s: float, status: int, *data: int) -> None:
        order = {0x80: 0, 0x90: 2}.get(status, 1)  # a note ends before the next begins
        self.events.append((time_s, order, bytes([status | self.channel, *data])))

    def note(self, start_s: float, stop_s: float, key: int) -> None:
        self.notes += 1
        self.send(start_s, 0x90, key, VELOCITY)
        self.send(stop_s, 0x80, key, 0)

    def bend_range(self, semitones: int) -> None:
        for controller, value in ((101, 0), (100, 0), (6, semitones), (38, 0)):
            self.send(0.0, 0xB0, controller, value)

    def bend(self, time_s: float, share: float) -> None:
        """`share` from -1 to 1 of the range."""
        value = min(16383, max(0, round(8192 + 8192 * share)))
        self.send(time_s, 0xE0, value & 127, value >> 7)

    def times(self) -> list[float]:
        return [n * STEP_S for n in range(int(self.duration_s / STEP_S))]


def _play(part: _Part, check: checks.Check, drums: tuple[int, ...] | None) -> None:
    match check:
        case checks.Pitch():
            part.note(0.0, part.duration_s, _midi(check.f0_hz))
        case checks.Notes():
            for start, stop, midi in check.notes:
                part.note(start, stop, midi)
        case checks.Chord():
            for midi in check.midi:
                part.note(0.0, part.duration_s, midi)
        case checks.Tune():
            beat_s = (part.duration_s - 0.2) / sum(beats for _, beats in check.notes)
            at_s = 0.0
            for midi, count in check.notes:
                part.note(at_s, at_s + count * beat_s - GAP_S, midi)
                at_s += count * beat_s
        case checks.Pitches():
            ends_s = [*check.onsets_s[1:], part.duration_s]
            for hz, start_s, stop_s in zip(check.f0_hz, check.onsets_s, ends_s, strict=True):
                key = _midi(hz)
                part.bend(start_s, (69 + 12 * math.log2(hz / 440) - key) / 2)
                part.note(start_s, stop_s - GAP_S, key)
        case checks.Partials() if check.tolerance_cents > 20:  # no instrument has a stiffness given in numbers
            part.note(0.0, part.duration_s, _midi(check.reference_hz))
        case checks.Onsets():
            for place, time_s in enumerate(check.times_s):
                for key in _struck(place, drums):
                    part.note(time_s, time_s + 0.1 if drums else time_s + 0.4, key)
        case checks.OnsetTrend():
            for time_s in beats(check.from_hz, check.to_hz, part.duration_s):
                part.note(time_s, time_s + 0.1, drums[0] if drums else BELL_MIDI)
        case checks.Modulation(of="f0"):
            for time_s in part.times():
                swing = math.sin(2 * math.pi * check.rate_hz * time_s)
                part.bend(time_s, (check.depth_cents or 50) / 200 * swing)
        case checks.Modulation():
            _repeat(part, check.rate_hz)
        case checks.Glide():
            cents = 1200 * math.log2(check.to_hz / check.from_hz)
            part.bend_range(12)
            part.note(0.0, part.duration_s, _midi(check.from_hz))
            for time_s in part.times():
                part.bend(time_s, cents / 1200 * time_s / part.duration_s)
        case checks.LevelTrend() if not part.rings:
            for time_s in part.times():
                share = time_s / part.duration_s if check.direction == "rise" else 1 - time_s / part.duration_s
                part.send(time_s, 0xB0, 11, round(30 + 97 * share))


def _groove(part: _Part, check: checks.Groove, text: str) -> None:
    """Drums on the percussion channel; a low and a high row as a bass note and a chord."""
    keys = {"kick": [36], "snare": [38], "hihat": [42], "low": [48], "high": [60, 64, 67]}
    keys |= {row: [key] for words, (row, key) in HITS.items() if words in text}
    step_s = 60 / check.bpm / check.steps_per_beat
    for bar in range(check.bars):
        for row, sounds in keys.items():
            for step in getattr(check, row) or ():
                start_s = (bar * check.beats_per_bar * check.steps_per_beat + step) * step_s
                for key in sounds:
                    part.note(start_s, start_s + step_s, key)


def _struck(place: int, drums: tuple[int, ...] | None) -> list[int]:
    """The keys at an onset: a waltz on a piano, a rock beat, three against two, or one key."""
    if drums is None:
        return [48] if place % 3 == 0 else [60, 64, 67]
    if len(drums) == 3:
        hat, kick, snare = drums
        return [hat, *([kick] if place % 4 == 0 else []), *([snare] if place % 4 == 2 else [])]
    if len(drums) == 2:
        return [[*drums], [drums[0]], [drums[1]], [drums[0]]][place % 4]
    return [drums[0]]


def _repeat(part: _Part, rate_hz: float) -> None:
    """Replace the note by repeated strokes of it."""
    key = next(message[1] for _, _, message in part.events if message[0] & 0xF0 == 0x90)
    part.events = [event for event in part.events if event[2][0] & 0xF0 not in (0x80, 0x90)]
    for n in range(int(rate_hz * part.duration_s)):
        part.note(n / rate_hz, (n + 0.95) / rate_hz, key)


def _midi(f0_hz: float) -> int:
    return round(69 + 12 * math.log2(f0_hz / 440))


def midi_file(events: Sequence[Event]) -> str:
    """A Standard MIDI File of format 0 (RP-001), 480 ticks per beat at 120 beats per minute, in hexadecimal."""
    track, at = bytearray(), 0
    for time_s, _, message in sorted(events, key=lambda event: (event[0], event[1])):
        tick = round(time_s * TICKS_PER_S)
        track += _length(tick - at) + message
        at = tick
    track += _length(TICKS_PER_S) + b"\xff\x2f\x00"
    header = b"MThd" + (6).to_bytes(4, "big") + b"\x00\x00\x00\x01" + (480).to_bytes(2, "big")
    return (header + b"MTrk" + len(track).to_bytes(4, "big") + bytes(track)).hex()


def _length(ticks: int) -> bytes:
    """A variable-length quantity."""
    groups = [ticks & 127]
    while ticks := ticks >> 7:
        groups.insert(0, (ticks & 127) | 128)
    return bytes(groups)
