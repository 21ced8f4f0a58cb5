"""Pack a run into one file, to listen to, read and rescore without an API key; and unpack it.

    FILE (a zip)
    ├── pack.json           format version, and the version of InnerEar
    ├── run.json, probes.jsonl, scores.json
    ├── completions.jsonl, renders.jsonl, repeats.jsonl, measurements.jsonl    rows by key
    ├── embeddings/<embedder>-<digest>/<digest>.npz
    └── audio/<digest>.flac

Rows are sorted, file times and everything specific to this machine are left out, so equal runs give
equal bytes. Packed text is scrubbed (see `scrub`). A file to unpack is untrusted: only the names above
are written, every row is decoded, every sound must match its row, and the expansion ratio is limited.
`scores.json` is only the packer's claim; the next `innerear score` recomputes it.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from innerear import stages
from innerear.clip import flac_rate
from innerear.embed.store import load_frames
from innerear.errors import UsageError
from innerear.records import Completion, Measurement, Probe, Render, Repeat, Score
from innerear.render.render import is_there
from innerear.render.talkers import TALKERS
from innerear.render.tools import is_hosted, recording
from innerear.run.parts import from_json, plain, read_rows, to_json, typed, write_whole
from innerear.run.run import Run, RunFile, embeddings_folder, probes_digest, program_of
from innerear.run.whole import FULL, new_file, of_disk, sweep, temporary, writing
from innerear.scores.stage import ScoreFile
from innerear.sharing.scrub import NAMED_LIKE_KEYS, SECRET, Scrub
from innerear.suite import validate

FORM = 1
STAGES: dict[str, Any] = {
    "completions": Completion, "renders": Render, "repeats": Repeat, "measurements": Measurement,
}  # fmt: skip
PART = "0-packed.jsonl"  # sorts before all later part files: the first row of a key wins
NAMES = re.compile(
    r"(?:pack\.json|run\.json|scores\.json|probes\.jsonl|(?:completions|renders|repeats|measurements)\.jsonl"
    r"|audio/[0-9a-f]{32}\.flac|embeddings/[a-z0-9][a-z0-9-]{0,40}-[0-9a-f]{8}/[0-9a-f]{32}\.npz)"
)
STORED = (".flac", ".npz")  # already compressed
NEEDED = ("pack.json", "run.json", "probes.jsonl")
BLOCK = 1 << 20
MOST_FILES = 1_000_000
MOST_TIMES = 100  # maximum expansion ratio
SMALL = 1 << 26  # bytes; always allowed, however small the file
MOST_SAMPLES = 1 << 26  # of one sound, all channels: 64 MiB, the most that a program may write, at 1 byte per sample
AUDIO = re.compile(r"[0-9a-f]{32}")
_EARLIEST = (1980, 1, 1, 0, 0, 0)


class _Head(msgspec.Struct, frozen=True):
    form: int
    by: str


# ---- out


def pack(run: Run, out: Path, as_is: bool = False) -> str:
    """Pack a run into one file atomically; return the SHA-256 of its bytes.

    `as_is` keeps programs unchanged even if something in them looks like a secret or a local path;
    the values of environment variables with key-like names are never packed.

    Raises:
        UsageError: `out` exists, or scrubbing would change a program.
    """
    if out.exists():
        raise UsageError(f"{out} already exists; name a new file")
    scores = stages.score(run)
    scrub = Scrub({str(run.folder.resolve()): "<run>"})
    members = dict(_members(run, scores, scrub, as_is))
    with new_file(out) as part, zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as file:
        for name, content in members.items():
            info = zipfile.ZipInfo(name, _EARLIEST)
            info.create_system, info.external_attr = 3, 0o644 << 16
            info.compress_type = zipfile.ZIP_STORED if name.endswith(STORED) else zipfile.ZIP_DEFLATED
            file.writestr(info, content if isinstance(content, bytes) else content.read_bytes())
    with out.open("rb") as packed:
        return hashlib.file_digest(packed, "sha256").hexdigest()


def _members(run: Run, scores: Sequence[Score], scrub: Scrub, as_is: bool) -> Iterator[tuple[str, bytes | Path]]:
    """The members of a packed run in order: name, and content or source file."""
    rows = {stage: read_rows(run.folder / stage, row_type) for stage, row_type in STAGES.items()}
    yield "pack.json", _json(_Head(FORM, f"innerear {run.file.versions.get('innerear', '')}".strip()))
    probes = [_clean(probe, scrub) for probe in run.probes]
    file = _clean_file(run.file, scrub)
    yield "run.json", _json(msgspec.structs.replace(file, probes=[probes_digest(probes)]))
    yield "probes.jsonl", b"".join(map(_json, probes))
    yield "scores.json", _json(ScoreFile("", [_clean(score, scrub) for score in scores]))
    for stage in STAGES:
        cleaned = {key: _clean(row, scrub) for key, row in sorted(rows[stage].items())}
        if stage == "completions":
            cleaned = _with_programs(run, rows[stage], cleaned, scrub, as_is)
        yield f"{stage}.jsonl", b"".join(map(_json, cleaned.values()))
    for name in sorted(run.asked.embedders):
        if name in run.file.signatures:
            for path in sorted(embeddings_folder(run, name).glob("[!.]*.npz")):
                yield f"embeddings/{path.parent.name}/{path.name}", path
    first = {row.audio for row in rows["renders"].values() if row.audio}
    again = {row.audio for row in rows["repeats"].values() if row.audio}
    for audio in sorted(first | again):
        if not is_there(path := run.audio / f"{audio}.flac"):
            twice = "" if audio in first else " --twice"
            raise UsageError(f"{path} is missing; `innerear render {run.folder}{twice}` renders it again")
        yield f"audio/{audio}.flac", path


def _json(row: Any) -> bytes:
    return to_json(row) + b"\n"


def _clean(row: Any, scrub: Scrub) -> Any:
    """A row with all its text scrubbed."""
    return typed(_scrubbed(plain(row), scrub), type(row))


def _scrubbed(value: Any, scrub: Scrub) -> Any:
    if isinstance(value, str):
        return scrub.text(value)
    if isinstance(value, dict):
        return {scrub.text(name): _scrubbed(each, scrub) for name, each in value.items()}
    return [_scrubbed(each, scrub) for each in value] if isinstance(value, list) else value


def _clean_file(file: RunFile, scrub: Scrub) -> RunFile:
    asked = msgspec.structs.replace(
        file.asked,
        base_url=scrub.url(file.asked.base_url) if file.asked.base_url else None,
        parameters={
            name: SECRET if NAMED_LIKE_KEYS.search(name) else value for name, value in file.asked.parameters.items()
        },
    )
    clean: RunFile = _clean(msgspec.structs.replace(file, command=scrub.command(file.command), asked=asked), scrub)
    if len(set(clean.asked.models)) < len(set(asked.models)):
        raise UsageError("two models of this run differ only in a file path; rename one of the files")
    return _guarded(clean)


def _guarded(file: RunFile) -> RunFile:
    """The settings with `jail=off` replaced by `auto`, so that whoever unpacks the run uses a jail."""
    jail = "auto" if file.asked.jail == "off" else file.asked.jail
    return msgspec.structs.replace(file, asked=msgspec.structs.replace(file.asked, jail=jail))


def _with_programs(
    run: Run, before: dict[str, Completion], after: dict[str, Completion], scrub: Scrub, as_is: bool
) -> dict[str, Completion]:
    """The scrubbed rows, checked to have the same programs as before scrubbing."""
    probes, track = {probe.id: probe for probe in run.probes}, run.asked.track
    spoilt = []
    for key, row in after.items():
        probe, was = probes.get(row.probe), before[key]
        if probe is None or row.text == was.text or program_of(row, probe, track) == program_of(was, probe, track):
            continue
        after[key] = msgspec.structs.replace(row, text=scrub.secrets(was.text))
        spoilt += [f"{row.probe} by {row.model}"] if not as_is or after[key].text != was.text else []
    if spoilt:
        raise UsageError(
            f"{len(spoilt)} programs contain what looks like a key or a local path: {', '.join(spoilt[:5])}; "
            "removing it would change them. Check them (`innerear report`); --as-is packs them unchanged, "
            "except for the values of this environment's keys"
        )
    return after


# ---- in


def unpack(file: Path, out: Path) -> Run:
    """Unpack a run into a new folder atomically.

    Raises:
        UsageError: `out` is not new, or the file is not a valid packed run; the message says in one
            line what is wrong.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UsageError(f"{out} already exists; name a new folder")
    if file.exists() and not file.is_file():
        raise UsageError(f"{file} is not a file made by `innerear pack`")
    with writing(out.parent):
        out.parent.mkdir(parents=True, exist_ok=True)
    sweep(out.parent)
    part = temporary(out)
    try:
        _extract(file, part)
        _check(Run(part), file)
        if out.exists():
            out.rmdir()
        part.rename(out)
    except UsageError as error:
        raise UsageError(str(error).replace(f"{part}/", f"{file}: ").replace(str(part), str(file))) from error
    except OSError as error:
        if error.errno in FULL or error.filename is None or not str(error.filename).startswith(str(file)):
            raise of_disk(error, out.parent) from error
        raise UsageError(f"{file} cannot be unpacked: {error}") from error
    except (zipfile.BadZipFile, zlib.error, struct.error, EOFError, ValueError, RuntimeError) as error:
        raise UsageError(f"{file} is not a packed run, or is truncated or damaged: {error}") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return Run(out)


def _extract(file: Path, folder: Path) -> None:
    """Write the members of a packed run, after checking their names and sizes."""
    size = file.stat().st_size
    with file.open("rb") as opened:
        if (listed := _listed_bytes(opened, size)) > MOST_FILES * 64:
            raise UsageError(f"{file} lists more than {MOST_FILES} files ({listed} bytes of names)")
        with zipfile.ZipFile(opened) as packed:
            members = packed.infolist()
            _allow(file, members, size)
            for member in members:
                path = _place(folder, member.filename)
                path.parent.mkdir(parents=True, exist_ok=True)
                with packed.open(member) as source, path.open("xb") as target:
                    shutil.copyfileobj(source, target, BLOCK)


def _listed_bytes(opened: BinaryIO, size: int) -> int:
    """The size in bytes of a zip's central directory, read before it is parsed."""
    tail_at = max(0, size - 65_557)
    opened.seek(tail_at)
    tail = opened.read()
    opened.seek(0)
    end = tail.rfind(b"PK\x05\x06")
    if end < 0 or len(tail) < end + 22:
        raise zipfile.BadZipFile("it has no central directory")
    listed = int(struct.unpack_from("<L", tail, end + 12)[0])
    if tail[max(0, end - 20) : end].startswith(b"PK\x06\x07"):  # zip64: the true size is in a separate record
        opened.seek(struct.unpack_from("<Q", tail, end - 12)[0])
        listed = struct.unpack_from("<40xQ", opened.read(56))[0]
        opened.seek(0)
    return listed


def _allow(file: Path, members: list[zipfile.ZipInfo], size: int) -> None:
    names = [member.filename for member in members]
    if bad := next((name for name in names if not NAMES.fullmatch(name)), None):
        raise UsageError(f"{file} holds {bad[:80]!r}, which is not part of a packed run; nothing was unpacked")
    if len(set(names)) < len(names):
        twice, _ = Counter(names).most_common(1)[0]
        raise UsageError(f"{file} holds {twice!r} twice; nothing was unpacked")
    if missing := [name for name in NEEDED if name not in names]:
        raise UsageError(f"{file} is not a packed run: it has no {missing[0]}")
    for member in members:
        if (member.external_attr >> 16) & 0o170000 not in (0, 0o100000):
            raise UsageError(f"{file} holds {member.filename!r} as something other than a file; nothing was unpacked")
        kind = zipfile.ZIP_STORED if member.filename.endswith(STORED) else zipfile.ZIP_DEFLATED
        if member.compress_type not in (zipfile.ZIP_STORED, kind) or member.flag_bits & 1:
            raise UsageError(f"{file} holds {member.filename!r} with an unexpected compression or encryption")
    if (total := sum(member.file_size for member in members)) > SMALL + MOST_TIMES * size:
        raise UsageError(
            f"{file} would unpack to {total} bytes, over {MOST_TIMES} times its size; nothing was unpacked"
        )


def _place(folder: Path, name: str) -> Path:
    """The path of a member; rows of a stage become a part file in its folder."""
    stage = name.removesuffix(".jsonl")
    return folder / stage / PART if stage in STAGES else folder / name


def _check(run: Run, file: Path) -> None:
    """Check that every row decodes, no path leaves the folder, and nothing is larger than declared."""
    head = _read(run.folder / "pack.json", _Head)
    if head.form != FORM:
        raise UsageError(f"{file} has format {head.form}; this version reads format {FORM}")
    (run.folder / "pack.json").unlink()
    write_whole(run.folder / "run.json", to_json(_guarded(run.file), indent=2))
    scores = run.folder / "scores.json"
    if scores.exists():  # without its inputs, the next `innerear score` recomputes it
        write_whole(scores, to_json(msgspec.structs.replace(_read(scores, ScoreFile), inputs="")))
    for probe in run.probes:
        try:
            validate(probe)
        except ValueError as error:
            raise UsageError(f"{file}: the probe {probe.id[:80]!r} is invalid: {error}") from error
    rows = {stage: read_rows(run.folder / stage, row_type) for stage, row_type in STAGES.items()}
    for completion in rows["completions"].values():
        named = completion.recording
        if named is not None and not (is_asked(named, run.probes) if is_hosted(named) else _stays_inside(named)):
            raise UsageError(
                f"{file} names the recording {named[:80]!r}, expected a path within the data, or a baseline's"
            )
    for name in run.asked.embedders:
        if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,40}", name):
            raise UsageError(f"{file} names the embedder {name[:80]!r}, which does not exist")
    heard = {}
    for row in (*rows["renders"].values(), *rows["repeats"].values()):
        if row.audio is not None and not AUDIO.fullmatch(row.audio):
            raise UsageError(f"{file} names the sound {row.audio[:80]!r}, expected 32 hexadecimal digits")
        if row.audio is not None and isinstance(row, Render):
            heard[row.audio] = row
    for audio, row in heard.items():
        _check_sound(run.audio / f"{audio}.flac", row, file)
    for path in run.folder.glob("embeddings/*/*.npz"):
        _check_embeddings(path, file)


def _read(path: Path, row_type: Any) -> Any:
    try:
        return from_json(path.read_bytes(), row_type)
    except ValueError as error:
        raise UsageError(f"{path}: {error}") from error


def _stays_inside(path: str) -> bool:
    return not path.startswith("/") and "\\" not in path and ".." not in path.split("/") and ":" not in path


def _check_sound(path: Path, row: Render, file: Path) -> None:
    """Check that a sound's header matches its row, before it is decoded."""
    import soundfile

    try:
        info = soundfile.info(path)
    except soundfile.LibsndfileError as error:
        raise UsageError(f"{file}: audio/{path.name} is missing or not a sound file: {error}") from error
    found = (info.format, info.samplerate, info.channels, info.frames)
    wanted = ("FLAC", flac_rate(row.sample_rate or 0), row.channels, row.samples)
    if found != wanted or info.frames * info.channels > MOST_SAMPLES:
        raise UsageError(f"{file}: audio/{path.name} is {found}, its row says {wanted}")


def _check_embeddings(path: Path, file: Path) -> None:
    """Check that an embeddings file has frames by name and limited expansion."""
    with zipfile.ZipFile(path) as arrays:
        total = sum(member.file_size for member in arrays.infolist())
    if total > SMALL + MOST_TIMES * path.stat().st_size:
        raise UsageError(f"{file}: embeddings/{path.parent.name}/{path.name} would expand to {total} bytes")
    stored = load_frames(path)
    if len(stored.names) != len(stored.clips) or any(clip.ndim != 2 for clip in stored.clips):
        raise UsageError(f"{file}: embeddings/{path.parent.name}/{path.name} has no frames by name")


def is_asked(name: str, probes: Iterable[Probe]) -> bool:
    """Whether a recording's tool input is what a baseline gives that tool for one of these probes.

    For unpacked runs, whose tool input is untrusted and must not reach a tool otherwise.
    """
    from innerear.ask.models.sampler import midi_file, score
    from innerear.ask.models.talker import text_of

    tool, _, text = name.partition(":")
    try:
        given = json.loads(text)
    except ValueError:
        return False
    if not isinstance(given, dict) or recording(tool, given) != name:
        return False
    for probe in probes:
        if tool in TALKERS and given == {"text": text_of(probe), "duration_s": probe.duration_s}:
            return True
        if tool == "fluidsynth" and (events := score(probe)):
            font = given.get("soundfont")
            if isinstance(font, str) and given == {"soundfont": font, "midi": midi_file(events)}:
                return True
    return False
