"""The steps that a strategy yields, and what it gets back for each."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any

from innerear import records
from innerear.errors import UsageError
from innerear.languages import Language, language_of
from innerear.records import Message, Probe, Program


@dataclass(frozen=True)
class Ask:
    """Send these messages to the model; yields its reply, a text.

    `draw` numbers several answers to the same messages (`best-of`); each has its own seed.
    """

    messages: list[Message]
    draw: int = 0


@dataclass(frozen=True)
class Render:
    """Run this program as the render stage would; yields its row, a `records.Render`."""

    program: Program


@dataclass(frozen=True)
class Heard:
    """The listener's report on a clip, and the share of testable requirements that are met (0 to 1)."""

    words: str
    worth: float


@dataclass(frozen=True)
class Listen:
    """Describe the clip of this render with the listener; yields a `Heard`."""

    render: records.Render


Step = Ask | Render | Listen
Conversation = Generator[Step, Any, str]
"""Yields steps, is sent the result of each, returns the text with the program."""


@dataclass(frozen=True)
class Strategy:
    """A strategy by its full name (`repair:2@csound`); calling it with a probe starts a conversation.

    `draws`: number of answers to the same messages. `renders`: it runs programs while asking. `told`: the
    model reads the listener's report. `shared`: metrics with a single estimator, so that the strategy
    sees what is scored. `plugin`: name and version, if it is one.
    """

    name: str
    converse: Callable[[Probe], Conversation]
    draws: int = 1
    renders: bool = False
    told: bool = False
    shared: tuple[str, ...] = ()
    plugin: str = ""

    @property
    def language(self) -> Language:
        """The language of the programs that it asks for."""
        return language_of(self.name)

    def __call__(self, probe: Probe) -> Conversation:
        """Start the conversation about this probe."""
        return self.converse(probe)

    def opening(self, probe: Probe) -> list[Message]:
        """The first messages sent to the model, which depend only on the probe."""
        first = next(self.converse(probe))
        if not isinstance(first, Ask):
            raise UsageError(f"strategy {self.name!r} starts with {type(first).__name__}; wanted Ask")
        return first.messages
