"""What makes a text a program, in each language: for extraction.

Python is parsed. For the others no parser is at hand, so *parses* means: all brackets and strings are closed, and
what every program of the language has is there. Whether it really parses shows when it runs.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass

from innerear.languages import LANGUAGES, Language
from innerear.programs.tokens import balanced

LONGEST = 1 << 20
"""The most characters a program may have."""

_FENCE = re.compile(r"^[ \t]*(?:```|~~~)", re.MULTILINE)
_FILES = re.compile(
    r"""\brequire\s*\(\s*['"`](?:node:)?fs|\bfrom\s*['"](?:node:)?fs|\bimport\s*\(\s*['"`](?:node:)?fs"""
)
_FAUST = re.compile(r"^[ \t]*process\b\s*[=(]", re.MULTILINE)
_BEGINS: dict[Language, re.Pattern[str]] = {
    "csound": re.compile(r"(?:\s|;[^\n]*\n)*<CsoundSynthesi[sz]er>", re.IGNORECASE),
    "javascript": re.compile(
        r"""\s*(?:#!|//|/\*|['"]use strict['"]|(?:const|let|var|function|import|async|class)\s|\()"""
    ),
    "faust": re.compile(r"\s*(?://|/\*|import\s*\(|declare\s|\w+\s*(?:\([^)\n]*\)\s*)?=)"),
}


@dataclass(frozen=True)
class Grammar:
    """How a program of a language is known.

    `tag` matches the tag of its code blocks; `parses`, `sounds` and `is_whole` tell whether a text is such a program,
    whether a program writes a sound, and whether a whole reply is one. `quotes` are the marks of strings over several
    lines, in which a fence may be.
    """

    tag: re.Pattern[str]
    parses: Callable[[str], bool]
    sounds: Callable[[str], bool]
    is_whole: Callable[[str], bool]
    quotes: tuple[str, ...] = ()


def parse(code: str) -> ast.Module | None:
    """The syntax tree of a program, or `None` if it is not Python.

    Raises:
        RecursionError, MemoryError: it is nested too deeply to parse. Such a program may still run.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about invalid escapes in the model's strings
        try:
            return ast.parse(code)
        except (SyntaxError, ValueError):
            return None


def _tree(code: str) -> ast.Module | None:
    try:
        return parse(code) if len(code) <= LONGEST else None
    except (RecursionError, MemoryError):
        return None


def _is_python(text: str) -> bool:
    tree = _tree(text)
    return tree is not None and any(isinstance(node, ast.Import | ast.ImportFrom | ast.Assign) for node in tree.body)


def _names_the_file(code: str) -> bool:
    return "output.wav" in code


def _is_csound(code: str) -> bool:
    text, at = code.lower().replace("synthesiser>", "synthesizer>"), 0
    for mark in ("<csoundsynthesizer>", "<csinstruments>", "</csinstruments>", "</csoundsynthesizer>"):
        at = text.find(mark, at)
        if at < 0:
            return False
    return True


def _ends(text: str, language: Language) -> bool:
    last = text.rstrip()[-500:].rpartition("\n")[2].lower()
    if language == "csound":
        return last.endswith(("</csoundsynthesizer>", "</csoundsynthesiser>"))
    if language == "faust":
        return last.endswith((";", "*/")) or "//" in last
    return last[-1:].isalnum() or last.endswith((";", "}", ")", "]", "'", '"', "/", "_"))


def _is_balanced(language: Language) -> Callable[[str], bool]:
    return lambda code: len(code) <= LONGEST and balanced(code, language)


def _writes_a_file(code: str) -> bool:
    return "output.wav" in code and _FILES.search(code) is not None


def _has_process(code: str) -> bool:
    return _FAUST.search(code) is not None


def _whole(language: Language, parses: Callable[[str], bool], sounds: Callable[[str], bool]) -> Callable[[str], bool]:
    def is_whole(text: str) -> bool:
        if len(text) > LONGEST or not _BEGINS[language].match(text) or not _ends(text, language):
            return False
        return _FENCE.search(text) is None and sounds(text) and parses(text)

    return is_whole


def _tag(language: Language) -> re.Pattern[str]:
    words = "|".join(sorted(LANGUAGES[language].tags, key=len, reverse=True))
    return re.compile(rf"\W*(?:{words})[\d.]*\b", re.IGNORECASE)


def _grammar(language: Language, parses: Callable[[str], bool], sounds: Callable[[str], bool], *quotes: str) -> Grammar:
    return Grammar(_tag(language), parses, sounds, _whole(language, parses, sounds), quotes)


GRAMMARS: dict[Language, Grammar] = {
    "python": Grammar(
        _tag("python"), lambda code: _tree(code) is not None, _names_the_file, _is_python, ('"""', "'''")
    ),
    "csound": _grammar("csound", _is_csound, _is_csound),
    "javascript": _grammar("javascript", _is_balanced("javascript"), _writes_a_file, "`"),
    "faust": _grammar("faust", _is_balanced("faust"), _has_process),
}
