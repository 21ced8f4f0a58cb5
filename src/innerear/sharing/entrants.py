"""The entrants of a comparison, with one value per probe and metric."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from innerear import stages
from innerear.ask.generate import Bench, generate
from innerear.ask.models import open_model
from innerear.embed import reads_captions
from innerear.embed.batches import read_embeddings
from innerear.errors import JailFailure, UsageError
from innerear.metrics.clap import cosines
from innerear.metrics.measure import paired
from innerear.records import Item, Outcome, Score
from innerear.run.run import Run, embeddings_folder
from innerear.scores.checks import not_run
from innerear.scores.clap import CAPTION
from innerear.scores.comparisons import shares_passed
from innerear.scores.ends import end_name
from innerear.scores.groups import groups_of
from innerear.scores.identity import mean_grades
from innerear.scores.score import FUNNEL, steps
from innerear.sharing.tables import entrant_labels
from innerear.stats import grouped
from innerear.text import counted

Values = Mapping[str, Mapping[str, float]]
"""By metric, by probe."""


@dataclass(frozen=True)
class Entrant:
    """One model with one strategy in one run."""

    run: Run
    name: str  # of the run
    model: str
    strategy: str
    label: str
    items: Sequence[Item]
    values: Values
    scores: Sequence[Score]
    unmeasured: int = 0  # sounds whose checks have no row
    unanswered: int = 0  # number of compared probes without an answer
    refusal: str = ""  # why the model's recording has no answers, if known
    not_run: Mapping[str, int] = field(default_factory=dict)  # checks without a verdict, by reason

    @property
    def silent(self) -> bool:
        """Whether it has no answers at all."""
        return not self.items


def entrants_of(runs: Sequence[Run], names: Sequence[str], probes: set[str], models: Sequence[str]) -> list[Entrant]:
    """The entrants of runs. Floors and ceilings take part only if named in `models`, or if there is nothing else."""
    every = [
        (run, name, model, strategy) for run, name in zip(runs, names, strict=True) for model, strategy in _asked(run)
    ]
    known = {model for _, _, model, _ in every}
    if unknown := [model for model in models if model not in known]:
        raise UsageError(f"no run has the model {unknown[0]!r}; the models are {', '.join(sorted(known))}")
    chosen = [entry for entry in every if (entry[2] in models if models else not end_name(entry[2]))]
    if models:
        chosen.sort(key=lambda entry: models.index(entry[2]))  # stable: the order in which they are named
    if not models and len(chosen) < 2:
        chosen = every
    labels = entrant_labels([(name, model, strategy) for _, name, model, strategy in chosen])
    loaded = {name: _Loaded(run) for run, name, _, _ in chosen}
    return [
        Entrant(
            run, name, model, strategy, label,
            loaded[name].of(model, strategy),
            loaded[name].values(model, strategy, probes),
            [score for score in loaded[name].scores if (score.model, score.strategy) == (model, strategy)],
            loaded[name].unmeasured(model, strategy),
            *_unanswered(run, model, strategy, probes, loaded[name].of(model, strategy)),
            loaded[name].not_run(model, strategy, probes),
        )
        for (run, name, model, strategy), label in zip(chosen, labels, strict=True)
    ]  # fmt: skip


def _asked(run: Run) -> list[tuple[str, str]]:
    """The models of a run with its strategies; if there are several, only those that a model has answers with."""
    every = [(model, strategy) for model in run.asked.models for strategy in run.asked.strategies]
    if len(run.asked.strategies) == 1:
        return every
    answered = {(row.model, row.strategy) for row in run.completions()}
    without = {model for model in run.asked.models if not any(model == one for one, _ in answered)}
    first = run.asked.strategies[0]
    return [
        (model, strategy)
        for model, strategy in every
        if (model, strategy) in answered or (model in without and strategy == first)
    ]


def _unanswered(run: Run, model: str, strategy: str, probes: set[str], items: Sequence[Item]) -> tuple[int, str]:
    """The number of compared probes that a model has no answer to, and why, if its recording says."""
    answered = {item.probe.id for item in items}
    without = [probe for probe in run.probes if probe.id in probes and probe.id not in answered]
    if not without or not model.startswith("recorded/"):
        return len(without), ""
    try:
        failures = generate(
            without[:1], [open_model(model)], strategy, keep=lambda _: None, bench=Bench(_never, _never)
        )
    except UsageError as error:  # the recording is not here
        return len(without), str(error)
    return len(without), next((str(failure.error) for failure in failures if failure.error is not _NEVER), "")


_NEVER = JailFailure("a comparison runs no programs")


def _never(*_: object) -> Any:
    raise _NEVER


class _Loaded:
    """A run's rows, read once for all its models."""

    def __init__(self, run: Run) -> None:
        self.scores = stages.score(run)
        self.items = paired(run.measurements(), run.items())
        self._clap = {
            name: read_embeddings(embeddings_folder(run, name))
            for name in run.asked.embedders
            if reads_captions(name) and name in run.file.signatures
        }

    def of(self, model: str, strategy: str) -> list[Item]:
        """The items of a model with a strategy."""
        return [item for item in self.items if (item.completion.model, item.completion.strategy) == (model, strategy)]

    def unmeasured(self, model: str, strategy: str) -> int:
        """The number of sounds that have checks but no rows."""
        asked = [item for item in self.of(model, strategy) if item.probe.expect]
        rendered = [item for item in asked if item.render.outcome != Outcome.NOT_RENDERED]
        return sum(not item.checked for item in rendered)

    def not_run(self, model: str, strategy: str, probes: set[str]) -> Mapping[str, int]:
        """The number of checks of measured sounds without a verdict, by reason."""
        mine = [item for item in self.of(model, strategy) if item.probe.id in probes]
        return not_run([item for item in mine if item.checked])

    def values(self, model: str, strategy: str, probes: set[str]) -> Values:
        """By metric and probe, the mean over attempts."""
        items = [item for item in self.of(model, strategy) if item.probe.id in probes]
        rendered = [item for item in items if item.render.outcome != Outcome.NOT_RENDERED]
        found: dict[str, dict[str, float]] = {"checks": {}}
        for group in groups_of(items):
            found["checks"] |= shares_passed(group)
            found.setdefault("identity", {}).update(mean_grades(group))
        for name in ("audible", "right_length"):
            place = FUNNEL.index(name.replace("_", " "))
            found[name] = _means([(item.probe.id, float(steps(item)[place])) for item in rendered])
        for frames in list(self._clap.values())[:1]:
            found["clap"] = _means(
                [
                    (item.probe.id, float(cosines(frames[item.render.audio], frames[CAPTION + item.probe.caption])[0]))
                    for item in rendered
                    if item.render.audio in frames and CAPTION + item.probe.caption in frames
                ]
            )
        return found


def _means(pairs: Sequence[tuple[str, float]]) -> dict[str, float]:
    return {probe: float(np.mean(values)) for probe, values in grouped(pairs).items()}


def unmeasured(entrants: Sequence[Entrant]) -> Iterator[str]:
    """Sentences on missing answers, checks, measurements and renders of the entrants."""
    for entrant in entrants:
        if entrant.unanswered:
            label = f"{entrant.label} in {entrant.name}"
            why = f": {entrant.refusal}" if entrant.refusal else ""
            if entrant.silent:
                yield f"{label} has no answers and is compared with nothing{why}"
            else:
                yield f"{label} has no answer to {entrant.unanswered} of the probes compared{why}"
        if entrant.not_run:
            count, why = sum(entrant.not_run.values()), next(iter(entrant.not_run))
            yield f"{count} checks of {entrant.label} were not run, so its rates are over fewer checks: {why}"
        if entrant.unmeasured:
            yield (
                f"{entrant.unmeasured} sounds of {entrant.label} have no measurements by this version; "
                "run `innerear measure`"
            )
        if missing := sum(item.render.outcome == Outcome.NOT_RENDERED for item in entrant.items):
            yield f"{counted(missing, 'program')} of {entrant.label} not rendered and left out"
