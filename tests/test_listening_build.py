"""What a listening test gives to listeners, and what it keeps from them."""

import json
import re
from collections import Counter

import msgspec
import numpy as np
import pytest
import soundfile
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from innerear import suite
from innerear.ask.models.swap import nameable
from innerear.cli.main import main
from innerear.clip import read
from innerear.errors import UsageError
from innerear.listening import Wanted, build, read_key, sounds
from innerear.listening.forms import Card, deal, mixed
from listening_made import RATE_HZ, made_run, nothing, recordings, short, tone

MODELS = {"model/secret-one": tone(0.5), "model/secret-two": tone(0.02), "model/crashed": nothing}
ENVIRONMENT = [p for p in suite.edition("1").probes if p.tier == "environment" and p.family != "scene"][:8]
PROBES = short([*suite.edition("1").probes[:8], *ENVIRONMENT])


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return made_run(tmp_path_factory.mktemp("listening") / "run-of-mine", MODELS, PROBES)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return recordings(tmp_path_factory.mktemp("data"), PROBES)


def made(run, folder, **wanted):
    few = {"trials": 8, "anchors": 4, "listeners": 6, "headphones": False, **wanted}
    return build([run], folder / "test", Wanted(**few))


@pytest.fixture(scope="module", params=["identify", "ab", "rate"])
def built(request, run, data, tmp_path_factory):
    return made(run, tmp_path_factory.mktemp("built"), kind=request.param, data=data, headphones=True)


def test_nothing_that_is_sent_names_a_model_a_run_or_a_file_of_theirs(built, run):
    key = read_key(built.key)
    assert not built.key.is_relative_to(built.page.parent)
    secret = {"secret", "crashed", "run-of-mine", *(item.completion.key for item in run.items())}
    secret |= {probe.id for probe in PROBES} | {clip.audio for clip in key.clips.values()} - {""}
    for path in built.page.parent.rglob("*"):
        content = path.read_bytes() if path.is_file() else b""
        for word in secret:
            assert word not in path.name
            assert word.encode() not in content, f"{path.name} holds {word}"


def test_the_names_and_the_order_of_sounds_tell_nothing(built):
    key = read_key(built.key)
    assert all(re.fullmatch("[0-9a-f]{16}", name) for name in key.clips)
    names = list(built.test.clips)
    assert names == sorted(names)
    assert [trial.id for trial in built.test.trials] == sorted(trial.id for trial in built.test.trials)
    formats = {
        (info.samplerate, info.channels, info.subtype, info.format)
        for clip in key.clips
        if (info := soundfile.info(built.page.parent / "clips" / f"{clip}.flac"))
    }
    assert formats == {(RATE_HZ, 1, "PCM_16", "FLAC")}


def test_another_build_with_the_same_seed_asks_the_same_under_other_names(run, data, tmp_path):
    keys = []
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        keys.append(read_key(made(run, tmp_path / folder, kind="ab", data=data, seed=3).key))
    asked = [
        [[key.clips[clip] for clip in trials[shown.trial].clips] for form in key.test.forms for shown in form]
        for key in keys
        if (trials := {trial.id: trial for trial in key.test.trials})
    ]
    assert asked[0] == asked[1]
    assert not set(keys[0].clips) & set(keys[1].clips)
    assert keys[0].test.test != keys[1].test.test


def test_all_sounds_are_as_loud_as_one_another_and_none_clips(built):
    key = read_key(built.key)
    assert len(key.clips) > 12
    for name, what in key.clips.items():
        clip = read(built.page.parent / "clips" / f"{name}.flac")
        assert np.abs(clip.samples).max() <= 10 ** (-1 / 20) + 1e-3
        assert sounds.loudness_lufs(clip.mono) == pytest.approx(sounds.TARGET_LUFS - what.short_db, abs=0.1)


def test_every_form_is_balanced_over_models_and_hears_no_probe_twice(built):
    key = read_key(built.key)
    uses = Counter(shown.trial for form in key.test.forms for shown in form if not key.trials[shown.trial].anchor)
    assert max(uses.values()) - min(uses.values()) <= 2
    trials = {trial.id: trial for trial in key.test.trials}
    for form in key.test.forms:
        assert len({shown.trial for shown in form}) == len(form) == 12
        probes = Counter(key.trials[shown.trial].probe for shown in form)
        assert max(probes.values()) == 1
        if key.test.kind != "ab":
            models = Counter(key.clips[trials[s.trial].clips[0]].model for s in form if not key.trials[s.trial].anchor)
            assert abs(models["model/secret-one"] - models["model/secret-two"]) <= 2


def test_anchors_are_recordings_and_noise_and_the_key_knows_what_is_right(built):
    key = read_key(built.key)
    trials = {trial.id: trial for trial in key.test.trials}
    assert key.test.forms
    for form in key.test.forms:
        anchors = [trials[shown.trial] for shown in form if key.trials[shown.trial].anchor]
        assert len(anchors) == 4
        kinds = Counter(key.clips[clip].anchor for trial in anchors for clip in trial.clips)
        assert kinds == ({"real": 4, "noise": 4} if key.test.kind == "ab" else {"real": 2, "noise": 2})
        for trial in anchors:
            right = key.trials[trial.id].right
            if key.test.kind == "ab":
                assert key.clips[trial.clips[right]].anchor == "real"
            elif key.test.kind == "identify":
                assert (right == len(trial.options)) == (key.clips[trial.clips[0]].anchor == "noise")


def test_anchors_stand_among_the_others_and_never_first(built):
    key = read_key(built.key)
    for form in key.test.forms:
        assert not key.trials[form[0].trial].anchor
        places = [place for place, shown in enumerate(form) if key.trials[shown.trial].anchor]
        assert places[-1] - places[0] >= 4


def test_the_sides_of_a_pair_are_by_chance(run, data, tmp_path):
    key = read_key(made(run, tmp_path, kind="ab", data=data, listeners=20).key)
    swapped = [shown.swapped for form in key.test.forms for shown in form]
    assert 0.4 < np.mean(swapped) < 0.6
    first = [key.clips[trial.clips[0]].model for trial in key.test.trials if not key.trials[trial.id].anchor]
    assert 0.2 < np.mean([name.endswith("one") for name in first]) < 0.8


def test_options_hold_the_right_caption_once_and_none_that_may_be_meant_by_the_same_name(run, tmp_path):
    key = read_key(made(run, tmp_path, kind="identify").key)
    probes = {probe.caption: probe for probe in PROBES}
    for trial in key.test.trials:
        assert len(set(trial.options)) == len(trial.options) <= 6
        caption = next(p.caption for p in PROBES if p.id == key.trials[trial.id].probe)
        assert trial.options.count(caption) == 1
        named = [{n for n in nameable(probes[option]) if n[0] != "pitch"} for option in trial.options]
        for place, one in enumerate(named):
            assert all(not (one & other) for other in named[place + 1 :])


def test_what_gave_no_sound_is_named_and_not_played(built):
    key = read_key(built.key)
    assert Counter(row.model for row in key.unheard) == {"model/crashed": len(PROBES)}
    assert {row.reason for row in key.unheard} == {"no sound"}


def test_only_recordings_that_may_be_sent_on_become_anchors(run, tmp_path):
    data = recordings(tmp_path / "nc", PROBES, "source CC0; collection CC-BY-NC-3.0")
    strict = made(run, tmp_path / "strict", kind="identify", data=data)
    assert "real" not in {clip.anchor for clip in read_key(strict.key).clips.values()}
    assert any("--non-commercial" in line for line in strict.warnings)
    free = made(run, tmp_path / "free", kind="identify", data=data, non_commercial=True)
    assert "real" in {clip.anchor for clip in read_key(free.key).clips.values()}
    assert all("CC-BY-NC" in line for line in free.test.credits)


def test_who_made_the_recordings_is_credited(built):
    key = read_key(built.key)
    used = {clip.source for clip in key.clips.values() if clip.anchor == "real"}
    assert len(built.test.credits) == len(used)


def test_a_sound_shorter_than_a_block_is_made_as_loud_as_a_longer_one_holds_energy():
    t = np.arange(round(0.1 * RATE_HZ)) / RATE_HZ
    short = (0.05 * np.sin(2 * np.pi * 997 * t)).astype(np.float32)
    padded = np.pad(short, (0, round(0.3 * RATE_HZ)))
    assert sounds.loudness_lufs(short) == pytest.approx(sounds.loudness_lufs(padded), abs=0.05)
    gain, lost = sounds.gain_db(short)
    assert lost == 0
    assert sounds.loudness_lufs(short * np.float32(10 ** (gain / 20))) == pytest.approx(-23, abs=0.05)


def test_a_full_scale_sine_of_997_hz_has_the_loudness_of_the_standard():
    t = np.arange(2 * RATE_HZ) / RATE_HZ
    assert sounds.loudness_lufs(np.sin(2 * np.pi * 997 * t).astype(np.float32)) == pytest.approx(-3.01, abs=0.1)


def test_a_click_is_kept_below_full_scale_and_its_lack_is_told():
    click = np.zeros(RATE_HZ, np.float32)
    click[100] = 0.5
    gain, short = sounds.gain_db(click)
    assert short > 1
    assert 0.5 * 10 ** (gain / 20) <= 10 ** (-1 / 20)


@pytest.mark.parametrize("seed", range(6))
def test_each_ear_alone_finds_no_tone_in_the_headphone_check_and_two_do(seed):
    samples, right = sounds.headphone_check(seed)
    n, gap = RATE_HZ, RATE_HZ // 2
    parts = [samples[:, i * (n + gap) : i * (n + gap) + n].astype(np.float64) for i in range(3)]
    for place, (left, ear) in enumerate(parts, 1):
        power = [np.abs(np.fft.rfft(side)) ** 2 for side in (left, ear)]
        band = np.abs(np.fft.rfftfreq(n, 1 / RATE_HZ) - 600) <= 30
        beside = (np.abs(np.fft.rfftfreq(n, 1 / RATE_HZ) - 600) <= 200) & ~band
        for side in power:
            assert 0.5 < side[band].mean() / side[beside].mean() < 2
        together = np.abs(np.fft.rfft(left + ear)) ** 2
        dip = together[band].mean() / together[beside].mean()
        assert (dip < 0.05) if place == right else (dip > 0.5)


@given(st.integers(1, 12), st.integers(1, 6), st.integers(1, 8), st.integers(0, 5))
def test_dealing_uses_every_card_as_often_as_every_other_where_probes_allow_it(probes, models, forms, seed):
    cards = [Card(f"{p}/{m}", str(p), m) for p in range(probes) for m in range(models)]
    per_form = min(probes, 5)
    dealt = deal(cards, per_form, forms, np.random.default_rng(seed))
    uses = Counter(name for form in dealt for name in form)
    counts = [uses[card.name] for card in cards]
    assert all(len(set(form)) == len(form) == per_form for form in dealt)
    assert all(len({name.split("/")[0] for name in form}) == per_form for form in dealt)
    assert max(counts) - min(counts) <= 2


@given(st.integers(1, 30), st.integers(0, 8), st.integers(0, 9))
def test_mixing_keeps_every_trial(trials, anchors, seed):
    order = mixed([f"t{i}" for i in range(trials)], [f"a{i}" for i in range(anchors)], np.random.default_rng(seed))
    assert sorted(order) == sorted([*(f"t{i}" for i in range(trials)), *(f"a{i}" for i in range(anchors))])
    assert order[0].startswith("t")


def test_a_test_that_people_may_hold_is_not_overwritten(run, tmp_path):
    before = made(run, tmp_path, kind="rate")
    key = before.key.read_bytes()
    with pytest.raises(UsageError, match="exists already"):
        made(run, tmp_path, kind="rate")
    assert before.key.read_bytes() == key


def test_the_key_may_not_lie_in_what_is_sent(run, tmp_path):
    with pytest.raises(UsageError, match="would be in the folder"):
        build([run], tmp_path / "t", Wanted(kind="rate"), tmp_path / "t" / "key.json")


def test_two_models_are_needed_to_choose_between(run, tmp_path):
    with pytest.raises(UsageError, match="two models"):
        made(run, tmp_path, kind="ab", models=["model/secret-one"])
    assert not (tmp_path / "test.key.json").exists()
    assert list(tmp_path.iterdir()) == []


def test_two_runs_of_one_model_are_told_apart(run, tmp_path):
    other = made_run(tmp_path / "other", {"model/secret-one": tone(0.1, 0.6)}, PROBES)
    built = build([run, other], tmp_path / "t", Wanted(kind="ab", trials=8, anchors=0, listeners=9, headphones=False))
    models = {clip.model for clip in read_key(built.key).clips.values()}
    assert {"model/secret-one (run-of-mine)", "model/secret-one (other)", "model/secret-two"} <= models


def test_the_command_builds_a_page_and_names_both_places(run, tmp_path, monkeypatch):
    monkeypatch.delenv("INNEREAR_DATA", raising=False)
    words = ["listen-test", "build", str(run.folder), "--kind", "rate", "--out", str(tmp_path / "t"), "--trials", "5"]
    done = CliRunner().invoke(main, [*words, "--tiers", "environment", "--no-headphones"])
    assert done.exit_code == 0, done.output
    assert "keep it" in done.output
    key = read_key(tmp_path / "t.key.json")
    assert {clip.tier for clip in key.clips.values()} == {"environment"}
    page = (tmp_path / "t" / "test.js").read_text()
    content = json.loads(json.loads("[" + page[page.index("(") + 1 : page.rindex(")")] + "]")[2])
    assert content == msgspec.to_builtins(key.test)
