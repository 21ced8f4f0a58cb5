"""Ways of asking: each a generator that yields `Ask`, `Render` or `Listen` and ends with a program's text.

One driver (`generate`) then serves a live model, a recording and another framework. Listener and
judge are apart: the instruments of `listener` are not those that judge, and where there is no
second one the scores concerned say "seen by the strategy".
"""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass

from innerear.ask.strategies import ways
from innerear.ask.strategies.base import Ask, Conversation, Heard, Listen, Render, Step, Strategy
from innerear.errors import UsageError

__all__ = ["STRATEGIES", "Ask", "Conversation", "Heard", "Listen", "Render", "Step", "Strategy", "find_strategy"]

MOST = 16
"""The highest parameter that a strategy takes."""
SEEN = ("ran", "audio", "audible", "right_length", "duration_error")
"""Scores for which there is one instrument only: a strategy that listens is told what is judged."""
TAGGED = ("instrument", "label", "sequence", "together")
"""Scores by the tagger whose names `listen` passes on: there is no second one."""


@dataclass(frozen=True)
class Way:
    """One kind of strategy: its conversation, the name of its parameter, whether it runs programs, listens, is told."""

    converse: Callable[..., Conversation]
    parameter: str = ""
    renders: bool = False
    listens: bool = False
    told: bool = False  # the model reads what is heard
    draws: bool = False  # the parameter counts answers to the same messages


STRATEGIES: dict[str, Way] = {
    "direct": Way(ways.direct),
    "brief": Way(ways.brief),
    "plan": Way(ways.plan),
    "few-shot": Way(ways.few_shot, "K"),
    "repair": Way(ways.repair, "K", renders=True),
    "listen": Way(ways.listen, "K", renders=True, listens=True, told=True),
    "best-of": Way(ways.best_of, "N", renders=True, listens=True, draws=True),
}


def find_strategy(name: str) -> Strategy:
    """The strategy of this name, such as `direct` or `repair:2`.

    Raises:
        UsageError: there is none, or its parameter is missing or no number from 1 to 16.

    >>> find_strategy("best-of:4").draws
    4
    """
    kind, colon, given = name.partition(":")
    way = STRATEGIES.get(kind)
    if way is None:
        near = difflib.get_close_matches(kind, STRATEGIES, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise UsageError(f"no strategy {name!r}; there are {usage()}{hint}")
    if not way.parameter:
        if colon:
            raise UsageError(f"strategy {name!r}: {kind} takes no parameter")
        return Strategy(name, way.converse)
    if given not in map(str, range(1, MOST + 1)):
        raise UsageError(f"strategy {name!r}: wanted {kind}:{way.parameter} with {way.parameter} from 1 to {MOST}")
    count = int(given)
    seen: tuple[str, ...] = SEEN if way.listens else SEEN[:2] if way.renders else ()
    seen += TAGGED if way.told else ()
    draws = count if way.draws else 1
    return Strategy(name, lambda probe: way.converse(probe, count), draws, way.renders, way.told, seen)


def usage() -> str:
    """The names as they are written, for a message."""
    return ", ".join(f"{name}:{way.parameter}" if way.parameter else name for name, way in STRATEGIES.items())
