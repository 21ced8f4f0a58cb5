"""All that the page shows, as rows: whoever fills a `ReportData` gets a report.

The page computes no score of its own. It joins rows by these rules:

- a measurement belongs to a check of its probe when its metric has the name of the check's kind,
  and it comes in the same place among those of that kind;
- a probe counts as passed when every headline check of it that was judged has passed;
- scores of one metric and embedder (the `emb:` part of the signature) in one tier share a picture,
  with `group="all"` first.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from innerear.records import Completion, Limits, Measurement, Probe, Program, Render, Score
from innerear.report.texts import METRICS, MetricText


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
    """One step of the funnel: how many completions got so far, and of how many that is asked."""

    name: str
    count: int
    of: int


class Funnel(msgspec.Struct, frozen=True):
    """What became of a model's completions in one tier, step by step, widest first.

    All funnels of a report have the same steps in the same order; the page adds up the tiers, and
    puts behind them how many of the judged completions pass all their checks.
    """

    model: str
    strategy: str
    tier: str
    steps: list[Step]


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


class Recording(msgspec.Struct, frozen=True, kw_only=True):
    """A real recording of what a probe asks, to compare with.

    `path` is where the file is on this machine: the report copies it. `remark` says where it is the
    nearest there is and not the very thing; `licence` and `attribution` stand beside it on the page.
    """

    path: str
    licence: str
    attribution: str
    remark: str = ""


class ReportData(msgspec.Struct, frozen=True, kw_only=True):
    """A whole report. Rows keep their order on the page; `created` is when the run was, in ISO 8601."""

    title: str
    created: str
    asked: Asked
    probes: list[Probe]
    items: list[Item]
    scores: list[Score] = []
    funnels: list[Funnel] = []
    metrics: Sequence[MetricText] = METRICS
    warnings: list[str] = []
    finding: list[str] = []  # what the statistics support, in sentences, the first says the most
    recordings: dict[str, Recording] = {}  # by probe
    comparison: dict[str, Any] = {}  # what `innerear compare` found; with it, the page has a view of it
    listening: list[Any] = []  # what people heard, one `listening.Validation` for each test
