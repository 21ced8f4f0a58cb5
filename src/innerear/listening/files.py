"""The three files of a listening test: what the page knows, what only you know, what a listener sends back."""

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
"""The five points of each scale of `rate`, 1 to 5: the categories of ITU-T P.800, worded for what is asked."""

Name = Annotated[str, msgspec.Meta(max_length=64)]
Text = Annotated[str, msgspec.Meta(max_length=2000)]
Milliseconds = Annotated[int, msgspec.Meta(ge=0, le=10**9)]
Plays = Annotated[int, msgspec.Meta(ge=0, le=10**6)]


class Trial(msgspec.Struct, frozen=True, omit_defaults=True):
    """One question: one sound, or two to choose between.

    `caption` is what the sounds are held against (`ab`, `rate`); `options` are the captions to
    choose from (`identify`), after which "none of these" stands.
    """

    id: str
    clips: list[str]
    caption: str = ""
    options: list[str] = []


class Shown(msgspec.Struct, frozen=True, omit_defaults=True):
    """A trial as one listener meets it; `swapped`: its second sound comes first."""

    trial: str
    swapped: bool = False


class Test(msgspec.Struct, frozen=True, kw_only=True):
    """All that the page knows. `test` is the digest of the rest.

    `forms[n - 1]` (around again after the last) is what listener n is asked, in this order.
    `clips` has the milliseconds of each sound; `headphones` the sounds of the headphone check.
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
        """What a listener is asked; they count from 1."""
        return self.forms[(listener - 1) % len(self.forms)]


class KeyClip(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a sound of the page is. `run` is its place among the runs, `gain_db` what was done to it.

    `short_db` is how much of the gain its peaks left no room for.
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
    """What a trial is. `right` is the place of the right option, or of the right sound of an anchor."""

    probe: str
    right: int | None = None
    anchor: bool = False


class Unheard(msgspec.Struct, frozen=True):
    """A completion that no listener hears, and why: it gave no sound, or silence."""

    model: str
    strategy: str
    probe: str
    tier: str
    family: str
    reason: str


class RunPlace(msgspec.Struct, frozen=True):
    """A run that sounds were taken from."""

    name: str
    folder: str


class Key(msgspec.Struct, frozen=True, kw_only=True):
    """What only the experimenter knows. Whoever has it can tell which sound is whose."""

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
    """Which of three noises (1 to 3) had a tone in it."""

    clip: Name
    choice: Annotated[int, msgspec.Meta(ge=1, le=3)]
    plays: Plays


class Answer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A listener's answer to one trial.

    `choice` is the place of the option (`identify`; past the last: none of these) or of the sound
    (`ab`) as the trial lists them, however they were shown. `plays`, `heard_ms`: for each sound, how
    often it was started, and how much of it was heard.
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
    """What a listener sends back. `complete` is false where they stopped before the end."""

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
    """SHA-256 over an answers file without its checksum, written as JavaScript's `JSON.stringify` writes it.

    It finds damage and careless edits. It is no proof against a listener who means to deceive:
    whatever the page can compute, they can.

    >>> checksum({"a": [1, "ü"]})[:8]
    'ed78539d'
    """
    bare = {name: value for name, value in content.items() if name != "checksum"}
    text = json.dumps(bare, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def read_key(path: Path) -> Key:
    """Read the key of a test.

    Raises:
        UsageError: it is missing, or is no key of this version.
    """
    try:
        return from_json(path.read_bytes(), Key)
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror}); wanted the .key.json that build wrote") from error
    except ValueError as error:
        raise UsageError(f"{path} is no key of a listening test: {error}") from error
