"""Strategies: generators that yield `Ask`, `Render` or `Listen` and return the text with the program.

The driver (`generate`) can be a live model, a recording or another framework. Listener and checks are
separate: `listener` uses different estimators; if there is only one, the affected scores say "seen by the
strategy". The language of the programs is part of a strategy's full name: `direct@csound` (see `languages`).
"""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from innerear import plugins
from innerear.ask.strategies import ways
from innerear.ask.strategies.base import Ask, Conversation, Heard, Listen, Render, Step, Strategy
from innerear.errors import UsageError
from innerear.languages import LANGUAGES, bare, find_language, full_name
from innerear.records import Probe

__all__ = ["STRATEGIES", "Ask", "Conversation", "Heard", "Listen", "Render", "Step", "Strategy", "find_strategy"]

MOST = 16
"""The largest parameter of a strategy that asks or shows that often."""
LONGEST = 200
"""The largest number of lines that `short` may ask for."""
SEEN = ("ran", "audio", "audible", "right_length", "duration_error")
"""Scores with a single estimator: a strategy that listens sees what is scored."""
TAGGED = ("instrument", "label", "sequence", "together")
"""Scores by the tagger whose classes `listen` reports: there is no second tagger."""


@dataclass(frozen=True)
class Way:
    """One kind of strategy: its conversation, the name of its parameter, and what it does."""

    converse: Callable[..., Conversation]
    parameter: str = ""
    most: int = MOST
    renders: bool = False
    listens: bool = False
    told: bool = False  # the model reads the listener's report
    draws: bool = False  # the parameter counts answers to the same messages


STRATEGIES: dict[str, Way] = {
    "direct": Way(ways.direct),
    "brief": Way(ways.brief),
    "plan": Way(ways.plan),
    "few-shot": Way(ways.few_shot, "K"),
    "short": Way(ways.short, "N", LONGEST),
    "repair": Way(ways.repair, "K", renders=True),
    "listen": Way(ways.listen, "K", renders=True, listens=True, told=True),
    "best-of": Way(ways.best_of, "N", renders=True, listens=True, draws=True),
}


def find_strategy(name: str) -> Strategy:
    """Find a strategy by name, such as `direct`, `repair:2` or `repair:2@csound`, or that of a plug-in.

    A plug-in is a generator function from a probe, or a `Way` if it has a parameter or runs programs. It can ask for
    other languages than Python if it has a parameter `language`.

    Raises:
        UsageError: no such strategy or language, or its parameter is missing or out of range.

    >>> find_strategy("best-of:4").draws, find_strategy("best-of:4@faust").language
    (4, 'faust')
    """
    plain, at, named = name.partition("@")
    language = find_language(named) if at else "python"
    name = full_name(plain, language)
    prefix = plugins.PYTHON if name.startswith(plugins.PYTHON) else ""
    kind, colon, given = plain.removeprefix(prefix).partition(":")
    kind, plugin = prefix + kind, ""
    way = STRATEGIES.get(kind)
    if way is None and (found := plugins.find("strategies", kind)) is not None:
        way, plugin = found.what if isinstance(found.what, Way) else Way(found.what), found.stamp
    if way is None:
        near = difflib.get_close_matches(kind, STRATEGIES, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise UsageError(f"no strategy {name!r}; wanted one of {usage()}{hint}")
    if not inspect.isgeneratorfunction(way.converse):
        raise UsageError(f"strategy {name!r} is not a generator function; wanted one that yields Ask and returns text")
    how: dict[str, Any] = {}
    if "language" in inspect.signature(way.converse).parameters:
        how = {"language": language}
    elif at:
        raise UsageError(
            f"strategy {name!r}: {kind} asks for Python only; a plug-in with a parameter `language` can ask for "
            f"{', '.join(LANGUAGES)}"
        )
    if not way.parameter:
        if colon:
            raise UsageError(f"strategy {name!r}: {kind} takes no parameter")
        asks = partial(way.converse, **how)
        return Strategy(name, asks, renders=way.renders, told=way.told, shared=_seen(way), plugin=plugin)
    if given not in map(str, range(1, way.most + 1)):
        raise UsageError(f"strategy {name!r}: wanted {kind}:{way.parameter} with {way.parameter} from 1 to {way.most}")
    count = int(given)
    draws = count if way.draws else 1

    def converse(probe: Probe) -> Conversation:
        return way.converse(probe, count, **how)

    return Strategy(name, converse, draws, way.renders, way.told, _seen(way), plugin)


def _seen(way: Way) -> tuple[str, ...]:
    seen = SEEN if way.listens else SEEN[:2] if way.renders else ()
    return (*seen, *(TAGGED if way.told else ()))


def seen_by(name: str) -> frozenset[str]:
    """The metrics that a strategy sees while it asks; none of a plug-in that is not installed or allowed here."""
    plain = bare(name)
    kind = plain if plain.startswith(plugins.PYTHON) else plain.partition(":")[0]
    if kind not in STRATEGIES and not plugins.is_here("strategies", kind):
        return frozenset()
    return frozenset(find_strategy(name).shared)


def usage() -> str:
    """The names of the strategies with their parameters, for messages."""
    own = (f"{name}:{way.parameter}" if way.parameter else name for name, way in STRATEGIES.items())
    return ", ".join([*own, *plugins.installed("strategies")])
