"""A distance with what is needed to interpret it: size of the sets, reference, embedder."""

from __future__ import annotations

from typing import Literal

import msgspec

from innerear import markup
from innerear.records import Signature

FEW_CLIPS = 20
"""With fewer clips than this, an interval over clips is little more than a guess."""


class SetFacts(msgspec.Struct, frozen=True):
    """The size of a set. `rank`: rank of its covariance, at most frames - 1 and dims."""

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
    """The distance of a set `of` sounds to a reference, its 95 % interval over clips, and how it was computed.

    `embedder`: the embedder's signature (name, digest of its weights, sample rate, window, hop, padding,
    loudness rule). `spread`: standard deviation over the repeats of FAD∞. `p_low`, `p_high`: the 95 % interval of
    the p-value that all permutations would give; both are equal to it if it is of all. `notes`: caveats for
    comparing the value with others. A distance is a number where one is wanted: `float(…)`, `round(…, 3)`.
    """

    metric: Literal["fad", "fad_inf", "kad"]
    value: float
    low: float | None = None
    high: float | None = None
    spread: float | None = None
    p_value: float | None = None
    p_low: float | None = None
    p_high: float | None = None
    of: SetFacts
    reference: SetFacts
    embedder: str
    conventions: str
    notes: list[str] = []
    each_clip: dict[str, float | None] | None = None  # None for a clip of a single frame

    def __float__(self) -> float:
        return self.value

    def __round__(self, digits: int | None = None) -> float:
        return round(self.value, digits)

    def _repr_html_(self) -> str:
        interval = None if self.low is None or self.high is None else f"{self.low:.4g} to {self.high:.4g}"
        rows = {"95 % interval": interval, "p": self.p_value, "spread": self.spread}
        sets = {
            "of": f"{self.of.name}: {self.of.clips} clips",
            "to": f"{self.reference.name}: {self.reference.clips} clips",
        }
        known = {name: value for name, value in rows.items() if value is not None}
        notes = [("note", note) for note in self.notes]
        return markup.facts([(self.metric, self.value), *known.items(), *sets.items(), ("by", self.embedder), *notes])

    @property
    def signature(self) -> str:
        """Everything that determines the value, on one line."""
        n, ref = f"{self.of.clips}clips,{self.of.frames}frames", f"{self.reference.name}@{self.reference.digest}"
        how = Signature.of(self.metric, self.conventions, emb=self.embedder, ref=ref, n=n, set=self.of.digest)
        return str(how)


def warnings(metric: str, of: SetFacts, to: SetFacts) -> list[str]:
    """Caveats for a value of this set against this reference; empty if there are none."""
    notes = []
    for what, facts in (("the set", of), ("the reference", to)):
        if facts.clips < FEW_CLIPS:
            notes.append(f"small n: {what} has {facts.clips} clips; below {FEW_CLIPS} the interval is a guess")
        if metric == "fad" and facts.frames <= facts.dims:
            notes.append(
                f"small n: {what} has {facts.frames} frames for {facts.dims} dims, so FAD is mostly small-sample "
                "bias; compare it only with sets of the same number of frames, or use kad"
            )
        if metric == "fad_inf" and facts.frames < 4 * facts.dims:
            notes.append(
                f"small n: {what} has {facts.frames} frames; below 4 x {facts.dims} the extrapolation to infinite "
                "data can be off by half of the bias; use kad"
            )
        if facts.silent:
            notes.append(f"{what} contains {facts.silent} clips of digital silence")
        if facts.skipped:
            notes.append(f"{facts.skipped} files of {what} could not be read and were skipped")
    return notes
