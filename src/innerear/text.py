"""Text for people: printable, encodable, distinct."""

from __future__ import annotations

import codecs
import io
import sys
import time
import unicodedata
from collections.abc import Iterable, Sequence

_SIGNS = {
    **dict.fromkeys("–—−‐‑", "-"),
    **dict.fromkeys("‘’′", "'"),
    **dict.fromkeys("“”″", '"'),
    **{"×": "x", "∞": "inf", "▲": "^", "▼": "v", "†": "+", "·": ".", "≥": ">=", "≤": "<=", "±": "+/-"},
}


def printable(text: str) -> str:
    """Text on one line, with control characters replaced by U+FFFD.

    >>> printable("a\\x1b[31mb\\nc")
    'a\\ufffd[31mb\\ufffdc'
    """
    return "".join(c if c.isprintable() else "\ufffd" for c in text)


def speak_plainly() -> None:
    """Print similar ASCII characters in place of those that the terminal's encoding lacks, instead of failing."""
    codecs.register_error("innerear-plain", _plainer)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="innerear-plain")


def _plainer(error: UnicodeError) -> tuple[str | bytes, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    sign = error.object[error.start]
    if "\udc80" <= sign <= "\udcff":  # a non-UTF-8 byte of a file name
        return bytes([ord(sign) - 0xDC00]), error.start + 1
    alike = unicodedata.normalize("NFKD", sign).encode("ascii", "ignore").decode()
    return _SIGNS.get(sign) or alike or "?", error.start + 1


def storable(text: str) -> str:
    r"""Text with everything that UTF-8 cannot encode escaped, such as bytes of a file name in another encoding.

    >>> storable("caf\udce9")
    'caf\\udce9'
    """
    return text.encode("utf-8", "backslashreplace").decode()


def clock(seconds: float) -> str:
    """A `time.time` timestamp as local time, with the date if it is not today."""
    moment, today = time.localtime(seconds), time.localtime()
    return time.strftime("%H:%M:%S" if moment[:3] == today[:3] else "%Y-%m-%d %H:%M", moment)


def entrant_names(entrants: Sequence[tuple[str, str]]) -> list[str]:
    """A name per model and strategy: the model, with the strategy if it is there with several.

    >>> entrant_names([("a", "direct"), ("b", "direct"), ("b", "direct@csound")])
    ['a', 'b · direct', 'b · direct@csound']
    """
    models = [model for model, _ in dict.fromkeys(entrants)]
    return [f"{model} · {strategy}" if models.count(model) > 1 else model for model, strategy in entrants]


def counted(n: int, noun: str, several: str = "") -> str:
    """A number with its noun; `several` is the plural, by default the noun with an s.

    >>> counted(1, "clip"), counted(0, "clip"), counted(2, "family", "families")
    ('1 clip', '0 clips', '2 families')
    """
    return f"{n} {noun if n == 1 else several or noun + 's'}"


def distinct(names: Iterable[str]) -> list[str]:
    """The names, with a number appended to repeated ones.

    >>> distinct(["a", "b", "a"])
    ['a', 'b', 'a (2)']
    """
    unique: list[str] = []
    for name in names:
        number, free = 1, name
        while free in unique:
            number += 1
            free = f"{name} ({number})"
        unique.append(free)
    return unique
