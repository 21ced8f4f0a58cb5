"""Open models by name: `recorded/NAME`, `baseline/NAME`, `openai/MODEL` and so on."""

from __future__ import annotations

import difflib
import importlib
from typing import cast

from innerear import plugins
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
}
"""Provider: the class, called with the rest of the name and the options."""


def open_model(name: str, options: Options | None = None) -> Model:
    """Open a model by name, such as `recorded/one-shot`, `openai/MODEL`, `python:module.attr` or a plug-in's name.

    Raises:
        UsageError: no such provider, or the provider cannot use the rest of the name.

    >>> open_model("baseline/silence").name
    'baseline/silence'
    """
    provider, _, rest = name.partition("/")
    options = options or Options()
    if provider.startswith(plugins.PYTHON):
        plugins.use(provider)
    if provider not in MODELS and (plugin := plugins.find("models", provider)) is not None:
        from innerear.ask.models.function import open_plugin

        return open_plugin(plugin, rest, options)
    if provider not in MODELS:
        known = [*MODELS, *plugins.installed("models"), "python:MODULE.ATTRIBUTE"]
        near = difflib.get_close_matches(provider, known, n=1)
        hint = f"; did you mean {name.replace(provider, near[0], 1)!r}?" if near else ""
        raise UsageError(f"no model {name!r}: names start with one of {', '.join(known)}{hint}")
    module, _, attribute = MODELS[provider].partition(":")
    return cast(Model, getattr(importlib.import_module(module), attribute)(rest, options))
