"""Baseline sounds made by tools on the host: a MIDI sampler (fluidsynth) and TTS voices.

A completion's `recording` names such a sound as `TOOL:` followed by the tool's arguments as JSON; any other recording
is a clip in the data folder. The tools run outside the jail: their arguments come from the probe's own checks, never
from a model.
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
    """The name, in a completion, of the sound that a tool makes from these arguments."""
    return f"{tool}:{json.dumps(given, separators=(',', ':'), sort_keys=True)}"


def is_hosted(name: str) -> bool:
    """Whether a recording is made by a tool, not read from the data folder."""
    return name.partition(":")[0] in TOOLS


def make(name: str) -> Clip:
    """Make the sound of a recording with its tool.

    Raises:
        UsageError: the tool is not installed. AudioError: it made no sound.
    """
    tool, _, given = name.partition(":")
    return TOOLS[tool](json.loads(given))


@functools.cache
def soundfont() -> Path:
    """The General MIDI soundfont: the one named by INNEREAR_SOUNDFONT, or one from a distribution's package.

    Raises:
        UsageError: a soundfont or fluidsynth is missing.
    """
    named = os.environ.get("INNEREAR_SOUNDFONT")
    found = next((path for path in map(Path, [named] if named else SOUNDFONTS) if path.is_file()), None)
    if found is None or shutil.which("fluidsynth") is None:
        missing = "fluidsynth" if found else f"a soundfont{f' at {named}' if named else ''}"
        raise UsageError(
            f"baseline/sampler needs fluidsynth and a General MIDI soundfont; {missing} was not found: "
            "apt-get install fluidsynth fluid-soundfont-gm, or name a soundfont in INNEREAR_SOUNDFONT"
        )
    return found.resolve()


def _fluidsynth(given: dict[str, Any]) -> Clip:
    """Play a MIDI file dry at 44.1 kHz; `given` has soundfont (its file name) and midi (hexadecimal)."""
    font = soundfont()
    if font.name != given["soundfont"]:
        raise UsageError(
            f"the run was made with the soundfont {given['soundfont']}, the one found is {font.name}; "
            "name the first in INNEREAR_SOUNDFONT"
        )
    return play_midi(font, given["midi"])


def play_midi(font: Path, midi: str) -> Clip:
    """Play a MIDI file, in hexadecimal, dry at 44.1 kHz: a soundfont by fluidsynth, a patch set (.cfg) by timidity.

    Raises:
        AudioError: it made no sound.
    """
    with tempfile.TemporaryDirectory(prefix="innerear-") as folder:
        score, played = Path(folder, "score.mid"), Path(folder, "played.wav")
        score.write_bytes(bytes.fromhex(midi))
        dry = ["-R", "0", "-C", "0", "-g", "0.6"]
        command = ["fluidsynth", "-ni", *dry, "-r", "44100", "-O", "float", "-T", "wav", "-F", str(played)]
        if font.suffix == ".cfg":
            dry = ["-EFreverb=0", "-EFchorus=0"]
            command = ["timidity", "-c", str(font), *dry, "-s", "44100", "-Ow", "-o", str(played), str(score)]
            return _made(command, played)
        return _made([*command, str(font), str(score)], played)


def _made(command: list[str], path: Path) -> Clip:
    done = subprocess.run(command, capture_output=True, timeout=PATIENCE_S, check=False, stdin=subprocess.DEVNULL)
    if done.returncode or not path.exists():
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise AudioError(f"{command[0]} made no sound: {said[-1] if said else f'exit code {done.returncode}'}")
    return read(path)


def _says(talker: str, given: dict[str, Any]) -> Clip:
    """Speak a text and pad it with silence; `given` has text and duration_s (in all)."""
    spoken = say(given["text"], talker)
    padding = round(given["duration_s"] * spoken.sample_rate) - spoken.samples.shape[1]
    return Clip(np.pad(spoken.samples, ((0, 0), (0, max(0, padding)))), spoken.sample_rate)


TOOLS: dict[str, Callable[[dict[str, Any]], Clip]] = {
    "fluidsynth": _fluidsynth,
    **{talker: functools.partial(_says, talker) for talker in TALKERS},
}
"""Tools by name: each makes a clip from its arguments."""
