"""Import Inspect logs as runs, and export runs as score rows for Inspect logs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

import msgspec
from inspect_ai.log import EvalLog, EvalSample, read_eval_log

from innerear.embed.batches import Embedding, read_embeddings
from innerear.errors import UsageError
from innerear.inspect.rows import OURS, Heard, Packed, heard_in
from innerear.inspect.sandbox import JailConfig
from innerear.inspect.scorer import wave_in
from innerear.inspect.solver import ANSWER, convert
from innerear.metrics.measure import paired
from innerear.records import TIERS, Completion, Item, Measurement, Message, Outcome, Probe, Render, Tier
from innerear.run.create import create
from innerear.run.parts import Writer, write_whole
from innerear.run.run import Run, RunConfig, embeddings_folder, save
from innerear.sharing.pack import AUDIO

Place = tuple[Tier, int, str]
"""Sort key of a probe within a run: its tier, its number in its task, its id."""


@dataclass(frozen=True)
class Answered:
    """InnerEar's data in a sample of a log."""

    probe: Probe
    completion: Completion
    render: Render | None
    measurements: Sequence[Measurement]
    sound: bytes | None  # FLAC


@dataclass
class Imported:
    """Result of an import: the run, the numbers of rows, and why samples were skipped, with counts."""

    run: Run
    completions: int = 0
    renders: int = 0
    left: Counter[str] = field(default_factory=Counter)


def import_logs(files: Sequence[Path], folder: Path, command: str) -> Imported:
    """Make a run from logs, or add models, probes and attempts to a run with the same settings.

    Completions get the keys of a native run and all rounds; renders and measurements are those made while
    Inspect ran. Whatever a log lacks is made by the later stages.

    Raises:
        UsageError: a file is not a log of these tasks, has other settings, or has content that no run has.
    """
    logs = [(file, _read(file)) for file in files]
    asked = [_asked(file, log) for file, log in logs]
    for (file, _), one in zip(logs, asked, strict=True):
        _same(str(file), one, asked[0])
    answers: dict[Place, list[Answered]] = {}
    left: Counter[str] = Counter()
    for file, log in logs:
        for sample in log.samples or []:
            try:
                found = _answer(log, sample)
                if isinstance(found, str):
                    left[found] += 1
                else:
                    place = (found.probe.tier, int(sample.metadata["number"]), found.probe.id)
                    answers.setdefault(place, []).append(found)
            except (msgspec.ValidationError, KeyError) as error:
                raise UsageError(f"{file}, sample {sample.id}: written by another version: {error}") from error
    if not answers:
        raise UsageError(f"no answers in {', '.join(map(str, files))}: {'; '.join(summary(left)) or 'no samples'}")
    run = _opened(folder, asked, answers, logs[0][1], command)
    done = Imported(run, left=left)
    with (
        Writer(folder / "completions", Completion, every_s=1.0) as completions,
        Writer(folder / "renders", Render, every_s=1.0) as renders,
        Writer(folder / "measurements", Measurement, every_s=1.0) as measurements,
    ):
        for answer in (answer for place in answers.values() for answer in place):
            completions.keep(answer.completion)
            done.completions += 1
            if answer.render is None or (answer.render.audio and answer.sound is None):
                continue  # the render stage makes it
            if answer.sound is not None:
                write_whole(run.audio / f"{answer.render.audio}.flac", answer.sound)
            renders.keep(answer.render)
            measurements.keep(*answer.measurements)
            done.renders += 1
    return done


def _read(file: Path) -> EvalLog:
    try:
        return read_eval_log(str(file), resolve_attachments=True)
    except Exception as error:
        raise UsageError(f"{file} cannot be read as an Inspect log: {error}") from error


def _asked(file: Path, log: EvalLog) -> RunConfig:
    ours = (log.eval.metadata or {}).get(OURS)
    if ours is None:
        raise UsageError(
            f"{file} is a log of {log.eval.task}; expected innerear/notes, innerear/environment or innerear/speech"
        )
    jail = JailConfig(**ours["jail"])
    return RunConfig(
        models=[],
        strategy=ours["strategy"],
        attempts=log.eval.config.epochs or 1,
        suite=ours["suite"],
        suite_digest=ours["suite_digest"],
        limits=jail.limits(),
        jail=jail.jail,
        seed=jail.seed,
        track=jail.track,
        embedders=ours["embedders"],
        parameters=log.plan.config.model_dump(mode="json", exclude_none=True),
    )


def _same(what: str, one: RunConfig, other: RunConfig) -> None:
    for name in ("strategy", "suite_digest", "limits", "seed", "track"):
        got, wanted = getattr(one, name), getattr(other, name)
        if got != wanted:
            raise UsageError(
                f"{what} has the {name.replace('_', ' ')} {got}, the rest {wanted}: import them into separate runs"
            )


def _opened(
    folder: Path,
    asked: Sequence[RunConfig],
    answers: Mapping[Place, Sequence[Answered]],
    log: EvalLog,
    command: str,
) -> Run:
    places = sorted(answers, key=lambda place: (TIERS.index(place[0]), *place[1:]))
    probes = [answers[place][0].probe for place in places]
    models = list(dict.fromkeys(one.completion.model for found in answers.values() for one in found))
    attempts = max(one.attempts for one in asked)
    if (folder / "run.json").exists():
        before = Run(folder)
        _same(str(folder), before.asked, asked[0])
        known = {probe.id for probe in before.probes}
        probes = [*before.probes, *(probe for probe in probes if probe.id not in known)]
        attempts = max(attempts, before.asked.attempts)
    languages = list(dict.fromkeys(language for one in asked for language in one.languages))
    wanted = msgspec.structs.replace(asked[0], models=models, attempts=attempts, languages=languages)
    fresh = not folder.exists()
    run = create(folder, wanted, probes, command)
    if fresh:  # the programs ran with the log's versions
        versions = (log.eval.metadata or {})[OURS]["versions"]
        run = save(folder, msgspec.structs.replace(run.file, created=log.eval.created, versions=versions))
    return run


def _answer(log: EvalLog, sample: EvalSample) -> Answered | str:
    """InnerEar's data in a sample, or why there is none."""
    kept = sample.store.get(ANSWER) or {}
    scores = [found for score in (sample.scores or {}).values() if (found := heard_in(score.metadata))]
    heard = scores[0] if scores else None
    if kept.get("completion"):
        completion = msgspec.convert(kept["completion"], Completion)
    elif heard is not None:  # a limit ended it before its first reply
        completion = msgspec.structs.replace(heard.completion, messages=_messages(sample))
    else:
        return f"not answered: {sample.error.message if sample.error else 'not finished'}"
    render = heard.render if heard else msgspec.convert(kept["render"], Render) if kept.get("render") else None
    if completion.recording is not None or (render and render.audio and not AUDIO.fullmatch(render.audio)):
        raise UsageError(f"the log of {log.eval.task} names a file, which InnerEar's tasks never do; nothing imported")
    wave = wave_in(sample.messages)
    probe = msgspec.convert(sample.metadata["probe"], Probe)
    sound = convert(wave, "FLAC") if wave and render and render.audio else None
    return Answered(probe, completion, render, heard.measurements if heard else [], sound)


def _messages(sample: EvalSample) -> list[Message]:
    sent = sample.input if isinstance(sample.input, list) else []
    return [Message(message.role, message.text) for message in sent if message.role != "tool"]


def score_rows(run: Run) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """For each model of a run, its rows for `precomputed_scores`: one per rendered sample and epoch."""
    signatures = {name: run.file.signatures[name] for name in run.asked.embedders if name in run.file.signatures}
    embedded = {name: (how, read_embeddings(embeddings_folder(run, name))) for name, how in signatures.items()}
    places = {tier: [probe.id for probe in run.probes if probe.tier == tier] for tier in TIERS}
    items = [item for item in paired(run.measurements(), run.items()) if item.render.outcome != Outcome.NOT_RENDERED]
    items.sort(key=lambda item: run.asked.models.index(item.completion.model))
    for model, mine in groupby(items, key=lambda item: item.completion.model):
        yield model, [_row(run, item, embedded, places[item.probe.tier].index(item.probe.id)) for item in mine]


def _row(run: Run, item: Item, embedded: Mapping[str, Embedding], number: int) -> dict[str, Any]:
    frames = {
        name: Packed.of(signature, None, heard[item.render.audio])
        for name, (signature, heard) in embedded.items()
        if item.render.audio in heard
    }
    wanted = list(run.asked.embedders)
    return Heard(
        item.probe, number, run.asked.track, item.completion, item.render, item.measurements, wanted, frames
    ).record()


def write_rows(run: Run, folder: Path) -> Iterator[Path]:
    """Write the rows of each model into `folder/MODEL.jsonl`, for `inspect score --scorer innerear/batch_scores`."""
    for model, rows in score_rows(run):
        path = folder / f"{model.replace('/', '+').replace(':', '+')}.jsonl"
        write_whole(path, b"".join(msgspec.json.encode(row) + b"\n" for row in rows))
        yield path


def summary(left: Mapping[str, int]) -> Iterable[str]:
    """One line per reason why samples were skipped."""
    return (f"{count} sample{'s' if count > 1 else ''} {why}" for why, count in left.items())
