"""Two sounds in one: are they heard one after the other (`sequence`), or at the same time (`together`)?

By the lifts of the two classes (see `classes`) over parts of the sound. Here merges do not help:
what is asked is whether two classes can be told apart.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from innerear.checks import Sequence, Together
from innerear.errors import WeightsUnavailable
from innerear.metrics.classes import LEAST_LIFT, Scores, heard, lifts, listen, places, shipped, silent
from innerear.metrics.measure import UNAVAILABLE, Sound, Value

Floats = NDArray[np.float64]

LEAST_FRAMES = 2  # of either part of a sequence: a second and a half
FIRST_IN_PART = 2  # the class must be among so many in its part of a sequence ...
LEAST_CHANGE = 0.5  # ... and stand out from the other part by so much
FIRST_TOGETHER = 5  # both classes must be among so many over the whole


class SequenceCheck:
    """The check `sequence`: by how much the two classes change places, at the best of all cuts.

    At a cut, the first class should be among the first two before it and the second after it; the
    value is the smaller of what the first falls and the second rises, in nepers of lift.
    """

    name, version, unit = "sequence", 1, "nepers"

    def measure(self, sound: Sound, check: Sequence) -> Value:
        """The detail holds the class heard before the cut and after it, and where the cut is."""
        scores = _listen(sound, check.labels)
        return scores if isinstance(scores, Value) else in_sequence(scores, *check.labels)


def in_sequence(scores: Scores, first: str, second: str) -> Value:
    """What the scores of a sound, (frames, 521), say of a sequence of two classes."""
    one, two = places()[first], places()[second]
    best: tuple[bool, float, int] | None = None
    for cut in range(LEAST_FRAMES, len(scores) - LEAST_FRAMES + 1):
        before, after = lifts(scores[:cut]), lifts(scores[cut:])
        change = min(before[one] - after[one], after[two] - before[two])
        there = _among(before, one, FIRST_IN_PART) and _among(after, two, FIRST_IN_PART)
        best = max(best, (there, float(change), -cut)) if best else (there, float(change), -cut)
    if best is None:
        return Value(None, False, "too short for two sounds")
    there, change, cut = best[0], best[1], -best[2]
    parts = [heard(lifts(scores[:cut])), heard(lifts(scores[cut:]))]
    detail = {"heard": [what or "none" for what in parts], "cut_s": round(cut * 0.48, 2)}
    passed = there and change >= LEAST_CHANGE
    said = ", then ".join(what.replace("_", " ") if what else "nothing known" for what in parts)
    return Value(change, passed, "" if passed else f"heard: {said}", detail)


class TogetherCheck:
    """The check `together`: the lower of the two classes' lifts over the whole sound, in nepers.

    Passes where both are among the first five over the whole, and stand out in each half of it.
    """

    name, version, unit = "together", 1, "nepers"

    def measure(self, sound: Sound, check: Together) -> Value:
        """The detail holds the classes among the first five that stand out."""
        scores = _listen(sound, check.labels)
        return scores if isinstance(scores, Value) else at_once(scores, check.labels)


def at_once(scores: Scores, labels: list[str]) -> Value:
    """What the scores of a sound, (frames, 521), say of classes at the same time."""
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
    """The scores of a sound, or why it cannot be judged."""
    assert sound.clip is not None
    unknown = [label for label in labels if label not in places()]
    if unknown or len(labels) != 2:
        return Value(None, None, f"not measured: wanted two of the 50 classes, got {', '.join(labels)}")
    if silent(sound.clip):
        return Value(None, False, "silence", {"heard": []})
    try:
        return listen(sound.clip)
    except WeightsUnavailable as error:
        return Value(None, None, f"{UNAVAILABLE}: {error}")
