"""The Fréchet distance: exact answers, laws, what grows with data, and what it refuses."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from innerear.distance import moments
from innerear.distance.frechet import fad_curve, fad_inf, fad_interval, frechet_distance, per_clip
from innerear.distance.intervals import interval
from innerear.distance.moments import Gaussian, Moments, factor_of
from innerear.errors import UsageError


def frames(n, dims, seed=0, scale=1.0, shift=0.0):
    return np.random.default_rng(seed).standard_normal((n, dims)) * scale + shift


def commuting(dims, condition, rank, seed=0):
    """Two covariances with one set of axes, and the exact distance between them."""
    rng = np.random.default_rng(seed)
    axes, _ = np.linalg.qr(rng.standard_normal((dims, dims)))
    first, second = np.zeros(dims), np.zeros(dims)
    first[:rank] = np.logspace(0, -np.log10(condition), rank)
    second[:rank] = first[:rank] * rng.uniform(0.5, 2, rank)
    mean = rng.standard_normal(dims) / 10
    exact = mean @ mean + np.square(np.sqrt(first) - np.sqrt(second)).sum()
    covariances = [(axes * values) @ axes.T for values in (first, second)]
    return mean, *((each + each.T) / 2 for each in covariances), exact


@pytest.mark.parametrize(
    ("dims", "condition", "rank"),
    [(128, 1e2, 128), (128, 1e6, 128), (128, 1e10, 128), (128, 1e14, 128), (128, 1, 40), (512, 1e10, 100)],
)
def test_covariances_with_common_axes_give_the_exact_distance(dims, condition, rank):
    mean, first, second, exact = commuting(dims, condition, rank)
    reference = Gaussian.from_covariance(np.zeros(dims), first, 9999)
    assert reference.rank == rank
    found = frechet_distance(reference, Gaussian.from_covariance(mean, second, 9999))
    assert abs(found - exact) <= 1e-11 * exact


@pytest.mark.parametrize(("n", "dims"), [(2, 1), (2, 64), (50, 64), (64, 64), (65, 64), (400, 64), (500, 130)])
def test_agrees_with_the_matrix_square_root(n, dims):
    from scipy.linalg import sqrtm

    first, second = frames(n, dims), frames(n + 3, dims, seed=1, scale=1.3, shift=0.2)
    covariances = [np.cov(each, rowvar=False).reshape(dims, dims) for each in (first, second)]
    root = np.trace(sqrtm(covariances[0] @ covariances[1])).real
    step = first.mean(axis=0) - second.mean(axis=0)
    theirs = step @ step + np.trace(covariances[0]) + np.trace(covariances[1]) - 2 * root
    assert frechet_distance(first, second) == pytest.approx(theirs, rel=2e-6)


@pytest.mark.parametrize(("n", "dims"), [(2, 5), (60, 512), (600, 32), (33, 32), (500, 100)])
def test_a_set_lies_at_zero_from_itself(n, dims):
    these = frames(n, dims, scale=7.0, shift=30.0)
    assert 0 <= frechet_distance(these, these) <= 1e-10 * Gaussian.of(these).trace


def test_dead_and_repeated_dimensions_do_not_move_the_distance():
    first, second = frames(300, 20), frames(300, 20, seed=1, scale=1.2)
    dead, again = np.zeros((300, 5)), np.zeros((300, 3))
    plain = frechet_distance(first, second)
    assert frechet_distance(np.hstack([first, dead]), np.hstack([second, dead])) == pytest.approx(plain, rel=1e-11)
    root = np.sqrt(0.5)  # two copies of a dimension, each scaled by 1/√2, hold what one held
    copied = [np.hstack([root * each[:, :3], each[:, 3:], root * each[:, :3], again]) for each in (first, second)]
    assert frechet_distance(*copied) == pytest.approx(plain, rel=1e-11)


def test_wildly_different_scales_of_dimensions_keep_the_rank():
    scales = np.logspace(0, -9, 40)
    assert Gaussian.of(frames(500, 40) * scales).rank == 40


@settings(deadline=None, max_examples=40)
@given(
    n=st.integers(2, 40),
    m=st.integers(2, 40),
    dims=st.integers(1, 24),
    seed=st.integers(0, 2**16),
    gain=st.floats(0.01, 100),
)
def test_laws_of_the_distance(n, m, dims, seed, gain):
    first, second = frames(n, dims, seed), frames(m, dims, seed + 1, shift=0.5)
    distance = frechet_distance(first, second)
    size = Gaussian.of(first).trace + Gaussian.of(second).trace
    assert distance >= 0
    assert frechet_distance(second, first) == pytest.approx(distance, abs=1e-9 * size)
    assert frechet_distance(first * gain, second * gain) == pytest.approx(distance * gain**2, abs=1e-9 * size * gain**2)
    assert frechet_distance(first + 3, second + 3) == pytest.approx(distance, abs=1e-9 * size)
    order = np.random.default_rng(seed).permutation(m)
    assert frechet_distance(first, second[order]) == pytest.approx(distance, abs=1e-9 * size)
    step = first.mean(axis=0) - second.mean(axis=0)
    assert distance >= step @ step - 1e-9 * size


@settings(deadline=None, max_examples=40)
@given(
    cuts=st.lists(st.integers(1, 30), min_size=1, max_size=6),
    dims=st.integers(1, 40),
    seed=st.integers(0, 999),
)
def test_moments_of_shards_add_up_to_those_of_the_whole(cuts, dims, seed):
    whole = frames(sum(cuts), dims, seed, shift=5.0)
    parts = [Moments.of(part) for part in np.split(whole, np.cumsum(cuts)[:-1])]
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    expected = Moments.of(whole)
    assert total.n == expected.n
    assert total.body.shape == expected.body.shape
    np.testing.assert_allclose(total.mean, expected.mean, atol=1e-12)
    np.testing.assert_allclose(total.scatter, expected.scatter, atol=1e-9)


def test_a_sharded_set_has_the_distance_of_the_whole():
    reference, whole = frames(900, 48), frames(777, 48, seed=1, scale=1.1)
    shards = [Moments.of(part) for part in np.array_split(whole, 7)]
    total = sum(shards[1:], start=shards[0])
    assert frechet_distance(reference, total) == pytest.approx(frechet_distance(reference, whole), rel=1e-11)


def test_float16_and_float32_frames_are_cast_before_anything_is_summed():
    reference = frames(300, 16)
    coarse = frames(300, 16, seed=1, shift=100.0).astype(np.float16)
    assert frechet_distance(reference, coarse) == frechet_distance(reference, coarse.astype(np.float64))


def test_the_callers_frames_are_never_changed(tmp_path):
    np.save(tmp_path / "frames.npy", frames(50, 8, shift=3.0))
    mapped = np.load(tmp_path / "frames.npy", mmap_mode="r+")
    for these in (mapped, np.array(mapped), np.array(mapped, dtype=np.float32), mapped[::2]):
        before = np.array(these)
        Moments.of(these)
        np.testing.assert_array_equal(these, before)


def test_a_stored_reference_gives_the_same_distance_to_the_last_bit(tmp_path):
    reference, these = Gaussian.of(frames(90, 12)), frames(40, 12, seed=1)
    reference.save(tmp_path / "reference.npz")
    stored = Gaussian.load(tmp_path / "reference.npz")
    assert frechet_distance(stored, these) == frechet_distance(reference, these)
    assert (stored.n, stored.rank) == (90, 12)
    np.savez(tmp_path / "other.npz", mean=np.zeros(3))
    with pytest.raises(UsageError, match=r"other\.npz does not contain a Gaussian"):
        Gaussian.load(tmp_path / "other.npz")


def test_per_clip_distances_are_those_of_each_clip_alone():
    reference = Gaussian.of(frames(500, 40))
    clips = [frames(n, 40, seed=n) for n in (2, 10, 80)]
    assert per_clip(reference, [*clips, clips[0][:1]]) == [
        *(frechet_distance(reference, each) for each in clips),
        None,
    ]


def test_fad_inf_removes_the_bias_of_a_finite_set():
    reference = Gaussian.from_covariance(np.zeros(24), np.eye(24), 10**6)
    plain = np.mean([frechet_distance(reference, frames(200, 24, seed)) for seed in range(40)])
    found = np.mean([fad_inf(reference, frames(200, 24, seed), seed).value for seed in range(40)])
    assert plain > 0.1  # the truth is 0
    assert abs(found) < plain / 8


def test_fad_inf_over_clips_removes_what_splitting_frames_leaves():
    """Eight frames a clip share the clip's own mean: only halves made of whole clips see that."""
    dims, reference = 12, Gaussian.from_covariance(np.zeros(12), np.eye(12), 10**6)
    by_clip, by_frame = [], []
    for seed in range(30):
        rng = np.random.default_rng(seed)
        clips = [0.8 * rng.standard_normal(dims) + 0.6 * rng.standard_normal((8, dims)) for _ in range(50)]
        by_clip.append(fad_inf(reference, clips, seed).value)
        by_frame.append(fad_inf(reference, np.concatenate(clips), seed).value)
    assert abs(np.mean(by_clip)) < 0.1
    assert np.mean(by_frame) > 0.2


def test_fad_inf_also_removes_the_bias_of_a_finite_reference():
    values = [fad_inf(frames(200, 16, seed), frames(200, 16, 999 + seed), seed).value for seed in range(40)]
    one_side = [
        fad_inf(Gaussian.of(frames(200, 16, seed)), frames(200, 16, 999 + seed), seed).value for seed in range(40)
    ]
    assert abs(np.mean(values)) < 0.02 < np.mean(one_side)


def test_fad_inf_is_decided_by_its_seed():
    reference, these = Gaussian.of(frames(300, 8)), frames(100, 8, seed=1)
    assert fad_inf(reference, these, 3) == fad_inf(reference, these, 3)
    assert fad_inf(reference, these, 3) != fad_inf(reference, these, 4)
    assert fad_inf(reference, these, 3).spread > 0


@pytest.mark.parametrize("dims", [12, 300])
def test_the_curve_ends_at_the_distance_and_its_parts_are_nested(dims):
    reference = Gaussian.of(frames(700, dims))
    clips = [frames(4, dims, seed, scale=1.1) for seed in range(50)]
    curve = fad_curve(reference, clips, seed=1, steps=9)
    sizes = [n for n, _ in curve]
    assert sizes == sorted(sizes)
    assert sizes[-1] == 200
    assert curve[-1][1] == pytest.approx(frechet_distance(reference, np.concatenate(clips)), rel=1e-6)
    order = np.random.default_rng(1).permutation(50)
    part = np.concatenate([clips[i] for i in order[: sizes[2] // 4]])
    assert curve[2][1] == pytest.approx(frechet_distance(reference, part), rel=1e-6)


@pytest.mark.parametrize("dims", [12, 300])
def test_the_fast_interval_is_the_interval_of_the_distance(dims):
    reference = Gaussian.of(frames(700, dims))
    clips = [frames(seed % 5 + 1, dims, seed, scale=1.1) for seed in range(45)]
    slow = interval(lambda kept: frechet_distance(reference, np.concatenate(kept)), clips, seed=2)
    assert fad_interval(reference, clips, seed=2) == pytest.approx(slow, rel=1e-5)


@pytest.mark.parametrize("at_once", [1, 7, 40, 1000])
def test_moments_of_clips_do_not_depend_on_how_many_frames_are_summed_at_once(at_once, monkeypatch):
    clips = [frames(seed % 5 + 1, 12, seed, shift=50.0) for seed in range(45)]
    whole, reference = np.concatenate(clips), Gaussian.of(frames(700, 12))
    monkeypatch.setattr(moments, "AT_ONCE", at_once)
    found = moments.moments_of(clips)
    assert found.n == len(whole)
    np.testing.assert_allclose(found.mean, whole.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(found.scatter, np.cov(whole.T) * (found.n - 1), rtol=1e-9, atol=1e-9)
    assert frechet_distance(reference, found) == pytest.approx(frechet_distance(reference, whole), rel=1e-9)


def test_an_interval_covers_the_distance_to_be_expected_at_this_many_clips():
    reference = Gaussian.from_covariance(np.zeros(10), np.eye(10), 10**6)
    sets = [[frames(1, 10, 1000 * seed + i, shift=0.3) for i in range(40)] for seed in range(100)]
    expected = np.mean([frechet_distance(reference, np.concatenate(each)) for each in sets])
    reaches = [fad_interval(reference, each, seed=0) for each in sets]
    assert sum(low <= expected <= high for low, high in reaches) >= 90


def test_a_covariance_of_nothing_has_an_empty_factor():
    assert factor_of(np.zeros((3, 3))).shape == (0, 3)
    still = np.ones((5, 2))
    assert frechet_distance(still, still + 2) == 8.0


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (np.zeros((1, 4)), "1 frame"),
        (np.zeros((0, 4)), r"\(0, 4\)"),
        (np.zeros(4), r"\(4,\)"),
        (np.array([[0.0] * 4, [np.nan] * 4]), "NaN"),
        (np.array([[0.0] * 4, [np.inf] * 4]), "NaN or infinity"),
        (np.zeros((5, 3)), "4 dims, the set 3"),
    ],
)
def test_what_is_no_set_of_frames_is_refused_in_one_line(bad, said):
    with pytest.raises(UsageError, match=said) as caught:
        frechet_distance(frames(9, 4), bad)
    assert "\n" not in str(caught.value)


def test_fad_inf_refuses_too_few_clips_to_halve():
    with pytest.raises(UsageError, match="at least 4"):
        fad_inf(Gaussian.of(frames(30, 3)), [frames(9, 3)] * 3, seed=0)
