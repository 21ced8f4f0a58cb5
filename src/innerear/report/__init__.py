"""The report page of a run: settings, scores, and every sound with its program.

`write_report(data, run_folder)` writes `run_folder/report`, which opens from disk and
works offline.
"""

from __future__ import annotations

from innerear.report.data import Funnel, Item, Recording, ReportData, Settings, Step
from innerear.report.texts import MetricText
from innerear.report.write import write_report

__all__ = ["Funnel", "Item", "MetricText", "Recording", "ReportData", "Settings", "Step", "write_report"]
