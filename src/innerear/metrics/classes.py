"""Which kind of sound is it? The 50 environment classes, as YAMNet's AudioSet scores tell them, and the check `label`.

A class has some of AudioSet's names, and its score is the highest of theirs. Names are not equally
easily given (*Engine* is, *Frying* is not), so a class is heard by its *lift*: the logarithm of its
score over what it usually gets from recordings of other classes. Classes that YAMNet takes for each
other on real recordings are *merged*: a check passes where the class heard is merged with the one asked.

`classes.csv` holds all that: names, usual level, merges, and how often real recordings of the class
are heard right, the ceiling of any model. `innerear checks fit` makes it anew. Classes are those of
ESC-50 (K. J. Piczak, "ESC: Dataset for Environmental Sound Classification", ACM MM 2015); names are
AudioSet's (J. F. Gemmeke et al., "Audio Set", ICASSP 2017; CC BY 4.0).
"""

from __future__ import annotations

import csv
import functools
import io
from collections.abc import Sequence
from importlib import resources
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from innerear.checks import Label
from innerear.clip import Clip
from innerear.errors import WeightsUnavailable
from innerear.metrics.instrument import audioset_names, listener
from innerear.metrics.measure import UNAVAILABLE, Sound, Value

Floats = NDArray[np.float64]
Scores = NDArray[np.float32]

LEAST_SCORE = 1e-3  # added to a score, below which scores say nothing
LEAST_LIFT = 1.0  # of the class heard; below it nothing is heard
TOP = 5
SILENT = 1e-4  # peak


class Class(msgspec.Struct, frozen=True):
    """One environment class.

    `usual` is the mean of ln(score + 0.001) over recordings of other classes; `merged` the name that
    it goes by in headlines; of `n` recordings of the class, `real` is the share heard as a class that
    it is merged with, `real_alone` as itself, `real_top5` within the first five.
    """

    name: str
    audioset: tuple[str, ...]
    usual: float
    merged: str
    n: int
    real: float
    real_alone: float
    real_top5: float


def shipped_path() -> Path:
    """Where the shipped table lies."""
    return Path(str(resources.files(__package__).joinpath("classes.csv")))


@functools.cache
def shipped() -> tuple[Class, ...]:
    """The 50 classes."""
    rows = csv.DictReader(shipped_path().read_text().splitlines())
    made = ({**row, "audioset": row["audioset"].split("|")} for row in rows)
    return tuple(msgspec.convert(row, Class, strict=False) for row in made)


def save(path: Path, classes: Sequence[Class]) -> None:
    """Write the table whole."""
    from innerear.run.parts import write_whole

    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(Class.__struct_fields__)
    for one in classes:
        row = msgspec.structs.asdict(one)
        row["audioset"] = "|".join(one.audioset)
        writer.writerow([f"{value:.3f}" if isinstance(value, float) else value for value in row.values()])
    write_whole(path, text.getvalue().encode())


@functools.cache
def places() -> dict[str, int]:
    """The place of each class in the table."""
    return {one.name: place for place, one in enumerate(shipped())}


def merged_name(label: str) -> str:
    """The name that a class goes by in headlines, such as `rooster+hen`; its own where it is not in the table."""
    return shipped()[places()[label]].merged if label in places() else label


def by_class(scores: Scores) -> Floats:
    """Scores of AudioSet's names, (frames, 521), as scores of the classes, (frames, 50)."""
    return np.stack([scores[:, list(columns)].max(axis=1) for columns in _columns()], axis=1).astype(np.float64)


@functools.cache
def _columns() -> tuple[tuple[int, ...], ...]:
    place = {name: index for index, name in enumerate(audioset_names())}
    return tuple(tuple(place[name] for name in one.audioset) for one in shipped())


def levels(scores: Scores) -> Floats:
    """ln(score + 0.001) of each class over all frames (their mean), shape (50,)."""
    found: Floats = np.log(by_class(scores.mean(axis=0, keepdims=True))[0] + LEAST_SCORE)
    return found


def lifts(scores: Scores) -> Floats:
    """By how much each class is above what it usually gets, in nepers, shape (50,)."""
    above: Floats = levels(scores) - np.array([one.usual for one in shipped()])
    return above


def heard(lift: Floats) -> str | None:
    """The class with the highest lift; `None` where none stands out."""
    best = int(lift.argmax())
    return shipped()[best].name if lift[best] >= LEAST_LIFT else None


def silent(clip: Clip) -> bool:
    """Whether there is nothing to hear."""
    return not len(clip.mono) or float(np.abs(clip.mono).max()) < SILENT


def listen(clip: Clip) -> Scores:
    """Scores of AudioSet's 521 names, (frames, 521): windows of 0.975 s every 0.48 s.

    Raises:
        WeightsUnavailable: YAMNet cannot be had here.
    """
    scores: Scores = listener().listen(clip)[1]
    return scores


class LabelCheck:
    """The check `label`: the place of the class asked among the 50, by lift; 1 is the class heard.

    Passes where the class heard is merged with the one asked.
    """

    name, version, unit = "label", 1, "of 50"

    def measure(self, sound: Sound, check: Label) -> Value:
        """The detail holds the class heard (`None`: none stands out), the place, and the first five with their lifts.

        Another set than `esc50`, or a class outside it, cannot be measured.
        """
        assert sound.clip is not None
        if check.among != "esc50" or check.label not in places():
            return Value(None, None, f"not measured: no table of {check.label!r} among {check.among!r}")
        if silent(sound.clip):
            return Value(None, False, "silence", {"heard": None})
        try:
            return judge(lifts(listen(sound.clip)), check.label)
        except WeightsUnavailable as error:
            return Value(None, None, f"{UNAVAILABLE}: {error}")


def judge(lift: Floats, label: str) -> Value:
    """What the lifts of a sound say of a class."""
    own = lift[places()[label]]
    rank = 1 + int((lift > own).sum())
    first = [shipped()[place].name for place in np.argsort(-lift, kind="stable")[:TOP]]
    top = [[name, round(float(lift[places()[name]]), 2)] for name in first]
    what = heard(lift)
    passed = what is not None and merged_name(what) == merged_name(label)
    reason = "" if passed else f"heard as {what.replace('_', ' ')}" if what else "heard as none of the 50 classes"
    return Value(float(rank), passed, reason, {"heard": what, "rank": rank, "top": top})
