"""What is it played on? The check `instrument`: the family that a listener would name.

A linear discriminant over YAMNet's embedding (mean of the frames, first frame, middle frame, each
as its square root), fitted to real and General MIDI notes, to phrases and chords of them, and to
sounds that are no instrument: bare tones and noise. Each family has a margin of its own by which
it may stay behind the best; both are in `instrument.npz`, built by `innerear checks fit`.
"""

from __future__ import annotations

import functools
import io
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from innerear.checks import Instrument
from innerear.clip import Clip
from innerear.errors import WeightsUnavailable
from innerear.metrics import UNAVAILABLE, Sound, Value

Floats = NDArray[np.float64]

DIMS = 1024
PARTS = (1.0, 0.5, 0.5)  # weights of the mean, the first and the middle frame
SHRINK = 3.0  # of the covariance within families, towards a sphere; in mean variances
MOST_WRONG = 0.08  # share of other families' sounds that a margin lets through, when fitted
BARE, NOISE = "bare tone", "noise"


@dataclass(frozen=True, eq=False)
class Discriminant:
    """Scores of families: `features @ weights.T + offsets`; `margins` in the same unit, 0 or below."""

    families: tuple[str, ...]
    weights: Floats  # (families, 3 * 1024)
    offsets: Floats  # (families,)
    margins: Floats  # (families,)

    def leads(self, features: Floats) -> Floats:
        """By how much each family leads the best of the others, shape (sounds, families)."""
        return leads(features @ self.weights.T + self.offsets)


def leads(scores: Floats) -> Floats:
    """Each family's score less the highest of the others."""
    order = np.sort(scores, axis=1)
    best, second = order[:, -1:], order[:, -2:-1]
    return scores - np.where(scores == best, second, best)


def features(frames: NDArray[np.float32]) -> Floats:
    """What the discriminant sees of a clip's frames, shape (3 * 1024,)."""
    parts = (frames.mean(axis=0), frames[0], frames[len(frames) // 2])
    return np.concatenate([weight * np.sqrt(part, dtype=np.float64) for weight, part in zip(PARTS, parts, strict=True)])


def fit(seen: Floats, named: Sequence[str]) -> tuple[tuple[str, ...], Floats, Floats]:
    """Families, weights and offsets of a linear discriminant with a shrunk common covariance.

    R. A. Fisher, 1936; solved in the space of the sounds, fewer than the dimensions.
    """
    families = tuple(sorted(set(named)))
    names = np.array(named)
    means = np.stack([seen[names == family].mean(axis=0) for family in families])
    within = seen - means[[families.index(name) for name in named]]
    ridge = SHRINK * float(np.sum(within**2)) / within.size
    scaled = within / np.sqrt(len(within))
    inner = np.linalg.inv(np.eye(len(scaled)) + scaled @ scaled.T / ridge)
    weights = (means - (means @ scaled.T) @ inner @ scaled / ridge) / ridge
    return families, weights, -0.5 * np.sum(weights * means, axis=1)


def shipped_path() -> Path:
    """Where the shipped discriminant lies."""
    return Path(str(resources.files(__package__).joinpath("instrument.npz")))


def save(path: Path, fitted: Discriminant) -> None:
    """Write it whole; weights as float16, since a family is told by thousands of them."""
    from innerear.parts import write_whole

    buffer = io.BytesIO()
    np.savez_compressed(
        buffer, families=np.array(fitted.families), weights=fitted.weights.astype(np.float16),
        offsets=fitted.offsets, margins=fitted.margins,
    )  # fmt: skip
    write_whole(path, buffer.getvalue())


@functools.cache
def shipped() -> Discriminant:
    """The shipped discriminant."""
    with np.load(shipped_path(), allow_pickle=False) as stored:
        return Discriminant(
            tuple(stored["families"].tolist()),
            stored["weights"].astype(np.float64),
            stored["offsets"],
            stored["margins"],
        )


@functools.cache
def _listener() -> Any:
    from innerear.embed import open_embedder

    return open_embedder("yamnet")


def hear(clip: Clip) -> Floats:
    """The features of a clip.

    Raises:
        WeightsUnavailable: YAMNet cannot be had here.
    """
    return features(_listener().embed([clip])[0])


class InstrumentCheck:
    """The check `instrument`: by how much the family leads the best of the others.

    The unit is that of the discriminant's scores (log odds, if families were Gaussian). Passes
    where the lead is above the family's margin. Families without recordings are not judged.
    """

    name, version, unit = "instrument", 1, "lead"

    def measure(self, sound: Sound, check: Instrument) -> Value:
        """The detail holds the three families that lead."""
        assert sound.clip is not None
        known = shipped()
        if check.family not in known.families:
            return Value(None, None, f"no recordings of the family {check.family!r} to compare with")
        if not len(sound.clip.mono) or float(np.abs(sound.clip.mono).max()) < 1e-4:
            return Value(None, False, "silence")
        try:
            seen = hear(sound.clip)
        except WeightsUnavailable as error:
            return Value(None, None, f"{UNAVAILABLE}: {error}")
        return judge(known, seen, check.family)


def judge(known: Discriminant, seen: Floats, family: str) -> Value:
    """What a discriminant says of one sound."""
    lead = known.leads(seen[None])[0]
    place = known.families.index(family)
    order = np.argsort(-lead)[:3]
    detail = {"nearest": {known.families[i]: round(float(lead[i]), 2) for i in order}}
    passed = bool(lead[place] > known.margins[place])
    reason = "" if passed else f"sounds more like: {known.families[order[0]].replace('_', ' ')}"
    return Value(float(lead[place]), passed, reason, detail)
