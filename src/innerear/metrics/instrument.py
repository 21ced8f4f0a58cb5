"""What is it played on? The check `instrument`: the family that a listener would name.

A linear discriminant over YAMNet's embedding (mean of the frames, first frame, middle frame, each
as its square root) and over how the level rises and falls, fitted to real and General MIDI notes,
to phrases and chords of them, and to sounds that are no instrument: bare tones and noise. Each
family has a margin of its own by which it may stay behind the best; both are in `instrument.npz`,
built by `innerear checks fit`.

Families without recorded notes (percussion, drums) are left to YAMNet's own names: one of those
that the suite gives must be among its first five. `audioset.csv` is YAMNet's list of names
(Apache-2.0).
"""

from __future__ import annotations

import csv
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
from innerear.metrics.measure import UNAVAILABLE, Sound, Value

Floats = NDArray[np.float64]

PARTS = (1.0, 0.5, 0.5)  # weights of the mean, the first and the middle frame
ENVELOPE = 2.0  # weight of the envelope's numbers, each of about unit variance
LEVELS_AT_S = (0.1, 0.3, 0.6, 1.0, 2.0)  # after the onset
RANGE_DB, ONSET_DB = 50.0, 25.0  # below the loudest: what is heard, and where it begins
SHRINK = 3.0  # of the covariance within families, towards a sphere; in mean variances
MOST_WRONG = 0.08  # share of other families' sounds that a margin lets through, when fitted
FIRST_NAMES = 5
BARE, NOISE = "bare tone", "noise"


@dataclass(frozen=True, eq=False)
class Discriminant:
    """Scores of families: `features @ weights.T + offsets`; `margins` in the same unit, 0 or below."""

    families: tuple[str, ...]
    weights: Floats  # (families, 3 * 1024 + 8)
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


def features(frames: NDArray[np.float32], clip: Clip) -> Floats:
    """What the discriminant sees of a clip and its frames, shape (3 * 1024 + 8,)."""
    parts = (frames.mean(axis=0), frames[0], frames[len(frames) // 2])
    seen = [weight * np.sqrt(part, dtype=np.float64) for weight, part in zip(PARTS, parts, strict=True)]
    return np.concatenate([*seen, ENVELOPE * envelope(clip)])


def envelope(clip: Clip) -> Floats:
    """Time to the loudest (octaves of 10 ms), level 0.1 to 2 s after the onset, spread and roughness of the level."""
    samples, hop = clip.mono.astype(np.float64), max(1, clip.sample_rate // 100)
    power = np.mean(np.resize(samples, max(1, len(samples) // hop) * hop).reshape(-1, hop) ** 2, axis=1)
    level = 10 * np.log10(np.maximum(power, 1e-12))
    level = np.maximum(level - level.max(), -RANGE_DB)
    onset = int(np.argmax(level > -ONSET_DB))
    places = [min(len(level) - 1, onset + round(100 * time_s)) for time_s in LEVELS_AT_S]
    after = [float(np.median(level[max(0, place - 3) : place + 4])) / 10 for place in places]
    rise = np.log2(1 + max(0, int(level.argmax()) - onset)) / 2
    rough = float(np.mean(np.abs(np.diff(level)))) if len(level) > 1 else 0.0
    return np.array([rise, *after, float(level.std()) / 5, rough])


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
    from innerear.run.parts import write_whole

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
def audioset_names() -> tuple[str, ...]:
    """The names of YAMNet's 521 scores, in their order."""
    table = resources.files(__package__).joinpath("audioset.csv").read_text()
    return tuple(row["display_name"] for row in csv.DictReader(table.splitlines()))


@functools.cache
def listener() -> Any:
    """YAMNet, opened once.

    Raises:
        WeightsUnavailable: YAMNet cannot be had here.
    """
    from innerear.embed import open_embedder

    return open_embedder("yamnet")


def hear(clip: Clip) -> Floats:
    """The features of a clip.

    Raises:
        WeightsUnavailable: YAMNet cannot be had here.
    """
    return features(listener().embed([clip])[0], clip)


class InstrumentCheck:
    """The check `instrument`: by how much the family leads the best of the others.

    The unit is that of the discriminant's scores (log odds, if families were Gaussian). Passes
    where the lead is above the family's margin. A family without recordings has no lead.
    """

    name, version, unit = "instrument", 1, "lead"

    def measure(self, sound: Sound, check: Instrument) -> Value:
        """The detail holds the three families that lead, or YAMNet's first five names."""
        assert sound.clip is not None
        if not len(sound.clip.mono) or float(np.abs(sound.clip.mono).max()) < 1e-4:
            return Value(None, False, "silence")
        known = shipped()
        try:
            if check.family in known.families:
                return judge(known, hear(sound.clip), check.family)
            return _by_name(listener().listen(sound.clip)[1], check.audioset)
        except WeightsUnavailable as error:
            return Value(None, None, f"{UNAVAILABLE}: {error}")


def _by_name(scores: NDArray[np.float32], wanted: Sequence[str]) -> Value:
    names = audioset_names()
    first = [names[place] for place in np.argsort(-scores.mean(axis=0))[:FIRST_NAMES]]
    passed = any(name in first for name in wanted)
    return Value(None, passed, "" if passed else f"sounds more like: {', '.join(first)}", {"names": first})


def judge(known: Discriminant, seen: Floats, family: str) -> Value:
    """What a discriminant says of one sound."""
    lead = known.leads(seen[None])[0]
    place = known.families.index(family)
    order = np.argsort(-lead)[:3]
    detail = {"nearest": {known.families[i]: round(float(lead[i]), 2) for i in order}}
    passed = bool(lead[place] > known.margins[place])
    reason = "" if passed else f"sounds more like: {known.families[order[0]].replace('_', ' ')}"
    return Value(float(lead[place]), passed, reason, detail)
