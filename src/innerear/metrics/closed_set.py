"""Which word of a few is said, by how likely the recogniser is to write each of them: see `whisper`.

The modified rhyme test (A. House and others, JASA 1965): six words that differ in one sound. Open recognition
writes whatever word is frequent; the likelihood of each of the six is a fair question. A word counts in all
ways to write it that Whisper has a token for: its homophones, with a capital or without, a digit as a numeral.

Its likelihood is taken relative to what it has in mere noise, so that a frequent word is no better off. No word
is heard if together they are no likelier than in noise by `LEAST_NATS`.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from innerear.checks import Rhyme
from innerear.clip import Clip
from innerear.errors import WeightsUnavailable
from innerear.metrics.base import CheckMetric, Sound, Value
from innerear.metrics.in_noise import speech_noise
from innerear.metrics.pronounce import homophones
from innerear.metrics.silero import SHORTEST_S, spoken_s
from innerear.metrics.spelling import ONES
from innerear.metrics.whisper import MODEL, SAMPLE_RATE, is_one_token, log_likelihoods

LEAST_NATS = 2.0
NOISES, NOISE_S = 3, 2.0  # of which the likelihoods are the mean


@functools.cache
def written(word: str) -> tuple[str, ...]:
    """The ways to write a word, as it sounds.

    >>> written("two")[:4]
    ('two', 'Two', 'tew', 'Tew')
    """
    found = [form for alike in dict.fromkeys([word, *homophones(word)]) for form in (alike, alike.capitalize())]
    return (*found, *([str(ONES.index(word))] if word in ONES[:10] else []))


@functools.lru_cache(maxsize=64)
def _in_noise(among: tuple[str, ...]) -> tuple[float, ...]:
    """The likelihood of each word (nats) in noise that has the spectrum of speech."""
    clips = [speech_noise(round(NOISE_S * SAMPLE_RATE), ("prior", turn)) for turn in range(NOISES)]
    found = [_likelihoods(Clip((0.1 * clip).astype(np.float32)[None], SAMPLE_RATE), among) for clip in clips]
    return tuple(float(x) for x in np.mean(found, axis=0))


def _likelihoods(clip: Clip, among: Sequence[str]) -> list[float]:
    forms = [[form for form in written(word) if form == word.capitalize() or is_one_token(form)] for word in among]
    every = list(dict.fromkeys(form for of in forms for form in of))
    found = dict(zip(every, log_likelihoods(clip, every), strict=True))
    return [float(np.logaddexp.reduce([found[form] for form in of])) for of in forms]


@dataclass(frozen=True)
class Chosen:
    """The word that is heard (`None`: none of them), the nearest, and by how many nats: over the next, over noise."""

    word: str | None
    nearest: str
    ahead: float
    above_noise: float


def choose(clip: Clip, among: Sequence[str]) -> Chosen:
    """Which of these words is said.

    Raises:
        WeightsUnavailable: Whisper cannot be had here.
    """
    noise = np.array(_in_noise(tuple(among)))
    heard = np.array(_likelihoods(clip, among))
    scores = heard - noise
    order = np.argsort(-scores)
    above = float(np.logaddexp.reduce(heard) - np.logaddexp.reduce(noise))
    nearest = among[int(order[0])]
    return Chosen(nearest if above >= LEAST_NATS else None, nearest, float(scores[order[0]] - scores[order[1]]), above)


class RhymeCheck(CheckMetric[Rhyme]):
    """The check `rhyme`: nats by which the word asked is likelier than the next of its set; below 0 if it is another.

    No word is heard without a voice (Silero VAD), or if all are about as unlikely as in noise.
    """

    name, version, unit = "rhyme", 1, "nats"
    weights = ("whisper-tiny.en", "silero-vad")
    fitted = "pronunciations.txt.xz"

    def measure(self, sound: Sound, check: Rhyme) -> Value:
        """The detail holds the word heard (`None`: none of them), among how many, and chance."""
        assert sound.clip is not None
        try:
            found = choose(sound.clip, check.among)
            voice = spoken_s(sound.clip) >= SHORTEST_S
        except WeightsUnavailable as error:
            return Value.unavailable(error)
        return judge(check, found, voice)


def judge(check: Rhyme, found: Chosen, voice: bool) -> Value:
    """What the listener makes of one sound."""
    heard = found.word if voice else None
    detail = {
        "heard": heard, "listener": MODEL, "nearest": found.nearest, "among": len(check.among),
        "chance": 1 / len(check.among), "above_noise": round(found.above_noise, 2),
    }  # fmt: skip
    if heard is None:
        why = f"none of the words, {found.nearest!r} the nearest" if voice else "no voice"
        return Value(None, False, why, detail)
    right = heard == check.word
    return Value(found.ahead if right else -found.ahead, right, "" if right else f"sounds more like {heard!r}", detail)
