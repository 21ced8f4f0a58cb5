"""Sounds that the check `f0_contour` is tried on: syllables whose f0 was put in.

Right: syllables by source and filter, and voiced stretches of real speech and of espeak-ng that were given a new
f0. Shown: Mandarin syllables by espeak-ng, whose tones are its own, and smaller than those of people. Wrong: other
tones, turned round, upside down, too small or too large, squeezed into a third of the syllable; and the right f0
without a voice: a sawtooth, a sine, a whisper, a bent instrument.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle, islice

import numpy as np

from innerear.checks import F0Contour
from innerear.clip import Clip
from innerear.dsp.voice import track_voice
from innerear.lab import sounds as make
from innerear.lab import voices
from innerear.lab.sounds import SAMPLE_RATE, Bank, Floats
from innerear.lab.speech import SPEECH_RATE, _clip, _excerpts, _revoiced, _some
from innerear.lab.tools import Pairs, Rng, seeded
from innerear.metrics.formants import vowels
from innerear.metrics.verified import Trial
from innerear.render.talkers import can_say, say

FORMS: dict[str, F0Contour] = {
    "level": F0Contour(semitones=[0, 0, 0, 0, 0]),
    "rising": F0Contour(semitones=[0, 0.5, 1.5, 3.5, 6]),
    "dipping": F0Contour(semitones=[0, -3, -4, -1, 3], also=[[0, -3, -5, -4, 0]]),
    "falling": F0Contour(semitones=[0, -1, -4, -8, -11]),
    "peaking": F0Contour(semitones=[0, 3, 5, 3, -1]),
}
"""The four tones of Mandarin in citation form (Y. Xu, "Contextual tonal variations in Mandarin", J. Phonetics 1997),
in round figures, and a peak, which is not a tone of it."""
TONES = {"level": 1, "rising": 2, "dipping": 3, "falling": 4}
SYLLABLES = ("ma", "mi", "lao", "nu", "yan", "wo", "mei", "li")
RULES = ("cmn-latn-pinyin", "cmn-latn-pinyin+f2", "cmn-latn-pinyin+m3", "cmn-latn-pinyin+klatt4", "cmn-latn-pinyin+f4")
ENGLISH = ("en-us", "en-gb", "en-us+f2", "en-us+m3", "en-us+f4", "en-us+klatt4")
VOICED_WORDS = ("ma", "yeah", "no", "we", "mine", "you", "lay", "now", "my", "wall")
LEAST_STRETCH_S = 0.2  # in which the falling tone falls by up to 15 semitones
PAD = SPEECH_RATE // 50
DEEPEST_HZ = 75.0  # of a voice by source and filter
LOWEST_HZ, HIGHEST_HZ = 95.0, 300.0  # between which f0 lies if it can: below, the pulses are farther apart than windows
DRAWS = 8  # of each form and maker
NASAL_HZ = (250.0, 1000.0, 2200.0, 3300.0, 4300.0)
LEVEL_MOVES = 1.2  # semitones that a right level tone drifts at most


def f0_contour(pairs: Pairs, bank: Bank | None) -> Iterator[Trial]:
    """Each form by three makers; wrong in shape, range or time, or without a voice."""
    for name, check in FORMS.items():
        rng = seeded("f0_contour", name)
        for turn in range(DRAWS):
            right = _right(check, rng)
            for column, form in (("synthetic", right), *_wrong(name, check, rng)):
                yield Trial(column, check, _syllable(form, rng), f"{name} {np.round(form, 1)}")
            for maker, stretch in (("real", _stretch(bank, rng)), ("rule-made", _ruled(rng))):
                for speech in stretch:
                    wrong = list(_wrong(name, check, rng))
                    for column, form in ((maker, right), wrong[turn % len(wrong)]):
                        yield Trial(column, check, _spoken(speech, form, rng), f"{name} {np.round(form, 1)}, {maker}")
                    yield Trial("whisper", check, _revoiced(speech, None, rng), maker)
            yield Trial("bare tone", check, make.clip(_held(make.sine, right, rng)), "sine")
            yield Trial("buzz", check, make.clip(_held(make.reed, right, rng)), "sawtooth")
            for note in _some(bank.all if bank else [], 1, rng):
                yield Trial("music", check, make.clip(_bent(note.samples(), right, rng)), note.path.name)
        for speech in _excerpts(bank, DRAWS, rng):
            yield Trial("other speech", check, _clip(speech))
        if can_say("espeak-ng") and name in TONES:
            yield from _by_rule(name, check)


def _right(check: F0Contour, rng: Rng) -> Floats:
    """One of the forms, 0.8 to 1.4 times as large, a little bent; a level tone drifts."""
    forms = [check.semitones, *check.also]
    form = np.array(forms[int(rng.integers(len(forms)))], dtype=float)
    if not np.ptp(form):
        return np.linspace(0, rng.uniform(-LEVEL_MOVES, LEVEL_MOVES), len(form))
    return np.asarray(form * rng.uniform(0.8, 1.4) + rng.normal(0, 0.04 * np.ptp(form), len(form)))


def _wrong(name: str, check: F0Contour, rng: Rng) -> Iterator[tuple[str, Floats]]:
    """(column, form) of contours that are none of the forms asked."""
    form = np.array(check.semitones, dtype=float)
    others = [np.array(other.semitones, dtype=float) for key, other in FORMS.items() if key not in (name, "level")]
    yield "kind", others[int(rng.integers(len(others)))] * rng.uniform(0.8, 1.3)
    if not np.ptp(form):
        yield "range", np.array([0, 1, 3, 5, 6.0]) * rng.uniform(0.7, 1.5) * rng.choice([-1, 1])
        yield "constant", np.linspace(0, rng.uniform(5, 10) * rng.choice([-1, 1]), 5)
        return
    yield "constant", np.linspace(0, rng.uniform(-0.5, 0.5), 5)
    if name in ("rising", "falling"):
        yield "order", form[::-1] * rng.uniform(0.8, 1.2)
    yield "upside down", -form * rng.uniform(0.8, 1.2)
    yield "range", form * float(rng.choice([rng.uniform(0.2, 0.35), rng.uniform(3, 4)]))
    early = bool(rng.integers(2))
    squeezed = np.interp(np.linspace(0, 1, 41), [0, 0.3] if early else [0.7, 1], [0, 1])
    if name in ("dipping", "peaking"):
        yield "time", np.interp(squeezed * (len(form) - 1), np.arange(len(form)), form)
    elif early:
        yield "time", np.interp(squeezed * (len(form) - 1), np.arange(len(form)), form[::-1] * -1)


def _over(form: Floats, count: int) -> Floats:
    return np.asarray(np.interp(np.linspace(0, len(form) - 1, count), np.arange(len(form)), form))


def _syllable(form: Floats, rng: Rng) -> Clip:
    """A /ma/, or another vowel after the murmur, by any voice, in a room or in noise, at any level."""
    duration_s = rng.uniform(0.25, 0.7)
    t = make.seconds(duration_s)
    who = str(rng.choice(["men", "women"]))
    base = rng.uniform(95, 170) if who == "men" else rng.uniform(170, 300)
    moved = _over(form, len(t)) - form.mean()
    base = max(base, min(280.0, DEEPEST_HZ * 2 ** (-moved.min() / 12)))
    wander = np.cumsum(rng.standard_normal(len(t)))
    wander *= 0.15 / max(1e-9, float(np.abs(wander).max()))
    source = voices.pulses(base * 2 ** ((moved + wander) / 12), rng)
    spoken = list(vowels(who).values())[int(rng.integers(12))]
    scale = 1.0 if who == "men" else 1.15
    opened = voices.resonate(source, (spoken.f1_hz, spoken.f2_hz, 2600 * scale, 3500 * scale, 4500 * scale))
    murmur = voices.resonate(source, tuple(scale * hz for hz in NASAL_HZ)) * 0.4
    share = np.clip((t - rng.uniform(0.05, 0.09)) / 0.03, 0, 1)
    made = make.edges(share * opened + (1 - share) * murmur, 0.02, rng.uniform(0.03, 0.12))
    made = np.pad(made, [round(pad * SAMPLE_RATE) for pad in rng.uniform(0.03, 0.4, 2)])
    if rng.random() < 0.3:
        made = make.room(made, rng)
    made = make.noisy(made, rng, float(rng.uniform(25, 50)))
    level = 10 ** (rng.uniform(-30, 0) / 20) / np.abs(made).max()
    return Clip((made * level).astype(np.float32)[None], SAMPLE_RATE)


def _stretch(bank: Bank | None, rng: Rng) -> Iterator[Floats]:
    """A voiced stretch of 0.3 s or more of one of 52 readers."""
    for speech in _excerpts(bank, 6, rng):
        voiced = _longest_voiced(speech)
        if len(voiced) >= LEAST_STRETCH_S * SPEECH_RATE:
            yield voiced
            return


def _ruled(rng: Rng) -> Iterator[Floats]:
    """A voiced syllable by espeak-ng."""
    if can_say("espeak-ng"):
        while True:
            word, talker = (str(rng.choice(some)) for some in (VOICED_WORDS, ENGLISH))
            voiced = _longest_voiced(say(word, f"espeak-ng:{talker}", 80).at(SPEECH_RATE).astype(np.float64))
            if len(voiced) >= LEAST_STRETCH_S * SPEECH_RATE:
                yield voiced
                return


def _longest_voiced(speech: Floats) -> Floats:
    track = track_voice(_clip(speech))
    edges = np.flatnonzero(np.diff(np.concatenate([[False], track.voiced, [False]]).astype(int)))
    if len(edges) == 0:
        return speech[:0]
    start, end = max(zip(edges[::2], edges[1::2], strict=True), key=lambda one: one[1] - one[0])
    first, last = (int(track.times_s[place] * SPEECH_RATE) for place in (start, end - 1))
    return speech[max(0, first - PAD) : last + PAD]


def _spoken(speech: Floats, form: Floats, rng: Rng) -> Clip:
    """A voiced stretch of speech with this contour."""
    inner = np.clip((np.arange(len(speech)) - PAD) / max(1, len(speech) - 2 * PAD), 0, 1)
    moved = np.interp(inner * (len(form) - 1), np.arange(len(form)), form - form.mean())
    lowest, highest = LOWEST_HZ * 2 ** (-moved.min() / 12), HIGHEST_HZ * 2 ** (-moved.max() / 12)
    base_hz = float(rng.uniform(lowest, max(lowest, highest)))
    made = voices.revoiced(speech, SPEECH_RATE, base_hz * 2 ** (moved / 12), rng, throughout=True)
    return _clip(np.pad(make.edges(made, 0.02, 0.02), round(rng.uniform(0.05, 0.3) * SPEECH_RATE)))


def _held(tone: make.Voice, form: Floats, rng: Rng) -> Floats:
    """A steady tone, resampled so that its f0 has this contour."""
    return _bent(tone(float(rng.uniform(110, 260)), 1.0, rng), form, rng)


def _bent(samples: Floats, form: Floats, rng: Rng) -> Floats:
    """0.3 to 0.6 s of a sound, resampled so that its f0 has this contour."""
    speed = 2 ** (_over(form - form.mean(), round(rng.uniform(0.3, 0.6) * SAMPLE_RATE)) / 12)
    at = np.cumsum(speed) + min(len(samples) // 10, SAMPLE_RATE // 20)
    return make.edges(np.interp(at, np.arange(len(samples)), samples, right=0.0), 0.01, 0.03)


def _by_rule(name: str, check: F0Contour) -> Iterator[Trial]:
    tones = [tone for other, tone in TONES.items() if other != name]
    for syllable, talker, other in islice(zip(cycle(SYLLABLES), cycle(RULES), cycle(tones), strict=False), DRAWS):
        for column, tone in (("by espeak-ng", TONES[name]), ("kind", other)):
            about = f"{syllable}{tone}"
            yield Trial(column, check, say(about, f"espeak-ng:{talker}", 120), f"{about} {talker}")
