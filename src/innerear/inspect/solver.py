"""One solver for all strategies: it asks Inspect's model, runs programs in the jail and gives feedback.

The conversation is driven by `generate.Job`, as in `innerear generate`.
"""

from __future__ import annotations

import base64
import functools
import io
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
from inspect_ai.model import (
    CachePolicy,
    ChatMessage,
    ChatMessageAssistant,
    ChatMessageSystem,
    ChatMessageUser,
    ContentAudio,
    ContentText,
    GenerateConfig,
    Model,
    get_model,
)
from inspect_ai.solver import Generate, Solver, TaskState, solver
from inspect_ai.util import sandbox

from innerear.inspect.models import ASKED, OurModel
from innerear.inspect.sandbox import JailSandbox

if TYPE_CHECKING:
    from innerear.ask.models.base import Reply, Wait
    from innerear.ask.models.prices import Price
    from innerear.languages import Language
    from innerear.records import Completion, Message, Probe, Render

ANSWER = "innerear"
"""Key of a sample's completion and render in the store."""
OPERATIONAL = {
    "max_retries", "timeout", "attempt_timeout", "stream_idle_timeout", "max_connections", "adaptive_connections",
    "cache", "cache_prompt", "batch", "max_tool_output", "internal_tools", "parallel_tool_calls", "fail_on_refusal",
    "reasoning_history",
}  # fmt: skip
"""Inspect's generation options that do not affect the answer."""


@solver
def conversation(strategy: str = "direct", content: str = "") -> Solver:
    """Run a strategy's conversation about a probe, render the resulting program, and store both.

    `content`: digest of suite, references and metrics; an argument so that it is part of Inspect's task
    identity.
    """

    @functools.cache
    def tagger() -> Any:
        from innerear.ask.listener import find_tagger
        from innerear.ask.strategies import find_strategy

        return find_tagger() if find_strategy(strategy).told else None

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        from innerear.ask.generate import Bench, Request
        from innerear.ask.listener import hear
        from innerear.ask.strategies import find_strategy
        from innerear.render.render import load
        from innerear.run.run import program_of

        hears = tagger()
        probe = probe_of(state.metadata)
        jail = sandbox().as_type(JailSandbox)
        asked = AskedByInspect(get_model())
        bench = Bench(jail.run, lambda probe, row: hear(load(row, jail.audio), probe, hears))
        job = Request(asked, probe, find_strategy(strategy), state.epoch - 1, bench)
        key = job.key()
        assert key is not None, "only `real` may have no answer"
        try:
            completion = await job.answer(key)
        except BaseException:  # a limit ends the sample, perhaps by cancellation: keep the last reply
            if asked.said:
                keep(state, said_last(asked, key, probe, strategy, state.epoch - 1), None)
                state.output = asked.output
            raise
        state.output = asked.output
        row = await anyio.to_thread.run_sync(jail.run, program_of(completion, probe, jail.track))
        keep(state, completion, row)
        state.messages = [*chat(completion.messages), ChatMessageAssistant(content=completion.text, model=asked.name)]
        state.messages.append(await anyio.to_thread.run_sync(what_came, row, jail.audio))
        return state

    return solve


def probe_of(metadata: dict[str, Any]) -> Probe:
    """The probe of a sample."""
    import msgspec

    from innerear.records import Probe

    return msgspec.convert(metadata["probe"], Probe)


def keep(state: TaskState, completion: Completion, render: Render | None) -> None:
    """Store a sample's rows."""
    import msgspec

    state.store.set(ANSWER, {"completion": msgspec.to_builtins(completion), "render": msgspec.to_builtins(render)})


def said_last(asked: AskedByInspect, key: str, probe: Probe, strategy: str, attempt: int) -> Completion:
    """The completion of an interrupted conversation, from its last reply."""
    from innerear.records import Completion

    messages, reply = asked.said[-1]
    return Completion(key, probe.id, asked.name, strategy, attempt, messages, reply.text, reply.finish_reason)


def chat(messages: Iterable[Message]) -> list[ChatMessage]:
    """Convert messages to Inspect's types."""
    kinds = {"system": ChatMessageSystem, "user": ChatMessageUser, "assistant": ChatMessageAssistant}
    return [kinds[message.role](content=message.content) for message in messages]


def what_came(render: Render, audio: Path) -> ChatMessage:
    """A message with the program's outcome and its sound, for readers of the log; never sent to the model."""
    words = f"(not sent to the model) {render.outcome.replace('_', ' ')}"
    if render.duration_s is not None:
        words += f", {render.duration_s:.2f} s at {render.sample_rate} Hz"
    words += f": {render.reason}" if render.reason else ""
    content: list[Any] = [ContentText(text=words)]
    if render.audio:
        content.append(ContentAudio(audio=as_wave(audio / f"{render.audio}.flac"), format="wav"))
    return ChatMessageUser(content=content)


def as_wave(file: Path) -> str:
    """A stored sound as a data URI of a 24-bit WAV."""
    return "data:audio/wav;base64," + base64.b64encode(convert(file.read_bytes(), "WAV")).decode()


def convert(sound: bytes, form: str) -> bytes:
    """Convert 24-bit sound to another container losslessly."""
    import soundfile

    samples, sample_rate = soundfile.read(io.BytesIO(sound), dtype="int32", always_2d=True)
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, sample_rate, format=form, subtype="PCM_24")
    return buffer.getvalue()


class AskedByInspect:
    """An Inspect model as an InnerEar `Model`; requests go through Inspect, with its limits and log."""

    concurrency = 1
    converses = True
    languages: Collection[Language] = ()
    after: str | None = None
    remote = True
    waits: Collection[Wait] = ()  # Inspect shows its own
    plugin = ""

    def __init__(self, model: Model) -> None:
        from innerear.ask.models.prices import find_price

        self._model = model
        self._ours = model.api.ours if isinstance(model.api, OurModel) else None
        self.name = self._ours.name if self._ours else str(model)
        self.converses = self._ours.converses if self._ours else True
        self.languages = self._ours.languages if self._ours else ()
        self._endpoint, at_home = _endpoint(self.name, getattr(model.api, "base_url", None))
        self.price: Price | None = None if self._ours else find_price(self.name, at_home)
        self.said: list[tuple[list[Message], Reply]] = []

    def prepare(self, probes: Sequence[Probe], completions: Iterable[Completion]) -> None:
        """Nothing to do: Inspect has prepared the model."""

    def lacks(self, probes: Sequence[Probe], attempts: int) -> str:
        """Nothing: a sample without a recorded answer ends with the reason."""
        return ""

    async def close(self) -> None:
        """Nothing to do: Inspect closes the model."""

    def _config(self, number: int) -> GenerateConfig:
        """Inspect's configuration; the number is added to a seed, because attempts would otherwise be identical."""
        from inspect_ai.model._generate_config import active_generate_config

        config = self._model.config.merge(active_generate_config())
        if config.seed is not None:
            config = config.model_copy(update={"seed": config.seed + number})
        return config

    def identity(self, probe: Probe, attempt: int) -> Any:
        """Everything that determines the answer: the model's own identity, or endpoint and parameters."""
        if self._ours:
            return self._ours.identity(probe, attempt)
        given = self._config(attempt).model_dump(mode="json", exclude_none=True, exclude=OPERATIONAL)
        if "stop_seqs" in given:
            given["stop"] = given.pop("stop_seqs")
        return {"endpoint": self._endpoint, "parameters": given}

    async def ask(self, probe: Probe, messages: Sequence[Message], attempt: int) -> Reply:
        """Get one answer, with Inspect's retries and limits."""
        from innerear.ask.models import Reply

        config = self._config(attempt)
        cache: Any = config.cache or False
        if cache:  # otherwise attempts with the same messages would share a cache entry
            policy = cache if isinstance(cache, CachePolicy) else CachePolicy()
            cache = policy.model_copy(update={"scopes": {**policy.scopes, "innerear": str(attempt)}})
        token = ASKED.set((probe, attempt))
        try:
            self.output = await self._model.generate(
                list(chat(messages)), config=GenerateConfig(seed=config.seed), cache=cache
            )
        finally:
            ASKED.reset(token)
        reason = self.output.stop_reason if self.output.choices else None
        usage = self.output.usage
        counts = None
        if usage is not None and usage.total_tokens:
            read = (usage.input_tokens_cache_read or 0) + (usage.input_tokens_cache_write or 0)
            counts = {"prompt_tokens": usage.input_tokens + read, "completion_tokens": usage.output_tokens}
            counts |= {"reasoning_tokens": usage.reasoning_tokens} if usage.reasoning_tokens is not None else {}
        seconds = round(self.output.time, 3) if self.output.time is not None and not self._ours else None
        reply = Reply(self.output.completion, "length" if reason == "max_tokens" else reason, counts, seconds)
        self.said.append((list(messages), reply))
        return reply


def _endpoint(model: str, named: str | None) -> tuple[str, bool]:
    """The endpoint without credentials, and whether it is the provider's own."""
    from innerear.ask.models.anthropic import Anthropic
    from innerear.ask.models.chat import Chat, shown_url
    from innerear.errors import UsageError

    provider = model.partition("/")[0]
    home = {"openai": Chat.home, "anthropic": Anthropic.home}.get(provider, provider)
    try:
        address = shown_url(named) if named else home
    except UsageError:  # not a network address
        address = home
    return address, address == home
