"""Write the page of a comparison: a report of all entrants, with a view of two of them side by side.

OUT/
├── audio/<digest>.flac      the sounds
└── report/index.html        opens from the disk, offline, on the view `#/compare`
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from innerear.errors import UsageError
from innerear.report import ReportData, Settings, write_report
from innerear.report.data import Item
from innerear.report.evidence import report_data
from innerear.run.parts import plain, write_whole
from innerear.run.whole import sweep, writing
from innerear.sharing.compare import UNITS, Comparison
from innerear.sharing.entrants import Entrant

OURS = {"audio", "report"}


def write_comparison(comparison: Comparison, out: Path) -> Path:
    """Write the page of a comparison into a new folder, or over an older comparison; return its `index.html`.

    Raises:
        UsageError: the folder holds other files.
    """
    sweep(out)
    if out.exists() and (not out.is_dir() or {p.name for p in out.iterdir() if not p.name.endswith(".part")} - OURS):
        raise UsageError(f"{out} has files other than a comparison; name a new folder")
    audio = out / "audio"
    with writing(out):
        audio.mkdir(parents=True, exist_ok=True)
    for entrant in comparison.entrants:
        for item in entrant.items:
            if item.render.audio:
                _bring(entrant.run.audio / f"{item.render.audio}.flac", audio)
    return write_report(_data(comparison), out)


def _bring(source: Path, folder: Path) -> None:
    """Hard-link a sound (sounds are never rewritten), or copy it; skip one that is missing."""
    target = folder / source.name
    if target.exists():
        return
    try:
        os.link(source, target)
    except (OSError, TypeError):  # another disk, or a remote path
        with contextlib.suppress(FileNotFoundError):
            write_whole(target, source.read_bytes())


def _data(comparison: Comparison) -> ReportData:
    """One report of all entrants, each under its own name."""
    entrants = comparison.entrants
    loaded = {entrant.name: report_data(entrant.run, entrant.scores) for entrant in entrants}
    names = list(loaded)
    compared = {probe.id for probe in comparison.probes}
    counted = {probe.id: probe for data in loaded.values() for probe in data.probes}
    models = _names(entrants)
    items: list[Item] = []
    scores, funnels = [], []
    for entrant, name in zip(entrants, models, strict=True):
        data = loaded[entrant.name]
        items += [
            msgspec.structs.replace(item, completion=msgspec.structs.replace(item.completion, model=name))
            for item in data.items
            if item.completion.model == entrant.model and item.completion.probe in compared
        ]
        scores += [msgspec.structs.replace(score, model=name) for score in entrant.scores]
        funnels += [msgspec.structs.replace(f, model=name) for f in data.funnels if f.model == entrant.model]
    first = loaded[names[0]]
    return ReportData(
        title=" and ".join(names) if len(names) < 4 else f"{names[0]} and {len(names) - 1} more",
        created=first.created,
        asked=_asked(comparison, loaded, models),
        probes=[counted[probe.id] for probe in comparison.probes],
        items=items,
        scores=scores,
        funnels=funnels,
        warnings=[*comparison.differs, *(f"{name}: {line}" for name in names for line in loaded[name].warnings)],
        comparison=_comparison(comparison),
    )


def _names(entrants: Sequence[Entrant]) -> list[str]:
    """The model of each entrant, with its run if several runs have that model and strategy."""
    asked = [(entrant.model, entrant.strategy) for entrant in entrants]
    return [
        f"{entrant.model} · {entrant.name}" if asked.count((entrant.model, entrant.strategy)) > 1 else entrant.model
        for entrant in entrants
    ]


def _asked(comparison: Comparison, loaded: dict[str, ReportData], models: list[str]) -> Settings:
    """The settings of the first run; `more` has those of each run in full."""
    first = next(iter(loaded.values()))
    return msgspec.structs.replace(
        first.asked,
        models=models,
        strategies=list(dict.fromkeys(entrant.strategy for entrant in comparison.entrants)),
        command="\n".join(data.asked.command for data in loaded.values()),
        more={name: plain(data.asked) for name, data in loaded.items()},
    )


def _comparison(comparison: Comparison) -> dict[str, Any]:
    """The data of the compare view: tests, values by probe, and what is not comparable."""
    return {
        "pairs": comparison.pairs,
        "findings": [comparison.finding(first, second) for first, second in comparison.pairs],
        "tests": plain(comparison.tests),
        "metrics": [
            {"name": name, "unit": unit, "values": [entrant.values.get(name, {}) for entrant in comparison.entrants]}
            for name, unit in UNITS.items()
            if any(entrant.values.get(name) for entrant in comparison.entrants)
        ],
        "lines": plain(comparison.lines),
        "differs": comparison.differs,
        "left_out": comparison.left_out,
    }
