"""Rows of version 0.1.0, which had neither the index of a check nor a status, are read as those of this version."""

import shutil
from pathlib import Path

import msgspec
import pytest

from innerear import stages
from innerear.metrics.measure import rows_of
from innerear.records import ALL, Measurement, Scope, Score, Status, checked
from innerear.run.parts import from_json, plain, to_json, typed
from innerear.run.run import Run


class OldMeasurement(msgspec.Struct, frozen=True, omit_defaults=True):
    """A measurement as version 0.1.0 declares it."""

    key: str
    subject: str
    metric: str
    value: float | None
    passed: bool | None = None
    reason: str = ""
    detail: dict = {}


@pytest.fixture
def old(recorded_run, tmp_path):
    """A run whose measurements were written by 0.1.0: the same rows, without the fields that it did not know."""
    folder = Path(shutil.copytree(recorded_run, tmp_path / "old"))
    (folder / "scores.json").unlink()
    for path in (folder / "measurements").glob("*.jsonl"):
        lines = path.read_bytes().splitlines()
        rows = [msgspec.json.decode(line, type=OldMeasurement) for line in lines]
        assert [row.key for row in rows] == [msgspec.json.decode(line, type=Measurement).key for line in lines]
        path.write_bytes(b"".join(msgspec.json.encode(row) + b"\n" for row in rows))
    return Run(folder)


@pytest.mark.xdist_group("recorded_run")
def test_rows_without_an_index_are_paired_with_their_checks_by_key(recorded_run, old):
    assert not any(row.check is not None for row in old.measurements().values())
    for mine, theirs in zip(Run(recorded_run).items(), old.items(), strict=True):
        rows = rows_of(old.measurements(), theirs)
        assert rows == rows_of(Run(recorded_run).measurements(), mine)
        assert [check for check, _ in checked(theirs.probe, rows)] == theirs.probe.expect
    assert not stages.measure(old).failures
    assert stages.score(old) == stages.score(Run(recorded_run))


@pytest.mark.xdist_group("recorded_run")
def test_a_row_knows_its_check_although_another_row_is_missing(old):
    item = next(item for item in old.items() if len(item.probe.expect) > 1)
    found = old.measurements()
    first, *others = [row for row in rows_of(found, item) if row.check is not None]
    del found[first.key]
    assert checked(item.probe, rows_of(found, item)) == [(item.probe.expect[row.check], row) for row in others]


def test_a_row_of_this_version_is_read_by_the_version_before():
    row = Measurement("k", "s", "label", None, None, "not measured here: no weights", {}, 0, Status.UNAVAILABLE)
    assert msgspec.json.decode(msgspec.json.encode(row), type=OldMeasurement).reason == row.reason
    assert row.cause == "no weights"


SCOPES = {
    "all": ALL,
    "family:rain, heavy": Scope("family", "rain, heavy"),
    "level:2": Scope("level", "2"),
    "notes/chord/minor:a": Scope("probe", "notes/chord/minor:a"),
    "vs:baseline/noise": Scope("vs", "baseline/noise"),
    "vs:lab/model:free, best-of:3": Scope("vs", "lab/model:free", "best-of:3"),
    "phrases": Scope("", "phrases"),
    "kad, mel and yamnet": Scope("", "kad", "mel and yamnet"),
}


@pytest.mark.parametrize("text", SCOPES)
def test_what_a_score_is_over_is_text_in_files_and_parts_in_code(text):
    wanted = SCOPES[text]
    score = Score("checks", "m", "direct", "notes", 0.5, 2, 0, "checks|v:1", wanted)
    old = to_json({"metric": "checks", "model": "m", "strategy": "direct", "tier": "notes", "value": 0.5, "n": 2,
                   "missing": 0, "signature": "checks|v:1", "group": text})  # fmt: skip
    for found in (from_json(old, Score), from_json(to_json(score), Score), typed(plain(score), Score)):
        assert found == score
        assert (found.group.sort, found.group.name, found.group.more) == (wanted.sort, wanted.name, wanted.more)
    assert plain(score).get("group", "all") == text


def test_a_group_that_is_no_text_is_refused():
    with pytest.raises(ValueError, match=r"expected Scope, got int - at `\$.group`"):
        from_json(b'{"metric":"m","model":"m","strategy":"s","tier":"t","value":1,"n":1,"missing":0,"signature":"s",'
                  b'"group":7}', Score)  # fmt: skip


@pytest.mark.xdist_group("recorded_run")
def test_scores_on_disk_are_those_that_were_returned(recorded_run):
    scores = stages.score(Run(recorded_run))  # read from scores.json
    assert scores == typed(plain(scores), list[Score])
    assert {score.group.sort for score in scores} >= {"all", "family", "level", "vs", ""}
    assert all(isinstance(score.group, Scope) for score in scores)
