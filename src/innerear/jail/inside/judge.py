"""What became of a program that is not Python: from the wait status of its tool and what that printed.

The text is the program's as much as its tool's: a program can print what it likes and so choose its own failure, as
it could by failing.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable

from innerear.jail.inside.wire import Status

Ending = tuple[Status, int, str]
"""Status, exit code (of `KILLED`: the signal), and the reason."""

_NODE_MEMORY = re.compile(
    r"JavaScript heap out of memory|Fatal process out of memory|Array buffer allocation failed"
    r"|[Aa]llocate Wasm memory|could not allocate memory"
)
_NODE_PLACE = re.compile(r"^(?:file://)?\S*program\.js:(\d+)$", re.MULTILINE)
_NODE_ERROR = re.compile(r"^(?:Uncaught )?((?:\w+ \[\w+\]|\w*(?:Error|Exception)\w*)(?:: .*)?)$", re.MULTILINE)
_NODE_REFUSED = re.compile(r"\b(?:EPERM|EACCES|EROFS|ERR_DLOPEN_DISABLED)\b|\bENOENT: [^\n]* '/")
_CSOUND_PLACE = re.compile(r"\bline:? (\d+)(?::\n\s*>>>\s*(.*?)\s*<<<)?", re.IGNORECASE)
_CSOUND_ERROR = re.compile(
    r"^\s*((?:error:|INIT ERROR|PERF ERROR|Invalid|[Uu]nknown|Cannot|Could not|B +\S+ - note deleted).*"
    r"|.*\berror\b(?! in perf).*)$",
    re.MULTILINE,
)
_CSOUND_MEMORY = re.compile(r"memory allocate failure", re.IGNORECASE)
_CSOUND_WARNING = re.compile(r"^WARNING: .*\n", re.MULTILINE)
_FAUST_ERROR = re.compile(r"^(?:program\.dsp : (-?\d+) : )?ERROR : (.*)$|^.*\bERROR\b.*$", re.MULTILINE)
_FAUST_MEMORY = re.compile(f"bad_alloc|{_NODE_MEMORY.pattern}|Invalid typed array length")


def judge(language: str, status: int, log: str) -> Ending:
    """The status, exit code and reason of a program whose last command ended with this wait status.

    >>> judge("csound", 0, "0 errors in performance")
    (<Status.AUDIO: 1>, 0, '')
    """
    if not status:
        return Status.AUDIO, 0, ""
    memory, error = _LANGUAGES[language]
    if memory.search(log):
        return Status.OUT_OF_MEMORY, 0, "not enough memory"
    if os.WIFSIGNALED(status):
        return Status.KILLED, os.WTERMSIG(status), ""
    code = os.WEXITSTATUS(status)
    return error(log, code) or (Status.EXIT_CODE, code, f"left with exit code {code}")


def _node(log: str, code: int) -> Ending | None:
    """An exception that was not caught, with its line; Node prints its own version after it."""
    if not re.search(r"^Node\.js v\d", log, re.MULTILINE):
        return None
    places = list(_NODE_PLACE.finditer(log))
    told = log[places[-1].start() :] if places else log
    found = _NODE_ERROR.search(told)
    reason = found[1] if found else "an exception that is not an Error"
    if places:
        reason += f" (line {places[-1][1]})"
    return (Status.FORBIDDEN if _NODE_REFUSED.search(told) else Status.ERROR), code, reason


def _csound(log: str, code: int) -> Ending | None:
    """The parser's first error with its line, or the first error that was printed."""
    log = _CSOUND_WARNING.sub("", log)
    if "(disk may be full" in log:
        return (
            Status.ERROR,
            code,
            "output.wav grew beyond the limit on files: a score without an end, or a very long one",
        )
    found = _CSOUND_ERROR.search(log)
    if not found:
        return None
    reason = found[1].removeprefix("error:").strip()
    place = _CSOUND_PLACE.search(log, found.end())
    if place and " line " not in reason:
        reason += f", line {place[1]}" + (f": {place[2]}" if place[2] else "")
    return Status.ERROR, code, reason


def _faust(log: str, code: int) -> Ending | None:
    """The compiler's or the renderer's error with its line, or an exception of the renderer."""
    found = _FAUST_ERROR.search(log)
    if not found:
        return _node(log, code)
    reason = (found[2] or found[0]).strip()
    return Status.ERROR, code, f"{reason} (line {found[1]})" if found[1] and int(found[1]) > 0 else reason


_LANGUAGES: dict[str, tuple[re.Pattern[str], Callable[[str, int], Ending | None]]] = {
    "javascript": (_NODE_MEMORY, _node),
    "csound": (_CSOUND_MEMORY, _csound),
    "faust": (_FAUST_MEMORY, _faust),
}
