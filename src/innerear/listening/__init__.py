"""The listening kit: what do people hear, and do the metrics agree with them?

    runs ─ build ─▶ a page for listeners, and a key for you ─ people ─▶ answers ─ score, validate ─▶ scores, report

The page knows sounds by names that say nothing; which is whose stands in the key alone.
"""

from __future__ import annotations

from innerear.listening.build import Wanted, build
from innerear.listening.files import Answers, Key, Test, read_key

__all__ = ["Answers", "Key", "Test", "Wanted", "build", "read_key"]
