"""Talkers that are no models: `espeak-ng` (formants by rule) and `flite` (recorded diphones), where installed.

They are known tools of this machine, run with the text of a probe; no model writes what they run.
"""

from __future__ import annotations

import functools
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from innerear.clip import Clip, read
from innerear.errors import UsageError

TALKERS = {"espeak-ng": "espeak-ng:en-us", "flite": "flite:kal16"}
"""The baselines: name to `PROGRAM:VOICE`. The templates of the check `transcript` have neither voice."""
VOICE_OPTION = {"espeak-ng": "-v", "flite": "-voice"}
PLAIN = re.compile(r"[A-Za-z0-9 ,.?!'\[\]:@_+-]{1,300}")
TIMEOUT_S = 60


def can_say(talker: str) -> bool:
    """Whether the program of a talker is installed."""
    return shutil.which(TALKERS.get(talker, talker).partition(":")[0]) is not None


@functools.lru_cache(maxsize=2048)
def say(text: str, talker: str, words_a_minute: int = 160) -> Clip:
    """The text as a talker says it: a name of `TALKERS`, or `PROGRAM:VOICE`.

    Raises:
        UsageError: the program is not installed, gives no sound, or the text holds other signs than
            those of plain English.
    """
    program, _, voice = TALKERS.get(talker, talker).partition(":")
    if program not in VOICE_OPTION or not PLAIN.fullmatch(text):
        raise UsageError(f"{talker} is not asked to say {text[:60]!r}; wanted plain English and one of {list(TALKERS)}")
    if shutil.which(program) is None:
        raise UsageError(f"{program} is not installed: it is the Debian package {program}")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "said.wav"
        command = [program, VOICE_OPTION[program], voice]
        if program == "espeak-ng":
            command += ["-s", str(words_a_minute), "-w", str(path), "--", text]
        else:
            command += ["--setf", f"duration_stretch={160 / words_a_minute:.3f}", "-t", text, "-o", str(path)]
        done = subprocess.run(command, capture_output=True, timeout=TIMEOUT_S, check=False)
        if done.returncode or not path.exists():
            raise UsageError(f"{program} says nothing: {done.stderr.decode(errors='replace')[:200]}")
        return read(path)
