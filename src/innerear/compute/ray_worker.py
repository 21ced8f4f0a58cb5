"""The actor that runs on each core of a cluster, and the check that its node matches the driver."""

from __future__ import annotations

import platform
import time
import uuid
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from innerear.compute.work import Failure, Job
from innerear.errors import InnerEarError


class NodeUnfit(InnerEarError):
    """A node's setup differs from the driver's."""


@dataclass(frozen=True)
class Facts:
    """What a worker must share with the driver: the versions that results depend on, and a folder."""

    versions: dict[str, str]
    token: Path | None  # a file that the driver wrote to the shared folder
    content: bytes  # of that file

    @classmethod
    def of(cls, token: Path | None) -> Facts:
        """The facts of this process."""
        versions = {name: metadata.version(name) for name in ("innerear", "numpy", "scipy")}
        versions["python"] = platform.python_version()
        return cls(versions, token, uuid.uuid4().hex.encode())

    def unlike_here(self) -> str:
        """How this node differs from the driver; empty if it does not."""
        here = Facts.of(None).versions
        for name, version in self.versions.items():
            if here[name] != version:
                return f"it has {name} {here[name]}, the driver has {version}; install the same version"
        if self.token is not None:
            try:
                same = self.token.read_bytes() == self.content
            except Exception as error:  # noqa: BLE001  from any file system
                return f"it cannot read {self.token.parent} ({error}); use a folder that all nodes share"
            if not same:
                return f"{self.token.parent} is a different folder there; use a folder that all nodes share"
        return ""


class Worker:
    """An actor on one core, with the resources that the current work has opened."""

    def __init__(self) -> None:
        self._opened = ExitStack()
        self._function: Callable[[Any], Any] | None = None
        self._forgives: tuple[type[Exception], ...] = ()

    def begin(self, work: Job[Any, Any], facts: Facts) -> None:
        """Close the resources of the previous work and open those of this one.

        Raises:
            NodeUnfit, or what `open` raises: this node cannot do the work.
        """
        self._opened.close()
        if missing := facts.unlike_here():
            raise NodeUnfit(missing)
        self._function = self._opened.enter_context(work.open())
        self._forgives = work.forgives

    def do(self, items: Sequence[Any]) -> tuple[list[Any], float]:
        """Results in the order of `items`, and the seconds they took together."""
        assert self._function is not None
        results: list[Any] = []
        start = time.perf_counter()
        for item in items:
            try:
                results.append(self._function(item))
            except self._forgives as error:
                results.append(Failure(None, str(error)))
        return results, time.perf_counter() - start


@dataclass(eq=False)
class Seat:
    """A worker as the driver sees it."""

    actor: Any
    node: str
