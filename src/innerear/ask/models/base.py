"""What `generate` knows of a model: who it is, what decides its answer, and how to ask it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from innerear.ask.models.prices import Price
from innerear.errors import ModelError
from innerear.records import Completion, Message, Probe
from innerear.reference.manifest import ManifestRow


class ModelUnusable(ModelError):
    """Nothing can come of asking this model again: wrong key, unknown model. The rest is not asked."""


@dataclass(frozen=True)
class Reply:
    """One answer. `recording` stands instead of `text` where the answer is a real clip.

    `seconds` and `usage` (tokens by name) are of this answer alone, `None` where nobody counted.
    """

    text: str
    finish_reason: str | None = None
    usage: dict[str, int] | None = None
    seconds: float | None = None
    recording: str | None = None


@dataclass(frozen=True)
class Wait:
    """A request that has no answer yet: how often it was tried, and what the last try ended with.

    `since` and `until` are seconds of the wall clock (`time.time`): when it was first sent, and when
    it is given up.
    """

    model: str
    since: float
    until: float
    tries: int = 0  # that failed
    why: str = ""


@dataclass(frozen=True)
class Options:
    """What a model may be told when it is opened; each takes what concerns it.

    `parameters` go into the request as they are (temperature, max_tokens, seed, reasoning_effort …)
    and into the key; a `seed` is raised by the attempt, or all attempts would be equal.
    `timeout_s` is for one try, `patience_s` for one answer with all its tries.
    """

    base_url: str | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    stream: bool = False
    concurrency: int = 8
    timeout_s: float = 600.0
    patience_s: float = 1800.0
    data: Path | None = None  # the data folder; by default that named by INNEREAR_DATA
    held_back: Callable[[Sequence[ManifestRow]], Collection[str]] | None = None  # the files `real` may play


class Model(Protocol):
    """A model, or what stands in for one. Used by one `generate` at a time."""

    name: str
    concurrency: int  # requests in flight at once
    converses: bool  # False: no model; asked once, whatever the strategy
    after: str | None  # the model whose completions it builds on
    remote: bool  # a server answers, which may want money for it
    price: Price | None  # of its tokens, where it is known
    waits: Collection[Wait]  # what it waits for just now, for whoever shows it

    def prepare(self, probes: Sequence[Probe], completions: Iterable[Completion]) -> None:
        """Learn what will be asked, and what the models before this one answered."""
        ...

    def identity(self, probe: Probe, attempt: int) -> Any:
        """All of the model that decides its answer, as JSON: goes into the key.

        `None` where it has no answer to this probe, which is then not asked.

        Raises:
            RecordingMismatch: a recording does not hold this probe or attempt.
        """
        ...

    async def ask(self, probe: Probe, messages: Sequence[Message], attempt: int) -> Reply:
        """The answer to these messages.

        Raises:
            ModelError: there is none after all retries; ModelUnusable: nor will there be.
            RecordingMismatch: a recording was made with other messages.
        """
        ...

    async def close(self) -> None:
        """Let connections go; the next `ask` makes new ones."""
        ...


class Local:
    """What models that need no connection have in common."""

    concurrency = 1
    converses = False
    after: str | None = None
    remote = False
    price: Price | None = None
    waits: Collection[Wait] = ()

    def prepare(self, probes: Sequence[Probe], completions: Iterable[Completion]) -> None:
        """Nothing to learn."""

    async def close(self) -> None:
        """Nothing to let go."""
