"""What the builders of trials share."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from innerear.checks import Check
from innerear.clip import Clip
from innerear.verify import Trial

Rng = np.random.Generator
SECONDS = 3.0


def seeded(*words: object) -> Rng:
    """A generator of its own for each use, so that adding one changes no other."""
    return np.random.default_rng(list("|".join(map(str, words)).encode()))


def others(
    mine: Sequence[tuple[Check, Clip]], differ: Callable[[Check, Check], bool], each: int = 2
) -> Iterator[Trial]:
    """Each check asked of sounds that were made for other probes and are not what it asks for."""
    for place, (check, _) in enumerate(mine):
        strange = [clip for other, clip in mine if differ(check, other)]
        for pick in seeded("others", place).permutation(len(strange))[:each]:
            yield Trial("other probe", check, strange[pick])
