"""From rows to a folder that opens from the disk.

    report/
    ├── index.html
    ├── assets/, vendor/     the page's own code, and that of others
    ├── data/index.js        all that the tables and filters need
    ├── data/<probe>.js      programs, logs, messages and measurements of one probe, loaded when opened
    └── sounds/<digest>.*    outline and spectrogram of one sound, loaded when shown

A page from the disk may not fetch, so data come as scripts that hand one JSON text to the page.
The audio stays where it is, in `../audio`.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import msgspec

from innerear import clip
from innerear.checks import kind
from innerear.records import TIERS, Probe, digest
from innerear.report import pictures
from innerear.report.data import Item, ReportData

TICKS_HZ = (100, 500, 1000, 2000, 5000, 10_000)


def write_report(data: ReportData, run_folder: Path) -> Path:
    """Write `run_folder/report` whole, in place of an older one, and return its `index.html`.

    Outlines and spectrograms of sounds that an older report has are taken from there. A write that
    is cut short leaves the older report as it was. One process may write a run's report at a time.

    Raises:
        AudioError: an item's sound is missing in the run folder or is no audio.
    """
    report = run_folder / "report"
    part = run_folder / ".report.part"
    shutil.rmtree(part, ignore_errors=True)  # of a write that was killed
    part.mkdir()
    try:
        with as_file(files("innerear.report")) as package:
            for folder in ("assets", "vendor"):
                shutil.copytree(package / folder, part / folder)
            (part / "index.html").write_text(_shell(package / "shell.html.j2", data), encoding="utf-8")
        _write_data(data, part / "data")
        _write_sounds(data.items, run_folder, report / "sounds", part / "sounds")
        _put_in_place(part, report)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
    return report / "index.html"


def script(kind: str, name: str, content: Any) -> str:
    """A line of JavaScript that hands JSON to the page; ASCII, and without `<`.

    The JSON travels as a string: as an object literal, a key `__proto__` would be more than a key.

    >>> script("probe", "p", {"text": "</script>"})
    'InnerEar.receive("probe", "p", "{\\\\"text\\\\": \\\\"\\\\u003c/script>\\\\"}");\\n'
    """
    texts = (kind, name, json.dumps(content, allow_nan=False))
    return f"InnerEar.receive({', '.join(map(json.dumps, texts))});\n".replace("<", "\\u003c")


def _shell(template: Path, data: ReportData) -> str:
    import jinja2

    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    text = environment.from_string(template.read_text(encoding="utf-8")).render(
        title=data.title, created=data.created, tiers=TIERS
    )
    return text.encode("utf-8", "replace").decode()


def _write_data(data: ReportData, folder: Path) -> None:
    folder.mkdir()
    plain = msgspec.to_builtins
    entrants = list(dict.fromkeys((item.completion.model, item.completion.strategy) for item in data.items))
    probes = {probe.id: probe for probe in data.probes}
    by_probe: dict[str, list[dict[str, Any]]] = {}
    rows = []
    for item in data.items:
        probe, entrant = item.completion.probe, entrants.index((item.completion.model, item.completion.strategy))
        rows.append(_row(item, entrant, probes[probe]))
        by_probe.setdefault(probe, []).append({**_whole(item), "entrant": entrant})
    index = {
        "title": data.title,
        "created": data.created,
        "asked": plain(data.asked),
        "warnings": data.warnings,
        "funnels": plain(data.funnels),
        "scores": [_whole(score) for score in data.scores],
        "metrics": plain(data.metrics),
        "entrants": [{"model": model, "strategy": strategy} for model, strategy in entrants],
        "probes": [{**plain(probe), "file": digest("probe", probe.id)} for probe in data.probes],
        "items": rows,
        "picture": {
            "version": pictures.VERSION,
            "range_db": pictures.RANGE_DB,
            "ticks": [[f_hz, round(pictures.height(f_hz), 4)] for f_hz in TICKS_HZ],
        },
    }
    (folder / "index.js").write_text(script("index", "", index), encoding="ascii")
    for probe, items in by_probe.items():
        name = digest("probe", probe)
        (folder / f"{name}.js").write_text(script("probe", name, items), encoding="ascii")


def _whole(row: Any) -> Any:
    """A row and the rows in it as plain values, with the fields that files leave out as defaults."""
    if isinstance(row, list):
        return [_whole(each) for each in row]
    if not isinstance(row, msgspec.Struct):
        return msgspec.to_builtins(row)
    return {name: _whole(getattr(row, name)) for name in row.__struct_fields__}


def _row(item: Item, entrant: int, probe: Probe) -> dict[str, Any]:
    """What the tables and filters need of an item."""
    judged = _judged(item, probe)
    return {
        "probe": probe.id,
        "entrant": entrant,
        "attempt": item.completion.attempt,
        "outcome": item.render.outcome.value,
        "audio": item.audio is not None,
        "passed": sum(judged),
        "of": len(judged),
        "values": {m.metric: m.value for m in item.measurements if m.value is not None},
    }


def _judged(item: Item, probe: Probe) -> list[bool]:
    """The verdicts on the probe's headline checks, as many as there are."""
    left: dict[str, list[bool | None]] = {}
    for measurement in item.measurements:
        left.setdefault(measurement.metric, []).append(measurement.passed)
    verdicts = [(left[kind(c)].pop(0), c.headline) for c in probe.expect if left.get(kind(c))]
    return [passed for passed, headline in verdicts if headline and passed is not None]


def _write_sounds(items: Iterable[Item], run_folder: Path, old: Path, new: Path) -> None:
    new.mkdir()
    sounds = {item.render.audio: item.audio for item in items if item.audio and item.render.audio}
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for _ in pool.map(lambda pair: _write_sound(run_folder / pair[1], old, new, pair[0]), sounds.items()):
            pass


def _write_sound(audio: Path, old: Path, new: Path, name: str) -> None:
    names = [f"{name}.{pictures.VERSION}.{kind}" for kind in ("png", "js")]
    if all((old / each).exists() for each in names):
        for each in names:
            shutil.copyfile(old / each, new / each)
        return
    sound = clip.read(audio)
    above, below = pictures.peaks(sound)
    content = {"duration_s": sound.duration_s, "above": above, "below": below}
    (new / names[0]).write_bytes(pictures.png(pictures.spectrogram(sound)))
    (new / names[1]).write_text(script("sound", name, content), encoding="ascii")


def _put_in_place(part: Path, report: Path) -> None:
    """Rename the finished folder into place; until the last moment the older report is still there."""
    old = report.with_name(".report.old")
    shutil.rmtree(old, ignore_errors=True)
    if report.exists():
        report.rename(old)
    try:
        part.rename(report)
    except OSError:
        old.rename(report)
        raise
    shutil.rmtree(old, ignore_errors=True)
