"""`python:module.attr`: your own function from messages to text, plain or async."""

from __future__ import annotations

import asyncio
import importlib
import inspect
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from innerear.ask.models.base import Local, Options, Reply
from innerear.errors import ModelError, UsageError
from innerear.records import Message, Probe


class Function(Local):
    """Calls `attr(messages)` with messages as `[{"role": …, "content": …}]`; it must return a `str`.

    A plain function runs in threads, up to `concurrency` at once. Only the function's name is part of the
    key: start a new run after changing the function. Modules in the working directory are found.
    """

    converses = True

    def __init__(self, path: str, options: Options) -> None:
        self.name = f"python:{path}"
        self.concurrency = options.concurrency
        module, _, attribute = path.rpartition(".")
        here = str(Path.cwd())
        if here not in sys.path:
            sys.path.append(here)
        try:
            self._function = getattr(importlib.import_module(module), attribute)
        except (ImportError, AttributeError, ValueError) as error:
            raise UsageError(f"{self.name}: {error}; wanted python:MODULE.FUNCTION") from error
        if not callable(self._function):
            raise UsageError(f"{self.name} is not a function but {type(self._function).__name__}")

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
