"""Remove secrets and local paths from text before it is shared.

Matches the values of environment variables with key-like names, strings in the format of well-known
API keys, and the paths of home folders, the working directory, this Python, and the folders that
InnerEar's environment variables name.
"""

from __future__ import annotations

import os
import re
import shlex
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

SECRET = "<secret>"
SHORTEST = 12  # characters; shorter values of key-like variables are not treated as secrets
NAMED_LIKE_KEYS = re.compile(
    r"(?i)(?:^|_)(?:api_?key|key|token|secret|passw(?:or)?d|auth(?:orization)?|credentials?|cookie)$"
)
SHAPES = re.compile(
    r"(?<![A-Za-z0-9_-])(?:sk-[\w-]{20,}|hf_[A-Za-z0-9]{30,}|gh[pousr]_[A-Za-z0-9]{36,}|github_pat_\w{40,}"
    r"|xox[abprs]-[\w-]{10,}|AKIA[0-9A-Z]{16}|AIza[\w-]{35}|gsk_\w{40,}|r8_\w{37,}|glpat-[\w-]{20,}"
    r"|eyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]{10,}|Bearer\s+[\w.~+/=-]{20,})"
)
HOMES = re.compile(
    r"(?<![\w.])(?:/home/|/Users/|[A-Za-z]:(?:\\{1,2}|/)Users(?:\\{1,2}|/))[^/\\\s\"':;,]+|(?<![\w./])/root(?=/)"
)
FOLDERS = ("INNEREAR_DATA", "INNEREAR_MODELS", "INNEREAR_REFERENCES", "INNEREAR_CACHE", "INNEREAR_PRICES")
STANDARD = {"/", "/usr", "/usr/local", "/tmp", "/var", "/opt", "/etc"}


class Scrub:
    """Removes secrets and local paths from text; `folders` maps further paths to their placeholders."""

    def __init__(self, folders: Mapping[str, str] | None = None, environment: Mapping[str, str] = os.environ) -> None:
        named = {environment[name]: f"<{name}>" for name in FOLDERS if environment.get(name)}
        own = {str(Path.cwd()): ".", sys.prefix: "<python>", sys.base_prefix: "<python>", str(Path.home()): "~"}
        roots = {**own, **named, **(folders or {})}
        self._roots = {root: name for root, name in roots.items() if root.startswith("/") and root not in STANDARD}
        self._secrets = sorted(_secrets(environment), key=len, reverse=True)

    def text(self, text: str) -> str:
        """The text with placeholders for secrets and paths."""
        text = SHAPES.sub(SECRET, self.secrets(text))
        text = re.sub(r"\brecorded//(?:[^/\s\"]+/)*", "recorded/", text)  # a model name that is a path
        for root in sorted(self._roots, key=len, reverse=True):
            text = re.sub(rf"{re.escape(root)}(?![\w.-])", lambda _: self._roots[root], text)  # noqa: B023
        return HOMES.sub("~", text)

    def secrets(self, text: str) -> str:
        """The text without the values of this environment's keys."""
        for secret in self._secrets:
            text = text.replace(secret, SECRET)
        return text

    def url(self, url: str) -> str:
        """A URL without user, password, query and fragment."""
        parts = urlsplit(url)
        host = parts.netloc.rpartition("@")[2]
        return self.text(urlunsplit((parts.scheme, host, parts.path, "", "")))

    def command(self, words: str) -> str:
        """A command line without secrets; absolute paths are cut to their last component."""
        try:
            split = shlex.split(words)
        except ValueError:
            split = words.split()
        return shlex.join(self._word(word) for word in split)

    def _word(self, word: str) -> str:
        name, equals, _ = word.partition("=")
        if equals and NAMED_LIKE_KEYS.search(name.replace("-", "_")):
            return f"{name}={SECRET}"
        if "://" in word:
            before, _, rest = word.partition("http")
            return before + self.url(f"http{rest}")
        return self.text(re.sub(r"(^|[=:]|recorded/)/(?:[^/=]+/)*([^/=]*)$", r"\1\2", word))


def _secrets(environment: Mapping[str, str]) -> Iterable[str]:
    return {
        value.strip()
        for name, value in environment.items()
        if NAMED_LIKE_KEYS.search(name) and len(value.strip()) >= SHORTEST
    }
