"""The rows that flow from stage to stage: frozen, typed, and validated once, on reading.

Most rows have a `key`, a digest of everything that determines them; resuming a run means computing
the rows whose keys are missing.
"""

from __future__ import annotations

import enum
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import msgspec

from innerear import markup
from innerear.checks import Check, kind
from innerear.languages import Language, language_of

Tier = Literal["notes", "environment", "speech"]
TIERS: tuple[Tier, ...] = ("notes", "environment", "speech")
Count = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
"""A non-negative integer that any JSON reader can represent: untrusted rows may hold one with thousands of digits."""
Track = Literal["scratch", "library"]
TRACKS: tuple[Track, ...] = ("scratch", "library")
"""What a program may use: the standard library, NumPy and SciPy; or any installed package."""


def digest(*parts: Any) -> str:
    """The first 128 bits of the SHA-256 of the parts as canonical JSON, in hexadecimal.

    Mappings are sorted by key, so equal content has an equal digest.

    >>> digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
    True
    >>> digest("a", "b") == digest("ab")
    False
    """
    return hashlib.sha256(msgspec.json.encode(parts, order="deterministic")).hexdigest()[:32]


class Probe(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A sound to synthesise, and the checks that it must pass."""

    id: str
    tier: Tier
    family: str
    level: int
    caption: str
    details: str
    duration_s: float
    expect: list[Check]

    def _repr_html_(self) -> str:
        checks = [f"{kind(check)}: {msgspec.json.encode(check).decode()}" for check in self.expect]
        about = {"probe": self.id, "tier": f"{self.tier}, {self.family}, level {self.level}", "caption": self.caption,
                 "details": self.details, "duration": f"{self.duration_s:g} s"}  # fmt: skip
        return markup.facts([*about.items(), *(("check", check) for check in checks)])


class Message(msgspec.Struct, frozen=True):
    """One message of a chat with a model."""

    role: Literal["system", "user", "assistant"]
    content: str


class Round(msgspec.Struct, frozen=True, omit_defaults=True):
    """One round of a conversation: the messages, the reply and the result.

    `outcome` and `reason` are those of its program, if the strategy ran it; `heard` is the listener's
    report on its sound.
    """

    messages: list[Message]
    text: str
    finish_reason: str | None = None
    outcome: str = ""
    reason: str = ""
    heard: str = ""


class Remark(enum.StrEnum):
    """How a recording differs from what was asked."""

    ANOTHER_PITCH = "another pitch"
    ANOTHER_TEXT = "another text"
    ANOTHER_COUNT = "another count"


class Completion(msgspec.Struct, frozen=True, omit_defaults=True):
    """A model's answer to one probe.

    `messages` and `text` are those of the chosen round; `rounds` has all rounds of a strategy that
    asks more than once. `recording` replaces `text` if the model plays recordings: the path of a clip
    relative to the data folder. `usd` is the cost of the tokens, `None` if no price is known.
    `retries`: requests that failed before the answers came.
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
    retries: Count = 0

    @property
    def language(self) -> Language:
        """The language of its program: that of the strategy, but baselines answer in Python whatever is asked."""
        return "python" if self.model.startswith(("baseline/", "swap/baseline/")) else language_of(self.strategy)

    @property
    def remark(self) -> Remark | None:
        """How a recording differs from what was asked, if it does: `finish_reason` says so."""
        known = {str(remark): remark for remark in Remark}
        return known.get(self.finish_reason or "") if self.recording is not None else None

    def texts(self) -> list[str]:
        """All texts that the model wrote, in all rounds."""
        return [self.text, *(past.text for past in self.rounds)]


class Program(msgspec.Struct, frozen=True, omit_defaults=True):
    """The code in a completion, or why there is none.

    `recording` replaces `code` if the answer is a recording: a clip in the data folder, of which the
    first `duration_s` seconds are used. For a program, `duration_s` is the requested duration.
    `violation` quotes the line by which the program takes its sound from elsewhere (see `guard`); such
    a program is not run.
    """

    code: str | None
    reason: str = ""
    recording: str | None = None
    duration_s: float | None = None
    violation: str = ""
    language: Language = "python"

    @property
    def digest(self) -> str:
        """The digest of what makes the sound, independent of `reason`."""
        clip_s = None if self.recording is None else self.duration_s
        other = [self.language] if self.code is not None and self.language != "python" else []
        return digest("program", self.code, self.recording, clip_s, *other)


class Outcome(enum.StrEnum):
    """The outcome of running a program. All failures but NOT_RENDERED are the model's."""

    OK = "ok"
    NO_PROGRAM = "no_program"  # nothing to run in the completion
    ERROR = "error"  # an exception, with its traceback in stderr
    EXIT_CODE = "exit_code"  # non-zero exit code, or killed by its own signal
    NO_AUDIO = "no_audio"  # ran without writing output.wav
    BAD_AUDIO = "bad_audio"  # output.wav is not usable audio
    TIMED_OUT = "timed_out"  # wall clock
    CPU_LIMIT = "cpu_limit"
    OUT_OF_MEMORY = "out_of_memory"
    PROVENANCE = "provenance"  # takes its sound from elsewhere; the reason quotes the line
    FORBIDDEN = "forbidden"  # killed for something the jail forbids; the reason says what
    NOT_RENDERED = "not_rendered"  # this machine cannot isolate programs: not a model failure, counted separately


class Limits(msgspec.Struct, frozen=True):
    """Resource limits of a program. A row is flagged if more than four fifths of a limit were used.

    `sound_s` differs between the programs of a run (see `render.longest_s`), so it is in no key.
    """

    cpu_s: float = 180.0
    wall_s: float = 240.0
    memory_bytes: int = 2 << 30  # address space
    file_bytes: int = 64 << 20  # all files together
    log_bytes: int = 256 << 10  # stdout and stderr together
    sound_s: float | msgspec.UnsetType = msgspec.UNSET  # the longest sound; derived from the requested duration


class RawLevels(msgspec.Struct, frozen=True):
    """Levels of the samples as the program wrote them, before scaling and storing.

    `peak` and `dc` are linear; `rms_dbfs` is `None` for digital silence; `clipped` is the share of
    samples at or beyond full scale in runs of three or more.
    """

    peak: float
    rms_dbfs: float | None
    dc: float
    clipped: float


class Render(msgspec.Struct, frozen=True, omit_defaults=True):
    """The result of running one program. `audio` is the digest of the stored sound.

    If the outcome is OK, `reason` says what is wrong with a file that could still be read. `factor` is
    the divisor applied to the samples before storing (1 unless some |x| > 1). `near_limit` names the
    limits of which more than four fifths were used.
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
        """Seconds of sound, or `None` if there is none."""
        return self.samples / self.sample_rate if self.samples and self.sample_rate else None


class Repeat(msgspec.Struct, frozen=True):
    """A second run of a program: `key` is that of its render, `same` whether the output is bit-identical."""

    key: str
    outcome: Outcome
    audio: str | None
    same: bool


@dataclass(frozen=True)
class Signature:
    """How a number was computed: a name, then words and facts, in the order of its text.

    >>> how = Signature.of("fad", emb="yamnet@5a|sr:16000", ref="notes", n="64clips", v=1)
    >>> print(how), print(how.without("n").plus("mean", ci="none")), how.embedder
    fad|emb:yamnet@5a|sr:16000|ref:notes|n:64clips|v:1
    fad|emb:yamnet@5a|sr:16000|ref:notes|v:1|mean|ci:none
    (None, None, 'yamnet')
    """

    parts: tuple[tuple[str, str], ...] = ()  # a fact's name and value; a word has no name

    @classmethod
    def of(cls, *words: str, **facts: object) -> Signature:
        """The name and other words, then facts."""
        return cls().plus(*words, **facts)

    @classmethod
    def parse(cls, text: str) -> Signature:
        """A signature as it is in a score."""
        split = (part.partition(":") for part in text.split("|"))
        return cls(tuple((name, value) if colon else ("", name) for name, colon, value in split))

    def plus(self, *words: str | Signature, **facts: object) -> Signature:
        """This signature with more words, other signatures and facts after it."""
        added = [part for word in words for part in Signature.parse(str(word)).parts]
        return Signature((*self.parts, *added, *((name, str(value)) for name, value in facts.items())))

    def without(self, fact: str) -> Signature:
        """This signature without a fact."""
        return Signature(tuple(part for part in self.parts if part[0] != fact))

    @property
    def embedder(self) -> str:
        """The name of the embedder; empty if there is none."""
        return next((value.partition("@")[0] for name, value in self.parts if name == "emb"), "")

    def __str__(self) -> str:
        return "|".join(f"{name}:{value}" if name else value for name, value in self.parts)


class Status(enum.StrEnum):
    """Whether a metric found something, or why not."""

    MEASURED = "measured"
    NOT_MEASURABLE = "not measurable"
    NO_SOUND = "no sound"
    EXCUSED = "not judged"  # a recording that is not what was asked
    UNAVAILABLE = "not measured here"  # this machine lacks what the metric needs, or the metric failed


class Measurement(msgspec.Struct, frozen=True, omit_defaults=True):
    """One metric of one sound. `value=None` means not measurable; `status` and `reason` say why.

    `subject` is the key of the completion; `passed` is set by checks, and `check` is the index of the
    check in `probe.expect`. Rows of version 0.1.0 have no `check` and no `status`; `metrics.rows_of` adds them.
    """

    key: str
    subject: str
    metric: str
    value: float | None
    passed: bool | None = None
    reason: str = ""
    detail: dict[str, Any] = {}
    check: int | None = None
    status: Status = Status.MEASURED

    @property
    def cause(self) -> str:
        """The reason without the status that it begins with."""
        return self.reason.removeprefix(f"{self.status}: ")


class Scope(str):
    """What a score is over or compared with: parts in code, one text in files.

    `sort` says what `name` is: nothing for `all` of a tier; a `family`, a `level` or a `probe`; `vs`, the model from
    which the score is a difference; or another name: a kind of sound, a listener measure, a metric. `more` has what
    the name leaves open, such as the strategy of that model.

    >>> Scope("family", "chord"), Scope("vs", "a/b", "plan"), Scope("", "notes"), ALL
    ('family:chord', 'vs:a/b, plan', 'notes', 'all')
    >>> Scope.parse("vs:a/b, plan").more
    'plan'
    """

    Sort = Literal["all", "family", "level", "probe", "vs", ""]
    sort: Sort
    name: str
    more: str

    def __new__(cls, sort: Sort, name: str = "", more: str = "") -> Scope:  # noqa: D102
        text = name if sort in ("", "probe") else f"{sort}:{name}" if name else sort
        self = super().__new__(cls, f"{text}, {more}" if more else text)
        self.sort, self.name, self.more = sort, name, more
        return self

    def __getnewargs__(self) -> tuple[Any, ...]:
        return self.sort, self.name, self.more

    @classmethod
    def parse(cls, text: str) -> Scope:
        """A scope as it is in a file."""
        if text == "all":
            return ALL
        sort, _, name = text.partition(":")
        if name and sort in ("family", "level"):
            return cls("family" if sort == "family" else "level", name)
        if "/" in text and sort != "vs":
            return cls("probe", text)
        whole, _, more = (name if name and sort == "vs" else text).partition(", ")
        return cls("vs" if name and sort == "vs" else "", whole, more)


ALL = Scope("all")
Better = Literal["higher", "lower", "neither"]


class Score(msgspec.Struct, frozen=True, omit_defaults=True):
    """A metric over a group, with 95 % interval, floor and ceiling.

    `n` counts the measured sounds or checks, `missing` those that could not be measured; `signature`
    identifies how the value was computed. `better` is the direction of improvement.
    """

    metric: str
    model: str
    strategy: str
    tier: str
    value: float | None
    n: int
    missing: int
    signature: str
    group: Scope = ALL
    unit: str = ""
    better: Better = "neither"
    low: float | None = None
    high: float | None = None
    floor: dict[str, float | None] = {}  # by the name of the baseline, such as "noise"
    ceiling: dict[str, float | None] = {}  # such as "real"
    note: str = ""
    detail: dict[str, Any] = {}

    @property
    def embedder(self) -> str:
        """The name of the embedder in its signature; empty if there is none."""
        return Signature.parse(self.signature).embedder

    @property
    def language(self) -> Language:
        """The language that its strategy asks for."""
        return language_of(self.strategy)


class Item(msgspec.Struct, frozen=True):
    """A completion joined with its probe, program and render, and its measurements once they are paired with it."""

    probe: Probe
    completion: Completion
    program: Program
    render: Render
    measurements: list[Measurement] = []

    @property
    def checked(self) -> list[tuple[Check, Measurement]]:
        """The checks that were measured, each with its measurement."""
        return checked(self.probe, self.measurements)


def checked(probe: Probe, rows: Iterable[Measurement]) -> list[tuple[Check, Measurement]]:
    """The rows of a sound that are of its checks, each with its check."""
    return [(probe.expect[row.check], row) for row in rows if row.check is not None]
