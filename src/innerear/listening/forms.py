"""Who is asked what: forms, one a listener, balanced over sounds and kinds of sound, in random order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Card:
    """A trial as it is dealt: its name, what it is about, and the cell of the design that it fills."""

    name: str
    probe: str
    cell: Hashable


def deal(
    cards: Sequence[Card], per_form: int, forms: int, rng: np.random.Generator, heard: Sequence[Counter[str]] = ()
) -> list[list[str]]:
    """For each form the names of its cards, none of them twice.

    First a form repeats no probe while it can, then every card comes as often as every other, then
    every cell does within the form; what is left is chance. `heard` counts the probes that each form
    has already.
    """
    used: Counter[str] = Counter()
    dealt = []
    for number in range(forms):
        probes = Counter(heard[number]) if heard else Counter()
        cells: Counter[Hashable] = Counter()
        chance = rng.permutation(len(cards))
        left = {card.name: (card, int(chance[place])) for place, card in enumerate(cards)}
        form: list[str] = []
        while left and len(form) < per_form:
            card, _ = min(
                left.values(),
                key=lambda held: (probes[held[0].probe], used[held[0].name], cells[held[0].cell], held[1]),
            )
            del left[card.name]
            form.append(card.name)
            probes[card.probe] += 1
            used[card.name] += 1
            cells[card.cell] += 1
        dealt.append(form)
    return dealt


def mixed(trials: Sequence[str], anchors: Sequence[str], rng: np.random.Generator) -> list[str]:
    """Trials in random order, anchors spread among them: one in each stretch, none at the very start."""
    order = [trials[i] for i in rng.permutation(len(trials))]
    spread = [anchors[i] for i in rng.permutation(len(anchors))]
    stretches = np.array_split(np.arange(len(order)), len(spread)) if spread else []
    for place in range(len(spread) - 1, -1, -1):
        stretch = stretches[place]
        at = int(rng.integers(stretch[0] + 1, stretch[-1] + 2)) if len(stretch) else len(order)
        order.insert(at, spread[place])
    return order
