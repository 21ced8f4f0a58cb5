"""Sounds that the check `speaker` is tried on: men, women and children, and voices with the f0 of one and the tract
of another.

Men and women are real: 52 readers of LibriSpeech, whose sex is taken from f0 (below 145 Hz; 175 to 250 Hz; the
others are left out), LJSpeech, CMU ARCTIC and the Free Spoken Digit Dataset. No recorded children are here: they are
women and men with a scaled vocal tract and a child's f0, and so count as synthetic, as do strings of vowels by source
and filter. Talkers by espeak-ng and flite are shown: of theirs it is known only what they are called.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from innerear.checks import Check, Speaker
from innerear.clip import Clip, read_mono
from innerear.dsp.voice import track_voice
from innerear.lab import sounds as make
from innerear.lab import voices
from innerear.lab.sounds import Bank, Floats
from innerear.lab.speech import SPEECH_RATE, _clip, _revoiced, _some
from innerear.lab.tools import Pairs, Rng, seeded
from innerear.metrics.formants import vowels
from innerear.metrics.verified import Trial
from innerear.render.talkers import can_say, say

F0_HZ = {"man": (85.0, 150.0), "woman": (175.0, 240.0), "child": (255.0, 340.0)}
SCALE = {"man": (0.92, 1.04), "woman": (1.12, 1.21), "child": (1.30, 1.44)}
"""Of the formants, re the men of the table of vowels: J. Hillenbrand and others, JASA 1995; for children of about six
S. Lee, A. Potamianos, S. Narayanan, JASA 1999, and the vocal tracts (12 cm) of W. T. Fitch, J. Giedd, JASA 1999."""
WHO = tuple(F0_HZ)
MEN_BELOW_HZ, WOMEN_HZ = 145.0, (175.0, 250.0)
DRAWS = 30  # of each group and maker
LONGEST_S = 3.0  # of real speech
TALKERS = {
    "man": ("espeak-ng:en-us+m1", "espeak-ng:en-us+m3", "espeak-ng:en-gb+m7", "flite:rms", "flite:awb", "flite:kal16"),
    "woman": ("espeak-ng:en-us+f1", "espeak-ng:en-us+f2", "espeak-ng:en-gb+f3", "espeak-ng:en-us+f4", "flite:slt"),
}
TEXTS = (
    "We meet at nine near the old bridge.", "The boy was there when the sun rose.", "Nobody heard the bell.",
)  # fmt: skip


def speaker(pairs: Pairs, bank: Bank | None) -> Iterator[Trial]:
    """Each group by several makers; the same sounds asked for another group, and voices that are of none."""
    people = _people(bank)
    for who in WHO:
        check = Speaker(kind=who)  # type: ignore[arg-type]
        others = [other for other in WHO if other != who]
        rng = seeded("speaker", who)
        for _ in range(DRAWS):
            other = others[int(rng.integers(2))]
            yield Trial("synthetic", check, _vowels(who, who, rng), who)
            yield Trial("kind", check, _vowels(other, other, rng), other)
            yield Trial("f0 alone", check, _vowels(who, other, rng), f"{other} with the f0 of a {who}")
            yield Trial("formants alone", check, _vowels(other, who, rng), f"{who} with the f0 of a {other}")
        yield from _real(who, check, people, rng)
        yield from _voiceless(check, bank, who, rng)
        if can_say("espeak-ng") and can_say("flite"):
            for talker in TALKERS.get(who, ()):
                for text in TEXTS:
                    yield Trial(f"by {talker.split(':')[0]}", check, say(text, talker), talker)


def _people(bank: Bank | None) -> dict[str, list[tuple[str, Floats]]]:
    """(name, up to 3 s of speech) of men and women."""
    found: dict[str, list[tuple[str, Floats]]] = {"man": [], "woman": []}
    known = {"us_aew": "man", "us_axb": "woman", "LJ (Linda Johnson)": "woman"}
    digits: dict[str, int] = {}
    readers: set[str] = set()
    for row in bank.speech if bank else ():
        if row["set"] not in ("LibriSpeech", "LJSpeech", "CMU ARCTIC", "FSDD") or row["speaker"] in readers:
            continue
        if row["set"] == "FSDD":
            digits[row["speaker"]] = digits.get(row["speaker"], 0) + 1
            if digits[row["speaker"]] > 3:
                continue
        elif row["set"] == "LibriSpeech":
            readers.add(row["speaker"])
        samples = read_mono(bank.folder / row["file"], SPEECH_RATE).mono.astype(np.float64)  # type: ignore[union-attr]
        speech = samples[: round(LONGEST_S * SPEECH_RATE)]
        who = "man" if row["set"] == "FSDD" else known.get(row["speaker"]) or _by_f0(speech)
        if who:
            found[who].append((row["file"], speech))
    return found


def _by_f0(speech: Floats) -> str | None:
    track = track_voice(_clip(speech))
    if not track.voiced.any():
        return None
    f0_hz = float(np.median(track.f0_hz[track.voiced]))
    return "man" if f0_hz < MEN_BELOW_HZ else "woman" if WOMEN_HZ[0] < f0_hz < WOMEN_HZ[1] else None


def _real(who: str, check: Check, people: dict[str, list[tuple[str, Floats]]], rng: Rng) -> Iterator[Trial]:
    """Men and women as they were recorded; others with the f0 or the formants of the group asked, or both."""
    everyone = [(other, name, speech) for other, of in people.items() for name, speech in of]
    strangers = [one for one in everyone if one[0] != who]
    for _, name, speech in _some([one for one in everyone if one[0] == who], DRAWS, rng):
        yield Trial("real", check, _clip(speech), name)
    for _, name, speech in _some(strangers, DRAWS, rng):
        yield Trial("kind", check, _clip(speech), name)
    for other, name, speech in _some(strangers, DRAWS, rng):
        f0_hz, scale = (float(rng.uniform(*of[who])) for of in (F0_HZ, SCALE))
        yield Trial("f0 alone", check, _changed(speech, 1.0, f0_hz, rng), f"{name} at {f0_hz:.0f} Hz")
        ratio = scale / float(np.mean(SCALE[other]))
        yield Trial("formants alone", check, _changed(speech, ratio, None, rng), f"{name} scaled {ratio:.2f}")
        if who == "child":
            yield Trial("synthetic", check, _changed(speech, ratio, f0_hz, rng), f"{name} scaled {ratio:.2f}")


def _changed(speech: Floats, ratio: float, f0_hz: float | None, rng: Rng) -> Clip:
    """Speech with its formants scaled and its median f0 set; `None`: with the f0 that it has."""
    scaled = make.resampled(speech, ratio) if abs(ratio - 1) > 1e-3 else speech
    track = track_voice(_clip(speech))
    if track.voiced.sum() < 2:
        return _clip(scaled)
    f0s = track.f0_hz[track.voiced]
    times = track.times_s[track.voiced] / ratio
    moved = np.interp(np.arange(len(scaled)) / SPEECH_RATE, times, f0s)
    return _revoiced(scaled, moved * (f0_hz / float(np.median(f0s)) if f0_hz else 1.0), rng)


def _vowels(f0_of: str, formants_of: str, rng: Rng) -> Clip:
    """Five to eight vowels that run into each other, with a falling melody, by source and filter."""
    base, scale = float(rng.uniform(*F0_HZ[f0_of])), float(rng.uniform(*SCALE[formants_of]))
    chosen = [list(vowels("men").values())[place] for place in rng.permutation(12)[: int(rng.integers(5, 9))]]
    each_s = float(rng.uniform(0.14, 0.26))
    t = make.seconds(each_s * len(chosen))
    melody = np.interp(t, np.linspace(0, t[-1], 6), rng.uniform(-2, 2, 6)) - 2 * t / t[-1]
    source = voices.pulses(base * 2 ** ((melody + 1) / 12), rng, breath=float(rng.uniform(0.005, 0.03)))
    total = np.zeros(len(t))
    for place, spoken in enumerate(chosen):
        formants = (spoken.f1_hz, spoken.f2_hz, max(2500.0, spoken.f2_hz + 350), 3500.0, 4500.0)
        share = np.clip(1.5 - np.abs(t / each_s - place - 0.5) * 2, 0, 1)
        total += share * voices.resonate(source, [hz * scale for hz in formants])
    made = make.noisy(
        make.room(make.edges(total, 0.03, 0.08), rng, float(rng.uniform(0, 0.2))), rng, float(rng.uniform(25, 50))
    )
    return make.clip(np.pad(made, round(0.1 * make.SAMPLE_RATE)))


def _voiceless(check: Check, bank: Bank | None, who: str, rng: Rng) -> Iterator[Trial]:
    """The f0 of the group, in semitones that move, without a voice; and music."""
    for _ in range(DRAWS):
        f0_hz = float(rng.uniform(*F0_HZ[who]))
        for column, tone in (("bare tone", make.sine), ("buzz", make.reed)):
            yield Trial(column, check, make.clip(tone(f0_hz, 1.5, rng)), f"{f0_hz:.0f} Hz")
    for note in _some(bank.all if bank else [], DRAWS, rng):
        yield Trial("music", check, make.clip(note.samples()), note.path.name)
    for row in _some([row for row in bank.speech if row["set"] == "LibriSpeech"] if bank else [], 10, rng):
        speech = read_mono(bank.folder / row["file"], SPEECH_RATE).mono[: 2 * SPEECH_RATE]  # type: ignore[union-attr]
        yield Trial("whisper", check, _revoiced(speech.astype(np.float64), None, rng), row["file"])
