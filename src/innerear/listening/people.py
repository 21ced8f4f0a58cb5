"""Statistics of listeners' answers: intervals over listeners and sounds, agreement, preference strengths.

The results should generalise to other listeners and other sounds, so every interval resamples both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from innerear.errors import UsageError
from innerear.stats import RESAMPLES, central_95, wilson

Array = NDArray[np.float64]
Level = Literal["nominal", "ordinal"]

FEWEST = 3  # a factor with fewer levels is not resampled
COSTLY_RESAMPLES = 300  # for statistics that are computed one resample at a time
PRIOR_WINS = 0.1  # added in both directions per pair, so that an entrant that never lost has a finite strength


@dataclass(frozen=True)
class Interval:
    """A 95 % interval, and how it was computed (for the signature)."""

    low: float
    high: float
    how: str


def codes(names: Sequence[str]) -> tuple[NDArray[np.intp], int]:
    """Number the names from 0; returns the numbers and how many different names there are."""
    unique, numbers = np.unique(np.array(names, dtype=object).astype(str), return_inverse=True)
    return numbers.astype(np.intp), len(unique)


def draws(n: int, resamples: int, rng: np.random.Generator) -> Array:
    """How often each of n levels is drawn, shape (resamples, n); once each if n is below `FEWEST`."""
    if n < FEWEST:
        return np.ones((resamples, n))
    return rng.multinomial(n, np.full(n, 1 / n), size=resamples).astype(np.float64)


def drawn(listeners: int, probes: int) -> str:
    """Name what is resampled, as written in signatures."""
    names = [name for name, n in (("listeners", listeners), ("probes", probes)) if n >= FEWEST]
    return f"ci:bootstrap-{'-'.join(names)}" if names else "ci:none"


def mean_interval(
    values: Sequence[float], listeners: Sequence[str], probes: Sequence[str], share: bool = False, seed: int = 0
) -> Interval | None:
    """Interval of a mean of answers, resampling whole listeners and whole probes.

    A. B. Owen, "The pigeonhole bootstrap", 2007: it accounts for the correlation within listeners and
    within sounds. If all answers of a `share` are equal, Wilson's interval with n = the number of
    listeners or probes, whichever is smaller. `None` if there are fewer than three of both, or if all
    answers on a scale are equal, which says nothing about their spread.
    """
    if len(values) == 0:
        return None
    who, n_who = codes(listeners)
    what, n_what = codes(probes)
    if share and len(set(values)) == 1:
        n = max(1, min(n_who, n_what))
        low, high = wilson(round(n * values[0]), n) or (0.0, 1.0)
        return Interval(low, high, "ci:wilson")
    if max(n_who, n_what) < FEWEST or len(set(values)) == 1:
        return None
    total, count = np.zeros((n_who, n_what)), np.zeros((n_who, n_what))
    np.add.at(total, (who, what), np.asarray(values, dtype=np.float64))
    np.add.at(count, (who, what), 1.0)
    rng = np.random.default_rng(seed)
    of_who, of_what = draws(n_who, RESAMPLES, rng), draws(n_what, RESAMPLES, rng)
    weight = np.sum(of_who @ count * of_what, axis=1)
    means = np.sum(of_who @ total * of_what, axis=1)[weight > 0] / weight[weight > 0]
    return Interval(*central_95(means), drawn(n_who, n_what))


def alpha(counts: Array, level: Level) -> float | None:
    """Krippendorff's alpha: 1 is full agreement, 0 is agreement at chance; `None` if it is undefined.

    `counts[u, c]`: how many listeners gave unit u the value c. K. Krippendorff, "Computing
    Krippendorff's Alpha-Reliability", 2011. The package `krippendorff` is not used because it is GPL.
    """
    counts = counts[counts.sum(axis=1) >= 2]
    if len(counts) < 2:
        return None
    scaled = counts / (counts.sum(axis=1, keepdims=True) - 1)
    together = counts.T @ scaled - np.diag(scaled.sum(axis=0))
    of_value = together.sum(axis=1)
    n = float(of_value.sum())
    apart = _apart(of_value, level)
    expected = float(of_value @ apart @ of_value) / (n - 1)
    return 1 - float(np.sum(together * apart)) / expected if expected > 0 else None


def _apart(of_value: Array, level: Level) -> Array:
    """The squared difference between every two values."""
    if level == "nominal":
        return 1 - np.eye(len(of_value))
    mid_rank = np.cumsum(of_value) - of_value / 2  # the difference is the sum of n from c to k, less half of both ends
    return np.square(mid_rank[:, None] - mid_rank[None, :])


def alpha_interval(counts: Array, level: Level, seed: int = 0) -> Interval | None:
    """Bootstrap interval of alpha over units; `None` for fewer than three units."""
    counts = counts[counts.sum(axis=1) >= 2]
    if len(counts) < FEWEST:
        return None
    rng = np.random.default_rng(seed)
    rows = rng.integers(len(counts), size=(COSTLY_RESAMPLES, len(counts)))
    alphas = [value for row in rows if (value := alpha(counts[row], level)) is not None]
    if not alphas:
        return None
    return Interval(*central_95(alphas), "ci:bootstrap-sounds")


@dataclass(frozen=True)
class Choice:
    """One paired comparison: winner, loser, listener and probe."""

    winner: str
    loser: str
    listener: str
    probe: str


@dataclass(frozen=True)
class Strength:
    """Preference strength of an entrant, in log-odds relative to the mean of all, with its interval."""

    value: float
    low: float | None
    high: float | None
    won: int
    of: int


def bradley_terry(choices: Sequence[Choice], seed: int = 0) -> dict[str, Strength]:
    """Maximum-likelihood strengths under P(i beats j) = 1 / (1 + exp(s_j - s_i)), with mean 0.

    Fitted by choix (iterative Luce spectral ranking: L. Maystre, M. Grossglauser, 2015). Intervals as
    in `mean_interval`.

    Raises:
        UsageError: choix is not installed.
    """
    names = sorted({name for choice in choices for name in (choice.winner, choice.loser)})
    if len(names) < 2:
        return {}
    index = {name: i for i, name in enumerate(names)}
    cells = np.array([index[c.winner] * len(names) + index[c.loser] for c in choices])
    who, n_who = codes([choice.listener for choice in choices])
    what, n_what = codes([choice.probe for choice in choices])

    def strengths(weights: Array, start: Array | None = None) -> Array:
        wins = np.bincount(cells, weights, len(names) ** 2).reshape(len(names), -1)
        return _ilsr(wins + PRIOR_WINS * (1 - np.eye(len(names))), start)

    value = strengths(np.ones(len(choices)))
    rng = np.random.default_rng(seed)
    low = high = np.full(len(names), np.nan)
    drawable = max(n_who, n_what) >= FEWEST
    if drawable:
        of_who, of_what = draws(n_who, COSTLY_RESAMPLES, rng), draws(n_what, COSTLY_RESAMPLES, rng)
        resampled = np.array([strengths(a[who] * b[what], value) for a, b in zip(of_who, of_what, strict=True)])
        low, high = np.quantile(resampled, [0.025, 0.975], axis=0)
    return {
        name: Strength(
            float(value[i]),
            float(low[i]) if drawable else None,
            float(high[i]) if drawable else None,
            sum(choice.winner == name for choice in choices),
            sum(name in (choice.winner, choice.loser) for choice in choices),
        )
        for name, i in index.items()
    }


def _ilsr(wins: Array, start: Array | None) -> Array:
    """Fit centred strengths; given a start (the fit to all answers), a coarser tolerance is enough."""
    try:
        import choix
    except ImportError as error:
        raise UsageError("scoring ab tests needs choix: pip install 'innerear[listen]'") from error
    fitted = np.asarray(
        choix.ilsr_pairwise_dense(wins, initial_params=start, tol=1e-8 if start is None else 1e-3), dtype=np.float64
    )
    centred: Array = fitted - fitted.mean()
    return centred
