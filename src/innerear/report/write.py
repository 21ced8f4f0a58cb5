"""Write a report: a folder of static files that opens from disk.

    report/
    ├── index.html
    ├── made.json            what the report was made of, and the digest of each file
    ├── assets/, vendor/     the page's own code, and third-party code
    ├── scorecard.svg        the scorecard as a picture
    ├── data/index.js        everything that the tables and filters need
    ├── data/<tier>.js       the result of each check of a tier, loaded when its view is opened
    ├── data/<probe>.js      programs, logs, messages and measurements of one probe, loaded when opened
    ├── sounds/<digest>.*    waveform outline and spectrogram of one sound, loaded when shown
    └── recordings/<digest>.* real recordings to compare with, if their licences allow

A page opened from disk may not fetch, so data files are scripts that pass one JSON string to the page.
The audio of the run stays where it is, in `../audio`.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Sequence
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import msgspec

from innerear import clip
from innerear.compute.threads import ordered
from innerear.errors import AudioError
from innerear.languages import Language
from innerear.metrics.classes import shipped
from innerear.programs.anatomy import TECHNIQUES, Anatomy, Mark, dissected
from innerear.records import TIERS, Probe, checked, digest
from innerear.report import pictures
from innerear.report.data import Item, Recording, ReportData
from innerear.report.highlights import highlights
from innerear.report.made import content_digest, is_current, made_of, read_made, write_made
from innerear.report.scorecard_picture import scorecard_svg
from innerear.run.folders import is_local, opened
from innerear.run.parts import plain
from innerear.run.whole import new_folder, sweep
from innerear.scores.cells import QUESTIONS, tiers_of
from innerear.scores.scorecard import scorecard
from innerear.scores.scorecard_words import legend

MOST_SECONDS = 12.0  # of a real recording, to keep reports small
TICKS_HZ = (100, 500, 1000, 2000, 5000, 10_000)


def write_report(data: ReportData, run_folder: Path, say: Callable[[str], None] = lambda line: None) -> Path:
    """Write `run_folder/report` atomically, replacing an older one, and return its `index.html`.

    A report that is there, whole, and made of the same is left as it is. Outlines and spectrograms are reused from an
    older report. An interrupted write leaves the older
    report unchanged; of concurrent writes the last one wins. A missing or damaged sound or recording
    is left out, with a warning on the page and to `say`.

    The report of a run in an object store is built on the local disk and then uploaded file by file,
    `index.html` last.

    Raises:
        DiskFull, UsageError: the folder cannot be written.
    """
    report = run_folder / "report"
    if not is_local(run_folder):
        with tempfile.TemporaryDirectory() as place:
            made = Path(place, "report")
            made.mkdir()
            _write(data, run_folder, made, say)
            files_made = [path for path in made.rglob("*") if path.is_file()]
            for path in sorted(files_made, key=lambda path: path.name == "index.html"):
                (report / path.relative_to(made).as_posix()).write_bytes(path.read_bytes())
        return report / "index.html"
    sweep(run_folder)
    sounds = _sounds(data, run_folder)
    recordings = sorted({Path(recording.path) for recording in data.recordings.values()})
    inputs = made_of(data, [*sounds.values(), *recordings])
    if not is_current(report, inputs):
        with new_folder(report) as part:
            unread = _write(data, run_folder, part, say)
            write_made(part, "" if unread else inputs)  # written again as long as something cannot be read
    return report / "index.html"


def _sounds(data: ReportData, run_folder: Path) -> dict[str, Path]:
    """The files of a report's sounds, by name."""
    return {item.render.audio: run_folder / item.audio for item in data.items if item.audio and item.render.audio}


def _write(data: ReportData, run_folder: Path, part: Path, say: Callable[[str], None]) -> list[str]:
    """Write all files of the report into a new folder; return a line for each sound that cannot be read."""
    with as_file(files("innerear.report")) as package:
        for folder in ("assets", "vendor"):
            _copy_files(package / folder, part / folder)
    shell = page(
        "shell.html.j2", title=data.title, created=data.created, tiers=TIERS,
        compared=bool(data.comparison), listening=bool(data.listening),
    )  # fmt: skip
    (part / "index.html").write_text(shell, encoding="utf-8")
    picture = scorecard_svg(scorecard(data.scores)).encode("utf-8", "replace")
    (part / "scorecard.svg").write_bytes(picture)
    unread: list[str] = []
    real = _write_recordings(data.recordings, part / "recordings", unread.append)
    old = _Pictures(run_folder / "report")
    lost = _write_sounds(_sounds(data, run_folder), old, part / "sounds")
    _write_sounds({row["audio"]: part / row["path"] for row in real.values()}, old, part / "sounds")
    remedy = f"`innerear render {'RUN' if data.comparison else run_folder}` renders it again"
    unread += (f"{why}; {remedy}" for why in lost.values())
    items = [msgspec.structs.replace(item, audio=None) if item.render.audio in lost else item for item in data.items]
    _write_data(msgspec.structs.replace(data, items=items, warnings=[*data.warnings, *unread]), real, part / "data")
    for line in unread:
        say(line)
    return unread


def _copy_files(source: Path, target: Path) -> None:
    """Copy a folder, stopping at the first error (`copytree` continues on a full disk and reports every file)."""
    target.mkdir()
    for path in source.iterdir():
        if path.is_dir():
            _copy_files(path, target / path.name)
        else:
            shutil.copyfile(path, target / path.name)


def script(kind: str, name: str, content: Any) -> str:
    """A line of JavaScript that passes JSON to the page; ASCII, without `<`.

    The JSON is a string, as the key `__proto__` has a special meaning in an object literal.

    >>> script("probe", "p", {"text": "</script>"})
    'InnerEar.receive("probe", "p", "{\\\\"text\\\\": \\\\"\\\\u003c/script>\\\\"}");\\n'
    """
    texts = (kind, name, json.dumps(content, allow_nan=False))
    return f"InnerEar.receive({', '.join(map(json.dumps, texts))});\n".replace("<", "\\u003c")


def page(template: str, **values: Any) -> str:
    """Render a template of this package, such as `shell.html.j2`; replaces text that is not valid UTF-8."""
    import jinja2

    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    text = environment.from_string(files("innerear.report").joinpath(template).read_text(encoding="utf-8"))
    return text.render(**values).encode("utf-8", "replace").decode()


def _write_data(data: ReportData, recordings: dict[str, dict[str, Any]], folder: Path) -> None:
    folder.mkdir()
    entrants = list(dict.fromkeys((item.completion.model, item.completion.strategy) for item in data.items))
    probes = {probe.id: probe for probe in data.probes}
    by_probe: dict[str, list[dict[str, Any]]] = {}
    by_tier: dict[str, list[dict[str, Any]]] = {tier: [] for tier in TIERS}
    rows = []
    anatomies = _Anatomies()
    card = scorecard(data.scores)
    for place, item in enumerate(data.items):
        probe = probes[item.completion.probe]
        entrant = entrants.index((item.completion.model, item.completion.strategy))
        built, marks = anatomies.of(item)
        rows.append(_row(item, entrant, probe, built))
        by_tier[probe.tier] += _heard(item, place)
        by_probe.setdefault(probe.id, []).append({**whole(item), "entrant": entrant, "marks": plain(marks)})
    index = {
        "title": data.title,
        "created": data.created,
        "asked": plain(data.asked),
        "finding": data.finding,
        "warnings": data.warnings,
        "funnels": plain(data.funnels),
        "listening": [whole(test) for test in data.listening],
        "scores": [whole(score) for score in data.scores],
        "card": {
            "rows": [whole(row) for row in card],
            "tiers": tiers_of(card),
            "questions": QUESTIONS,
            "legend": legend(card),
        },
        "highlights": [whole(one) for one in highlights(data.items, data.probes, data.scores, recordings)],
        "lacking": data.lacking,
        "ceilings": {one.name: one.real for one in shipped()},
        "metrics": plain(data.metrics),
        "techniques": TECHNIQUES,
        "entrants": [{"model": model, "strategy": strategy} for model, strategy in entrants],
        "probes": [
            {**plain(probe), "file": digest("probe", probe.id), "recording": recordings.get(probe.id)}
            for probe in data.probes
        ],
        "items": rows,
        "comparison": data.comparison or None,
        "picture": {
            "version": pictures.VERSION,
            "range_db": pictures.RANGE_DB,
            "ticks": [[f_hz, round(pictures.height(f_hz), 4)] for f_hz in TICKS_HZ],
        },
    }
    (folder / "index.js").write_text(script("index", "", index), encoding="ascii")
    for tier, heard in by_tier.items():
        (folder / f"{tier}.js").write_text(script("tier", tier, heard), encoding="ascii")
    for probe_id, items in by_probe.items():
        name = digest("probe", probe_id)
        (folder / f"{name}.js").write_text(script("probe", name, items), encoding="ascii")


def whole(row: Any) -> Any:
    """A row, and the rows in it, as plain values, including fields at their defaults."""
    if isinstance(row, list):
        return [whole(each) for each in row]
    if not isinstance(row, msgspec.Struct):
        return plain(row)
    return {name: whole(getattr(row, name)) for name in row.__struct_fields__}


class _Anatomies:
    """Anatomies of programs, cached by code."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, Language], tuple[Anatomy, list[Mark]] | None] = {}

    def of(self, item: Item) -> tuple[Anatomy | None, list[Mark]]:
        """The anatomy of an item's program and its line marks; `None` without a program."""
        if item.program is None or item.program.code is None:
            return None, []
        key = item.program.code, item.program.language
        if key not in self._known:
            self._known[key] = dissected(*key)
        return self._known[key] or (None, [])


def _row(item: Item, entrant: int, probe: Probe, built: Anatomy | None) -> dict[str, Any]:
    """The fields of an item that the tables and filters need."""
    judged = [m.passed for check, m in checked(probe, item.measurements) if check.headline and m.passed is not None]
    failure = next((m.detail["words"][0] for m in item.measurements if m.metric == "failure"), None)
    row = {
        "probe": probe.id,
        "entrant": entrant,
        "attempt": item.completion.attempt,
        "outcome": item.render.outcome.value,
        "audio": item.render.audio if item.audio else None,
        "passed": sum(judged),
        "of": len(judged),
        "lacking": sum(check.headline for check in probe.expect) - len(judged),
        "values": {m.metric: m.value for m in item.measurements if m.value is not None},
        "failure": failure,
    }
    if built is not None:
        row["built"] = {
            "techniques": [TECHNIQUES.index(name) for name in built.techniques],
            "lines": built.lines,
            "loops": built.sample_loops,
            "hz": len(built.frequencies),
            "imports": built.imports,
        }
    return row


def _heard(item: Item, place: int) -> list[dict[str, Any]]:
    """The check results of an item; `at` is the index of the check."""
    found = [(m.check, m) for m in item.measurements if m.check is not None]
    wanted = ("metric", "value", "passed", "reason", "detail")
    return [{"item": place, "at": at, **{name: getattr(m, name) for name in wanted}} for at, m in found]


def _write_recordings(
    recordings: dict[str, Recording], folder: Path, say: Callable[[str], None]
) -> dict[str, dict[str, Any]]:
    """Copy each recording once, cut to `MOST_SECONDS`; return its facts for the page, by probe."""
    folder.mkdir()
    names: dict[str, str | None] = {}
    found = {}
    for probe, recording in recordings.items():
        if recording.path not in names:
            names[recording.path] = _copied(Path(recording.path), folder, say)
        path = names[recording.path]
        if path is None:
            continue
        found[probe] = {
            "audio": Path(path).stem,
            "path": f"recordings/{path}",
            "licence": recording.licence,
            "attribution": recording.attribution,
            "remark": recording.remark,
        }
    return found


def _copied(source: Path, folder: Path, say: Callable[[str], None]) -> str | None:
    """Copy a recording; return the name of the copy, `None` if it cannot be read."""
    try:
        sound = clip.read(source)
        size = source.stat().st_size
    except (AudioError, OSError) as error:
        say(f"the recording {error}; `innerear reference fetch` fetches it again")
        return None
    name = f"{digest('recording', source.name, size)}{source.suffix.lower()}"
    if sound.duration_s > MOST_SECONDS:
        name = f"{Path(name).stem}.flac"
        cut = clip.Clip(sound.samples[:, : round(MOST_SECONDS * sound.sample_rate)], sound.sample_rate)
        (folder / name).write_bytes(clip.flac(cut)[0])
    else:
        shutil.copyfile(source, folder / name)
    shutil.copystat(source, folder / name)  # its time shows whether an older report's pictures are current
    return name


class _Pictures:
    """The pictures of an older report that are as they were written."""

    def __init__(self, report: Path) -> None:
        self._report, self._made = report, read_made(report).files

    def of(self, audio: Path, names: Sequence[str]) -> list[bytes] | None:
        """The files of these names; `None` if one is missing, damaged, or older than the sound."""
        try:
            changed_s = audio.stat().st_mtime
            if any((self._report / "sounds" / name).stat().st_mtime < changed_s for name in names):
                return None
            found = [(self._report / "sounds" / name).read_bytes() for name in names]
        except OSError:  # missing, or replaced by another process
            return None
        whole = (
            self._made.get(f"sounds/{name}") == content_digest(each) for name, each in zip(names, found, strict=True)
        )
        return found if all(whole) else None


def _write_sounds(sounds: dict[str, Path], old: _Pictures, new: Path) -> dict[str, str]:
    """Write the pictures of sounds; return the errors of those that cannot be read, by name."""
    new.mkdir(exist_ok=True)
    lost: dict[str, str] = {}

    def write(pair: tuple[str, Path]) -> None:
        name, audio = pair
        try:
            _write_sound(audio, old, new, name)
        except AudioError as error:
            lost[name] = str(error)

    for _ in ordered(write, sounds.items()):
        pass
    return lost


def _write_sound(audio: Path, old: _Pictures, new: Path, name: str) -> None:
    names = [f"{name}.{pictures.VERSION}.{kind}" for kind in ("png", "js")]
    if (known := old.of(audio, names)) is not None:
        for each, content in zip(names, known, strict=True):
            (new / each).write_bytes(content)
        return
    try:
        sound = clip.read(opened(audio))
    except OSError as error:  # of an object store
        raise AudioError(f"{audio} cannot be read: {error}") from error
    above, below = pictures.peaks(sound)
    shown = {"duration_s": sound.duration_s, "above": above, "below": below}
    (new / names[0]).write_bytes(pictures.png(pictures.spectrogram(sound)))
    (new / names[1]).write_text(script("sound", name, shown), encoding="ascii")
