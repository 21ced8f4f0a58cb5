"""Scores: every rate counts what the model got wrong, and ours apart; distances come with matched ends."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from innerear import stages
from innerear.cli.table import headline, heard_by
from innerear.metrics.registry import find
from innerear.records import Completion, Item, Outcome, Probe, Program, RawLevels, Render, Scope, Score
from innerear.reference.sets import find_reference
from innerear.run.run import Run
from innerear.scores.distances import distance_scores
from innerear.scores.groups import groups_of
from innerear.scores.score import funnels, score
from innerear.stats import bootstrap, wilson


def item(number=0, outcome=Outcome.OK, seconds=1.0, rms_dbfs=-20.0, model="a", attempt=0, tier="environment"):
    probe = Probe(f"{tier}/animals/{number}", tier, "animals", 1, "a dog", "", 1.0, [])
    program = Program(None if outcome == Outcome.NO_PROGRAM else f"code {number} {model} {attempt}")
    made = {}
    if outcome == Outcome.OK:
        levels = RawLevels(0.5, rms_dbfs, 0.0, 0.0)
        made = {
            "audio": f"{model}{number}{attempt}",
            "sample_rate": 100,
            "channels": 1,
            "samples": round(100 * seconds),
            "levels": levels,
        }
    completion = Completion(f"{model}{number}{attempt}", probe.id, model, "direct", attempt, [], "")
    return Item(probe, completion, program, Render(f"r{model}{number}{attempt}", program.digest, outcome, **made))


def rates(items):
    scores = score(items, {}, lambda *said: None)
    return {s.metric: s for s in scores if s.unit == "share" and s.value is not None}


def test_the_funnel_narrows_at_the_step_that_failed():
    items = [
        item(0),
        item(1, Outcome.NO_PROGRAM),
        item(2, Outcome.ERROR),
        item(3, Outcome.NO_AUDIO),
        item(4, rms_dbfs=None),
        item(5, seconds=2.0),
    ]
    ((_, _, _, steps),) = funnels(items)
    assert steps == [
        ("completion", 6, 6),
        ("program", 5, 6),
        ("ran", 4, 6),
        ("audio", 3, 6),
        ("audible", 2, 6),
        ("right length", 1, 6),
    ]


def test_silence_of_the_right_length_has_the_right_length_and_is_not_audible():
    found = rates([item(n, rms_dbfs=None) for n in range(5)])
    assert (found["right_length"].value, found["audible"].value) == (1.0, 0.0)


def test_a_crash_counts_in_every_rate():
    found = rates([item(0), item(1), item(2), item(3, Outcome.ERROR)])
    assert {found[name].value for name in ("ran", "audio", "audible", "right_length")} == {0.75}
    assert {found[name].n for name in ("ran", "audio")} == {4}


def test_what_we_could_not_render_counts_in_no_rate_and_is_said_to_be_missing():
    found = rates([item(0), item(1, Outcome.ERROR), item(2, Outcome.NOT_RENDERED)])
    assert (found["ran"].value, found["ran"].n, found["ran"].missing) == (0.5, 2, 1)


def test_attempts_at_one_probe_are_one_cluster():
    together = [item(n, Outcome.OK if n % 2 else Outcome.ERROR, attempt=a) for n in range(12) for a in range(8)]
    found = rates(together)["ran"]
    assert "wilson-probes" in found.signature
    low, high = wilson(48, 96)
    assert found.high - found.low > 1.5 * (high - low)


@given(n=st.integers(1, 300), share=st.floats(0, 1))
def test_wilson_holds_the_rate_and_is_within_0_and_1(n, share):
    passed = round(share * n)
    low, high = wilson(passed, n)
    assert 0 <= low <= passed / n + 1e-12
    assert passed / n - 1e-12 <= high <= 1


def test_wilson_covers_a_known_rate_about_95_times_in_100():
    rng = np.random.default_rng(0)
    drawn = rng.binomial(60, 0.9, size=2000)
    covered = [low <= 0.9 <= high for low, high in (wilson(int(k), 60) for k in drawn)]
    assert 0.92 < np.mean(covered) < 0.98


def test_the_bootstrap_covers_a_known_mean_about_95_times_in_100():
    rng = np.random.default_rng(1)
    covered = []
    for _ in range(300):
        low, high = bootstrap(rng.normal(3, 1, 50), [str(i) for i in range(50)], np.mean)
        covered.append(low <= 3 <= high)
    assert 0.9 < np.mean(covered) < 0.98


def test_one_value_a_cluster_and_many_give_the_same_kind_of_interval():
    values = list(np.random.default_rng(2).normal(size=40))
    names = [str(i) for i in range(40)]
    single = bootstrap(values, names, np.mean)
    doubled = bootstrap(values + values, names + names, np.mean)
    assert single == pytest.approx(doubled, abs=1e-9)


@pytest.fixture(scope="module")
def reference():
    found = find_reference("environment", "mel")
    assert found is not None
    return found


def distances(items, frames, signature):
    (scores,) = distance_scores(list(groups_of(items)), {"mel": (signature, frames)}, lambda *said: None)
    return {s.metric: s for s in scores}


def test_held_back_recordings_score_as_their_own_ceiling(reference):
    held = reference.held_back[:60]
    items = [item(n) for n in range(60)]
    frames = {f"a{n}0": clip for n, clip in enumerate(held)}
    found = distances(items, frames, reference.signature)
    assert found["kad"].value == pytest.approx(found["kad"].ceiling["real"], abs=1.0)
    assert found["kad"].low < found["kad"].ceiling["real"] < found["kad"].high


def test_a_distance_says_how_it_was_got(reference):
    frames = {f"a{n}0": clip for n, clip in enumerate(reference.held_back[:30])}
    every = distances([item(n) for n in range(30)], frames, reference.signature)
    assert list(every) == ["fad", "kad", "variety"]
    for name, found in every.items():
        assert found.n == 30
        for part in (name, "emb:mel|sr:16000", f"ref:environment@{reference.digest}", "n:30clips", "v:1"):
            assert part in found.signature


def test_few_frames_for_the_dimensions_say_so_themselves(reference):
    frames = {f"a{n}0": clip[:2] for n, clip in enumerate(reference.held_back[:30])}
    assert distances([item(n) for n in range(30)], frames, reference.signature)["fad"].note.startswith(
        "small n: 60 frames"
    )


def test_too_few_clips_have_no_distance_and_the_row_stays(reference):
    frames = {f"a{n}0": clip for n, clip in enumerate(reference.held_back[:3])}
    found = distances([item(n) for n in range(5)], frames, reference.signature)
    assert [(s.value, s.n, s.missing) for s in found.values()] == [(None, 3, 2), (None, 3, 2)]


def test_embeddings_made_another_way_are_not_compared(reference):
    frames = {f"a{n}0": clip for n, clip in enumerate(reference.held_back[:30])}
    found = distances([item(n) for n in range(30)], frames, "mel|another loudness rule")
    assert {s.value for s in found.values()} == {None}
    assert "made with different settings" in found["fad"].note


def test_an_embedder_without_weights_is_a_row_that_says_so():
    (scores,) = distance_scores(list(groups_of([item(n) for n in range(5)])), {"yamnet": None}, lambda *said: None)
    assert [(s.metric, s.value, s.missing) for s in scores] == [("fad", None, 5), ("kad", None, 5)]
    assert all("no weights" in s.note for s in scores)


def test_one_sound_for_every_probe_has_no_variety_and_real_ones_have_about_that_of_the_reference(reference):
    held = reference.held_back[:40]
    items = [item(n) for n in range(40)]
    same = distances(items, {f"a{n}0": held[0] for n in range(40)}, reference.signature)["variety"].value
    real = distances(items, {f"a{n}0": clip for n, clip in enumerate(held)}, reference.signature)["variety"].value
    assert same == pytest.approx(0, abs=1e-9)
    assert 0.6 < real < 1.6


def test_attempts_that_repeat_show_how_much_the_probe_decides(reference):
    held = reference.held_back[:10]
    items = [item(n, attempt=a) for n in range(10) for a in range(3)]
    frames = {f"a{n}{a}": held[n] for n in range(10) for a in range(3)}
    assert distances(items, frames, reference.signature)["variety"].detail["share_between"] == pytest.approx(1.0)


def test_distances_from_parts_are_those_of_the_whole(reference, monkeypatch):
    frames = {f"a{n}0": clip for n, clip in enumerate(reference.held_back[:60])}
    for n in range(60):
        probe = item(n).probe
        frames[f"noise/{probe.id}"] = reference.kept[n]
    items = [item(n) for n in range(60)]
    whole = distances(items, frames, reference.signature)
    monkeypatch.setattr("innerear.scores.distances.PART_FRAMES", 100)
    monkeypatch.setattr("innerear.distance.moments.AT_ONCE", 100)
    parts = distances(items, frames, reference.signature)
    for metric in ("fad", "kad"):
        assert parts[metric].value == pytest.approx(whole[metric].value, rel=1e-9, abs=1e-9)
        for end in ("low", "high"):  # a jackknife takes differences twenty times
            assert getattr(parts[metric], end) == pytest.approx(getattr(whole[metric], end), rel=1e-7, abs=1e-7)
        assert parts[metric].floor["noise"] == pytest.approx(whole[metric].floor["noise"], rel=1e-9, abs=1e-9)
        assert parts[metric].detail == whole[metric].detail
    assert parts["fad"].value != whole["fad"].value or parts["kad"].value != whole["kad"].value  # another sum


def _kad(by, value):
    signature = f"kad|emb:{by}@5a|ref:notes|v:1"
    return Score("kad", "m", "direct", "notes", value, 9, 0, signature, Scope("", "notes"))


@pytest.mark.parametrize(
    ("scores", "by", "shown"),
    [
        ([_kad("mel", 1.0), _kad("yamnet", 2.0)], ["yamnet"], {"notes": "2.0"}),
        ([_kad("yamnet", None), _kad("mel", 1.0)], ["mel"], {"notes": "1.0"}),
        ([_kad("yamnet", None)], ["yamnet"], {"notes": "–"}),
        (
            [_kad("yamnet", 2.0), _kad("aisfx", 3.0), _kad("mel", 1.0)],
            ["yamnet", "aisfx"],
            {"notes, yamnet": "2.0", "notes, aisfx": "3.0"},
        ),
    ],
)
def test_a_runs_table_has_the_distances_of_all_embedders_that_hear(scores, by, shown):
    assert heard_by(scores) == by
    assert {row[-3]: row[-1].split(" ")[0] for row in headline(scores)} == shown


@pytest.mark.parametrize(
    ("name", "weights"),
    [
        *((name, ["yamnet", "aisfx"]) for name in ("instrument", "label")),
        *((name, ["yamnet"]) for name in ("sequence", "together")),
        *((name, ["silero-vad"]) for name in ("voice", "unvoiced")),
        *((name, ["whisper-tiny.en", "silero-vad"]) for name in ("transcript", "words", "whisper_wer")),
        ("whisper_base_wer", ["whisper-base.en", "silero-vad"]),
        ("dnsmos", ["dnsmos"]),
        ("pitch", []),
    ],
)
def test_a_metrics_signature_names_the_weights_that_it_runs_on(name, weights):
    assert re.findall(r"(?<=[:,])([a-z0-9.-]+)@[0-9a-f]{8}", str(find(name).signature())) == weights


@pytest.mark.xdist_group("recorded_run")
def test_every_score_of_a_run_is_inside_its_interval(recorded_run):
    found = [score for score in stages.score(Run(recorded_run)) if score.low is not None]
    assert len(found) > 50
    assert [score for score in found if not score.low <= score.value <= score.high] == []


def test_the_table_of_a_run_marks_checks_that_were_not_run_and_gives_no_share_of_few():
    def cell(n, missing):
        scores = [Score("checks", "a", "direct", "notes", 0.75, n, missing, "checks|v:1")]
        return headline(scores)[0][5]

    assert cell(100, 0) == "75% of 100"
    assert cell(100, 27) == "75% of 100, 27 not run"
    assert cell(4, 0) == "3 of 4"
