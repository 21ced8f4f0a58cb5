"""Which instrument is it? The check `instrument`, by instrument family.

A linear discriminant over YAMNet's embedding (mean, first and middle frame, each square-rooted) and the
level envelope, fitted to real and General MIDI notes, to phrases and chords of them, and to pure tones
and noise as non-instruments. Each family has its own margin by which it may trail the best family.
Discriminant and margins are in `instrument.npz`, built by `innerear checks fit`.

Families without recorded notes (percussion, drums) are judged by YAMNet's names: one of those given by
the suite must be among its first five. `audioset.csv` is YAMNet's list of names (Apache-2.0).
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
from innerear.metrics.base import CheckMetric, Sound, Value

Floats = NDArray[np.float64]

PARTS = (1.0, 0.5, 0.5)  # weights of the mean, the first and the middle frame
ENVELOPE = 2.0  # weight of the envelope features, each of about unit variance
LEVELS_AT_S = (0.1, 0.3, 0.6, 1.0, 2.0)  # after the onset
RANGE_DB, ONSET_DB = 50.0, 25.0  # below the maximum: dynamic range, and threshold of the onset
SHRINK = 3.0  # shrinkage of the within-family covariance towards a sphere, in mean variances
MOST_WRONG = 0.08  # share of other families' sounds that a fitted margin lets through
FIRST_NAMES = 5
BARE, NOISE = "bare tone", "noise"


@dataclass(frozen=True, eq=False)
class Discriminant:
    """Linear scores of families, `features @ weights.T + offsets`; `margins` in the same unit, at most 0."""

    families: tuple[str, ...]
    weights: Floats  # (families, 3 * 1024 + 8)
    offsets: Floats  # (families,)
    margins: Floats  # (families,)

    def leads(self, features: Floats) -> Floats:
        """Lead of each family over the best other family, shape (sounds, families)."""
        return leads(features @ self.weights.T + self.offsets)


def leads(scores: Floats) -> Floats:
    """Each family's score less the highest of the others."""
    order = np.sort(scores, axis=1)
    best, second = order[:, -1:], order[:, -2:-1]
    return scores - np.where(scores == best, second, best)


def features(frames: NDArray[np.float32], clip: Clip) -> Floats:
    """Features of a clip and its YAMNet frames, shape (3 * 1024 + 8,)."""
    parts = (frames.mean(axis=0), frames[0], frames[len(frames) // 2])
    seen = [weight * np.sqrt(part, dtype=np.float64) for weight, part in zip(PARTS, parts, strict=True)]
    return np.concatenate([*seen, ENVELOPE * envelope(clip)])


def envelope(clip: Clip) -> Floats:
    """Envelope features: rise time (octaves of 10 ms), levels 0.1 to 2 s after onset, level spread and roughness."""
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
    """Fit a linear discriminant (R. A. Fisher, 1936) with a shrunk common covariance.

    Solved in the space of the sounds, which are fewer than the dimensions. Returns families, weights and
    offsets.
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
    """Path of the bundled discriminant."""
    return Path(str(resources.files(__package__).joinpath("instrument.npz")))


def save(path: Path, fitted: Discriminant) -> None:
    """Write it atomically, with weights as float16: their rounding errors average out."""
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
    """Names of YAMNet's 521 scores, in order."""
    table = resources.files(__package__).joinpath("audioset.csv").read_text()
    return tuple(row["display_name"] for row in csv.DictReader(table.splitlines()))


@functools.cache
def listener() -> Any:
    """YAMNet, loaded once.

    Raises:
        WeightsUnavailable: YAMNet is not installed.
    """
    from innerear.embed import open_embedder

    return open_embedder("yamnet")


def hear(clip: Clip) -> Floats:
    """Features of a clip.

    Raises:
        WeightsUnavailable: YAMNet is not installed.
    """
    return features(listener().embed([clip])[0], clip)


class InstrumentCheck(CheckMetric[Instrument]):
    """The check `instrument`: lead of the requested family over the best other family.

    In the unit of the discriminant's scores (log odds, if families were Gaussian). Passes if the lead
    exceeds the family's margin. Families without recordings have no lead.
    """

    name, version, unit = "instrument", 1, "lead"
    label = "Instrument family"
    text = "A listener would name the requested family."
    weights = ("yamnet",)
    fitted = "instrument.npz"

    def measure(self, sound: Sound, check: Instrument) -> Value:
        """Detail: the three leading families, or YAMNet's first five names."""
        assert sound.clip is not None
        if not len(sound.clip.mono) or float(np.abs(sound.clip.mono).max()) < 1e-4:
            return Value(None, False, "silence")
        known = shipped()
        try:
            if check.family in known.families:
                return judge(known, hear(sound.clip), check.family)
            return _by_name(listener().listen(sound.clip)[1], check.audioset)
        except WeightsUnavailable as error:
            return Value.unavailable(error)


def _by_name(scores: NDArray[np.float32], wanted: Sequence[str]) -> Value:
    names = audioset_names()
    first = [names[place] for place in np.argsort(-scores.mean(axis=0))[:FIRST_NAMES]]
    passed = any(name in first for name in wanted)
    return Value(None, passed, "" if passed else f"sounds more like: {', '.join(first)}", {"names": first})


def judge(known: Discriminant, seen: Floats, family: str) -> Value:
    """Judge one sound by a discriminant."""
    lead = known.leads(seen[None])[0]
    place = known.families.index(family)
    order = np.argsort(-lead)[:3]
    detail = {"nearest": {known.families[i]: round(float(lead[i]), 2) for i in order}}
    passed = bool(lead[place] > known.margins[place])
    reason = "" if passed else f"sounds more like: {known.families[order[0]].replace('_', ' ')}"
    return Value(float(lead[place]), passed, reason, detail)
