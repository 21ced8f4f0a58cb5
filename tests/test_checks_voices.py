"""Whose voice it is, and how it moves: `speaker`, `f0_contour`, and words chosen from a set."""

import numpy as np
import pytest

from innerear import checks
from innerear.ask.models.informed import sketch
from innerear.clip import Clip, read
from innerear.dsp.glides import track_gliding
from innerear.dsp.vocal_tract import formant_scale
from innerear.dsp.voice import track_voice
from innerear.errors import WeightsUnavailable
from innerear.lab import contours, speakers, voices
from innerear.lab import sounds as make
from innerear.lab.tools import seeded
from innerear.metrics import f0_contour, silero
from innerear.metrics.base import Sound
from innerear.metrics.closed_set import chosen
from innerear.metrics.f0_contour import F0ContourCheck, contour, fits, likeness
from innerear.metrics.registry import metric_of
from innerear.metrics.speaker import F0_HZ, SCALE, SpeakerCheck, vowels_of_men
from innerear.records import Probe, Status

RISING = contours.FORMS["rising"]
FALLING = contours.FORMS["falling"]
RATE = make.SAMPLE_RATE
FORMANTS_HZ = (700.0, 1200.0, 2500.0, 3500.0, 4500.0)


@pytest.fixture(autouse=True)
def _a_voice_is_heard(monkeypatch):
    """These tests are of f0 and formants; what Silero hears has its own."""
    monkeypatch.setattr(f0_contour, "spoken_s", lambda clip: 1.0)


def judged(metric, check, clip):
    return metric.measure(Sound(None, None, clip), check)


def sung(semitones, base_hz=140.0, duration_s=0.6, formants=FORMANTS_HZ):
    """A vowel whose f0 goes through these semitones."""
    t = make.seconds(duration_s)
    moved = np.interp(t, np.linspace(0, duration_s, len(semitones)), semitones)
    source = voices.pulses(base_hz * 2 ** (moved / 12), seeded("sung", *semitones, base_hz), jitter=0.002)
    return make.clip(make.edges(voices.resonate(source, formants), 0.02, 0.03))


@pytest.mark.parametrize("name", contours.FORMS)
@pytest.mark.parametrize("base_hz", [120.0, 230.0])
def test_a_contour_is_the_f0_that_was_put_in_whatever_its_pitch(name, base_hz):
    form = contours.FORMS[name].semitones
    found = contour(track_gliding(sung(form, base_hz)))
    asked = np.interp(np.linspace(0.06, 0.94, len(found)) * (len(form) - 1), np.arange(len(form)), form)
    assert found - found.mean() == pytest.approx(asked - asked.mean(), abs=0.6)
    assert judged(F0ContourCheck(), contours.FORMS[name], sung(form, base_hz)).passed


@pytest.mark.parametrize("octaves_per_s", [-8, -5, 0, 5, 8])
def test_the_tracker_follows_an_f0_that_has_no_period_within_a_window(octaves_per_s):
    t = make.seconds(0.3)
    f0_hz = 150.0 * 2 ** (octaves_per_s * np.clip(t - 0.15, -0.08, 0.08))
    vowel = voices.resonate(voices.pulses(f0_hz, seeded("glide", octaves_per_s), jitter=0.002), FORMANTS_HZ)
    track = track_gliding(make.clip(make.edges(vowel, 0.02, 0.03)))
    inside = (track.times_s > 0.04) & (track.times_s < 0.26)
    assert track.voiced[inside].all()
    asked = np.interp(track.times_s[inside], t, f0_hz)
    assert 12 * np.log2(track.f0_hz[inside] / asked) == pytest.approx(np.zeros(inside.sum()), abs=1.0)


@pytest.mark.parametrize(
    ("asked", "played", "passed"),
    [
        ("rising", [0, 2, 4, 5, 6], True),
        ("rising", [6, 3.5, 1.5, 0.5, 0], False),
        ("rising", [0, 0.1, 0.3, 0.7, 1.2], False),
        ("rising", [0, 2, 6, 14, 24], False),
        ("rising", [0, 0, 0, 0, 0], False),
        ("level", [0, 0.4, 0.8, 1.0, 1.2], True),
        ("level", [0, 1, 2, 3, 4], False),
        ("dipping", [0, -3, -5, -4, 0], True),
        ("dipping", [0, 3, 4, 1, -3], False),
        ("falling", [0, -0.5, -3, -6, -8], True),
    ],
)
def test_shape_and_range_decide(asked, played, passed):
    assert judged(F0ContourCheck(), contours.FORMS[asked], sung(played)).passed == passed


def test_the_range_may_be_half_or_twice_as_large_and_no_more():
    assert [fits(1.0, moved, RISING.semitones) for moved in (2.9, 3.1, 11.9, 12.1)] == [False, True, True, False]
    assert [fits(0.0, moved, [0, 0]) for moved in (2.0, 2.1)] == [True, False]


def test_likeness_is_pearsons_and_a_constant_is_like_nothing():
    form = [0.0, 1.0, 4.0]
    found = 3 + 2 * np.interp(np.linspace(0, 2, 41), np.arange(3), form)
    assert likeness(found, form)[0] == pytest.approx(1)
    assert likeness(-found, form)[0] == pytest.approx(-1)
    assert likeness(np.full(41, 7.0), form) == (0.0, 0.0)


def test_a_few_frames_that_jump_are_left_out():
    track = track_gliding(sung([0, 1, 2, 3, 4]))
    places = np.flatnonzero(track.voiced)
    slipped = track.f0_hz.copy()
    slipped[places[20:23]] *= 2
    slipped[places[-4:]] *= 3
    changed = type(track)(track.times_s, slipped, track.level_db, track.heard, track.voiced)
    assert contour(changed) == pytest.approx(contour(track), abs=0.5)


@pytest.mark.parametrize("tone", [make.sine, make.reed])
def test_a_tone_without_resonances_has_no_contour_of_a_voice(tone):
    value = judged(F0ContourCheck(), contours.FORMS["level"], make.clip(tone(180.0, 0.6, seeded("tone"))))
    assert not value.passed


HOSTILE = {
    "silence": np.zeros(4000),
    "one sample": np.ones(1),
    "constant": np.ones(16_000),
    "click": np.eye(1, 16_000, 9000)[0],
    "noise": seeded("hostile").standard_normal(16_000),
    "60 Hz": np.sin(2 * np.pi * 60 * np.arange(16_000) / 16_000),
    "ultrasound": np.sin(2 * np.pi * 7900 * np.arange(16_000) / 16_000),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_sounds_that_are_no_voice_fail_and_say_why(name):
    clip = Clip(HOSTILE[name].astype(np.float32)[None], 16_000)
    for metric, check in (
        (F0ContourCheck(), RISING), (F0ContourCheck(), contours.FORMS["level"]), (SpeakerCheck(), asked("man")),
        (SpeakerCheck(), asked("child")),
    ):  # fmt: skip
        value = judged(metric, check, clip)
        assert value.passed is False
        assert value.reason
        assert value.value is None or np.isfinite(value.value)


def asked(kind):
    return checks.Speaker(kind=kind)


def said(f0_of, formants_of, turn=0):
    return speakers._vowels(f0_of, formants_of, seeded("said", f0_of, formants_of, turn))


def scale_of(clip):
    return formant_scale(clip, track_voice(clip), vowels_of_men())


@pytest.mark.parametrize("ratio", [0.9, 1.12, 1.25])
def test_a_sound_played_faster_has_its_formants_scaled_by_as_much(ratio):
    clip = said("man", "man")
    faster = make.clip(make.resampled(clip.at(RATE).astype(float), ratio))
    assert scale_of(faster) / scale_of(clip) == pytest.approx(ratio, rel=0.05)


@pytest.mark.parametrize("formants_of", ["man", "woman", "child"])
def test_the_scale_of_the_formants_is_that_which_was_put_in_whatever_f0(formants_of):
    low, high = speakers.SCALE[formants_of]
    for f0_of in ("man", "woman", "child"):
        found = [scale_of(said(f0_of, formants_of, turn)) for turn in range(3)]
        assert low - 0.08 < np.median(found) < high + 0.08, f0_of


@pytest.mark.parametrize("who", ["man", "woman", "child"])
def test_a_voice_is_of_the_group_whose_f0_and_formants_it_has(who):
    passed = {other: judged(SpeakerCheck(), asked(other), said(who, who)).passed for other in F0_HZ}
    assert passed == {other: other == who for other in F0_HZ}


@pytest.mark.parametrize(("f0_of", "formants_of"), [("child", "man"), ("woman", "child"), ("man", "woman")])
def test_f0_alone_makes_nobody_a_child_a_woman_or_a_man(f0_of, formants_of):
    value = judged(SpeakerCheck(), asked(f0_of), said(f0_of, formants_of))
    assert value.passed is False
    assert "formants as of a" in value.reason


def test_the_formants_of_groups_meet_and_do_not_overlap():
    assert SCALE["man"][1] == SCALE["woman"][0]
    assert SCALE["woman"][1] == SCALE["child"][0]


def test_without_silero_nothing_passes_and_the_row_says_so(monkeypatch):
    def lacking(clip):
        raise WeightsUnavailable("no weights")

    monkeypatch.setattr(f0_contour, "spoken_s", lacking)
    for metric, check, clip in (
        (F0ContourCheck(), RISING, sung(RISING.semitones)), (SpeakerCheck(), asked("woman"), said("woman", "woman")),
    ):  # fmt: skip
        value = judged(metric, check, clip)
        assert (value.value, value.passed) == (None, None)
        assert value.status is Status.UNAVAILABLE


@pytest.mark.parametrize(
    ("nats", "heard"),
    [
        ([6, 1, 0, 0, 0, 0], "a"),
        ([1, 6, 0, 0, 0, 0], "b"),
        ([0.9, -9, -9, -9, -9, -9], None),
        ([6, 5.5, 5.5, 5.5, 5.5, 5.5], None),
        ([-4, -4, -4, -4, -4, -4], None),
    ],
)
def test_a_word_is_heard_if_it_stands_out_from_noise_and_from_the_others(nats, heard):
    assert chosen(np.array(nats, float), list("abcdef")).word == heard


def test_lifting_all_words_alike_does_not_make_one_of_them_heard():
    nats = np.array([3.0, 2, 1, 1, 1, 1])
    assert chosen(nats, list("abcdef")).word is None
    assert chosen(nats + 50, list("abcdef")).word is None


@pytest.mark.parametrize("check", [asked("man"), asked("child"), RISING, contours.FORMS["level"]])
def test_each_check_has_its_words(check):
    metric = metric_of(check)
    assert metric.label
    assert metric.text.endswith(".")
    (line,) = check.brief(2.0)
    assert line.endswith(".")


def test_informed_glides_through_the_contour():
    probe = Probe("speech/tone/x", "speech", "tone", 1, "", "", 1.0, [FALLING])
    assert "(0.0, 0.25, 180.0, 169.8974)" in sketch(probe)


@pytest.fixture
def real_silero(pack, monkeypatch):
    pytest.importorskip("onnxruntime", reason="the extra `speech` is not installed")
    monkeypatch.setattr(f0_contour, "spoken_s", silero.spoken_s)


def test_a_recorded_man_is_a_man_and_a_square_wave_is_nobody(pack, real_silero):
    assert judged(SpeakerCheck(), asked("man"), read(pack / "speech/cmu_arctic/us_aew_a0001.flac")).passed
    square = Clip(np.sign(np.sin(2 * np.pi * 120 * np.arange(16_000) / 16_000)).astype(np.float32)[None], 16_000)
    assert judged(SpeakerCheck(), asked("man"), square).passed is False
    assert judged(F0ContourCheck(), contours.FORMS["level"], square).passed is False
