"""Edition 2: what it is made of, its core, its recordings, the strategy short:N, and what the baselines answer."""

import collections
import json
import subprocess
import sys

import msgspec
import pytest

from innerear import checks, suite
from innerear.ask.generate import generate
from innerear.ask.models import NotRecorded, open_model
from innerear.ask.models.real import fit
from innerear.ask.models.recorded import about, problems
from innerear.ask.models.sampler import score
from innerear.ask.models.swap import derange
from innerear.ask.models.talker import text_of
from innerear.ask.strategies import find_strategy
from innerear.errors import UsageError
from innerear.run.create import create
from innerear.run.run import Run, RunConfig
from innerear.sharing.conditions import conditions

TWO = suite.edition("2")
BY_ID = {probe.id: probe for probe in TWO.probes}
CORRECTED = {"notes/tune/jingle-bells", "notes/tune/auld-lang-syne", "notes/tune/la-marseillaise"}
"""Probes whose check has more right settings than the file it came from; docs/suite-truths.md says which."""


def test_edition_2_has_353_probes_of_which_104_are_those_of_edition_1():
    tiers = collections.Counter(probe.tier for probe in TWO.probes)
    assert tiers == {"notes": 101, "environment": 195, "speech": 57}
    one = {probe.id: probe for probe in suite.edition("1").probes}
    assert sum(BY_ID[name] == one[name] for name in BY_ID.keys() & one.keys()) == 104
    assert len(suite.every_probe()) == 172 + 249
    assert TWO.canary == suite.CANARY


def test_edition_2_never_changes():
    assert (TWO.digest, suite.edition("2/core").digest) == (
        "a962b53bcc635a7fec26f44b957e49d4",
        "1e518d7f1fe20eca2642203b8d2269f0",
    )


def test_edition_2_equals_the_shared_files_but_for_the_corrected_truths(shared):
    for name in ("edition-2-new", "edition-2-identity"):
        for probe in suite.load(shared / "suite" / f"{name}.jsonl").probes:
            ours = BY_ID[probe.id]
            assert (ours == probe) == (probe.id not in CORRECTED)
            assert msgspec.structs.replace(ours, expect=[]) == msgspec.structs.replace(probe, expect=[])


def test_the_core_holds_every_family_and_nearly_every_kind_of_check_in_the_share_of_the_whole():
    core = suite.edition("2/core").probes
    assert len(core) == 123
    assert all(BY_ID[probe.id] == probe for probe in core)
    sizes = [collections.Counter((probe.tier, probe.family) for probe in probes) for probes in (TWO.probes, core)]
    for family, count in sizes[0].items():
        assert sizes[1][family] == pytest.approx(count * 123 / 353, abs=2)
    kinds = [{checks.kind(check) for probe in probes for check in probe.expect} for probes in (TWO.probes, core)]
    assert kinds[0] - kinds[1] == {"glide", "doppler", "onset_trend"}
    labels = {check.label for probe in core for check in probe.expect if isinstance(check, checks.Label)}
    assert len(labels) == 50


def test_an_edition_is_named_wherever_a_suite_is():
    assert suite.load("2") is suite.load("2")
    assert suite.load("2/core").name == "edition 2/core"
    assert suite.load().name == f"edition {suite.EDITION}"
    with pytest.raises(UsageError, match=r"wanted an edition \(1, 2, 2/core\), a file, or hf://"):
        suite.load("3")


def test_the_command_takes_an_edition_even_beside_a_folder_of_that_name(tmp_path):
    (tmp_path / "2").mkdir()
    command = [sys.executable, "-m", "innerear", "probes", "list", "--suite", "2", "--tiers", "speech"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=True)
    assert done.stdout.count("\n") == 57


def run(model, probes, strategy="direct", attempts=1):
    kept = []
    assert generate(probes, [open_model(model)], strategy, attempts, keep=kept.append) == []
    return kept


def test_one_shot_has_every_probe_of_edition_2_and_more_attempts_at_some():
    assert len(run("recorded/one-shot", TWO.probes)) == 353
    model = open_model("recorded/one-shot")
    assert model.lacks(TWO.probes, 1) == ""
    several = [probe for probe in suite.every_probe() if not model.lacks([probe], 5)]
    assert len(several) == 24
    answers = run("recorded/one-shot", several, attempts=5)
    assert len({(answer.probe, answer.text) for answer in answers}) == 24 * 5


def test_short_12_is_replayed_word_for_word_by_its_strategy():
    model = open_model("recorded/short-12")
    recorded = [probe for probe in suite.every_probe() if not model.lacks([probe], 1)]
    assert len(run("recorded/short-12", recorded, "short:12")) == len(recorded) == 48
    ask, plain = (find_strategy(name).opening(recorded[0]) for name in ("short:7", "direct"))
    assert ask[0] == plain[0]
    line = "- Use at most 7 lines of code, none longer than 100 characters."
    assert ask[1].content == f"{plain[1].content}\n{line}"
    with pytest.raises(UsageError, match="wanted short:N with N from 1 to 200"):
        find_strategy("short:201")


def test_what_a_recording_lacks_is_said_before_anything_runs_and_is_skipped(tmp_path):
    command = [
        *(sys.executable, "-m", "innerear", "generate", "--suite", "2", "--probes", "notes/*/*c3"),
        *("--strategy", "plan", "--model", "recorded/plan", "--out", str(tmp_path / "run")),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    first = done.stderr.splitlines()[0]
    assert (
        first == "innerear: recorded/plan has 1 of the 4 probes; it skips the others, such as notes/instrument/piano-c3"
    )
    assert len(Run(tmp_path / "run").completions()) == 1
    line = open_model("recorded/one-shot").lacks(TWO.probes, 2)
    assert line.startswith("recorded/one-shot has 373 of the 706 answers (353 probes, 2 attempts each); it skips")


def test_a_recording_that_has_none_of_the_probes_is_refused():
    speech = suite.choose(TWO.probes, pattern="speech/rhyme/*")
    with pytest.raises(UsageError, match=r"recorded/plan has none of the 12 probes asked for.*it has 172 others"):
        run("recorded/plan", speech, "plan")
    with pytest.raises(NotRecorded):
        open_model("recorded/plan").identity(speech[0], 0)


def test_a_recording_of_ones_own_may_be_compressed(tmp_path):
    import lzma

    (probe,) = suite.choose(TWO.probes, pattern="notes/tune/twinkle")
    (answer,) = run("recorded/one-shot", [probe])
    row = {"probe": probe.id, "messages": msgspec.to_builtins(answer.messages), "text": "mine"}
    file = tmp_path / "mine.jsonl.xz"
    file.write_bytes(lzma.compress(json.dumps(row).encode()))
    assert run(f"recorded/{file}", [probe])[0].text == "mine"
    file.write_bytes(b"no archive")
    with pytest.raises(UsageError, match=r"mine\.jsonl\.xz cannot be read"):
        open_model(f"recorded/{file}")


def test_runs_of_two_editions_are_not_compared_and_cannot_share_a_folder(tmp_path):
    runs = []
    for name in ("1", "2", "2/core"):
        loaded = suite.load(name)
        asked = RunConfig(models=["m"], suite=loaded.name, suite_digest=loaded.digest)
        runs.append(create(tmp_path / name.replace("/", "-"), asked, loaded.probes, "test"))
    with pytest.raises(UsageError, match="a was asked edition 1 of the suite, b edition 2: editions are not compared"):
        conditions(runs[:2], ["a", "b"])
    same, left_out, _ = conditions(runs[1:], ["b", "c"])
    assert (len(same), len(left_out)) == (123, 230)
    with pytest.raises(UsageError, match="was made with suite edition 1"):
        create(tmp_path / "1", runs[1].asked, runs[1].probes, "test")


def test_swap_gives_every_probe_the_answer_of_another_that_asks_for_something_else():
    pairs = derange(TWO.probes)
    assert len(pairs) == 353
    for name, other in pairs.items():
        mine, theirs = (
            [c for c in BY_ID[x].expect if isinstance(c, checks.Label | checks.Tune)] for x in (name, other)
        )
        assert not {getattr(c, "label", None) or c.title for c in mine} & {
            getattr(c, "label", None) or c.title for c in theirs
        }


def played(id, kind=0x90):
    return [(time, *message[1:]) for time, _, message in score(BY_ID[id]) if message[0] & 0xF0 == kind]


def test_the_sampler_plays_tunes_on_their_instrument_in_time():
    for probe in suite.choose(TWO.probes, pattern="notes/tune/*"):
        notes = played(probe.id)
        truth = probe.expect[0].notes
        assert [key for _, key, _ in notes] == [midi for midi, _ in truth]
        starts = [time for time, *_ in notes]
        beat_s = (starts[1] - starts[0]) / truth[0][1]
        assert starts[-1] - starts[0] == pytest.approx(beat_s * sum(beats for _, beats in truth[:-1]))
        assert starts[-1] + beat_s * truth[-1][1] < probe.duration_s
    assert played("notes/tune/minuet-in-g", 0xC0) == [(0.0, 6)]  # a harpsichord, though a harp is in the word
    assert played("notes/tune/jingle-bells", 0xC0) == [(0.0, 0)]  # the bells are in the title


def test_the_sampler_bends_each_note_of_a_tuning_to_its_own_frequency():
    for probe in suite.choose(TWO.probes, pattern="notes/tuning/*"):
        bends, notes = played(probe.id, 0xE0), played(probe.id)
        hz = [
            440 * 2 ** ((key - 69 + 2 * (low + 128 * high - 8192) / 8192) / 12)
            for (_, low, high), (_, key, _) in zip(bends, notes, strict=True)
        ]
        assert hz == pytest.approx(probe.expect[0].f0_hz, rel=1e-4)


def test_the_sampler_plays_the_sounds_that_a_groove_asks_for():
    keys = {name: {key for _, key, _ in played(f"notes/groove/{name}")} for name in ("rock-beat", "house", "one-drop")}
    assert keys == {"rock-beat": {36, 38, 42}, "house": {36, 39, 46}, "one-drop": {36, 37, 42}}
    assert {key for _, key, _ in played("notes/groove/waltz")} == {48, 60, 64, 67}


def test_voices_say_what_they_can_and_no_tones():
    said = {probe.family: text_of(probe) for probe in TWO.probes if probe.tier == "speech"}
    assert said["digit-string"] == "nine four three seven zero."
    assert said["rhyme"] == "park."
    assert said["tone"] is None


def test_recordings_stand_for_a_class_whatever_its_count_and_for_sentences_whatever_their_words():
    bark = {"tier": "env", "label": "dog", "file": "d"}
    assert fit(BY_ID["environment/animals/dog-3"], bark) == (0.0, None)
    assert fit(BY_ID["environment/animals/dog-2"], bark) == (0.0, "another count")
    assert fit(BY_ID["environment/animals/cow-2"], bark) is None
    read = {"tier": "speech", "set": "LibriSpeech", "label": "sentence", "text": "", "duration_s": "4.0", "file": "s"}
    assert fit(BY_ID["speech/nonsense-sentence/sus-02"], read) == (101.5, "another text")
    assert fit(BY_ID["speech/rhyme/park"], read) is None


def contribution(tmp_path, about, rows):
    file = tmp_path / "theirs.jsonl"
    file.write_text("\n".join(json.dumps(line) for line in [*([{"about": about}] if about else []), *rows]))
    return problems(str(file), {probe.id: probe for probe in suite.every_probe()})


ABOUT = {"model": "openai/some-model", "date": "2026-11-28", "parameters": {"temperature": 1}, "strategy": "short:12"}


def test_a_contributed_recording_says_where_it_comes_from_and_was_asked_in_the_words_of_its_strategy(tmp_path):
    probe = BY_ID["speech/rhyme/park"]
    asked = msgspec.to_builtins(find_strategy("short:12").opening(probe))
    row = {"probe": probe.id, "messages": asked, "text": "```python\nprint()\n```"}
    assert contribution(tmp_path, ABOUT, [row]) == []
    assert "does not say where it comes from" in contribution(tmp_path, None, [])[0]
    assert contribution(tmp_path, {**ABOUT, "date": "last week"}, [row]) == [
        "the date 'last week' is not as in 2026-11-28"
    ]
    with pytest.raises(UsageError, match=r"line 1: .*missing required field `parameters`"):
        contribution(tmp_path, {"model": "m", "date": "2026-11-28"}, [row])
    place = "attempt 0 of speech/rhyme/park"
    assert contribution(tmp_path, ABOUT, [row, row]) == [f"{place} is there twice"]
    assert contribution(tmp_path, {**ABOUT, "strategy": "direct"}, [row]) == [
        f"{place} was asked in other words than the strategy direct sends"
    ]
    assert contribution(tmp_path, ABOUT, [{**row, "probe": "speech/rhyme/none"}]) == [
        "attempt 0 of speech/rhyme/none: no edition has this probe"
    ]
    assert contribution(tmp_path, ABOUT, [{**row, "text": " "}]) == [f"{place} has no answer"]


def test_a_run_is_recorded_with_its_model_date_and_parameters(tmp_path):
    run_folder, out = tmp_path / "run", tmp_path / "mine.jsonl"
    innerear = [sys.executable, "-m", "innerear"]
    asked = ["--suite", "2", "--probes", "speech/rhyme/p*", "--model", "recorded/one-shot", "--param", "seed=3"]
    subprocess.run([*innerear, "generate", *asked, "--out", run_folder], check=True, capture_output=True)
    subprocess.run([*innerear, "record", run_folder, "--out", out, "--note", "a test"], check=True, capture_output=True)
    said = about(str(out))
    assert (said.model, said.parameters, said.strategy) == ("recorded/one-shot", {"seed": 3}, "direct")
    assert (said.suite, said.note, len(said.date)) == ("edition 2", "a test", 10)
    assert problems(str(out), {probe.id: probe for probe in suite.every_probe()}) == []
    assert open_model(f"recorded/{out}").lacks(suite.choose(TWO.probes, pattern="speech/rhyme/p*"), 1) == ""


@pytest.mark.parametrize("name", ["one-shot", "short-12"])
def test_the_recordings_that_ship_were_asked_in_these_words(name):
    every = {probe.id: probe for probe in suite.every_probe()}
    found = problems(name, every)
    if name == "one-shot":
        assert ["the first line" in line for line in found] == [True]  # the name of the model is withheld
    else:
        assert {line.partition(" was asked")[2] for line in found[1:]} == {
            " in other words than the strategy direct sends"
        }


def test_the_check_of_a_contributed_recording_is_a_command(tmp_path, capsys):
    from innerear.lab.recordings import main

    assert main(["short-12"]) == 1
    assert capsys.readouterr().out.startswith("short-12: the first line does not say where it comes from")
    assert main([str(tmp_path / "none.jsonl")]) == 1
    assert "none.jsonl cannot be read" in capsys.readouterr().out
