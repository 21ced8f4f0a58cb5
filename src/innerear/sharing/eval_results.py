"""Scores and suites in the forms of the Hugging Face hub's evaluation results.

https://huggingface.co/docs/hub/eval-results: a benchmark dataset has an `eval.yaml`, a model repository has files in
`.eval_results/` that name the benchmark, its task and the value.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from innerear import stages
from innerear.errors import UsageError
from innerear.records import ALL
from innerear.run.run import Run
from innerear.suite import Suite, load
from innerear.suite.hub import _hub

CONFIG, SPLIT = "probes", "test"
DESCRIPTION = (
    "Sounds that a language model is asked to write as a program: {counts}. The program runs in a jail, and each sound "
    "must pass the checks of its probe. The value of a task is the share of checks passed, in per cent."
)


def eval_yaml(suite: Suite, name: str) -> bytes:
    """The `eval.yaml` that makes a dataset with this suite a benchmark: one task per tier."""
    tiers = {tier: sum(probe.tier == tier for probe in suite.probes) for tier in dict.fromkeys(_tiers(suite))}
    counts = ", ".join(f"{tier} {count}" for tier, count in tiers.items())
    return msgspec.yaml.encode(
        {
            "name": name,
            "description": DESCRIPTION.format(counts=counts),
            "evaluation_framework": "innerear",
            "tasks": [{"id": tier, "config": CONFIG, "split": SPLIT} for tier in tiers],
        }
    )


def eval_results(run: Run, model: str, strategy: str, benchmark: str, source: str = "") -> bytes:
    """The content of a file for `.eval_results/` in a model's repository: one entry per tier.

    Args:
        run: a run of the benchmark's suite.
        model: the model of the run whose scores these are.
        strategy: how it was asked, if the run has several ways; empty for the only one.
        benchmark: the dataset `OWNER/NAME` on the hub.
        source: the address of the packed run, if it is public.

    Raises:
        UsageError: the run is of another suite, or the model has not answered a whole tier. HubError: the benchmark
            could not be read.
    """
    suite = load(f"hf://datasets/{benchmark}")
    if suite.digest != run.asked.suite_digest:
        raise UsageError(
            f"{benchmark} has the suite {suite.digest}, but the run was asked the suite {run.asked.suite_digest}"
        )
    answered = {one.probe for one in run.completions() if one.model == model}
    entries = []
    for score in stages.score(run):
        wanted = (model, "checks", ALL)
        if (score.model, score.metric, score.group) != wanted or score.strategy != (strategy or score.strategy):
            continue
        if missing := {probe.id for probe in suite.probes if probe.tier == score.tier} - answered:
            raise UsageError(f"{model} has not answered {len(missing)} probes of {score.tier}; run the whole suite")
        if score.value is None:
            continue
        interval = (
            "" if score.low is None or score.high is None else f" [{100 * score.low:.1f}, {100 * score.high:.1f}]"
        )
        entries.append(
            _hub().EvalResultEntry(
                dataset_id=benchmark,
                task_id=score.tier,
                dataset_revision=suite.name.rpartition("@")[2],
                value=round(100 * score.value, 1),
                date=run.file.created[:10],
                source_url=source or None,
                source_name="InnerEar run" if source else None,
                notes=f"strategy {score.strategy}, {run.asked.attempts} per probe, n {score.n}{interval}",
            )
        )
    if not entries:
        raise UsageError(f"no checks of {model!r} have been scored in {run.folder}")
    return msgspec.yaml.encode(_hub().eval_result_entries_to_yaml(entries))


def _tiers(suite: Suite) -> Sequence[str]:
    return [probe.tier for probe in suite.probes]
