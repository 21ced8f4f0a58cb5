"""Which word of a few is said, by how likely the recogniser is to write each of them: see `whisper`.

The modified rhyme test (A. House and others, JASA 1965): six words that differ in one sound. Open recognition
writes whatever word is frequent; the likelihood of each of the six is a fair question. A word counts in all
ways to write it that Whisper has a token for: its homophones, with a capital or without, a digit as a numeral.

Its likelihood is taken relative to what it has in mere noise, so that a frequent word is no better off. No word
is heard if the likeliest is not clearly likelier than in noise (`LEAST_NATS`) and than the others are in the mean
(`AHEAD_NATS`): a sound that says none of the words lifts or lowers all of them alike.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from innerear.checks import Rhyme
from innerear.clip import Clip
from innerear.metrics.base import CheckMetric, Sound, Value
from innerear.metrics.in_noise import speech_noise
from innerear.metrics.pronounce import homophones
from innerear.metrics.silero import SHORTEST_S, spoken_s
from innerear.metrics.spelling import ONES
from innerear.metrics.whisper import MODEL, SAMPLE_RATE, is_one_token, log_likelihoods, open_whisper

LEAST_NATS, AHEAD_NATS = 1.0, 2.5
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
    return tuple(float(x) for x in np.mean([_likelihoods(clip, among) for clip in _noises()], axis=0))


@functools.cache
def _noises() -> tuple[Clip, ...]:
    noises = (speech_noise(round(NOISE_S * SAMPLE_RATE), ("prior", turn)) for turn in range(NOISES))
    return tuple(Clip((0.1 * noise).astype(np.float32)[None], SAMPLE_RATE) for noise in noises)


def _likelihoods(clip: Clip, among: Sequence[str]) -> list[float]:
    forms = [[form for form in written(word) if form == word.capitalize() or is_one_token(form)] for word in among]
    every = list(dict.fromkeys(form for of in forms for form in of))
    found = dict(zip(every, log_likelihoods(clip, every), strict=True))
    return [float(np.logaddexp.reduce([found[form] for form in of])) for of in forms]


@dataclass(frozen=True)
class Chosen:
    """The word that is heard (`None`: none of them), the likeliest, and by how many nats.

    `ahead`: over the next; `above_noise`: over its likelihood in noise; `above_others`: over the mean of the others.
    """

    word: str | None
    nearest: str
    ahead: float
    above_noise: float
    above_others: float


def choose(clip: Clip, among: Sequence[str]) -> Chosen:
    """Which of these words is said.

    Raises:
        WeightsUnavailable: Whisper cannot be had here.
    """
    return chosen(np.array(_likelihoods(clip, among)) - np.array(_in_noise(tuple(among))), among)


def chosen(scores: NDArray[np.float64], among: Sequence[str]) -> Chosen:
    """Which of these words is said, by their likelihoods relative to noise (nats).

    >>> chosen(np.array([4.0, 1.0, 0.0]), ["bat", "bad", "ban"]).word
    'bat'
    >>> chosen(np.array([4.0, 3.0, 3.5]), ["bat", "bad", "ban"]).word is None
    True
    """
    order = np.argsort(-scores)
    best, nearest = float(scores[order[0]]), among[int(order[0])]
    others = best - float(np.mean(scores[order[1:]]))
    heard = best >= LEAST_NATS and others >= AHEAD_NATS
    return Chosen(nearest if heard else None, nearest, best - float(scores[order[1]]), best, others)


class RhymeCheck(CheckMetric[Rhyme]):
    """The check `rhyme`: nats by which the word asked is likelier than the next of its set; below 0 if it is another.

    No word is heard without a voice (Silero VAD), or if none is clearly likelier than in noise and than the others.
    """

    name, version, unit = "rhyme", 2, "nats"
    label = "Rhyming words"
    text = "The requested one of six rhyming words is the most likely."
    weights = ("whisper-tiny.en", "silero-vad")
    fitted = "pronunciations.txt.xz"

    def measure(self, sound: Sound, check: Rhyme) -> Value:
        """The detail holds the word heard (`None`: none of them), among how many, and chance."""
        return judge(check, hear_choice(sound.signal, check.among))


def hear_choice(clip: Clip, among: Sequence[str]) -> Chosen | None:
    """Which of these words is said; `None` if there is no voice, of which Whisper is not asked.

    Raises:
        WeightsUnavailable: Whisper or Silero cannot be had here.
    """
    open_whisper()
    return choose(clip, among) if spoken_s(clip) >= SHORTEST_S else None


def judge(check: Rhyme, found: Chosen | None) -> Value:
    """What the listener makes of one sound; `found` is `None` if it has no voice."""
    detail: dict[str, Any] = {
        "heard": found and found.word, "listener": MODEL, "among": len(check.among), "chance": 1 / len(check.among),
    }  # fmt: skip
    if found is None:
        return Value(None, False, "no voice", detail)
    detail |= {
        "nearest": found.nearest, "above_noise": round(found.above_noise, 2),
        "above_others": round(found.above_others, 2),
    }  # fmt: skip
    if found.word is None:
        return Value(None, False, f"none of the words, {found.nearest!r} the nearest", detail)
    right = found.word == check.word
    reason = "" if right else f"sounds more like {found.word!r}"
    return Value(found.ahead if right else -found.ahead, right, reason, detail)
