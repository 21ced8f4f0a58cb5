"""Which words are heard: spelling, word errors, what is lost of their sounds, noise, and the scores of all that."""

from types import SimpleNamespace

import msgspec
import numpy as np
import pytest

from innerear import checks, load
from innerear.clip import Clip
from innerear.metrics import real_speech
from innerear.metrics.group import Group
from innerear.metrics.in_noise import (
    BANDS_HZ,
    SAMPLE_RATE,
    SPEECH_DB,
    STEPS_DB,
    active_level_db,
    in_noise,
    speech_noise,
    threshold_db,
)
from innerear.metrics.pronounce import CONSONANTS, phone_errors, pronunciations
from innerear.metrics.registry import sound_metric
from innerear.metrics.verified import variant
from innerear.metrics.word_errors import compare
from innerear.metrics.word_scores import what_is_lost
from innerear.records import Measurement, Status
from innerear.scores.ends import with_ends


@pytest.mark.parametrize(
    ("wanted", "heard", "errors"),
    [
        ("five", " 5.", 0),
        ("It's easy, really?", "it’s easy. Really!", 0),
        ("seven two nine four one", "72941.", 0),
        ("seven two nine four one", "7-2-9-4-1", 0),
        ("three eight zero five six", "38,056", 0),
        ("about fourteen fifty-five", "about 1455", 0),
        ("the fifteenth century", "the 15th century", 0),
        ("a forty-two line Bible", "a 42-line Bible", 0),
        ("it does not stop at the old harbour", "It does not stop at the old harbor.", 0),
        ("heel", "Heal.", 0),
        ("the dark blue background", "the dark blue back ground", 0),
        ("the back ground", "the background", 0),
        ("five", "6", 1),
        ("then", "than", 1),
        ("yes", "", 1),
        ("yes", "no no no", 3),
        ("Rice is often served in round bowls.", "rice is often served and road rules", 3),
    ],
)
def test_words_are_compared_as_they_sound_and_not_as_they_are_written(wanted, heard, errors):
    assert compare(wanted, heard).errors == errors


def test_errors_are_those_of_jiwer_for_words_that_are_spelled_alike():
    jiwer = pytest.importorskip("jiwer", reason="the extra `test` is not installed")
    rng = np.random.default_rng(3)
    vocabulary = np.array(["birch", "canoe", "slid", "smooth", "planks", "glue"])
    for _ in range(200):
        wanted, heard = (" ".join(rng.choice(vocabulary, rng.integers(1, 9))) for _ in range(2))
        assert compare(wanted, heard).rate == pytest.approx(jiwer.wer(wanted, heard))


def test_a_text_of_many_numerals_is_compared_at_once():
    assert compare("one two " * 40, "12 " * 40).words == 80


def test_every_phoneme_of_the_dictionary_is_a_consonant_with_features_or_a_vowel():
    words = ("birch", "judge", "vision", "thing", "this", "yes", "hum", "wove", "zap", "sharp", "guild", "fork", "tea")
    phones = {phone for word in words for said in pronunciations(word) for phone in said}
    vowels = {phone for phone in phones if phone[0] in "AEIOU"}
    assert phones - vowels == set(CONSONANTS)


@pytest.mark.parametrize(
    ("wanted", "heard", "features", "where"),
    [
        ("bath", "bat", ("place", "manner"), "final"),
        ("pack", "back", ("voicing",), "initial"),
        ("tent", "ten", ("consonant lost",), "final"),
        ("eel", "heel", ("consonant added",), "initial"),
        ("kit", "cat", ("vowel",), "medial"),
    ],
)
def test_what_is_lost_of_a_word_is_named_by_feature_and_place(wanted, heard, features, where):
    (found,) = phone_errors(wanted, heard)
    assert (found.features, found.where) == (features, where)


def test_a_word_that_no_dictionary_has_says_nothing_of_phonemes():
    assert phone_errors("bath", "xqzt") is None
    found = what_is_lost(
        [("the bath", [("bath", "xqzt")]), ("the tent", [("tent", "ten")]), ("a tent", [("a", None), ("tent", "ten")])]
    )
    assert found["confusions"][0] == ["tent", "ten", 2]
    assert (found["phonemes"]["pairs"], found["phonemes"]["unknown"]) == (2, 1)
    assert found["phonemes"]["features"] == {"consonant lost, final": 2}


def test_what_a_listener_made_up_or_did_not_hear_says_nothing_of_the_sounds():
    found = what_is_lost(
        [("row your boat", [("row", "la"), *[(None, "la")] * 9]), ("a tent", [("a", None), ("tent", None)])]
    )
    assert (found["made_up"], found["unheard"], found["confusions"]) == (1, 1, [])
    assert found["phonemes"]["consonants"]["final"]["asked"] == 0


def test_sounds_that_are_lost_are_counted_of_those_that_were_asked():
    found = what_is_lost([("a bad cat sat", [("bad", "bat")]), ("tent", [("tent", "ten")])])
    assert found["phonemes"]["consonants"] == {
        "initial": {"asked": 4, "lost": 0, "changed": 0},
        "medial": {"asked": 1, "lost": 0, "changed": 0},
        "final": {"asked": 4, "lost": 1, "changed": 1},
    }
    assert found["phonemes"]["manners"]["stop"] == {"asked": 7, "lost": 1, "changed": 1}
    assert found["phonemes"]["vowels"] == {"asked": 5, "lost": 0, "changed": 0}


def test_a_voice_that_loses_final_consonants_is_told_so_and_one_that_loses_them_anywhere_is_not():
    pairs = [("tent", "ten"), ("bent", "ben"), ("sent", "sen"), ("cart", "car"), ("seat", "sea"), ("moot", "moo")]
    heard = [("lap", []), ("map", []), ("nap", []), ("man", [])]
    says = what_is_lost([*((one, [(one, other)]) for one, other in pairs), *heard])["phonemes"]["says"]
    assert says.startswith("final consonants are lost: 6 of 10, of the others 0 of ")
    anywhere = [("tent", "ten"), ("stop", "top"), ("start", "tart"), ("spin", "pin"), ("cart", "car"), ("slip", "lip")]
    assert (
        "consonants"
        not in what_is_lost([*((one, [(one, other)]) for one, other in anywhere), *heard])["phonemes"]["says"]
    )


def a_talker(seconds, level=0.1):
    """Bursts of noise, half of the time, between silences."""
    rng = np.random.default_rng(5)
    on = np.arange(round(seconds * SAMPLE_RATE)) // (SAMPLE_RATE // 5) % 2
    return (level * rng.standard_normal(len(on)) * on).astype(np.float32)


def test_the_active_level_is_that_of_the_speech_and_not_of_its_pauses():
    speech = a_talker(4)
    assert active_level_db(speech) == pytest.approx(-20, abs=0.3)
    assert active_level_db(np.pad(speech, 5 * SAMPLE_RATE)) == pytest.approx(-20, abs=0.3)
    assert active_level_db(np.zeros(SAMPLE_RATE)) == -np.inf
    assert active_level_db(np.zeros(3)) == -np.inf


def test_noise_has_the_spectrum_of_speech_and_is_the_same_for_a_text_and_a_ratio():
    noise = speech_noise(20 * SAMPLE_RATE, ("a", 1))
    assert np.array_equal(noise, speech_noise(20 * SAMPLE_RATE, ("a", 1)))
    assert not np.array_equal(noise, speech_noise(20 * SAMPLE_RATE, ("a", 2)))
    power, hz = np.abs(np.fft.rfft(noise)) ** 2, np.fft.rfftfreq(len(noise), 1 / SAMPLE_RATE)
    bands = [power[(hz >= c * 2 ** (-1 / 6)) & (hz < c * 2 ** (1 / 6))].sum() for c in BANDS_HZ]
    found = 10 * np.log10(np.array(bands) / power.sum())
    assert found == pytest.approx(np.array(SPEECH_DB), abs=1.5)


@pytest.mark.parametrize("snr_db", STEPS_DB)
def test_a_sound_is_as_far_above_the_noise_as_asked_whatever_its_level(snr_db):
    for level in (0.001, 0.3):
        clip = Clip(a_talker(4, level)[None], SAMPLE_RATE)
        mixed = in_noise(clip, snr_db, "a text").mono.astype(float)
        margin = (len(mixed) - clip.samples.shape[1]) // 2
        noise = np.concatenate([mixed[:margin], mixed[-margin:]])
        found = active_level_db(clip.mono) - 10 * np.log10(np.mean(noise**2))
        assert found == pytest.approx(snr_db, abs=1.0)


@pytest.mark.parametrize(
    ("rates", "wanted"),
    [
        ([0.37, 0.51, 0.78, 0.95], 10 - 5 * 13 / 14),
        ([0.1, 0.2, 0.4, 0.6], -2.5),
        ([0.6, 0.4, 0.4, 0.9], -5 * (0.5 - 1.4 / 3) / (0.9 - 1.4 / 3)),
        ([0.72, 0.82, 0.88, 0.97], np.inf),
        ([0.05, 0.1, 0.2, 0.4], -np.inf),
    ],
)
def test_the_threshold_is_where_half_of_the_words_are_wrong(rates, wanted):
    assert float(threshold_db(np.array(rates))) == pytest.approx(wanted)


PROBES = [probe for probe in load("1").probes if probe.id.startswith("speech/sentence/")]


def scored(rows):
    group = Group("m", "direct", "speech", [SimpleNamespace(probe=probe) for probe in PROBES], PROBES)
    found = (one for name, of in rows.items() for one in sound_metric(name).combine(group, of))
    return {(one.metric, one.group): one for one in found}


def heard(probe, errors, metric="whisper_wer", **detail):
    row = Measurement(probe.id, "s", metric, 0.0, detail={"errors": errors, "words": 8, "wrong": [], **detail})
    return probe.id, row


def test_a_rate_is_all_errors_over_all_words_and_its_n_is_the_words():
    rows = [heard(probe, 2) for probe in PROBES]
    rows[0] = (PROBES[0].id, Measurement("k", "s", "whisper_wer", None, None, "no sound", status=Status.NO_SOUND))
    rows[1] = heard(PROBES[1], 50)
    found = scored({"whisper_wer": rows})
    whole, family = found["whisper_wer", "all"], found["whisper_wer", "family:sentence"]
    lengths = [compare(probe.expect[0].text, "").words for probe in PROBES]
    assert whole.value == family.value == (sum(lengths[:2]) + 2 * 8) / sum(lengths)
    assert (whole.n, whole.missing, whole.unit, whole.better) == (sum(lengths), 0, "WER", "lower")
    assert whole.low < whole.value < whole.high
    assert "weights:whisper-tiny.en@" in whole.signature


def test_what_was_not_measured_is_missing_in_words():
    found = scored({"whisper_wer": [heard(probe, 0) for probe in PROBES[:4]]})["whisper_wer", "all"]
    assert found.n + found.missing == sum(compare(probe.expect[0].text, "").words for probe in PROBES)
    assert 0 < found.n < found.missing


def noisy(probe, errors):
    return heard(probe, 0, "whisper_in_noise", steps={
        str(step): {"errors": count, "words": 8} for step, count in zip(STEPS_DB, errors, strict=True)
    })  # fmt: skip


def test_a_threshold_has_an_interval_over_sentences():
    rows = [noisy(probe, (1, 2 + place % 2, 5 + place % 3, 8)) for place, probe in enumerate(PROBES)]
    found = scored({"whisper_in_noise": rows})
    threshold = found["speech_reception_threshold", "all"]
    assert 0 < threshold.low < threshold.value < threshold.high < 5
    assert found["whisper_in_noise_+5", "all"].value == pytest.approx(25 / 80, abs=0.01)
    assert found["whisper_in_noise_-5", "all"].value > 0.9
    assert threshold.unit == "dB SNR"


@pytest.mark.parametrize(("errors", "says"), [((6, 7, 8, 8), "> 10 dB"), ((0, 0, 1, 2), "< -5 dB")])
def test_a_threshold_outside_of_the_ratios_is_not_measurable_and_is_said_in_words(errors, says):
    found = scored({"whisper_in_noise": [noisy(probe, errors) for probe in PROBES]})
    threshold = found["speech_reception_threshold", "all"]
    assert (threshold.value, threshold.low, threshold.high) == (None, None, None)
    assert f"not measurable: {says}" in threshold.note


def test_recorded_speech_is_the_ceiling_of_sentences_and_of_no_digits():
    rows = {
        "whisper_wer": [heard(probe, 2) for probe in PROBES],
        "whisper_in_noise": [noisy(probe, (1, 2, 5, 8)) for probe in PROBES],
    }
    found = {(one.metric, one.group): one for one in with_ends(list(scored(rows).values()))}
    for metric in ("whisper_wer", "whisper_in_noise_+5", "speech_reception_threshold"):
        for group in ("all", "family:sentence"):
            score = found[metric, group]
            ceiling = score.detail[real_speech.NAME]
            assert score.ceiling[real_speech.NAME] == ceiling["value"] < score.value
            assert ceiling["low"] < ceiling["value"] < ceiling["high"]
            assert ceiling["n"] > 400
    digits = msgspec.structs.replace(found["whisper_wer", "all"], group="family:digit", ceiling={}, detail={})
    assert real_speech.with_ceiling(digits) == digits
    base = msgspec.structs.replace(found["whisper_wer", "all"], metric="whisper_base_wer", ceiling={}, detail={})
    assert real_speech.with_ceiling(base) == base


def test_recorded_speech_is_understood_worse_the_more_noise_there_is():
    found = {score.metric: score for score in real_speech.scores_of(real_speech.shipped())}
    rates = [found[name].value for name in ("whisper_wer", *(f"whisper_in_noise_{step:+d}" for step in STEPS_DB))]
    assert rates == sorted(rates)
    assert rates[0] < 0.1


def test_what_was_heard_by_another_version_is_no_ceiling(monkeypatch):
    monkeypatch.setattr(real_speech, "shipped", lambda: real_speech.RealSpeech({"whisper_wer": "whisper_wer|v:1"}, []))
    real_speech.ceilings.cache_clear()
    assert not real_speech.ceilings()
    real_speech.ceilings.cache_clear()


def test_a_choice_among_digits_is_verified_apart_from_rhyming_words():
    digits = checks.Rhyme(word="two", among=["one", "two", "three"])
    assert variant(digits, "speech") == "rhyme:digits"
    assert variant(checks.Rhyme(word="to", among=["to", "do", "go"]), "speech") == "rhyme"
