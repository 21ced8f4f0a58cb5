"""Entrants side by side: a run against itself is no difference, and what may not be compared is not."""

import json
import shutil
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from innerear import stages
from innerear.cli.main import main
from innerear.errors import UsageError
from innerear.records import Render, Scope, Score
from innerear.run.keys import render_key
from innerear.run.parts import read_rows, write_whole
from innerear.run.run import Run
from innerear.sharing.compare import compare
from innerear.sharing.compare_page import write_comparison
from innerear.sharing.conditions import LIMITED
from innerear.sharing.entrants import Entrant
from innerear.sharing.side_by_side import side_by_side
from innerear.stats import holm

pytestmark = pytest.mark.xdist_group("recorded_run")
MODEL, NOISE = "recorded/one-shot", "baseline/noise"


@pytest.fixture
def copy(recorded_run, tmp_path) -> Path:
    return Path(shutil.copytree(recorded_run, tmp_path / "copy"))


def changed(folder: Path, **asked) -> None:
    file = json.loads((folder / "run.json").read_text())
    file["asked"] |= asked
    write_whole(folder / "run.json", json.dumps(file).encode())


def probes_changed(folder: Path, change) -> None:
    rows = [json.loads(line) for line in (folder / "probes.jsonl").read_bytes().splitlines()]
    write_whole(folder / "probes.jsonl", b"".join(json.dumps(row).encode() + b"\n" for row in map(change, rows) if row))
    file = json.loads((folder / "run.json").read_bytes())
    write_whole(folder / "run.json", json.dumps({**file, "probes": []}).encode())  # as if it had asked these


def test_a_run_against_itself_shows_no_difference(recorded_run):
    found = compare([recorded_run, recorded_run])
    assert len(found.pairs) == 1
    assert found.tests
    assert {(test.difference, test.p, test.p_holm, test.verdict) for test in found.tests} == {(0.0, 1.0, 1.0, "none")}
    assert found.metrics(0, 1) == []
    assert {line.cells[0] == line.cells[1] for line in found.lines} == {True}
    assert {cell.mark for line in found.lines for cell in line.cells if cell.value is not None} == {""}
    assert "no significant difference" in found.findings()[0]
    assert found.differs == []


def test_within_a_run_it_agrees_with_the_scores_of_the_run(recorded_run):
    found = compare([recorded_run], [NOISE, MODEL])
    (test,) = [test for test in found.tests if test.metric == "checks"]
    (score,) = [
        s for s in stages.score(Run(recorded_run)) if s.metric == "checks_difference" and s.group == Scope("vs", NOISE)
    ]
    sign = 1 if found.entrants[test.second].model == MODEL else -1
    assert sign * test.difference == pytest.approx(score.value)
    assert (test.p, test.p_holm, test.n) == (score.detail["p"], score.detail["p_holm"], score.n)


def test_named_the_other_way_round_every_difference_turns_its_sign(recorded_run):
    one, two = compare([recorded_run], [MODEL, NOISE]), compare([recorded_run], [NOISE, MODEL])
    assert [e.model for e in one.entrants] == [e.model for e in two.entrants][::-1] == [MODEL, NOISE]
    assert [test.difference for test in one.tests] == [-test.difference for test in two.tests]
    assert [test.p for test in one.tests] == [test.p for test in two.tests]


def test_the_biggest_difference_comes_first(recorded_run):
    found = compare([recorded_run], [MODEL, NOISE])
    sizes = [abs(after - before) for _, before, after in found.differences(0, 1, "checks")]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] > 0


def test_p_values_are_adjusted_over_all_tests_of_a_metric(recorded_run):
    found = compare([recorded_run], [MODEL, NOISE, "baseline/silence"])
    assert len(found.pairs) == 3
    for metric in ("checks", "audible"):
        mine = [test for test in found.tests if test.metric == metric]
        assert [test.p_holm for test in mine] == holm([test.p for test in mine])


def test_one_model_in_two_runs_is_paired_with_itself_and_not_with_others(recorded_run, copy):
    found = compare([recorded_run, copy], [MODEL, NOISE])
    assert [(found.entrants[a].model, found.entrants[b].model) for a, b in found.pairs] == [
        (MODEL, MODEL),
        (NOISE, NOISE),
    ]


def test_a_model_whose_recording_refuses_the_strategy_is_named_with_why(recorded_run, copy):
    changed(copy, strategy="plan")
    found = compare([recorded_run, copy], [MODEL])
    (line,) = [line for line in found.differs if "has no answers" in line]
    assert line.startswith(f"{MODEL} · plan in copy")
    assert "was recorded with other messages" in line
    assert "has no answers" in found.findings()[0]


def test_a_model_that_is_in_one_run_only_is_named_where_others_are_paired_with_themselves(recorded_run, copy):
    changed(copy, models=[MODEL])
    found = compare([recorded_run, copy], [MODEL, NOISE])
    assert len(found.pairs) == 1
    (line,) = [line for line in found.differs if "compared with nothing" in line]
    assert line.startswith(NOISE)


def test_runs_of_two_tracks_are_refused(recorded_run, copy):
    changed(copy, track="library")
    with pytest.raises(UsageError, match=r"few has track 'scratch', copy has 'library'"):
        compare([recorded_run, copy])


def test_runs_without_one_probe_that_is_the_same_are_refused(recorded_run, copy):
    probes_changed(copy, lambda probe: {**probe, "details": "otherwise"})
    with pytest.raises(UsageError, match="no identical probes in common"):
        compare([recorded_run, copy])


def test_a_probe_that_was_asked_in_other_words_is_left_out_and_named(recorded_run, copy):
    first = Run(recorded_run).probes[0].id
    probes_changed(copy, lambda probe: {**probe, "details": "otherwise"} if probe["id"] == first else probe)
    found = compare([recorded_run, copy])
    assert found.left_out == {first: "worded or checked differently"}
    assert first not in {probe.id for probe, _, _ in found.differences(0, 1, "audible")}
    assert {test.n for test in found.tests} == {3}
    assert any("1 are left out" in line for line in found.differs)
    whole = [cell for line in found.lines for cell in line.cells if cell.value is not None]
    assert all("not over the same sounds" in cell.mark for cell in whole)


def test_where_limits_differ_probes_that_came_near_one_are_left_out(recorded_run, copy):
    run = Run(copy)
    items = run.items()
    limits = msgspec.structs.replace(run.asked.limits, cpu_s=60.0)
    near = items[0].completion.probe
    slow = {item.probe.id for item in items if item.render.near_limit or item.render.outcome in LIMITED}  # busy machine
    rows = [
        msgspec.structs.replace(
            item.render,
            key=render_key(item.program, limits, run.asked.seed),
            near_limit=["cpu_s"] if (item.completion.probe, item.completion.model) == (near, MODEL) else [],
        )
        for item in items
    ]
    for path in (copy / "renders").glob("*.jsonl"):
        path.unlink()
    write_whole(copy / "renders" / "1.jsonl", b"\n".join(map(msgspec.json.encode, rows)))
    changed(copy, limits=msgspec.to_builtins(limits))
    assert len(read_rows(copy / "renders", Render)) == len({row.key for row in rows})
    found = compare([recorded_run, copy])
    assert set(found.left_out) == {near} | slow
    assert any("limits differ: few 180 s CPU" in line for line in found.differs)
    assert near not in {probe.id for probe, _, _ in found.differences(0, 1, "audible")}


def test_scores_that_were_got_in_two_ways_are_marked_and_no_others(recorded_run):
    def entrant(name: str, weights: str) -> Entrant:
        notes = Scope("", "notes")
        scores = [
            Score("fad", MODEL, "direct", "notes", 1.0, 4, 0, f"fad|emb:mel@{weights}|n:4clips|v:1", notes),
            Score("audible", MODEL, "direct", "notes", 1.0, 4, 0, "audible|v:1"),
        ]
        return Entrant(Run(recorded_run), name, MODEL, "direct", name, [], {}, scores)

    lines = {line.metric: line for line in side_by_side([entrant("a", "1"), entrant("b", "2")], {})}
    assert {cell.mark for cell in lines["fad"].cells} == {"computed differently; see the signature"}
    assert {cell.mark for cell in lines["audible"].cells} == {""}


def test_a_run_that_is_not_measured_is_said(recorded_run, copy):
    shutil.rmtree(copy / "measurements")
    found = compare([recorded_run, copy])
    assert any("4 sounds of recorded/one-shot · direct · copy have no measurements" in line for line in found.differs)
    assert not [test for test in found.tests if test.metric == "checks"]


def test_a_model_that_no_run_has_is_named_with_those_there_are(recorded_run):
    with pytest.raises(UsageError, match=r"'gpt'; the models are baseline/noise"):
        compare([recorded_run], ["gpt"])


def test_the_command_prints_tests_and_probes_and_names_its_page(recorded_run, tmp_path):
    words = ["compare", str(recorded_run), "--model", MODEL, "--model", NOISE, "--out", str(tmp_path / "c")]
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 0, done.output
    assert f"{NOISE} compared with {MODEL}" in done.output
    assert "checks, worse in 4 of 4 probes" in done.output
    assert "−100.0" in done.output
    assert (tmp_path / "c" / "report" / "index.html").exists()


def test_a_page_is_written_over_but_a_run_is_not(recorded_run, copy, tmp_path):
    found = compare([recorded_run, copy])
    assert write_comparison(found, tmp_path / "c") == write_comparison(found, tmp_path / "c")
    with pytest.raises(UsageError, match="other than a comparison"):
        write_comparison(found, copy)
