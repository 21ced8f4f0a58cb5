"""What is said? Forced choice: the text of a set whose templates are nearest, or none of them.

The sound is matched with the same texts as said by several talkers (`words.npz`, built by
`innerear checks templates`): real ones, talkers by formant rules, talkers by recorded diphones. A
choice among few texts is far easier than recognising any, so its rate of right ones is no word
error rate: chance (1 over the size of the set) is reported with it.

Features: 13 mel cepstra between 120 and 3700 Hz, each of mean 0 and variance 1 over the heard part
(which takes out the channel), on a time axis of 40 or 100 points from the first heard
moment to the last. Matching: dynamic time warping, each point of the sound against a path that moves
on by 0, 1 or 2 (H. Sakoe, S. Chiba, "Dynamic programming algorithm optimization for spoken word
recognition", IEEE TASSP 1978, asymmetric), with the length of the vocal tract warped in five
steps (L. Lee, R. Rose, IEEE TSAP 1998). A text's distance is the mean over the three talkers that
are nearest in it.

A text is heard only if it is nearer than every text of no set (`OTHER`), clearly nearer than the
middle one of all, and near at all.
"""

from __future__ import annotations

import functools
import io
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from innerear.checks import Transcript
from innerear.clip import Clip
from innerear.dsp.mel import htk_hz, htk_mel
from innerear.dsp.silence import is_silent
from innerear.errors import WeightsUnavailable
from innerear.metrics.base import CheckMetric, Sound, Value
from innerear.records import Remark

Prints = NDArray[np.float32]

SAMPLE_RATE = 8_000
WINDOW, HOP, SIZE = 200, 80, 256  # samples: 25 ms every 10 ms
BANDS, CEPSTRA = 23, 13
LOWEST_HZ, HIGHEST_HZ = 120.0, 3700.0
WARPS = (0.84, 0.92, 1.0, 1.09, 1.19)
HEARD_DB = 40.0  # below the loudest: where a sound begins and ends
POINTS = {"short": 40, "long": 100}
LONG_WORDS = 3  # from so many words on, a text is long
STEP = 24.0  # of a stored cepstrum, which has variance 1, in parts of an int8
BAND_SHARE = 0.35  # of the time axis that a path may leave the diagonal by
NEAREST = 3
NEAR, NEARER_THAN_OTHER, NEARER_THAN_MEDIAN = 3.5, 1.05, 0.93
OTHER = "other"
"""The set of the texts that are in no set of the suite."""


def words(text: str) -> str:
    """A text as it is compared: lower case, no punctuation.

    >>> words("It's easy, really?")
    "it's easy really"
    """
    return " ".join("".join(c if c.isalnum() or c == "'" else " " for c in text.lower()).split())


def length(text: str) -> str:
    """`short` or `long`: on how many points it is matched."""
    return "long" if len(words(text).split()) >= LONG_WORDS else "short"


@functools.cache
def _filters(warp: float) -> NDArray[np.float64]:
    """Triangles on the mel scale, their frequencies times `warp`, shape (bands, SIZE // 2 + 1)."""
    mels = np.linspace(htk_mel(LOWEST_HZ), htk_mel(HIGHEST_HZ), BANDS + 2)
    edges = np.minimum(htk_hz(mels) * warp, SAMPLE_RATE / 2 - 10)
    hz = np.fft.rfftfreq(SIZE, 1 / SAMPLE_RATE)
    rise = (hz - edges[:-2, None]) / np.maximum(edges[1:-1] - edges[:-2], 1)[:, None]
    fall = (edges[2:, None] - hz) / np.maximum(edges[2:] - edges[1:-1], 1)[:, None]
    return np.asarray(np.clip(np.minimum(rise, fall), 0, None) + 1e-9)


def cepstra(clip: Clip, points: int, warps: Sequence[float] = WARPS) -> Prints | None:
    """The cepstra of a clip, (warps, points, 13); `None` for silence."""
    import scipy.fft

    samples = clip.at(SAMPLE_RATE).astype(np.float64)
    if is_silent(samples, 1e-5):
        return None
    samples[1:] -= 0.97 * samples[:-1]
    samples = np.pad(samples, (0, max(0, 3 * WINDOW - len(samples))))
    frames = np.lib.stride_tricks.sliding_window_view(samples, WINDOW)[::HOP] * np.hamming(WINDOW)
    power = np.abs(np.fft.rfft(frames, SIZE)) ** 2
    level = 10 * np.log10(power.sum(axis=1) + 1e-20)
    heard = np.flatnonzero(level > level.max() - HEARD_DB)
    power = power[heard[0] : heard[-1] + 1]
    found = np.empty((len(warps), points, CEPSTRA), np.float32)
    at = np.linspace(0, len(power) - 1, points)
    before = np.minimum(at.astype(int), max(0, len(power) - 2))
    share = (at - before)[:, None]
    for place, warp in enumerate(warps):
        mel = power @ _filters(warp).T
        one = scipy.fft.dct(np.log(mel + 1e-5 * mel.max()), norm="ortho", axis=1)[:, :CEPSTRA]
        one = (one - one.mean(axis=0)) / (one.std(axis=0) + 1e-6)
        found[place] = one[before] * (1 - share) + one[np.minimum(before + 1, len(one) - 1)] * share
    return found


def distances(prints: Prints, templates: Prints) -> NDArray[np.float32]:
    """The mean distance a point along the best path, (sounds, templates)."""
    sounds, points, dims = prints.shape
    count = len(templates)
    square = np.sum(templates**2, axis=2)
    flat = templates.reshape(count * points, dims).T
    reach = int(BAND_SHARE * points)
    path = np.full((sounds, count, points + 2), np.inf, np.float32)
    for point in range(points):
        heard = prints[:, point]
        product = (heard @ flat).reshape(sounds, count, points)
        cost = np.sqrt(np.maximum(square + np.sum(heard**2, axis=1)[:, None, None] - 2 * product, 0))
        if point:
            cost += np.minimum(np.minimum(path[:, :, 2:], path[:, :, 1:-1]), path[:, :, :-2])
        else:
            cost[:, :, 3:] = np.inf
        cost[:, :, : max(0, point - reach)] = np.inf
        cost[:, :, point + reach + 1 :] = np.inf
        path[:, :, 2:] = cost
    return np.asarray(path[:, :, -3:].min(axis=2) / points)


@dataclass(frozen=True, eq=False)
class Templates:
    """Texts said by talkers, of one length: cepstra (templates, points, 13), and whose they are."""

    texts: NDArray[np.str_]
    talkers: NDArray[np.str_]
    prints: Prints


@dataclass(frozen=True, eq=False)
class Known:
    """What ships: the sets of texts by name, `OTHER` among them, and templates by length."""

    sets: Mapping[str, tuple[str, ...]]
    templates: Mapping[str, Templates]

    def among(self, check: Transcript) -> tuple[str, tuple[str, ...]] | None:
        """The name and the texts of the set that a check chooses among; `None` where one has no template.

        A closed set is the check's own; an open text stands among all open ones of its length.
        """
        text = words(check.text)
        if check.closed_set is not None:
            closed = tuple(map(words, check.closed_set))
            return next(((name, closed) for name, texts in self.sets.items() if set(closed) <= set(texts)), None)
        texts = dict.fromkeys(one for name in OPEN for one in self.sets[name] if length(one) == length(text))
        return next(((name, tuple(texts)) for name in OPEN if text in self.sets[name]), None)


OPEN = ("sentence", "prosody")
"""The sets of texts that are said without a closed set."""


def shipped_path() -> Path:
    """Where the shipped templates lie."""
    return Path(str(resources.files(__package__).joinpath("words.npz")))


def save(path: Path, sets: Mapping[str, Sequence[str]], made: Sequence[tuple[str, str, Prints]]) -> None:
    """Write (text, talker, cepstra of one warp) of each template, a byte a number."""
    from innerear.run.parts import write_whole

    arrays: dict[str, Any] = {}
    for name in POINTS:
        mine = [one for one in made if length(one[0]) == name]
        arrays[f"{name}_texts"] = np.array([text for text, _, _ in mine])
        arrays[f"{name}_talkers"] = np.array([talker for _, talker, _ in mine])
        arrays[f"{name}_prints"] = np.clip(np.rint(np.stack([p for _, _, p in mine]) * STEP), -127, 127).astype(np.int8)
    for name, texts in sets.items():
        arrays[f"set_{name}"] = np.array(list(texts))
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    write_whole(path, buffer.getvalue())


@functools.cache
def shipped() -> Known:
    """The shipped templates."""
    return load(shipped_path())


def load(path: Path) -> Known:
    """Templates that were saved."""
    with np.load(path, allow_pickle=False) as stored:
        sets = {name.removeprefix("set_"): tuple(stored[name].tolist()) for name in stored if name.startswith("set_")}
        templates = {
            name: Templates(
                stored[f"{name}_texts"],
                stored[f"{name}_talkers"],
                stored[f"{name}_prints"].astype(np.float32) / np.float32(STEP),
            )
            for name in POINTS
        }
    return Known(sets, templates)


@dataclass(frozen=True)
class Heard:
    """The text that was heard, `None` where it was none of them, and the nearest of the set."""

    text: str | None
    nearest: str
    distance: float
    why: str = ""


def listen(clip: Clip, among: Sequence[str], known: Known, without: Collection[str] = ()) -> Heard | None:
    """Which of these texts, all of one length, is heard; `None` for silence.

    `without`: talkers that are left out, when it is tried on them.
    """
    kind = length(among[0])
    prints = cepstra(clip, POINTS[kind])
    if prints is None:
        return None
    templates = known.templates[kind]
    mine = np.isin(templates.texts, [*among, *known.sets[OTHER]]) & ~np.isin(templates.talkers, list(without))
    found = distances(prints, templates.prints[mine]).min(axis=0)
    by_talker: dict[str, dict[str, float]] = {}
    for text, talker, far in zip(templates.texts[mine].tolist(), templates.talkers[mine].tolist(), found, strict=True):
        nearest_yet = by_talker.setdefault(text, {})
        nearest_yet[talker] = min(float(far), nearest_yet.get(talker, np.inf))
    by_text = {text: float(np.mean(sorted(one.values())[:NEAREST])) for text, one in by_talker.items()}
    nearest = min((text for text in by_text if text in among), key=by_text.__getitem__)
    other = min((far for text, far in by_text.items() if text not in among), default=np.inf)
    distance, median = by_text[nearest], float(np.median(list(by_text.values())))
    if distance > NEAR:
        why = "like no speech that is known"
    elif distance > NEARER_THAN_MEDIAN * median:
        why = "as like one text as another"
    elif distance > NEARER_THAN_OTHER * other:
        why = "more like a text that is not in the set"
    else:
        return Heard(nearest, nearest, distance)
    return Heard(None, nearest, distance, why)


class TranscriptCheck(CheckMetric[Transcript]):
    """The check `transcript`: distance of the sound from the nearest text of the set, if one is heard.

    Forced choice among the texts of the set, with rejection: passes if the text asked for is heard.
    The unit is the mean distance a point in standard deviations of the cepstra. Sentences (open texts
    of three words and more) are left to the recogniser: their value is the word error rate, see `open_words`.
    """

    name, version, unit = "transcript", 2, "distance"
    label = "Text recognised"
    text = "The recogniser picks the requested text from a list, and no other."
    weights = ("whisper-tiny.en", "silero-vad")
    fitted = "words.npz"
    excused_by = (Remark.ANOTHER_TEXT,)

    def measure(self, sound: Sound, check: Transcript) -> Value:
        """The detail holds what was heard (`None`: rejected), by whom, and of a choice among how many, and chance."""
        if is_sentence(check):
            from innerear.metrics.open_words import judge as judge_words

            try:
                return judge_words(sound.signal, check.text)
            except WeightsUnavailable as error:
                return _only_a_mark(str(error), self._chosen(sound.signal, check))
        return self._chosen(sound.signal, check)

    def _chosen(self, clip: Clip, check: Transcript) -> Value:
        known = shipped()
        found = known.among(check)
        if found is None:
            return Value.unavailable(f"no templates of {check.text!r} in this set")
        return judge(check, listen(clip, found[1], known), found[1])


def is_sentence(check: Transcript) -> bool:
    """Whether a text is the recogniser's: forced choice passes a sentence with a quarter of its words replaced."""
    return check.closed_set is None and length(check.text) == "long"


def _only_a_mark(why: str, chosen: Value) -> Value:
    """What the templates hear of a sentence that should be the recogniser's: shown, and it passes nothing."""
    heard = chosen.detail.get("heard")
    said = f"the templates hear {heard!r}" if heard else "the templates hear none of their texts"
    why = f"{why}; {said}, which also a sentence with other words may pass"
    return Value.unavailable(why, chosen.value, chosen.detail)


def judge(check: Transcript, heard: Heard | None, among: Sequence[str]) -> Value:
    """What the listener makes of one sound."""
    detail = {
        "heard": heard.text if heard else None, "listener": "forced choice", "chance": 1 / len(among),
        "among": len(among), "closed": check.closed_set is not None,
    }  # fmt: skip
    if heard is None:
        return Value(None, False, "silence", detail)
    if heard.text is None:
        return Value(heard.distance, False, f"no text of the set is heard: {heard.why}", detail)
    passed = heard.text == words(check.text)
    return Value(heard.distance, passed, "" if passed else f"sounds more like {heard.text!r}", detail)
