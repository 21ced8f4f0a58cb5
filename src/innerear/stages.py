"""One function a stage: reads the files to its left, does what is missing, writes its own.

Each takes a `Progress`, called with what is being done, how much is done, and how much there is.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import cast

import msgspec
import numpy as np

from innerear import metrics
from innerear.clip import Clip
from innerear.distances import Embedded
from innerear.embed import CaptionReader, Embedder, open_embedder, reads_captions
from innerear.embed.store import load_frames, save_frames
from innerear.errors import JailUnavailable, WeightsUnavailable
from innerear.failures import failure_rows
from innerear.generate import Bench, generate, summary
from innerear.metrics.agreement import CAPTION, captions
from innerear.models import Model
from innerear.parts import Writer, read_rows, write_whole
from innerear.records import Completion, Measurement, Outcome, Program, Render, Repeat, Score, digest
from innerear.render import load, render_all, render_key, runs
from innerear.run import Item, Run, program_of, save
from innerear.score import score
from innerear.strategies import find_strategy

Progress = Callable[[str, int, int], None]

BATCH = 32  # clips between two part files of embeddings
ANCHOR_RATE_HZ = 44_100


@dataclass
class Report:
    """What a stage has to say: failures of ours, one line each; warnings; why programs did not run."""

    failures: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    unrendered: JailUnavailable | None = None


def silent(what: str, done: int, total: int) -> None:
    """A `Progress` that shows nothing."""


def do_generate(
    run: Run,
    models: Sequence[Model],
    progress: Progress = silent,
    workers: int | None = None,
    max_usd: float | None = None,
) -> Report:
    """Probes to completions: asks what has no row yet; each row is on disk when it arrives.

    Raises:
        JailUnavailable: the strategy runs programs, and this machine cannot isolate them; nothing was asked.
    """
    folder = run.folder / "completions"
    done = list(read_rows(folder, Completion).values())
    total = len(models) * len(run.probes) * run.asked.attempts
    count = min(total, sum(1 for c in run.completions()))
    progress("completions", count, total)
    with _bench(run, workers) as bench, Writer(folder, Completion) as writer:

        def keep(completion: Completion) -> None:
            nonlocal count
            count += 1
            writer.keep(completion)
            progress("completions", count, total)

        asked = run.asked
        failures = generate(
            run.probes, models, asked.strategy, asked.attempts, keep=keep, done=done, bench=bench, max_usd=max_usd
        )
    return Report(summary(failures), run.leaks())


@contextmanager
def _bench(run: Run, workers: int | None) -> Iterator[Bench | None]:
    """What the run's strategy needs besides models: the render stage's way to run a program, and a listener."""
    if not find_strategy(run.asked.strategy).renders:
        yield None
        return
    from innerear.jail import open_jail
    from innerear.listener import hear
    from innerear.workshop import Workshop

    asked = run.asked
    with Workshop(
        run.folder / "renders",
        run.audio,
        asked.limits,
        asked.seed,
        asked.track,
        lambda: open_jail(asked.jail),
        workers or os.cpu_count() or 1,
    ) as shop:
        yield Bench(shop.render, lambda probe, render: hear(load(render, run.audio), probe))


def do_render(run: Run, workers: int | None = None, progress: Progress = silent) -> Report:
    """Completions to sounds: runs each program that has no row yet, once, however many gave it.

    Raises:
        JailUnavailable: programs are left and this machine cannot isolate them.
    """
    folder = run.folder / "renders"
    done = read_rows(folder, Render)
    probes = {probe.id: probe for probe in run.probes}
    programs = {}
    for completion in run.completions():
        program = program_of(completion, probes[completion.probe], run.asked.track)
        programs[render_key(program, run.asked.limits, run.asked.seed)] = program
    missing = [program for key, program in programs.items() if key not in done]
    count = len(programs) - len(missing)
    progress("programs", count, len(programs))
    with Writer(folder, Render) as writer:

        def keep(render: Render) -> None:
            nonlocal count
            count += 1
            writer.keep(render)
            progress("programs", count, len(programs))

        failures = _run_programs(run, missing, keep, workers)
    return Report(failures)


def _run_programs(
    run: Run, programs: Sequence[Program], keep: Callable[[Render], None], workers: int | None
) -> list[str]:
    """Run programs as the run asks; what failed on our side, one line each."""
    from innerear.jail import open_jail

    return render_all(
        programs,
        keep,
        run.audio,
        run.asked.limits,
        open_jail=lambda: open_jail(run.asked.jail),
        seed=run.asked.seed,
        workers=workers,
        data=Path(named) if (named := os.environ.get("INNEREAR_DATA")) else None,
    )


def do_repeat(run: Run, workers: int | None = None, progress: Progress = silent) -> Report:
    """Run each program that gave a sound a second time, and keep whether it gave the same bits.

    One that does not asks the clock or the system for chance. Its second sound is stored too.

    Raises:
        JailUnavailable: this machine cannot isolate programs.
    """
    done = run.repeats()
    renders = {item.render.key: item for item in run.items() if runs(item.program) and item.render.audio}
    missing = [item.program for key, item in renders.items() if key not in done]
    count = len(renders) - len(missing)
    progress("second runs", count, len(renders))
    with Writer(run.folder / "repeats", Repeat) as writer:

        def keep(again: Render) -> None:
            nonlocal count
            count += 1
            same = again.audio == renders[again.key].render.audio
            writer.keep(Repeat(again.key, again.outcome, again.audio, same))
            progress("second runs", count, len(renders))

        failures = _run_programs(run, missing, keep, workers)
    return Report(failures)


def choose_embedders(run: Run) -> tuple[Run, Report]:
    """Settle which embedders a run uses and how they work: those asked for, else `yamnet`, else `mel`.

    One that was asked for and cannot be had is a failure of ours and a row "no weights" in the
    scores; what it embedded before stays good.
    """
    report = Report()
    signatures = dict(run.file.signatures)
    for name in run.asked.embedders or ["yamnet"]:
        try:
            signatures[name] = open_embedder(name).signature
        except WeightsUnavailable as error:
            if run.asked.embedders:
                report.failures.append(str(error))
            else:
                line = "no yamnet, so distances are by mel, which is no perceptual measure"
                report.warnings.append(f"{line}: {error}")
                signatures["mel"] = open_embedder("mel").signature
    if not run.asked.embedders:
        with suppress(WeightsUnavailable):  # without weights, its scores say so
            signatures["clap-laion"] = open_embedder("clap-laion").signature
    asked = msgspec.structs.replace(run.asked, embedders=run.asked.embedders or list(signatures))
    file = msgspec.structs.replace(run.file, asked=asked, signatures=signatures)
    return (run if file == run.file else save(run.folder, file)), report


def do_embed(run: Run, progress: Progress = silent) -> Report:
    """Sounds to embeddings, and with them noise and silence of the same durations, for the floors.

    Uses the embedders that `choose_embedders` settled; one is opened only where something is missing.
    """
    report = Report()
    wanted: dict[str, Callable[[], Clip]] = dict(anchors(run))
    for item in run.items():
        if item.render.audio is not None:
            wanted[item.render.audio] = partial(load, item.render, run.audio)
    for name in run.asked.embedders:
        if name not in run.file.signatures:
            continue
        folder = embeddings_folder(run, name)
        done = read_embeddings(folder)
        missing = [key for key in wanted if key not in done]
        unread = [text for text in captions(run.probes) if reads_captions(name) and CAPTION + text not in done]
        count = len(wanted) - len(missing)
        what = f"embeddings ({name})"
        progress(what, count, len(wanted))
        if not missing and not unread:
            continue
        try:
            embedder = open_embedder(name)
        except WeightsUnavailable as error:
            report.failures.append(str(error))
            continue
        if unread:
            texts = [text[np.newaxis] for text in cast(CaptionReader, embedder).read(unread)]
            save_frames(folder / f"{digest(unread)}.npz", [CAPTION + text for text in unread], texts, None)
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            for batch in (missing[i : i + BATCH] for i in range(0, len(missing), BATCH)):
                frames = list(pool.map(lambda key: embedder.embed([wanted[key]()])[0], batch))  # noqa: B023
                save_frames(folder / f"{digest(batch)}.npz", batch, frames, embedder.quantum)
                count += len(batch)
                progress(what, count, len(wanted))
        _compact_embeddings(folder, embedder)
    return report


def anchors(run: Run) -> dict[str, Callable[[], Clip]]:
    """Noise and silence as long as each probe asks: by name, how to make it."""
    made: dict[str, Callable[[], Clip]] = {}
    for number, probe in enumerate(run.probes):
        samples = round(probe.duration_s * ANCHOR_RATE_HZ)
        made[f"noise/{probe.id}"] = partial(_noise, number, samples)
        made[f"silence/{probe.id}"] = partial(_silence, samples)
    return made


def _noise(seed: int, samples: int) -> Clip:
    white = np.random.default_rng(seed).normal(0, 0.1, (1, samples))
    return Clip(white.astype(np.float32), ANCHOR_RATE_HZ)


def _silence(samples: int) -> Clip:
    return Clip(np.zeros((1, samples), np.float32), ANCHOR_RATE_HZ)


def embeddings_folder(run: Run, name: str) -> Path:
    """Where the embeddings of one embedder, working as it does now, lie."""
    return run.folder / "embeddings" / f"{name}-{digest(run.file.signatures[name])[:8]}"


def read_embeddings(folder: Path) -> Embedded:
    """All frames of a folder by name: the audio's digest, or an anchor's name."""
    found: Embedded = {}
    for path in sorted(folder.glob("[!.]*.npz")):
        stored = load_frames(path)
        for name, clip in zip(stored.names, stored.clips, strict=True):
            found.setdefault(name, clip)
    return found


def _compact_embeddings(folder: Path, embedder: Embedder) -> None:
    parts = sorted(folder.glob("[!.]*.npz"))
    if len(parts) > 1:
        rows = read_embeddings(folder)
        merged = folder / f"{digest(sorted(rows))}.npz"
        save_frames(merged, list(rows), list(rows.values()), embedder.quantum)
        for path in parts:
            if path != merged:
                path.unlink(missing_ok=True)


def do_measure(run: Run, progress: Progress = silent) -> Report:
    """Sounds to measurements: every metric that applies and has no row yet, sound by sound."""
    done = run.measurements()
    items = [item for item in run.items() if item.render.outcome != Outcome.NOT_RENDERED]
    missing = [item for item in items if any(key not in done for key, _, _ in _keys(item))]
    count = len(items) - len(missing)
    progress("measurements", count, len(items))

    def measured(item: Item) -> list[Measurement]:
        clip = load(item.render, run.audio) if item.render.audio else None
        sound = metrics.sound_of(item, clip)
        return metrics.measure(item.completion.key, sound)

    with (
        Writer(run.folder / "measurements", Measurement, every_s=1.0) as writer,
        ThreadPoolExecutor(os.cpu_count()) as pool,
    ):
        for rows in pool.map(measured, missing):
            writer.keep(*rows)
            count += 1
            progress("measurements", count, len(items))
        writer.flush()
        writer.keep(*failure_rows(items, run.measurements(), run.audio))
    return Report()


def _keys(item: Item) -> Iterator[tuple[str, str, object]]:
    return metrics.keys(item.completion.key, metrics.sound_of(item))


class ScoreFile(msgspec.Struct, frozen=True):
    """`scores.json`. `inputs` is the digest of all that the scores were made from."""

    inputs: str
    scores: list[Score]


def do_score(run: Run, progress: Progress = silent) -> list[Score]:
    """Measurements and embeddings to scores; nothing is done where the inputs are those of the last time."""
    items = run.items()
    rows = run.measurements()
    signatures = run.file.signatures
    folders = {name: embeddings_folder(run, name) for name in run.asked.embedders if name in signatures}
    parts = {name: sorted(path.name for path in folder.glob("[!.]*.npz")) for name, folder in folders.items()}
    outcomes = [(item.completion.key, item.render.key, item.render.outcome) for item in items]
    inputs = digest(outcomes, sorted(rows), parts, signatures, run.probes, version("innerear"))
    path = run.folder / "scores.json"
    if path.exists():
        before = msgspec.json.decode(path.read_bytes(), type=ScoreFile)
        if before.inputs == inputs:
            return before.scores
    embedded = {
        name: (signatures[name], read_embeddings(folders[name])) if name in folders else None
        for name in run.asked.embedders
    }
    found = score(items, rows, embedded, progress)
    write_whole(path, msgspec.json.format(msgspec.json.encode(ScoreFile(inputs, found)), indent=1))
    return found


def do_report(run: Run) -> Path:
    """Everything to a page that opens from the disk."""
    from innerear.evidence import report_data
    from innerear.report import write_report

    return write_report(report_data(run, do_score(run)), run.folder)


def evaluate(
    run: Run,
    models: Sequence[Model],
    workers: int | None = None,
    progress: Progress = silent,
    max_usd: float | None = None,
) -> tuple[Run, Report]:
    """Every stage, one after the other. A machine that cannot isolate still gets a report.

    What went wrong on our side is in the `Report`; `unrendered` says that programs did not run.
    """
    report = do_generate(run, models, progress, workers, max_usd)
    try:
        report.failures += do_render(run, workers, progress).failures
    except JailUnavailable as error:
        report.unrendered = error
    run, chosen = choose_embedders(run)
    report.warnings += chosen.warnings
    report.failures += chosen.failures + do_embed(run, progress).failures
    do_measure(run, progress)
    do_score(run, progress)
    return run, report
