"""Messages between the host and a container: length-prefixed msgpack."""

from __future__ import annotations

import msgspec

from innerear.records import Limits, Outcome


class Ask(msgspec.Struct, frozen=True):
    """From the host: a program to run."""

    code: bytes
    limits: Limits
    seed: int
    audited: bool = True


class Answer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """From the container: the program's result, or in `failure` an error of InnerEar itself."""

    outcome: Outcome = Outcome.NOT_RENDERED
    reason: str = ""
    log: str = ""
    exit_code: int | None = None
    wall_s: float = 0.0
    cpu_s: float = 0.0
    memory_bytes: int | None = None
    sample_rate: int = 0
    channels: int = 0
    samples: bytes = b""  # float32, little-endian, interleaved
    failure: str = ""
