"""Which kind of sound is it? Classification into 50 environment classes by YAMNet, and the check `label`.

Each class maps to one or more AudioSet names; its score is their highest. YAMNet assigns some names more
readily than others (*Engine* more than *Frying*), so classes are ranked by *lift*: the log score minus
its usual value on recordings of other classes. Classes that YAMNet confuses on real recordings are
*merged*: a check passes if the class found is merged with the requested one.

`classes.csv` has the names, usual levels, merges, and how often real recordings of the class are
classified correctly, which is the ceiling for any model. `innerear checks fit` rebuilds it. Classes are
those of ESC-50 (K. J. Piczak, "ESC: Dataset for Environmental Sound Classification", ACM MM 2015);
names are AudioSet's (J. F. Gemmeke et al., "Audio Set", ICASSP 2017; CC BY 4.0).
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
from innerear.metrics.base import CheckMetric, Sound, Value
from innerear.metrics.instrument import audioset_names, listener

Floats = NDArray[np.float64]
Scores = NDArray[np.float32]

LEAST_SCORE = 1e-3  # added to scores, because smaller ones are uninformative
LEAST_LIFT = 1.0  # nats; below this, no class is recognised
TOP = 5
SILENT = 1e-4  # peak


class Class(msgspec.Struct, frozen=True):
    """One environment class.

    `usual`: mean of ln(score + 0.001) over recordings of other classes. `merged`: name of the merged
    class. Of `n` recordings of the class, `real` is the share classified as a class that it is merged
    with, `real_alone` as itself, `real_top5` with itself among the first five.
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
    """Path of the bundled table."""
    return Path(str(resources.files(__package__).joinpath("classes.csv")))


@functools.cache
def shipped() -> tuple[Class, ...]:
    """The 50 classes."""
    rows = csv.DictReader(shipped_path().read_text().splitlines())
    made = ({**row, "audioset": row["audioset"].split("|")} for row in rows)
    return tuple(msgspec.convert(row, Class, strict=False) for row in made)


def save(path: Path, classes: Sequence[Class]) -> None:
    """Write the table atomically."""
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
    """Index of each class in the table."""
    return {one.name: index for index, one in enumerate(shipped())}


def merged_name(label: str) -> str:
    """Name of the merged class, such as `rooster+hen`; the label itself if it is not in the table."""
    return shipped()[places()[label]].merged if label in places() else label


def by_class(scores: Scores) -> Floats:
    """Convert scores of AudioSet names, (frames, 521), to scores of the classes, (frames, 50)."""
    return np.stack([scores[:, list(columns)].max(axis=1) for columns in _columns()], axis=1).astype(np.float64)


@functools.cache
def _columns() -> tuple[tuple[int, ...], ...]:
    place = {name: index for index, name in enumerate(audioset_names())}
    return tuple(tuple(place[name] for name in one.audioset) for one in shipped())


def levels(scores: Scores) -> Floats:
    """ln(score + 0.001) of each class, from scores averaged over frames, shape (50,)."""
    found: Floats = np.log(by_class(scores.mean(axis=0, keepdims=True))[0] + LEAST_SCORE)
    return found


def lifts(scores: Scores) -> Floats:
    """How far each class is above its usual level, in nats, shape (50,)."""
    above: Floats = levels(scores) - np.array([one.usual for one in shipped()])
    return above


def heard(lift: Floats) -> str | None:
    """The class with the highest lift; `None` if it is below `LEAST_LIFT`."""
    best = int(lift.argmax())
    return shipped()[best].name if lift[best] >= LEAST_LIFT else None


def silent(clip: Clip) -> bool:
    """Whether a clip is empty or digitally (almost) silent."""
    return not len(clip.mono) or float(np.abs(clip.mono).max()) < SILENT


def listen(clip: Clip) -> Scores:
    """YAMNet's scores of the AudioSet names, (frames, 521), in windows of 0.975 s every 0.48 s.

    Raises:
        WeightsUnavailable: YAMNet is not installed.
    """
    scores: Scores = listener().listen(clip)[1]
    return scores


class LabelCheck(CheckMetric[Label]):
    """The check `label`: rank of the requested class among the 50 by lift, from 1.

    Passes if the highest-ranked class is merged with the requested one.
    """

    name, version, unit = "label", 1, "of 50"
    label = "Class recognised"
    text = "The tagger's top class is the requested one, or merged with it."
    better = "lower"
    value_is = "rank"
    weights = ("yamnet",)
    fitted = "classes.csv"

    def measure(self, sound: Sound, check: Label) -> Value:
        """Detail: the class found (`None` if no lift is high enough), the rank, the first five with their lifts.

        Not measurable for sets other than `esc50` or classes outside it.
        """
        assert sound.clip is not None
        if check.among != "esc50" or check.label not in places():
            return Value(None, None, f"not measured: no table of {check.label!r} among {check.among!r}")
        if silent(sound.clip):
            return Value(None, False, "silence", {"heard": None})
        try:
            return judge(lifts(listen(sound.clip)), check.label)
        except WeightsUnavailable as error:
            return Value.unavailable(error)


def judge(lift: Floats, label: str) -> Value:
    """Judge a class from the lifts of a sound."""
    own = lift[places()[label]]
    rank = 1 + int((lift > own).sum())
    first = [shipped()[index].name for index in np.argsort(-lift, kind="stable")[:TOP]]
    top = [[name, round(float(lift[places()[name]]), 2)] for name in first]
    what = heard(lift)
    passed = what is not None and merged_name(what) == merged_name(label)
    reason = "" if passed else f"heard as {what.replace('_', ' ')}" if what else "heard as none of the 50 classes"
    return Value(float(rank), passed, reason, {"heard": what, "rank": rank, "top": top})
