from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from innerear.stats import bootstrap, falls, holm, normalised, paired, pass_at_k, wilson


@given(st.integers(1, 8), st.data())
def test_pass_at_k_is_the_share_of_choices_of_k_with_a_pass(n, data):
    passed, k = data.draw(st.integers(0, n)), data.draw(st.integers(1, n))
    outcomes = [True] * passed + [False] * (n - passed)
    share = np.mean([any(some) for some in combinations(outcomes, k)])
    assert pass_at_k(n, passed, k) == pytest.approx(share)


def test_pass_at_k_is_not_known_from_fewer_attempts():
    assert pass_at_k(3, 2, 4) is None


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_is_between_the_p_value_and_bonferroni(p_values):
    for p, adjusted in zip(p_values, holm(p_values), strict=True):
        assert p <= adjusted <= min(1.0, len(p_values) * p) + 1e-12


def test_holm_keeps_the_order_of_p_values():
    adjusted = holm([0.01, 0.04, 0.03, 0.005])
    assert adjusted == pytest.approx([0.03, 0.06, 0.06, 0.02])  # R: p.adjust(c(.01,.04,.03,.005), "holm")


def test_the_sign_flip_test_is_every_way_of_signs():
    first = {f"p{i}": value for i, value in enumerate([1, 1, 0, 1, 1, 0.5, 1])}
    second = {f"p{i}": value for i, value in enumerate([0, 0, 1, 0, 0.5, 0.5, 0])}
    differences = [first[p] - second[p] for p in first if first[p] != second[p]]
    sums = [abs(sum(s * d for s, d in zip(signs, differences, strict=True))) for signs in product((1, -1), repeat=6)]
    found = paired(first, second)
    assert found is not None
    assert found.p == pytest.approx(np.mean(np.array(sums) >= abs(sum(differences)) - 1e-9))
    assert found.value == pytest.approx(np.mean([first[p] - second[p] for p in first]))


def test_the_sign_flip_test_agrees_with_scipy_where_it_draws():
    from scipy.stats import permutation_test

    rng = np.random.default_rng(0)
    a = rng.random(30)
    b = a - 0.05 + 0.2 * rng.random(30)
    names = [f"p{i}" for i in range(30)]
    ours = paired(dict(zip(names, a, strict=True)), dict(zip(names, b, strict=True)))
    theirs = permutation_test(
        (a, b), lambda x, y: np.mean(x - y), permutation_type="samples", n_resamples=9999, rng=np.random.default_rng(1)
    )
    assert ours is not None
    assert ours.p == pytest.approx(theirs.pvalue, abs=0.015)


def test_two_equal_models_do_not_differ():
    same = {f"p{i}": float(i % 2) for i in range(20)}
    found = paired(same, same)
    assert found is not None
    assert (found.value, found.p) == (0.0, 1.0)


def test_pairs_are_the_probes_that_both_have():
    found = paired({"a": 1.0, "b": 0.0, "c": 1.0}, {"b": 0.0, "c": 1.0, "d": 0.0})
    assert found is not None
    assert found.n == 2


def test_a_fall_over_tiers_is_found_and_a_rise_is_not():
    falling = falls([[1] * 18 + [0] * 2, [1] * 10 + [0] * 10, [1] * 2 + [0] * 18])
    rising = falls([[1] * 2 + [0] * 18, [1] * 10 + [0] * 10, [1] * 18 + [0] * 2])
    assert falling is not None
    assert rising is not None
    assert falling.p < 0.001
    assert falling.high is not None
    assert falling.high < 0
    assert rising.p > 0.99


def test_no_fall_is_found_in_noise_more_often_than_one_time_in_ten():
    rng = np.random.default_rng(3)
    found = [falls([rng.random(15), rng.random(15), rng.random(15)], seed) for seed in range(20)]
    assert sum(trend is not None and trend.p < 0.05 for trend in found) <= 3


def test_one_tier_has_no_trend():
    assert falls([[1.0, 0.0]]) is None


@given(st.floats(-1, 1), st.floats(0.1, 2))
def test_the_floor_is_normalised_to_0_and_the_ceiling_to_1(floor, reach):
    assert normalised(floor, floor, floor + reach) == 0
    assert normalised(floor + reach, floor, floor + reach) == pytest.approx(1)


def test_an_interval_draws_whole_probes():
    values, probes = [0, 0, 0, 1, 1, 1, 0, 0, 0, 1, 1, 1], ["a"] * 3 + ["b"] * 3 + ["c"] * 3 + ["d"] * 3
    clustered = bootstrap(values, probes, np.mean)
    alone = bootstrap(values, [str(i) for i in range(12)], np.mean)
    assert clustered is not None
    assert alone is not None
    assert clustered[1] - clustered[0] > alone[1] - alone[0]


def test_wilson_is_never_a_point():
    assert wilson(0, 0) is None
    for passed in (0, 5):
        reach = wilson(passed, 5)
        assert reach is not None
        assert reach[0] < reach[1]
