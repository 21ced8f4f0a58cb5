"""The embeddings of a run: which embedders it uses, and embedding what is missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

import msgspec

from innerear.compute.work import Executor, Job
from innerear.embed import BY_DEFAULT, LEVELLED, TELLTALES, entry, open_embedder, reads_captions
from innerear.embed.batches import Named, anchors, batches, compact, hearing, read_embeddings
from innerear.errors import DiskFull, UsageError, WeightsUnavailable
from innerear.render.render import load
from innerear.run.progress import Progress, Report, Tally, each_once
from innerear.run.run import Run, RunFile, embeddings_folder, update
from innerear.run.whole import sweep


def choose_embedders(run: Run) -> tuple[Run, Report]:
    """Settle which embedders a run uses, with their signatures: those requested, else `yamnet` and `aisfx`, else `mel`.

    A requested embedder without weights is an infrastructure failure and a row "no weights" in the
    scores; its earlier embeddings stay valid.
    """
    report = Report()
    signatures = dict(run.file.signatures)
    lacking = {}
    for name in run.asked.embedders or BY_DEFAULT:
        try:
            signatures[name] = open_embedder(name).signature
        except WeightsUnavailable as error:
            lacking[name] = str(error)
    if run.asked.embedders:
        report.failures += lacking.values()
    elif len(lacking) == len(BY_DEFAULT):
        why = "; ".join(lacking.values())
        report.warnings.append(
            f"no yamnet and no aisfx, so distances are by mel, which is not a perceptual measure: {why}"
        )
        signatures["mel"] = open_embedder("mel").signature
    elif "yamnet" in lacking:
        report.warnings.append(f"no yamnet, so distances are by aisfx: {lacking['yamnet']}")
    if not run.asked.embedders:
        for name in ("clap-laion", *LEVELLED):
            with suppress(WeightsUnavailable):  # the scores then say that the weights are missing
                signatures[name] = open_embedder(name).signature
        if any(name in signatures for name in LEVELLED):
            signatures[TELLTALES] = open_embedder(TELLTALES).signature
    new = {name: how for name, how in signatures.items() if run.file.signatures.get(name) != how}

    def settle(file: RunFile) -> RunFile:  # re-reads run.json: another command may have added models
        names = file.asked.embedders or list({**file.signatures, **new})
        asked = msgspec.structs.replace(file.asked, embedders=names)
        return msgspec.structs.replace(file, asked=asked, signatures={**file.signatures, **new})

    return update(run.folder, settle), report


def sounds_of(run: Run) -> dict[str, Named]:
    """What to embed by name: the run's sounds, and noise and silence of the same durations for the floors."""
    sounds: dict[str, Named] = {name: (name, make) for name, make in anchors(run.probes).items()}
    for item in run.items():
        if item.render.audio is not None:
            sounds[item.render.audio] = item.render.audio, partial(load, item.render, run.audio)
    return sounds


def embed_missing(
    run: Run,
    name: str,
    sounds: Mapping[str, Named],
    captions: Mapping[str, Named],
    machines: Executor,
    progress: Progress,
) -> Report:
    """Embed the sounds, and the captions if the embedder reads them, that have no frames yet."""
    folder = embeddings_folder(run, name)
    sweep(folder)
    damaged: dict[Path, str] = {}
    done = read_embeddings(folder, damaged.__setitem__)
    report = Report(warnings=[f"{why}; what it held is embedded again" for why in damaged.values()])
    for path in damaged:
        with suppress(OSError):
            path.unlink()
    missing = [named for key, named in sounds.items() if key not in done]
    texts = [named for key, named in captions.items() if key not in done and reads_captions(name)]
    unread: list[str] = []
    tally = Tally(progress, f"embeddings ({name})", len(sounds) - len(missing), len(sounds))

    def keep(batch: Sequence[Named], lost: list[str]) -> None:
        unread.extend(lost)
        tally.add(sum(not isinstance(sound, str) for _, sound in batch))

    work = Job(partial(hearing, name, run.file.signatures[name], folder), gpu=entry(name).gpu, sees=run.folder)
    todo = [*([texts] if texts else []), *batches(missing, machines.workers)]
    try:
        report.failures += [f"{name}: {lost.why}" for lost in machines.map(work, todo, keep)]
    except WeightsUnavailable as error:
        report.failures.append(str(error))
        return report
    report.failures += each_once(unread)
    with suppress(DiskFull, UsageError):  # nothing is lost: the embeddings stay in several files
        compact(folder)
    return report
