"""How many of the words asked for are heard, by a recogniser that is told none of them: see `whisper`.

Whisper makes up sentences for sounds that are no speech, so Silero VAD is asked first: where no voice is
heard there are no words, and the rate is 1.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from innerear.checks import Transcript, Words
from innerear.clip import Clip
from innerear.metrics.base import CheckMetric, Sound, SoundMetric, Value
from innerear.metrics.group import Group
from innerear.metrics.silero import SHORTEST_S, spoken_s
from innerear.metrics.whisper import MODEL, MODELS, open_whisper, transcribe
from innerear.metrics.word_errors import Compared, compare
from innerear.records import Measurement, Probe, Remark, Score

MOST_WRONG = 0.2
FEW_WORDS = 5
"""Of so few words none may be wrong."""


def asked_text(probe: Probe) -> str:
    """The words that a probe asks for; nothing if it asks for none."""
    texts = [check.text for check in probe.expect if isinstance(check, Transcript | Words)]
    return " ".join(dict.fromkeys(texts))


@dataclass(frozen=True)
class Heard:
    """What is heard of a sound. `voice`: whether Silero hears one; without one Whisper is not asked."""

    text: str
    spoken_s: float

    @property
    def voice(self) -> bool:
        """Whether a voice is heard."""
        return self.spoken_s >= SHORTEST_S


@functools.lru_cache(maxsize=64)
def hear(clip: Clip, model: str = MODEL) -> Heard:
    """The words of a sound, nothing without a voice. Several metrics ask of one sound: it is heard once.

    Raises:
        WeightsUnavailable: Whisper or Silero cannot be had here.
    """
    open_whisper(model)  # whoever lacks it is told so of every sound, those without a voice too
    spoken = spoken_s(clip)
    return Heard(transcribe(clip, model) if spoken >= SHORTEST_S else "", spoken)


def detail_of(found: Compared, heard: Heard, model: str) -> dict[str, Any]:
    """What a row says of one sound."""
    return {
        "heard": heard.text, "listener": model, "words": found.words, "errors": found.errors,
        "wrong": [list(pair) for pair in found.wrong],
        "gate": {"by": "Silero VAD", "spoken_s": heard.spoken_s, "voice": heard.voice},
        "weights": open_whisper(model).sha256[:8],
    }  # fmt: skip


class WhisperWer(SoundMetric):
    """Word error rate of Whisper tiny.en on the text asked for, at most 1; for probes that ask for a text.

    Substitutions, deletions and insertions over the words asked for, in one spelling and with words that
    sound alike taken as the same. 1 if Silero VAD hears no voice. Of one sound it passes nothing: the rate
    of a group, all errors over all words, is what counts.
    """

    name, version, unit = "whisper_wer", 2, "WER"
    overview = True
    label = "Word error rate"
    text = "Word errors of Whisper tiny.en, which is not told the texts, per requested word; n counts words."
    better = "lower"
    weights = ("whisper-tiny.en", "silero-vad")
    fitted = "pronunciations.txt.xz"
    excused_by = (Remark.ANOTHER_TEXT,)
    model = MODEL

    def applies(self, probe: Probe) -> bool:
        """Where a text is asked for."""
        return bool(asked_text(probe))

    def measure(self, sound: Sound) -> Value:
        """The detail holds what was heard, how many words were asked and wrong, and which."""
        heard = hear(sound.signal, self.model)
        found = compare(asked_text(sound.probe), heard.text)
        rate = found.capped / found.words
        return Value(rate, None, "" if heard.voice else "no voice", detail_of(found, heard, self.model))

    def combine(self, group: Group, rows: Sequence[tuple[str, Measurement]]) -> Iterator[Score]:
        """The word error rate of the group and of each family."""
        from innerear.metrics.word_scores import word_rates

        return word_rates(self, group, rows)


class WhisperBaseWer(WhisperWer):
    """The same by Whisper base.en: a second listener, measured if it is asked for."""

    name = "whisper_base_wer"
    overview = False
    label = "Word error rate, base.en"
    text = "The same by Whisper base.en."
    weights = ("whisper-base.en", "silero-vad")
    on_request = True
    model = MODELS[1]


class WordsCheck(CheckMetric[Words]):
    """The check `words`: word error rate of Whisper tiny.en. Passes up to 0.2; of five words or fewer none is wrong."""

    name, version, unit = "words", 1, "WER"
    label = "Words right"
    text = "At most a fifth of the words wrong; of five or fewer, none."
    weights = ("whisper-tiny.en", "silero-vad")
    fitted = "pronunciations.txt.xz"
    excused_by = (Remark.ANOTHER_TEXT,)

    def measure(self, sound: Sound, check: Words) -> Value:
        """The detail holds what was heard, how many words were asked and wrong, and which."""
        return judge(sound.signal, check.text)


def judge(clip: Clip, text: str) -> Value:
    """Whether a sound says a text, by open recognition.

    Raises:
        WeightsUnavailable: Whisper or Silero cannot be had here.
    """
    heard = hear(clip)
    found = compare(text, heard.text)
    passed = found.errors <= (0 if found.words <= FEW_WORDS else MOST_WRONG * found.words)
    said = f"heard {heard.text!r}" if heard.voice else "no voice"
    return Value(found.capped / found.words, passed, "" if passed else said, detail_of(found, heard, MODEL))
