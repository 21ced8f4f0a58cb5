"""The checks of the speech tier on sounds whose truth follows from how they are made."""

import numpy as np
import pytest

from innerear import checks
from innerear.clip import Clip
from innerear.dsp.formants import burg, find_formants, resonances
from innerear.dsp.voice import relief_db, track_voice
from innerear.errors import WeightsUnavailable
from innerear.lab import sounds as make
from innerear.lab import voices
from innerear.lab.tools import seeded
from innerear.metrics import silero
from innerear.metrics.base import Sound
from innerear.metrics.formants import VowelCheck, vowels
from innerear.metrics.silero import UnvoicedCheck, VoiceCheck
from innerear.metrics.voice import F0TrendCheck, VoiceF0Check, VoiceF0StepsCheck
from innerear.records import Status

AMONG = ["i", "æ", "ɑ/ɔ", "u", "ɛ"]


def judged(metric, check, clip):
    return metric.measure(Sound(None, None, clip), check)


def held(ipa, f0_hz=120.0, who="men", **how):
    spoken = vowels(who)[ipa]
    formants = (spoken.f1_hz, spoken.f2_hz, max(2600.0, spoken.f2_hz + 400))
    return make.clip(voices.vowel(f0_hz, formants, 1.0, seeded(ipa, f0_hz), **how))


def asked(ipa):
    spoken = vowels("men")[ipa]
    return checks.Vowel(ipa=ipa, f1_hz=spoken.f1_hz, f2_hz=spoken.f2_hz, among=AMONG)


@pytest.mark.parametrize("f0_hz", [85.0, 120.0, 180.0])
@pytest.mark.parametrize("ipa", vowels("men"))
def test_formants_are_those_that_were_put_in(ipa, f0_hz):
    found = find_formants(held(ipa, f0_hz))
    assert found.f1_hz == pytest.approx(vowels("men")[ipa].f1_hz, rel=0.08)
    assert found.f2_hz == pytest.approx(vowels("men")[ipa].f2_hz, rel=0.06)


@pytest.mark.parametrize("how", [{"jitter": 0.02}, {"shimmer": 0.1}, {"breath": 0.1}, {"snr_db": 25.0}])
def test_a_rough_voice_has_the_same_formants(how):
    found = find_formants(held("ɑ", **how))
    assert found.f1_hz == pytest.approx(vowels("men")["ɑ"].f1_hz, rel=0.08)
    assert found.f2_hz == pytest.approx(vowels("men")["ɑ"].f2_hz, rel=0.06)


def test_burg_finds_the_poles_of_an_autoregression():
    from scipy.signal import lfilter

    poles = np.array([0.95 * np.exp(1j * 0.5), 0.9 * np.exp(1j * 1.5)])
    a = np.real(np.poly([*poles, *poles.conj()]))
    frames = lfilter([1], a, seeded("burg").standard_normal((3, 4000)), axis=1)
    frequency, width = resonances(burg(frames, 4), 2 * np.pi)
    assert np.allclose(frequency[:, :2], [0.5, 1.5], atol=0.02)
    assert np.allclose(width[:, :2], -np.log([0.95, 0.9]) * 2, atol=0.04)


@pytest.mark.parametrize("ipa", ["i", "æ", "ɑ", "ɔ", "u", "ɛ"])
def test_a_vowel_is_heard_as_itself_and_as_no_other_of_the_set(ipa):
    clip = held(ipa)
    passed = [name for name in ("i", "æ", "ɑ", "u", "ɛ") if judged(VowelCheck(), asked(name), clip).passed]
    assert passed == [{"ɔ": "ɑ"}.get(ipa, ipa)]
    detail = judged(VowelCheck(), asked("i"), clip).detail
    assert detail["heard"] == {"ɑ": "ɑ/ɔ", "ɔ": "ɑ/ɔ"}.get(ipa, ipa)
    assert {"f1_hz", "f2_hz", "among"} <= set(detail)


def test_gain_moves_no_formant():
    clip = held("æ")
    soft = find_formants(Clip(clip.samples * np.float32(0.02), clip.sample_rate))
    assert soft.f1_hz == pytest.approx(find_formants(clip).f1_hz, rel=1e-3)


@pytest.mark.parametrize("tone", [make.sine, make.reed, make.blown])
def test_a_tone_without_resonances_is_no_vowel(tone):
    clip = make.clip(tone(120.0, 1.2, seeded(0)))
    assert relief_db(clip, track_voice(clip)) < 1
    for ipa in ("i", "u", "ɑ"):
        assert judged(VowelCheck(), asked(ipa), clip).passed is False


@pytest.mark.parametrize("f0_hz", [70, 95, 140, 210, 320, 450])
def test_the_f0_of_a_voice_is_within_a_percent(f0_hz):
    found = judged(VoiceF0Check(), checks.VoiceF0(low_hz=f0_hz * 0.9, high_hz=f0_hz * 1.1), held("ɑ", float(f0_hz)))
    assert found.passed, found.reason
    assert found.detail["f0_hz"] == pytest.approx(f0_hz * 0.98, rel=0.015)  # it falls by 4 % while it is held


@pytest.mark.parametrize("made", ["sine", "noise", "silence"])
def test_what_is_no_voice_has_no_f0_of_a_voice(made):
    clip = {
        "sine": make.clip(make.sine(120.0, 1.0, seeded(0))),
        "noise": make.noise(1.0, seeded(1)),
        "silence": make.silence(1.0),
    }[made]
    for metric, check in (
        (VoiceF0Check(), checks.VoiceF0(low_hz=80, high_hz=180)),
        (F0TrendCheck(), checks.F0Trend(direction="fall")),
        (VoiceF0StepsCheck(), checks.VoiceF0Steps(ranges_hz=[(70, 180), (150, 350)])),
    ):
        assert judged(metric, check, clip).passed is False


def melody(semitones):
    t = make.seconds(1.0)
    f0 = 120 * 2 ** (semitones * np.clip((t - 0.5) / 0.5, 0, 1) / 12)
    return make.clip(voices.resonate(voices.pulses(f0, seeded(semitones)), (650, 1100, 2600, 3500, 4500)))


@pytest.mark.parametrize(("semitones", "passes"), [(5, "rise"), (-5, "fall"), (0, None)])
def test_a_melody_rises_or_falls_or_neither(semitones, passes):
    for direction in ("rise", "fall"):
        found = judged(F0TrendCheck(), checks.F0Trend(direction=direction), melody(semitones))
        assert found.passed is (direction == passes)
        assert found.value == pytest.approx(semitones, abs=1)


def two_voices(*f0s):
    parts = [make.mix([(0.0, voices.vowel(f0, (650, 1100, 2600), 0.5, seeded(f0)))], 0.9) for f0 in f0s]
    return make.clip(np.concatenate(parts))


def test_a_man_and_then_a_woman_are_two_voices():
    check = checks.VoiceF0Steps(ranges_hz=[(70, 180), (150, 350)])
    found = judged(VoiceF0StepsCheck(), check, two_voices(110.0, 220.0))
    assert found.passed, found.reason
    assert found.detail["heard_hz"] == pytest.approx([110, 220], rel=0.04)
    for f0s in ((220.0, 110.0), (165.0, 165.0), (110.0,)):
        assert judged(VoiceF0StepsCheck(), check, two_voices(*f0s)).passed is False


@pytest.fixture
def network(pack):
    pytest.importorskip("onnxruntime", reason="Silero's runtime is not here")
    silero._network.cache_clear()
    return silero


def a_sentence(pack):
    from innerear.clip import read

    return read(next(iter(sorted((pack / "speech" / "ljspeech").iterdir()))))


def test_a_whisper_is_a_voice_without_f0(network, pack):
    clip = a_sentence(pack)
    samples = clip.at(16_000)[:40_000].astype(float)
    whisper = Clip(voices.revoiced(samples, 16_000, None, seeded("w")).astype(np.float32)[None], 16_000)
    assert judged(VoiceCheck(), checks.Voice(), whisper).passed
    assert judged(UnvoicedCheck(), checks.Unvoiced(), whisper).passed
    assert judged(UnvoicedCheck(), checks.Unvoiced(), clip).passed is False
    assert judged(UnvoicedCheck(), checks.Unvoiced(), make.noise(2.0, seeded(2))).passed is False


def test_a_bell_and_a_silence_are_no_voice(network):
    assert judged(VoiceCheck(), checks.Voice(), make.silence(1.0)).passed is False
    assert judged(VoiceCheck(), checks.Voice(), make.clip(make.ringing(440.0, 1.0, seeded(3)))).passed is False


def test_without_the_network_a_voice_is_not_measured_and_never_passes(monkeypatch):
    def gone():
        raise WeightsUnavailable("no network here")

    monkeypatch.setattr(silero, "_network", gone)
    with pytest.raises(WeightsUnavailable, match="no network here"):
        judged(VoiceCheck(), checks.Voice(), held("ɑ"))
    whisper = judged(UnvoicedCheck(), checks.Unvoiced(), make.noise(1.0, seeded(4)))
    assert whisper.passed is None
    assert judged(UnvoicedCheck(), checks.Unvoiced(), held("ɑ")).passed is False  # a fundamental is one in any case


def test_revoiced_speech_has_the_f0_that_was_asked(pack):
    samples = a_sentence(pack).at(16_000)[:32_000].astype(float)
    made = voices.revoiced(samples, 16_000, np.full(len(samples), 170.0), seeded("r"))
    found = judged(VoiceF0Check(), checks.VoiceF0(low_hz=160, high_hz=180), Clip(made.astype(np.float32)[None], 16_000))
    assert found.passed
    assert VoiceF0Check().version == 1


def test_what_is_said_is_compared_without_case_and_points():
    from innerear.metrics.words import words

    assert words("It's easy — to tell!") == "it's easy to tell"


def a_template(text, talker):
    """A template's cepstra as if they were heard: what it is nearest to is known."""
    from innerear.metrics import words as of

    known = of.shipped()
    mine = known.templates[of.length(text)]
    return mine.prints[(mine.texts == text) & (mine.talkers == talker)]


def test_a_template_is_nearest_to_itself_and_nearer_to_its_own_text_than_to_others():
    from innerear.metrics import words as of

    known = of.shipped()
    short = known.templates["short"]
    found = of.distances(a_template("seven", "flite:rms"), short.prints)[0]
    nearest = np.argmin(found)
    assert (short.texts[nearest], short.talkers[nearest]) == ("seven", "flite:rms")
    assert found[nearest] == pytest.approx(0, abs=1e-3)
    assert np.median(found[short.texts == "seven"]) < np.quantile(found[short.texts != "seven"], 0.3)


DIGITS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]


def test_noise_is_rejected_and_chance_stands_beside_it():
    from innerear.metrics.words import TranscriptCheck

    check = checks.Transcript(text="five", closed_set=DIGITS)
    found = [judged(TranscriptCheck(), check, make.noise(1.0, seeded("noise", turn))) for turn in range(12)]
    assert sum(one.detail["heard"] is not None for one in found) <= 2
    assert not any(one.passed for one in found)
    assert (found[0].detail["chance"], found[0].detail["among"], found[0].detail["closed"]) == (0.1, 10, True)
    assert judged(TranscriptCheck(), check, make.silence(1.0)).detail["heard"] is None


def test_a_text_without_templates_is_not_measured():
    from innerear.metrics.words import TranscriptCheck

    found = judged(TranscriptCheck(), checks.Transcript(text="supercalifragilistic"), make.noise(1.0, seeded("n")))
    assert (found.value, found.passed) == (None, None)
    assert found.status is Status.UNAVAILABLE


def test_every_text_of_the_suite_has_templates_by_every_talker():
    from innerear import suite
    from innerear.metrics import words as of

    known = of.shipped()
    for probe in suite.edition("1").probes:
        for check in probe.expect:
            if isinstance(check, checks.Transcript):
                name, among = known.among(check)
                assert of.words(check.text) in among
                assert name == probe.family
                templates = known.templates[of.length(check.text)]
                assert len(set(templates.talkers[templates.texts == of.words(check.text)])) >= 7


def test_no_distractor_is_a_text_of_the_suite():
    from innerear.lab.words import DISTRACTORS, STRANGE
    from innerear.metrics import words as of

    known = of.shipped()
    said = {text for name, texts in known.sets.items() if name != of.OTHER for text in texts}
    assert not said & set(map(of.words, DISTRACTORS))
    assert not set(map(of.words, STRANGE)) & (said | set(map(of.words, DISTRACTORS)))


@pytest.mark.parametrize("talker", ["espeak-ng", "flite"])
def test_a_talker_says_a_digit_that_is_heard_and_a_word_that_is_rejected_or_another(talker):
    from innerear.metrics.words import TranscriptCheck
    from innerear.render.talkers import can_say, say

    if not can_say(talker):
        pytest.skip(f"{talker} is not installed")
    digits = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
    heard = [judged(TranscriptCheck(), checks.Transcript(text=d, closed_set=digits), say(d, talker)) for d in digits]
    assert sum(bool(one.passed) for one in heard) >= 7
    assert heard[0].detail["listener"] == "forced choice"


def test_a_talker_is_given_plain_english_only():
    from innerear.errors import UsageError
    from innerear.render.talkers import say

    for text in ("$(touch /tmp/x)", "a\nb", "", "x" * 400):
        with pytest.raises(UsageError):
            say(text, "espeak-ng")


@pytest.mark.parametrize("talker", ["espeak-ng", "flite"])
def test_a_baseline_talks_for_speech_probes_as_long_as_asked(talker):
    from innerear import suite
    from innerear.ask.models import open_model
    from innerear.render.talkers import can_say
    from innerear.render.tools import make as make_hosted

    if not can_say(talker):
        pytest.skip(f"{talker} is not installed")
    model = open_model(f"baseline/{talker}")
    probes = suite.edition("1").probes
    assert all((model.identity(probe, 0) is not None) == (probe.tier == "speech") for probe in probes)
    digit = next(probe for probe in probes if probe.id == "speech/digit/four")
    clip = make_hosted(model.identity(digit, 0))
    assert clip.duration_s == pytest.approx(digit.duration_s, abs=0.5)


def test_the_ladder_has_chance_and_what_verification_lets_through():
    from innerear import suite
    from innerear.records import Completion, Item, Measurement, Outcome, Program, Render
    from innerear.scores.groups import groups_of
    from innerear.scores.ladder import RUNGS, ladder

    items = []
    for probe in suite.edition("1").probes:
        if probe.tier == "speech":
            key = probe.id
            completion = Completion(key, probe.id, "m", "direct", 0, [], "")
            rows = [Measurement("k", key, "m", 0.0, True, check=index) for index in range(len(probe.expect))]
            items.append(Item(probe, completion, Program("x"), Render(key, key, Outcome.OK), rows))
    (group,) = groups_of(items)
    found = list(ladder(group))
    assert [score.group for score in found] == [f"family:{rung}" for rung in RUNGS]
    assert [score.floor.get("chance") for score in found[:4]] == pytest.approx([1 / 5, 1 / 4, 1 / 10, 1 / 10])
    assert "chance" not in found[4].floor  # a recogniser chooses among no texts
    assert all(score.value == 1 for score in found)
    assert all(0 < score.ceiling["verified"] <= 1 for score in found if score.group != "family:sentence")
