"""Anatomy from tokens: what the languages that are not Python have in common."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from innerear.languages import Language
from innerear.programs.anatomy import HIGHEST_HZ, LOWEST_HZ, RATES_HZ, TECHNIQUES, Anatomy, Mark
from innerear.programs.tokens import Token, tokens

MOST_TOKENS = 10_000
"""The longest program that is read; the longest recorded one has half of it."""
Hertz = tuple[int, float]
"""A line and a frequency that is written on it."""


def gathered(
    program: Sequence[Token],
    found: Mapping[str, Iterable[int]],
    loops: Sequence[int],
    hertz: Iterable[Hertz],
    imports: Iterable[str],
) -> tuple[Anatomy, list[Mark]]:
    """An anatomy and its marks.

    Args:
        program: all its tokens, of which the lines with code are counted.
        found: the lines of each technique; none if it is not used.
        loops: the lines on which loops over samples begin.
        hertz: the frequencies that are written.
        imports: the modules that are used.
    """
    lines = {name: sorted(set(found.get(name, ()))) for name in TECHNIQUES}
    known = sorted(set(hertz))
    whole = Anatomy(
        techniques=[name for name in TECHNIQUES if lines[name]],
        lines=len({token.line for token in program}),
        sample_loops=len(loops),
        frequencies=sorted({hz for _, hz in known}),
        imports=sorted(set(imports)),
    )
    marks = [Mark(line, name) for name in TECHNIQUES for line in lines[name]]
    marks += [Mark(line, "loop over samples") for line in sorted(set(loops))]
    marks += [Mark(line, f"{hz:g} Hz") for line, hz in known]
    return whole, sorted(marks, key=lambda mark: mark.line)


def read(code: str, language: Language) -> list[Token] | None:
    """The tokens of a program; `None` if it is too long to be taken apart in a few seconds."""
    found = tokens(code, language)
    return found if len(found) <= MOST_TOKENS else None


def frequencies(part: Iterable[Token]) -> list[Hertz]:
    """The numbers among tokens that are frequencies."""
    values = [(token.line, number(token)) for token in part if token.kind == "number"]
    return [(line, hz) for line, hz in values if LOWEST_HZ <= hz <= HIGHEST_HZ and hz not in RATES_HZ]


def number(token: Token) -> float:
    """The value of a number; 0 if it is none that Python knows, such as a long hexadecimal."""
    try:
        return float(token.text.replace("_", ""))
    except ValueError:
        return 0.0


def is_slow(part: Iterable[Token]) -> bool:
    """Whether the largest constant is below 20 Hz, as for a vibrato or tremolo."""
    numbers = [n for token in part if token.kind == "number" and (n := number(token)) not in (0.0, 1.0, 2.0)]
    return bool(numbers) and max(numbers) < LOWEST_HZ


def words(part: Iterable[Token]) -> set[str]:
    """The words among tokens."""
    return {token.text for token in part if token.kind == "word"}


def closing(part: Sequence[Token]) -> dict[int, int]:
    """For the index of each opening bracket, that of its closing one."""
    opened: list[int] = []
    pairs: dict[int, int] = {}
    for index, token in enumerate(part):
        if token.kind != "mark":
            continue
        if token.text in "([{":
            opened.append(index)
        elif token.text in ")]}" and opened:
            pairs[opened.pop()] = index
    return pairs


def split(part: Sequence[Token], mark: str = ",") -> list[list[Token]]:
    """Tokens split at a mark outside brackets."""
    parts: list[list[Token]] = [[]]
    depth = 0
    for token in part:
        if token.kind == "mark":
            depth += (token.text in "([{") - (token.text in ")]}")
            if token.text == mark and depth == 0:
                parts.append([])
                continue
        parts[-1].append(token)
    return parts
