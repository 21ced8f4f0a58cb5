"""`python:module.attr`: your own function from messages to text, plain or async."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Sequence
from typing import Any, cast

from innerear import plugins
from innerear.ask.models.base import Local, Model, Options, Reply
from innerear.errors import ModelError, UsageError
from innerear.records import Message, Probe


class Function(Local):
    """Calls a function with messages as `[{"role": …, "content": …}]`; it must return a `str`.

    A plain function runs in threads, up to `concurrency` at once. Name and version are part of the key, so a
    function of another version is asked again.
    """

    converses = True

    def __init__(self, plugin: plugins.Plugin, options: Options) -> None:
        self.name = plugin.name
        self.concurrency = options.concurrency
        self.plugin = plugin.stamp
        self._function = plugin.what

    def identity(self, probe: Probe, attempt: int) -> str:
        """The function's name."""
        return self.name

    async def ask(self, probe: Probe, messages: Sequence[Message], attempt: int) -> Reply:
        """What the function returns."""
        plain = [{"role": message.role, "content": message.content} for message in messages]
        begun = time.monotonic()
        try:
            if inspect.iscoroutinefunction(self._function):
                text = await self._function(plain)
            else:
                text = await asyncio.to_thread(self._function, plain)
        except Exception as error:
            raise ModelError(f"{self.name} raised {type(error).__name__}: {error}") from error
        if not isinstance(text, str):
            raise ModelError(f"{self.name} returned {type(text).__name__}, wanted str")
        return Reply(text, seconds=time.monotonic() - begun)


def open_plugin(plugin: plugins.Plugin, rest: str, options: Options) -> Model:
    """A plug-in as a model: a function from messages to text, or a class of `Model`, which gets the rest of the name.

    Raises:
        UsageError: it is neither, or the class refuses.
    """
    what = plugin.what
    if not inspect.isclass(what):
        if not callable(what):
            raise UsageError(f"{plugin.name} is not a function but {type(what).__name__}")
        return Function(plugin, options)
    if lacking := [name for name in ("ask", "identity") if not hasattr(what, name)]:
        raise UsageError(f"{plugin.name} is not a model: it has no {' and no '.join(lacking)}")
    model = cast(Model, cast(Any, what)(rest, options))
    model.plugin = plugin.stamp
    return model
