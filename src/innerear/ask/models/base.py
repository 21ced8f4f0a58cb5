"""The interface between `generate` and a model."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from innerear.ask.models.prices import Price
from innerear.errors import ModelError, RecordingMismatch
from innerear.languages import Language
from innerear.records import Completion, Message, Probe
from innerear.reference.manifest import ManifestRow


class ModelUnusable(ModelError):
    """This model will not answer: wrong key, unknown model. Its remaining probes are skipped."""


class NotRecorded(RecordingMismatch):
    """A recording does not have this probe or attempt. `generate` skips it; `Model.lacks` names it beforehand."""


@dataclass(frozen=True)
class Reply:
    """One answer. `recording` replaces `text` if the answer is a real clip.

    `seconds` and `usage` (tokens by name) are for this answer only, `None` if unknown. `retries`: requests that
    failed before it came.
    """

    text: str
    finish_reason: str | None = None
    usage: dict[str, int] | None = None
    seconds: float | None = None
    recording: str | None = None
    retries: int = 0


@dataclass(frozen=True)
class Wait:
    """A request without an answer yet: failed tries, and the error of the last one.

    `since` and `until` are `time.time` timestamps of the first try and of giving up.
    """

    model: str
    since: float
    until: float
    tries: int = 0  # failed ones
    why: str = ""


@dataclass(frozen=True)
class Options:
    """Options for opening a model; each model uses those that apply.

    `parameters` are sent unchanged (temperature, max_tokens, seed, reasoning_effort …) and are part of
    the key; the attempt number is added to `seed`, so that attempts differ. `timeout_s` is per try,
    `patience_s` per answer including retries. `asks`: whether the model will be asked; for an estimate it is not, and
    needs neither key nor SDK.
    """

    base_url: str | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    stream: bool = False
    concurrency: int = 8
    timeout_s: float = 600.0
    patience_s: float = 1800.0
    asks: bool = True
    data: Path | None = None  # the data folder; by default INNEREAR_DATA
    held_back: Callable[[Sequence[ManifestRow]], Collection[str]] | None = None  # the files `real` may play


class Model(Protocol):
    """A model or a stand-in. Used by one `generate` at a time."""

    name: str
    concurrency: int  # requests in flight at once
    converses: bool  # False: not a language model; asked once, whatever the strategy
    languages: Collection[Language]  # those that a recording has programs in; empty: any
    after: str | None  # the model whose completions it builds on
    remote: bool  # answered by a server, which may charge for it
    price: Price | None  # per token, if known
    waits: Collection[Wait]  # requests in flight, for display
    plugin: str  # name and version of the plug-in that it is, part of the key; empty for those of the package

    def prepare(self, probes: Sequence[Probe], completions: Iterable[Completion]) -> None:
        """Take the probes that will be asked and the completions of earlier models."""
        ...

    def lacks(self, probes: Sequence[Probe], attempts: int) -> str:
        """One line on the answers that a recording does not have; empty for any other model."""
        ...

    def identity(self, probe: Probe, attempt: int) -> Any:
        """Everything about the model that determines its answer, as JSON; part of the completion's key.

        `None` if it has no answer to this probe; the probe is then skipped.

        Raises:
            NotRecorded: a recording does not have this probe or attempt.
        """
        ...

    async def ask(self, probe: Probe, messages: Sequence[Message], attempt: int) -> Reply:
        """Return the answer to these messages.

        Raises:
            ModelError: no answer after all retries. ModelUnusable: the model will not answer any probe.
            RecordingMismatch: a recording was made with other messages.
        """
        ...

    async def close(self) -> None:
        """Close connections; the next `ask` opens new ones."""
        ...


class Local:
    """Base class of models that need no connection."""

    concurrency = 1
    converses = False
    languages: Collection[Language] = ()
    after: str | None = None
    remote = False
    price: Price | None = None
    waits: Collection[Wait] = ()
    plugin = ""

    def prepare(self, probes: Sequence[Probe], completions: Iterable[Completion]) -> None:
        """Do nothing."""

    def lacks(self, probes: Sequence[Probe], attempts: int) -> str:
        """Nothing."""
        return ""

    async def close(self) -> None:
        """Do nothing."""
