"""The run folder: what was asked, and the rows of each stage joined into items.

A folder is described in the README's section on runs. Nothing here runs a stage; see `stages`.
"""

from __future__ import annotations

import datetime
import functools
import os
import platform
import time
from collections.abc import Callable, Iterator, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import msgspec

from innerear.errors import UsageError
from innerear.programs.extract import extract
from innerear.programs.guard import guarded
from innerear.records import (
    Completion,
    Item,
    Limits,
    Measurement,
    Outcome,
    Probe,
    Program,
    Render,
    Repeat,
    Track,
    digest,
)
from innerear.run.keys import render_key, runtime
from innerear.run.parts import from_json, read_rows, write_whole
from innerear.run.whole import locked
from innerear.suite import CANARY, holds_canary

LOOKS = 5  # at run.json and probes.jsonl, where another process may write one after the other
LOOK_S = 0.05  # between two looks
OURS = {
    "audio", "completions", "embeddings", "listening", "measurements", "probes.jsonl", "renders", "repeats",
    "report", "run.json", "scores.json",
}  # fmt: skip
"""What a run folder holds."""


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

    `signatures` are those of the embedders that made the embeddings, by name. `probes` has the digest
    of `probes.jsonl`; two while it is being changed; none in runs of before there was one.
    """

    asked: Asked
    created: str
    command: str
    versions: dict[str, str]
    machine: dict[str, Any]
    signatures: dict[str, str] = {}
    probes: list[str] = []


class Run:
    """A run folder that is there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for look in range(LOOKS):
            self.file, self.probes = _read_file(folder), _read_probes(folder / "probes.jsonl")
            if holds(self.file, self.probes):
                return
            time.sleep(LOOK_S if look < LOOKS - 1 else 0)
        raise UsageError(
            f"{folder / 'probes.jsonl'} is not as it was written: its {len(self.probes)} probes are not those of "
            f"the run. Put it back, or write it again with the command that made it: {self.file.command}"
        )

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


def holds(file: RunFile, probes: Sequence[Probe]) -> bool:
    """Whether these are the probes that `run.json` goes with."""
    return not file.probes or probes_digest(probes) in file.probes


def probes_digest(probes: Sequence[Probe]) -> str:
    """The digest of probes, whatever their order."""
    return digest("probes", sorted(probes, key=lambda probe: probe.id))


def _read_file(folder: Path) -> RunFile:
    path = folder / "run.json"
    try:
        return from_json(path.read_bytes(), RunFile)
    except FileNotFoundError as error:
        raise UsageError(f"{folder} is no run, it has no run.json; `innerear run` makes one") from error
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}") from error
    except ValueError as error:
        raise UsageError(
            f"{folder} is no run of this version, or {path} is damaged: {error}. Put it back, or delete it and "
            "give the command that made it again: all rows stay"
        ) from error


def _read_probes(path: Path, skip_bad: bool = False) -> list[Probe]:
    """The probes of a run; with `skip_bad` those that can be read."""
    probes = []
    try:
        for number, line in enumerate(path.read_bytes().splitlines(), 1):
            try:
                probes.append(from_json(line, Probe))
            except ValueError as error:
                if not skip_bad:
                    raise UsageError(
                        f"{path}, line {number}: {error}; the line is damaged. Put it back, or give the command "
                        "that made the run again: it writes the line anew"
                    ) from error
    except FileNotFoundError as error:
        if not skip_bad:
            raise UsageError(
                f"{path.parent} is no run, it has no probes.jsonl; the command that made it writes it again"
            ) from error
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}") from error
    return probes


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
    with locked(folder):
        return _create(folder, asked, probes, command)


def _create(folder: Path, asked: Asked, probes: Sequence[Probe], command: str) -> Run:
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    if not (folder / "run.json").exists():
        names = (
            {path.name for path in folder.iterdir() if not path.name.endswith(".part")} if folder.exists() else set()
        )
        if names - OURS or (names and not names & {"completions", "probes.jsonl"}):
            raise UsageError(f"{folder} is not empty and is no run; name a new folder, or one that `innerear run` made")
        _write_probes(folder, probes)
        return save(folder, RunFile(asked, now, command, versions(), machine(), {}, [probes_digest(probes)]))
    file, known = _read_file(folder), _read_probes(folder / "probes.jsonl", skip_bad=True)
    if not holds(file, known):
        known = _mended(folder, file, known, probes)
    asked, probes = _joined(folder, file.asked, known, asked, probes)
    if (file.asked, known) == (asked, list(probes)):
        return Run(folder)
    then, mine = probes_digest(known), probes_digest(probes)
    if then != mine:  # a kill between any two of these writes leaves a run
        save(folder, msgspec.structs.replace(file, probes=[then, mine]))
        _write_probes(folder, probes)
    return save(folder, RunFile(asked, file.created, command, versions(), machine(), file.signatures, [mine]))


def _write_probes(folder: Path, probes: Sequence[Probe]) -> None:
    write_whole(folder / "probes.jsonl", b"".join(msgspec.json.encode(probe) + b"\n" for probe in probes))


def _mended(folder: Path, file: RunFile, there: Sequence[Probe], given: Sequence[Probe]) -> list[Probe]:
    """The probes of a run whose file has lost some, with the help of those that a command gives; they are written.

    Raises:
        UsageError: those are not all that were lost.
    """
    known = {probe.id for probe in there}
    joined = [*there, *(probe for probe in given if probe.id not in known)]
    for found in (list(given), joined):
        if holds(file, found):
            _write_probes(folder, found)
            return found
    raise UsageError(
        f"{folder / 'probes.jsonl'} is not as it was written, and this command does not name all probes that "
        f"it lacks. Put it back, or write it again with the command that made it: {file.command}"
    )


def _joined(
    folder: Path, then: Asked, there: Sequence[Probe], asked: Asked, probes: Sequence[Probe]
) -> tuple[Asked, list[Probe]]:
    """What a run is asked when a second command comes to it."""
    probes = _joined_probes(folder, then, there, asked, probes)
    must_agree = ["strategy", "limits", "seed", "track"]
    if set(then.models) & set(asked.models) or (then.parameters and asked.parameters):
        must_agree.append("parameters")
    for name in must_agree:
        if getattr(then, name) != getattr(asked, name):
            raise _other(folder, name, getattr(then, name), getattr(asked, name))
    return msgspec.structs.replace(
        asked,
        models=list(dict.fromkeys([*then.models, *asked.models])),
        embedders=list(dict.fromkeys([*then.embedders, *asked.embedders])),
        attempts=max(then.attempts, asked.attempts),
        parameters=asked.parameters or then.parameters,
        base_url=asked.base_url or then.base_url,
    ), probes


def _joined_probes(
    folder: Path, then: Asked, there: Sequence[Probe], asked: Asked, probes: Sequence[Probe]
) -> list[Probe]:
    """The probes of both; or those of a suite whose checks were edited, if none of the run's is missing."""
    known, now = ({probe.id: probe for probe in some} for some in (there, probes))
    shared = known.keys() & now.keys()
    if then.suite_digest == asked.suite_digest and all(known[name] == now[name] for name in shared):
        return [*there, *(probe for probe in probes if probe.id not in known)]
    if shared < known.keys() or any(_question(known[name]) != _question(now[name]) for name in shared):
        was, wanted = (f"{one.suite} (digest {one.suite_digest[:12]})" for one in (then, asked))
        raise _other(folder, "suite", was, wanted)
    return list(probes)


def _question(probe: Probe) -> Probe:
    """What decides the messages to a model: all but the checks, which are made again when they change."""
    return msgspec.structs.replace(probe, expect=[])


def _other(folder: Path, what: str, then: object, now: object) -> UsageError:
    return UsageError(
        f"{folder} was asked with {what} {then}, now with {now}: one run cannot hold both; name another folder"
    )


def update(folder: Path, change: Callable[[RunFile], RunFile]) -> Run:
    """Change `run.json` as it is now, whatever other processes have added to it since it was read."""
    with locked(folder):
        run = Run(folder)
        file = change(run.file)
        return run if file == run.file else save(folder, file)


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


def embeddings_folder(run: Run, name: str) -> Path:
    """Where the embeddings of one embedder, working as it does now, lie."""
    return run.folder / "embeddings" / f"{name}-{digest(run.file.signatures[name])[:8]}"
