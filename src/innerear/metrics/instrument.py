"""Which instrument is it? The check `instrument`, by instrument family, judged by two ears.

The classifiers, see `identity`, are fitted to recorded notes, to phrases and chords of them, and to notes and phrases
of soundfonts; tones, noise and other impostors are the outside. They are in `instrument.npz`, built by
`innerear checks fit --only instrument`.

Families without recorded notes (percussion, drums) are judged by YAMNet's names: one of those given by
the suite must be among its first five. `audioset.csv` is YAMNet's list of names (Apache-2.0).
"""

from __future__ import annotations

import csv
import functools
from collections.abc import Sequence
from importlib import resources

import numpy as np
from numpy.typing import NDArray

from innerear.checks import Instrument
from innerear.metrics import identity
from innerear.metrics.base import CheckMetric, Sound, Value

FIRST_NAMES = 5


@functools.cache
def audioset_names() -> tuple[str, ...]:
    """Names of YAMNet's 521 scores, in order."""
    table = resources.files(__package__).joinpath("audioset.csv").read_text()
    return tuple(row["display_name"] for row in csv.DictReader(table.splitlines()))


class InstrumentCheck(CheckMetric[Instrument]):
    """The check `instrument`: calibrated log odds of the requested family.

    Passes if they are at least the threshold of the family. Families without recordings have no log odds.
    """

    name, version, unit = "instrument", 3, "log odds"
    label = "Instrument family"
    text = "Two networks recognise the requested family."
    better = "higher"
    weights = identity.NETWORKS
    any_weights = True
    fitted = "instrument.npz"

    def measure(self, sound: Sound, check: Instrument) -> Value:
        """Judge the sound, see `identity.judge`, or by YAMNet's first five names."""
        assert sound.clip is not None
        if check.family in identity.shipped("instrument", "both").groups:
            return identity.judge("instrument", sound, check.family, "families")
        if identity.silent(sound.clip):
            return Value(None, False, "silence")
        return _by_name(identity.network("yamnet").listen(sound.clip)[1], check.audioset)


def _by_name(scores: NDArray[np.float32], wanted: Sequence[str]) -> Value:
    names = audioset_names()
    first = [names[place] for place in np.argsort(-scores.mean(axis=0))[:FIRST_NAMES]]
    passed = any(name in first for name in wanted)
    return Value(None, passed, "" if passed else f"sounds more like: {', '.join(first)}", {"names": first})
