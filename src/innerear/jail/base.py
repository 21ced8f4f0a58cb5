"""The jail's interface: run a program, get its result."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from innerear.clip import Clip
from innerear.records import Limits, Outcome


@dataclass(frozen=True)
class JailResult:
    """The result of running one program.

    `clip` has the raw samples as the program wrote them, at any sample rate and channel count that passed the host's
    validation; only if the outcome is OK. `log` is its stdout and stderr, interleaved, with its traceback: decoded
    with replacement, without control characters, cut at the limit.
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

    facts: dict[str, Any]  # tier, kernel, Landlock ABI, versions: stored in the row of every render

    def run(self, code: str, limits: Limits, seed: int = 0, audited: bool = True) -> JailResult:
        """Run one program to its end, audited for what the jail's track does not allow.

        `audited=False` turns auditing off: for the self-test's attacks, which show what the jail alone stops.

        Raises:
            JailFailure: the jail itself failed, and failed again when restarted.
        """
        ...

    def close(self) -> None:
        """Stop all of its processes. May be called twice."""
        ...
