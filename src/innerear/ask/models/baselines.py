"""`baseline/…`: stand-ins for models that provide the floors and ceilings of scores.

They answer with programs, which are run and measured like any model's, or with sounds made by host tools
(`sampler`, `espeak-ng`, `flite`; see `render.tools`). `informed` reads the probe's checks, which no model
sees: a score that plain sines and clicks reach does not show knowledge of sound.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, cast

from innerear.ask.models.base import Local, Model, Options, Reply
from innerear.ask.models.informed import sketch
from innerear.errors import UsageError
from innerear.records import Message, Probe, digest

_HEAD = """\
import wave

import numpy as np

RATE = 44100
LENGTH = {length}  # samples
"""
_TAIL = """\

with wave.open("output.wav", "wb") as file:
    file.setnchannels(1)
    file.setsampwidth(2)
    file.setframerate(RATE)
    file.writeframes(np.round(32767 * np.clip(sound, -1, 1)).astype("<i2").tobytes())
"""


def silence(probe: Probe) -> str:
    """Digital silence."""
    return "sound = np.zeros(LENGTH)\n"


def noise(probe: Probe) -> str:
    """White noise at −20 dBFS RMS; its seed comes from the probe's id."""
    return f"sound = 0.1 * np.random.default_rng({int(digest(probe.id)[:8], 16)}).standard_normal(LENGTH)\n"


def sine(probe: Probe) -> str:
    """A sine at 440 Hz, −20 dBFS RMS."""
    return "sound = 0.1414 * np.sin(2 * np.pi * 440 * np.arange(LENGTH) / RATE)\n"


@dataclass(frozen=True)
class Entry:
    """A baseline: what writes its programs, or its class, and the end of the scale that it is.

    A floor that `knows` the checks is shown, but is not the zero of the scale.
    """

    of: Callable[[Probe], str] | str
    end: Literal["floor", "ceiling"]
    knows: bool = False


BASELINES = {
    "silence": Entry(silence, "floor"),
    "noise": Entry(noise, "floor"),
    "sine": Entry(sine, "floor"),
    "informed": Entry(sketch, "floor", knows=True),
    "sampler": Entry("innerear.ask.models.sampler:Sampler", "ceiling"),
    "flite": Entry("innerear.ask.models.talker:Flite", "ceiling"),
    "espeak-ng": Entry("innerear.ask.models.talker:EspeakNg", "ceiling"),
}


def open_baseline(name: str, options: Options) -> Model:
    """Open a baseline by name.

    Raises:
        UsageError: no such baseline, or the tool it needs is not installed.
    """
    if name not in BASELINES:
        raise UsageError(f"no baseline {name!r}; there are {', '.join(BASELINES)}")
    of = BASELINES[name].of
    if isinstance(of, str):
        module, _, attribute = of.partition(":")
        return cast(Model, getattr(importlib.import_module(module), attribute)(options))
    return Baseline(name, of)


class Baseline(Local):
    """Answers with one of the programs above, whatever the messages."""

    def __init__(self, name: str, write: Callable[[Probe], str]) -> None:
        self.name = f"baseline/{name}"
        self._write = write

    def program(self, probe: Probe) -> str:
        """The code for this probe: standard library and NumPy only."""
        return _HEAD.format(length=round(44100 * probe.duration_s)) + self._write(probe) + _TAIL

    def identity(self, probe: Probe, attempt: int) -> str:
        """The digest of the code."""
        return digest(self.program(probe))

    async def ask(self, probe: Probe, messages: Sequence[Message], attempt: int) -> Reply:
        """The program in a fenced block, as a model's reply."""
        return Reply(f"```python\n{self.program(probe)}```\n")
