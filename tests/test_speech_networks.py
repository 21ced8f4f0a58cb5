"""Whisper and DNSMOS: networks that hear speech."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from innerear import RunConfig, choose, create, evaluate, load, open_model, stages
from innerear.checks import Rhyme, Transcript
from innerear.clip import Clip, read
from innerear.errors import WeightsUnavailable
from innerear.lab.all import verify_all
from innerear.lab.sounds import Bank
from innerear.metrics import closed_set, dnsmos, open_words, whisper
from innerear.metrics.base import Sound
from innerear.metrics.verified import shipped
from innerear.metrics.word_errors import compare
from innerear.metrics.words import TranscriptCheck
from innerear.records import Status
from innerear.run.run import Run

RNG = np.random.default_rng(1)
SILENCE = Clip(np.zeros((1, 16_000), np.float32), 16_000)
NOISE = Clip(RNG.normal(0, 0.1, (1, 32_000)).astype(np.float32), 16_000)
BUZZ = Clip(np.sign(np.sin(np.arange(32_000) / 20))[None].astype(np.float32) / 4, 16_000)
PROBE = next(probe for probe in load("1").probes if probe.id.startswith("speech/sentence/"))
TEXT = next(check.text for check in PROBE.expect if isinstance(check, Transcript))


@pytest.fixture(autouse=True)
def _fresh(tmp_path, monkeypatch):
    monkeypatch.setenv("INNEREAR_CACHE", str(tmp_path / "cache"))
    caches = (whisper._open, whisper._encoded, open_words.hear, closed_set._in_noise)
    for cache in caches:
        cache.cache_clear()
    yield
    for cache in caches:
        cache.cache_clear()


@pytest.fixture
def made():
    """How a stand-in for the published network is made: the true architecture, random weights, its own files."""
    for package in ("ctranslate2", "tokenizers"):
        pytest.importorskip(package, reason="the extra `whisper` is not installed")
    from whisper_made import save_whisper

    return save_whisper


@pytest.fixture
def silero(pack):
    pytest.importorskip("onnxruntime", reason="the extra `speech` is not installed")


def heard(clip):
    return open_words.WhisperWer().measure(Sound(PROBE, None, clip))


def test_whisper_writes_the_same_each_time_and_something_else_of_another_sound(made):
    made()
    noise, buzz = (Clip(np.tile(clip.samples, 15), 16_000) for clip in (NOISE, BUZZ))
    first = whisper.tokens(noise)
    assert whisper.tokens(noise) == first
    assert whisper.tokens(buzz) != first


def test_a_window_has_at_most_half_of_the_context_and_a_long_sound_has_several(made):
    made()
    long = Clip(np.tile(BUZZ.samples, 16)[:, : 31 * 16_000], 16_000)
    found = whisper.tokens(long)
    assert len(found) == 2
    assert all(len(ids) <= whisper.MOST_TOKENS for ids in found)


def test_likelihoods_are_the_same_alone_and_together_and_fall_with_each_letter(made):
    made()
    noise = Clip(np.tile(NOISE.samples, 2), 16_000)
    texts = ["a", "ab", "abc", "b"]
    together = whisper.log_likelihoods(noise, texts)
    assert together == pytest.approx([whisper.log_likelihoods(noise, [text])[0] for text in texts], abs=1e-3)
    assert 0 > together[0] > together[1] > together[2]


def test_no_word_of_a_set_is_heard_without_a_voice(made, silero):
    made()
    check = Rhyme(word="bath", among=["bat", "bad", "bath"])
    value = closed_set.RhymeCheck().measure(Sound(PROBE, None, NOISE), check)
    assert (value.passed, value.reason, value.detail["heard"]) == (False, "no voice", None)
    assert value.detail["chance"] == 1 / 3


@pytest.mark.parametrize(
    ("nats", "passed", "value"),
    [([0.5, 6.0], True, 5.5), ([6.0, 0.5], False, -5.5), ([-9.0, 0.5], False, None), ([5.0, 6.0], False, None)],
)
def test_a_word_passes_if_it_is_clearly_the_likeliest_and_not_if_all_are_alike_or_unlikely(nats, passed, value):
    check = Rhyme(word="bath", among=["bat", "bath"])
    judged = closed_set.judge(check, closed_set.chosen(np.array(nats), check.among))
    assert (judged.passed, judged.value) == (passed, value)


def test_a_sentence_is_the_recognisers_and_without_it_the_templates_only_mark_it():
    value = TranscriptCheck().measure(Sound(PROBE, None, NOISE), Transcript(text=TEXT))
    assert value.passed is None
    assert value.reason.startswith(f"{Status.UNAVAILABLE}: no weights: whisper-tiny.en/model.bin")
    assert "the templates hear" in value.reason


def test_with_the_recogniser_a_sentence_is_judged_by_its_words(made, silero):
    made()
    value = TranscriptCheck().measure(Sound(PROBE, None, NOISE), Transcript(text=TEXT))
    assert (value.value, value.passed, value.reason) == (1.0, False, "no voice")
    assert value.detail["listener"] == "whisper-tiny.en"


@pytest.mark.slow
@pytest.mark.shared
@pytest.mark.parametrize("name", ["words", "rhyme"])
def test_what_ships_of_the_recogniser_is_what_is_measured(name, pack, silero, monkeypatch):
    """Where the published weights are: a folder named by INNEREAR_WHISPER that has `whisper-tiny.en`."""
    if not (folder := os.environ.get("INNEREAR_WHISPER")):
        pytest.skip("INNEREAR_WHISPER names no folder with whisper-tiny.en and silero_vad.onnx")
    monkeypatch.setenv("INNEREAR_MODELS", folder)
    for one, outcome in verify_all([name], Bank(pack)).items():
        assert outcome.counts == shipped()[one].counts
        for column, cell in outcome.cells.items():
            assert cell.rate == pytest.approx(shipped()[one].cells[column].rate, abs=0.03), (one, column)


@pytest.mark.parametrize("clip", [SILENCE, NOISE, BUZZ], ids=["silence", "noise", "buzz"])
def test_what_is_no_voice_says_no_words_and_whisper_is_not_asked(clip, made, silero, monkeypatch):
    made()
    monkeypatch.setattr(open_words, "transcribe", lambda clip: pytest.fail("asked"))
    value = heard(clip)
    assert (value.value, value.passed, value.reason) == (1.0, None, "no voice")
    assert value.detail["heard"] == ""
    assert value.detail["gate"]["voice"] is False


def test_a_voice_goes_through_the_gate_and_the_rate_is_at_most_one(made, pack, silero):
    made()
    speech = next((pack / "speech" / "ljspeech").glob("*.flac"))
    value = heard(read(speech))
    assert value.detail["gate"]["voice"] is True
    assert value.detail["listener"] == "whisper-tiny.en"
    assert value.detail["heard"]
    found = compare(TEXT, value.detail["heard"])
    assert (value.detail["words"], value.detail["errors"]) == (found.words, found.errors)
    assert value.value == min(1.0, found.rate)


def test_without_weights_it_says_what_to_do_and_imports_nothing():
    with pytest.raises(WeightsUnavailable, match=r"no weights: whisper-tiny.en/model.bin is not here") as found:
        heard(NOISE)
    assert "innerear weights pull whisper-tiny.en" in str(found.value)
    code = (
        "import sys, numpy as np; from innerear.clip import Clip; from innerear.metrics.open_words import hear;"
        "from innerear.errors import WeightsUnavailable; clip = Clip(np.zeros((1, 9), 'f4'), 16000)\n"
        "try:\n    hear(clip)\nexcept WeightsUnavailable:\n"
        "    print(*{'ctranslate2', 'tokenizers', 'onnxruntime'} & sys.modules.keys())"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "\n"


def test_without_a_package_it_names_the_extra(made, monkeypatch):
    made()
    monkeypatch.setitem(sys.modules, "tokenizers", None)
    with pytest.raises(
        WeightsUnavailable, match=r"Whisper needs the package tokenizers: pip install 'innerear\[whisper\]'"
    ):
        heard(NOISE)


def test_another_network_is_refused_by_what_it_is(made):
    from whisper_made import TOKENS

    made(bands=128)
    with pytest.raises(WeightsUnavailable, match="another network: English alone, 128 bands"):
        whisper.tokens(NOISE)
    made(tokens=[token for token in TOKENS if token != whisper.PLAIN])
    with pytest.raises(WeightsUnavailable, match="another network"):
        whisper.tokens(NOISE)


def test_a_file_that_is_no_network_is_refused(made):
    from innerear.embed.weights import record

    model = made() / "model.bin"
    model.write_bytes(model.read_bytes()[:1000])
    with pytest.raises(WeightsUnavailable, match="it is damaged or another file"):
        whisper.tokens(NOISE)
    record(model, "made by a test")
    with pytest.raises(WeightsUnavailable, match="cannot be run"):
        whisper.tokens(NOISE)


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """Two words by a recorded model and by silence, measured where Whisper is not."""
    suite = load("1")
    names = ["recorded/one-shot", "baseline/silence"]
    asked = RunConfig(models=names, suite=suite.name, suite_digest=suite.digest, embedders=["mel"])
    probes = choose(suite.probes, pattern="speech/word/*")[:2]
    run = create(tmp_path_factory.mktemp("words") / "run", asked, probes, command="innerear run")
    return evaluate(run, [open_model(name) for name in names])[0].folder


@pytest.fixture
def run(measured, tmp_path):
    return Run(Path(shutil.copytree(measured, tmp_path / "run")))


def scores(run, metric):
    return {(one.model, one.group): one for one in stages.score(Run(run.folder)) if one.metric == metric}


@pytest.mark.xdist_group("speech_networks")
def test_scores_say_that_whisper_is_not_here(run):
    found = scores(run, "whisper_wer")
    assert {group for _, group in found} == {"all", "family:word"}
    for one in found.values():
        assert (one.value, one.n, one.missing) == (None, 0, 2)
        assert one.note.startswith(f"{Status.UNAVAILABLE}: no weights")
    assert not scores(run, "dnsmos")


@pytest.mark.xdist_group("speech_networks")
def test_what_was_lacking_is_measured_once_it_is_there_and_nothing_else_is_done_again(run, made, silero, monkeypatch):
    made()
    monkeypatch.setattr("innerear.metrics.words.listen", lambda *_: pytest.fail("done again"))
    assert not stages.measure(Run(run.folder)).failures
    found = scores(run, "whisper_wer")
    silent = found["baseline/silence", "all"]
    assert (silent.value, silent.n, silent.missing, silent.detail["gated"]) == (1.0, 2, 0, 2)
    assert Status.UNAVAILABLE not in silent.note
    spoken = found["recorded/one-shot", "family:word"]
    assert (spoken.n, spoken.missing) == (2, 0)
    assert 0 <= spoken.value <= 1


@pytest.mark.xdist_group("speech_networks")
def test_dnsmos_is_measured_where_it_is_asked_for(run, silero):
    stages.measure(Run(run.folder), also=["dnsmos"])
    found = scores(run, "dnsmos")
    assert found["baseline/silence", "all"].value is None
    spoken = found["recorded/one-shot", "all"]
    assert 1 < spoken.value < 5
    assert set(spoken.detail) == {"sig", "bak"}
    assert spoken.note.startswith("low trust")


@pytest.mark.slow
@pytest.mark.shared
@pytest.mark.parametrize(
    ("pattern", "mean"),
    [
        ("speech/ljspeech/*.flac", 3.28),
        ("speech/librispeech/*.flac", 2.99),
        ("speech/tts/*kal16*.flac", 3.17),
        ("speech/tts/*espeak*.flac", 2.72),
        ("env/rain/*.ogg", 1.09),
    ],
)
def test_dnsmos_gives_the_means_that_others_measured(pattern, mean, pack, silero):
    found = [dnsmos.rate(read(path))[2] for path in sorted(pack.glob(pattern))[::4]]
    assert len(found) >= 2
    assert np.mean(found) == pytest.approx(mean, abs=0.25)
