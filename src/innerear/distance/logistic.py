"""Logistic regression with an L2 penalty and weights: a small classifier that needs no more than NumPy."""

from __future__ import annotations

import numpy as np

from innerear.distance.moments import Array

STEPS = 50
CLOSE = 1e-9  # of the decrease of the loss in a step


def fit(points: Array, labels: Array, weights: Array, penalty: float) -> tuple[Array, float]:
    """The coefficients, shape (dims,), and the intercept that minimise the penalised log loss.

        sum_i w_i log(1 + exp(-s_i (x_i b + c))) / sum_i w_i + penalty / 2 |b|²,   s_i = 2 y_i - 1

    `points`: (n, dims); `labels`: 0 or 1; `weights`: at least 0. The intercept is not penalised. Newton's method
    with halved steps; the same optimum as scikit-learn's `LogisticRegression(C=1 / penalty)` for weights that sum to 1.
    """
    wide = np.concatenate([points, np.ones((len(points), 1))], axis=1)
    ridge = np.full(wide.shape[1], penalty)
    ridge[-1] = 0.0
    share = weights / weights.sum()
    signs = 2.0 * labels - 1.0
    found = np.zeros(wide.shape[1])
    loss = _loss(wide, signs, share, ridge, found)
    for _ in range(STEPS):
        likely = 0.5 * (1 + np.tanh(wide @ found / 2))
        gradient = wide.T @ (share * (likely - labels)) + ridge * found
        curvature = (wide * (share * likely * (1 - likely))[:, None]).T @ wide
        curvature[np.diag_indices_from(curvature)] += ridge + 1e-10
        step = np.linalg.solve(curvature, gradient)
        size = 1.0
        while (after := _loss(wide, signs, share, ridge, found - size * step)) > loss and size > 1e-6:
            size /= 2
        if after > loss:
            break
        found, decrease, loss = found - size * step, loss - after, after
        if decrease < CLOSE:
            break
    return found[:-1], float(found[-1])


def _loss(wide: Array, signs: Array, share: Array, ridge: Array, found: Array) -> float:
    return float(share @ np.logaddexp(0.0, -signs * (wide @ found)) + 0.5 * ridge @ found**2)
