"""`plausibility`: each descriptor against a sound whose value follows from how it is made."""

import numpy as np
import pytest

from innerear import checks, suite
from innerear.clip import Clip, read
from innerear.lab import sounds as make
from innerear.lab.tools import seeded, slope_noise
from innerear.metrics.base import Sound
from innerear.metrics.measure import measure
from innerear.metrics.plausibility import WORDS, Plausibility, descriptors, judge, shipped, sort_of, unwarp, warp
from innerear.records import Outcome, Probe, Render

RATE = make.SAMPLE_RATE


def of(samples):
    found = descriptors(make.clip(np.asarray(samples)))
    assert found is not None
    return found


def test_a_sine_is_narrow_tonal_and_clearly_pitched():
    found = of(np.sin(2 * np.pi * 1000 * make.seconds(3.0)))
    assert found["centroid_hz"] == pytest.approx(1000, rel=0.02)
    assert found["rolloff_hz"] == pytest.approx(1000, abs=25)
    assert found["bandwidth_hz"] < 150
    assert found["harmonicity"] > 0.95
    assert found["flatness"] < 0.001


def test_white_noise_is_flat_and_has_no_pitch():
    found = of(seeded(0).standard_normal(3 * RATE))
    assert found["flatness"] > 0.5
    assert found["harmonicity"] < 0.3
    assert found["centroid_hz"] == pytest.approx(8000, rel=0.05)


def test_clicks_twice_a_second_have_that_rate_and_a_sudden_attack():
    found = of(make.mix([(0.1 + 0.5 * i, make.click(seeded(i))) for i in range(6)], 3.0))
    assert found["onset_rate_hz"] == pytest.approx(2.3, abs=0.4)
    assert found["attack_s"] <= 0.02
    assert found["active_share"] < 0.15


def test_a_swell_has_a_long_attack_and_a_tremolo_its_rate():
    t = make.seconds(4.0)
    noise = seeded(1).standard_normal(len(t))
    assert of(noise * np.minimum(t / 2, 1) ** 2)["attack_s"] > 0.5
    moved = of(noise * (1 + 0.9 * np.sin(2 * np.pi * 6 * t)))
    assert moved["modulation_hz"] == pytest.approx(6, abs=0.3)
    assert moved["loudness_range_db"] > of(noise)["loudness_range_db"] + 5


def test_gain_changes_no_descriptor():
    clip = slope_noise(1.0, 3.0, seeded(2))
    quiet = Clip(clip.samples * np.float32(0.03), clip.sample_rate)
    loud, soft = descriptors(clip), descriptors(quiet)
    assert all(loud[name] == pytest.approx(soft[name], rel=0.02) for name in WORDS)


@pytest.mark.parametrize("name", WORDS)
def test_an_axis_leads_back_to_the_value(name):
    assert unwarp(name, warp(name, 0.4)) == pytest.approx(0.4, rel=1e-3)


def test_a_sound_without_a_pause_is_as_plausible_as_one_with_the_shortest():
    assert shipped().of
    for sort, ranges in shipped().of.items():
        low, high = ranges["active_share"]
        assert high == 1.0 or high < 0.99, sort
        assert low < high


def test_what_lies_outside_is_named_with_its_range():
    ranges = dict.fromkeys(WORDS, (0.0, 10.0))
    found = judge(dict.fromkeys(WORDS, 5.0) | {"attack_s": 11.0, "flatness": -1.0}, ranges)
    assert found.value == pytest.approx(0.8)
    assert found.passed is None
    assert found.detail == {
        "outside": {"flatness": [-1.0, 0.0, 10.0, "too tonal"], "attack_s": [11.0, 0.0, 10.0, "no attack"]},
        "n": 10,
    }


def test_every_class_of_the_suite_has_ranges_and_each_is_in_order():
    labels = {sort_of(probe) for probe in suite.edition("1").probes if probe.tier == "environment"} - {None}
    assert labels <= set(shipped().of)
    for ranges in shipped().of.values():
        assert set(ranges) == set(WORDS)
        assert all(low < high for low, high in ranges.values())


def test_recordings_held_back_lie_inside_more_often_than_anything_else():
    for tier, inside in shipped().inside.items():
        assert inside["real"] > 0.85, tier
        assert all(share < inside["real"] - 0.08 for name, share in inside.items() if name != "real"), tier


def test_only_sounds_with_a_class_or_a_family_are_measured_and_silence_has_no_value():
    asked = Probe("p", "environment", "a", 1, "a dog", "", 1.0, [checks.Label(label="dog", among="esc50")])
    bare = Probe("p", "speech", "a", 1, "a word", "", 1.0, [checks.Voice()])
    assert Plausibility().applies(asked)
    assert not Plausibility().applies(bare)
    render = Render("k", "p", Outcome.OK, sample_rate=RATE, channels=1, samples=RATE)
    silence = make.silence(1.0)
    assert "plausibility" not in [row.metric for row in measure("s", Sound(bare, render, silence))]
    assert Plausibility().measure(Sound(asked, render, silence)).value is None


def test_a_recorded_dog_is_more_of_a_dog_than_a_sine(pack):
    ranges = shipped().of["dog"]
    real = [judge(descriptors(read(path)), ranges).value for path in sorted((pack / "env" / "dog").iterdir())[:4]]
    assert np.mean(real) > judge(of(np.sin(2 * np.pi * 440 * make.seconds(5.0))), ranges).value + 0.3
