"""An expert's brief for a probe: exact figures from its checks, and how to build such sounds.

The figures are those that the checks use. The sentences on instruments, sounds and
phones are textbook acoustics (Fletcher and Rossing, "The Physics of Musical Instruments", 1998;
Klatt, "Software for a cascade/parallel formant synthesizer", 1980), in round figures.
"""

from __future__ import annotations

import functools
from importlib import resources
from typing import Any

import msgspec

from innerear import checks
from innerear.records import Probe

_NOTES = ["C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B"]
_SHAPES = {
    "sine": "Only the fundamental; no other partial.",
    "square": "Odd harmonics n = 1, 3, 5 … at 1/n, all below 20 kHz, in sine phase; no even harmonics.",
    "sawtooth": "All harmonics n = 1, 2, 3 … at 1/n, all below 20 kHz, in sine phase.",
    "triangle": "Odd harmonics at 1/n² with alternating sign, in sine phase; no even harmonics.",
}


class Lore(msgspec.Struct, frozen=True):
    """`lore.json`: instruments by a word of the caption, sounds by label, words to phones, phones to figures."""

    instruments: dict[str, str]
    labels: dict[str, str]
    words: dict[str, str]
    phones: dict[str, str]


@functools.cache
def lore() -> Lore:
    """Load `lore.json`."""
    return msgspec.json.decode(resources.files(__package__).joinpath("lore.json").read_bytes(), type=Lore)


def brief_details(probe: Probe) -> list[str]:
    """Sentences with exact figures, in the order of the probe's checks."""
    return [line for check in probe.expect for line in _lines(check, probe)]


def _lines(check: Any, probe: Probe) -> list[str]:
    match check:
        case checks.Pitch():
            return [f"Fundamental: {check.f0_hz:.2f} Hz, within {check.tolerance_cents:g} cents, all the time."]
        case checks.Waveform():
            return [_SHAPES[check.shape]]
        case checks.Instrument():
            caption = probe.caption.lower()
            word = next((word for word in lore().instruments if word in caption), None)
            return [lore().instruments[word]] if word else []
        case checks.Modulation():
            what = "fundamental" if check.of == "f0" else "level"
            depth = f", {check.depth_cents:g} cents to each side" if check.depth_cents else ""
            return [f"The {what} swings as a sine at {check.rate_hz:g} Hz{depth}."]
        case checks.Glide():
            slide = f"from {check.from_hz:.2f} Hz to {check.to_hz:.2f} Hz over the whole {probe.duration_s:g} s"
            return [f"The fundamental slides evenly in semitones {slide}: f(t) = f0 · (f1/f0)^(t/T)."]
        case checks.LevelTrend():
            return [f"The level {check.direction}s by at least {check.at_least_db + 6:g} dB from start to end."]
        case checks.Notes():
            notes = (f"{start:g} s {_note(midi)} ({_hz(midi):.2f} Hz)" for start, _, midi in check.notes)
            return [f"Notes, each with a clear attack at its time: {', '.join(notes)}."]
        case checks.Events():
            return [f"Exactly {check.count} separate events, each with a sharp start, silence between them."]
        case checks.Chord():
            tones = ", ".join(f"{_note(midi)} {_hz(midi):.2f} Hz" for midi in check.midi)
            return [f"Tones, all at the same level and for the whole time: {tones}."]
        case checks.Onsets():
            return [f"Onsets at exactly {', '.join(f'{time:.3f}' for time in check.times_s)} s, and no others."]
        case checks.OnsetTrend():
            return [f"The rate of strokes moves evenly from {check.from_hz:g} Hz to {check.to_hz:g} Hz."]
        case checks.Label():
            return [known for known in [lore().labels.get(check.label)] if known]
        case checks.Sequence():
            known = [lore().labels[label] for label in check.labels if label in lore().labels]
            return [f"One after the other: {' Then: '.join(known)}"] if known else []
        case checks.Together():
            known = [lore().labels[label] for label in check.labels if label in lore().labels]
            return [f"At the same time: {' And: '.join(known)}"] if known else []
        case checks.Doppler():
            ratio = f"its pitch at the end at most {check.ratio_below:g} of that at the start"
            return [f"It passes in the middle, loudest there, {ratio}, the fall within about one second."]
        case checks.Vowel():
            resonances = f"F1 {check.f1_hz:.0f} Hz, F2 {check.f2_hz:.0f} Hz, F3 near 2500 Hz (higher for /i/: 3000 Hz)"
            return [f"Glottal pulses through resonances at {resonances}, 60 to 150 Hz wide, steady."]
        case checks.VoiceF0():
            return [f"The voice's fundamental lies between {check.low_hz:g} and {check.high_hz:g} Hz."]
        case checks.VoiceF0Steps():
            ranges = ", then ".join(f"{low:g} to {high:g} Hz" for low, high in check.ranges_hz)
            return [f"The voices' fundamentals, one after the other: {ranges}."]
        case checks.Transcript(text=text) | checks.Words(text=text) | checks.Rhyme(word=text):
            return _spoken(text)
        case checks.F0Trend():
            return [f"In its last third the fundamental {check.direction}s by half an octave or more."]
        case checks.Unvoiced():
            return ["No glottal pulses anywhere: the same resonances driven by noise."]
        case _:
            return ["A human voice: glottal pulses through moving resonances, a little jitter and vibrato."]


def _spoken(text: str) -> list[str]:
    words = "".join(letter if letter.isalpha() or letter in " '" else " " for letter in text.lower()).split()
    known = lore()
    if unknown := sorted(set(words) - set(known.words)):
        return [f"Say each word clearly; {', '.join(repr(word) for word in unknown)} as a dictionary gives it."]
    phones = [known.words[word].split() for word in words]
    used = list(dict.fromkeys(phone for word in phones for phone in word))
    return [
        f"Phones: {' | '.join(' '.join(word) for word in phones)}.",
        "Move F1, F2 and F3 smoothly over 40 to 60 ms from phone to phone; a consonant 50 to 80 ms, a vowel 80 to 200.",
        "Figures: " + " ".join(f"{phone}: {known.phones[phone]};" for phone in used).rstrip(";") + ".",
    ]


def _hz(midi: int) -> float:
    return float(440 * 2 ** ((midi - 69) / 12))


def _note(midi: int) -> str:
    return f"{_NOTES[midi % 12]}{midi // 12 - 1}"
