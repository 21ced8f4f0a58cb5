"""Scenes of two sounds: the checks `sequence` (one after the other) and `together` (at the same time).

The classifier of `label` for YAMNet alone judges parts of the sound, see `identity`: YAMNet's frames are 0.48 s apart,
those of aiSFX 1.2 s, too far for a part of a scene. Merged classes are not used, because the two classes must be
distinguished.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from innerear.checks import Sequence, Together
from innerear.clip import Clip
from innerear.dsp import fluctuations
from innerear.errors import WeightsUnavailable
from innerear.metrics import identity
from innerear.metrics.base import CheckMetric, Sound, Value
from innerear.metrics.classes import places
from innerear.metrics.identity import Classifier, Heard, envelope, network, shipped

Floats = NDArray[np.float64]

STEP_S = 0.48  # between cuts
LEAST_PART_S = 1.4  # of a sequence
FIRST_IN_PART = 2  # the class must rank at least this high in its part of a sequence ...
LEAST_CHANGE = 1.0  # ... and its log odds must exceed those in the other part by at least this
FIRST_TOGETHER = 4  # both classes must rank at least this high over the whole sound ...
LEAST_SHARE = 0.01  # ... with at least this probability, in each half too
CENTRE_S, HOP_S = 0.4875, 0.48  # of YAMNet's first frame, and between frames


def by_yamnet(clip: Clip) -> Heard:
    """What YAMNet makes of a clip.

    Raises:
        WeightsUnavailable: it is not here.
    """
    frames, scores = network("yamnet").listen(clip)
    return Heard(frames, scores, None, envelope(clip), fluctuations.of(clip))


def part(heard: Heard, start_s: float, end_s: float) -> Heard:
    """What was heard between two times: the frames whose centre is there, or the nearest one."""

    assert heard.frames is not None
    assert heard.scores is not None
    centres = CENTRE_S + HOP_S * np.arange(len(heard.frames))
    inside = (centres >= start_s) & (centres < end_s)
    if not inside.any():
        inside[int(np.abs(centres - (start_s + min(end_s, centres[-1])) / 2).argmin())] = True
    return dataclasses.replace(heard, frames=heard.frames[inside], scores=heard.scores[inside])


def logs(heard: Heard, classifier: Classifier) -> Floats:
    """Log probabilities of the 50 classes, of a sound that is one of them."""
    found = classifier.log_probabilities(heard.features("yamnet", "label"))[: classifier.classes]
    return np.asarray(found - np.log(np.exp(found).sum()))


class SequenceCheck(CheckMetric[Sequence]):
    """The check `sequence`: how far the two classes swap at the best cut, in nats.

    At a cut, the first class should be among the top two before it, and the second after it. The value is
    the smaller of the fall of the first class and the rise of the second.
    """

    name, version, unit = "sequence", 4, "nats"
    label = "In sequence"
    text = "The requested classes are recognised in order."
    better = "higher"
    weights = ("yamnet",)
    fitted = "label.npz"

    def measure(self, sound: Sound, check: Sequence) -> Value:
        """Detail: the classes found before and after the cut, and the time of the cut."""
        assert sound.clip is not None
        found = _hear(sound, check.labels)
        return (
            found
            if isinstance(found, Value)
            else in_sequence(found, sound.clip.duration_s, check.labels[0], check.labels[1])
        )


def in_sequence(
    heard: Heard, duration_s: float, first: str, second: str, classifier: Classifier | None = None
) -> Value:
    """Judge a sequence of two classes, by the shipped classifier or another one."""
    by = classifier or shipped("label", "yamnet")
    one, two = places()[first], places()[second]
    best: tuple[bool, float, float, Floats, Floats] | None = None
    for cut_s in np.arange(LEAST_PART_S, duration_s - LEAST_PART_S + 1e-6, STEP_S):
        before, after = logs(part(heard, 0, cut_s), by), logs(part(heard, cut_s, np.inf), by)
        change = float(min(before[one] - after[one], after[two] - before[two]))
        ranked = _rank(before, one) <= FIRST_IN_PART and _rank(after, two) <= FIRST_IN_PART
        if best is None or (ranked, change) > best[:2]:
            best = (ranked, change, float(cut_s), before, after)
    if best is None:
        return Value(None, False, "too short for two sounds")
    ranked, change, cut_s, before, after = best
    names = list(places())
    parts = [names[int(before.argmax())], names[int(after.argmax())]]
    passed = ranked and change >= LEAST_CHANGE
    said = ", then ".join(name.replace("_", " ") for name in parts)
    detail = {"heard": parts, "cut_s": round(cut_s, 2)}
    return Value(change, passed, "" if passed else f"heard: {said}", detail)


class TogetherCheck(CheckMetric[Together]):
    """The check `together`: the lower of the two classes' log probabilities over the whole sound, in nats.

    Passes if both are among the top four over the whole sound, and present in each half.
    """

    name, version, unit = "together", 4, "nats"
    label = "At once"
    text = "The requested classes are recognised at the same time."
    better = "higher"
    weights = ("yamnet",)
    fitted = "label.npz"

    def measure(self, sound: Sound, check: Together) -> Value:
        """Detail: those of the top four classes that are probable enough."""
        assert sound.clip is not None
        found = _hear(sound, check.labels)
        return found if isinstance(found, Value) else at_once(found, sound.clip.duration_s, check.labels)


def at_once(heard: Heard, duration_s: float, labels: list[str], classifier: Classifier | None = None) -> Value:
    """Judge simultaneous classes, by the shipped classifier or another one."""
    by = classifier or shipped("label", "yamnet")
    wanted = [places()[label] for label in labels]
    whole = logs(heard, by)
    halves = [logs(part(heard, 0, duration_s / 2), by), logs(part(heard, duration_s / 2, np.inf), by)]
    least = np.log(LEAST_SHARE)
    first = [int(place) for place in np.argsort(-whole)[:FIRST_TOGETHER] if whole[place] >= least]
    names = [list(places())[place] for place in first]
    missing = [label for label, place in zip(labels, wanted, strict=True) if place not in first]
    partly = [label for label, place in zip(labels, wanted, strict=True) if min(half[place] for half in halves) < least]
    reason = ""
    if missing:
        reason = f"not heard: {', '.join(missing)}; heard: {', '.join(names) or 'nothing known'}"
    elif partly:
        reason = f"heard in one half only: {', '.join(partly)}"
    detail = {"heard": names, "missing": missing}
    value = float(min(whole[place] for place in wanted))
    return Value(value, not reason, reason.replace("_", " "), detail)


def _rank(of: Floats, place: int) -> int:
    return 1 + int((of > of[place]).sum())


def _hear(sound: Sound, labels: list[str]) -> Heard | Value:
    """What is heard of a sound, or a value that says why it cannot be judged."""
    assert sound.clip is not None
    unknown = [label for label in labels if label not in places()]
    if unknown or len(labels) != 2:
        return Value(None, None, f"not measured: wanted two of the 50 classes, got {', '.join(labels)}")
    if identity.silent(sound.clip):
        return Value(None, False, "silence", {"heard": []})
    try:
        return by_yamnet(sound.clip)
    except WeightsUnavailable as error:
        return Value.unavailable(error)
