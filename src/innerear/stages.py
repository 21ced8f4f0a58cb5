"""The stages, one function each: read the files of earlier stages, do what is missing, write their own.

A stage hands its parallel work as `Job` to `Executor`, by default threads of this process, and reports to
`Progress` and `Report`. What a stage does is in the module `stage` of its folder.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from innerear import markup
from innerear.ask.bench import open_bench
from innerear.ask.generate import Unanswered, check_languages, summary
from innerear.ask.generate import generate as ask_all
from innerear.ask.models import Model
from innerear.compute.work import Executor, Local
from innerear.data_folders import data_setting
from innerear.embed.batches import Named
from innerear.embed.stage import choose_embedders, embed_missing, sounds_of
from innerear.errors import JailUnavailable
from innerear.metrics.failure_rows import failure_rows
from innerear.metrics.measure import paired
from innerear.metrics.registry import find
from innerear.metrics.stage import measure_missing
from innerear.records import Completion, Measurement, Outcome, Render, Repeat, Score
from innerear.render.render import runs
from innerear.render.stage import damaged, run_programs, without_sound
from innerear.run.parts import Updater, Writer, read_rows
from innerear.run.progress import Progress, Report, Say, Tally, each_once, silent, unsaid
from innerear.run.rows import Scores
from innerear.run.run import Run
from innerear.run.whole import sweep
from innerear.scores.clap import CAPTION, captions
from innerear.scores.stage import score_run

__all__ = [
    "Evaluation", "choose_embedders", "embed", "evaluate", "generate", "measure", "render", "repeat", "report", "score",
]  # fmt: skip


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
        JailUnavailable: the strategy runs programs and this machine cannot isolate them, in any of the run's
            languages; nothing was asked.
    """
    asked, folder = run.asked, run.folder / "completions"
    done = list(read_rows(folder, Completion).values())
    total = len(models) * len(run.probes) * asked.attempts * len(asked.strategies)
    tally = Tally(progress, "completions", min(total, len(run.completions())), total)
    check_languages(models, asked.languages)
    failures: list[Unanswered] = []
    spent_usd = 0.0
    report = Report()
    unable: list[JailUnavailable] = []
    with Writer(folder, Completion) as writer:

        def keep(completion: Completion) -> None:
            writer.keep(completion)
            done.append(completion)
            tally.add()

        for strategy in asked.strategies:
            try:
                with open_bench(run, strategy, workers) as bench:
                    failures += ask_all(
                        run.probes,
                        models,
                        strategy,
                        asked.attempts,
                        keep=keep,
                        done=list(done),
                        spent_usd=spent_usd,
                        bench=bench,
                        max_usd=max_usd,
                    )
            except JailUnavailable as error:
                unable.append(error)
                report.failures.append(f"{strategy} runs programs and was not asked: {error}")
            spent_usd += sum(row.usd or 0.0 for row in done if row.strategy == strategy)
    if len(unable) == len(asked.strategies):
        raise unable[0]
    report.add(Report(summary(failures), run.leaks()))
    return report


def render(run: Run, machines: Executor | None = None, progress: Progress = silent, check: bool = False) -> Report:
    """Completions to sounds: run each program that has no row yet or whose sound is missing.

    With `check`, every sound is decoded, and damaged ones are rendered again.

    Raises:
        JailUnavailable: there are programs to run and this machine cannot isolate them.
    """
    sweep(run.audio)
    programs, done = run.programs(), read_rows(run.folder / "renders", Render)
    run.verdicts.save()
    gone = without_sound(run, {key: row for key, row in done.items() if key in programs})
    if check:
        there = [row for key, row in done.items() if key in programs and row.audio and key not in gone]
        gone |= damaged(run, there, machines, progress)
    missing = [program for key, program in programs.items() if key not in done or key in gone]
    tally = Tally(progress, "programs", len(programs) - len(missing), len(programs))
    with Updater(run.folder / "renders", Render, done, lambda new, old: new.audio != old.audio) as writer:

        def keep(row: Render) -> None:
            writer.keep(row)
            tally.add()

        failures = run_programs(run, missing, keep, machines)
    said = [f"{len(gone)} sounds were missing or damaged, and their programs ran again"] if gone else []
    return Report(failures, said)


def repeat(run: Run, machines: Executor | None = None, progress: Progress = silent) -> Report:
    """Run each program with a sound a second time, and record whether the output is bit-identical.

    A program that differs uses the clock or system randomness. Its second sound is stored too.

    Raises:
        JailUnavailable: this machine cannot isolate programs.
    """
    done = run.repeats()
    items = {item.render.key: item for item in run.items() if runs(item.program) and item.render.audio}
    gone = without_sound(run, done)
    missing = [item.program for key, item in items.items() if key not in done or key in gone]
    tally = Tally(progress, "second runs", len(items) - len(missing), len(items))
    with Updater(run.folder / "repeats", Repeat, done, operator.ne) as writer:

        def keep(again: Render) -> None:
            same = again.audio == items[again.key].render.audio
            writer.keep(Repeat(again.key, again.outcome, again.audio, same))
            tally.add()

        failures = run_programs(run, missing, keep, machines)
    return Report(failures)


def embed(run: Run, progress: Progress = silent, machines: Executor | None = None) -> Report:
    """Sounds to embeddings, plus noise and silence of the same durations for the floors.

    Uses the embedders settled by `choose_embedders`; opens one only if something is missing.
    """
    report = Report()
    sounds = sounds_of(run)
    texts: dict[str, Named] = {CAPTION + text: (CAPTION + text, text) for text in captions(run.probes)}
    for name in run.asked.embedders:
        if name in run.file.signatures:
            report.add(embed_missing(run, name, sounds, texts, machines or Local(), progress))
    return report


def measure(
    run: Run, progress: Progress = silent, machines: Executor | None = None, also: Sequence[str] = ()
) -> Report:
    """Sounds to measurements: every metric that applies and has no row yet.

    `also`: metrics on request to measure too, after all others.
    """
    machines = machines or Local()
    items = [item for item in run.items() if item.render.outcome != Outcome.NOT_RENDERED]
    with Writer(run.folder / "measurements", Measurement, every_s=1.0) as writer:
        lost = measure_missing(
            run, items, "measurements", lambda metric: not metric.on_request, writer, progress, machines
        )
        done = run.measurements()
        lost += failure_rows(paired(done, items), done, run.audio, writer.keep, machines, run.folder)
        for metric in map(find, also):
            wanted = partial(operator.is_, metric)
            lost += measure_missing(run, items, metric.name, wanted, writer, progress, machines)
    return Report(each_once(lost))


def score(run: Run, progress: Progress = silent, machines: Executor | None = None, say: Say = unsaid) -> list[Score]:
    """Measurements and embeddings to scores; does nothing if the inputs have not changed.

    `say` gets a line per damaged file, with the command that repairs it.
    """
    sweep(run.folder)
    return score_run(run, progress, machines, say)


def report(run: Run, every_recording: bool = False, say: Say = unsaid) -> Path:
    """Write the HTML report, and return the path of its page.

    Real recordings from the folder in `INNEREAR_DATA` are included for comparison: those whose licences
    allow passing the page on, or all with `every_recording`. `say` gets a line per unreadable file.
    """
    from innerear.report import write_report
    from innerear.report.evidence import report_data

    return write_report(report_data(run, score(run, say=say), data_setting(), every_recording), run.folder, say)


class Evaluation(NamedTuple):
    """What `evaluate` returns: the run and what the stages reported."""

    run: Run
    report: Report

    @property
    def scores(self) -> Scores:
        """The scores of the run."""
        return self.run.scores()

    def _repr_html_(self) -> str:
        lines = [*self.report.warnings, *self.report.failures]
        lines += [str(self.report.unrendered)] if self.report.unrendered else []
        return self.run._repr_html_() + (markup.facts(("note", line) for line in lines) if lines else "")


def evaluate(
    run: Run,
    models: Sequence[Model],
    workers: int | None = None,
    progress: Progress = silent,
    max_usd: float | None = None,
    machines: Executor | None = None,
) -> Evaluation:
    """Run all stages but the report page.

    The result unpacks to the run and the report, and has the scores: `evaluate(run, models).scores`.

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
    return Evaluation(run, report)
