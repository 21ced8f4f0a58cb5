"""The recogniser tried on real speech and on talkers, and on sounds that do not say what is asked.

Each sound is heard once and asked for several texts: its own, its own with one word in four replaced, its
own in another order, and another text by the same voice. The same sounds are cut off at 60 %, turned round
in pieces of 100 ms, and made of noise in two bands; then noise, silence and music.

Two outcomes. `words`: the share of sounds that pass the check. `whisper_wer`: the share of words that are
heard right; in a column of wrong sounds, of the words that are not said, how many are heard all the same.
Real speech decides, since it is known to be understood; how far talkers are understood is what is measured.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from innerear import checks
from innerear.clip import Clip, read_mono
from innerear.compute.threads import ordered
from innerear.lab import sounds as make
from innerear.lab.sounds import Bank, Floats
from innerear.lab.tools import Rng, seeded
from innerear.metrics.closed_set import RhymeCheck, choose
from innerear.metrics.closed_set import judge as judge_choice
from innerear.metrics.open_words import WhisperWer, WordsCheck, hear, judge
from innerear.metrics.silero import SHORTEST_S, spoken_s
from innerear.metrics.spelling import ONES
from innerear.metrics.verified import SHOWN, TRUE, WRONG, Cell, Trial, Verified
from innerear.metrics.whisper import SAMPLE_RATE
from innerear.metrics.word_errors import compare
from innerear.render.talkers import can_say, say
from innerear.suite.vary import SENTENCES

TALKERS = {
    "by flite": ("flite:slt", "flite:rms", "flite:kal16", "flite:awb"),
    "by espeak-ng": ("espeak-ng:en-us", "espeak-ng:en-gb", "espeak-ng:en-us+f2"),
}
UNPREDICTABLE = (
    "the dry cup followed the young hill", "the heavy shoe drinks under the blue game",
    "why does the king paint the slow shirt",
)  # fmt: skip
"""Sentences of which no word helps to guess another: after C. Benoît and others, "The SUS test", 1996."""
TEXTS = (*SENTENCES[:3], *UNPREDICTABLE)
OTHER_WORDS = (
    "copper", "seven", "garden", "laughed", "purple", "market", "eleven", "whisper", "candle", "yesterday", "pocket",
    "island", "hammer", "velvet", "frozen", "thunder",
)  # fmt: skip
SPOILT = 6  # of the sounds of each column, of which each kind of spoilt sound is made
KEPT = 0.6  # of a sound that is cut off
PIECE_S = 0.1
BAND_EDGES_HZ = (100.0, 1000.0, 6000.0)


@dataclass(frozen=True)
class Spoken:
    """A text that is asked of a sound, the column that it counts in, and the words of it that the sound does say."""

    column: str
    text: str
    said: int


Sound = tuple[Callable[[], Clip], Sequence[Spoken], str]


def sounds(bank: Bank | None) -> Iterator[Sound]:
    """Every sound, what is asked of it, and what it is."""
    spoken = list(_spoken(bank))
    for place, (column, text, about, clip) in enumerate(spoken):
        rng = seeded("heard", about, text)
        mine = [other for c, other, a, _ in spoken if c == column and other != text and a == about]
        yield clip, list(_asked(column, text, mine, rng)), about
        if sum(one[0] == column for one in spoken[:place]) >= SPOILT:
            continue
        count = compare(text, "").words
        for name, spoil, said in (
            ("count", _cut, int(np.ceil(KEPT * count)) + 1), ("time", _turned, 0), ("vocoded", _vocoded, 0),
        ):  # fmt: skip
            yield (lambda c=clip, s=spoil, r=rng: s(c(), r)), [Spoken(name, text, min(said, count))], f"{name}: {about}"  # type: ignore[misc]
    text = TEXTS[0]
    rng = seeded("heard", "nothing")
    for turn in range(5):
        yield (lambda t=turn: make.noise(3.0, seeded("noise", t))), [Spoken("noise", text, 0)], "noise"  # type: ignore[misc]
    yield (lambda: make.silence(3.0)), [Spoken("silence", text, 0)], "silence"
    for note in (bank.all[place] for place in rng.permutation(len(bank.all))[:6]) if bank else ():
        yield (lambda n=note: make.clip(n.samples())), [Spoken("music", text, 0)], note.path.name  # type: ignore[misc]
    for name in ("church_bells", "crying_baby", "rooster", "laughing", "rain") if bank else ():
        for path in (bank.environment.get(name) or ())[:2]:  # type: ignore[union-attr]
            yield (lambda p=path: read_mono(p, SAMPLE_RATE)), [Spoken("music", text, 0)], path.name  # type: ignore[misc]


def _spoken(bank: Bank | None) -> Iterator[tuple[str, str, str, Callable[[], Clip]]]:
    """(column, text, who, sound)."""
    for row in bank.speech if bank else ():
        if row["set"] in ("LJSpeech", "CMU ARCTIC"):
            path = bank.folder / row["file"]  # type: ignore[union-attr]
            yield "real", row["text"], row["set"], lambda p=path: read_mono(p, SAMPLE_RATE)  # type: ignore[misc]
    for column, talkers in TALKERS.items():
        for text in TEXTS:
            for talker in talkers if can_say(talkers[0]) else ():
                yield column, text, talker, lambda t=text, w=talker: say(t, w)  # type: ignore[misc]


def _asked(column: str, text: str, others: Sequence[str], rng: Rng) -> Iterator[Spoken]:
    words = text.split()
    yield Spoken(column, text, len(words))
    replaced = list(words)
    for turn, place in enumerate(rng.permutation(len(words))[: -(-len(words) // 4)]):
        replaced[place] = OTHER_WORDS[(int(rng.integers(len(OTHER_WORDS))) + turn) % len(OTHER_WORDS)]
    shuffled = [words[place] for place in rng.permutation(len(words))]
    another = others[int(rng.integers(len(others)))] if others else ""
    for name, other in (("words", " ".join(replaced)), ("order", " ".join(shuffled)), ("other probe", another)):
        if other and other != text:
            found = compare(other, text)
            yield Spoken(name, other, found.words - found.capped)


def _cut(clip: Clip, rng: Rng) -> Clip:
    return Clip(np.ascontiguousarray(clip.samples[:, : round(KEPT * clip.samples.shape[1])]), clip.sample_rate)


def _turned(clip: Clip, rng: Rng) -> Clip:
    """Each 100 ms from its end to its start."""
    size = round(PIECE_S * clip.sample_rate)
    pieces = [clip.mono[start : start + size][::-1] for start in range(0, clip.samples.shape[1], size)]
    return Clip(np.concatenate(pieces)[None], clip.sample_rate)


def _vocoded(clip: Clip, rng: Rng) -> Clip:
    """Noise with the envelopes (to 30 Hz) of two bands: R. V. Shannon and others, Science 1995."""
    from scipy.signal import butter, sosfiltfilt

    samples = clip.at(SAMPLE_RATE).astype(np.float64)
    total: Floats = np.zeros(len(samples))
    smooth = butter(2, 30, fs=SAMPLE_RATE, output="sos")
    for low, high in pairwise(BAND_EDGES_HZ):
        band = butter(3, (low, high), "bandpass", fs=SAMPLE_RATE, output="sos")
        envelope = np.maximum(sosfiltfilt(smooth, np.abs(sosfiltfilt(band, samples))), 0)
        total += sosfiltfilt(band, envelope * rng.standard_normal(len(samples)))
    return make.clip(make.resampled(total, SAMPLE_RATE / make.SAMPLE_RATE))


def verify_heard(bank: Bank | None, keep: Callable[[Trial, bool], None] | None = None) -> dict[str, Verified]:
    """How the check `words` and the word error rate do.

    Raises:
        WeightsUnavailable: Whisper or Silero cannot be had here.
    """
    passed: dict[str, list[bool]] = {}
    words: dict[str, list[tuple[int, int]]] = {}  # heard, of how many

    def tried(sound: Sound) -> tuple[Clip, Sequence[Spoken], str]:
        clip = sound[0]()
        hear(clip)
        return clip, sound[1], sound[2]

    for clip, asked, about in ordered(tried, sounds(bank)):
        for one in asked:
            value = judge(clip, one.text)
            passed.setdefault(one.column, []).append(bool(value.passed))
            if keep:
                keep(Trial(one.column, checks.Words(text=one.text), clip, about, "speech"), bool(value.passed))
            count, right = (
                value.detail["words"],
                value.detail["words"] - min(value.detail["words"], value.detail["errors"]),
            )
            if one.column in WRONG:
                words.setdefault(one.column, []).append((max(0, right - one.said), count - one.said))
            else:
                words.setdefault(one.column, []).append((right, count))
    columns = (*TRUE, *SHOWN, *WRONG)
    whole = {name: Cell(sum(passed[name]), len(passed[name])) for name in columns if name in passed}
    single = {
        name: Cell(sum(a for a, _ in words[name]), sum(n for _, n in words[name])) for name in columns if name in words
    }
    return {
        "words": Verified(WordsCheck.version, whole, "sounds that pass"),
        "whisper_wer": Verified(WhisperWer.version, single, "words heard right; of wrong sounds, of those not said"),
    }


RHYMES = (
    ("went", "sent", "bent", "dent", "tent", "rent"), ("hold", "cold", "told", "fold", "sold", "gold"),
    ("kit", "bit", "fit", "hit", "wit", "sit"), ("must", "bust", "gust", "rust", "dust", "just"),
    ("pat", "pad", "pan", "path", "pack", "pass"), ("cape", "cane", "came", "cave", "case", "cake"),
)  # fmt: skip
"""Sets of the modified rhyme test: A. House and others, JASA 1965."""
RHYMERS = {
    "synthetic": ("flite:kal16", "flite:awb"),
    "rule-made": ("espeak-ng:en-gb", "espeak-ng:en-us+f2"),
}
"""Other talkers than those by whose words the rule was set: flite slt and rms, espeak-ng en-us."""
DIGITS = tuple(ONES[:10])

Choice = tuple[str, str, tuple[str, ...], Callable[[], Clip]]


def choices(bank: Bank | None) -> Iterator[Choice]:
    """(column, word, among, sound); in the columns of wrong sounds the word is not said."""
    taken: set[tuple[str, str]] = set()
    for row in bank.speech if bank else ():
        if row["set"] == "FSDD" and (row["speaker"], row["text"]) not in taken:
            taken.add((row["speaker"], row["text"]))
            path = bank.folder / row["file"]  # type: ignore[union-attr]
            yield "real", row["text"], DIGITS, lambda p=path: read_mono(p, SAMPLE_RATE)  # type: ignore[misc]
    for column, talkers in RHYMERS.items():
        for place, among in enumerate(RHYMES if can_say(talkers[0]) else ()):
            for turn, talker in enumerate(talkers):
                word, second = (among[(place + 3 * turn + more) % len(among)] for more in (0, 1))
                yield column, word, among, lambda w=word, t=talker: say(w, t)  # type: ignore[misc]
                yield column, second, among, lambda w=second, t=talker: say(w, t)  # type: ignore[misc]
                others = RHYMES[(place + 1) % len(RHYMES)]
                yield "not in set", others[0], others, lambda w=word, t=talker: say(w, t)  # type: ignore[misc]
    for turn in range(3):
        noise = seeded("noise", turn)
        yield "noise", RHYMES[turn][0], RHYMES[turn], lambda r=noise: make.noise(1.5, r)  # type: ignore[misc]
    yield "silence", RHYMES[0][0], RHYMES[0], lambda: make.silence(1.5)


def verify_rhymes(bank: Bank | None, keep: Callable[[Trial, bool], None] | None = None) -> dict[str, Verified]:
    """How the check `rhyme` does; each sound that says a word of its set is asked for another one too (`kind`).

    Raises:
        WeightsUnavailable: Whisper or Silero cannot be had here.
    """
    passed: dict[str, list[bool]] = {}

    def tried(one: Choice) -> list[tuple[Trial, bool]]:
        column, word, among, make_clip = one
        clip = make_clip()
        found, voice = choose(clip, among), spoken_s(clip) >= SHORTEST_S
        asked = [(column, word)]
        if column in TRUE:
            asked.append(("kind", among[(among.index(word) + 1) % len(among)]))
        checked = [(name, checks.Rhyme(word=w, among=list(among))) for name, w in asked]
        about = f"{word}, heard {found.nearest}"
        return [
            (Trial(name, check, clip, about, "speech"), bool(judge_choice(check, found, voice).passed))
            for name, check in checked
        ]

    for outcomes in ordered(tried, choices(bank)):
        for trial, right in outcomes:
            passed.setdefault(trial.column, []).append(right)
            if keep:
                keep(trial, right)
    cells = {name: Cell(sum(passed[name]), len(passed[name])) for name in (*TRUE, *WRONG) if name in passed}
    return {"rhyme": Verified(RhymeCheck.version, cells, "real: digits, among ten")}
