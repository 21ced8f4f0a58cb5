"""A distance with all that it takes to read it: of how much, to what, heard by which embedder."""

from __future__ import annotations

from typing import Literal

import msgspec

FEW_CLIPS = 20
"""Below this many clips an interval over clips is little more than a guess."""


class SetFacts(msgspec.Struct, frozen=True):
    """How much a set holds. `rank` is that of its covariance, at most frames - 1 and dims."""

    name: str
    clips: int
    frames: int
    dims: int
    rank: int
    digest: str
    seconds: float | None = None
    silent: int = 0  # clips of digital silence
    skipped: int = 0  # files left out because they cannot be read


class Distance(msgspec.Struct, frozen=True, kw_only=True):
    """A value of one set `of` sounds, its 95 % interval over their clips, and how it was got.

    `embedder` is the embedder's signature: name, digest of its weights, sample rate, window, hop,
    padding, loudness rule. `spread` is the standard deviation of the repeats of FAD∞. `notes`
    says what a reader has to know before comparing the value with another.
    """

    metric: Literal["fad", "fad_inf", "kad"]
    value: float
    low: float | None = None
    high: float | None = None
    spread: float | None = None
    p_value: float | None = None
    of: SetFacts
    reference: SetFacts
    embedder: str
    conventions: str
    notes: list[str] = []
    each_clip: dict[str, float | None] | None = None  # None for a clip of a single frame

    @property
    def signature(self) -> str:
        """All that decides the value, in one line."""
        return (
            f"{self.metric}|{self.conventions}|emb:{self.embedder}|ref:{self.reference.name}@{self.reference.digest}"
            f"|n:{self.of.clips}clips,{self.of.frames}frames|set:{self.of.digest}"
        )


def warnings(metric: str, of: SetFacts, to: SetFacts) -> list[str]:
    """What is wrong with comparing a value of this set to this reference; empty where nothing is."""
    notes = []
    for what, facts in (("the set", of), ("the reference", to)):
        if facts.clips < FEW_CLIPS:
            notes.append(f"small n: {what} has {facts.clips} clips; below {FEW_CLIPS} the interval is a guess")
        if metric == "fad" and facts.frames <= facts.dims:
            notes.append(
                f"small n: {what} has {facts.frames} frames for {facts.dims} dims, so FAD is mostly the bias of few "
                "frames; compare it with sets of as many frames only, or take kad"
            )
        if metric == "fad_inf" and facts.frames < 4 * facts.dims:
            notes.append(
                f"small n: {what} has {facts.frames} frames; below 4 x {facts.dims} the step to endless data can miss "
                "by half of the bias either way; take kad"
            )
        if facts.silent:
            notes.append(f"{what} holds {facts.silent} clips of digital silence")
        if facts.skipped:
            notes.append(f"{facts.skipped} files of {what} could not be read and were left out")
    return notes
