"""What `render` knows of a jail: run a program, get what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from innerear.clip import Clip
from innerear.records import Limits, Outcome


@dataclass(frozen=True)
class Ran:
    """What came of one program.

    `clip` holds the raw samples exactly as the program wrote them (any sample rate and channel
    count that passed the host's validation), only where the outcome is OK. `log` is what it
    printed, stdout and stderr together in order, and its traceback; decoded with replacement,
    control characters removed, cut at the limit.
    """

    outcome: Outcome
    reason: str = ""
    log: str = ""
    exit_code: int | None = None
    wall_s: float = 0.0
    cpu_s: float = 0.0
    memory_bytes: int | None = None
    clip: Clip | None = None


class Jail(Protocol):
    """One worker's jail: runs one program at a time; not shared between threads."""

    facts: dict[str, Any]  # tier, kernel, Landlock ABI, versions: stands in every render's row

    def run(self, code: str, limits: Limits, seed: int = 0, audited: bool = True) -> Ran:
        """Run one program to its end, watched for what the jail's track does not allow.

        `audited=False` watches nothing: for attacks of our own, which show what the jail itself holds.

        Raises:
            JailFailure: the jail itself failed, also in a fresh one.
        """
        ...

    def close(self) -> None:
        """End all of its processes; harmless to call twice."""
        ...
