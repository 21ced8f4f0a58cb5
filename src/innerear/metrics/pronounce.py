"""How English words are said: the CMU Pronouncing Dictionary, and what its consonants are made of.

`pronunciations.txt.xz` is the dictionary's release 0.7b (Carnegie Mellon University, BSD-2-Clause, see
NOTICE) without stress, 124,000 words, made by `scripts/pronunciations.py`. Phonemes are those of ARPABET.
"""

from __future__ import annotations

import functools
import lzma
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources

Phones = tuple[str, ...]

CONSONANTS: Mapping[str, tuple[str, str, bool]] = {
    "P": ("labial", "stop", False), "B": ("labial", "stop", True), "T": ("alveolar", "stop", False),
    "D": ("alveolar", "stop", True), "K": ("velar", "stop", False), "G": ("velar", "stop", True),
    "CH": ("palatal", "affricate", False), "JH": ("palatal", "affricate", True),
    "F": ("labial", "fricative", False), "V": ("labial", "fricative", True),
    "TH": ("dental", "fricative", False), "DH": ("dental", "fricative", True),
    "S": ("alveolar", "fricative", False), "Z": ("alveolar", "fricative", True),
    "SH": ("palatal", "fricative", False), "ZH": ("palatal", "fricative", True), "HH": ("glottal", "fricative", False),
    "M": ("labial", "nasal", True), "N": ("alveolar", "nasal", True), "NG": ("velar", "nasal", True),
    "L": ("alveolar", "approximant", True), "R": ("palatal", "approximant", True),
    "W": ("labial", "approximant", True), "Y": ("palatal", "approximant", True),
}  # fmt: skip
"""Place, manner and voicing of each consonant."""


@functools.cache
def _dictionary() -> Mapping[str, str]:
    packed = resources.files(__package__).joinpath("pronunciations.txt.xz").read_bytes()
    return dict(line.split("\t") for line in lzma.decompress(packed).decode().splitlines())


def pronunciations(word: str) -> tuple[Phones, ...]:
    """The ways that a word in lower case is said; none if the dictionary does not have it.

    >>> pronunciations("heel") == pronunciations("heal") == (("HH", "IY", "L"),)
    True
    """
    said = _dictionary().get(word)
    return tuple(tuple(one.split()) for one in said.split(",")) if said else ()


@functools.cache
def _by_sound() -> Mapping[str, list[str]]:
    found: dict[str, list[str]] = {}
    for word, said in _dictionary().items():
        for one in said.split(","):
            found.setdefault(one, []).append(word)
    return found


def homophones(word: str) -> list[str]:
    """The other words that share a pronunciation with one.

    >>> homophones("heel")
    ["he'll", 'heal']
    """
    said = _dictionary().get(word)
    found = dict.fromkeys(other for one in said.split(",") for other in _by_sound()[one]) if said else {}
    return [other for other in found if other != word]


@functools.lru_cache(maxsize=100_000)
def sound_alike(one: str, other: str) -> bool:
    """Whether two words are the same, or share a pronunciation.

    >>> sound_alike("right", "write"), sound_alike("then", "than")
    (True, False)
    """
    return one == other or not set(pronunciations(one)).isdisjoint(pronunciations(other))


@dataclass(frozen=True)
class PhoneError:
    """A phoneme that was heard as another (`None`: not at all, or where there was none), and its place in the word."""

    wanted: str | None
    heard: str | None
    where: str  # "initial", "medial" or "final"

    @property
    def features(self) -> tuple[str, ...]:
        """What of a consonant was lost: `lost`, `added`, or which of place, manner and voicing; `vowel` for vowels."""
        if self.wanted is None or self.heard is None:
            what = self.heard if self.wanted is None else self.wanted
            kind = "consonant" if what in CONSONANTS else "vowel"
            return (f"{kind} {'added' if self.wanted is None else 'lost'}",)
        if self.wanted not in CONSONANTS or self.heard not in CONSONANTS:
            return ("vowel",)
        differ = zip(("place", "manner", "voicing"), CONSONANTS[self.wanted], CONSONANTS[self.heard], strict=True)
        return tuple(name for name, one, other in differ if one != other)


def phone_errors(wanted: str, heard: str) -> list[PhoneError] | None:
    """What differs between two words, phoneme by phoneme, over the nearest of their pronunciations.

    `None` if the dictionary does not have both.
    """
    pairs = [(one, other) for one in pronunciations(wanted) for other in pronunciations(heard)]
    if not pairs:
        return None
    return min((_aligned(one, other) for one, other in pairs), key=len)


def _aligned(wanted: Phones, heard: Phones) -> list[PhoneError]:
    """The phonemes that differ on the cheapest path; a consonant is nearer to a consonant, a vowel to a vowel."""
    costs = [[0.0] * (len(heard) + 1) for _ in range(len(wanted) + 1)]
    for i in range(len(wanted) + 1):
        for j in range(len(heard) + 1):
            ways = [costs[i - 1][j] + 1] if i else []
            ways += [costs[i][j - 1] + 1] if j else []
            ways += [costs[i - 1][j - 1] + _far(wanted[i - 1], heard[j - 1])] if i and j else []
            costs[i][j] = min(ways, default=0.0)
    found, i, j = [], len(wanted), len(heard)
    while i or j:
        if i and j and costs[i][j] == costs[i - 1][j - 1] + _far(wanted[i - 1], heard[j - 1]):
            i, j = i - 1, j - 1
            if wanted[i] != heard[j]:
                found.append(PhoneError(wanted[i], heard[j], where_in(i, wanted)))
        elif i and costs[i][j] == costs[i - 1][j] + 1:
            i -= 1
            found.append(PhoneError(wanted[i], None, where_in(i, wanted)))
        else:
            j -= 1
            found.append(PhoneError(None, heard[j], where_in(j, heard)))
    return found[::-1]


def _far(one: str, other: str) -> float:
    if one == other:
        return 0.0
    if (one in CONSONANTS) != (other in CONSONANTS):
        return 1.75
    if one not in CONSONANTS:
        return 0.75
    return 0.5 + 0.125 * sum(a != b for a, b in zip(CONSONANTS[one], CONSONANTS[other], strict=True))


def where_in(place: int, phones: Sequence[str]) -> str:
    """Whether a phoneme is the first of its word, the last, or between."""
    return "initial" if place == 0 else "final" if place == len(phones) - 1 else "medial"
