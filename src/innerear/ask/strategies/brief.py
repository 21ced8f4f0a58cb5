"""An expert's brief for a probe: exact figures from its checks, and how to build such sounds.

The figures are those that the checks use. The sentences on instruments, sounds and
phones are textbook acoustics (Fletcher and Rossing, "The Physics of Musical Instruments", 1998;
Klatt, "Software for a cascade/parallel formant synthesizer", 1980), in round figures.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from importlib import resources

import msgspec

from innerear import checks
from innerear.records import Probe


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


def _lines(check: checks.Check, probe: Probe) -> list[str]:
    """The sentences on one check: textbook acoustics for what is only named, else the check's own figures."""
    match check:
        case checks.Instrument():
            caption = probe.caption.lower()
            word = next((word for word in lore().instruments if word in caption), None)
            return [lore().instruments[word]] if word else []
        case checks.Label():
            return _known([check.label])
        case checks.Sequence():
            return [f"One after the other: {' Then: '.join(known)}"] if (known := _known(check.labels)) else []
        case checks.Together():
            return [f"At the same time: {' And: '.join(known)}"] if (known := _known(check.labels)) else []
        case checks.Transcript(text=text) | checks.Words(text=text) | checks.Rhyme(word=text):
            return _spoken(text)
        case _:
            return check.brief(probe.duration_s)


def _known(labels: Sequence[str]) -> list[str]:
    return [lore().labels[label] for label in labels if label in lore().labels]


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
