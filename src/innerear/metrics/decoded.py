"""Does a receiver read the text? The check `decoded`: DTMF, Morse, Bell 202 and radioteletype."""

from __future__ import annotations

from difflib import SequenceMatcher

from innerear.checks import Decoded
from innerear.dsp.decoders import DECODERS, decode_rtty
from innerear.metrics.base import CheckMetric, Sound, Value

MOST_SHOWN = 80  # characters of a decoded text in a reason


class DecodedCheck(CheckMetric[Decoded]):
    """The check `decoded`: share of characters that the requested and the decoded text have in common.

    Passes if the texts are equal. Morse, radioteletype and DTMF have capitals only; runs of spaces are one. In
    radioteletype a space may shift back to letters or not.
    """

    name, version, unit = "decoded", 1, "share of characters"
    label = "Signal decoded"
    text = "A receiver decodes exactly the requested text."
    better = "higher"

    def measure(self, sound: Sound, check: Decoded) -> Value:
        """Detail: the text as decoded."""
        heard = DECODERS[check.mode](sound.signal.mono, sound.signal.sample_rate)
        asked = _spaced(check.text if check.mode == "bell202" else check.text.upper())
        read = _spaced(heard)
        if check.mode == "rtty" and read and read != asked:
            unshifted = _spaced(decode_rtty(sound.signal.mono, sound.signal.sample_rate, unshift=True))
            read = unshifted if unshifted == asked else read
        if not read:
            return Value(0.0, False, "nothing can be decoded", {"heard": ""})
        share = SequenceMatcher(None, asked, read, autojunk=False).ratio()
        shown = ascii(read[:MOST_SHOWN])
        return Value(share, asked == read, "" if asked == read else f"decoded as {shown}", {"heard": read})


def _spaced(text: str) -> str:
    """With one space between words."""
    return " ".join(text.split())
