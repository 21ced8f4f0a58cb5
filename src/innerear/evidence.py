"""A run joined into all that the report shows, and the few lines that a terminal shows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from innerear import metrics
from innerear.check_scores import FEW
from innerear.failures import failure_key
from innerear.gaps import gaps
from innerear.listening.results import read_validations
from innerear.records import Outcome, Probe, Score, embedder_of
from innerear.report.data import Asked, Funnel, Item, ReportData, Step
from innerear.report.finding import finding
from innerear.report.recordings import recordings
from innerear.run import Run
from innerear.score import funnels
from innerear.verify import in_headline


def report_data(
    run: Run, scores: Sequence[Score], data: Path | None = None, every_recording: bool = False
) -> ReportData:
    """All that the report of a run shows.

    Real recordings to compare with come from the folder `data`; with `every_recording` also those
    whose licences do not let a report be passed on.
    """
    found = run.measurements()
    items = run.items()
    shown = []
    for item in items:
        measured = metrics.rows_of(found, item.completion.key, metrics.sound_of(item))
        failure = found.get(failure_key(item, measured))
        measured += [failure] if failure else []
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
        asked=Asked(
            models=asked.models,
            strategies=[asked.strategy],
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
        probes=[_as_counted(probe) for probe in run.probes],
        items=shown,
        scores=list(scores),
        funnels=[
            Funnel(model, strategy, tier, [Step(name, count, of) for name, count, of in steps])
            for model, strategy, tier, steps in funnels(items)
        ],
        warnings=[*gaps(run, items, found), *warnings(run, shown, scores)],
        finding=finding(scores),
        recordings=recordings(run.probes, data, every_recording),
        listening=list(read_validations(run.folder)),
    )


def _as_counted(probe: Probe) -> Probe:
    """Its checks are out of headlines where verification takes them out: the page counts as scores do."""
    expect = [msgspec.structs.replace(check, headline=in_headline(check, probe.tier)[0]) for check in probe.expect]
    return msgspec.structs.replace(probe, expect=expect)


def warnings(run: Run, items: Sequence[Item], scores: Sequence[Score]) -> list[str]:
    """What a reader must know before believing a number."""
    found = run.leaks()
    repeats = run.repeats()
    not_rendered = sum(item.render.outcome == Outcome.NOT_RENDERED for item in items)
    if not_rendered:
        found.append(f"{not_rendered} programs were not rendered: they count in no rate (see `innerear doctor`)")
    if any(item.render.jail.get("tier") == "off" for item in items):
        found.append("programs ran with the jail off: nothing kept them from this machine")
    flagged = sum(bool(item.render.near_limit) for item in items)
    if flagged:
        found.append(
            f"{flagged} programs used more than four fifths of a limit: another limit might change their outcome"
        )
    changing = [item.completion.probe for item in items if (again := repeats.get(item.render.key)) and not again.same]
    if changing:
        found.append(f"{len(changing)} programs gave another sound when they ran again: {', '.join(changing[:5])}")
    if "mel" in run.asked.embedders:
        found.append("distances by `mel` are statistics of a spectrum, no measure of what is heard")
    if any(score.note.startswith("small n") for score in scores):
        found.append("FAD is biased upward at these n: compare only sets of equal n, and trust KAD more")
    lacking = {row.reason: row.metric for item in items for row in item.measurements if metrics.is_unavailable(row)}
    found += sorted(f"{metric}: {reason}" for reason, metric in lacking.items())
    found += [_agreed(score) for score in scores if score.metric == "agreement"]
    found += sorted({f"CLAP: {score.note}" for score in scores if score.metric == "clap" and score.value is None})
    return found


def _agreed(score: Score) -> str:
    reach = score.note if score.low is None else f"95 % interval {score.low:.2f} to {score.high:.2f}"
    metric, _, embedders = score.group.partition(", ")
    return (
        f"{score.tier}: {embedders} put {score.n} models in order by {metric.upper()} "
        f"with Kendall's tau {score.value:.2f} ({reach}); 1 is the same order"
    )


def heard_by(scores: Sequence[Score]) -> str:
    """The embedder of a headline's distances: the first one that hears; `mel` only where there is no other."""
    names = [(s.value is None, embedder_of(s.signature)) for s in scores if s.metric == "kad"]
    return min(names, key=lambda named: (named[0], named[1] == "mel"), default=(True, ""))[1]


def headline(scores: Sequence[Score]) -> list[list[str]]:
    """The rows of the table that a run ends with: model, tier or kind, rates, checks passed, FAD, KAD.

    Distances are by the embedder that `heard_by` names.
    """
    table = []
    by = heard_by(scores)
    groups = dict.fromkeys(
        (s.model, s.tier) for s in scores if s.metric not in ("agreement", "tier_trend", "checks_difference")
    )
    for model, tier in groups:
        mine = [s for s in scores if (s.model, s.tier) == (model, tier)]
        rates = {s.metric: s for s in mine if s.group == "all"}
        distances: dict[str, dict[str, Score]] = {}
        for s in mine:
            if s.metric in ("fad", "kad") and embedder_of(s.signature) == by:
                distances.setdefault(s.group, {})[s.metric] = s
        for place, (against, pair) in enumerate((distances or {"": {}}).items()):
            first = place == 0
            table.append(
                [
                    model if first else "",
                    tier if first else "",
                    *(_share(rates.get(name)) if first else "" for name in ("audio", "audible", "right_length")),
                    _checks(rates.get("checks")) if first else "",
                    against,
                    _distance(pair.get("fad")),
                    _distance(pair.get("kad")),
                ]
            )
    return table


HEADINGS = ["model", "tier", "audio", "audible", "length", "checks", "against", "FAD  real…noise", "KAD  real…noise"]


def _checks(score: Score | None) -> str:
    """The share of checks passed, of how many, how many were not run; too few of them make no share."""
    if score is None or not score.n:
        return "–"
    count = f"{_share(score)} of {score.n}" if score.n >= FEW else f"{(score.value or 0) * score.n:.0f} of {score.n}"
    return f"{count}, {score.missing} not run" if score.missing else count


def _share(score: Score | None) -> str:
    return "–" if score is None or score.value is None else f"{score.value:.0%}"


def _distance(score: Score | None) -> str:
    if score is None or score.value is None:
        return "–"
    ends = [score.ceiling.get("real"), score.floor.get("noise")]
    return f"{score.value:z.1f}  {'…'.join('–' if end is None else f'{end:z.1f}' for end in ends)}"
