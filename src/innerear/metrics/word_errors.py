"""Which words of a text were heard, and which were not: the word error rate and what it is made of.

Substitutions, deletions and insertions on the cheapest path from the words asked to the words heard
(V. Levenshtein, 1966). Words that sound alike are the same, and so are two words and the one that they
make together ("back ground", "background"): nobody hears a space.
"""

from __future__ import annotations

from dataclasses import dataclass

from innerear.metrics.pronounce import sound_alike
from innerear.metrics.spelling import readings


@dataclass(frozen=True)
class Compared:
    """`pairs`: the words asked, each with what was heard for it; `None` where there was none."""

    pairs: tuple[tuple[str | None, str | None], ...]
    words: int  # asked for
    errors: int

    @property
    def rate(self) -> float:
        """The word error rate; above 1 if more is made up than was asked for."""
        return self.errors / max(1, self.words)

    @property
    def capped(self) -> int:
        """The errors, at most as many as there are words: what is made up of one sound weighs no more than silence."""
        return min(self.errors, self.words)

    @property
    def wrong(self) -> list[tuple[str | None, str | None]]:
        """The pairs that are errors."""
        return [pair for pair in self.pairs if not _same(*pair)]


def compare(wanted: str, heard: str) -> Compared:
    """The words asked and the words heard, in the reading of their numerals that has the fewest errors.

    >>> compare("seven two nine four one", "72941").errors
    0
    >>> compare("it is a rare dish", "a rare fish").wrong
    [('it', None), ('is', None), ('dish', 'fish')]
    """
    choices = [(one, other) for one in readings(wanted) for other in readings(heard)]
    return min((_compare(one, other) for one, other in choices), key=lambda found: found.errors)


def _same(one: str | None, other: str | None) -> bool:
    if one is None or other is None:
        return False
    return sound_alike(one, other) or one.replace(" ", "") == other.replace(" ", "")


STEPS = ((1, 1), (1, 2), (2, 1), (1, 0), (0, 1))
"""How many words asked and heard one step of a path takes; of equal ones the first is taken."""


def _compare(wanted: list[str], heard: list[str]) -> Compared:
    rows, columns = len(wanted) + 1, len(heard) + 1
    best: list[list[tuple[int, int, int]]] = [[(0, 0, 0)] * columns for _ in range(rows)]  # errors, and the last step
    for i in range(rows):
        for j in range(columns):
            ways = [
                (best[i - a][j - b][0] + cost, a, b)
                for a, b in STEPS
                if i >= a and j >= b and (cost := _cost(wanted[i - a : i], heard[j - b : j])) is not None
            ]
            if ways:
                best[i][j] = min(ways, key=lambda way: way[0])
    pairs, i, j = [], len(wanted), len(heard)
    while i or j:
        _, a, b = best[i][j]
        pairs.append((" ".join(wanted[i - a : i]) or None, " ".join(heard[j - b : j]) or None))
        i, j = i - a, j - b
    return Compared(tuple(pairs[::-1]), len(wanted), best[-1][-1][0])


def _cost(wanted: list[str], heard: list[str]) -> int | None:
    """What a step costs; `None` for one that may not be taken."""
    if len(wanted) == len(heard) == 1:
        return 0 if sound_alike(wanted[0], heard[0]) else 1
    if wanted and heard:
        return 0 if "".join(wanted) == "".join(heard) else None
    return 1
