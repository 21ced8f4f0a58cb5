"""The check `label`: what the table says, how a class is recognised, and that impostors are not."""

import msgspec
import numpy as np
import pytest

from innerear import checks, suite
from innerear.clip import Clip, read
from innerear.errors import WeightsUnavailable
from innerear.lab import sounds as make
from innerear.lab.classes import MERGED, groups
from innerear.lab.impostors import SORTS, copy, impostor
from innerear.lab.tools import seeded
from innerear.metrics import identity
from innerear.metrics.base import Sound
from innerear.metrics.classes import LabelCheck, merged_name, places, shipped
from innerear.metrics.identity import EARS
from innerear.metrics.verified import in_headline

ASKED = [check for probe in suite.edition("1").probes for check in probe.expect if isinstance(check, checks.Label)]


def label(name):
    return checks.Label(label=name, among="esc50")


def judged(clip, name):
    return LabelCheck().measure(Sound(None, None, clip), label(name))


@pytest.fixture
def ears(pack):
    pytest.importorskip("ai_edge_litert", reason="YAMNet's runtime is not here")
    return pack


def test_every_class_that_the_suite_asks_for_is_in_the_table():
    assert {check.label for check in ASKED} <= set(places())
    assert len(shipped()) == 50


def test_at_most_five_pairs_are_merged_and_the_table_and_the_classifiers_agree():
    assert len(MERGED) <= 5
    assert groups() == tuple(one.merged for one in shipped())
    for ear in EARS:
        one = identity.shipped("label", ear)
        assert one.names[: one.classes] == tuple(places())
        assert one.groups == groups()
    assert merged_name("helicopter") == merged_name("airplane") == "helicopter+airplane"


def test_the_shipped_classifiers_are_small_and_finite():
    for check in ("label", "instrument"):
        assert identity.path_of(check).stat().st_size < 3_000_000
        for ear in EARS:
            one = identity.shipped(check, ear)
            assert np.isfinite(one.weights).all()
            assert np.isfinite(one.offsets).all()
            assert set(one.thresholds) == set(one.groups) == set(one.real)


def test_silence_is_no_class_and_another_set_is_not_measured():
    silence = make.silence(5.0)
    assert judged(silence, "wind").passed is False
    other = LabelCheck().measure(Sound(None, None, silence), checks.Label(label="dog", among="fsd50k"))
    assert (other.passed, other.value) == (None, None)


@pytest.mark.parametrize("name", ["dog", "siren", "clapping", "church_bells", "sheep"])
def test_a_recording_is_heard_as_what_it_is_and_not_as_another(ears, name):
    clip = read(sorted((ears / "env" / name).iterdir())[0])
    right, wrong = judged(clip, name), judged(clip, "sea_waves")
    assert right.passed
    assert right.detail["heard"] == name
    assert right.detail["ears"] in EARS
    assert right.value > 0 > wrong.value
    assert not wrong.passed
    assert 0 <= wrong.detail["identity"] < right.detail["identity"] <= 1
    assert 0 <= wrong.detail["typicality"] <= right.detail["typicality"] <= 1
    assert msgspec.json.encode(right.detail)


def test_gain_changes_no_log_odds(ears):
    clip = read(sorted((ears / "env" / "dog").iterdir())[0])
    quiet = Clip(clip.samples * np.float32(0.02), clip.sample_rate)
    assert judged(quiet, "dog").value == pytest.approx(judged(clip, "dog").value, abs=0.3)


@pytest.mark.parametrize("sort", [*SORTS, "white noise"])
def test_an_impostor_passes_as_no_class_that_counts(ears, sort):
    """With a seed that no fit has seen."""
    clip = make.noise(5.0, seeded("white")) if sort == "white noise" else impostor(sort, 1001, 4.0)
    heard, _ = identity.hear(clip)
    found = identity.shipped("label", heard.ear).judge(heard.features(heard.ear, "label"))
    passing = {one.merged for one in shipped() if found.passes(one.merged)}
    assert len(passing) <= 1


def test_noise_with_the_spectrum_and_the_envelope_of_a_dog_is_no_dog(ears):
    from innerear.clip import read_mono

    path = sorted((ears / "env" / "dog").iterdir())[1]
    samples = read_mono(path, make.SAMPLE_RATE).mono.astype(np.float64)
    assert not judged(make.clip(copy(samples, seeded("dog"), envelope=True)), "dog").passed


@pytest.mark.slow
def test_copies_pass_as_the_class_of_their_recording_one_time_in_ten_at_most(ears):
    """With seeds and blocks that no fit has seen; the rate by sources left out is in docs/identity.md."""
    from innerear.clip import read_mono

    passed = []
    for turn, one in enumerate(shipped()):
        path = sorted((ears / "env" / one.name).iterdir())[turn % 2]
        samples = read_mono(path, make.SAMPLE_RATE).mono.astype(np.float64)
        copied = make.clip(copy(samples, seeded("copy of", one.name), True, (0.004, 0.008, 0.03)[turn % 3]))
        passed.append(judged(copied, one.name).passed)
    assert np.mean(passed) <= 0.1


@pytest.mark.parametrize("gone", ["yamnet", "aisfx"])
def test_without_an_ear_the_other_judges_and_says_so(ears, monkeypatch, gone):
    if gone == "yamnet":
        try:
            identity.network("aisfx")
        except WeightsUnavailable as error:
            pytest.skip(str(error))
    network = identity.network

    def without(name):
        if name == gone:
            raise WeightsUnavailable(f"no {gone} here")
        return network(name)

    monkeypatch.setattr(identity, "network", without)
    found = judged(read(sorted((ears / "env" / "dog").iterdir())[0]), "dog")
    assert found.passed
    assert found.partly  # so it is measured again once both are here
    assert found.detail["ears"] == ({"yamnet", "aisfx"} - {gone}).pop()
    assert f"no {gone} here" in found.reason
    assert in_headline(label("dog"), "environment", found.detail) == (True, "")


def test_without_any_ear_nothing_is_measured(monkeypatch):
    def gone(name):
        raise WeightsUnavailable(f"no {name} here")

    monkeypatch.setattr(identity, "network", gone)
    with pytest.raises(WeightsUnavailable, match=r"no .* here"):
        judged(make.noise(2.0, seeded("noise")), "dog")
