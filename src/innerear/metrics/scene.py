"""Scenes of two sounds: the checks `sequence` (one after the other) and `together` (at the same time).

They compare the lifts of the two classes (see `classes`) over parts of the sound. Merged classes are not
used, because the two classes must be distinguished.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from innerear.checks import Sequence, Together
from innerear.errors import WeightsUnavailable
from innerear.metrics.base import CheckMetric, Sound, Value
from innerear.metrics.classes import LEAST_LIFT, Scores, heard, lifts, listen, places, shipped, silent

Floats = NDArray[np.float64]

LEAST_FRAMES = 2  # in each part of a sequence: about 1.5 s
FIRST_IN_PART = 2  # the class must rank at least this high in its part of a sequence ...
LEAST_CHANGE = 0.5  # ... and exceed its lift in the other part by at least this (nats)
FIRST_TOGETHER = 5  # both classes must rank at least this high over the whole sound


class SequenceCheck(CheckMetric[Sequence]):
    """The check `sequence`: how far the two classes swap at the best cut, in nats of lift.

    At a cut, the first class should be among the top two before it, and the second after it. The value is
    the smaller of the fall of the first class and the rise of the second.
    """

    name, version, unit = "sequence", 1, "nats"
    label = "In sequence"
    text = "The requested classes are recognised in order."
    weights = ("yamnet",)
    fitted = "classes.csv"

    def measure(self, sound: Sound, check: Sequence) -> Value:
        """Detail: the classes found before and after the cut, and the time of the cut."""
        scores = _listen(sound, check.labels)
        return scores if isinstance(scores, Value) else in_sequence(scores, *check.labels)


def in_sequence(scores: Scores, first: str, second: str) -> Value:
    """Judge a sequence of two classes from the scores of a sound, (frames, 521)."""
    one, two = places()[first], places()[second]
    best: tuple[bool, float, int] | None = None
    for cut in range(LEAST_FRAMES, len(scores) - LEAST_FRAMES + 1):
        before, after = lifts(scores[:cut]), lifts(scores[cut:])
        change = min(before[one] - after[one], after[two] - before[two])
        ranked = _among(before, one, FIRST_IN_PART) and _among(after, two, FIRST_IN_PART)
        best = max(best, (ranked, float(change), -cut)) if best else (ranked, float(change), -cut)
    if best is None:
        return Value(None, False, "too short for two sounds")
    ranked, change, cut = best[0], best[1], -best[2]
    parts = [heard(lifts(scores[:cut])), heard(lifts(scores[cut:]))]
    detail = {"heard": [what or "none" for what in parts], "cut_s": round(cut * 0.48, 2)}
    passed = ranked and change >= LEAST_CHANGE
    said = ", then ".join(what.replace("_", " ") if what else "nothing known" for what in parts)
    return Value(change, passed, "" if passed else f"heard: {said}", detail)


class TogetherCheck(CheckMetric[Together]):
    """The check `together`: the lower of the two classes' lifts over the whole sound, in nats.

    Passes if both are among the top five over the whole sound and recognised in each half.
    """

    name, version, unit = "together", 1, "nats"
    label = "At once"
    text = "The requested classes are recognised at the same time."
    weights = ("yamnet",)
    fitted = "classes.csv"

    def measure(self, sound: Sound, check: Together) -> Value:
        """Detail: those of the top five classes whose lift is high enough."""
        scores = _listen(sound, check.labels)
        return scores if isinstance(scores, Value) else at_once(scores, check.labels)


def at_once(scores: Scores, labels: list[str]) -> Value:
    """Judge simultaneous classes from the scores of a sound, (frames, 521)."""
    wanted = [places()[label] for label in labels]
    whole = lifts(scores)
    halves = [lifts(part) for part in np.array_split(scores, 2) if len(part)]
    first = [int(place) for place in np.argsort(-whole)[:FIRST_TOGETHER] if whole[place] >= LEAST_LIFT]
    names = [shipped()[place].name for place in first]
    missing = [label for label, place in zip(labels, wanted, strict=True) if place not in first]
    partly = [
        label for label, place in zip(labels, wanted, strict=True) if min(half[place] for half in halves) < LEAST_LIFT
    ]
    reason = ""
    if missing:
        reason = f"not heard: {', '.join(missing)}; heard: {', '.join(names) or 'nothing known'}"
    elif partly:
        reason = f"heard in one half only: {', '.join(partly)}"
    value = float(min(whole[place] for place in wanted))
    return Value(value, not reason, reason.replace("_", " "), {"heard": names, "missing": missing})


def _among(lift: Floats, place: int, first: int) -> bool:
    return bool(lift[place] >= LEAST_LIFT and (lift > lift[place]).sum() < first)


def _listen(sound: Sound, labels: list[str]) -> Scores | Value:
    """The scores of a sound, or a value that says why it cannot be judged."""
    assert sound.clip is not None
    unknown = [label for label in labels if label not in places()]
    if unknown or len(labels) != 2:
        return Value(None, None, f"not measured: wanted two of the 50 classes, got {', '.join(labels)}")
    if silent(sound.clip):
        return Value(None, False, "silence", {"heard": []})
    try:
        return listen(sound.clip)
    except WeightsUnavailable as error:
        return Value.unavailable(error)
