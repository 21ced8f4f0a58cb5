"""What an expert would tell about a probe: exact figures from its checks, and how such sounds are built."""

from __future__ import annotations

from innerear.records import Probe


def brief_details(probe: Probe) -> list[str]:
    """Sentences with exact figures, most important first."""
    return []
