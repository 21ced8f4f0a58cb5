"""The check `label`: what the table says, how a class is heard, and how real recordings are."""

import numpy as np
import pytest

from innerear import checks, suite
from innerear.clip import read
from innerear.lab import sounds as make
from innerear.lab.classes import left_out, merge
from innerear.lab.tools import seeded
from innerear.metrics import classes
from innerear.metrics.base import Sound
from innerear.metrics.classes import LabelCheck, judge, merged_name, places, shipped
from innerear.metrics.instrument import audioset_names

ASKED = [check for probe in suite.load().probes for check in probe.expect if isinstance(check, checks.Label)]


def label(name):
    return checks.Label(label=name, among="esc50")


def lifted(**by_class):
    lift = np.full(50, -1.0)
    for name, value in by_class.items():
        lift[places()[name]] = value
    return lift


@pytest.fixture
def yamnet(pack):
    pytest.importorskip("ai_edge_litert", reason="YAMNet's runtime is not here")
    return pack


def test_every_class_that_the_suite_asks_for_is_in_the_table_with_names_of_audioset():
    assert {check.label for check in ASKED} <= set(places())
    assert len(shipped()) == 50
    assert {name for one in shipped() for name in one.audioset} <= set(audioset_names())


def test_merges_are_of_classes_of_the_table_and_each_is_in_its_own():
    for one in shipped():
        parts = one.merged.split("+")
        assert one.name in parts
        assert {merged_name(part) for part in parts} == {one.merged}


def test_the_class_heard_is_the_one_that_is_lifted_most_and_the_place_counts_those_above():
    found = judge(lifted(dog=3.0, cat=2.5, siren=1.0), "siren")
    assert (found.value, found.passed, found.reason) == (3, False, "heard as dog")
    assert found.detail["heard"] == "dog"
    assert [name for name, _ in found.detail["top"]][:3] == ["dog", "cat", "siren"]
    assert judge(lifted(dog=3.0, cat=2.5), "dog").passed


def test_where_no_class_stands_out_none_is_heard():
    found = judge(lifted(dog=0.5), "dog")
    assert (found.value, found.passed, found.detail["heard"]) == (1, False, None)


def test_a_class_passes_as_one_that_it_is_merged_with_and_the_detail_says_which():
    assert merged_name("rooster") == merged_name("hen")
    found = judge(lifted(hen=3.0), "rooster")
    assert found.passed
    assert found.detail["heard"] == "hen"


def test_silence_is_no_class_and_another_set_is_not_measured():
    silence = make.silence(5.0)
    assert LabelCheck().measure(Sound(None, None, silence), label("wind")).passed is False
    other = LabelCheck().measure(Sound(None, None, silence), checks.Label(label="dog", among="fsd50k"))
    assert (other.passed, other.value) == (None, None)


def test_two_classes_that_are_taken_for_each_other_become_one_and_others_stay():
    of = np.repeat([0, 1, 2], 8)
    lifts = np.full((24, 50), -9.0)
    lifts[np.arange(24), of] = 3.0
    lifts[:5, 1] = 4.0  # five of eight of the first are heard as the second
    assert merge(lifts[:, :3], of) == [[0, 1], [2]]


def test_a_recording_is_not_among_what_is_usual_for_it():
    levels = np.zeros((5, 2))
    levels[0, 1] = 4.0  # of class 0: what class 1 gets from it
    lifts = left_out(levels, np.array([0, 0, 0, 1, 1]))
    assert lifts[0, 1] == pytest.approx(4.0)
    assert lifts[1, 1] == pytest.approx(-2.0)
    assert lifts[3, 1] == pytest.approx(-4 / 3)


@pytest.mark.parametrize("name", ["dog", "siren", "clapping", "church_bells", "sheep"])
def test_a_recording_is_heard_as_what_it_is_and_not_as_another(yamnet, name):
    clip = read(sorted((yamnet / "env" / name).iterdir())[0])
    sound = Sound(None, None, clip)
    assert LabelCheck().measure(sound, label(name)).passed
    assert not LabelCheck().measure(sound, label("sea_waves")).passed


def test_gain_changes_no_class(yamnet):
    clip = read(sorted((yamnet / "env" / "dog").iterdir())[0])
    quiet = type(clip)(clip.samples * np.float32(0.02), clip.sample_rate)
    assert np.allclose(classes.lifts(classes.listen(clip)), classes.lifts(classes.listen(quiet)), atol=0.1)


def test_white_noise_is_heard_as_no_class_that_counts(yamnet):
    from innerear.metrics.verified import in_headline

    lift = classes.lifts(classes.listen(make.noise(5.0, seeded("white"))))
    passing = [one.name for one in shipped() if judge(lift, one.name).passed]
    assert [name for name in passing if in_headline(label(name), "environment")[0]] == []
