"""The run folder: its configuration, and the rows of all stages joined into items.

docs/start.md describes the folder. Nothing here runs a stage; see `stages`.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from innerear import markup
from innerear.clip import Clip
from innerear.clip import read as read_clip
from innerear.errors import JailUnavailable, UsageError
from innerear.languages import Language, find_language, full_name
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
from innerear.run.parts import from_json, read_rows, to_json, write_whole
from innerear.run.rows import ScoreFile, Scores
from innerear.run.verdicts import Verdicts
from innerear.run.whole import locked
from innerear.stats import grouped
from innerear.suite import CANARY, holds_canary

LOOKS = 5  # attempts to read run.json and probes.jsonl in step: another process may be between writing the two
LOOK_S = 0.05  # between two attempts


class RunConfig(msgspec.Struct, frozen=True, kw_only=True):
    """The configuration of a run: all it takes, with the models, to repeat it.

    A second command on the same folder is merged with the first, or refused (see `create`). It holds no API key and
    no path of the user's machine. The strategy is asked for in each of the languages; `direct@csound` with the
    default languages means Csound alone.
    """

    models: list[str]
    strategy: str = "direct"
    languages: list[Language] = msgspec.field(default_factory=lambda: ["python"])
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

    def __post_init__(self) -> None:
        """Check the languages, and take the language out of the strategy's name."""
        if isinstance(self.languages, str):
            raise UsageError(f"languages is {self.languages!r}; wanted a list, such as [{self.languages!r}]")
        msgspec.structs.force_setattr(self, "languages", [find_language(name) for name in self.languages])
        if "@" in self.strategy:
            kind, _, name = self.strategy.rpartition("@")
            if self.languages not in (["python"], [name]):
                raise UsageError(
                    f"the strategy {self.strategy!r} names a language already; with the languages "
                    f"{', '.join(self.languages)}, wanted {kind!r}"
                )
            msgspec.structs.force_setattr(self, "strategy", kind)
            msgspec.structs.force_setattr(self, "languages", [find_language(name)])

    @property
    def strategies(self) -> list[str]:
        """The strategy's full name in each language."""
        return [full_name(self.strategy, language) for language in self.languages]


class RunFile(msgspec.Struct, frozen=True):
    """`run.json`: the configuration, the command, the versions and the machine.

    `signatures` has the signature of each embedder that made embeddings, by name. `probes` has the digest of
    `probes.jsonl`: two digests while the file is being changed, none in runs from older versions.
    """

    asked: RunConfig
    created: str
    command: str
    versions: dict[str, str]
    machine: dict[str, Any]
    signatures: dict[str, str] = {}
    probes: list[str] = []


class Run:
    """An existing run folder.

    Raises:
        UsageError: the folder is not a run, or `run.json` and `probes.jsonl` are damaged or do not match.
    """

    def __repr__(self) -> str:
        return f"Run({str(self.folder)!r}, {len(self.probes)} probes, {', '.join(self.asked.models)})"

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.verdicts = Verdicts(folder / "guarded")
        for look in range(LOOKS):
            self.file, self.probes = read_file(folder), read_probes(folder / "probes.jsonl")
            if holds(self.file, self.probes):
                return
            time.sleep(LOOK_S if look < LOOKS - 1 else 0)
        raise UsageError(
            f"{folder / 'probes.jsonl'} was changed: its {len(self.probes)} probes are not those of the run. "
            f"Restore it, or write it again with the command that made it: {self.file.command}"
        )

    @property
    def asked(self) -> RunConfig:
        """The run's configuration."""
        return self.file.asked

    @property
    def audio(self) -> Path:
        """The folder of the stored sounds."""
        return self.folder / "audio"

    def completions(self) -> list[Completion]:
        """The completions that belong to the configuration, sorted by model, language, attempt and probe."""
        models = {model: index for index, model in enumerate(self.asked.models)}
        strategies = {strategy: index for index, strategy in enumerate(self.asked.strategies)}
        probes = {probe.id: index for index, probe in enumerate(self.probes)}
        completions = [
            completion
            for completion in read_rows(self.folder / "completions", Completion).values()
            if completion.model in models
            and completion.probe in probes
            and completion.strategy in strategies
            and completion.attempt < self.asked.attempts
        ]
        completions.sort(key=lambda c: (models[c.model], strategies[c.strategy], c.attempt, probes[c.probe]))
        return completions

    def programs(self) -> dict[str, Program]:
        """The programs of the completions by the keys of their renders."""
        probes = {probe.id: probe for probe in self.probes}
        programs = [program_of(row, probes[row.probe], self.asked.track, self.verdicts) for row in self.completions()]
        return {render_key(program, self.asked.limits, self.asked.seed): program for program in programs}

    def items(self) -> list[Item]:
        """The completions with their programs and renders; a render without a row is *not rendered*.

        If a program has no render made with the installed versions (Python, NumPy and SciPy, or the tools of its
        language), the render made with the run's own versions is used.
        """
        run_versions = {
            language: {name: self.file.versions.get(name, "") for name in runtime(language)}
            for language in {"python", *self.asked.languages}
        }
        renders = read_rows(self.folder / "renders", Render)
        probes = {probe.id: probe for probe in self.probes}
        items = []
        for completion in self.completions():
            program = program_of(completion, probes[completion.probe], self.asked.track, self.verdicts)
            key = render_key(program, self.asked.limits, self.asked.seed)
            old_key = render_key(program, self.asked.limits, self.asked.seed, run_versions[program.language])
            render = renders.get(key) or renders.get(old_key)
            render = render or Render(key, program.digest, Outcome.NOT_RENDERED, _why_not_rendered(program.language))
            items.append(Item(probes[completion.probe], completion, program, render))
        return items

    def leaks(self) -> list[str]:
        """One line per model whose completions contain the suite's canary: the model has seen the suite's file."""
        leaked = grouped(
            (completion.model, completion.probe)
            for completion in self.completions()
            if any(holds_canary(text, self.asked.canary) for text in completion.texts())
        )
        return [
            f"{model} has seen the suite: {len(probes)} of its completions contain the canary, the first is {probes[0]}"
            for model, probes in leaked.items()
        ]

    def repeats(self) -> dict[str, Repeat]:
        """Second runs of programs by render key, if any were requested."""
        return read_rows(self.folder / "repeats", Repeat)

    def measurements(self) -> dict[str, Measurement]:
        """All measurements by key."""
        return read_rows(self.folder / "measurements", Measurement)

    def scores(self) -> Scores:
        """The scores in `scores.json`, as `evaluate` or `stages.score` left them.

        Raises:
            UsageError: there are none yet, or the file is damaged.
        """
        path = self.folder / "scores.json"
        try:
            return Scores(from_json(path.read_bytes(), ScoreFile).scores)
        except FileNotFoundError as error:
            raise UsageError(f"{self.folder} has no scores yet: `innerear score {self.folder}` makes them") from error
        except (OSError, ValueError) as error:
            again = f"`innerear score {self.folder}` makes it again"
            raise UsageError(f"{path} is damaged, or of another version ({error}); {again}") from error

    def clip(self, item: Item) -> Clip | None:
        """The sound of an item, to look at or listen to; `None` if there is none.

        Raises:
            AudioError: its file is missing or damaged.
        """
        return None if item.render.audio is None else read_clip(self.audio / f"{item.render.audio}.flac")

    def _repr_html_(self) -> str:
        facts = {
            "run": self.folder, "models": ", ".join(self.asked.models), "strategy": ", ".join(self.asked.strategies),
            "suite": self.asked.suite, "probes": len(self.probes), "completions": len(self.completions()),
            "embedders": ", ".join(self.asked.embedders), "created": self.file.created,
        }  # fmt: skip
        try:
            scores = self.scores()
        except UsageError:
            return markup.facts({**facts, "scores": "none yet"})
        return markup.facts(facts) + Scores([score for score in scores if score.group == "all"])._repr_html_()


def holds(file: RunFile, probes: Sequence[Probe]) -> bool:
    """Whether these are the probes that `run.json` was written for."""
    return not file.probes or probes_digest(probes) in file.probes


def probes_digest(probes: Sequence[Probe]) -> str:
    """A digest of the probes that does not depend on their order."""
    return digest("probes", sorted(probes, key=lambda probe: probe.id))


def read_file(folder: Path) -> RunFile:
    """Read `run.json`.

    Raises:
        UsageError: the folder is not a run, or is of another version.
    """
    path = folder / "run.json"
    try:
        return from_json(path.read_bytes(), RunFile)
    except FileNotFoundError as error:
        raise UsageError(f"{folder} is not a run: it has no run.json. `innerear run` makes one") from error
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}") from error
    except ValueError as error:
        raise UsageError(
            f"{path} is damaged, or was written by another version: {error}. Restore it, or delete it and repeat "
            "the command that made the run: all rows are kept"
        ) from error


def read_probes(path: Path, skip_bad: bool = False) -> list[Probe]:
    """The probes of a run; with `skip_bad`, only those that can be read."""
    probes = []
    try:
        for number, line in enumerate(path.read_bytes().splitlines(), 1):
            try:
                probes.append(from_json(line, Probe))
            except ValueError as error:
                if not skip_bad:
                    raise UsageError(
                        f"{path}, line {number} is damaged: {error}. Restore it, or repeat the command that made "
                        "the run: it writes the line again"
                    ) from error
    except FileNotFoundError as error:
        if not skip_bad:
            raise UsageError(
                f"{path.parent} is not a run: it has no probes.jsonl. The command that made the run writes it again"
            ) from error
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}") from error
    return probes


def program_of(
    completion: Completion, probe: Probe, track: Track = "scratch", verdicts: Verdicts | None = None
) -> Program:
    """The program in a completion, checked by the guard; or the recording that takes its place.

    `verdicts`: those that the run keeps.
    """
    if completion.recording is not None:
        return Program(None, "a recording", completion.recording, probe.duration_s)
    program = _extracted(completion.text, completion.language)
    program = verdicts.guarded(program, track) if verdicts else guarded(program, track)
    return msgspec.structs.replace(program, duration_s=probe.duration_s)


_extracted = functools.lru_cache(maxsize=1 << 18)(extract)  # every stage asks


def _why_not_rendered(language: Language) -> str:
    """Why a program has no render: the tool that this machine lacks for its language, with the remedy."""
    from innerear.jail.tools import versions as tools

    try:
        tools(language)
    except JailUnavailable as error:
        return str(error)
    return "not rendered yet"


def update(folder: Path, change: Callable[[RunFile], RunFile]) -> Run:
    """Change `run.json` under a lock, keeping what other processes have added since it was read."""
    with locked(folder):
        run = Run(folder)
        file = change(run.file)
        return run if file == run.file else save(folder, file)


def save(folder: Path, file: RunFile) -> Run:
    """Write `run.json` and open the run."""
    write_whole(folder / "run.json", to_json(file, indent=2))
    return Run(folder)


def embeddings_folder(run: Run, name: str) -> Path:
    """The folder for the embeddings of one embedder, by the embedder's current signature."""
    return run.folder / "embeddings" / f"{name.replace(':', '-')}-{digest(run.file.signatures[name])[:8]}"
