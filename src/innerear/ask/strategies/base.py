"""What a way of asking is made of: steps that it yields, and what is sent back for each."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any

from innerear import records
from innerear.records import Message, Probe, Program


@dataclass(frozen=True)
class Ask:
    """Send these messages to the model; its reply, a text, is sent back.

    `draw` tells apart several answers to the same messages (`best-of`): each has its own seed.
    """

    messages: list[Message]
    draw: int = 0


@dataclass(frozen=True)
class Render:
    """Run this program as the render stage would; its row, a `records.Render`, is sent back."""

    program: Program


@dataclass(frozen=True)
class Heard:
    """What the listener makes of a clip: in words and figures, and the share of the asked that it finds (0 to 1)."""

    words: str
    worth: float


@dataclass(frozen=True)
class Listen:
    """Measure the clip of this render with instruments that do not judge; a `Heard` is sent back."""

    render: records.Render


Step = Ask | Render | Listen
Conversation = Generator[Step, Any, str]
"""Yields steps, is sent what came of each, ends with the text that holds the program."""


@dataclass(frozen=True)
class Strategy:
    """A way of asking, by its whole name (`repair:2`); called with a probe, it begins a conversation.

    `draws`: answers to the same messages. `renders`: programs are run while it asks. `told`: the
    model reads what is heard. `shared`:
    metrics whose instrument has no second one, so that the strategy knew what is judged.
    """

    name: str
    converse: Callable[[Probe], Conversation]
    draws: int = 1
    renders: bool = False
    told: bool = False
    shared: tuple[str, ...] = ()

    def __call__(self, probe: Probe) -> Conversation:
        """Begin the conversation about this probe."""
        return self.converse(probe)

    def opening(self, probe: Probe) -> list[Message]:
        """The first messages that a model is sent: they depend on the probe alone."""
        first = next(self.converse(probe))
        assert isinstance(first, Ask), "a strategy asks before all else"
        return first.messages
