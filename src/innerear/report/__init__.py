"""The report page of a run: settings, scores, and every sound with its program.

`write_report(data, run_folder)` writes `run_folder/report`, which opens from disk and
works offline.
"""

from __future__ import annotations

from innerear.report.data import Asked, Funnel, Item, Recording, ReportData, Step
from innerear.report.texts import METRICS, MetricText
from innerear.report.write import write_report

__all__ = ["METRICS", "Asked", "Funnel", "Item", "MetricText", "Recording", "ReportData", "Step", "write_report"]
