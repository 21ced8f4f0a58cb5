"""The sentences of a request that depend on the language of the program.

Recordings depend on every word of Python, Csound and JavaScript, so these must not change.
"""

from __future__ import annotations

from dataclasses import dataclass

from innerear.languages import LANGUAGES, Language
from innerear.records import Probe

FROM_SCRATCH = "- Make the sound from scratch: no recordings, no text-to-speech engine,"


@dataclass(frozen=True)
class Wording:
    """How programs are asked for in a language.

    `whole` is what a reply must hold, `rules` the lines on length, file and limits, with `{duration_s:g}` in them.
    """

    language: Language
    whole: str
    rules: tuple[str, ...]

    @property
    def title(self) -> str:
        """The language's name in prose."""
        return LANGUAGES[self.language].title

    @property
    def only_code(self) -> str:
        """The sentence that asks for the program and nothing else."""
        return f"Reply with one complete {self.whole} in a single fenced code block, and nothing else."

    def task(self, probe: Probe) -> str:
        """The rules for a program of this probe."""
        return "\n".join(self.rules).format(duration_s=probe.duration_s)

    def block(self, code: str) -> str:
        """A program as a reply shows it."""
        return f"```{LANGUAGES[self.language].tags[0]}\n{code}```"


WORDINGS: dict[Language, Wording] = {
    "python": Wording(
        "python",
        "Python program",
        (
            "- Write {duration_s:g} seconds of mono audio at 44100 Hz to the file output.wav in the working directory.",
            "- Use only the Python standard library, NumPy and SciPy.",
            f"{FROM_SCRATCH} no network, no other files.",
        ),
    ),
    "csound": Wording(
        "csound",
        "Csound file (.csd)",
        (
            "- Render {duration_s:g} seconds of mono audio at 44100 Hz: a complete .csd file with its own score, run "
            "as `csound -o output.wav program.csd` (Csound 6.18).",
            "- Use only Csound's own opcodes and tables computed from scratch: no sample files, no text-to-speech "
            "engine, no network, no shell, no other files.",
        ),
    ),
    "javascript": Wording(
        "javascript",
        "JavaScript program",
        (
            "- Write {duration_s:g} seconds of mono audio at 44100 Hz to the file output.wav in the working directory; "
            "it is run as `node program.js` (Node.js 18 or later).",
            "- Use only the language itself and Node's built-in fs module to write that one file: no packages, no "
            "child processes, no network.",
            f"{FROM_SCRATCH} no other files.",
        ),
    ),
    "faust": Wording(
        "faust",
        "Faust program (.dsp)",
        (
            "- It is rendered offline as mono audio at 44100 Hz: declare its length with the line "
            '`declare duration "{duration_s:g}";`, and let `process` have no input and one output (Faust 2.54). '
            "Nobody plays it: it has no controls, and whatever happens is set off by the program itself.",
            "- Use only the language itself and its standard libraries (stdfaust.lib): no sound files, no foreign "
            "functions.",
            f"{FROM_SCRATCH} no other files.",
        ),
    ),
}
