"""Varied suites: other figures in the words, the same in the checks; and the canary that tells who saw the file."""

import math
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from innerear import checks, suite
from innerear.ask.strategies import find_strategy
from innerear.errors import SuiteError
from innerear.records import Completion, Probe
from innerear.run.create import create
from innerear.run.run import RunConfig
from innerear.suite.vary import NAMES, WORDS, vary

EDITION = suite.edition("1")
SEEDS = st.integers(0, 10**6)


def both(seed):
    return list(zip(EDITION.probes, vary(EDITION, seed).probes, strict=True))


@given(SEEDS)
@settings(max_examples=20, deadline=None)
def test_every_probe_is_another_one_of_the_same_kind(seed):
    for before, after in both(seed):
        assert after.id == f"{before.id}/varied-{seed}"
        assert (after.tier, after.family, after.level) == (before.tier, before.family, before.level)
        assert [*map(checks.kind, after.expect)] == [*map(checks.kind, before.expect)]
        assert (after.caption, after.details, after.duration_s) != (before.caption, before.details, before.duration_s)


@given(SEEDS)
@settings(max_examples=20, deadline=None)
def test_a_note_in_the_words_is_the_note_in_the_check(seed):
    spelt = re.compile(r"\b([A-G](?: sharp| flat)?) ?(\d)\b")
    for _, after in both(seed):
        said = {12 * (int(octave) + 1) + NAMES.index(name) for name, octave in spelt.findall(after.caption)}
        match after.expect[0]:
            case checks.Pitch(midi=int() as midi) as pitch:
                assert said == {midi}
                assert pitch.f0_hz == pytest.approx(440 * 2 ** ((midi - 69) / 12), rel=1e-4)
            case checks.Chord(midi=midi) if len(midi) == 2:
                assert said == set(midi)
            case checks.Chord(midi=midi):
                assert said <= {midi[0]}
            case checks.Notes(notes=notes):
                started = re.search(r"starting on ([A-G](?: sharp| flat)?) ?(\d)", after.details)
                if started:
                    assert notes[0][2] == 12 * (int(started[2]) + 1) + NAMES.index(started[1])
            case checks.Glide() as glide:
                assert len(said) == 2
                assert min(said) == pytest.approx(69 + 12 * math.log2(glide.from_hz / 440), abs=0.01)


@given(SEEDS)
@settings(max_examples=20, deadline=None)
def test_notes_and_onsets_lie_inside_the_duration_and_keep_the_tempo_that_is_told(seed):
    for before, after in both(seed):
        match before.expect[0], after.expect[0]:
            case checks.Notes() as was, checks.Notes() as now:
                assert now.notes[-1][1] <= after.duration_s + 1e-3
                told = [int(re.search(r"(\d+) beats", probe.details)[1]) for probe in (before, after)]
                assert now.notes[1][0] * told[1] == pytest.approx(was.notes[1][0] * told[0], rel=1e-3)
            case _, checks.Onsets() as now:
                assert now.times_s[-1] < after.duration_s


def test_counts_rates_and_words_are_those_that_are_told():
    for _, after in both(3):
        for check in after.expect:
            match check:
                case checks.Events(count=count) if count > 1:
                    assert WORDS[count] in after.caption
                case checks.Modulation() as modulation:
                    rate = int(modulation.rate_hz)
                    told = {str(rate), WORDS[rate].capitalize()}
                    assert told & set(after.details.split())
                case checks.Transcript(closed_set=closed) as words:
                    assert words.text.split()[0] in after.caption
                    assert closed is None or words.text in closed


def test_no_two_probes_of_a_varied_suite_ask_for_the_same_words():
    for seed in range(12):
        spoken = [p.caption for p in vary(EDITION, seed).probes if p.family in ("sentence", "digit", "word")]
        assert Counter(spoken).most_common(1)[0][1] == 1


def test_a_seed_is_a_suite_and_another_seed_another_one():
    assert vary(EDITION, 7).digest == vary(EDITION, 7).digest == "105ae6c86340a712aa937de5e0ede5b7"
    assert vary(EDITION, 8).digest != vary(EDITION, 7).digest


def test_a_varied_suite_can_be_asked_in_an_experts_words_and_varied_again():
    again = vary(vary(EDITION, 1), 2)
    brief = find_strategy("brief")
    for probe in [*vary(EDITION, 1).probes, *again.probes]:
        assert probe.caption in brief.opening(probe)[-1].content


def test_a_probe_of_ones_own_that_says_nothing_known_is_given_another_duration():
    mine = Probe("mine/x", "environment", "odd", 1, "a thing", "", 2.0, [checks.Label(label="thing", among="mine")])
    (after,) = vary(suite.Suite("mine", [mine]), 0).probes
    assert after.duration_s != mine.duration_s
    assert after.expect == mine.expect


def test_the_command_writes_a_suite_that_loads_and_never_over_a_file(tmp_path):
    out = tmp_path / "varied.jsonl"
    command = [sys.executable, "-m", "innerear", "probes", "vary", "--suite", "1", "--seed", "5", "--out", str(out)]
    subprocess.run(command, check=True, capture_output=True)
    loaded = suite.load(out)
    assert loaded.digest == vary(EDITION, 5).digest
    assert loaded.canary == suite.CANARY
    assert subprocess.run(command, check=False, capture_output=True).returncode == 2


def test_the_edition_begins_with_the_canary_which_is_no_part_of_its_digest(tmp_path):
    file = tmp_path / "without.jsonl"
    file.write_bytes(b"".join(suite.Suite("x", EDITION.probes).lines()))
    assert EDITION.canary == suite.CANARY
    assert suite.load(file).canary == ""
    assert suite.load(file).digest == EDITION.digest


def test_a_canary_that_does_not_stand_first_is_no_probe(tmp_path):
    file = tmp_path / "late.jsonl"
    lines = list(EDITION.lines())
    file.write_bytes(lines[1] + lines[0])
    with pytest.raises(SuiteError, match="line 2"):
        suite.load(file)


@pytest.mark.parametrize(
    ("text", "held"),
    [(f"```python\n# {suite.CANARY.upper()}\n```", True), ("5d4c1f0e-8a36-4b7f-9f62-d1c07be3a954", True), ("x", False)],
)
def test_a_completion_that_holds_the_canary_is_told_of(tmp_path: Path, text, held):
    probe = EDITION.probes[0]
    run = create(tmp_path / "run", RunConfig(models=["m"]), [probe], "test")
    row = Completion("k", probe.id, "m", "direct", 0, [], text)
    (tmp_path / "run" / "completions").mkdir()
    (tmp_path / "run" / "completions" / "a.jsonl").write_bytes(msgspec.json.encode(row) + b"\n")
    assert run.leaks() == (
        [f"m has seen the suite: 1 of its completions contain the canary, the first is {probe.id}"] if held else []
    )
