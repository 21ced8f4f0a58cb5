"""The stages, one function each: read the files of earlier stages, do what is missing, write their own.

A stage hands its parallel work as `Job` to `Executor`, by default threads of this process. `Progress`
is called with the name of the task, the number done and the total.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import version
from pathlib import Path

import msgspec

from innerear.ask.generate import Bench, summary
from innerear.ask.generate import generate as ask_all
from innerear.ask.models import Model
from innerear.ask.strategies import Heard, find_strategy
from innerear.compute.threads import one_blas_thread
from innerear.compute.work import Executor, Failure, Job, Local
from innerear.embed import BY_DEFAULT, open_embedder, reads_captions, uses_gpu
from innerear.embed.batches import Named, anchors, batches, compact, hearing, parts_of, read_embeddings
from innerear.errors import AudioError, DiskFull, JailFailure, JailUnavailable, UsageError, WeightsUnavailable
from innerear.metrics import verified
from innerear.metrics.base import Metric, sound_of
from innerear.metrics.failure_rows import failure_rows
from innerear.metrics.measure import is_settled, keys
from innerear.metrics.measure import measure as measure_sound
from innerear.metrics.registry import find
from innerear.records import Completion, Item, Measurement, Outcome, Probe, Program, Render, Repeat, Score, digest
from innerear.render.render import is_there, load, render_all, runs
from innerear.run.keys import render_key
from innerear.run.parts import Writer, from_json, read_rows, replace_rows, write_whole
from innerear.run.run import Run, RunFile, embeddings_folder, program_of, update
from innerear.run.whole import sweep
from innerear.scores.clap import CAPTION, captions
from innerear.scores.score import VERSION as SCORES
from innerear.scores.score import score as score_items

Progress = Callable[[str, int, int], None]
Say = Callable[[str], None]
MOST_NAMED = 20
"""Lines shown per kind of failure; the rest are counted."""


@dataclass
class Report:
    """What a stage reports: infrastructure failures and warnings, one line each; and why programs did not run."""

    failures: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    unrendered: JailUnavailable | None = None

    def add(self, other: Report) -> None:
        """Add the failures and warnings of another report."""
        self.failures += other.failures
        self.warnings += other.warnings


def unsaid(line: str) -> None:
    """A `Say` that prints nothing."""


def silent(what: str, done: int, total: int) -> None:
    """A `Progress` that shows nothing."""


def generate(
    run: Run,
    models: Sequence[Model],
    progress: Progress = silent,
    workers: int | None = None,
    max_usd: float | None = None,
) -> Report:
    """Probes to completions: ask for those that have no row yet; each row is written as it arrives.

    `workers`: programs to run in parallel, for strategies that run programs.

    Raises:
        JailUnavailable: the strategy runs programs and this machine cannot isolate them; nothing was asked.
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
        failures = ask_all(
            run.probes, models, asked.strategy, asked.attempts, keep=keep, done=done, bench=bench, max_usd=max_usd
        )
    return Report(summary(failures), run.leaks())


@contextmanager
def _bench(run: Run, workers: int | None) -> Iterator[Bench | None]:
    """What the run's strategy needs besides models: a way to run programs, and a listener; or `None`."""
    if not find_strategy(run.asked.strategy).renders:
        yield None
        return
    from innerear.ask.listener import find_tagger, hear
    from innerear.jail import open_jail
    from innerear.render.workshop import Workshop

    asked = run.asked
    tagger = find_tagger() if find_strategy(asked.strategy).told else None
    with Workshop(
        run.folder / "renders",
        run.audio,
        asked.limits,
        asked.seed,
        asked.track,
        lambda: open_jail(asked.jail, asked.track),
        workers or os.cpu_count() or 1,
    ) as shop:

        def listen(probe: Probe, render: Render) -> Heard:
            try:
                return hear(load(render, run.audio), probe, tagger)
            except AudioError as error:  # concerns this probe only; the others are still asked
                raise JailFailure(str(error)) from error

        yield Bench(shop.render, listen)


def render(run: Run, machines: Executor | None = None, progress: Progress = silent, check: bool = False) -> Report:
    """Completions to sounds: run each program that has no row yet or whose sound is missing.

    With `check`, every sound is decoded, and damaged ones are rendered again.

    Raises:
        JailUnavailable: there are programs to run and this machine cannot isolate them.
    """
    folder = run.folder / "renders"
    sweep(run.audio)
    done = read_rows(folder, Render)
    probes = {probe.id: probe for probe in run.probes}
    programs = {}
    for completion in run.completions():
        program = program_of(completion, probes[completion.probe], run.asked.track)
        programs[render_key(program, run.asked.limits, run.asked.seed)] = program
    sounding = [done[key] for key in programs if key in done and done[key].audio]
    gone = _gone(run, sounding, check, machines or Local(), progress)
    missing = [program for key, program in programs.items() if key not in done or key in gone]
    count = len(programs) - len(missing)
    progress("programs", count, len(programs))
    other: dict[str, Render] = {}
    with Writer(folder, Render) as writer:

        def keep(render: Render) -> None:
            nonlocal count
            count += 1
            if render.key not in gone:
                writer.keep(render)
            elif render.audio != gone[render.key].audio:  # the program is not deterministic
                other[render.key] = render
            progress("programs", count, len(programs))

        failures = _run_programs(run, missing, keep, machines)
    if other:
        replace_rows(folder, Render, other.values())
    said = [f"{len(gone)} sounds were missing or damaged, and their programs ran again"] if gone else []
    return Report(failures, said)


def _gone(run: Run, rows: Sequence[Render], check: bool, machines: Executor, progress: Progress) -> dict[str, Render]:
    """The rows, by key, whose sounds are missing or, with `check`, unreadable."""
    gone = {row.key: row for row in rows if not is_there(run.audio / f"{row.audio}.flac")}
    if check:
        left = [row for row in rows if row.key not in gone]
        seen = 0

        def keep(row: Render, _: None) -> None:
            nonlocal seen
            seen += 1
            progress("sounds checked", seen, len(left))

        work = Job(partial(_reading, run.audio), forgives=(AudioError,), sees=run.folder)
        gone |= {lost.thing.key: lost.thing for lost in machines.map(work, left, keep)}
    return gone


@contextmanager
def _reading(audio: Path) -> Iterator[Callable[[Render], None]]:
    """A function that raises AudioError if a row's sound cannot be read."""

    def read(row: Render) -> None:
        load(row, audio)

    yield read


def _run_programs(
    run: Run, programs: Sequence[Program], keep: Callable[[Render], None], machines: Executor | None
) -> list[str]:
    """Run programs with the run's settings; return infrastructure failures, one line each."""
    from innerear.jail import open_jail

    return render_all(
        programs,
        keep,
        run.audio,
        run.asked.limits,
        open_jail=partial(open_jail, run.asked.jail, run.asked.track),
        seed=run.asked.seed,
        data=Path(named) if (named := os.environ.get("INNEREAR_DATA")) else None,
        machines=machines,
        sees=run.folder,
    )


def repeat(run: Run, machines: Executor | None = None, progress: Progress = silent) -> Report:
    """Run each program with a sound a second time, and record whether the output is bit-identical.

    A program that differs uses the clock or system randomness. Its second sound is stored too.

    Raises:
        JailUnavailable: this machine cannot isolate programs.
    """
    done = run.repeats()
    renders = {item.render.key: item for item in run.items() if runs(item.program) and item.render.audio}
    gone = {key for key, row in done.items() if row.audio and not is_there(run.audio / f"{row.audio}.flac")}
    missing = [item.program for key, item in renders.items() if key not in done or key in gone]
    other: list[Repeat] = []
    count = len(renders) - len(missing)
    progress("second runs", count, len(renders))
    with Writer(run.folder / "repeats", Repeat) as writer:

        def keep(again: Render) -> None:
            nonlocal count
            count += 1
            same = again.audio == renders[again.key].render.audio
            row = Repeat(again.key, again.outcome, again.audio, same)
            if again.key not in gone:
                writer.keep(row)
            elif row != done[again.key]:
                other.append(row)
            progress("second runs", count, len(renders))

        failures = _run_programs(run, missing, keep, machines)
    if other:
        replace_rows(run.folder / "repeats", Repeat, other)
    return Report(failures)


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
        with suppress(WeightsUnavailable):  # its scores then say that the weights are missing
            signatures["clap-laion"] = open_embedder("clap-laion").signature
    new = {name: how for name, how in signatures.items() if run.file.signatures.get(name) != how}

    def settle(file: RunFile) -> RunFile:  # re-reads run.json: another command may have added models
        names = file.asked.embedders or list({**file.signatures, **new})
        asked = msgspec.structs.replace(file.asked, embedders=names)
        return msgspec.structs.replace(file, asked=asked, signatures={**file.signatures, **new})

    return update(run.folder, settle), report


def embed(run: Run, progress: Progress = silent, machines: Executor | None = None) -> Report:
    """Sounds to embeddings, plus noise and silence of the same durations for the floors.

    Uses the embedders settled by `choose_embedders`; opens one only if something is missing.
    """
    report = Report()
    machines = machines or Local()
    wanted: dict[str, Named] = {name: (name, make) for name, make in anchors(run.probes).items()}
    for item in run.items():
        if item.render.audio is not None:
            wanted[item.render.audio] = item.render.audio, partial(load, item.render, run.audio)
    for name in run.asked.embedders:
        if name not in run.file.signatures:
            continue
        folder = embeddings_folder(run, name)
        sweep(folder)
        damaged: dict[Path, str] = {}
        done = read_embeddings(folder, damaged.__setitem__)
        for path, why in damaged.items():
            report.warnings.append(f"{why}; what it held is embedded again")
            with suppress(OSError):
                path.unlink()
        missing = [named for key, named in wanted.items() if key not in done]
        texts: list[Named] = [(CAPTION + text, text) for text in captions(run.probes) if reads_captions(name)]
        texts = [named for named in texts if named[0] not in done]
        unread: list[str] = []
        count = len(wanted) - len(missing)
        what = f"embeddings ({name})"
        progress(what, count, len(wanted))

        def keep(batch: Sequence[Named], lost: list[str]) -> None:
            nonlocal count
            unread.extend(lost)  # noqa: B023
            count += sum(not isinstance(sound, str) for _, sound in batch)
            progress(what, count, len(wanted))  # noqa: B023

        work = Job(partial(hearing, name, run.file.signatures[name], folder), gpu=uses_gpu(name), sees=run.folder)
        todo = [*([texts] if texts else []), *batches(missing, machines.workers)]
        try:
            report.failures += [f"{name}: {lost.why}" for lost in machines.map(work, todo, keep)]
        except WeightsUnavailable as error:
            report.failures.append(str(error))
            continue
        report.failures += each_once(unread)
        with suppress(DiskFull, UsageError):  # nothing is lost: the embeddings stay in several files
            compact(folder)
    return report


def each_once(lines: Sequence[str]) -> list[str]:
    """Lines without duplicates, at most `MOST_NAMED`; the rest are counted."""
    once = list(dict.fromkeys(lines))
    more = [f"and {len(once) - MOST_NAMED} more of this kind"] if len(once) > MOST_NAMED else []
    return [*once[:MOST_NAMED], *more]


def measure(
    run: Run, progress: Progress = silent, machines: Executor | None = None, also: Sequence[str] = ()
) -> Report:
    """Sounds to measurements: every metric that applies and has no row yet.

    `also`: metrics on request to measure too, after all others.
    """
    machines = machines or Local()
    items = [item for item in run.items() if item.render.outcome != Outcome.NOT_RENDERED]
    with Writer(run.folder / "measurements", Measurement, every_s=1.0) as writer:
        usual = _measure(run, items, "measurements", lambda metric: not metric.on_request, writer, progress, machines)
        failures = failure_rows(items, run.measurements(), run.audio, writer.keep, machines, run.folder)
        slow = [
            lost for name in also for lost in _measure(run, items, name, find(name).__eq__, writer, progress, machines)
        ]
    return Report(each_once([*usual, *failures, *slow]))


Missing = tuple[Item, frozenset[str]]
"""A sound, and the keys of its missing rows."""


def _measure(
    run: Run,
    items: Sequence[Item],
    what: str,
    wanted: Callable[[Metric], bool],
    writer: Writer[Measurement],
    progress: Progress,
    machines: Executor,
) -> list[str]:
    """Measure the missing rows of the wanted metrics; return infrastructure failures, one line each."""
    done = run.measurements()
    found = [(item, [row for row in keys(item.completion.key, sound_of(item)) if wanted(row.metric)]) for item in items]
    applicable = [(item, rows) for item, rows in found if rows]
    unsettled = [
        (item, frozenset(row.key for row in rows if not is_settled(done, row.key, row.metric)))
        for item, rows in applicable
    ]
    missing = [(item, left) for item, left in unsettled if left]
    count = len(applicable) - len(missing)
    progress(what, count, len(applicable))

    def keep(_: Missing, rows: list[Measurement]) -> None:
        nonlocal count
        writer.keep(*(row for row in rows if row.key not in done))
        count += 1
        progress(what, count, len(applicable))

    work = Job(partial(measuring, run.audio), forgives=(AudioError,), sees=run.folder)
    lost: list[Failure[Missing]] = machines.map(work, missing, keep)
    writer.flush()
    return [one.why for one in lost]


@contextmanager
def measuring(audio: Path) -> Iterator[Callable[[Missing], list[Measurement]]]:
    """A function that measures the missing rows of an item."""

    def measure(missing: Missing) -> list[Measurement]:
        item, wanted = missing
        clip = load(item.render, audio) if item.render.audio else None
        return measure_sound(item.completion.key, sound_of(item, clip), wanted)

    with one_blas_thread():
        yield measure


class ScoreFile(msgspec.Struct, frozen=True):
    """`scores.json`. `inputs` is the digest of everything that the scores depend on."""

    inputs: str
    scores: list[Score]


def score(run: Run, progress: Progress = silent, machines: Executor | None = None, say: Say = unsaid) -> list[Score]:
    """Measurements and embeddings to scores; does nothing if the inputs have not changed.

    `say` gets a line per damaged file, with the command that repairs it.
    """
    sweep(run.folder)
    items = run.items()
    rows = run.measurements()
    signatures = run.file.signatures
    folders = {name: embeddings_folder(run, name) for name in run.asked.embedders if name in signatures}
    parts = {name: [path.name for path in parts_of(folder)] for name, folder in folders.items()}
    outcomes = [(item.completion.key, item.render.key, item.render.outcome) for item in items]
    inputs = digest(
        outcomes, sorted(rows), parts, signatures, run.probes, verified.shipped(), version("innerear"), SCORES
    )
    path = run.folder / "scores.json"
    before = _scores_before(path, say)
    if before is not None and before.inputs == inputs:
        return before.scores
    damaged: dict[Path, str] = {}
    embedded = {
        name: (signatures[name], read_embeddings(folders[name], damaged.__setitem__)) if name in folders else None
        for name in run.asked.embedders
    }
    for why in damaged.values():
        say(f"{why}; its sounds count as missing until `innerear embed {run.folder}` embeds them again")
    found = score_items(items, rows, embedded, progress, machines)
    content = ScoreFile("" if damaged else inputs, found)  # computed again once the damage is repaired
    write_whole(path, msgspec.json.format(msgspec.json.encode(content), indent=1))
    return found


def _scores_before(path: Path, say: Say) -> ScoreFile | None:
    """The previous scores, if they can be read."""
    try:
        return from_json(path.read_bytes(), ScoreFile) if path.exists() else None
    except (OSError, ValueError) as error:
        say(f"{path} is damaged, or of another version ({error}); it is made again")
        return None


def report(run: Run, every_recording: bool = False, say: Say = unsaid) -> Path:
    """Write the HTML report, and return the path of its page.

    Real recordings from the folder in `INNEREAR_DATA` are included for comparison: those whose licences
    allow passing the page on, or all with `every_recording`. `say` gets a line per unreadable file.
    """
    from innerear.report import write_report
    from innerear.report.evidence import report_data

    data = Path(named) if (named := os.environ.get("INNEREAR_DATA")) else None
    return write_report(report_data(run, score(run, say=say), data, every_recording), run.folder, say)


def evaluate(
    run: Run,
    models: Sequence[Model],
    workers: int | None = None,
    progress: Progress = silent,
    max_usd: float | None = None,
    machines: Executor | None = None,
) -> tuple[Run, Report]:
    """Run all stages but the report page.

    A machine that cannot isolate programs still gets scores: `Report.unrendered` then says why none ran.
    Infrastructure failures are in the `Report`. `workers` is the number of programs to run in parallel;
    `machines` does everything but asking the models.
    """
    machines = machines or Local(workers or 0)
    report = generate(run, models, progress, workers, max_usd)
    try:
        report.add(render(run, machines, progress))
    except JailUnavailable as error:
        report.unrendered = error
    run, chosen = choose_embedders(run)
    report.add(chosen)
    report.add(embed(run, progress, machines))
    report.add(measure(run, progress, machines))
    run = Run(run.folder)  # re-read: other commands may have added to it
    score(run, progress, machines, report.warnings.append)
    return run, report
