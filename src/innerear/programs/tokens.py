"""Tokens of programs in Csound, Faust and JavaScript: words, strings and marks with their lines, without comments.

Enough to tell code from comments and strings; it is not a parser. If JavaScript leaves open whether a slash divides
or begins a regular expression, the words in it are given as well, so that nothing hides there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from innerear.languages import Language

Kind = Literal["word", "string", "number", "mark"]


@dataclass(frozen=True)
class Token:
    """A token, and the line on which it begins, counted from 1. `text` of a string is what is between its quotes."""

    kind: Kind
    text: str
    line: int


_SPACE = r"(?P<space>\s+)"
_NUMBER = r"(?P<number>0[xX][\da-fA-F_]+|(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][-+]?\d+)?n?)"
_WORD = r"(?P<word>[^\W\d]\w*)"
_REST = r"(?P<mark>.)"
_SLASHED = r"(?P<comment>//[^\n\u2028\u2029]*|/\*(?s:.*?)(?:\*/|\Z))"
_QUOTED = r'(?P<string>"(?:\\.|[^"\\\n])*"?)'
_SCANNERS: dict[Language, re.Pattern[str]] = {
    "csound": re.compile(
        "|".join(
            (
                _SPACE,
                r"(?P<comment>;[^\n]*|//[^\n]*|/\*(?s:.*?)(?:\*/|\Z))",
                r'(?P<string>\{\{(?s:.*?)(?:\}\}|\Z)|"(?:\\.|[^"\\\n])*"?)',
                _NUMBER,
                r"(?P<word>[#$]?[^\W\d]\w*)",
                _REST,
            )
        )
    ),
    "faust": re.compile("|".join((_SPACE, _SLASHED, _QUOTED, _NUMBER, _WORD, _REST))),
    "javascript": re.compile(
        "|".join(
            (
                _SPACE,
                _SLASHED,
                r"""(?P<string>"(?:\\(?s:.)|[^"\\\n])*"?|'(?:\\(?s:.)|[^'\\\n])*'?)""",
                _NUMBER,
                r"(?P<word>#?(?:[^\W\d]|[$]|\\u\{?[\da-fA-F]+\}?)(?:[\w$]|\\u\{?[\da-fA-F]+\}?)*)",
                _REST,
            )
        )
    ),
}
_TEMPLATE = re.compile(r"(?P<text>(?:\\(?s:.)|\\\Z|\$(?!\{)|[^`\\$])*+)(?P<end>`|\$\{|\Z)")
_REGEX = re.compile(r"/(?![/*])(?:\\.|\[(?:\\.|[^\]\\\n]){0,60}+\]|[^/\\\[\n]){1,60}+/\w*")
_BEFORE_REGEX = {"return", "typeof", "case", "in", "of", "delete", "void", "throw", "new", "else", "do", "await"}
_ESCAPED = re.compile(r"\\(?:u\{([\da-fA-F]{1,6})\}|u([\da-fA-F]{4})|x([\da-fA-F]{2})|\n|([^ux0-9]))")
_QUOTES = {"csound": '"', "faust": '"', "javascript": "\"'`"}
"""Marks that are tokens only if their string is not closed."""
_PAIRS = {")": "(", "]": "[", "}": "{"}


def tokens(code: str, language: Language) -> list[Token]:
    """The tokens of a program in any language but Python.

    >>> [token.text for token in tokens('x = "a // b" // c', "javascript")]
    ['x', '=', 'a // b']
    """
    return list(_scanned(code, language))


def without_comments(code: str, language: Language) -> str:
    """A program in Csound or Faust without its comments, on the same lines.

    >>> without_comments('out "a;b" ; loud', "csound")
    'out "a;b" '
    """

    def kept(found: re.Match[str]) -> str:
        return "\n" * found[0].count("\n") if found.lastgroup == "comment" else found[0]

    return _SCANNERS[language].sub(kept, code)


def balanced(code: str, language: Language) -> bool:
    """Whether all brackets and strings of a program are closed.

    >>> balanced("f(1, [2])", "javascript"), balanced("f(1, [2)", "javascript")
    (True, False)
    """
    opened: list[str] = []
    for token in _scanned(code, language):
        if token.kind != "mark":
            continue
        if token.text in "([{":
            opened.append(token.text)
        elif token.text in _QUOTES.get(language, "") or (
            token.text in _PAIRS and (not opened or opened.pop() != _PAIRS[token.text])
        ):
            return False
    return not opened


def _scanned(code: str, language: Language) -> Iterator[Token]:
    scanner = _SCANNERS[language]
    position, line = 0, 1
    braces: list[int] = []  # for each open `${` of JavaScript: how many braces are open in it
    last = Token("mark", ";", 1)
    while position < len(code):
        if language == "javascript":
            mark = code[position]
            if mark == "`" or (mark == "}" and braces and braces[-1] == 0):
                if mark == "}":
                    braces.pop()
                found = _TEMPLATE.match(code, position + 1)
                assert found is not None
                last = Token("string", _plain(found["text"]), line)
                yield last
                if found["end"] == "${":
                    braces.append(0)
                elif not found["end"]:
                    yield Token("mark", "`", line)
                line += code.count("\n", position, found.end())
                position = found.end()
                continue
            if mark == "/" and _is_operand_wanted(last) and (regex := _REGEX.match(code, position)):
                for word in re.findall(r"[^\W\d][\w$]*", regex[0]):
                    yield Token("word", word, line)
                last = Token("string", regex[0], line)
                yield last
                position = regex.end()
                continue
        match = scanner.match(code, position)
        assert match is not None  # any character is a mark
        kind, text = match.lastgroup or "mark", match[0]
        if kind == "mark" and braces:
            braces[-1] += (text == "{") - (text == "}")
        if kind in ("word", "number", "mark"):
            last = Token(kind, _plain(text) if kind == "word" else text, line)  # type: ignore[arg-type]
            yield last
        elif kind == "string":
            inner, is_closed = _unquoted(text)
            last = Token("string", _plain(inner) if language == "javascript" else inner, line)
            yield last
            if not is_closed:
                yield Token("mark", text[0] if text[0] != "{" else '"', line)
        line += text.count("\n")
        position = match.end()


def _is_operand_wanted(last: Token) -> bool:
    """Whether a slash after this token begins a regular expression."""
    if last.kind == "word":
        return last.text in _BEFORE_REGEX
    return last.kind == "mark" and last.text not in ")]}"


def _unquoted(text: str) -> tuple[str, bool]:
    if text.startswith("{{"):
        return text[2:].removesuffix("}}"), text.endswith("}}") and len(text) > 3
    closed = len(text) > 1 and text[-1] == text[0]
    return (text[1:-1] if closed else text[1:]), closed


def _plain(text: str) -> str:
    """A string or word of JavaScript with its escapes resolved."""
    if "\\" not in text:
        return text

    def resolved(match: re.Match[str]) -> str:
        number = match[1] or match[2] or match[3]
        if number is None:
            return match[4] or ""
        return chr(code) if (code := int(number, 16)) < 0x110000 else ""

    return _ESCAPED.sub(resolved, text)
