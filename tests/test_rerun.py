"""A command repeated: what is unchanged is neither parsed, scored, drawn nor written again, and what is stale is."""

from __future__ import annotations

import shutil
from pathlib import Path

import msgspec
import pytest

from innerear import RunConfig, choose, create, evaluate, open_model, stages
from innerear import load as load_suite
from innerear.records import Completion
from innerear.run import verdicts
from innerear.run.parts import read_rows, replace_rows
from innerear.run.run import Run


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of two programs, with its report."""
    folder = tmp_path_factory.mktemp("rerun") / "run"
    suite = load_suite("1")
    asked = RunConfig(
        models=["baseline/informed", "baseline/noise"], suite=suite.name, suite_digest=suite.digest,
        embedders=["mel"], jail="off",
    )  # fmt: skip
    probes = choose(suite.probes, pattern="notes/waveform/s*")
    _, report = evaluate(create(folder, asked, probes, "innerear run"), list(map(open_model, asked.models)))
    assert not report.failures
    stages.report(Run(folder))
    return folder


@pytest.fixture
def folder(finished: Path, tmp_path: Path) -> Path:
    shutil.copytree(finished, tmp_path / "run")
    return tmp_path / "run"


def test_a_program_is_guarded_once_and_not_by_every_command(folder, monkeypatch):
    before = Run(folder).programs()
    monkeypatch.setattr(verdicts, "_guarded", lambda *_: pytest.fail("it was guarded again"))
    assert Run(folder).programs() == before
    assert [item.program for item in Run(folder).items()] == list(before.values())


def test_a_changed_program_and_a_changed_guard_are_guarded_anew(folder, monkeypatch):
    changed = []
    for row in read_rows(folder / "completions", Completion).values():
        changed.append(msgspec.structs.replace(row, text="```python\nimport socket\n```"))
    replace_rows(folder / "completions", Completion, changed)
    assert {program.violation for program in Run(folder).programs().values()} == {"network, line 1: import socket"}
    Run(folder).verdicts.save()
    monkeypatch.setattr(verdicts, "guard_stamp", lambda: "of another version")
    monkeypatch.setattr(verdicts, "_guarded", lambda program, track: msgspec.structs.replace(program, violation="new"))
    assert {program.violation for program in Run(folder).programs().values()} == {"new"}
