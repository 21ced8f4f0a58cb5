"""Text that is shown to people: names, made printable and told apart."""

from __future__ import annotations

import codecs
import io
import sys
import time
import unicodedata
from collections.abc import Iterable

_SIGNS = {
    **dict.fromkeys("–—−‐‑", "-"),
    **dict.fromkeys("‘’′", "'"),
    **dict.fromkeys("“”″", '"'),
    **{"×": "x", "∞": "inf", "▲": "^", "▼": "v", "†": "+", "·": ".", "≥": ">=", "≤": "<=", "±": "+/-"},
}


def printable(text: str) -> str:
    """Text on one line without control characters: what stands for them is U+FFFD.

    >>> printable("a\\x1b[31mb\\nc")
    'a\\ufffd[31mb\\ufffdc'
    """
    return "".join(c if c.isprintable() else "\ufffd" for c in text)


def speak_plainly() -> None:
    """Let no sign that the terminal's encoding lacks end a command: what is printed is put in plainer signs."""
    codecs.register_error("innerear-plain", _plainer)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="innerear-plain")


def _plainer(error: UnicodeError) -> tuple[str | bytes, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    sign = error.object[error.start]
    if "\udc80" <= sign <= "\udcff":  # a byte of a file's name that is not UTF-8
        return bytes([ord(sign) - 0xDC00]), error.start + 1
    alike = unicodedata.normalize("NFKD", sign).encode("ascii", "ignore").decode()
    return _SIGNS.get(sign) or alike or "?", error.start + 1


def storable(text: str) -> str:
    r"""Text with what UTF-8 cannot hold written out, such as the bytes of a file's name in another encoding.

    >>> storable("caf\udce9")
    'caf\\udce9'
    """
    return text.encode("utf-8", "backslashreplace").decode()


def clock(seconds: float) -> str:
    """A moment of `time.time` as the local time of day, with its date where it is not today."""
    moment, today = time.localtime(seconds), time.localtime()
    return time.strftime("%H:%M:%S" if moment[:3] == today[:3] else "%Y-%m-%d %H:%M", moment)


def distinct(names: Iterable[str]) -> list[str]:
    """The names, those that came before with a number behind them.

    >>> distinct(["a", "b", "a"])
    ['a', 'b', 'a (2)']
    """
    found: list[str] = []
    for name in names:
        number, free = 1, name
        while free in found:
            number += 1
            free = f"{name} ({number})"
        found.append(free)
    return found
