"""`sequence`, `together` and `doppler`, on scores made up and on sounds that move as physics says."""

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from innerear import checks
from innerear.clip import read
from innerear.dsp import fluctuations
from innerear.lab import sounds as make
from innerear.lab.passing import PATTERNS, SOUND_M_S, passed_by, siren
from innerear.lab.tools import seeded, slope_noise
from innerear.metrics import scene
from innerear.metrics.base import Sound
from innerear.metrics.classes import places
from innerear.metrics.doppler import DopplerCheck
from innerear.metrics.identity import Heard
from innerear.metrics.scene import SequenceCheck, at_once, in_sequence

DOPPLER = checks.Doppler(ratio_below=0.97)


@pytest.fixture(autouse=True)
def _plain_classes(monkeypatch):
    """The frames of these tests are probabilities of the 50 classes themselves."""
    monkeypatch.setattr(
        scene, "logs", lambda heard, _: np.log(heard.scores.mean(axis=0) / heard.scores.mean(axis=0).sum())
    )


def frames(*parts):
    """What is heard if the named classes have a probability of 0.6 in so many frames: ("dog", 5), ("rain dog", 3)."""
    shares = np.full((sum(n for _, n in parts), len(places())), 1e-5, np.float32)
    place = 0
    for names, n in parts:
        for name in names.split():
            shares[place : place + n, places()[name]] = 0.6
        place += n
    return Heard(shares, shares, None, np.zeros(8), np.zeros(fluctuations.NUMBERS)), 0.48 * len(shares) + 0.5


def judged(check, clip):
    return DopplerCheck().measure(Sound(None, None, clip), check)


def test_one_after_the_other_is_heard_with_the_time_of_the_change():
    found = in_sequence(*frames(("dog", 6), ("clapping", 6)), "dog", "clapping")
    assert found.passed
    assert found.detail["heard"] == ["dog", "clapping"]
    assert found.detail["cut_s"] == pytest.approx(3.0, abs=0.5)


@pytest.mark.parametrize(
    "parts",
    [
        [("clapping", 6), ("dog", 6)],
        [("dog", 12)],
        [("clapping", 12)],
        [("dog clapping", 12)],
        [("dog", 6), ("train", 6)],
        [("", 12)],
    ],
)
def test_another_order_one_of_them_both_at_once_and_a_stranger_are_no_sequence(parts):
    found = in_sequence(*frames(*parts), "dog", "clapping")
    assert found.passed is False
    assert found.reason


def test_at_once_is_both_in_both_halves():
    assert at_once(*frames(("dog rain", 12)), ["dog", "rain"]).passed
    after = at_once(*frames(("dog", 6), ("rain", 6)), ["dog", "rain"])
    assert (after.passed, after.reason) == (False, "heard in one half only: dog, rain")


def test_a_sound_that_is_missing_is_named_and_what_is_heard_instead():
    found = at_once(*frames(("dog train", 12)), ["dog", "rain"])
    assert found.passed is False
    assert found.detail["missing"] == ["rain"]
    assert set(found.detail["heard"]) == {"dog", "train"}


def test_a_class_that_is_not_in_the_table_is_not_measured():
    clip = make.noise(2.0, seeded(0))
    found = SequenceCheck().measure(Sound(None, None, clip), checks.Sequence(labels=["dog", "unicorn"]))
    assert (found.value, found.passed) == (None, None)


def passing(pattern, speed_m_s):
    samples = siren(pattern, 6.0, seeded(pattern, round(speed_m_s, 3)))
    return judged(DOPPLER, make.clip(passed_by(samples, speed_m_s, 5.0, 3.0)))


@settings(max_examples=8)
@given(st.floats(12, 35), st.sampled_from(PATTERNS))
def test_what_passes_by_is_heard_to_pass(speed_m_s, pattern):
    found = passing(pattern, speed_m_s)
    assert found.passed, found.reason
    assert msgspec.json.encode([found.value, found.passed, found.detail])


@settings(max_examples=8)
@given(st.floats(12, 35), st.sampled_from(["yelp", "two tones"]))
def test_what_passes_is_lower_by_the_ratio_of_doppler(speed_m_s, pattern):
    """Of patterns that come round several times in a third; a slow wail is in another phase at its end."""
    expected = 1200 * np.log2((SOUND_M_S - speed_m_s) / (SOUND_M_S + speed_m_s))
    assert passing(pattern, speed_m_s).value == pytest.approx(expected, abs=20)


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_siren_that_stands_or_comes_out_higher_does_not_pass_by(pattern):
    samples = siren(pattern, 6.0, seeded(pattern))
    assert not judged(DOPPLER, make.clip(samples)).passed
    assert not judged(DOPPLER, make.clip(passed_by(samples, -20.0, 5.0, 3.0))).passed


@pytest.mark.parametrize("slope", [0.0, 1.0, 2.0])
def test_noise_has_no_pitch_that_could_fall(slope):
    assert not judged(DOPPLER, slope_noise(slope, 6.0, seeded(slope))).passed


def test_a_recorded_siren_is_moved_by_the_ratio_of_doppler(pack):
    from innerear.lab.scenes import whole

    path = sorted((pack / "env" / "siren").iterdir())[0]
    assert read(path).duration_s > 1
    found = judged(DOPPLER, make.clip(passed_by(whole(path, 6.0), 20.0, 5.0, 3.0)))
    assert found.value == pytest.approx(1200 * np.log2((SOUND_M_S - 20) / (SOUND_M_S + 20)), abs=30)
