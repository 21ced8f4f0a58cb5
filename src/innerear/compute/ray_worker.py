"""What runs on each core of a cluster, and what its node must share with the driver."""

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

from innerear.compute.work import Lost, Work
from innerear.errors import InnerEarError


class NodeUnfit(InnerEarError):
    """A node is not set up as the driver is."""


@dataclass(frozen=True)
class Facts:
    """What a worker must share with the driver: versions that results depend on, and a folder."""

    versions: dict[str, str]
    token: Path | None  # a file of the driver's in that folder
    content: bytes

    @classmethod
    def of(cls, token: Path | None) -> Facts:
        """Those of this process."""
        versions = {name: metadata.version(name) for name in ("innerear", "numpy", "scipy")}
        versions["python"] = platform.python_version()
        return cls(versions, token, uuid.uuid4().hex.encode())

    def unlike_here(self) -> str:
        """What is missing on this node; nothing where all is as it should be."""
        here = Facts.of(None).versions
        for name, version in self.versions.items():
            if here[name] != version:
                return f"it has {name} {here[name]}, wanted {version} as on the driver"
        if self.token is not None:
            try:
                same = self.token.read_bytes() == self.content
            except Exception as error:  # noqa: BLE001  of any file system
                return f"it cannot read {self.token.parent} ({error}); use a folder that all nodes see"
            if not same:
                return f"another folder is at {self.token.parent} there; use a folder that all nodes see"
        return ""


class Worker:
    """An actor: one core, and what the work at hand has opened on it."""

    def __init__(self) -> None:
        self._opened = ExitStack()
        self._function: Callable[[Any], Any] | None = None
        self._forgives: tuple[type[Exception], ...] = ()

    def begin(self, work: Work[Any, Any], facts: Facts) -> None:
        """Close what the work before has opened, and get ready for this.

        Raises:
            NodeUnfit, or what `open` raises: this node cannot do it.
        """
        self._opened.close()
        if missing := facts.unlike_here():
            raise NodeUnfit(missing)
        self._function = self._opened.enter_context(work.open())
        self._forgives = work.forgives

    def do(self, things: Sequence[Any]) -> tuple[list[Any], float]:
        """The results of things, one each, and the seconds that they took."""
        assert self._function is not None
        results: list[Any] = []
        start = time.perf_counter()
        for thing in things:
            try:
                results.append(self._function(thing))
            except self._forgives as error:
                results.append(Lost(None, str(error)))
        return results, time.perf_counter() - start


@dataclass(eq=False)
class Seat:
    """A worker as the driver sees it."""

    actor: Any
    node: str
