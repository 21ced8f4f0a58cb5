"""Scores of a group from the values of its sounds: rates, medians, each with its interval."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from innerear.groups import Group
from innerear.records import Measurement, Score
from innerear.stats import bootstrap, wilson

Better = Literal["higher", "lower", "neither"]
SEED = 0


def rate(
    of: Group, metric: str, passes: Sequence[tuple[str, bool]], missing: int, signature: str, **more: Any
) -> Score:
    """A rate over (probe, passed): Wilson's interval, or a bootstrap over probes where they repeat.

    Where all or none passed a bootstrap is a point, whatever n is: there it is Wilson's again, of as
    many as there are probes, since what repeats within a probe may say the same thing twice.
    """
    n = len(passes)
    count = sum(passed for _, passed in passes)
    probes = len({probe for probe, _ in passes})
    if probes == n:
        reach, by = wilson(count, n), "wilson"
    else:
        by = "bootstrap-probes,wilson-at-ends"
        if count in (0, n):
            reach = wilson(probes if count else 0, probes)
        else:
            reach = bootstrap([float(p) for _, p in passes], [probe for probe, _ in passes], np.mean, SEED)
    low, high = reach or (None, None)
    how = f"{signature}|ci:{by}"
    return of.score(
        metric, count / n if n else None, n, missing, how, low=low, high=high, unit="share", better="higher", **more
    )


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
    """The median (of the size) of a metric over the sounds that have a value, bootstrap over probes."""
    valued = [(probe, row.value) for probe, row in rows if row.value is not None]
    values = [value for _, value in valued]
    reach = bootstrap(values, [probe for probe, _ in valued], statistic, SEED) or (None, None)
    return group.score(
        metric, float(statistic(np.array(values))) if values else None, len(values), asked - len(values),
        f"{metric}|v:1|median|ci:bootstrap-probes", low=reach[0], high=reach[1], unit=unit, better=better,
    )  # fmt: skip
