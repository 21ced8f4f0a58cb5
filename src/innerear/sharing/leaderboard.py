"""Build a static site from packed runs: sortable tables, and the report of each run with its sounds.

    SITE/
    ├── index.html, assets/, data/board.js     the tables
    ├── runs/<name>/report/index.html          the page of each run, its sounds in ../audio
    └── packs/<name>.zip                       the packed run itself, for anyone to rescore

Opens from disk or from any file host. Runs with the same probes and limits share a table; others
have their own, which says what differs. Within a table, numbers that were computed differently are in
different columns. Scores are recomputed from the packed rows; the packed scores are not used.
"""

from __future__ import annotations

import datetime
import hashlib
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import msgspec

from innerear import stages
from innerear.errors import DiskFull, InnerEarError, UsageError
from innerear.records import ALL, TIERS, Score, digest
from innerear.report.write import page, script, whole
from innerear.run.parts import from_json, to_json, write_whole
from innerear.run.progress import Progress, silent
from innerear.run.run import Run
from innerear.run.whole import new_file, new_folder, sweep
from innerear.scores.cells import QUESTIONS, Row, tiers_of
from innerear.scores.ends import end_name
from innerear.scores.scorecard import marked, scorecard
from innerear.scores.scorecard_words import legend
from innerear.sharing.conditions import limits_of
from innerear.sharing.pack import unpack
from innerear.sharing.tables import METRICS, Column, bare, entrant_labels
from innerear.stats import grouped

ASSETS = ("app.css", "core.js", "icon.svg", "scorecard.js", "board.js")


class Entry(msgspec.Struct, frozen=True):
    """A packed run on the site. `name` is its folder there; `by` is the version that scored it."""

    name: str
    run: str
    sha256: str
    by: str
    created: str
    conditions: dict[str, str]
    strategy: str
    attempts: int
    jail: str
    scores: list[Score]
    card: list[Row]


@dataclass
class Built:
    """The page, its entries, and one line per file that is left out."""

    page: Path
    entries: Sequence[Entry]
    left_out: list[str] = field(default_factory=list)


def leaderboard(folder: Path, site: Path, progress: Progress = silent) -> Built:
    """Build the site from the packed runs (`*.zip`) of a folder; runs already on the site are not redone.

    A file that cannot be unpacked or scored is left out and named.

    Raises:
        UsageError: no file of the folder is a packed run, or the site's folder has other files.
    """
    packs = sorted(path for path in folder.glob("*.zip") if path.is_file())
    if not packs:
        raise UsageError(f"{folder} has no packed runs (*.zip files made by `innerear pack`)")
    if site.exists() and any(site.iterdir()) and not (site / "data" / "board.js").exists():
        raise UsageError(f"{site} is not empty and is not a leaderboard; name a new folder")
    built = Built(site / "index.html", [])
    entries: dict[str, Entry] = {}
    for done, file in enumerate(packs):
        progress("packed runs", done, len(packs))
        try:
            entry = _entry(file, site)
        except DiskFull:
            raise
        except InnerEarError as error:
            built.left_out.append(f"{file.name} is left out: {error}")
            continue
        if entry.sha256 in entries:
            built.left_out.append(f"{file.name} is left out: it is the same run as {entries[entry.sha256].run}")
            continue
        entries[entry.sha256] = entry
    progress("packed runs", len(packs), len(packs))
    if not entries:
        raise UsageError(built.left_out[0])
    built.entries = list(entries.values())
    _write(site, built.entries)
    _forget(site, {entry.name for entry in built.entries})
    return built


def _entry(file: Path, site: Path) -> Entry:
    """The entry of a packed run, with its page on the site."""
    with file.open("rb") as opened:
        sha256 = hashlib.file_digest(opened, "sha256").hexdigest()
    plain = re.sub(r"[^a-z0-9]+", "-", file.stem.lower()).strip("-")[:40] or "run"
    name = f"{plain}-{sha256[:8]}"
    place = site / "runs" / name
    if (place / "entry.json").exists():
        try:
            known = from_json((place / "entry.json").read_bytes(), Entry)
        except (OSError, ValueError):
            known = None  # of another version
        if known and (known.by, known.sha256, known.run) == (version("innerear"), sha256, file.stem):
            return known
    sweep(site / "runs")
    sweep(site / "packs")
    with new_folder(place) as part:
        run = unpack(file, part / plain)  # the page takes its title from the folder
        stages.measure(run)  # what this version measures otherwise than the packer's
        entry = _scored(run, name, file.stem, sha256)
        stages.report(run)
        for path in run.folder.iterdir():
            if path.name in ("report", "audio"):
                path.rename(part / path.name)
        shutil.rmtree(run.folder)
        write_whole(part / "entry.json", to_json(entry))
    with new_file(site / "packs" / f"{name}.zip") as packed:
        shutil.copyfile(file, packed)
    return entry


def _scored(run: Run, name: str, title: str, sha256: str) -> Entry:
    asked = run.asked
    scores = stages.score(run)
    tiers = {str(item.render.jail.get("tier", "")) for item in run.items() if item.render.jail}
    return Entry(
        name=name,
        run=title,
        sha256=sha256,
        by=version("innerear"),
        created=run.file.created,
        conditions={
            "suite": f"{asked.suite} {asked.suite_digest[:8]}".strip(),
            "probes": f"{len(run.probes)} ({digest(sorted(map(digest, run.probes)))[:8]})",
            "limits": limits_of(run),
            "track": asked.track,
        },
        strategy=", ".join(asked.strategies),
        attempts=asked.attempts,
        jail=", ".join(sorted(tiers)),
        scores=[score for score in scores if score.metric in METRICS and _shown(score)],
        card=scorecard(scores),
    )


def _shown(score: Score) -> bool:
    return score.group == ALL or score.metric in ("fad", "kad")


def _forget(site: Path, names: set[str]) -> None:
    """Remove runs that are no longer among the packed ones."""
    for path in (site / "runs").iterdir():
        if path.name not in names and (path / "entry.json").exists():
            shutil.rmtree(path)
            (site / "packs" / f"{path.name}.zip").unlink(missing_ok=True)


def _write(site: Path, entries: Sequence[Entry]) -> None:
    created = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    with as_file(files("innerear.report")) as package:
        (site / "assets").mkdir(exist_ok=True)
        for name in ASSETS:
            write_whole(site / "assets" / name, (package / "assets" / name).read_bytes())
        write_whole(site / "index.html", page("board.html.j2", created=created).encode())
    write_whole(
        site / "data" / "board.js", script("board", "", {"created": created, "boards": boards(entries)}).encode()
    )


def boards(entries: Sequence[Entry]) -> list[dict[str, Any]]:
    """The tables, the one with the most runs first: conditions, columns, and one row per entrant."""
    ordered = sorted(grouped((digest(e.conditions), e) for e in entries).values(), key=len, reverse=True)
    first = ordered[0][0].conditions
    return [
        {
            "conditions": group[0].conditions,
            "differs": [name for name, value in group[0].conditions.items() if value != first[name]],
            "card": _card(group),
            **_table(group),
        }
        for group in ordered
    ]


def _card(group: Sequence[Entry]) -> dict[str, Any]:
    """The scorecard of the models of a table, each with the run it is of."""
    there = [(entry, row) for entry in group for row in entry.card]
    rows = marked([row for _, row in there])
    names = [(entry, row) for (entry, _), row in zip(there, rows, strict=True) if row.end is None]
    labels = entrant_labels([(entry.run, row.model, row.strategy) for entry, row in names])
    return {
        "rows": [{**whole(row), "label": label} for label, (_, row) in zip(labels, names, strict=True)],
        "tiers": tiers_of(rows),
        "questions": QUESTIONS,
        "legend": legend(rows),
    }


def _table(group: Sequence[Entry]) -> dict[str, Any]:
    there = [(entry, score) for entry in group for score in entry.scores]
    order: list[tuple[str, str]] = [(tier, metric) for tier in TIERS for metric in METRICS]
    keys = sorted(
        dict.fromkeys((s.tier, Column.of(s)) for _, s in there if s.value is not None),
        key=lambda key: order.index((key[0], key[1].metric)),
    )
    rows = []
    for entry in group:
        for model, strategy in dict.fromkeys((score.model, score.strategy) for score in entry.scores):
            mine = {(s.tier, Column.of(s)): s for s in entry.scores if (s.model, s.strategy) == (model, strategy)}
            rows.append(
                {
                    "run": entry.run,
                    "name": entry.name,
                    "model": model,
                    "strategy": strategy,
                    "attempts": entry.attempts,
                    "created": entry.created,
                    "sha256": entry.sha256,
                    "unprotected": "off" in entry.jail,
                    "baseline": end_name(model) is not None,
                    "cells": [_cell(mine.get(key)) for key in keys],
                }
            )
    columns = [
        {"tier": tier, "metric": c.metric, "group": c.group, "title": c.title, "unit": c.unit, "better": c.better,
         "signature": bare(c.signature)}
        for tier, c in keys
    ]  # fmt: skip
    return {"columns": columns, "rows": rows}


def _cell(score: Score | None) -> dict[str, Any] | None:
    if score is None or score.value is None:
        return None
    names = ("value", "low", "high", "n", "missing", "unit", "floor", "ceiling", "note", "signature")
    return {name: msgspec.to_builtins(getattr(score, name)) for name in names}
