"""`real`: a ceiling. Answers with recordings that are not in the references.

Covers a probe only if a clip's label confirms what its checks ask for: one class of sound (in whatever setting),
one plain note of an instrument, a digit, a sentence. `finish_reason` says if the clip is only the nearest
match: "another pitch", "another text", "another count"; the checks of these are then not measured.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

import numpy as np

from innerear import checks
from innerear.ask.models.base import Local, Options, Reply
from innerear.data_folders import data_folders
from innerear.errors import UsageError
from innerear.records import Completion, Message, Probe, Remark, digest
from innerear.reference.manifest import ManifestRow, read_manifests

Fit = tuple[float, Remark | None]
"""The distance of a clip from the request (0 is an exact match), and a remark if it is not exact."""

Choice = tuple[ManifestRow, Remark | None]
"""A clip, and the remark of its fit."""

SENTENCES = ("sentence", "nonsense-sentence", "passage")
"""Families that any recorded sentence stands for, if no clip has the text."""
_ANOTHER_TEXT = 100.0
_NO_FIT = 1e6


class Real(Local):
    """Held-back clips of the data folder; each is used for one probe and attempt only."""

    def __init__(self, name: str, options: Options) -> None:
        self.name = "real"
        if name:
            raise UsageError(f"no model 'real/{name}'; wanted real")
        rows = read_manifests(options.data or _data_folders(), columns=())
        held = (options.held_back or _held_back)(rows)
        self._rows = [row for row in rows if row["file"] in held]
        self._probes: Sequence[Probe] = []
        self._chosen: list[dict[str, Choice]] = []  # by attempt and probe

    def prepare(self, probes: Sequence[Probe], completions: Iterable[Completion]) -> None:
        """Take the probes to assign clips to."""
        self._probes, self._chosen = probes, []

    def _clip(self, probe: Probe, attempt: int) -> Choice | None:
        while len(self._chosen) <= attempt:
            taken = {row["file"] for chosen in self._chosen for row, _ in chosen.values()}
            self._chosen.append(share(self._probes, [row for row in self._rows if row["file"] not in taken]))
        return self._chosen[attempt].get(probe.id)

    def identity(self, probe: Probe, attempt: int) -> str | None:
        """The clip's digest; `None` if no clip fits or all that fit are taken."""
        found = self._clip(probe, attempt)
        return found[0]["sha256"] if found else None

    async def ask(self, probe: Probe, messages: Sequence[Message], attempt: int) -> Reply:
        """The path of the clip, relative to the data folder."""
        found = self._clip(probe, attempt)
        assert found is not None, "generate asks only where there is an identity"
        return Reply("", found[1], recording=found[0]["file"])


def share(probes: Sequence[Probe], rows: Sequence[ManifestRow]) -> dict[str, Choice]:
    """Assign a different clip to each of as many probes as possible, minimising the total distance.

    Ties are broken by digest, so the result depends only on probes and clips. Uses
    `scipy.optimize.linear_sum_assignment`.
    """
    from scipy.optimize import linear_sum_assignment

    fits = [[fit(probe, row) for row in rows] for probe in probes]
    cost = np.full((len(probes), len(rows)), _NO_FIT)
    for i, probe in enumerate(probes):
        for j, row in enumerate(rows):
            if found := fits[i][j]:
                cost[i, j] = found[0] + 1e-3 * int(digest(probe.id, row["file"])[:8], 16) / 16**8
    shared: dict[str, Choice] = {}
    for i, j in zip(*linear_sum_assignment(cost), strict=True):
        if found := fits[i][j]:
            shared[probes[i].id] = (rows[j], found[1])
    return shared


def fit(probe: Probe, row: ManifestRow) -> Fit | None:
    """How well a clip matches the probe; `None` if it does not match at all."""
    match probe.expect:
        case [checks.Label(label=label)]:
            return (0.0, None) if row["tier"] == "env" and row["label"] == label else None
        case [checks.Label(label=label), checks.Events()] if probe.family != "scene":
            return (0.0, Remark.ANOTHER_COUNT) if row["tier"] == "env" and row["label"] == label else None
        case [checks.Transcript(text=text)] | [checks.Words(text=text)]:
            return _speech(probe, text, row)
        case [checks.Pitch() as pitch, checks.Instrument(family=family)]:
            return _note(pitch, family, row)
        case [checks.Instrument(family=family), checks.Pitch() as pitch]:
            return _note(pitch, family, row)
    return None


def _note(pitch: checks.Pitch, family: str, row: ManifestRow) -> Fit | None:
    if not row["set"].startswith("real:") or row["label"] != family:
        return None
    ratio_cents = abs(_cents(float(row["f0_hz"]), pitch.f0_hz))
    return ratio_cents, None if ratio_cents <= pitch.tolerance_cents else Remark.ANOTHER_PITCH


def _speech(probe: Probe, text: str, row: ManifestRow) -> Fit | None:
    if row["tier"] != "speech" or row["set"].startswith("tts:"):
        return None
    if row["text"] and _words(row["text"]) == _words(text):
        return 0.0, None
    if probe.family in SENTENCES and row["label"] == "sentence":
        return _ANOTHER_TEXT + abs(float(row["duration_s"]) - probe.duration_s), Remark.ANOTHER_TEXT
    return None


def _words(text: str) -> list[str]:
    return re.findall(r"[\w']+", text.lower())


def _cents(estimate_hz: float, reference_hz: float) -> float:
    return 1200 * math.log2(estimate_hz / reference_hz)


def _held_back(rows: Sequence[ManifestRow]) -> Collection[str]:
    """The clips to hold back of these, without those in a reference that was built from more clips."""
    from innerear.embed import BY_DEFAULT
    from innerear.reference.sets import KINDS, find_reference, held_back

    held = set(held_back(rows))
    for reference in (find_reference(kind.name, name) for kind in KINDS for name in BY_DEFAULT):
        if reference is not None:
            held -= {name for name, is_held in zip(reference.names, reference.held, strict=True) if not is_held}
    return held


def _data_folders() -> list[Path]:
    named = data_folders()
    if not named:
        raise UsageError(
            "the model real plays recordings, but INNEREAR_DATA is not set; "
            "fetch them with `innerear reference fetch FOLDER` and set INNEREAR_DATA=FOLDER"
        )
    return named
