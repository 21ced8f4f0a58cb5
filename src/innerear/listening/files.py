"""The three files of a listening test: the test (read by the page), the key (kept by you), a listener's answers."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from innerear.errors import UsageError
from innerear.records import Probe
from innerear.report.validations import Kind
from innerear.run.parts import from_json

KINDS: tuple[Kind, ...] = ("identify", "ab", "rate")
Anchor = Literal["", "real", "noise"]

SCALES = {
    "fit": ("Not at all", "A little", "Partly", "Mostly", "Completely"),
    "natural": ("Clearly artificial", "Rather artificial", "In between", "Rather natural", "Like a real recording"),
}
"""Labels of the two five-point scales of `rate`, 1 to 5: category scales as in ITU-T P.800, with our own wording."""

Name = Annotated[str, msgspec.Meta(max_length=64)]
Text = Annotated[str, msgspec.Meta(max_length=2000)]
Milliseconds = Annotated[int, msgspec.Meta(ge=0, le=10**9)]
Plays = Annotated[int, msgspec.Meta(ge=0, le=10**6)]


class Trial(msgspec.Struct, frozen=True, omit_defaults=True):
    """One question: one sound, or two to choose between.

    `caption`: what the sounds are compared with (`ab`, `rate`). `options`: the captions to choose from
    (`identify`); "none of these" follows them.
    """

    id: str
    clips: list[str]
    caption: str = ""
    options: list[str] = []


class Shown(msgspec.Struct, frozen=True, omit_defaults=True):
    """A trial as presented to one listener; `swapped`: its second sound comes first."""

    trial: str
    swapped: bool = False


class Test(msgspec.Struct, frozen=True, kw_only=True):
    """Everything the page knows. `test` is the digest of the other fields.

    `forms[n - 1]`, modulo the number of forms, is the sequence of trials for listener n. `clips`: the
    duration of each sound in ms. `headphones`: the sounds of the headphone check.
    """

    test: str = ""
    title: str
    kind: Kind
    free_text: bool = False
    welcome: str = ""
    least_s: float
    clips: dict[str, int]
    trials: list[Trial]
    forms: list[list[Shown]]
    headphones: list[str]
    level: str  # the sound by which listeners set their volume
    scales: dict[str, list[str]]
    credits: list[str] = []

    def form(self, listener: int) -> list[Shown]:
        """The trials of a listener, numbered from 1."""
        return self.forms[(listener - 1) % len(self.forms)]


class KeyClip(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where a sound of the page comes from.

    `run`: index into the runs of the key. `gain_db`: the gain applied. `short_db`: how far the sound
    stays below the target loudness because of its peaks.
    """

    probe: str
    tier: str
    family: str
    model: str
    strategy: str = ""
    run: int | None = None
    completion: str = ""
    audio: str = ""
    anchor: Anchor = ""
    source: str = ""
    gain_db: float = 0.0
    short_db: float = 0.0


class KeyTrial(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a trial is about. `right`: index of the right option, or of the right sound of an anchor."""

    probe: str
    right: int | None = None
    anchor: bool = False


class Unheard(msgspec.Struct, frozen=True):
    """A completion that is not played to listeners, and why: no sound, or silence."""

    model: str
    strategy: str
    probe: str
    tier: str
    family: str
    reason: str


class RunPlace(msgspec.Struct, frozen=True):
    """A run that sounds come from."""

    name: str
    folder: str


class Key(msgspec.Struct, frozen=True, kw_only=True):
    """The experimenter's key. It tells which sound comes from which model."""

    innerear: Literal["innerear listening key 1"] = "innerear listening key 1"
    created: str
    seed: int
    versions: dict[str, str]
    runs: list[RunPlace]
    probes: list[Probe]
    test: Test
    clips: dict[str, KeyClip]
    trials: dict[str, KeyTrial]
    headphones: dict[str, int]
    unheard: list[Unheard]


class HeadphoneAnswer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A listener's answer to a headphone check: which of three noises (1 to 3) contained the tone."""

    clip: Name
    choice: Annotated[int, msgspec.Meta(ge=1, le=3)]
    plays: Plays


class Answer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A listener's answer to one trial.

    `choice`: index of the option (`identify`; one past the last is "none of these") or of the sound
    (`ab`), in the trial's order, not the presented order. `plays`, `heard_ms`: for each sound, how often
    it was started and how much of it was played.
    """

    trial: Name
    plays: Annotated[list[Plays], msgspec.Meta(min_length=1, max_length=2)]
    heard_ms: Annotated[list[Milliseconds], msgspec.Meta(min_length=1, max_length=2)]
    ms: Milliseconds
    choice: Annotated[int, msgspec.Meta(ge=0, le=99)] | None = None
    text: Text | None = None
    fit: Annotated[int, msgspec.Meta(ge=1, le=5)] | None = None
    natural: Annotated[int, msgspec.Meta(ge=1, le=5)] | None = None


class Answers(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a listener sends back. `complete` is false if they stopped before the end."""

    innerear: Literal["innerear listening answers 1"]
    test: Name
    session: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{16,64}$")]
    listener: Annotated[int, msgspec.Meta(ge=1, le=10**6)]
    started: Name
    finished: Name
    complete: bool
    headphones: list[HeadphoneAnswer]
    answers: list[Answer]
    comment: Text
    checksum: Name


def checksum(content: dict[str, Any]) -> str:
    """SHA-256 of an answers file without its checksum, serialised as by JavaScript's `JSON.stringify`.

    It detects damage and careless edits, not deliberate forgery: a listener can compute whatever the
    page can.

    >>> checksum({"a": [1, "ü"]})[:8]
    'ed78539d'
    """
    bare = {name: value for name, value in content.items() if name != "checksum"}
    text = json.dumps(bare, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def read_key(path: Path) -> Key:
    """Read the key of a test.

    Raises:
        UsageError: it is missing, or is not a key of this version.
    """
    try:
        return from_json(path.read_bytes(), Key)
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror}); give the .key.json that build wrote") from error
    except ValueError as error:
        raise UsageError(f"{path} is not the key of a listening test: {error}") from error
