"""Vary the kinds of tier speech that edition 2 adds: other words, digits, rhymes, passages, syllables, songs."""

from __future__ import annotations

import functools
import random
import re
from importlib import resources

import msgspec
from msgspec.structs import replace

from innerear import checks
from innerear.records import Probe
from innerear.suite.changes import WORDS, Change, SeededChange, expecting, find, shifted

SYLLABLES = ("mi", "na", "la", "yi", "wu", "li", "ni")
_QUOTED = re.compile(r"'([^']*)'")


class Song(msgspec.Struct, frozen=True):
    """A sung line: how the caption names it, its words, its time and its melody."""

    caption: str
    words: str
    title: str
    duration_s: float
    notes: list[tuple[int, float]]
    also: list[list[tuple[int, float]]] = []


class Texts(msgspec.Struct, frozen=True):
    """`spare-texts.json`: texts for variants.

    `frames` are unpredictable sentences by their structure, as the speech community makes them (Benoît and others,
    1996). `rhymes` are word sets of the modified rhyme test (House and others, 1965) that edition 2 does not use.
    """

    frames: dict[str, list[str]]
    nouns: list[str]
    verbs: list[str]
    adjectives: list[str]
    rhymes: list[list[str]]
    passages: list[str]
    speaker: list[str]
    songs: list[Song]


@functools.cache
def texts() -> Texts:
    """Load `spare-texts.json`."""
    return msgspec.json.decode(resources.files(__package__).joinpath("spare-texts.json").read_bytes(), type=Texts)


@functools.cache
def _sets() -> tuple[tuple[str, ...], ...]:
    from innerear.suite import edition

    used = [find(probe, checks.Rhyme) for probe in edition("2").probes]
    return tuple(tuple(check.among) for check in used if check) + tuple(map(tuple, texts().rhymes))


@functools.cache
def _quoted(family: str) -> tuple[str, ...]:
    """What the probes of a family of edition 2 say, in order."""
    from innerear.suite import edition

    found = [_QUOTED.search(probe.caption) for probe in edition("2").probes if probe.family == family]
    return tuple(one[1] for one in found if one)


def plain(text: str) -> str:
    """A text as the check `words` has it: lower case, no punctuation.

    >>> plain("Why does the desk count the warm law?")
    'why does the desk count the warm law'
    """
    return re.sub(r"[^a-z' ]", "", text.lower())


def rhyme(seed: int, probe: Probe, draw: random.Random) -> Probe | None:
    """Ask for a word of another set."""
    check, words = find(probe, checks.Rhyme), find(probe, checks.Words)
    if check is None:
        return None
    sets = _sets()
    place = sets.index(tuple(check.among)) if tuple(check.among) in sets else len(check.word)
    among = shifted(sets, place, seed)
    word = draw.choice(among)
    varied = _quoting(probe, word)
    varied = expecting(varied, check, replace(check, word=word, among=list(among)))
    return expecting(varied, words, replace(words, text=word)) if words else varied


def _quoting(probe: Probe, text: str) -> Probe:
    return replace(probe, caption=_QUOTED.sub(lambda _: f"'{text}'", probe.caption, count=1))


def words(seed: int, probe: Probe, draw: random.Random) -> Probe | None:
    """Say another sentence, passage or string of digits."""
    check = find(probe, checks.Words)
    found = _QUOTED.search(probe.caption)
    if check is None or found is None or probe.family in ("singing", "rhyme"):
        return None
    text = _other(seed, probe, found[1], draw)
    if text is None:
        return None
    pace = len(text) / len(found[1])  # the time that the words have
    duration_s = max(probe.duration_s, round(2 * probe.duration_s * pace) / 2)
    return expecting(replace(_quoting(probe, text), duration_s=duration_s), check, replace(check, text=plain(text)))


def _other(seed: int, probe: Probe, said: str, draw: random.Random) -> str | None:
    spoken = said.split()
    if all(word in WORDS[:10] for word in spoken):
        return " ".join(_digits(seed)[word] for word in spoken)
    if probe.family == "nonsense-sentence":
        return _unpredictable(seed, draw, said)
    if probe.family == "speaker":
        return shifted([said, *(line for line in texts().speaker if line != said)], 0, seed)
    if probe.family == "passage":
        known = (*_quoted("passage"), *texts().passages)
        return shifted(known, known.index(said) if said in known else len(said), seed)
    return None


@functools.cache
def _digits(seed: int) -> dict[str, str]:
    """Each digit's replacement, the same in all strings of a suite, and never the digit itself."""
    order = random.Random(seed).sample(WORDS[:10], 10)
    return dict(zip(order, [*order[1:], order[0]], strict=True))


def _unpredictable(seed: int, draw: random.Random, said: str) -> str:
    """A sentence of the same structure: the first word and the mark at the end tell which.

    Its first noun is another one in each probe, so no two are the same.
    """
    known, others = texts(), _quoted("nonsense-sentence")
    place = others.index(said) if said in others else len(said)
    noun = known.nouns[(place + seed) % len(known.nouns)]
    first, end = said.split()[0], said[-1]
    kind = (
        "question" if end == "?" else "order" if first.lower() != "the" else "relative" if " that " in said else "plain"
    )
    frame = draw.choice(known.frames[kind]).replace("{N}", noun, 1)
    for slot, list_ in (
        ("N", [word for word in known.nouns if word != noun]),
        ("V", known.verbs),
        ("A", known.adjectives),
    ):
        count = frame.count(f"{{{slot}}}")
        for word in draw.sample(list_, count):
            frame = frame.replace(f"{{{slot}}}", word, 1)
    return frame


def syllable(probe: Probe, draw: random.Random) -> Probe | None:
    """Ask for another syllable in the same tone."""
    contour = find(probe, checks.F0Contour)
    found = re.search(r"the syllable '(\w+)'", probe.caption)
    if contour is None or not found:
        return None
    return _quoting(probe, draw.choice([one for one in SYLLABLES if one != found[1]]))


def song(seed: int, probe: Probe, draw: random.Random) -> Probe | None:
    """Ask the same singer for another line."""
    tune, said = find(probe, checks.Tune), find(probe, checks.Words)
    singer, singing, rest = probe.caption.partition(" singing ")
    if tune is None or said is None or not singing:
        return None
    songs = texts().songs
    place = next((i for i, one in enumerate(songs) if one.words == said.text), len(rest))
    other = shifted(songs, place, seed)
    varied = replace(probe, caption=f"{singer} singing {other.caption}", duration_s=other.duration_s)
    varied = expecting(varied, said, replace(said, text=other.words))
    return expecting(varied, tune, checks.Tune(title=other.title, notes=other.notes, also=other.also))


CHANGES: tuple[Change, ...] = (syllable,)
SEEDED: tuple[SeededChange, ...] = (rhyme, words, song)
