"""Open models by name: `recorded/NAME`, `baseline/NAME`, `openai/MODEL` and so on."""

from __future__ import annotations

import difflib
import importlib
from typing import cast

from innerear.ask.models.base import Model, ModelUnusable, NotRecorded, Options, Reply
from innerear.errors import UsageError

__all__ = ["MODELS", "Model", "ModelUnusable", "NotRecorded", "Options", "Reply", "open_model"]

MODELS = {
    "recorded": "innerear.ask.models.recorded:Recorded",
    "baseline": "innerear.ask.models.baselines:open_baseline",
    "swap": "innerear.ask.models.swap:Swap",
    "real": "innerear.ask.models.real:Real",
    "openai": "innerear.ask.models.chat:Chat",
    "anthropic": "innerear.ask.models.anthropic:Anthropic",
    "python": "innerear.ask.models.function:Function",
}
"""Provider: the class, called with the rest of the name and the options."""


def open_model(name: str, options: Options | None = None) -> Model:
    """Open a model by name, such as `recorded/one-shot`, `openai/MODEL` or `python:module.attr`.

    Raises:
        UsageError: no such provider, or the provider cannot use the rest of the name.

    >>> open_model("baseline/silence").name
    'baseline/silence'
    """
    provider, _, rest = name.replace("python:", "python/", 1).partition("/")
    if provider not in MODELS:
        near = difflib.get_close_matches(provider, MODELS, n=1)
        hint = f"; did you mean {name.replace(provider, near[0], 1)!r}?" if near else ""
        raise UsageError(f"no model {name!r}: names start with one of {', '.join(MODELS)}{hint}")
    module, _, attribute = MODELS[provider].partition(":")
    return cast(Model, getattr(importlib.import_module(module), attribute)(rest, options or Options()))
