"""Trial sounds for the checks of signals and physics: `decoded`, `echo`, `decay_time`, `arrivals`, `passing`, `rate`.

All are made here, with their own texts, rates and rooms, at several sample rates, levels and noises; nothing is
taken from the suite. Each sort of wrong sound has a column of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from innerear.lab.signals.arriving import arrivals
from innerear.lab.signals.codes import decoded
from innerear.lab.signals.moving import passing
from innerear.lab.signals.periods import rate
from innerear.lab.signals.rooms import decay_time, echo
from innerear.lab.sounds import Bank
from innerear.lab.tools import Builder, Pairs, Rng, seeded
from innerear.metrics.verified import Trial

TURNS = 40


def _every(trials: Callable[[Rng, int], Iterator[Trial]], turns: int = TURNS) -> Builder:
    """The builder that makes so many right sounds, each with its wrong ones."""

    def build(pairs: Pairs, bank: Bank | None) -> Iterator[Trial]:
        for turn in range(turns):
            yield from trials(seeded(trials.__name__, turn), turn)

    return build


BUILDERS: dict[str, Builder] = {
    "decoded": _every(decoded), "echo": _every(echo), "decay_time": _every(decay_time),
    "arrivals": _every(arrivals), "passing": _every(passing), "rate": _every(rate, 60),
}  # fmt: skip
