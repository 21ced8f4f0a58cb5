"""Listeners whose tastes are known, and files from strangers: what `score` makes of both."""

import copy
import csv
import json
import os

import msgspec
import numpy as np
import pytest
from click.testing import CliRunner

from innerear import suite
from innerear.cli.main import main
from innerear.errors import UsageError
from innerear.listening import Wanted, build, people, read_answers, read_key, score_answers
from innerear.listening.coding import plain, read_coding
from innerear.listening.files import Answers
from innerear.listening.votes import guessers, judge, votes_of
from listening_made import answered, made_run, nothing, recordings, sent, short, signed, tone

EVERY = suite.edition("1").probes
PROBES = short(
    [
        *[p for p in EVERY if p.tier == "notes"][:10],
        *[p for p in EVERY if p.tier == "environment" and p.family != "scene"][:20],
        *[p for p in EVERY if p.family == "digit"][:6],
    ]
)
SHORT = {"model/good": tone(0.3, 0.06), "model/fair": tone(0.2, 0.06), "model/bad": tone(0.1, 0.06)}
SKILL = {"model/good": 2.0, "model/fair": 0.0, "model/bad": -2.0}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("score")


@pytest.fixture(scope="module")
def keys(place):
    """The key of a test of each kind, over three models and one that gave no sound."""
    run = made_run(place / "run", {**SHORT, "model/crashed": nothing}, PROBES)
    data = recordings(place / "data", PROBES)
    wanted = {
        "identify": {},
        "ab": {},
        "rate": {},
        "free": {"kind": "identify", "free_text": True, "headphones": False},
    }
    few = {"trials": 24, "anchors": 6, "listeners": 12, "data": data}
    return {
        name: read_key(build([run], place / name, Wanted(**{"kind": name, **few, **more})).key)
        for name, more in wanted.items()
    }


def logistic(x):
    return 1 / (1 + np.exp(-x))


def careful(key, rng, lean=0.0):
    """A listener who hears anchors for what they are, and models by their skill."""

    def skill(clip):
        return {"real": 9.0, "noise": -9.0}.get(clip.anchor, SKILL.get(clip.model, 0.0)) + lean

    def answer(trial, what, clips):
        if key.test.kind == "ab":
            first = rng.random() < logistic(skill(clips[0]) - skill(clips[1]))
            return {"choice": 0 if first else 1}
        if key.test.kind == "rate":
            return {
                s: int(np.clip(round(3 + skill(clips[0]) / 2 + rng.normal(0, 0.5)), 1, 5)) for s in ("fit", "natural")
            }
        caption = next(p.caption for p in key.probes if p.id == what.probe)
        right = clips[0].anchor == "real" or (not clips[0].anchor and rng.random() < logistic(skill(clips[0])))
        if key.test.free_text:
            return {"text": caption if right else "nothing"}
        return {"choice": trial.options.index(caption) if right else len(trial.options)}

    return answer


def careless(key, rng):
    """One who clicks."""

    def answer(trial, what, clips):
        if key.test.kind == "rate":
            return {scale: int(rng.integers(1, 6)) for scale in ("fit", "natural")}
        return {"choice": int(rng.integers(2 if key.test.kind == "ab" else len(trial.options) + 1))}

    return answer


def crowd(key, n=12, more=()):
    rng = np.random.default_rng(4)
    return [answered(key, i, careful(key, rng, rng.normal(0, 0.2))) for i in range(1, n + 1)] + list(more)


def scored(key, contents, coding=None):
    return score_answers([msgspec.convert(content, Answers) for content in contents], [], key, coding)


def of(scores, metric, tier="all", group="all"):
    return {s.model: s for s in scores if (s.metric, s.tier, s.group) == (metric, tier, group)}


def test_what_was_identified_is_recovered_with_chance_anchors_and_what_was_silent(keys):
    results = scored(keys["identify"], crowd(keys["identify"]))
    found = of(results.scores, "identified")
    for model, skill in SKILL.items():
        score = found[model]
        assert score.low <= logistic(skill) <= score.high
        assert score.missing == 0
        assert score.floor["chance"] == pytest.approx(1 / 6)
        assert score.floor["noise"] == 0
        assert score.ceiling["real"] == 1
    assert not any(one.out for one in results.listeners)
    assert {s.group for s in results.scores if s.metric == "identified"} > {"animals", "digit", PROBES[0].id}


def test_a_sound_that_nobody_could_hear_lowers_what_is_identified_of_all(place):
    half = lambda probe, rng: None if probe.id in {p.id for p in PROBES[::2]} else tone(0.3, 0.06)(probe, rng)  # noqa: E731
    run = made_run(place / "half", {"model/half": half}, PROBES)
    key = read_key(build([run], place / "half-test", Wanted(kind="identify", trials=18, anchors=0, listeners=3)).key)
    rows = crowd(key, 3)
    for row in rows:
        for given in row["answers"]:
            trial = next(t for t in key.test.trials if t.id == given["trial"])
            given["choice"] = key.trials[trial.id].right
    score = of(scored(key, [signed(row) for row in rows]).scores, "identified")["model/half"]
    assert score.value == 1
    assert score.missing == len(PROBES) / 2
    assert score.detail["of_all"] == 0.5


def test_the_order_of_preference_and_its_strengths_are_recovered(keys):
    found = of(scored(keys["ab"], crowd(keys["ab"])).scores, "preferred")
    order = sorted(found, key=lambda model: -found[model].value)
    assert order == ["real", "model/good", "model/fair", "model/bad", "noise"]
    for one, other in (("model/good", "model/fair"), ("model/fair", "model/bad")):
        difference = found[one].value - found[other].value
        assert 1.0 < difference < 3.2  # 2 is true
    assert found["model/bad"].floor == {"noise": found["noise"].value}


def test_ratings_are_recovered_on_their_scale(keys):
    results = scored(keys["rate"], crowd(keys["rate"]))
    for scale in ("fit", "natural"):
        found = of(results.scores, scale)
        for model, skill in SKILL.items():
            assert found[model].low - 0.1 <= 3 + skill / 2 <= found[model].high + 0.1
        assert found["model/good"].floor["noise"] == 1
        assert found["model/good"].ceiling["real"] == 5


@pytest.mark.parametrize("kind", ["identify", "ab", "rate"])
def test_those_who_click_are_left_out_and_named_and_both_results_are_given(keys, kind):
    key = keys[kind]
    rng = np.random.default_rng(8)
    clickers = [answered(key, 20 + i, careless(key, rng)) for i in range(6)]
    deaf = answered(key, 40, careful(key, rng), heard=False)
    results = scored(key, crowd(key, more=[*clickers, deaf]))
    out = {one.listener: one.out for one in results.listeners if one.out}
    assert len(out) >= 5
    assert "0 of 6 headphone checks right" in out[40]
    assert sum("anchors right" in reason for reason in out.values()) >= 4
    assert results.everyone
    metric = {"identify": "identified", "ab": "preferred", "rate": "fit"}[kind]
    clean, all_of_them = of(results.scores, metric), of(results.everyone, metric)
    spread = [found["model/good"].value - found["model/bad"].value for found in (clean, all_of_them)]
    assert spread[0] > spread[1]
    clean_alpha = next(s for s in results.scores if s.metric == "alpha" and s.tier == "all")
    assert clean_alpha.value > next(s for s in results.everyone if s.metric == "alpha" and s.tier == "all").value


def test_the_chance_that_a_clicker_keeps_to_the_rule_is_what_clickers_do(keys):
    for kind in ("identify", "ab", "rate"):
        key, rng = keys[kind], np.random.default_rng(1)
        made = [msgspec.convert(answered(key, i, careless(key, rng)), Answers) for i in range(1, 301)]
        passed = np.mean(["anchors" not in judge(one, votes_of(one, key), key).out for one in made])
        assert passed == pytest.approx(guessers(key), abs=0.08)


# ---- statistics


def test_alpha_is_that_of_krippendorffs_example():
    counts = np.zeros((12, 5))
    for row in ("123321412...", "1233224125.3", ".3332342251.", "12332441251."):
        for unit, value in enumerate(row):
            if value != ".":
                counts[unit, int(value) - 1] += 1
    assert people.alpha(counts, "nominal") == pytest.approx(0.743, abs=5e-4)
    assert people.alpha(counts, "ordinal") == pytest.approx(0.815, abs=5e-4)


def test_alpha_is_one_where_all_agree_and_near_nought_where_nobody_does():
    rng = np.random.default_rng(0)
    agreed = np.eye(5)[rng.integers(5, size=40)] * 4
    assert people.alpha(agreed, "ordinal") == pytest.approx(1)
    chance = np.array([np.bincount(rng.integers(5, size=4), minlength=5) for _ in range(400)], dtype=float)
    assert abs(people.alpha(chance, "ordinal")) < 0.05
    assert people.alpha(np.zeros((0, 3)), "nominal") is None


def test_intervals_of_means_cover_the_truth_for_other_listeners_and_other_sounds():
    rng = np.random.default_rng(2)
    truth = float(np.mean(logistic(rng.normal(0, 0.8, 200_000) + rng.normal(0, 1.0, 200_000))))
    inside = 0
    for seed in range(120):
        able, hard = rng.normal(0, 0.8, 14), rng.normal(0, 1.0, 24)
        who, what = np.nonzero(rng.random((14, 24)) < 0.5)
        right = rng.random(len(who)) < logistic(able[who] + hard[what])
        reach = people.mean_interval(right.astype(float), who.astype(str), what.astype(str), True, seed)
        inside += reach.low <= truth <= reach.high
    assert inside >= 0.9 * 120


def test_an_interval_over_answers_alone_would_not_cover_it():
    """What the drawing of listeners and sounds is for: answers of one listener are no new evidence."""
    rng = np.random.default_rng(3)
    able = rng.normal(0, 1.5, 6)
    who, what = np.nonzero(np.ones((6, 40)))
    right = (rng.random(240) < logistic(able[who])).astype(float)
    both = people.mean_interval(right, who.astype(str), what.astype(str), True)
    naive = people.mean_interval(right, np.arange(240).astype(str), np.arange(240).astype(str), True)
    assert both.high - both.low > 1.5 * (naive.high - naive.low)


@pytest.mark.slow
def test_intervals_of_strengths_cover_the_truth():
    rng = np.random.default_rng(5)
    true = {"a": 1.0, "b": 0.2, "c": -0.3, "d": -0.9}
    inside = total = 0
    for seed in range(25):
        choices = []
        for listener in range(12):
            for probe in range(20):
                one, other = rng.permutation(list(true))[:2]
                first = rng.random() < logistic(true[one] - true[other])
                winner, loser = (one, other) if first else (other, one)
                choices.append(people.Choice(winner, loser, str(listener), str(probe)))
        for name, strength in people.bradley_terry(choices, seed).items():
            inside += strength.low <= true[name] <= strength.high
            total += 1
    assert inside >= 0.9 * total


def test_who_wins_every_time_has_a_strength_that_is_finite():
    choices = [people.Choice("a", "b", str(i % 4), str(i)) for i in range(12)]
    found = people.bradley_terry(choices)
    assert np.isfinite([found["a"].value, found["a"].low, found["a"].high]).all()
    assert found["a"].value == pytest.approx(-found["b"].value)


def test_all_right_is_not_taken_for_certain():
    reach = people.mean_interval([1.0] * 20, [str(i % 5) for i in range(20)], [str(i) for i in range(20)], True)
    assert reach.low < 0.7
    assert reach.high == 1


# ---- written answers


def test_written_words_of_speech_are_marked_and_all_else_is_left_to_a_person(keys, place):
    key = keys["free"]
    said = {p.id: p.expect for p in PROBES}

    def answer(trial, what, clips):
        if what.probe.startswith("speech/digit/"):
            return {"text": f" {what.probe.rsplit('/')[-1].upper()}! "}
        return {"text": '=HYPERLINK("x")' if said else ""}

    content = [answered(key, i, answer) for i in range(1, 7)]
    results = scored(key, content)
    speech = [s for s in results.scores if s.metric == "identified" and s.tier == "speech" and s.group == "all"]
    assert {s.value for s in speech} == {1.0}
    assert {row.text for row in results.uncoded} == {"hyperlink x"}
    sent(place / "free-answers", content)
    words = ["listen-test", "score", str(place / "free-answers"), "--key", str(place / "free.key.json")]
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 0, done.output
    table = place / "free.coding.csv"
    with table.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows
    with table.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows({**row, "right": "0"} for row in rows)
    coded = scored(key, content, read_coding(table))
    assert coded.uncoded == []
    assert all("anchors right" in one.out for one in coded.listeners)  # recordings that nobody named
    notes = [s for s in coded.everyone if s.metric == "identified" and s.tier == "notes" and s.group == "all"]
    assert {s.value for s in notes} == {0.0}


def test_a_mark_that_is_none_is_named_with_its_line(place):
    table = place / "bad.csv"
    table.write_text("probe,caption,text,count,right\nnotes/x,a,b,1,maybe\n")
    with pytest.raises(UsageError, match=r"line 2.*'maybe'"):
        read_coding(table)


def test_written_answers_are_compared_without_case_and_signs():
    assert plain("It's  EASY, to tell…") == "it's easy to tell"


# ---- hostile files


def first(key):
    return answered(key, 1, careful(key, np.random.default_rng(0)))


def edited(change):
    def make(key):
        content = copy.deepcopy(first(key))
        change(content, key)
        return json.dumps(content).encode()

    return make


def resigned(change):
    def make(key):
        content = copy.deepcopy(first(key))
        change(content, key)
        return json.dumps(signed(content)).encode()

    return make


def put(**values):
    def change(content, key):
        content["answers"][0].update(values)

    return change


def swap_two(content, key):
    content["answers"][0], content["answers"][1] = content["answers"][1], content["answers"][0]


BAD = {
    "an edited answer": (edited(put(choice=0, ms=9001)), "checksum"),
    "a file cut off": (lambda key: json.dumps(first(key)).encode()[:-40], "not complete JSON"),
    "an empty file": (lambda key: b"", "not complete JSON"),
    "a text of no alphabet": (
        lambda key: json.dumps(first(key)).encode().replace(b"2026", b"\xff\xfe"),
        "not complete JSON",
    ),
    "a name of no alphabet": (lambda key: b'{"\xff": 1}', "not complete JSON"),
    "no text at all": (lambda key: b"\xff\xfe\x00\x01", "not complete JSON"),
    "a huge file": (lambda key: b" " * (5 << 20), "bytes"),
    "nesting without end": (lambda key: b"[" * 200_000, "not complete JSON"),
    "a list": (lambda key: b"[]", "not an answers file"),
    "a number for a name": (resigned(lambda c, k: c.update(test=5)), "not an answers file"),
    "a text for a choice": (resigned(put(choice="0")), "not an answers file"),
    "a choice below nought": (resigned(put(choice=-1)), "not an answers file"),
    "a field of its own": (resigned(lambda c, k: c.update(model="mine")), "not an answers file"),
    "a field left out": (resigned(lambda c, k: c.pop("session")), "not an answers file"),
    "a comment without end": (resigned(lambda c, k: c.update(comment="x" * 9999)), "not an answers file"),
    "a session that is a path": (resigned(lambda c, k: c.update(session="../../etc/passwd")), "not an answers file"),
    "another test": (resigned(lambda c, k: c.update(test="0" * 32)), "another test"),
    "another listener's form": (resigned(lambda c, k: c.update(listener=2)), "not those of listener 2"),
    "answers in another order": (resigned(swap_two), "in that order"),
    "an answer left out": (resigned(lambda c, k: c["answers"].pop()), "says that all trials were answered"),
    "an answer too many": (resigned(lambda c, k: c["answers"].append(c["answers"][0])), "not those of listener"),
    "a choice that is none": (resigned(put(choice=7)), "not between 0 and 6"),
    "a rating where a choice is asked": (resigned(put(fit=3)), "expected choice"),
    "an unheard sound": (resigned(put(plays=[0], heard_ms=[0])), "less than the page requires"),
    "more heard than there is": (resigned(put(heard_ms=[999_999])), "longer than"),
    "two sounds where there is one": (resigned(put(plays=[1, 1], heard_ms=[60, 60])), "the trial has 1"),
    "a headphone check of its own": (resigned(lambda c, k: c["headphones"].pop()), "headphone check"),
}


@pytest.mark.parametrize("name", list(BAD))
def test_a_hostile_file_is_refused_with_a_reason(keys, tmp_path, name):
    make, reason = BAD[name]
    key = keys["identify"]
    bad = tmp_path / "bad.json"
    bad.write_bytes(make(key))
    (good,) = sent(tmp_path, [answered(key, 2, careful(key, np.random.default_rng(1)))])
    answers, refused = read_answers([bad, good], key)
    assert [one.listener for one in answers] == [2]
    assert [one.file for one in refused] == [str(bad)]
    assert reason in refused[0].reason
    assert len(refused[0].reason) < 400
    with pytest.raises(UsageError, match="no answers can be used"):
        read_answers([bad], key)


@pytest.mark.parametrize("name", ["pipe.json", os.fsdecode(b"\xff.json")], ids=["a pipe", "a name in no alphabet"])
def test_one_file_of_a_folder_that_cannot_be_read_ends_nothing(keys, place, tmp_path, name):
    key = keys["identify"]
    sent(tmp_path, [answered(key, 2, careful(key, np.random.default_rng(1)))])
    if name == "pipe.json":
        os.mkfifo(tmp_path / name)
    else:
        (tmp_path / name).write_bytes(b'{"comment": "\xff"}')
    answers, refused = read_answers([tmp_path], key)
    assert [one.listener for one in answers] == [2]
    assert len(refused) == 1
    msgspec.json.encode(refused)  # as they stand in the scores


def test_answers_to_another_build_of_the_same_runs_are_refused(keys, place, tmp_path):
    run = made_run(place / "run", {**SHORT, "model/crashed": nothing}, PROBES)
    again = read_key(build([run], tmp_path / "again", Wanted(kind="identify", trials=24, anchors=6, listeners=12)).key)
    (path,) = sent(tmp_path, [first(again)])
    with pytest.raises(UsageError, match="another test"):
        read_answers([path], keys["identify"])


def test_a_listener_who_saved_twice_counts_once_with_the_longer_file(keys, tmp_path):
    key = keys["identify"]
    whole = first(key)
    short = signed({**whole, "complete": False, "answers": whole["answers"][:5]})
    for name, content in (("a.json", short), ("b.json", whole), ("c.json", whole)):
        (tmp_path / name).write_text(json.dumps(content))
    answers, refused = read_answers([tmp_path], key)
    assert [len(one.answers) for one in answers] == [len(whole["answers"])]
    assert len(refused) == 2
    assert all("same listener's session" in one.reason for one in refused)


def test_who_stopped_early_counts_as_far_as_they_came(keys):
    key = keys["rate"]
    whole = first(key)
    short = signed({**whole, "complete": False, "answers": whole["answers"][:5]})
    results = scored(key, [short])
    assert [one.answers for one in results.listeners] == [5]


def test_the_command_prints_a_table_and_keeps_the_scores_beside_the_key(keys, place, tmp_path):
    key = keys["rate"]
    rng = np.random.default_rng(6)
    sent(tmp_path, crowd(key, 6, [answered(key, 9, careless(key, rng), heard=False)]))
    (tmp_path / "bad.json").write_text("{}")
    done = CliRunner().invoke(main, ["listen-test", "score", str(tmp_path), "--key", str(place / "rate.key.json")])
    assert done.exit_code == 1, done.output
    assert "refused: " in done.output
    assert "left out: listener 9" in done.output
    assert "alpha of fit" in done.output
    results = json.loads((place / "rate.scores.json").read_text())
    assert len(results["listeners"]) == 7
    assert "NaN" not in (place / "rate.scores.json").read_text()
