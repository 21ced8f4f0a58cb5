"""The run folder: what was asked, and the rows of each stage joined into items.

A folder is described in the README's section on runs. Nothing here runs a stage; see `stages`.
"""

from __future__ import annotations

import datetime
import functools
import os
import platform
from collections.abc import Iterator, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import msgspec

from innerear.errors import UsageError
from innerear.extract import extract
from innerear.guard import guarded
from innerear.parts import read_rows, write_whole
from innerear.records import Completion, Limits, Measurement, Outcome, Probe, Program, Render, Repeat, Track
from innerear.render import render_key, runtime
from innerear.suite import CANARY, holds_canary


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """All that was asked of a run; with the models, all that it takes to do it again.

    A second command on the same folder is joined with the first, or refused (see `create`). No key
    and no address of the user's machine stands here.
    """

    models: list[str]
    strategy: str = "direct"
    attempts: int = 1
    suite: str = ""
    suite_digest: str = ""
    canary: str = CANARY
    limits: Limits = Limits()
    jail: str = "auto"
    seed: int = 0
    track: Track = "scratch"
    embedders: list[str] = []
    base_url: str | None = None
    parameters: dict[str, Any] = {}


class RunFile(msgspec.Struct, frozen=True):
    """`run.json`: what was asked, by which command, with which versions, on what machine.

    `signatures` are those of the embedders that made the embeddings, by name.
    """

    asked: Asked
    created: str
    command: str
    versions: dict[str, str]
    machine: dict[str, Any]
    signatures: dict[str, str] = {}


class Item(msgspec.Struct, frozen=True):
    """One completion and what came of it, joined."""

    probe: Probe
    completion: Completion
    program: Program
    render: Render


class Run:
    """A run folder that is there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            self.file = msgspec.json.decode((folder / "run.json").read_bytes(), type=RunFile)
            lines = (folder / "probes.jsonl").read_bytes().splitlines()
            self.probes = [msgspec.json.decode(line, type=Probe) for line in lines]
        except FileNotFoundError as error:
            missing = Path(error.filename or str(error)).name
            raise UsageError(f"{folder} is no run, it has no {missing}; `innerear run` makes one") from error
        except msgspec.DecodeError as error:
            raise UsageError(f"{folder} is no run of this version: {error}") from error

    @property
    def asked(self) -> Asked:
        """What was asked."""
        return self.file.asked

    @property
    def audio(self) -> Path:
        """Where sounds are stored."""
        return self.folder / "audio"

    def completions(self) -> list[Completion]:
        """The completions that were asked for, in the order of models, attempts and probes."""
        models = {model: place for place, model in enumerate(self.asked.models)}
        probes = {probe.id: place for place, probe in enumerate(self.probes)}
        wanted = [
            completion
            for completion in read_rows(self.folder / "completions", Completion).values()
            if completion.model in models
            and completion.probe in probes
            and completion.strategy == self.asked.strategy
            and completion.attempt < self.asked.attempts
        ]
        wanted.sort(key=lambda c: (models[c.model], c.attempt, probes[c.probe]))
        return wanted

    def items(self) -> list[Item]:
        """The completions with their programs and renders; without a row, a render is *not rendered*.

        Where another Python, NumPy or SciPy is here than when the run was made, and nothing was
        rendered with it, the renders are those of then: the sounds that the run stands on.
        """
        then = {name: self.file.versions.get(name, "") for name in runtime()}
        renders = read_rows(self.folder / "renders", Render)
        probes = {probe.id: probe for probe in self.probes}
        items = []
        for completion in self.completions():
            program = program_of(completion, probes[completion.probe], self.asked.track)
            key = render_key(program, self.asked.limits, self.asked.seed)
            render = renders.get(key) or renders.get(render_key(program, self.asked.limits, self.asked.seed, then))
            render = render or Render(key, program.digest, Outcome.NOT_RENDERED, "not rendered yet")
            items.append(Item(probes[completion.probe], completion, program, render))
        return items

    def leaks(self) -> list[str]:
        """One line a model whose completions hold the canary of the suite: it has seen the suite's file."""
        held: dict[str, list[str]] = {}
        for completion in self.completions():
            if any(holds_canary(text, self.asked.canary) for text in completion.texts()):
                held.setdefault(completion.model, []).append(completion.probe)
        return [
            f"{model} has seen the suite: {len(probes)} of its completions hold the canary, the first {probes[0]}"
            for model, probes in held.items()
        ]

    def repeats(self) -> dict[str, Repeat]:
        """Second runs by the key of the render, where they were asked for."""
        return read_rows(self.folder / "repeats", Repeat)

    def measurements(self) -> dict[str, Measurement]:
        """All measurements by key."""
        return read_rows(self.folder / "measurements", Measurement)


def program_of(completion: Completion, probe: Probe, track: Track = "scratch") -> Program:
    """The program in a completion, read by the guard, or the recording that stands instead of one."""
    if completion.recording is not None:
        return Program(None, "a recording", completion.recording, probe.duration_s)
    return msgspec.structs.replace(_program(completion.text, track), duration_s=probe.duration_s)


@functools.lru_cache(maxsize=1 << 18)
def _program(text: str, track: Track) -> Program:
    """Stages ask again and again; reading a program's syntax tree takes milliseconds."""
    return guarded(extract(text), track)


def create(folder: Path, asked: Asked, probes: Sequence[Probe], command: str) -> Run:
    """Make a run folder, or take one up: models, probes, embedders and attempts add up.

    Raises:
        UsageError: the folder holds something else, or what is asked now cannot stand in one table
            with what was asked then: another strategy, suite, limits, seed, track, other parameters.
    """
    created = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    signatures: dict[str, str] = {}
    if (folder / "run.json").exists():
        before = Run(folder)
        created, signatures = before.file.created, before.file.signatures
        asked, probes = _joined(before, asked, probes)
        if before.asked == asked and before.probes == list(probes):
            return before
    elif folder.exists() and any(folder.iterdir()):
        raise UsageError(f"{folder} is not empty and is no run; name a new folder, or one that `innerear run` made")
    write_whole(folder / "probes.jsonl", b"".join(msgspec.json.encode(probe) + b"\n" for probe in probes))
    return save(folder, RunFile(asked, created, command, versions(), machine(), signatures))


def _joined(before: Run, asked: Asked, probes: Sequence[Probe]) -> tuple[Asked, list[Probe]]:
    """What a run is asked when a second command comes to it."""
    then = before.asked
    probes = _joined_probes(before, asked, probes)
    must_agree = ["strategy", "limits", "seed", "track"]
    if set(then.models) & set(asked.models) or (then.parameters and asked.parameters):
        must_agree.append("parameters")
    for name in must_agree:
        if getattr(then, name) != getattr(asked, name):
            raise _other(before, name, getattr(then, name), getattr(asked, name))
    return msgspec.structs.replace(
        asked,
        models=list(dict.fromkeys([*then.models, *asked.models])),
        embedders=list(dict.fromkeys([*then.embedders, *asked.embedders])),
        attempts=max(then.attempts, asked.attempts),
        parameters=asked.parameters or then.parameters,
        base_url=asked.base_url or then.base_url,
    ), probes


def _joined_probes(before: Run, asked: Asked, probes: Sequence[Probe]) -> list[Probe]:
    """The probes of both; or those of a suite whose checks were edited, if none of the run's is missing."""
    known, now = ({probe.id: probe for probe in some} for some in (before.probes, probes))
    shared = known.keys() & now.keys()
    if before.asked.suite_digest == asked.suite_digest and all(known[name] == now[name] for name in shared):
        return [*before.probes, *(probe for probe in probes if probe.id not in known)]
    if shared < known.keys() or any(_question(known[name]) != _question(now[name]) for name in shared):
        then, wanted = (f"{one.suite} (digest {one.suite_digest[:12]})" for one in (before.asked, asked))
        raise _other(before, "suite", then, wanted)
    return list(probes)


def _question(probe: Probe) -> Probe:
    """What decides the messages to a model: all but the checks, which are made again when they change."""
    return msgspec.structs.replace(probe, expect=[])


def _other(before: Run, what: str, then: object, now: object) -> UsageError:
    return UsageError(
        f"{before.folder} was asked with {what} {then}, now with {now}: one run cannot hold both; name another folder"
    )


def save(folder: Path, file: RunFile) -> Run:
    """Write `run.json` and open the run."""
    write_whole(folder / "run.json", msgspec.json.format(msgspec.json.encode(file), indent=2))
    return Run(folder)


def versions() -> dict[str, str]:
    """Of this package and of what its numbers may depend on."""
    found = {"innerear": metadata.version("innerear"), **runtime()}
    for name in ("soundfile", "soxr", "ai-edge-litert", "onnxruntime", "tokenizers", "pyloudnorm"):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def machine() -> dict[str, Any]:
    """The processor, its cores, and the system; nothing that names its owner."""
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
