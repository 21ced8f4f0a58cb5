"""The check `rhyme` tried on words of the modified rhyme test, and on sounds that say none of its words.

The rule was set on one half of the talkers (flite slt and rms, espeak-ng en-us, en-us+m3 and en-gb+f2, two speakers
of the Free Spoken Digit Dataset); it is verified on the other half, and on sets that the suite does not use.
Recorded digits and flite, whose diphones were recorded, decide; how far espeak-ng is understood nobody knows.

Wrong: another word of the set is asked, a word outside of it is said, also one that rhymes with all of it; words
vocoded, reversed, or turned round in pieces; stretches of speech; a held vowel, noise, music, the world, silence.

A choice among the ten digits, which differ in more than one sound, is verified apart: `rhyme:digits`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from innerear import checks
from innerear.clip import Clip, read_mono
from innerear.compute.threads import ordered
from innerear.lab import sounds as make
from innerear.lab import voices
from innerear.lab.heard import _turned, _vocoded
from innerear.lab.sounds import Bank, Floats
from innerear.lab.speech import _clip, _excerpts, _some, _without_voices
from innerear.lab.tools import Rng, seeded
from innerear.lab.words import NEAR_DIGITS, RHYMES, _reversed
from innerear.metrics.closed_set import Chosen, RhymeCheck, hear_choice, judge
from innerear.metrics.formants import vowels
from innerear.metrics.verified import DIGITS, SHOWN, Cell, Trial, Verified, in_order
from innerear.metrics.whisper import SAMPLE_RATE
from innerear.render.talkers import can_say, say

SETS = tuple(
    tuple(line.split())
    for line in (
        "teak team teal teach tear tease", "din dill dim dig dip did", "bed led fed red wed shed",
        "pin sin tin fin din win", "dug dung duck dud dub dun", "sum sun sung sup sub sud",
        "seep seen seethe seek seem seed", "not tot got pot hot lot", "vest test rest best west nest",
        "pig pill pin pip pit pick", "way may say pay day gay", "pig big dig wig rig fig",
        "pale pace page pane pay pave", "shop mop cop top hop pop", "coil oil soil toil boil foil",
        "tan tang tap tack tam tab", "fit fib fizz fill fig fin", "same name game tame came fame",
        "heave hear heat heal heap heath", "cup cut cud cuff cuss cub", "thaw law raw paw jaw saw",
        "pen hen men then den ten", "puff puck pub pup pun pus", "heat neat feat seat meat beat",
        "dip sip hip tip lip rip", "kill kin kit kick king kid", "hang sang bang rang fang gang",
        "took cook look hook shook book", "mass math map mat man mad", "ray raze rate rave rake race",
        "save same sale sane sake safe", "fill kill will hill till bill", "sill sick sip sing sit sin",
        "bale gale sale tale pale male", "wick sick kick lick pick tick", "peace peas peak peach peat peal",
        "sag sat sass sack sad sap", "fun sun bun gun run nun",
    )
)  # fmt: skip
"""Sets of the modified rhyme test that are not in the suite: A. House and others, JASA 1965."""
TALKERS = {
    "synthetic": ("flite:kal16", "flite:awb"),
    "by espeak-ng": ("espeak-ng:en-gb", "espeak-ng:en-us+f4", "espeak-ng:en-us+klatt2", "espeak-ng:en-gb-scotland+m7"),
}
SPEAKERS = ("nicolas", "yweweler")
TAKES = 2  # of each digit
EACH = 30  # of each sort of wrong sound


@dataclass(frozen=True)
class Said:
    """A sound, the word of its set that it says (nothing if it says none), and what it is.

    `asked`: what is asked of a sound that says none; drawn from the set if it is empty.
    """

    column: str
    word: str
    among: tuple[str, ...]
    about: str
    clip: Callable[[], Clip]
    asked: str = ""


def sounds(bank: Bank | None) -> Iterator[Said]:
    """Every sound, once."""
    spoken = list(_spoken(bank))
    yield from spoken
    yield from _spoilt(spoken)
    yield from _wordless(bank)


def digit_sounds(bank: Bank | None) -> Iterator[Said]:
    """Recorded digits, those of TTS voices, words that are no digits or rhyme with one, and the same wrong sounds."""
    spoken = [said for said in _spoken(bank) if said.column == "real"]
    flite = TALKERS["synthetic"]
    for column, talkers in TALKERS.items():
        for place, word in enumerate(DIGITS if can_say(talkers[0]) else ()):
            for talker in talkers if talkers == flite else (talkers[place % len(talkers)],):
                spoken.append(_said(column, word, talker))
    yield from spoken
    yield from _spoilt(spoken)
    if can_say(flite[0]):
        for place, near in enumerate(NEAR_DIGITS):
            for turn, word in enumerate(near):
                yield replace(_said(RHYMES, word, flite[(place + turn) % 2]), word="", asked=DIGITS[place])
        for place, among in enumerate(SETS[:EACH]):
            yield replace(_said("not in set", among[place % 6], flite[place % 2]), word="")
    for said in _wordless(bank):
        yield replace(said, among=DIGITS)


def _said(column: str, word: str, talker: str) -> Said:
    return Said(column, word, DIGITS, f"{word} {talker}", _heard_in(lambda: say(word, talker)))


def _spoilt(spoken: Sequence[Said]) -> Iterator[Said]:
    for name, spoil in (("vocoded", _vocoded), ("time", _turned), ("order", lambda clip, _: _reversed(clip))):
        rng = seeded("rhyme", name)
        for one in _some([one for one in spoken if one.column != "by espeak-ng"], EACH, rng):
            yield Said(name, "", one.among, one.about, lambda o=one, s=spoil, n=name: s(o.clip(), seeded(n, o.about)))  # type: ignore[misc]


def _spoken(bank: Bank | None) -> Iterator[Said]:
    takes: dict[tuple[str, str], int] = {}
    for row in bank.speech if bank else ():
        key = row["speaker"], row["text"]
        if row["set"] == "FSDD" and row["speaker"] in SPEAKERS and takes.get(key, 0) < TAKES:
            takes[key] = takes.get(key, 0) + 1
            path = bank.folder / row["file"]  # type: ignore[union-attr]
            yield Said("real", row["text"], DIGITS, row["file"], _heard_in(lambda p=path: read_mono(p, SAMPLE_RATE)))  # type: ignore[misc]
    for column, talkers in TALKERS.items():
        for place, among in enumerate(SETS if can_say(talkers[0]) else ()):
            if column in SHOWN and place % 2:
                continue
            talker, word = talkers[place // 2 % len(talkers)], among[(place + place // 6) % 6]
            yield Said(column, word, among, f"{word} {talker}", _heard_in(lambda w=word, t=talker: say(w, t)))  # type: ignore[misc]


def _heard_in(made: Callable[[], Clip]) -> Callable[[], Clip]:
    """The sound at any level, one in four in a room, one in four in noise 25 to 40 dB below it."""

    def heard() -> Clip:
        clip = made()
        rng = seeded("heard in", clip.samples.shape[1])
        pads = [round(pad * make.SAMPLE_RATE) for pad in rng.uniform(0.05, 0.4, 2)]
        samples: Floats = np.pad(clip.at(make.SAMPLE_RATE).astype(np.float64), pads)
        way = int(rng.integers(4))
        if way == 1:
            samples = make.room(samples, rng, float(rng.uniform(0.1, 0.3)))
        if way == 2:
            samples = make.noisy(samples, rng, float(rng.uniform(25, 40)))
        level = 10 ** (rng.uniform(-30, -3) / 20) / np.abs(samples).max()
        return Clip((samples * level).astype(np.float32)[None], make.SAMPLE_RATE)

    return heard


def _wordless(bank: Bank | None) -> Iterator[Said]:
    rng = seeded("rhyme", "wordless")

    def made(column: str, about: str, clip: Callable[[], Clip]) -> Said:
        return Said(column, "", SETS[int(rng.integers(len(SETS)))], about, clip)

    for speech in _excerpts(bank, EACH, rng):
        part = speech[: round(rng.uniform(0.4, 0.9) * SAMPLE_RATE)]
        yield made("other speech", "a stretch of speech", lambda p=part: _clip(p))  # type: ignore[misc]
        loud = np.convolve(np.abs(part), np.ones(800) / 800, "same") * rng.standard_normal(len(part))
        yield made("noise", "noise as loud as speech", lambda p=loud: _clip(p))  # type: ignore[misc]
    for note in _some(bank.all if bank else [], EACH, rng):
        yield made("music", note.path.name, lambda n=note: make.clip(n.samples()[: 2 * make.SAMPLE_RATE]))  # type: ignore[misc]
    for path in _some(_without_voices(bank), EACH, rng):
        yield made("environment", path.name, lambda p=path: read_mono(p, SAMPLE_RATE))  # type: ignore[misc]
    for _ in range(EACH):
        vowel = _vowel(rng)
        yield made("held vowel", "a held vowel", lambda c=vowel: c)  # type: ignore[misc]
    for duration_s in (0.5, 1.0, 3.0):
        yield made("silence", "silence", lambda d=duration_s: make.silence(d))  # type: ignore[misc]


def _vowel(rng: Rng) -> Clip:
    spoken = list(vowels("men").values())[int(rng.integers(12))]
    formants = (spoken.f1_hz, spoken.f2_hz, 2700.0)
    return make.clip(voices.vowel(float(rng.uniform(85, 220)), formants, float(rng.uniform(0.2, 0.8)), rng))


def asked(said: Said) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """(column, word, among) that is asked of a sound."""
    rng = seeded("rhyme", said.about)
    if not said.word:
        yield said.column, said.among[int(rng.integers(len(said.among)))], said.among
        return
    yield said.column, said.word, said.among
    others = tuple(word for word in said.among if word != said.word)
    yield "kind", others[int(rng.integers(len(others)))], said.among
    strange = [among for among in SETS if said.word not in among]
    among = strange[int(rng.integers(len(strange)))]
    yield "not in set", among[int(rng.integers(len(among)))], among
    if said.column == "synthetic":
        yield "rhymes with the set", others[int(rng.integers(len(others)))], others


def asked_of_digit(said: Said) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """The same of a sound of `digit_sounds`."""
    rng = seeded("digit", said.about)
    yield said.column, said.word or said.asked or DIGITS[int(rng.integers(len(DIGITS)))], DIGITS
    if said.word:
        others = [word for word in DIGITS if word != said.word]
        yield "kind", others[int(rng.integers(len(others)))], DIGITS


Keep = Callable[[Trial, bool], None]


def verify_rhymes(bank: Bank | None, keep: Keep | None = None) -> dict[str, Verified]:
    """How the check `rhyme` does.

    Raises:
        WeightsUnavailable: Whisper or Silero cannot be had here.
    """
    note = "real: recorded digits, among ten; chance among six words is 17 %"
    return {"rhyme": _verify(sounds(bank), asked, note, keep)}


def verify_digits(bank: Bank | None, keep: Keep | None = None) -> dict[str, Verified]:
    """How the check `rhyme` does among the ten digits.

    Raises:
        WeightsUnavailable: Whisper or Silero cannot be had here.
    """
    return {"rhyme:digits": _verify(digit_sounds(bank), asked_of_digit, "chance is 10 %", keep)}


def _verify(
    every: Iterator[Said],
    asked: Callable[[Said], Iterator[tuple[str, str, tuple[str, ...]]]],
    note: str,
    keep: Keep | None,
) -> Verified:
    passed: dict[str, list[bool]] = {}

    def tried(said: Said) -> list[tuple[Trial, bool]]:
        clip = said.clip()
        heard: dict[Sequence[str], Chosen | None] = {}
        outcomes = []
        for column, word, among in asked(said):
            if among not in heard:
                heard[among] = hear_choice(clip, among)
            check = checks.Rhyme(word=word, among=list(among))
            value = judge(check, heard[among])
            about = f"{said.about}, heard {value.detail['heard']}"
            outcomes.append((Trial(column, check, clip, about, "speech"), bool(value.passed)))
        return outcomes

    for outcomes in ordered(tried, every):
        for trial, right in outcomes:
            passed.setdefault(trial.column, []).append(right)
            if keep:
                keep(trial, right)
    cells = {name: Cell(sum(passed[name]), len(passed[name])) for name in in_order(passed)}
    return Verified(RhymeCheck.version, cells, note)
