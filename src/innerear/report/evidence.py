"""Collect everything that the report of a run shows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from innerear.checks import kind
from innerear.embed import TELLTALES, is_perceptual
from innerear.metrics.ears import ears_of
from innerear.metrics.failure_rows import failure_key
from innerear.metrics.measure import paired
from innerear.metrics.verified import counts_in
from innerear.records import Outcome, Probe, Score, Status
from innerear.report.data import Funnel, Item, ReportData, Settings, Step
from innerear.report.finding import finding
from innerear.report.recordings import recordings
from innerear.report.validations import read_validations
from innerear.run.run import Run
from innerear.scores.gaps import gaps
from innerear.scores.score import funnels
from innerear.text import counted


def report_data(
    run: Run, scores: Sequence[Score], data: Path | None = None, every_recording: bool = False
) -> ReportData:
    """Everything that the report of a run shows.

    `data` is the folder of real recordings to compare with; `every_recording` also takes those whose
    licences do not allow the report to be passed on.
    """
    found = run.measurements()
    items = paired(found, run.items())
    ears = ears_of(items)
    shown = []
    for item in items:
        failure = found.get(failure_key(item))
        measured = [*item.measurements, *([failure] if failure else [])]
        audio = f"audio/{item.render.audio}.flac" if item.render.audio else None
        shown.append(
            Item(
                completion=item.completion, program=item.program, render=item.render, measurements=measured, audio=audio
            )
        )
    asked = run.asked
    jails = {str(sorted(item.render.jail.items())): item.render.jail for item in items if item.render.jail}
    return ReportData(
        title=run.folder.resolve().name,
        created=run.file.created,
        asked=Settings(
            models=asked.models,
            strategies=asked.strategies,
            suite=asked.suite,
            suite_digest=asked.suite_digest,
            limits=asked.limits,
            command=run.file.command,
            seeds={"programs": asked.seed},
            versions=run.file.versions,
            machine=run.file.machine,
            jail=next(iter(jails.values()), {"tier": "none"}),
            more={"attempts": asked.attempts, "embedders": asked.embedders, "parameters": asked.parameters},
        ),
        probes=[_as_counted(probe, ears) for probe in run.probes],
        items=shown,
        scores=list(scores),
        funnels=[
            Funnel(model, strategy, tier, [Step(name, count, of) for name, count, of in steps])
            for model, strategy, tier, steps in funnels(items)
        ],
        warnings=[*gaps(run, items), *warnings(run, shown, scores)],
        lacking=lacking(shown),
        finding=finding(scores),
        recordings=recordings(run.probes, data, every_recording),
        listening=list(read_validations(run.folder)),
    )


def _as_counted(probe: Probe, ears: Mapping[str, str]) -> Probe:
    """The probe with `headline` off for checks that do not count by the ears of the run, so as scores count."""
    counts = [counts_in(probe, check, {"ears": ears.get(kind(check), "both")})[0] for check in probe.expect]
    expect = [msgspec.structs.replace(check, headline=on) for check, on in zip(probe.expect, counts, strict=True)]
    return msgspec.structs.replace(probe, expect=expect)


def warnings(run: Run, items: Sequence[Item], scores: Sequence[Score]) -> list[str]:
    """Warnings that a reader must see before trusting a number."""
    found = run.leaks()
    repeats = run.repeats()
    not_rendered = sum(item.render.outcome == Outcome.NOT_RENDERED for item in items)
    if not_rendered:
        found.append(f"left out of every rate: {counted(not_rendered, 'program')} not rendered (see `innerear doctor`)")
    if any(item.render.jail.get("tier") == "off" for item in items):
        found.append("programs ran with the jail off, without any isolation from this machine")
    flagged = sum(bool(item.render.near_limit) for item in items)
    if flagged:
        found.append(
            f"{counted(flagged, 'program')} used more than 80 % of a limit: another limit may change the outcome"
        )
    changing = [item.completion.probe for item in items if (again := repeats.get(item.render.key)) and not again.same]
    if changing:
        found.append(
            f"{counted(len(changing), 'program')} made a different sound when rerun: {', '.join(changing[:5])}"
        )
    for name in run.asked.embedders:
        if not is_perceptual(name) and name != TELLTALES:  # it has no distances
            found.append(f"distances by `{name}` compare spectral statistics and are not perceptual")
    if any(score.metric == "fad" and score.detail.get("frames", 0) < score.detail.get("dims", 0) for score in scores):
        found.append("FAD is biased upward at small n: compare only sets of equal n, and prefer KAD")
    found += [_agreed(score) for score in scores if score.metric == "agreement"]
    return found + sorted({f"CLAP: {score.note}" for score in scores if score.metric == "clap" and score.value is None})


def lacking(items: Sequence[Item]) -> list[str]:
    """What was not measured because this machine lacks it: one line per reason, with all that it concerns."""
    counts: dict[str, Counter[str]] = {}
    for item in items:
        for row in item.measurements:
            if row.status is Status.UNAVAILABLE:
                counts.setdefault(row.cause, Counter())[row.metric.replace("_", " ")] += 1
    return [
        f"{', '.join(f'{name} of {n} sounds' for name, n in metrics.most_common())}: {reason}"
        for reason, metrics in counts.items()
    ]


def _agreed(score: Score) -> str:
    reach = score.note if score.low is None else f"95 % interval {score.low:.2f} to {score.high:.2f}"
    metric, embedders = score.group.name.upper(), score.group.more
    return (
        f"{score.tier}: {embedders} rank {score.n} models by {metric} with Kendall's tau {score.value:.2f} ({reach}); "
        "1 is the same order"
    )
