"""What is sent back of a program that failed: the lines of its output that say why, and a hint where one is known."""

from __future__ import annotations

import re

from innerear import records
from innerear.languages import LANGUAGES, Language

LONGEST_ERROR = 2000  # last characters of a program's output that are sent back to the model
_IDLE: dict[Language, re.Pattern[str]] = {
    "csound": re.compile(
        r"\s*(?:--Csound version|\[commit|libsndfile-|sr = |0dBFS level|audio buffered|writing \d|SECTION \d|"
        r"Stopping on parser|cannot compile orch|Score finished|end of score|overall (?:amps|samples)|\d+ errors? in|"
        r"\d+ \d+ sample blks|B +\d.*note deleted)"
    ),
    "javascript": re.compile(r"\s*(?:at .*\(?node:|Node\.js v\d|\(Use `node |node:internal/)"),
}
"""Lines of a tool's output that are the same whatever is wrong with the program."""
_LINE = re.compile(r"\bline (\d+)", re.IGNORECASE)
_TAKEN = re.compile(r'unexpected (?:T_OPCODE\w*|[A-Z]+_TOKEN)\s+\(token "(\w+)"\)')


def printed(log: str, language: Language) -> str:
    """The end of what a program printed, without a tool's own idle lines."""
    idle = _IDLE.get(language)
    if idle is not None:
        log = "\n".join(line for line in log.split("\n") if not idle.match(line))
        log = re.sub(r"\n\s*\n+", "\n", log)
    return log[-LONGEST_ERROR:].strip()


def explained(row: records.Render, code: str | None, language: Language) -> str:
    """The line of the program that its error names, and a hint; nothing for Python, whose traceback has both.

    Two of the 24 recorded Csound programs fail, both because a variable has the name of an opcode (`atone`, `kr`).
    """
    if language not in ("csound", "faust"):
        return ""
    said = []
    lines = (code or "").split("\n")
    named = _LINE.search(row.reason) or _LINE.search(row.log)
    if named and 0 < int(named[1]) <= len(lines) and (line := lines[int(named[1]) - 1].strip()):
        said.append(f"Line {named[1]} of the program: {line[:200]}")
    if language == "csound" and (taken := _TAKEN.search(f"{row.reason}\n{row.log}")):
        said.append(
            f"`{taken[1]}` is the name of an opcode or a reserved word of {LANGUAGES[language].title}: "
            "a variable needs another name."
        )
    return "\n".join(said)
