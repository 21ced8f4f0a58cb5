"""Intervals hold their own value always, and the truth about as often as they say."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from innerear.stats import estimate, holding, paired, rate, wilson

BAND = (0.92, 1.0)  # of 95 % intervals of so few probes; a percentile bootstrap is down to 0.83 in these cases


@given(st.integers(1, 2000), st.data())
def test_wilson_holds_the_rate_to_the_last_bit(n, data):
    passed = data.draw(st.sampled_from([0, n]) | st.integers(0, n))
    low, high = wilson(passed, n)
    assert low <= passed / n <= high


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.booleans()), min_size=1, max_size=40))
def test_a_rate_is_inside_its_interval_which_is_never_a_point(passes):
    found = rate(passes)
    assert 0 <= found.low <= found.value <= found.high <= 1
    assert found.high - found.low > 0.02


@settings(max_examples=15)  # 2,000 resamples each
@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.floats(-10, 10)), min_size=1, max_size=20))
def test_a_mean_and_a_median_are_inside_their_intervals(values):
    for statistic in (np.mean, np.median):
        found = estimate(values, statistic)
        assert found.low is None or found.low <= found.value <= found.high


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=20), st.booleans())
def test_a_difference_is_inside_its_interval(pairs, shares):
    first, second = ({f"p{i}": pair[side] for i, pair in enumerate(pairs)} for side in (0, 1))
    found = paired(first, second, shares=shares)
    assert found.low is None or found.low <= found.value <= found.high


def test_an_interval_without_spread_is_widened_to_the_value_that_rounding_left_outside():
    assert holding(1.5, (1.0, 1.4)) == (1.0, 1.5)
    assert holding(1.5, None) is None


@pytest.mark.parametrize("end", [0, 1])
def test_attempts_that_all_agree_say_no_more_than_their_probes(end):
    probes = [f"p{i}" for i in range(10)]
    several = rate([(probe, bool(end)) for probe in probes for _ in range(4)])
    assert (several.low, several.high) == wilson(10 * end, 10)
    assert estimate([(probe, float(end)) for probe in probes], np.mean, share=True).low == several.low


def test_two_that_differ_at_no_probe_may_still_differ_at_others():
    same = {f"p{i}": 1.0 for i in range(20)}
    found = paired(same, same)
    assert found.low < -0.05
    assert found.high > 0.05


def chances(mean, alike, ranks):
    """The chance of each probe to be passed: Beta with this mean; the larger `alike`, the more alike they are."""
    from scipy.special import betaincinv

    return betaincinv(mean * alike, (1 - mean) * alike, ranks)


def shares(rng, chance, attempts, checks):
    """What is passed of each probe, over attempts and checks; in most attempts all checks pass or none."""
    whole = rng.random((len(chance), attempts)) < 0.6
    one = rng.random((len(chance), attempts)) < chance[:, None]
    each = rng.binomial(checks, chance[:, None], (len(chance), attempts)) / checks
    return np.where(whole, one, each).mean(axis=1)


def difference_interval(first, second):
    names = [f"p{i}" for i in range(len(first))]
    found = paired(dict(zip(names, first, strict=True)), dict(zip(names, second, strict=True)))
    return found.low, found.high


def coverage_of_differences(means, alike, n, attempts, checks, draws, interval=difference_interval):
    """How often the interval of a paired difference holds the true one."""
    rng = np.random.default_rng(0)
    held = 0
    for _ in range(draws):
        ranks = rng.random(n)  # the same probes are hard for both
        first, second = (shares(rng, chances(mean, alike, ranks), attempts, checks) for mean in means)
        low, high = interval(first, second)
        held += low <= means[0] - means[1] + 1e-12 and means[0] - means[1] - 1e-12 <= high
    return held / draws


def coverage_of_rates(mean, alike, n, attempts, draws, estimated=rate):
    """How often the interval of a rate over several attempts holds the true one."""
    rng = np.random.default_rng(0)
    held = 0
    for _ in range(draws):
        passed = rng.random((n, attempts)) < chances(mean, alike, rng.random(n))[:, None]
        found = estimated([(str(i), bool(one)) for i, row in enumerate(passed) for one in row])
        held += found.low <= mean <= found.high
    return held / draws


@pytest.mark.parametrize(
    ("means", "n", "attempts", "checks"),
    [((0.95, 0.9), 30, 1, 1), ((0.95, 0.9), 44, 1, 3), ((0.98, 0.9), 62, 1, 1), ((0.55, 0.55), 31, 4, 1)],
)
def test_intervals_of_differences_hold_the_truth_about_as_often_as_they_say(means, n, attempts, checks):
    assert BAND[0] <= coverage_of_differences(means, 2.0, n, attempts, checks, draws=600) <= BAND[1]


@pytest.mark.parametrize(("mean", "n", "attempts"), [(0.95, 30, 1), (0.95, 30, 4), (0.6, 40, 3)])
def test_intervals_of_rates_hold_the_truth_about_as_often_as_they_say(mean, n, attempts):
    assert BAND[0] <= coverage_of_rates(mean, 2.0, n, attempts, draws=600) <= BAND[1]


@pytest.mark.slow
@pytest.mark.parametrize("means", [(0.5, 0.7), (0.8, 0.8), (0.95, 0.95), (0.95, 0.9), (0.98, 0.9)])
@pytest.mark.parametrize("n", [30, 100])
@pytest.mark.parametrize(("attempts", "checks"), [(1, 1), (4, 1), (1, 3)])
def test_intervals_of_differences_hold_the_truth_at_all_realistic_rates(means, n, attempts, checks):
    for alike in (1.0, 5.0):
        assert coverage_of_differences(means, alike, n, attempts, checks, draws=600) >= 0.91


@pytest.mark.slow
@pytest.mark.parametrize("mean", [0.5, 0.8, 0.95, 0.98])
@pytest.mark.parametrize("n", [30, 100])
@pytest.mark.parametrize("attempts", [1, 4])
def test_intervals_of_rates_hold_the_truth_at_all_realistic_rates(mean, n, attempts):
    for alike in (1.0, 5.0):
        assert coverage_of_rates(mean, alike, n, attempts, draws=600) >= 0.9
