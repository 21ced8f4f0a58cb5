"""Scores as tables for a paper: none of interval, n and signature is lost, and text stays text."""

import csv
import io
import re

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from innerear import stages
from innerear.cli.main import main
from innerear.errors import UsageError
from innerear.records import Scope, Score
from innerear.run.run import Run
from innerear.sharing.formats import export, to_csv, to_latex, to_markdown
from innerear.sharing.tables import Scored, bare, tables
from innerear.text import printable

pytestmark = pytest.mark.xdist_group("recorded_run")
HOSTILE = "a & b % $x$ #1 _u_ {c} ~ ^ \\input{/etc/passwd} | <script>alert(1)</script> \x1b[31m `*"


def a_score(**changed) -> Score:
    fields = {
        "metric": "checks", "model": "m", "strategy": "direct", "tier": "notes", "value": 0.9531, "n": 64, "missing": 2,
        "signature": "checks|v:1", "unit": "share", "better": "higher", "low": 0.912, "high": 0.98,
        "floor": {"noise": 0.0}, "ceiling": {"real": 1.0}, "note": "seen by the strategy",
    }  # fmt: skip
    return Score(**{**fields, **changed})


def test_csv_has_every_score_of_the_run_and_its_numbers_exactly(recorded_run):
    scores = stages.score(Run(recorded_run))
    rows = list(csv.DictReader(io.StringIO(export([recorded_run]))))
    assert len(rows) == len(scores)
    for row, score in zip(rows, scores, strict=True):
        assert (row["metric"], row["model"], row["tier"], row["group"]) == (
            score.metric, score.model, score.tier, score.group,
        )  # fmt: skip
        assert row["signature"] == score.signature
        assert int(row["n"]) == score.n
        for name in ("value", "low", "high"):
            assert (float(row[name]) if row[name] else None) == getattr(score, name)
        assert {name.removeprefix("floor_") for name in row if name.startswith("floor_") and row[name]} == {
            name for name, value in score.floor.items() if value is not None
        }


@pytest.mark.parametrize("write", [to_markdown, to_latex])
def test_value_interval_n_missing_note_and_signature_stand_in_the_table(write):
    text = write(tables([Scored("run", [a_score()])]))
    for wanted in ("95.3", "91.2", "98.0", "64, 2 missing", "seen by the strategy", "checks", "noise", "real"):
        assert wanted in text
    assert "v:1" in text


def test_numbers_got_in_two_ways_stand_in_two_columns():
    of = {"metric": "fad", "unit": "", "group": Scope("", "notes")}
    ours = a_score(**of, signature="fad|emb:mel@1|ref:notes@ab|n:64clips,9frames|v:1")
    theirs = a_score(**of, signature="fad|emb:mel@2|ref:notes@ab|n:60clips,8frames|v:1")
    (table,) = tables([Scored("a", [ours]), Scored("b", [theirs])])
    assert len(table.columns) == 2
    assert [sum(bool(cell.value) for cell in cells) for _, cells in table.rows] == [1, 1]


def test_another_n_is_no_other_way():
    one, two = ("fad|emb:mel@1|n:64clips,640frames|v:1", "fad|emb:mel@1|n:60clips,600frames|v:1")
    assert bare(one) == bare(two) == "fad|emb:mel@1|v:1"


def test_hostile_names_are_text_in_latex():
    text = to_latex(tables([Scored("run", [a_score(model=HOSTILE)])]))
    assert "\\input" not in text
    assert "\x1b" not in text
    body = text.split("\\midrule")[1]
    row = next(line for line in body.splitlines() if "alert" in line)
    assert len(re.findall(r"(?<!\\)&", row)) == 1, "one cell boundary: the name made none"
    assert not re.search(r"(?<!\\)[%#]", row)


def test_hostile_names_are_text_in_markdown():
    text = to_markdown(tables([Scored("run", [a_score(model=HOSTILE)])]))
    row = next(line for line in text.splitlines() if "alert" in line)
    assert len(re.findall(r"(?<!\\)\|", row)) == 3
    assert not re.search(r"(?<!\\)<script", row)


@given(st.text(max_size=40))
def test_any_name_comes_back_from_csv_on_one_line(name):
    text = to_csv([Scored("run", [a_score(model=name)])])
    assert len(text.splitlines()) == 2
    (row,) = csv.DictReader(io.StringIO(text))
    assert row["model"] == printable(name)


def test_a_metric_that_is_not_there_is_named_with_those_that_are(recorded_run):
    with pytest.raises(UsageError, match=r"'fda' is unknown; choose from .*fad"):
        export([recorded_run], metrics=["fda"])


def test_two_runs_of_one_name_stay_apart(recorded_run):
    rows = list(csv.DictReader(io.StringIO(export([recorded_run, recorded_run]))))
    assert {row["run"] for row in rows} == {"few", "few (2)"}


def test_the_command_writes_what_the_function_gives(recorded_run, tmp_path):
    for form in ("csv", "markdown", "latex"):
        out = tmp_path / form
        done = CliRunner().invoke(main, ["export", str(recorded_run), "--format", form, "--out", str(out)])
        assert done.exit_code == 0, done.output
        assert out.read_text() == export([recorded_run], form)
