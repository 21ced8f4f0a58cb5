"""Items that are scored together, and the scores of their values: one place for value, interval and `Score`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from innerear import stats
from innerear.metrics.base import Metric
from innerear.records import ALL, Item, Measurement, Outcome, Probe, Scope, Score, Signature


@dataclass(frozen=True)
class Group:
    """The items of one model in one tier with one strategy. `seen`: metrics that the strategy was told of."""

    model: str
    strategy: str
    tier: str
    items: list[Item]
    probes: list[Probe]
    seen: frozenset[str] = frozenset()

    @property
    def rendered(self) -> list[Item]:
        """The items whose programs ran, however they ended; the others are infrastructure failures."""
        return [item for item in self.items if item.render.outcome != Outcome.NOT_RENDERED]

    def score(
        self, metric: str, found: stats.Estimate | None, n: int, missing: int, signature: Signature,
        group: Scope = ALL, **more: Any,
    ) -> Score:  # fmt: skip
        """A score of this group, `None` if it has no value. Its note says if the strategy was told of this metric."""
        if metric in self.seen:
            more["note"] = "; ".join(filter(None, ["seen by the strategy", more.get("note", "")]))
        found = found or stats.Estimate(None)
        how = str(signature.plus(ci=found.by) if found.by else signature)
        more |= {"low": found.low, "high": found.high}
        return Score(metric, self.model, self.strategy, self.tier, found.value, n, missing, how, group, **more)

    def rate(
        self, metric: str, passes: Sequence[tuple[str, bool]], missing: int, signature: Signature, group: Scope = ALL,
        **more: Any,
    ) -> Score:  # fmt: skip
        """A rate over (probe, passed), with the interval of `stats.rate`."""
        more |= {"unit": "share", "better": "higher"}
        return self.score(metric, stats.rate(passes), len(passes), missing, signature, group, **more)

    def average(
        self, metric: str, values: Sequence[tuple[str, float | None]], asked: int, signature: Signature,
        statistic: Callable[..., Any] = np.mean, share: bool = False, **more: Any,
    ) -> Score:  # fmt: skip
        """A statistic over the (probe, value) that have a value, of `asked`, with the interval of `stats.estimate`."""
        valued = [(probe, value) for probe, value in values if value is not None]
        found = stats.estimate(valued, statistic, share)
        return self.score(metric, found, len(valued), asked - len(valued), signature, **more)

    def median(self, metric: Metric, rows: Sequence[tuple[str, Measurement]], asked: int, name: str = "") -> Score:
        """The median of a metric's values over `asked` sounds, of their sizes if they are errors."""
        statistic = median_size if metric.value_is == "error" else np.median
        values = [(probe, row.value) for probe, row in rows]
        return self.average(
            name or metric.name, values, asked, Signature.of(name or metric.name, v=1).plus("median"), statistic,
            unit=metric.unit, better=metric.better,
        )  # fmt: skip


def median_size(values: NDArray[np.float64], axis: int = 0) -> Any:
    """The median of the absolute values."""
    return np.median(np.abs(values), axis=axis)
