"""Listening tests: what do people hear, and do the metrics agree with them?

    runs ─ build ─▶ a page for listeners, and a key for you ─ people ─▶ answers ─ score, validate ─▶ scores, report

The page has opaque names for the sounds; only the key tells which model made them.
"""

from __future__ import annotations

from innerear.listening.answers import Refused, read_answers
from innerear.listening.build import Wanted, build
from innerear.listening.files import Answers, Key, Test, read_key
from innerear.listening.results import Results
from innerear.listening.score import score_answers
from innerear.listening.validate import validate
from innerear.report.validations import Validation

__all__ = [
    "Answers",
    "Key",
    "Refused",
    "Results",
    "Test",
    "Validation",
    "Wanted",
    "build",
    "read_answers",
    "read_key",
    "score_answers",
    "validate",
]
