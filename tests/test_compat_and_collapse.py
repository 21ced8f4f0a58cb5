"""Others' numbers, from their own steps taken one by one; and the meter for one sound for everything."""

import numpy as np
import pytest
from scipy.linalg import sqrtm
from scipy.spatial.distance import cdist, pdist

from innerear.distance.collapse import collapse
from innerear.distance.compat import fadtk_fad, fadtk_fad_inf, kadtk_kad
from innerear.distance.frechet import fad_inf, frechet_distance
from innerear.distance.moments import Gaussian
from innerear.errors import UsageError


def clips(n, dims=12, seed=0, shift=0.0, frames=10, within=0.6, between=0.8):
    rng = np.random.default_rng(seed)
    return [
        (shift + between * rng.standard_normal(dims) + within * rng.standard_normal((frames, dims))).astype(np.float32)
        for _ in range(n)
    ]


def fadtk_statistics(these):
    """As its `calculate_embd_statistics_online`, with the float16 files that it reads."""
    mean, scatter, n = np.zeros(these[0].shape[1]), 0.0, 0
    for clip in (each.astype(np.float16) for each in these):
        step = np.mean(clip, axis=0) - mean
        mean = mean + len(clip) / (n + len(clip)) * step
        own = np.cov(clip, rowvar=False) * (len(clip) - 1)
        scatter = scatter + own + step[:, None] * step[None, :] * n * len(clip) / (n + len(clip))
        n += len(clip)
    return mean, scatter / (n - 1)


def test_fadtk_fad_is_fadtks_number_and_not_quite_ours():
    first, second = clips(40, shift=20.0), clips(30, seed=1, shift=20.3)
    (mean1, cov1), (mean2, cov2) = fadtk_statistics(first), fadtk_statistics(second)
    step = mean1 - mean2
    theirs = step @ step + np.trace(cov1) + np.trace(cov2) - 2 * np.trace(sqrtm(cov1 @ cov2)).real
    assert fadtk_fad(first, second) == pytest.approx(theirs, rel=1e-9)
    ours = frechet_distance(np.concatenate(first), np.concatenate(second))
    assert fadtk_fad(first, second) == pytest.approx(ours, rel=0.01)
    assert fadtk_fad(first, second) != ours


def test_fadtk_fad_inf_leaves_the_bias_that_ours_removes():
    reference = clips(4000, within=1.0, between=0.0)
    sets = [clips(200, seed=seed, within=1.0, between=0.0) for seed in range(1, 17)]
    plain = np.mean([fadtk_fad(reference, each) for each in sets])
    theirs = np.mean([fadtk_fad_inf(reference, each, seed) for seed, each in enumerate(sets)])
    exact = Gaussian.of(np.concatenate(reference))
    ours = np.mean([fad_inf(exact, each, seed).value for seed, each in enumerate(sets)])
    assert theirs > 0.7 * plain
    assert abs(ours) < 0.3 * plain


def test_kadtk_kad_takes_the_bandwidth_of_the_evaluated_set():
    first, second = (np.concatenate(each).astype(np.float16).astype(float) for each in (clips(9), clips(7, seed=1)))
    apart = np.sort(pdist(second))
    gamma = 1 / (2 * apart[(len(apart) - 1) // 2] ** 2 + 1e-8)

    def k(a, b):
        return np.exp(-gamma * cdist(a, b, "sqeuclidean"))

    m, n = len(first), len(second)
    within = (k(first, first).sum() - m) / (m * (m - 1)) + (k(second, second).sum() - n) / (n * (n - 1))
    theirs = 100 * (within - 2 * k(first, second).mean())
    assert kadtk_kad(clips(9), clips(7, seed=1)) == pytest.approx(theirs, rel=1e-9)


def test_fadtk_refuses_the_clip_that_turns_its_score_into_nan():
    with pytest.raises(UsageError, match="clip 1 has 1 frame"):
        fadtk_fad(clips(3), [*clips(1), clips(1)[0][:1]])


def attempts(probes, each, between, within, seed=0, dims=200):
    rng = np.random.default_rng(seed)
    centres = between * rng.standard_normal((probes, dims))
    return {str(i): list(c + within * rng.standard_normal((each, 1, dims))) for i, c in enumerate(centres)}


def test_the_share_is_that_of_the_variances_that_made_the_sounds():
    found = collapse(attempts(60, 4, between=2.0, within=1.0))
    assert found.share == pytest.approx(0.8, abs=0.02)
    assert found.between == pytest.approx(4 * 200, rel=0.05)
    assert found.within == pytest.approx(200, rel=0.05)
    assert (found.probes, found.clips) == (60, 240)


def test_one_sound_for_every_probe_has_no_share_and_no_variety():
    reference = [clip for group in attempts(50, 1, between=1.0, within=0.0, seed=1).values() for clip in group]
    found = collapse(attempts(30, 3, between=0.0, within=0.1), reference)
    assert found.share < 0.02
    assert found.variety < 0.02


def test_sounds_like_the_reference_have_its_variety():
    reference = [clip for group in attempts(50, 1, between=1.0, within=0.0, seed=1).values() for clip in group]
    assert collapse(attempts(50, 1, between=1.0, within=0.0), reference).variety == pytest.approx(1, abs=0.1)


def test_without_repeats_there_is_no_share():
    found = collapse(attempts(10, 1, between=1.0, within=1.0))
    assert found.share is None
    assert found.within is None
    assert found.between > 0


def test_probes_without_a_sound_are_left_out_and_silence_everywhere_has_no_share():
    silent = {"a": [np.ones((2, 3))] * 2, "b": [np.ones((2, 3))] * 2, "c": []}
    assert collapse(silent) == collapse({"a": silent["a"], "b": silent["b"]})
    assert collapse(silent).share is None
    assert collapse({"a": silent["a"]}).between is None
