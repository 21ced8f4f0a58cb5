"""Plug-ins: your own model, embedder, metric, check or strategy, without editing the package.

An installed package offers them as entry points of the groups `innerear.models`, `innerear.embedders`,
`innerear.metrics`, `innerear.checks` and `innerear.strategies`; these are used by their names. Any other object is
named by its place, `python:module.attr`.

A plug-in is your own code and runs with your rights, outside the jail. So a `python:` name is only followed if you
gave it yourself: on the command line, in INNEREAR_PLUGINS, or to `use`. One in a run folder, a suite or a packed run
of somebody else is not.
"""

from __future__ import annotations

import functools
import hashlib
import importlib
import inspect
import os
import sys
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, Literal

from innerear.errors import UsageError

Group = Literal["models", "embedders", "metrics", "checks", "strategies"]
GROUPS: tuple[Group, ...] = ("models", "embedders", "metrics", "checks", "strategies")
PYTHON = "python:"
VARIABLE = "INNEREAR_PLUGINS"
"""Names of `python:` plug-ins, separated by commas."""

_used: dict[str, None] = {}


@dataclass(frozen=True)
class Plugin:
    """An object from outside the package. `version`: see `stamp`; `where`: the package or file that it comes from."""

    name: str
    what: Any
    version: str
    where: str

    @property
    def stamp(self) -> str:
        """Name and version, as in keys and signatures: results of another version are not used again."""
        return f"{self.name}@{self.version}"


def use(*names: str) -> None:
    """Allow `python:module.attr` names in this process; metrics and checks among them are measured from now on.

    Raises:
        UsageError: a name cannot be loaded.
    """
    for name in names:
        if not name.startswith(PYTHON):
            raise UsageError(f"{name!r} is not a plug-in; wanted {PYTHON}MODULE.ATTRIBUTE")
        _load(name)
        _used[name] = None


def use_named(*texts: str) -> None:
    """`use` the `python:` names in texts that the user gave, such as an embedder or a strategy with its parameter."""
    use(*(PYTHON + text.removeprefix(PYTHON).partition(":")[0] for text in texts if text.startswith(PYTHON)))


def used() -> list[str]:
    """The `python:` names that are allowed: those given to `use`, then those of INNEREAR_PLUGINS."""
    named = [name.strip() for name in os.environ.get(VARIABLE, "").split(",")]
    return list(dict.fromkeys([*_used, *filter(None, named)]))


def forget() -> None:
    """Allow no `python:` name any more but those of INNEREAR_PLUGINS, and load them again."""
    _used.clear()
    _load.cache_clear()


def installed(group: Group) -> dict[str, metadata.EntryPoint]:
    """The entry points of installed packages by name, without loading them."""
    return _installed().get(group, {})


@functools.cache
def _installed() -> dict[str, dict[str, metadata.EntryPoint]]:
    found = metadata.entry_points()
    return {group: {point.name: point for point in found.select(group=f"innerear.{group}")} for group in GROUPS}


def find(group: Group, name: str) -> Plugin | None:
    """The plug-in of this name, `None` if there is none.

    Raises:
        UsageError: it cannot be loaded, or is a `python:` name that was not given by the user.
    """
    if name.startswith(PYTHON):
        if name not in used():
            raise UsageError(
                f"{name} is code that you have not named: if you trust it, add --plugin {name}, set {VARIABLE}, "
                "or call innerear.plugins.use"
            )
        return _load(name)
    point = installed(group).get(name)
    return None if point is None else _load_point(point)


def is_here(group: Group, name: str) -> bool:
    """Whether `find` may look for a plug-in of this name: it is installed, or allowed."""
    return name in used() if name.startswith(PYTHON) else name in installed(group)


@functools.cache
def _load(name: str) -> Plugin:
    """Import a `python:` name. Modules in the working directory are found."""
    module, _, attribute = name.removeprefix(PYTHON).rpartition(".")
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.append(here)
    try:
        loaded = importlib.import_module(module)
        what = getattr(loaded, attribute)
    except Exception as error:  # whatever the user's module raises
        raise UsageError(f"{name}: {_line(error)}; wanted {PYTHON}MODULE.ATTRIBUTE") from error
    return Plugin(name, what, _version(what, loaded), getattr(loaded, "__file__", None) or module)


@functools.cache
def _load_point(point: metadata.EntryPoint) -> Plugin:
    package = point.dist.name if point.dist else "?"
    try:
        what = point.load()
    except Exception as error:  # whatever the package raises
        raise UsageError(
            f"the plug-in {point.name!r} of the package {package} cannot be loaded: {_line(error)}"
        ) from error
    version = _version(what, sys.modules.get(point.module), point.dist.version if point.dist else "0")
    return Plugin(point.name, what, version, package)


def _version(what: Any, module: Any, package: str = "") -> str:
    """What the object says itself; else the module's `__version__` or the package's; else the digest of its file."""
    own = inspect.getattr_static(what, "version", None)
    declared = own if isinstance(own, int | str) else getattr(module, "__version__", None)
    file = getattr(module, "__file__", None)
    if declared is None and not package and file:
        return hashlib.sha256(Path(file).read_bytes()).hexdigest()[:8]
    both = [package, "" if declared is None else str(declared)]
    return "+".join(part.replace("|", "/") for part in both if part) or "0"


def _line(error: Exception) -> str:
    said = " ".join(str(error).split())[:200]
    return said if isinstance(error, ImportError | AttributeError | ValueError) else f"{type(error).__name__}: {said}"
