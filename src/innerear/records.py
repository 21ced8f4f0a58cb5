"""The rows that flow from stage to stage: frozen, typed, checked once where they enter.

Every row but `Probe` carries a `key`, the digest of all that decides it; going on with a run is
the question "which keys are missing".
"""

from __future__ import annotations

import enum
import hashlib
import re
from typing import Annotated, Any, Literal

import msgspec

from innerear.checks import Check

Tier = Literal["notes", "environment", "speech"]
TIERS: tuple[Tier, ...] = ("notes", "environment", "speech")
Count = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
"""An integer that is a number to every reader: a row from elsewhere may hold one of thousands of digits."""
Track = Literal["scratch", "library"]
TRACKS: tuple[Track, ...] = ("scratch", "library")
"""What a program may use: Python's own library with NumPy and SciPy, or anything that is installed."""


def digest(*parts: Any) -> str:
    """The first 128 bits of a SHA-256 over the canonical JSON of the parts, in hexadecimal.

    Mappings are ordered by key, so equal content gives an equal digest.

    >>> digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
    True
    >>> digest("a", "b") == digest("ab")
    False
    """
    return hashlib.sha256(msgspec.json.encode(parts, order="deterministic")).hexdigest()[:32]


class Probe(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One thing to be heard, and the checks that its sound must pass."""

    id: str
    tier: Tier
    family: str
    level: int
    caption: str
    details: str
    duration_s: float
    expect: list[Check]


class Message(msgspec.Struct, frozen=True):
    """One message to or from a model, in the words of the chat protocol."""

    role: Literal["system", "user", "assistant"]
    content: str


class Round(msgspec.Struct, frozen=True, omit_defaults=True):
    """One round of a conversation: what was sent, what was answered, and what came of it.

    `outcome` and `reason` are those of its program where the strategy ran it; `heard` is what the
    listener said of its sound.
    """

    messages: list[Message]
    text: str
    finish_reason: str | None = None
    outcome: str = ""
    reason: str = ""
    heard: str = ""


class Completion(msgspec.Struct, frozen=True, omit_defaults=True):
    """A model's answer to one probe.

    `messages` and `text` are those of the round that was taken; `rounds` has every round of a
    strategy that asks more than once. `recording` is set instead of `text` for a model that is no
    model but real sound: the path of a clip in the data folder, relative to it. `usd` is what the
    tokens cost, `None` where no price is known.
    """

    key: str
    probe: str
    model: str
    strategy: str
    attempt: Count
    messages: list[Message]
    text: str
    finish_reason: str | None = None
    usage: dict[str, int] | None = None
    seconds: float | None = None
    recording: str | None = None
    rounds: list[Round] = []
    usd: float | None = None

    def texts(self) -> list[str]:
        """All that the model wrote, of every round."""
        return [self.text, *(held.text for held in self.rounds)]


class Program(msgspec.Struct, frozen=True):
    """The code in a completion, or why there is none.

    `recording` stands instead of code where the answer is real sound: a clip in the data folder,
    of which the first `duration_s` seconds are taken. Of a program, `duration_s` says how long a
    sound it was asked for. `violation` says by which line the program takes its sound from elsewhere
    (see `guard`): it is not run.
    """

    code: str | None
    reason: str = ""
    recording: str | None = None
    duration_s: float | None = None
    violation: str = ""

    @property
    def digest(self) -> str:
        """The digest of what makes the sound, whatever the reason says."""
        taken_s = None if self.recording is None else self.duration_s
        return digest("program", self.code, self.recording, taken_s)


class Outcome(enum.StrEnum):
    """What running a program gave. All but OK are the model's doing, except NOT_RENDERED."""

    OK = "ok"
    NO_PROGRAM = "no_program"  # nothing to run in the completion
    ERROR = "error"  # an exception, with its traceback in stderr
    EXIT_CODE = "exit_code"  # left with an exit code other than 0, or killed by its own signal
    NO_AUDIO = "no_audio"  # ran, and left no output.wav
    BAD_AUDIO = "bad_audio"  # left one that is no usable audio
    TIMED_OUT = "timed_out"  # wall clock
    CPU_LIMIT = "cpu_limit"
    OUT_OF_MEMORY = "out_of_memory"
    PROVENANCE = "provenance"  # takes its sound from elsewhere; the reason shows the line
    FORBIDDEN = "forbidden"  # ended by something that the jail forbids; the reason says what
    NOT_RENDERED = "not_rendered"  # this machine cannot isolate programs: ours, and counted apart


class Limits(msgspec.Struct, frozen=True):
    """What a program may use. An outcome within a fifth of a limit is flagged in its row.

    `sound_s` differs between the programs of a run (see `render.longest_s`), so it is in no key.
    """

    cpu_s: float = 180.0
    wall_s: float = 240.0
    memory_bytes: int = 2 << 30  # address space
    file_bytes: int = 64 << 20  # all that it writes
    log_bytes: int = 256 << 10  # stdout and stderr together
    sound_s: float | msgspec.UnsetType = msgspec.UNSET  # the longest sound; follows from what was asked


class RawLevels(msgspec.Struct, frozen=True):
    """Measured on the samples as the program gave them, before anything is stored.

    `peak` and `dc` are linear; `rms_dbfs` is `None` for digital silence; `clipped` is the share
    of samples at or beyond full scale that stand in runs of three or more.
    """

    peak: float
    rms_dbfs: float | None
    dc: float
    clipped: float


class Render(msgspec.Struct, frozen=True, omit_defaults=True):
    """What running one program gave. `audio` is the digest of the stored sound.

    With the outcome OK, `reason` says what is wrong with a file whose sound could be read.
    `factor` is what the samples were divided by before they were stored (1 unless some |x| > 1).
    `near_limit` names the limits of which more than four fifths were used.
    """

    key: str
    program: str
    outcome: Outcome
    reason: str = ""
    log: str = ""
    exit_code: int | None = None
    wall_s: float | None = None
    cpu_s: float | None = None
    memory_bytes: Count | None = None
    near_limit: list[str] = []
    audio: str | None = None
    sample_rate: Count | None = None
    channels: Count | None = None
    samples: Count | None = None
    factor: float = 1.0
    levels: RawLevels | None = None
    jail: dict[str, Any] = {}

    @property
    def duration_s(self) -> float | None:
        """Seconds of sound, or `None` where there is none."""
        return self.samples / self.sample_rate if self.samples and self.sample_rate else None


class Repeat(msgspec.Struct, frozen=True):
    """A second run of a program: `key` is that of its render, `same` whether it gave the same bits."""

    key: str
    outcome: Outcome
    audio: str | None
    same: bool


class Measurement(msgspec.Struct, frozen=True, omit_defaults=True):
    """One metric on one sound. `value=None` means not measurable, and `reason` says why.

    `subject` is the key of the completion; `passed` is set by metrics that judge.
    """

    key: str
    subject: str
    metric: str
    value: float | None
    passed: bool | None = None
    reason: str = ""
    detail: dict[str, Any] = {}


class Score(msgspec.Struct, frozen=True, omit_defaults=True):
    """A metric over a group, with its 95 % interval, its floor and its ceiling.

    `n` counts what was measured, `missing` what was asked for and not measurable; `signature`
    says how the number was got. `better` is the direction in which it improves.
    """

    metric: str
    model: str
    strategy: str
    tier: str
    value: float | None
    n: int
    missing: int
    signature: str
    group: str = "all"  # a family, a group of families, or all of the tier
    unit: str = ""
    better: Literal["higher", "lower", "neither"] = "neither"
    low: float | None = None
    high: float | None = None
    floor: dict[str, float | None] = {}  # by the name of the baseline, such as "noise"
    ceiling: dict[str, float | None] = {}  # such as "real"
    note: str = ""
    detail: dict[str, Any] = {}


def embedder_of(signature: str) -> str:
    """The name of the embedder in a score's signature, or nothing.

    >>> embedder_of("fad|emb:yamnet@5a|ref:notes|v:1"), embedder_of("audio|v:1")
    ('yamnet', '')
    """
    found = re.search(r"(?:^|\|)emb:([^|@:]*)", signature)
    return found[1] if found else ""


class Item(msgspec.Struct, frozen=True):
    """One completion and what came of it, joined."""

    probe: Probe
    completion: Completion
    program: Program
    render: Render
