"""Realism and diversity of 2,000 embedded clips, next to scikit-learn and vendi-score: time and agreement.

pip install scikit-learn vendi-score
OMP_NUM_THREADS=1 python bench/realism.py [--quick]

`--quick` takes half of the clips and a quarter of the dims.
"""

import sys
import time

from need import need

need("sklearn", "vendi_score", how="pip install scikit-learn vendi-score")

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from vendi_score import vendi as theirs

from innerear.distance import logistic
from innerear.distance.diversity import vendi
from innerear.distance.realism import PENALTY, apart, components, told_from_real
from innerear.distance.sounds import Sounds
from innerear.distance.typicality import typicality


def timed(function, *given, **more):
    start = time.process_time()
    found = function(*given, **more)
    return found, time.process_time() - start


def clips(n, dims, shift, seed):
    rng = np.random.default_rng(seed)
    means = np.random.default_rng(9).standard_normal((50, dims))
    labels = [f"class{i % 50}" for i in range(n)]
    vectors = means[np.arange(n) % 50] + rng.standard_normal((n, dims))
    vectors[:, :5] += shift
    names = [f"{seed}/{i}" for i in range(n)]
    return Sounds(vectors, labels, names, names)


N, DIMS = (500, 256) if "--quick" in sys.argv else (1000, 1024)
real, made = clips(N, DIMS, 0.0, 1), clips(N, DIMS, 0.6, 2)
print(f"| {2 * N:,} clips, {DIMS:,} dims | seconds | result |\n|---|---:|---|")
told, seconds = timed(told_from_real, real, made)
print(f"| told from real, 5 × 10 folds | {seconds:.1f} | {told.auc:.3f} ({told.low:.3f} to {told.high:.3f}) |")
points = components(np.concatenate([real.vectors, made.vectors]))
sides = np.r_[np.zeros(N), np.ones(N)]
weights = np.ones(2 * N)
(coefficients, _), seconds = timed(logistic.fit, points, sides, weights, PENALTY)
print(f"| one fit in 64 dims | {seconds:.3f} | AUC {roc_auc_score(sides, points @ coefficients):.6f} |")
model = LogisticRegression(C=1 / PENALTY, tol=1e-10, max_iter=1000)
_, seconds = timed(model.fit, points, sides, sample_weight=weights / weights.sum())
off = np.abs(model.coef_[0] - coefficients).max() / np.abs(coefficients).max()
print(f"| the same by scikit-learn | {seconds:.3f} | largest difference of a coefficient {off:.1e} |")
typical, seconds = timed(typicality, real, made)
print(f"| typicality, precision, density | {seconds:.2f} | {typical.mean:.3f} |")
_, seconds = timed(apart, real.at(range(N)), made)
print(f"| each dimension alone | {seconds:.1f} | |")
places = np.linspace(0, 9, 2 * N)
kernel = np.exp(-np.square(np.subtract.outer(places, places)))
ours, seconds = timed(vendi, kernel)
print(f"| Vendi score | {seconds:.2f} | {ours:.9f} |")
other, seconds = timed(theirs.score_K, kernel)
print(f"| the same by vendi-score | {seconds:.2f} | {other:.9f} |")
