"""Make a run folder, or extend one by a second command."""

from __future__ import annotations

import contextlib
import datetime
import os
import platform
from collections.abc import Iterator, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import msgspec

from innerear.errors import UsageError
from innerear.languages import Language
from innerear.records import Probe
from innerear.run.keys import runtime
from innerear.run.parts import write_whole
from innerear.run.run import Run, RunConfig, RunFile, holds, probes_digest, read_file, read_probes, save
from innerear.run.whole import locked

OURS = {
    "audio", "completions", "embeddings", "guarded", "heard.json", "listening", "measurements", "probes.jsonl",
    "renders", "repeats", "report", "run.json", "scores.json",
}  # fmt: skip
"""Names in a run folder."""


def create(folder: Path, asked: RunConfig, probes: Sequence[Probe], command: str) -> Run:
    """Make a run folder, or extend an existing one: models, probes, embedders and attempts are merged.

    Raises:
        UsageError: the folder holds something else, or the new configuration cannot share a table with the old one
            (another strategy, suite, limits, seed or track, or other parameters).
    """
    with locked(folder):
        return _create(folder, asked, probes, command)


def _create(folder: Path, asked: RunConfig, probes: Sequence[Probe], command: str) -> Run:
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    if not (folder / "run.json").exists():
        names = (
            {path.name for path in folder.iterdir() if not path.name.endswith(".part")} if folder.exists() else set()
        )
        if names - OURS or (names and not names & {"completions", "probes.jsonl"}):
            raise UsageError(f"{folder} is neither empty nor a run; name a new folder, or one that `innerear run` made")
        _write_probes(folder, probes)
        made_with = versions(asked.languages)
        return save(folder, RunFile(asked, now, command, made_with, machine(), {}, [probes_digest(probes)]))
    file, known = read_file(folder), read_probes(folder / "probes.jsonl", skip_bad=True)
    if not holds(file, known):
        known = _mended(folder, file, known, probes)
    asked, probes = _joined(folder, file.asked, known, asked, probes)
    if (file.asked, known) == (asked, list(probes)):
        return Run(folder)
    before, after = probes_digest(known), probes_digest(probes)
    if before != after:  # if killed between any two of these writes, the folder is still a valid run
        save(folder, msgspec.structs.replace(file, probes=[before, after]))
        _write_probes(folder, probes)
    made_with = versions(asked.languages)
    return save(folder, RunFile(asked, file.created, command, made_with, machine(), file.signatures, [after]))


def _write_probes(folder: Path, probes: Sequence[Probe]) -> None:
    write_whole(folder / "probes.jsonl", b"".join(msgspec.json.encode(probe) + b"\n" for probe in probes))


def _mended(folder: Path, file: RunFile, readable: Sequence[Probe], given: Sequence[Probe]) -> list[Probe]:
    """Restore a damaged `probes.jsonl` from its readable probes and those given by a command.

    Raises:
        UsageError: some probes are still missing.
    """
    known = {probe.id for probe in readable}
    joined = [*readable, *(probe for probe in given if probe.id not in known)]
    for probes in (list(given), joined):
        if holds(file, probes):
            _write_probes(folder, probes)
            return probes
    raise UsageError(
        f"{folder / 'probes.jsonl'} was changed, and this command does not give all the probes it lacks. Restore it, "
        f"or write it again with the command that made it: {file.command}"
    )


def _joined(
    folder: Path, then: RunConfig, known: Sequence[Probe], asked: RunConfig, probes: Sequence[Probe]
) -> tuple[RunConfig, list[Probe]]:
    """Merge the configuration of an existing run (`then`, `known`) with that of a second command."""
    probes = _joined_probes(folder, then, known, asked, probes)
    must_agree = ["strategy", "limits", "seed", "track"]
    if set(then.models) & set(asked.models) or (then.parameters and asked.parameters):
        must_agree.append("parameters")
    for name in must_agree:
        if getattr(then, name) != getattr(asked, name):
            raise _other(folder, name, getattr(then, name), getattr(asked, name))
    return msgspec.structs.replace(
        asked,
        models=list(dict.fromkeys([*then.models, *asked.models])),
        languages=list(dict.fromkeys([*then.languages, *asked.languages])),
        embedders=list(dict.fromkeys([*then.embedders, *asked.embedders])),
        attempts=max(then.attempts, asked.attempts),
        parameters=asked.parameters or then.parameters,
        base_url=asked.base_url or then.base_url,
    ), probes


def _joined_probes(
    folder: Path, then: RunConfig, known: Sequence[Probe], asked: RunConfig, probes: Sequence[Probe]
) -> list[Probe]:
    """The probes of both; or the new ones if only checks were edited and none of the run's probes is missing."""
    old, new = ({probe.id: probe for probe in some} for some in (known, probes))
    shared = old.keys() & new.keys()
    if then.suite_digest == asked.suite_digest and all(old[name] == new[name] for name in shared):
        return [*known, *(probe for probe in probes if probe.id not in old)]
    if (
        _is_other(then.suite, asked.suite)
        or shared < old.keys()
        or any(_question(old[name]) != _question(new[name]) for name in shared)
    ):
        old_suite, new_suite = (f"{one.suite} (digest {one.suite_digest[:12]})" for one in (then, asked))
        raise _other(folder, "suite", old_suite, new_suite)
    return list(probes)


def _is_other(then: str, now: str) -> bool:
    """Whether two suites have different names; a part of an edition may grow into the whole.

    >>> _is_other("edition 2/core", "edition 2"), _is_other("mine", "edition 1"), _is_other("", "edition 1")
    (False, True, False)
    """
    return bool(then and now) and not now.startswith(then) and not then.startswith(now)


def _question(probe: Probe) -> Probe:
    """What determines the messages to a model: everything but the checks, which are re-measured when they change."""
    return msgspec.structs.replace(probe, expect=[])


def _other(folder: Path, what: str, then: object, now: object) -> UsageError:
    return UsageError(
        f"{folder} was made with {what} {then}, this command has {now}: a run can have only one; name another folder"
    )


def versions(languages: Sequence[Language] = ()) -> dict[str, str]:
    """Versions of this package, of the packages its numbers may depend on and of the languages' tools, by name."""
    by_name = {"innerear": metadata.version("innerear"), **runtime()}
    for language in languages:
        by_name |= {name: version for name, version in runtime(language).items() if version}
    for name in ("soundfile", "soxr", "ai-edge-litert", "onnxruntime", "tokenizers", "pyloudnorm"):
        with contextlib.suppress(metadata.PackageNotFoundError):
            by_name[name] = metadata.version(name)
    return by_name


def machine() -> dict[str, Any]:
    """The operating system, the processor and its core count; nothing that identifies the owner."""
    return {
        "system": f"{platform.system()} {platform.release()}",
        "processor": _processor() or platform.machine(),
        "cores": os.cpu_count(),
    }


def _processor() -> str | None:
    try:
        lines: Iterator[str] = iter(Path("/proc/cpuinfo").read_text().splitlines())
    except OSError:
        return None
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), None)
