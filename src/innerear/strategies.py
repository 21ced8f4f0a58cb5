"""Ways of asking: each a generator that yields requests, is sent what came of them, ends with text.

One driver then serves a live model, a recording and another framework. A strategy knows a probe
and texts, and nothing of models, files or time.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Generator
from dataclasses import dataclass

from innerear.errors import UsageError
from innerear.records import Message, Probe


@dataclass(frozen=True)
class Ask:
    """Send these messages to the model; its reply, a text, is sent back to the generator."""

    messages: list[Message]


Conversation = Generator[Ask, str, str]
Strategy = Callable[[Probe], Conversation]

_ONLY_CODE = "Reply with one complete Python program in a single fenced code block, and nothing else."
_TASK = """\
- Write {duration_s:g} seconds of mono audio at 44100 Hz to the file output.wav in the working directory.
- Use only the Python standard library, NumPy and SciPy.
- Make the sound from scratch: no recordings, no text-to-speech engine, no network, no other files."""


def _lines(*lines: str) -> str:
    return "\n".join(line for line in lines if line)


def direct(probe: Probe) -> Conversation:
    """One request for the program. The words are those of edition 1; recordings depend on them."""
    return (
        yield Ask(
            [
                Message("system", f"You write programs that make sound. {_ONLY_CODE}"),
                Message(
                    "user",
                    _lines(
                        f"Write a Python program that synthesises this sound: {probe.caption}.",
                        probe.details,
                        _TASK.format(duration_s=probe.duration_s),
                    ),
                ),
            ]
        )
    )


def plan(probe: Probe) -> Conversation:
    """First a description of the sound in acoustic terms, then the program."""
    messages = [
        Message("system", "You write programs that make sound."),
        Message(
            "user",
            _lines(
                f"Think about how this sound is heard: {probe.caption}.",
                probe.details,
                "Describe its sources, its spectrum, its envelope and its course in time, with figures in "
                "hertz, decibels and seconds, in at most 200 words. Do not write code yet.",
            ),
        ),
    ]
    description = yield Ask(messages)
    return (
        yield Ask(
            [
                *messages,
                Message("assistant", description),
                Message(
                    "user",
                    _lines(
                        "Now write a Python program that synthesises it as you described it.",
                        _TASK.format(duration_s=probe.duration_s),
                        _ONLY_CODE,
                    ),
                ),
            ]
        )
    )


STRATEGIES: dict[str, Strategy] = {"direct": direct, "plan": plan}


def find_strategy(name: str) -> Strategy:
    """The strategy of this name.

    Raises:
        UsageError: there is none.
    """
    try:
        return STRATEGIES[name]
    except KeyError:
        near = difflib.get_close_matches(name, STRATEGIES, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise UsageError(f"no strategy {name!r}; there are {', '.join(sorted(STRATEGIES))}{hint}") from None
