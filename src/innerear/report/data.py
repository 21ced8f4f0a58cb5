"""All that the page shows, as rows: whoever fills a `ReportData` gets a report.

The page computes no score of its own. It joins rows by these rules:

- a measurement belongs to a check of its probe when the last part of its metric's name (after `/`
  or `.`) is the check's kind, and its place among those of that kind is the check's place;
- a measurement with `passed` set is a judgement, and is counted as one in the list of probes;
- a score with `group="all"` is one of its tier; any other is one of that group within the tier.
"""

from __future__ import annotations

from typing import Any

import msgspec

from innerear.records import Completion, Limits, Measurement, Probe, Program, Render, Score


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked of the run: all that it takes to do it again.

    `more` takes whatever else stands in `run.json`; the page shows it as it is.
    """

    models: list[str]
    strategies: list[str]
    suite: str
    suite_digest: str
    limits: Limits
    command: str
    seeds: dict[str, int] = {}
    versions: dict[str, str] = {}
    machine: dict[str, Any] = {}
    jail: dict[str, Any] = {}
    more: dict[str, Any] = {}


class Step(msgspec.Struct, frozen=True):
    """One step of the funnel: how many completions got so far, and of how many that is asked.

    `of` is smaller than the number of completions where the step cannot be judged for all, such as
    checks that are not measured yet.
    """

    name: str
    count: int
    of: int


class Funnel(msgspec.Struct, frozen=True):
    """What became of a model's completions in one tier, step by step, widest first.

    All funnels of a report have the same steps in the same order; the page adds up the tiers.
    """

    model: str
    strategy: str
    tier: str
    steps: list[Step]


class MetricText(msgspec.Struct, frozen=True):
    """How the page names and explains a metric. `headline` puts it on the overview."""

    name: str
    label: str
    text: str = ""
    headline: bool = False


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """One completion and all that came of it.

    `audio` is the path of the stored sound relative to the run folder, such as
    `audio/<digest>.flac`; `None` where there is none.
    """

    completion: Completion
    program: Program | None
    render: Render
    measurements: list[Measurement] = []
    audio: str | None = None


class ReportData(msgspec.Struct, frozen=True, kw_only=True):
    """A whole report. Rows keep their order on the page; `created` is an ISO 8601 time."""

    title: str
    created: str
    asked: Asked
    probes: list[Probe]
    items: list[Item]
    scores: list[Score] = []
    funnels: list[Funnel] = []
    metrics: list[MetricText] = []
    warnings: list[str] = []
