"""Fits of identity: folds by source, a regression that is right where the answer is known, graded values."""

import numpy as np
import pytest

from innerear.clip import Clip
from innerear.dsp import fluctuations
from innerear.lab import identity as lab
from innerear.lab import sounds as make
from innerear.lab.impostors import KEPT_OUT, SORTS, copy, impostor
from innerear.lab.tools import seeded
from innerear.metrics import identity
from innerear.metrics.identity import Classifier, Heard
from innerear.stats import paired, visible


def test_a_source_is_in_one_fold_and_the_folds_of_a_class_are_even():
    names = ["dog"] * 20 + ["rain"] * 20
    sources = [f"{i // 2}" for i in range(20)] + [f"r{i // 4}" for i in range(20)]
    folds = lab.deal(names, sources, 5)
    for source in set(sources):
        assert len({fold for fold, own in zip(folds, sources, strict=True) if own == source}) == 1
    assert np.bincount(folds[:20]).tolist() == [4] * 5
    assert np.bincount(folds[20:]).tolist() == [4] * 5


def test_the_regression_finds_the_log_odds_of_two_gaussians():
    """Of N(±1, 1) the log odds are 2x."""
    rng = np.random.default_rng(0)
    x = np.concatenate([rng.normal(-1, 1, 2000), rng.normal(1, 1, 2000)])[:, None]
    weights, offsets = lab.logistic(x, np.repeat([0, 1], 2000), 2, 1e-6, np.ones(4000))
    assert weights[0, 1] - weights[0, 0] == pytest.approx(2, abs=0.15)
    assert offsets[1] - offsets[0] == pytest.approx(0, abs=0.15)


def made(weights, thresholds=(0.0, 0.0)):
    """Two classes in one dimension, and one sort outside."""
    return Classifier(
        names=("dog", "rain", "noise"),
        classes=2,
        groups=("dog", "rain"),
        weights=np.array([weights], np.float32),
        offsets=np.zeros(3),
        thresholds=dict(zip(("dog", "rain"), thresholds, strict=True)),
        real={"dog": np.array([0.0, 1.0, 2.0, 3.0]), "rain": np.array([1.0])},
    )


def test_log_odds_are_of_the_class_against_all_others_and_the_outside():
    found = made([2.0, 0.0, 0.0]).judge(np.array([1.0]))
    assert found.odds("dog") == pytest.approx(2 - np.log(2))
    assert found.heard == "dog"
    assert found.passes("dog")
    assert not found.passes("rain")
    assert made([0.0, 0.0, 3.0]).judge(np.array([1.0])).heard is None


def test_typicality_is_the_share_of_recordings_below_and_the_grade_reaches_one_at_their_median():
    found = made([2.0, 0.0, 0.0]).judge(np.array([1.0]))
    assert found.typicality("dog") == 0.5  # of 0, 1, 2 and 3, two are below 1.31
    assert found.grade("dog") == pytest.approx((2 - np.log(2) + 8) / (1.5 + 8))
    assert made([9.0, 0.0, 0.0]).judge(np.array([1.0])).grade("dog") == 1
    assert made([-99.0, 0.0, 0.0]).judge(np.array([1.0])).grade("dog") == 0


def test_what_is_packed_is_read_again(tmp_path, monkeypatch):
    path = tmp_path / "made.npz"
    path.write_bytes(identity.pack({ear: made([2.0, 0.5, -1.0]) for ear in identity.EARS}))
    monkeypatch.setattr(identity, "path_of", lambda check: path)
    for ear in identity.EARS:
        again = identity.shipped.__wrapped__("made", ear)
        assert np.allclose(again.weights, made([2.0, 0.5, -1.0]).weights, rtol=1e-3)
        assert again.judge(np.array([1.0])).odds("dog") == pytest.approx(
            made([2.0, 0.5, -1.0]).judge(np.array([1.0])).odds("dog"), abs=0.01
        )


def test_each_ear_has_its_features():
    rng = np.random.default_rng(0)
    heard = Heard(
        rng.random((4, 1024), np.float32),
        rng.random((4, 521), np.float32),
        rng.random((2, 512), np.float32),
        np.zeros(8),
        np.zeros(fluctuations.NUMBERS),
    )
    for ear in identity.EARS:
        for check in ("label", "instrument"):
            assert len(heard.features(ear, check)) == sum(lab.blocks(ear, check))


@pytest.mark.parametrize("sort", SORTS)
def test_an_impostor_is_loud_varied_and_the_same_each_time(sort):
    one, again, other = impostor(sort, 0, 2.0), impostor(sort, 0, 2.0), impostor(sort, 1, 2.0)
    assert np.isfinite(one.samples).all()
    assert np.abs(one.samples).max() == pytest.approx(0.5, abs=1e-3)
    assert np.array_equal(one.samples, again.samples)
    assert not np.array_equal(one.samples, other.samples)


def test_sorts_kept_out_are_in_no_fit():
    items = lab.impostor_items(1, 1.0)
    assert {item.name for item in items if not item.fitted} == set(KEPT_OUT)


def test_a_copy_has_the_spectrum_and_the_envelope_and_nothing_else():
    t = make.seconds(3.0)
    sound = np.sin(2 * np.pi * 1000 * t) * (t > 1)
    noise = copy(sound, seeded("copy"), envelope=True)
    power = np.abs(np.fft.rfft(noise)) ** 2
    hz = np.fft.rfftfreq(len(noise), 1 / make.SAMPLE_RATE)
    assert power[(hz > 900) & (hz < 1100)].sum() > 0.9 * power.sum()
    assert np.sum(noise[t < 0.95] ** 2) < 1e-3 * np.sum(noise**2)
    assert abs(np.corrcoef(noise, sound)[0, 1]) < 0.1


def test_the_envelope_tells_a_strike_from_a_swell():
    t = make.seconds(2.0)
    strike, swell = (make.clip(np.sin(2 * np.pi * 440 * t) * shape) for shape in (np.exp(-5 * t), (t / 2) ** 2))
    assert identity.envelope(strike)[0] < 1 < identity.envelope(swell)[0]
    assert isinstance(strike, Clip)


def test_the_smallest_visible_difference_is_found_in_four_of_five_experiments():
    """By simulation: 40 pairs, a spread of 1, and a true difference of the size stated."""
    rng = np.random.default_rng(0)
    stated = np.mean([visible(rng.normal(0, 1, 40), shares=False) for _ in range(200)])
    assert stated == pytest.approx(2.8 / np.sqrt(40), rel=0.25)  # (1.96 + 0.84) standard errors
    found = []
    for _ in range(60):
        values = rng.normal(2.8 / np.sqrt(40), 1, 40)
        difference = paired(dict(enumerate(values)), dict.fromkeys(range(40), 0.0), shares=False)
        found.append(difference.p < 0.05)
    assert 0.6 < np.mean(found) < 0.95


def test_too_few_pairs_show_no_difference():
    assert visible(np.array([0.1, 0.2])) is None
