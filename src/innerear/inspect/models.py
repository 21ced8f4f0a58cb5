"""InnerEar's recorded and baseline models as Inspect models, under the same names.

`inspect eval innerear/notes --model recorded/one-shot` needs no API key. These models answer probes, not
messages, so they only work with InnerEar's tasks.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from inspect_ai.model import ChatMessage, GenerateConfig, ModelAPI, ModelOutput, ModelUsage, modelapi

if TYPE_CHECKING:
    from innerear.ask.models import Model
    from innerear.records import Probe

ASKED: ContextVar[tuple[Probe, int]] = ContextVar("innerear_asked")
"""The current probe, and the number of the attempt."""


class OurModel(ModelAPI):
    """An InnerEar model behind Inspect's model interface."""

    ours: Model

    async def generate(
        self, input: list[ChatMessage], tools: Any, tool_choice: Any, config: GenerateConfig
    ) -> ModelOutput:
        """Answer the current probe."""
        from innerear.errors import UsageError
        from innerear.records import Message

        try:
            probe, number = ASKED.get()
        except LookupError:
            raise UsageError(f"{self.ours.name} only answers the probes of innerear's tasks") from None
        messages = [Message(message.role, message.text) for message in input]
        reply = await self.ours.ask(probe, messages, number)
        stopped = "max_tokens" if reply.finish_reason == "length" else "stop"
        output = ModelOutput.from_content(self.ours.name, reply.text, stop_reason=stopped)
        usage = reply.usage or {}
        sent, made = usage.get("prompt_tokens", 0), usage.get("completion_tokens", 0)
        output.usage = ModelUsage(input_tokens=sent, output_tokens=made, total_tokens=sent + made)
        return output


def _api(provider: str) -> type[ModelAPI]:
    class Api(OurModel):
        def __init__(
            self,
            model_name: str,
            base_url: str | None = None,
            api_key: str | None = None,
            config: GenerateConfig = GenerateConfig(),  # noqa: B008  as Inspect has it
            **model_args: Any,
        ) -> None:
            from innerear.ask.models import open_model

            super().__init__(model_name, base_url, api_key, [], config)
            self.ours = open_model(f"{provider}/{model_name}")

    return Api


@modelapi(name="recorded")
def recorded() -> type[ModelAPI]:
    """`recorded/one-shot`, `recorded/FILE.jsonl`: replays recorded answers."""
    return _api("recorded")


@modelapi(name="baseline")
def baseline() -> type[ModelAPI]:
    """`baseline/silence`, `noise`, `sine`, `informed`: the floors of all scores."""
    return _api("baseline")
