"""`baseline/espeak-ng` and `baseline/flite`: speech probes spoken by classic TTS.

Formant synthesis (espeak-ng) is the fair comparison for programs that synthesise speech; diphone
synthesis (flite) ranks between it and real speech. Both use their own voice, whatever voice is asked for,
and cannot sing or whisper. They do not answer probes of other tiers.
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
    """The words of a probe, spoken by a host TTS program."""

    talker: str

    def __init__(self, options: Options) -> None:
        self.name = f"baseline/{self.talker}"
        if not can_say(self.talker):
            raise UsageError(f"{self.name} needs {self.talker}, which is not installed: apt-get install {self.talker}")

    def identity(self, probe: Probe, attempt: int) -> str | None:
        """The text and the duration; `None` if there is nothing to say."""
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
    """The text to speak for a probe: its words with `.` or `?` for the intonation, or a word with its vowel."""
    if any(isinstance(check, checks.F0Contour) for check in probe.expect):
        return None  # their English has no tones
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

    vowel = vowels("men").get(ipa)
    return vowel.word if vowel else None
