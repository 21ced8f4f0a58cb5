"""The metadata of an Inspect score: all rows of one sound, enough to recompute the scores of any set."""

from __future__ import annotations

import base64
import functools
import zlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
from msgspec.structs import replace

from innerear.embed import BY_DEFAULT, CaptionReader, Embedder, Frames, open_embedder, reads_captions
from innerear.embed.batches import Embedded, Embedding, anchors_of
from innerear.embed.store import quantise
from innerear.errors import WeightsUnavailable
from innerear.metrics.measure import rows_of
from innerear.metrics.registry import find
from innerear.metrics.verified import counts_in
from innerear.records import ALL, Completion, Item, Measurement, Probe, Render, Score, Track
from innerear.run.run import program_of
from innerear.scores.clap import CAPTION, captions
from innerear.scores.score import FUNNEL, score, steps
from innerear.scores.scorecard import scorecard

OURS = "innerear"
"""The key of InnerEar's data in the metadata of samples, scores and logs."""
DEFAULT = "auto"  # use the default embedders of a run


class Packed(msgspec.Struct, frozen=True):
    """Frames as text: (frames, dims) as bytes if the embedder has a quantum, else as float32; deflated, base64."""

    signature: str
    quantum: float | None
    dims: int
    data: str

    @classmethod
    def of(cls, signature: str, quantum: float | None, frames: Frames) -> Packed:
        """Pack frames losslessly."""
        raw = np.ascontiguousarray(quantise(frames, quantum).T).tobytes()
        return cls(signature, quantum, frames.shape[1], base64.b64encode(zlib.compress(raw)).decode())

    def frames(self) -> Frames:
        """Unpack the frames."""
        raw = zlib.decompress(base64.b64decode(self.data))
        if self.quantum:
            frames = np.frombuffer(raw, np.uint8).reshape(self.dims, -1).T.astype(np.float32) * np.float32(self.quantum)
        else:
            frames = np.frombuffer(raw, np.float32).reshape(self.dims, -1).T
        return np.ascontiguousarray(frames)


class Heard(msgspec.Struct, frozen=True):
    """All rows of one sound. `number`: index of the probe in its task. The completion has no messages."""

    probe: Probe
    number: int
    track: Track
    completion: Completion
    render: Render
    measurements: list[Measurement]
    embedders: list[str] = []  # requested
    frames: dict[str, Packed] = {}  # by embedder, if available

    @property
    def item(self) -> Item:
        """The item as in a run."""
        program = program_of(self.completion, self.probe, self.track)
        return Item(self.probe, self.completion, program, self.render, self.measurements)

    def value(self) -> dict[str, float | None]:
        """Values of one sound: whether it passed all counted checks, the share passed, and the funnel steps reached."""
        passed = self._passed()
        value: dict[str, float | None] = {"passed": float(all(passed)) if passed else None}
        value["checks"] = sum(passed) / len(passed) if passed else None
        return value | dict(zip(map(_plain, FUNNEL[1:]), map(float, steps(self.item)[1:]), strict=True))

    def _passed(self) -> list[bool]:
        return [
            row.passed
            for check, row in self.item.checked
            if row.passed is not None and counts_in(self.probe, check, row.detail)[0]
        ]

    def words(self) -> str:
        """The program's outcome and the sound's measurements as Markdown, one line each."""
        lines = [f"{self.render.outcome.replace('_', ' ')}{': ' if self.render.reason else ''}{self.render.reason}"]
        for row in self.measurements:
            verdict = {None: "not judged", True: "passed", False: "failed"}[row.passed]
            value = "" if row.value is None else f" {row.value:.5g} {find(row.metric).unit}".rstrip()
            judged = "" if row.check is None else f" {verdict}"
            lines.append(f"{row.metric}{value}{judged}{': ' if row.reason else ''}{row.reason}")
        return "\n".join(f"- `{' '.join(line.replace('`', chr(39)).split())}`" for line in lines)

    def record(self) -> dict[str, Any]:
        """A row for `precomputed_scores`: sample, value, answer, explanation, metadata."""
        slim = replace(self, completion=replace(self.completion, messages=[], rounds=[]))
        return {
            "id": self.probe.id,
            "epoch": self.completion.attempt + 1,
            "value": self.value(),
            "answer": self.render.outcome.value,
            "explanation": self.words(),
            "metadata": {OURS: msgspec.to_builtins(slim)},
        }


def heard_in(metadata: Mapping[str, Any] | None) -> Heard | None:
    """The rows in a score's metadata; `None` if it is not an InnerEar score."""
    if not metadata or OURS not in metadata:
        return None
    found = msgspec.convert(metadata[OURS], Heard)
    return replace(found, measurements=rows_of({row.key: row for row in found.measurements}, found.item))


def settle(names: Sequence[str]) -> list[str]:
    """The embedders to use: those named, or for `auto` the defaults that are available."""
    if list(names) != [DEFAULT]:
        return list(names)
    found = [name for name in BY_DEFAULT if _opened(name)] or ["mel"]
    return [*found, *(["clap-laion"] if _opened("clap-laion") else [])]


@functools.lru_cache(maxsize=16)
def _opened(name: str) -> Embedder | None:
    """Open an embedder; `None` if its weights are not installed."""
    try:
        return open_embedder(name)
    except WeightsUnavailable:
        return None


def frames_of(names: Sequence[str], clip: Any) -> dict[str, Packed]:
    """Embed a sound with each available embedder."""
    opened = ((name, _opened(name)) for name in names)
    return {
        name: Packed.of(embedder.signature, embedder.quantum, embedder.embed([clip])[0])
        for name, embedder in opened
        if embedder
    }


@functools.lru_cache(maxsize=1 << 14)
def _anchors(name: str, probe: str, duration_s: float, number: int) -> Embedded:
    embedder = _opened(name)
    assert embedder is not None
    return {anchor: embedder.embed([make()])[0] for anchor, make in anchors_of(probe, duration_s, number).items()}


@functools.lru_cache(maxsize=1 << 14)
def _caption(name: str, text: str) -> Frames:
    embedder: Any = _opened(name)
    reader: CaptionReader = embedder
    return reader.read([text])


def embeddings(heard: Sequence[Heard]) -> dict[str, Embedding | None]:
    """Embeddings of a set of sounds, of the floors and of the captions, by embedder; `None` if unavailable."""
    found: dict[str, Embedding | None] = {}
    for name in dict.fromkeys(name for one in heard for name in one.embedders):
        embedder = _opened(name)
        if embedder is None:
            found[name] = None
            continue
        frames: Embedded = {}
        for one in heard:
            frames |= _anchors(name, one.probe.id, one.probe.duration_s, one.number)
            packed = one.frames.get(name)
            if packed and packed.signature == embedder.signature and one.render.audio:
                frames[one.render.audio] = packed.frames()
        if reads_captions(name):
            frames |= {CAPTION + text: _caption(name, text) for text in captions([one.probe for one in heard])}
        found[name] = (embedder.signature, frames)
    return found


def set_of(heard: Sequence[Heard]) -> list[Score]:
    """All scores of a set of sounds, as in `innerear score`."""
    heard = sorted(heard, key=lambda one: (one.completion.attempt, one.number))
    return score([one.item for one in heard], embeddings(heard), lambda what, done, total: None)


def flat(scores: Iterable[Score]) -> dict[str, float]:
    """Flatten scores to names and numbers: `passed`, `passed_low`, `passed(family:chord)`, `fad_yamnet(notes)` …

    First of all the cells of the scorecard: `scorecard_runs`, `scorecard_right` …, with `(tier)` if there are several.
    """
    scores = list(scores)
    card = [cell for row in scorecard(scores) for cell in row.cells if cell.value is not None]
    several = len({cell.tier for cell in card}) > 1
    asked = {f"scorecard_{cell.question}{f'({cell.tier})' if several else ''}": cell.value or 0.0 for cell in card}
    found: dict[str, float] = {}
    for one in scores:
        if one.value is None or one.metric.endswith("_difference"):
            continue
        embedder = one.embedder
        name = one.metric + (f"_{embedder}" if embedder else "")
        where = "" if one.group == ALL else f"({one.group})"
        found[f"{name}{where}"] = one.value
        if one.low is not None and one.high is not None and one.group.sort not in ("family", "level"):
            found |= {f"{name}_low{where}": one.low, f"{name}_high{where}": one.high}
    first = {name: found[name] for name in ("passed", "passed_low", "passed_high", "checks") if name in found}
    return asked | first | found


def _plain(step: str) -> str:
    return step.replace(" ", "_")
