"""The kernel distance: another implementation's number, no bias, and a test that keeps its level."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist, pdist

from innerear.distance import kernel
from innerear.distance.intervals import assign, interval
from innerear.distance.kernel import KernelReference, KernelSums, kad, kad_interval, median_distance
from innerear.distance.permutation import p_value
from innerear.errors import UsageError


def frames(n, dims, seed=0, scale=1.0, shift=0.0):
    return np.random.default_rng(seed).standard_normal((n, dims)) * scale + shift


def clips(n, dims=8, seed=0, shift=0.0):
    """Clips of 1 to 9 frames that share much within a clip."""
    rng = np.random.default_rng(seed)
    return [
        shift + 0.8 * rng.standard_normal(dims) + 0.6 * rng.standard_normal((size, dims))
        for size in rng.integers(1, 10, n)
    ]


def by_distances(first, second):
    """100 · MMD² from all distances, with the lower median of the first set's."""
    apart = np.sort(pdist(first))
    bandwidth = apart[(len(apart) - 1) // 2]

    def k(distances):
        return np.exp(-(distances**2) / (2 * bandwidth**2))

    n, m = len(first), len(second)
    within = (k(cdist(first, first)).sum() - n) / (n * (n - 1)) + (k(cdist(second, second)).sum() - m) / (m * (m - 1))
    return 100 * (within - 2 * k(cdist(first, second)).mean())


@pytest.mark.parametrize("shift", [0.0, 30.0, 1e4])
@pytest.mark.parametrize(("n", "m"), [(2, 2), (3, 50), (200, 31), (1100, 40)])
def test_agrees_with_the_definition_wherever_the_data_lie(n, m, shift):
    first, second = frames(n, 6, shift=shift), frames(m, 6, seed=1, scale=1.2, shift=shift + 0.3)
    assert kad(first, second) == pytest.approx(by_distances(first - shift, second - shift), abs=1e-8)


@pytest.fixture(params=["kept", "not kept"])
def blocks_of_64(request, monkeypatch):
    """Small blocks, the distances in which are kept, or computed again for each use, like those of large sets."""
    monkeypatch.setattr(kernel, "_BLOCK", 128)
    if request.param == "not kept":
        monkeypatch.setattr(kernel, "_KEPT", 0)


def test_the_median_is_exact_over_several_blocks(blocks_of_64):
    for seed, n in enumerate((700, 701, 702, 703)):
        these = frames(n, 3, seed)
        apart = np.sort(pdist(these))
        assert median_distance(these) == pytest.approx(apart[(len(apart) - 1) // 2], rel=1e-12)


def test_the_median_of_ties_and_duplicates_is_exact(blocks_of_64):
    these = np.random.default_rng(0).integers(0, 3, (600, 2)).astype(float)
    apart = np.sort(pdist(these))
    assert median_distance(these) == pytest.approx(apart[(len(apart) - 1) // 2], rel=1e-12)


def test_the_size_of_blocks_and_what_is_kept_change_nothing(monkeypatch):
    first, second = clips(60), clips(50, seed=1)
    whole = kad(first, second)
    monkeypatch.setattr(kernel, "_BLOCK", 37)
    assert kad(first, second) == pytest.approx(whole, rel=1e-10)
    monkeypatch.setattr(kernel, "_KEPT", 0)
    assert kad(first, second) == pytest.approx(whole, rel=1e-10)


def test_the_given_frames_stay_as_they_are():
    for kind in (np.float32, np.float64):
        first, second = frames(40, 6).astype(kind), frames(30, 6, seed=1).astype(kind)
        kad(first, second)
        kad([first[:20], first[20:]], [second[:7], second[7:]])
        assert np.array_equal(first, frames(40, 6).astype(kind))
        assert np.array_equal(second, frames(30, 6, seed=1).astype(kind))


def test_order_changes_nothing():
    first, second = clips(30), clips(20, seed=1)
    assert kad(first[::-1], second[::-1]) == pytest.approx(kad(first, second), rel=1e-10)


def test_frames_of_one_clip_bias_a_mean_over_frames_and_not_one_over_clips():
    reference = KernelReference.of(clips(300))
    sets = [clips(25, seed=seed) for seed in range(1, 61)]
    over_clips = np.mean([kad(reference, each) for each in sets])
    over_frames = np.mean([kad(reference, np.concatenate(each)) for each in sets])
    assert abs(over_clips) < 0.15
    assert over_frames > 0.5


def test_the_bandwidth_is_the_references_whatever_is_held_against_it():
    reference = KernelReference.of(frames(100, 5))
    assert reference.bandwidth == pytest.approx(np.median(pdist(frames(100, 5))), rel=0.01)
    assert kad(reference, frames(50, 5, 1, scale=9.0)) == kad(frames(100, 5), frames(50, 5, 1, scale=9.0))


def test_an_interval_covers_the_known_value():
    """The truth from a set fifty times as large; 20 groups, 95 %, 80 trials."""
    reference = KernelReference.of(clips(200))
    truth = kad(reference, clips(2000, seed=1, shift=0.3))
    covered = 0
    for seed in range(80):
        low, high = kad_interval(reference, clips(40, seed=100 + seed, shift=0.3), seed)
        covered += low <= truth <= high
    assert covered >= 72


def test_the_fast_interval_is_the_interval_of_kad():
    reference, these = KernelReference.of(clips(50)), clips(33, seed=1)
    slow = interval(lambda kept: kad(reference, kept), these, seed=5)
    assert kad_interval(reference, these, seed=5) == pytest.approx(slow, rel=1e-9)


@pytest.mark.parametrize("cuts", [(17,), (1, 2, 40), (10, 20, 30, 40, 50)])
def test_sums_of_parts_add_up_in_any_order(cuts, monkeypatch):
    monkeypatch.setattr(kernel, "_BLOCK", 37)
    reference, these = KernelReference.of(clips(50)), clips(61, seed=1)
    groups = assign(len(these), seed=3)
    starts, ends = [0, *cuts], [*cuts, len(these)]
    parts = [KernelSums.of(reference, these[a:], groups[a:], b - a) for a, b in zip(starts, ends, strict=True)]
    for order in (parts, parts[::-1]):
        whole = sum(order[1:], start=order[0])
        assert whole.kad() == pytest.approx(kad(reference, these), rel=1e-9)
        assert whole.interval() == pytest.approx(kad_interval(reference, these, seed=3), rel=1e-9)


def test_memory_for_an_interval_does_not_grow_with_the_square_of_the_clips():
    import tracemalloc

    reference, these = KernelReference.of(frames(40, 4)), [frames(1, 4, seed) for seed in range(3000)]
    tracemalloc.start()
    kad_interval(reference, these, seed=0)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3000**2 * 8 / 2  # a table of all pairs of clips has 72 MB


def test_an_interval_of_a_mean_is_the_textbooks():
    """Leaving out one of n values at a time gives Student's interval of a mean, exactly."""
    from scipy.stats import t

    values = np.random.default_rng(0).standard_normal(15)
    low, high = interval(lambda kept: float(np.mean(kept)), [np.array([[v]]) for v in values], seed=0)
    reach = t.ppf(0.975, 14) * values.std(ddof=1) / np.sqrt(15)
    assert (low, high) == pytest.approx((values.mean() - reach, values.mean() + reach))


def test_an_interval_of_three_clips_is_not_measurable():
    assert interval(lambda kept: 0.0, clips(3), seed=0) is None


def test_the_permutation_test_keeps_its_level_under_no_difference():
    values = [p_value(clips(15, seed=2 * s), clips(20, seed=2 * s + 1), s, permutations=99) for s in range(100)]
    assert 0.35 < np.mean(values) < 0.65
    assert np.mean(np.array(values) <= 0.1) < 0.2


def test_the_permutation_test_sees_a_difference():
    assert p_value(clips(30), clips(30, seed=1, shift=1.0), seed=0, permutations=199) == pytest.approx(1 / 200)


def test_a_reference_of_silence_is_refused():
    with pytest.raises(UsageError, match="bandwidth is 0"):
        KernelReference.of(np.ones((20, 4)))


@pytest.mark.parametrize(
    ("bad", "said"),
    [([], "no clips"), (np.ones((1, 4)), "at least 2"), (np.ones((5, 3)), "4 dims, the set 3")],
)
def test_what_is_no_set_is_refused(bad, said):
    with pytest.raises(UsageError, match=said):
        kad(frames(20, 4), bad)
