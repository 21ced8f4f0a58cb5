"""Sounds that known programs of this machine make: the baselines that enter as renders and no model wrote.

A completion's `recording` names such a sound as `TOOL:` and what the tool is given, as JSON; every
other recording is a clip in the data folder. The tools are run outside the jail: what they are given
comes from the probe's own checks, never from a model.
"""

from __future__ import annotations

import functools
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from innerear.clip import Clip, read
from innerear.errors import AudioError, UsageError
from innerear.render.talkers import TALKERS, say

PATIENCE_S = 120
SOUNDFONTS = (
    "/usr/share/sounds/sf2/FluidR3_GM.sf2",
    "/usr/share/sounds/sf2/default-GM.sf2",
    "/usr/share/soundfonts/FluidR3_GM.sf2",
    "/usr/share/soundfonts/default.sf2",
)


def recording(tool: str, given: dict[str, Any]) -> str:
    """The name under which a sound of a tool stands in a completion."""
    return f"{tool}:{json.dumps(given, separators=(',', ':'), sort_keys=True)}"


def is_hosted(name: str) -> bool:
    """Whether a recording is made by a tool rather than read from the data folder."""
    return name.partition(":")[0] in TOOLS


def make(name: str) -> Clip:
    """The sound of a recording that a tool makes.

    Raises:
        UsageError: the tool is not installed. AudioError: it made no sound.
    """
    tool, _, given = name.partition(":")
    return TOOLS[tool](json.loads(given))


@functools.cache
def soundfont() -> Path:
    """The General MIDI soundfont of this machine: that named by INNEREAR_SOUNDFONT, or a Debian package's.

    Raises:
        UsageError: there is none, or no fluidsynth.
    """
    named = os.environ.get("INNEREAR_SOUNDFONT")
    found = next((path for path in map(Path, [named] if named else SOUNDFONTS) if path.is_file()), None)
    if found is None or shutil.which("fluidsynth") is None:
        lacks = "fluidsynth" if found else f"a soundfont{f' at {named}' if named else ''}"
        raise UsageError(
            f"baseline/sampler needs fluidsynth and a General MIDI soundfont, and {lacks} is not here: "
            "apt-get install fluidsynth fluid-soundfont-gm, or name a soundfont in INNEREAR_SOUNDFONT"
        )
    return found.resolve()


def _fluidsynth(given: dict[str, Any]) -> Clip:
    """A MIDI file played dry at 44.1 kHz; `given`: soundfont (its file's name) and midi (hexadecimal)."""
    font = soundfont()
    if font.name != given["soundfont"]:
        raise UsageError(f"the sound was asked for with {given['soundfont']}, and {font.name} is here")
    with tempfile.TemporaryDirectory(prefix="innerear-") as folder:
        score, played = Path(folder, "score.mid"), Path(folder, "played.wav")
        score.write_bytes(bytes.fromhex(given["midi"]))
        dry = ["-R", "0", "-C", "0", "-g", "0.6"]
        command = ["fluidsynth", "-ni", *dry, "-r", "44100", "-O", "float", "-T", "wav", "-F", str(played)]
        return _made([*command, str(font), str(score)], played)


def _made(command: list[str], path: Path) -> Clip:
    done = subprocess.run(command, capture_output=True, timeout=PATIENCE_S, check=False, stdin=subprocess.DEVNULL)
    if done.returncode or not path.exists():
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise AudioError(f"{command[0]} made no sound: {said[-1] if said else f'exit code {done.returncode}'}")
    return read(path)


def _says(talker: str, given: dict[str, Any]) -> Clip:
    """A text as a talker says it, then silence; `given`: text, and duration_s of all."""
    spoken = say(given["text"], talker)
    missing = round(given["duration_s"] * spoken.sample_rate) - spoken.samples.shape[1]
    return Clip(np.pad(spoken.samples, ((0, 0), (0, max(0, missing)))), spoken.sample_rate)


TOOLS: dict[str, Callable[[dict[str, Any]], Clip]] = {
    "fluidsynth": _fluidsynth,
    **{talker: functools.partial(_says, talker) for talker in TALKERS},
}
"""What makes a sound of what it is given."""
