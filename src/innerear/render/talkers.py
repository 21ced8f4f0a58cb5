"""TTS voices, if installed: `espeak-ng` (rule-based formant synthesis) and `flite` (recorded diphones).

They run outside the jail, on the text of a probe; no model-written code is involved.
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
"""Baseline voices: name to `PROGRAM:VOICE`. The templates of the check `transcript` use neither voice."""
VOICE_OPTION = {"espeak-ng": "-v", "flite": "-voice"}
PLAIN = re.compile(r"[A-Za-z0-9 ,.?!'\[\]:@_+-]{1,300}")
TIMEOUT_S = 60


def can_say(talker: str) -> bool:
    """Whether the program of a TTS voice is installed."""
    return shutil.which(TALKERS.get(talker, talker).partition(":")[0]) is not None


@functools.lru_cache(maxsize=2048)
def say(text: str, talker: str, words_a_minute: int = 160) -> Clip:
    """Synthesise a text with a TTS voice: a name in `TALKERS`, or `PROGRAM:VOICE`.

    Raises:
        UsageError: the program is not installed or makes no sound, or the text has characters outside `PLAIN`.
    """
    program, _, voice = TALKERS.get(talker, talker).partition(":")
    if program not in VOICE_OPTION or not PLAIN.fullmatch(text):
        raise UsageError(
            f"cannot synthesise {text[:60]!r} with the voice {talker}; wanted plain English text of at most 300 "
            f"characters and one of {list(TALKERS)}"
        )
    if shutil.which(program) is None:
        raise UsageError(f"{program} is not installed; on Debian: apt-get install {program}")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "said.wav"
        command = [program, VOICE_OPTION[program], voice]
        if program == "espeak-ng":
            command += ["-s", str(words_a_minute), "-w", str(path), "--", text]
        else:
            command += ["--setf", f"duration_stretch={160 / words_a_minute:.3f}", "-t", text, "-o", str(path)]
        done = subprocess.run(command, capture_output=True, timeout=TIMEOUT_S, check=False)
        if done.returncode or not path.exists():
            raise UsageError(f"{program} made no sound: {done.stderr.decode(errors='replace')[:200]}")
        return read(path)
