"""Can a language model that has never heard anything write a sound?

InnerEar asks a model for programs that synthesise sounds, runs them in a jail and measures the audio.
Everything the command line does is available as functions; see docs/start.md for examples.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from innerear.ask.models import open_model
    from innerear.clip import Clip, read
    from innerear.distance.folders import fad, kad
    from innerear.distance.frechet import frechet_distance
    from innerear.distance.labelled import diversity, realism
    from innerear.distance.words import wer
    from innerear.embed import open_embedder
    from innerear.errors import InnerEarError
    from innerear.jail import open_jail
    from innerear.programs.extract import extract
    from innerear.records import Completion, Limits, Measurement, Probe, Program, Render, Score
    from innerear.run.create import create
    from innerear.run.progress import show_progress
    from innerear.run.run import Run, RunConfig
    from innerear.stages import evaluate
    from innerear.suite import Suite, choose, load

_HOME = {
    "Clip": "clip", "Completion": "records", "InnerEarError": "errors", "Limits": "records", "Measurement": "records",
    "Probe": "records", "Program": "records", "Render": "records", "Run": "run.run", "RunConfig": "run.run",
    "Score": "records", "Suite": "suite", "choose": "suite", "create": "run.create", "diversity": "distance.labelled",
    "evaluate": "stages", "extract": "programs.extract", "frechet_distance": "distance.frechet",
    "fad": "distance.folders", "kad": "distance.folders", "load": "suite", "open_embedder": "embed",
    "open_jail": "jail", "open_model": "ask.models", "read": "clip", "realism": "distance.labelled",
    "show_progress": "run.progress", "wer": "distance.words",
}  # fmt: skip

__all__ = [
    "Clip", "Completion", "InnerEarError", "Limits", "Measurement", "Probe", "Program", "Render", "Run", "RunConfig",
    "Score", "Suite", "choose", "create", "diversity", "evaluate", "extract", "fad", "frechet_distance", "kad", "load",
    "open_embedder", "open_jail", "open_model", "read", "realism", "show_progress", "wer",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    """Import names lazily, so that `import innerear` stays fast."""
    if name == "__version__":
        from importlib.metadata import version

        return version("innerear")
    if name not in _HOME:
        raise AttributeError(f"module 'innerear' has no attribute {name!r}")
    return getattr(importlib.import_module(f"innerear.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__, "__version__"])
