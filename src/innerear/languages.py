"""The languages that programs are written in.

The language is part of a strategy's full name, after an `@`: `direct@csound`, `repair:2@javascript`. A strategy
without one asks for Python.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import Literal

from innerear.errors import UsageError

Language = Literal["python", "csound", "faust", "javascript"]


@dataclass(frozen=True)
class LanguageSpec:
    """A language: its name in prose, its program's file, the tags of its code blocks, and what runs it.

    `tools` are the executables that compile and run a program, in that order; `install` is the command that gets them.
    """

    title: str
    file: str
    tags: tuple[str, ...]
    tools: tuple[str, ...] = ()
    install: str = ""


LANGUAGES: dict[Language, LanguageSpec] = {
    "python": LanguageSpec("Python", "program.py", ("python", "py")),
    "csound": LanguageSpec("Csound", "program.csd", ("csound", "csd", "orc"), ("csound",), "apt-get install csound"),
    "faust": LanguageSpec("Faust", "program.dsp", ("faust", "dsp"), ("faust", "node"), "apt-get install faust nodejs"),
    "javascript": LanguageSpec(
        "JavaScript", "program.js", ("javascript", "js", "node"), ("node",), "apt-get install nodejs"
    ),
}


def language_of(strategy: str) -> Language:
    """The language that a strategy asks for, by its full name.

    >>> language_of("repair:2@csound"), language_of("direct")
    ('csound', 'python')
    """
    _, at, name = strategy.rpartition("@")
    return next((known for known in LANGUAGES if at and known == name), "python")


def bare(strategy: str) -> str:
    """A strategy's name without its language.

    >>> bare("repair:2@csound"), bare("direct")
    ('repair:2', 'direct')
    """
    name, at, _ = strategy.rpartition("@")
    return name if at else strategy


def full_name(strategy: str, language: Language) -> str:
    """The full name of a strategy in a language, which is not named if it is Python.

    >>> full_name("direct", "csound"), full_name("direct", "python")
    ('direct@csound', 'direct')
    """
    return strategy if language == "python" else f"{strategy}@{language}"


def find_language(name: str) -> Language:
    """A language by its name or the tag of its code blocks.

    >>> find_language("Csound"), find_language("js")
    ('csound', 'javascript')

    Raises:
        UsageError: the language is unknown.
    """
    for language, spec in LANGUAGES.items():
        if name.lower() == language or name.lower() in spec.tags:
            return language
    near = difflib.get_close_matches(name.lower(), LANGUAGES, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    raise UsageError(f"no language {name!r}; there are {', '.join(LANGUAGES)}{hint}")
