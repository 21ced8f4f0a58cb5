"""An embedder of your own: what a plug-in has to have, and what is added to it."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from innerear.clip import Clip, read
from innerear.embed.loudness import LoudnessRule
from innerear.embed.windows import Frames
from innerear.errors import UsageError
from innerear.plugins import Plugin


@dataclass
class Plugged:
    """A plug-in as an `Embedder`: its frames are checked, and its name and version begin its signature."""

    name: str
    dims: int
    sample_rate: int
    signature: str
    own: Any
    quantum: float | None = None

    @classmethod
    def of(cls, plugin: Plugin, loudness: LoudnessRule) -> Plugged:
        """Open the plug-in: a class, or a function that returns an embedder.

        It is called with `loudness` if it has such a parameter, else without arguments.

        Raises:
            UsageError: it cannot be called so, or lacks a member.
        """
        try:
            takes = "loudness" in inspect.signature(plugin.what).parameters
            own = plugin.what(loudness=loudness) if takes else plugin.what()
            facts = int(own.dims), int(own.sample_rate), f"{plugin.stamp}|{own.signature}"
            if not callable(own.embed):
                raise TypeError("embed is not a method")
        except (TypeError, ValueError, AttributeError) as error:
            raise UsageError(
                f"{plugin.name} is not an embedder: {error}; wanted a class with dims, sample_rate, signature and "
                "embed(clips)"
            ) from error
        return cls(plugin.name, *facts, own, getattr(own, "quantum", None))

    def embed(self, clips: Sequence[Clip]) -> list[Frames]:
        """The frames of each clip, (frames, dims).

        Raises:
            UsageError: the plug-in gives something else.
        """
        found = [np.asarray(frames, dtype=np.float32) for frames in self.own.embed(clips)]
        if len(found) != len(clips):
            raise UsageError(f"{self.name} gives frames of {len(found)} clips for {len(clips)}")
        for frames in found:
            if frames.ndim != 2 or frames.shape[1] != self.dims or not len(frames):
                raise UsageError(f"{self.name} gives frames of shape {frames.shape}, wanted (frames, {self.dims})")
            if not np.isfinite(frames).all():
                raise UsageError(f"{self.name} gives NaN or infinity")
        return found

    def embed_file(self, path: Path) -> Frames:
        """The frames of a file, (frames, dims)."""
        return self.embed([read(path)])[0]
