"""The recogniser tried on real speech and on talkers, and on sounds that do not say what is asked.

Each sound is heard once and asked for several texts: its own, its own with one word in four replaced, its
own in another order, and another text by the same voice. The same sounds are cut off at 60 %, turned round
in pieces of 100 ms, and made of noise in two bands; then noise, silence and music.

Real speech is LJSpeech, CMU ARCTIC, and strings of five recorded digits by four speakers.

Two outcomes. `words`: the share of sounds that pass the check. `whisper_wer`: the share of words that are
heard right; in a column of wrong sounds, of the words that are not said, how many are heard all the same.
Real speech decides, since it is known to be understood; how far talkers are understood is what is measured.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from innerear import checks
from innerear.clip import Clip, read_mono
from innerear.compute.threads import ordered
from innerear.lab import sounds as make
from innerear.lab.sounds import Bank, Floats
from innerear.lab.tools import Rng, seeded
from innerear.metrics.open_words import WhisperWer, WordsCheck, hear, judge
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
SPOILT = 10  # of the sounds of each column, of which each kind of spoilt sound is made
KEPT = 0.6  # of a sound that is cut off
PIECE_S = 0.1
STRINGS = 3  # of five digits, by each speaker
NOTHING = 30  # sounds without words, of each sort
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
    for turn in range(NOTHING):
        yield (lambda t=turn: make.noise(3.0, seeded("noise", t))), [Spoken("noise", text, 0)], "noise"  # type: ignore[misc]
    yield (lambda: make.silence(3.0)), [Spoken("silence", text, 0)], "silence"
    for note in (bank.all[place] for place in rng.permutation(len(bank.all))[:NOTHING]) if bank else ():
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
    yield from _strings(bank)
    for column, talkers in TALKERS.items():
        for text in TEXTS:
            for talker in talkers if can_say(talkers[0]) else ():
                yield column, text, talker, lambda t=text, w=talker: say(t, w)  # type: ignore[misc]


def _strings(bank: Bank | None) -> Iterator[tuple[str, str, str, Callable[[], Clip]]]:
    """Five recorded digits of one speaker one after the other, 0.1 to 0.25 s apart."""
    digits = [row for row in bank.speech if row["set"] == "FSDD"] if bank else []
    for speaker in dict.fromkeys(row["speaker"] for row in digits):
        mine = [row for row in digits if row["speaker"] == speaker]
        rng = seeded("digit strings", speaker)
        for _ in range(STRINGS):
            said = [mine[place] for place in rng.permutation(len(mine))[:5]]
            paths = [bank.folder / row["file"] for row in said]  # type: ignore[union-attr]
            pauses = rng.uniform(0.1, 0.25, 5)

            def joined(paths: list[Path] = paths, pauses: Floats = pauses) -> Clip:
                parts = [
                    np.pad(read_mono(path, SAMPLE_RATE).mono, (0, round(pause * SAMPLE_RATE)))
                    for path, pause in zip(paths, pauses, strict=True)
                ]
                return Clip(np.concatenate(parts)[None], SAMPLE_RATE)

            yield "real", " ".join(row["text"] for row in said), speaker, joined


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
