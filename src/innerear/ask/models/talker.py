"""`baseline/espeak-ng` and `baseline/flite`: what classic talkers make of the speech probes.

A talker by formant rules is the fair rival of code that writes speech; one by recorded diphones
lies between it and real speech. They speak in their own voice, whoever is asked for, and cannot
sing or whisper. Probes of other tiers have no answer.
"""

from __future__ import annotations

from collections.abc import Sequence

from innerear import checks
from innerear.ask.models.base import Local, Options, Reply
from innerear.errors import UsageError
from innerear.records import Message, Probe
from innerear.render.talkers import can_say
from innerear.render.tools import recording


class Talker(Local):
    """The words of a probe, said by a tool of this machine."""

    talker: str

    def __init__(self, options: Options) -> None:
        self.name = f"baseline/{self.talker}"
        if not can_say(self.talker):
            raise UsageError(f"{self.name} speaks with {self.talker}, which is not here: apt-get install {self.talker}")

    def identity(self, probe: Probe, attempt: int) -> str | None:
        """What is said, and for how long; `None` where there is nothing to say."""
        text = text_of(probe)
        return recording(self.talker, {"text": text, "duration_s": probe.duration_s}) if text else None

    async def ask(self, probe: Probe, messages: Sequence[Message], attempt: int) -> Reply:
        """The name of the sound."""
        return Reply("", recording=self.identity(probe, attempt))


class EspeakNg(Talker):
    """`baseline/espeak-ng`."""

    talker = "espeak-ng"


class Flite(Talker):
    """`baseline/flite`."""

    talker = "flite"


def text_of(probe: Probe) -> str | None:
    """What a talker says for a probe: its text, with the mark of its melody, or the word that holds its vowel."""
    rises = any(isinstance(check, checks.F0Trend) and check.direction == "rise" for check in probe.expect)
    for check in probe.expect:
        match check:
            case checks.Transcript(text=text) | checks.Words(text=text) | checks.Rhyme(word=text):
                return f"{text.rstrip('.?')}{'?' if rises else '.'}"
            case checks.Vowel(ipa=ipa):
                return _word_of(ipa)
            case checks.Voice():
                return "la"
    return None


def _word_of(ipa: str) -> str | None:
    from innerear.metrics.formants import vowels

    found = vowels("men").get(ipa)
    return found.word if found else None
