"""Scores of a group from the values of its sounds: rates, means and medians with intervals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from innerear import stats
from innerear.records import Measurement, Score
from innerear.scores.groups import Group

Better = Literal["higher", "lower", "neither"]


def rate(
    of: Group, metric: str, passes: Sequence[tuple[str, bool]], missing: int, signature: str, **more: Any
) -> Score:
    """A rate over (probe, passed), with the interval of `stats.rate`."""
    more |= {"unit": "share", "better": "higher"}
    return _score(of, metric, stats.rate(passes), len(passes), missing, signature, **more)


def average(
    of: Group, metric: str, values: Sequence[tuple[str, float]], missing: int, signature: str,
    statistic: Callable[..., Any] = np.mean, share: bool = False, **more: Any,
) -> Score:  # fmt: skip
    """A statistic over (probe, value), with the interval of `stats.estimate`; `share` is passed to it."""
    return _score(of, metric, stats.estimate(values, statistic, share), len(values), missing, signature, **more)


def _score(of: Group, metric: str, found: stats.Estimate, n: int, missing: int, signature: str, **more: Any) -> Score:
    how = f"{signature}|ci:{found.by}"
    return of.score(metric, found.value, n, missing, how, low=found.low, high=found.high, **more)


def median_size(values: NDArray[np.float64], axis: int = 0) -> Any:
    """The median of the absolute values."""
    return np.median(np.abs(values), axis=axis)


def middle(
    group: Group,
    rows: Sequence[tuple[str, Measurement]],
    metric: str,
    unit: str,
    better: Better,
    statistic: Callable[..., Any],
    asked: int,
) -> Score:
    """The median (or median absolute value) over the sounds that have a value, bootstrapped over probes."""
    valued = [(probe, row.value) for probe, row in rows if row.value is not None]
    how = f"{metric}|v:1|median"
    return average(group, metric, valued, asked - len(valued), how, statistic, unit=unit, better=better)
