"""Making the templates of the check `transcript`, and trying it on talkers that it has no template of.

Talkers of the templates: three voices of flite, four of espeak-ng (each a text once), and the
digits of the speakers of the Free Spoken Digit Dataset that the references do not hold back (three
takes each). Tried on: each of these with its templates left out (all of espeak-ng's at once), the
speaker held back, and flite's diphones. Real recordings there are of digits alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

import numpy as np

from innerear import checks
from innerear.clip import Clip, read_mono
from innerear.compute.threads import ordered
from innerear.lab import sounds as make
from innerear.lab.sounds import Bank
from innerear.lab.speech import SPEECH_RATE, _excerpts
from innerear.lab.tools import seeded
from innerear.metrics import words as of
from innerear.metrics.verified import DIGITS, Cell, Trial, Verified
from innerear.metrics.words import (
    OTHER,
    POINTS,
    Heard,
    Known,
    TranscriptCheck,
    cepstra,
    is_sentence,
    judge,
    length,
    listen,
    words,
)
from innerear.records import Probe
from innerear.reference.sets import held_back
from innerear.render.talkers import say

TALKERS = (
    "flite:slt", "flite:rms", "flite:awb",
    "espeak-ng:en-us+m3", "espeak-ng:en-us+f2", "espeak-ng:en-gb+m7", "espeak-ng:en-us+klatt4",
)  # fmt: skip
STRANGERS = ("flite:kal16", "espeak-ng:en-us", "espeak-ng:en-us+f4")
TAKES = 3  # of each digit by each real speaker
DISTRACTORS = (
    "apple", "house", "river", "window", "paper", "yellow", "music", "garden", "mother", "coffee", "paint", "key",
    "shoe", "fish", "cloud", "sugar", "give me", "happy", "monday", "forward", "under", "pencil", "thank you", "away",
    "about", "people", "little", "after", "because", "picture", "mountain", "letter", "question", "number", "winter",
    "summer", "doctor", "minute", "husband", "problem", "family", "machine", "never", "bottle", "dinner", "kitchen",
    "finger", "chair", "bread", "black", "green", "street", "world", "small", "hand", "milk", "bridge", "plate",
    "dream", "big", "cup", "push", "join", "loud",
    "The goose was brought straight from the old market.", "The sink is the thing in which we pile dishes.",
    "A whiff of it will cure the most stubborn cold.", "The facts don't always show who is right.",
    "She flaps her cape as she parades the street.", "The loss of the cruiser was a blow to the fleet.",
    "Loop the braid to the left and then over.", "Plead with the lawyer to drop the lost cause.",
    "Calves thrive on tender spring grass.", "Post no bills on this office wall.",
    "five six seven eight nine", "red green blue black white", "a b c d e", "two four six eight ten",
)  # fmt: skip
STRANGE = (
    "table", "orange", "school", "bird", "marvin", "sheila", "learn", "visual", "purple", "light", "sun", "they",
    "shop", "ocean", "jump", "good night", "Tear a thin sheet from the yellow pad.", "A cruise in warm waters is fun.",
    "The streets are narrow and full of sharp turns.", "Read verse out loud for pleasure.", "Take the winding path.",
    "nine eight seven six five",
)  # fmt: skip
NEAR_DIGITS = tuple(
    line.split()
    for line in (
        "hero arrow burrow", "fun run sun", "shoe do blue", "tree free sea", "door more floor", "hive dive drive",
        "sticks mix fix", "heaven eleven oven", "late wait gate", "vine line mine",
    )
)  # fmt: skip
"""Words that rhyme with each digit."""
RHYMES = "rhymes with the set"
SPELLED = {"ma": "mah", "sa": "sah", "ba": "bah", "la": "lah"}
"""How a talker must read what is no word of English."""


def sets(probes: Sequence[Probe]) -> dict[str, tuple[str, ...]]:
    """The texts of each family of the suite that is said, and those of none."""
    found: dict[str, list[str]] = {}
    for probe in probes:
        for check in probe.expect:
            if isinstance(check, checks.Transcript):
                texts = check.closed_set or [check.text]
                found.setdefault(probe.family, []).extend(map(words, texts))
    said = {name: tuple(dict.fromkeys(texts)) for name, texts in found.items()}
    return {**said, OTHER: tuple(map(words, DISTRACTORS))}


@dataclass(frozen=True)
class Said:
    """One text by one talker. `clip` is a function, since most are wanted once.

    `asked`: the text of the set that is asked of it, if it says another that is easily taken for it.
    """

    text: str
    talker: str
    column: str
    clip: Callable[[], Clip]
    asked: str = ""


def spoken(texts: Sequence[str], talkers: Sequence[str]) -> Iterator[Said]:
    """Texts by espeak-ng (`rule-made`) and flite (`synthetic`)."""
    for talker in talkers:
        column = "rule-made" if talker.startswith("espeak") else "synthetic"
        for text in texts:
            spelled = SPELLED.get(text, text)
            yield Said(words(text), talker, column, lambda t=spelled, w=talker: say(t, w))  # type: ignore[misc]


def recorded(bank: Bank) -> Iterator[Said]:
    """The digits, three takes of each speaker."""
    counted: dict[tuple[str, str], int] = {}
    for row in bank.speech:
        if row["set"] != "FSDD":
            continue
        take = counted[row["speaker"], row["text"]] = counted.get((row["speaker"], row["text"]), 0) + 1
        if take <= TAKES:
            path = bank.folder / row["file"]
            yield Said(row["text"], f"real:{row['speaker']}", "real", lambda p=path: read_mono(p, SPEECH_RATE))  # type: ignore[misc]


def build(probes: Sequence[Probe], bank: Bank) -> tuple[dict[str, tuple[str, ...]], list[tuple[str, str, of.Prints]]]:
    """The sets, and the templates: text, talker, cepstra (points, 13)."""
    known = sets(probes)
    held = held_back(bank.speech)
    kept = {f"real:{row['speaker']}" for row in bank.speech if row["set"] == "FSDD" and row["file"] not in held}
    texts = list(dict.fromkeys(text for name in known for text in known[name]))
    every = chain(spoken(texts, TALKERS), (said for said in recorded(bank) if said.talker in kept))

    def made(said: Said) -> tuple[str, str, of.Prints]:
        prints = cepstra(said.clip(), POINTS[length(said.text)], (1.0,))
        assert prints is not None, f"{said.talker} says nothing at {said.text!r}"
        return said.text, said.talker, prints[0]

    return known, list(ordered(made, every))


def _left_out(talker: str) -> tuple[str, ...]:
    """The templates' talkers that are no strangers to this one."""
    if talker.startswith("espeak"):
        return tuple(name for name in TALKERS if name.startswith("espeak"))
    return (talker,)


def verify_words(
    probes: Sequence[Probe], bank: Bank, known: Known, keep: Callable[[Trial, bool], None] | None = None
) -> dict[str, Verified]:
    """The outcome by set of texts: `transcript:digit` and so on; sentences are the recogniser's, see `heard`."""
    asked: dict[tuple[str, str], list[checks.Transcript]] = {}
    for probe in probes:
        for check in probe.expect:
            if isinstance(check, checks.Transcript) and not is_sentence(check) and (found := known.among(check)):
                asked.setdefault((found[0], length(check.text)), []).append(check)
    counted: dict[str, dict[str, list[bool]]] = {}
    accepted: dict[str, list[bool]] = {}
    for (name, _), of_set in asked.items():
        first = known.among(of_set[0])
        assert first is not None
        among = first[1]

        def tried(said: tuple[Said, tuple[str, ...]], among: tuple[str, ...] = among) -> tuple[Said, Heard | None]:
            return said[0], listen(said[0].clip(), among, known, said[1])

        by_text = {words(check.text): check for check in of_set}
        for said, heard in ordered(tried, _sounds(list(by_text), bank)):
            rng = seeded("transcript", name, said.text, said.talker, said.column)
            if said.asked:
                trials = [(said.column, by_text[said.asked])]
            elif said.text in by_text and said.column != "order":
                right = by_text[said.text]
                others = [check for text, check in by_text.items() if text != said.text]
                trials = [(said.column, right), *(("kind", check) for check in _some(others, 2, rng))]
            else:
                column = said.column if said.column in ("order", "noise", "silence") else "not in set"
                own = [by_text[said.text]] if said.text in by_text else []
                trials = [(column, check) for check in own or _some(list(by_text.values()), 2, rng)]
                if column == "not in set":
                    accepted.setdefault(name, []).append(heard is not None and heard.text is not None)
            for column, check in trials:
                passed = bool(judge(check, heard, among).passed)
                counted.setdefault(f"transcript:{name}", {}).setdefault(column, []).append(passed)
                if keep:
                    keep(Trial(column, check, make.silence(0.1), f"{said.text} by {said.talker}", "speech"), passed)
    return {
        name: Verified(
            TranscriptCheck.version,
            {column: Cell(sum(passed), len(passed)) for column, passed in columns.items()},
            f"hears a text of the set in {np.mean(accepted[name.split(':')[1]]):.0%} of "
            f"{len(accepted[name.split(':')[1]])} sounds that say another",
        )
        for name, columns in counted.items()
    }


def _sounds(texts: Sequence[str], bank: Bank) -> Iterator[tuple[Said, tuple[str, ...]]]:
    """The texts of a set by strangers, reversed, texts of no set or that rhyme, parts of speech, noise and silence."""
    strange = [text for text in STRANGE if length(text) == length(texts[0])]
    for said in chain(spoken(texts, (*TALKERS[:3], *STRANGERS)), (one for one in recorded(bank) if one.text in texts)):
        yield said, _left_out(said.talker)
        if said.talker in STRANGERS and length(said.text) == "long":  # a short word may be its own reverse
            yield Said(said.text, said.talker, "order", lambda s=said: _reversed(s.clip())), _left_out(said.talker)  # type: ignore[misc]
    for said in spoken(strange, STRANGERS):
        yield said, _left_out(said.talker)
    for place, (digit, near) in enumerate(zip(DIGITS, NEAR_DIGITS, strict=True)):
        for turn, word in enumerate(near if digit in texts else ()):
            for said in spoken([word], [(STRANGERS[0], TALKERS[0])[(place + turn) % 2]]):
                yield replace(said, column=RHYMES, asked=digit), _left_out(said.talker)
    rng = seeded("strange", *texts)
    for turn, speech in enumerate(_excerpts(bank, 20, rng)):
        part = speech[: round(rng.uniform(0.4, 0.9) * SPEECH_RATE)] if length(texts[0]) == "short" else speech
        clip = Clip(part.astype(np.float32)[None], SPEECH_RATE)
        yield Said(f"a stretch of speech {turn}", "LibriSpeech", "not in set", lambda c=clip: c), ()  # type: ignore[misc]
        loud = np.convolve(np.abs(part), np.ones(800) / 800, "same") * rng.standard_normal(len(part))
        shaped = Clip(loud.astype(np.float32)[None], SPEECH_RATE)
        yield Said(f"noise as loud as speech {turn}", "noise", "noise", lambda c=shaped: c), ()  # type: ignore[misc]
        yield Said(f"noise {turn}", "noise", "noise", lambda t=turn: make.noise(1.0, seeded("noise", t))), ()  # type: ignore[misc]
    yield Said("silence", "silence", "silence", lambda: make.silence(1.0)), ()


def _reversed(clip: Clip) -> Clip:
    return Clip(np.ascontiguousarray(clip.samples[:, ::-1]), clip.sample_rate)


def _some(of_all: Sequence[Any], count: int, rng: np.random.Generator) -> list[Any]:
    return [of_all[place] for place in rng.permutation(len(of_all))[:count]]
