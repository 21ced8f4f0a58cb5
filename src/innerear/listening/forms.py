"""Assign trials to listeners: one form per listener, balanced over sounds and conditions, in random order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Card:
    """A trial to be dealt: its name, its probe, and its cell of the experimental design."""

    name: str
    probe: str
    cell: Hashable


def deal(
    cards: Sequence[Card], per_form: int, forms: int, rng: np.random.Generator, heard: Sequence[Counter[str]] = ()
) -> list[list[str]]:
    """Deal the cards into forms; returns the card names of each form, without repeats.

    Priorities: a form repeats a probe only if it must; then all cards are used equally often; then all
    cells appear equally often within the form; ties are broken at random. `heard` counts the probes
    that each form already has.
    """
    used: Counter[str] = Counter()
    dealt = []
    for number in range(forms):
        probes = Counter(heard[number]) if heard else Counter()
        cells: Counter[Hashable] = Counter()
        chance = rng.permutation(len(cards))
        left = {card.name: (card, int(chance[i])) for i, card in enumerate(cards)}
        form: list[str] = []
        while left and len(form) < per_form:
            card, _ = min(
                left.values(),
                key=lambda entry: (probes[entry[0].probe], used[entry[0].name], cells[entry[0].cell], entry[1]),
            )
            del left[card.name]
            form.append(card.name)
            probes[card.probe] += 1
            used[card.name] += 1
            cells[card.cell] += 1
        dealt.append(form)
    return dealt


def mixed(trials: Sequence[str], anchors: Sequence[str], rng: np.random.Generator) -> list[str]:
    """Shuffle the trials and spread the anchors among them: one per stretch, never first."""
    order = [trials[i] for i in rng.permutation(len(trials))]
    spread = [anchors[i] for i in rng.permutation(len(anchors))]
    stretches = np.array_split(np.arange(len(order)), len(spread)) if spread else []
    for i in range(len(spread) - 1, -1, -1):
        stretch = stretches[i]
        at = int(rng.integers(stretch[0] + 1, stretch[-1] + 2)) if len(stretch) else len(order)
        order.insert(at, spread[i])
    return order
