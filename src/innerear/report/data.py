"""Input of the report: everything that the page shows, as rows in a `ReportData`.

The page computes no score of its own. It joins rows by these rules:

- a measurement of a check has the check's index in its probe;
- a probe counts as passed if all its headline checks with a verdict passed;
- scores of one metric and embedder (the `emb:` part of the signature) in one tier share a plot,
  with `group="all"` first.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from innerear.records import Completion, Limits, Measurement, Probe, Program, Render, Score
from innerear.report.texts import MetricText, metric_texts


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """The settings of the run: everything needed to repeat it.

    `more` has further fields of `run.json`, which the page shows unchanged.
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
    """One step of the funnel: how many completions passed it and all earlier steps, of how many."""

    name: str
    count: int
    of: int


class Funnel(msgspec.Struct, frozen=True):
    """The funnel of a model's completions in one tier, widest step first.

    All funnels of a report have the same steps in the same order; the page adds up the tiers and
    appends how many of the checked completions pass all their checks.
    """

    model: str
    strategy: str
    tier: str
    steps: list[Step]


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """One completion with its program, render and measurements.

    `audio` is the path of the stored sound relative to the run folder, such as
    `audio/<digest>.flac`; `None` without a sound.
    """

    completion: Completion
    program: Program | None
    render: Render
    measurements: list[Measurement] = []
    audio: str | None = None


class Recording(msgspec.Struct, frozen=True, kw_only=True):
    """A real recording of what a probe requests, to compare with.

    `path` is where the file is on this machine: the report copies it. `remark` says how it differs
    from the request, if it does; the page shows `licence` and `attribution` next to it.
    """

    path: str
    licence: str
    attribution: str
    remark: str = ""


class ReportData(msgspec.Struct, frozen=True, kw_only=True):
    """A whole report. Rows keep their order on the page; `created` is when the run was, in ISO 8601."""

    title: str
    created: str
    asked: Settings
    probes: list[Probe]
    items: list[Item]
    scores: list[Score] = []
    funnels: list[Funnel] = []
    metrics: Sequence[MetricText] = msgspec.field(default_factory=metric_texts)
    warnings: list[str] = []
    lacking: list[str] = []  # what this machine lacked and so did not measure, in one line per remedy
    finding: list[str] = []  # sentences that the statistics support, most informative first
    recordings: dict[str, Recording] = {}  # by probe
    comparison: dict[str, Any] = {}  # result of `innerear compare`; if set, the page has a view of it
    listening: list[Any] = []  # results of listening tests, one `Validation` per test
