"""The word error rate of sounds of speech, without models, probes or runs.

    >>> from innerear import wer                                  # doctest: +SKIP
    >>> wer("spoken/").value                                      # doctest: +SKIP

The texts of a folder are those of the column `text` of its `MANIFEST.csv`, or are in a text file next to each sound
(`hello.wav`, `hello.txt`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from innerear import markup
from innerear.clip import Clip, read
from innerear.compute.threads import ordered
from innerear.distance.folders import Embedded, Source, open_sounds
from innerear.errors import AudioError, UsageError
from innerear.metrics.open_words import hear
from innerear.metrics.whisper import MODEL, MODELS, open_whisper
from innerear.metrics.word_errors import compare
from innerear.reference.manifest import read_manifest
from innerear.run.progress import Progress, silent
from innerear.stats import SEED, resampled_sums


@dataclass(frozen=True)
class Spoken:
    """One sound: its text, what was heard, and how many of its words are wrong. `voice`: whether one was heard."""

    name: str
    text: str
    heard: str
    words: int
    errors: int
    voice: bool


@dataclass(frozen=True)
class WordErrors:
    """The word error rate: all errors over all words, and its 95 % interval over texts.

    Of one sound at most as many errors count as it has words. No interval (`None`) for fewer than three texts.
    `skipped`: files that could not be read.
    """

    value: float
    low: float | None
    high: float | None
    words: int
    errors: int
    each: Sequence[Spoken]
    signature: str
    skipped: Sequence[str] = ()

    def __float__(self) -> float:
        return self.value

    def _repr_html_(self) -> str:
        columns = ("name", "text", "heard", "words", "errors")
        rows = [[getattr(one, name) for name in columns] for one in self.each]
        return markup.table(columns, rows, f"word error rate {self.value:.3f} of {self.words} words, {self.signature}")


def wer(
    sounds: Source,
    texts: str | Sequence[str] | Mapping[str, str] | None = None,
    model: str = MODEL,
    *,
    skip_bad: bool = False,
    progress: Progress = silent,
) -> WordErrors:
    """Word error rate of Whisper, which is told none of the texts, on what sounds should say.

    Where Silero VAD hears no voice, nothing is heard. Words that sound alike, and numerals, are taken as the same.

    Args:
        sounds: a folder, a sound file, a `Clip` or a list of them.
        texts: one text of all sounds, or one per sound, in order or by name; by default those of the folder.
        model: `whisper-tiny.en` or `whisper-base.en`.
        skip_bad: leave out files that cannot be read, and count them.
        progress: told of each sound.

    Raises:
        UsageError: a sound has no text, or there is no such model. AudioError: a file cannot be read.
        WeightsUnavailable: Whisper or Silero is not here.
    """
    if model not in MODELS:
        raise UsageError(f"no recogniser {model!r}; there are {', '.join(MODELS)}")
    opened = open_sounds(sounds)
    if isinstance(opened, Embedded):
        raise UsageError(f"{opened.name} holds embeddings; words can only be heard in sounds")
    wanted = _texts(opened.sounds, texts, sounds)
    network = open_whisper(model)

    def listen(named: tuple[str, Path | Clip]) -> Spoken | AudioError:
        name, sound = named
        try:
            heard = hear(sound if isinstance(sound, Clip) else read(sound), model)
        except AudioError as error:
            return error
        found = compare(wanted[name], heard.text)
        return Spoken(name, wanted[name], heard.text, found.words, found.capped, heard.voice)

    each, skipped = [], []
    results = zip(opened.sounds, ordered(listen, list(opened.sounds.items())), strict=True)
    for number, (name, result) in enumerate(results, 1):
        if isinstance(result, Spoken):
            each.append(result)
        elif not skip_bad:
            raise AudioError(f"{result}; --skip-bad skips and counts such files") from result
        else:
            skipped.append(name)
        progress(f"words of {opened.name}", number, len(opened.sounds))
    words, errors = sum(one.words for one in each), sum(one.errors for one in each)
    if not words:
        raise UsageError(f"none of the {len(opened.sounds)} sounds of {opened.name} can be read, or they have no words")
    values = np.array([(one.errors, one.words) for one in each], dtype=np.float64)
    drawn = resampled_sums(values, [one.text for one in each], SEED)
    low, high = (None, None) if drawn is None else map(float, np.quantile(drawn[:, 0] / drawn[:, 1], [0.025, 0.975]))
    signature = f"wer|{model}@{network.sha256[:8]}|gate:silero-vad|errors/words"
    return WordErrors(errors / words, low, high, words, errors, each, signature, skipped)


def _texts(
    sounds: Mapping[str, Path | Clip], given: str | Sequence[str] | Mapping[str, str] | None, source: Source
) -> Mapping[str, str]:
    """The text of each sound by name.

    Raises:
        UsageError: a sound has none.
    """
    texts: dict[str, str] = {}
    folder = Path(source) if isinstance(source, str | Path) else None
    if isinstance(given, str):
        texts = dict.fromkeys(sounds, given)
    elif isinstance(given, Mapping):
        texts = dict(given)
    elif given is not None:
        if len(given) != len(sounds):
            raise UsageError(f"there are {len(given)} texts for {len(sounds)} sounds; wanted one per sound")
        texts = dict(zip(sounds, given, strict=True))
    elif folder is not None and (folder / "MANIFEST.csv").exists():
        rows = read_manifest(folder / "MANIFEST.csv", columns=("file", "text"))
        texts = {row["file"]: row["text"] for row in rows if row["text"].strip()}
    for name, sound in sounds.items():
        transcript = sound.with_suffix(".txt") if isinstance(sound, Path) else None
        if given is None and name not in texts and transcript is not None and transcript.is_file():
            texts[name] = transcript.read_text("utf-8").strip()
    if lacking := [name for name in sounds if not texts.get(name, "").strip()]:
        raise UsageError(
            f"{lacking[0]} has no text, and {len(lacking) - 1} more; wanted a column `text` in MANIFEST.csv, "
            "or a .txt file next to each sound"
        )
    return texts
