"""A command repeated: what is unchanged is neither parsed, scored, drawn nor written again, and what is stale is."""

from __future__ import annotations

import shutil
from pathlib import Path

import msgspec
import numpy as np
import pytest

from innerear import RunConfig, choose, create, evaluate, open_model, stages
from innerear import load as load_suite
from innerear.checks import kind
from innerear.clip import Clip
from innerear.embed.store import save_frames
from innerear.errors import WeightsUnavailable
from innerear.metrics import identity, verified
from innerear.metrics.classes import LabelCheck
from innerear.metrics.measure import Wanted
from innerear.metrics.spectrum import WaveformCheck
from innerear.metrics.stage import with_frames
from innerear.records import Completion, Measurement
from innerear.reference.sets import find_reference, shipped_folder
from innerear.report import made
from innerear.run import verdicts
from innerear.run.parts import read_rows, replace_rows
from innerear.run.run import Run, embeddings_folder, update
from innerear.scores import score as score_module


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of two programs, with its report."""
    folder = tmp_path_factory.mktemp("rerun") / "run"
    suite = load_suite("1")
    asked = RunConfig(
        models=["baseline/informed", "baseline/noise"], suite=suite.name, suite_digest=suite.digest,
        embedders=["mel"], jail="off",
    )  # fmt: skip
    probes = choose(suite.probes, pattern="notes/waveform/*")
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


def test_a_changed_program_and_a_changed_guard_are_guarded_again(folder, monkeypatch):
    changed = []
    for row in read_rows(folder / "completions", Completion).values():
        changed.append(msgspec.structs.replace(row, text="```python\nimport socket\n```"))
    replace_rows(folder / "completions", Completion, changed)
    assert {program.violation for program in Run(folder).programs().values()} == {"network, line 1: import socket"}
    Run(folder).verdicts.save()
    monkeypatch.setattr(verdicts, "guard_stamp", lambda: "of another version")
    monkeypatch.setattr(verdicts, "_guarded", lambda program, track: msgspec.structs.replace(program, violation="new"))
    assert {program.violation for program in Run(folder).programs().values()} == {"new"}


def test_a_repeated_report_is_left_as_it_is(folder):
    stages.report(Run(folder))  # the copy's sounds have another time, so it is written once
    page = (folder / "report").stat()
    stages.report(Run(folder))
    assert (folder / "report").stat() == page


def _deleted(folder: Path) -> None:
    (folder / "report" / "index.html").unlink()


def _damaged(folder: Path) -> None:
    path = folder / "report" / "data" / "index.js"
    path.write_bytes(path.read_bytes()[:-100] + b" " * 100)


def _redrawn(folder: Path) -> None:
    path = next((folder / "report" / "sounds").glob("*.png"))
    path.write_bytes(b"\x89PNG" + bytes(path.stat().st_size - 4))


def _unnamed(folder: Path) -> None:
    (folder / "report" / "made.json").write_text("{}")


@pytest.mark.parametrize("harm", [_deleted, _damaged, _redrawn, _unnamed])
def test_a_report_with_a_deleted_or_damaged_file_is_written_again(folder, harm):
    stages.report(Run(folder))
    whole = _contents(folder / "report")
    harm(folder)
    stages.report(Run(folder))
    assert _contents(folder / "report") == whole


def _contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_report_by_other_code_or_of_a_changed_row_is_written_again(folder, monkeypatch):
    stages.report(Run(folder))
    monkeypatch.setattr(made, "code_stamp", lambda: "of another version")
    _is_written_again(folder)
    row = next(iter(Run(folder).measurements().values()))
    replace_rows(folder / "measurements", Measurement, [msgspec.structs.replace(row, reason="another reason")])
    _is_written_again(folder)
    assert any(b"another reason" in content for content in _contents(folder / "report" / "data").values())


def _is_written_again(folder: Path) -> None:
    before = (folder / "report").stat().st_ino
    stages.report(Run(folder))
    after = (folder / "report").stat().st_ino
    stages.report(Run(folder))
    assert (folder / "report").stat().st_ino == after != before


def test_edited_scores_are_computed_again(folder):
    run = Run(folder)
    scores, path = stages.score(run), folder / "scores.json"
    written = path.read_bytes()
    text = written.decode().replace('"value": 0.0', '"value": 1.0')
    assert text.encode() != written
    path.write_text(text)
    assert stages.score(run) == scores
    assert path.read_bytes() == written


def test_scores_against_other_references_are_computed_again(folder, tmp_path, monkeypatch):
    def distances():
        return [row for row in stages.score(Run(folder)) if row.metric in ("fad", "kad")]

    before = distances()
    shutil.copytree(shipped_folder(), tmp_path / "references")
    other = tmp_path / "references" / "notes.mel.npz"
    shutil.copy(tmp_path / "references" / "environment.mel.npz", other)
    monkeypatch.setenv("INNEREAR_REFERENCES", str(other.parent))
    find_reference.cache_clear()
    try:
        after = distances()
    finally:
        find_reference.cache_clear()
    assert len(before) == len(after) > 0
    assert before != after


def test_another_version_of_a_check_is_measured_scored_and_reported_again(folder, monkeypatch):
    run = Run(folder)
    stages.report(run)
    before, page = len(run.measurements()), (folder / "report").stat().st_ino
    monkeypatch.setattr(WaveformCheck, "version", WaveformCheck.version + 1)
    stages.measure(run)
    checks = sum(kind(check) == "waveform" for probe in run.probes for check in probe.expect)
    added = [row for row in list(run.measurements().values())[before:] if row.metric == "waveform"]
    assert len(added) == checks * len(run.asked.models)
    scores = [row for row in stages.score(run) if row.metric == "waveform"]
    assert scores
    assert all(f"|v:{WaveformCheck.version}|" in str(row.signature) for row in scores)
    stages.report(run)
    assert (folder / "report").stat().st_ino != page


def test_a_sound_that_an_embedder_has_heard_is_not_heard_again(monkeypatch):
    class Ear:
        signature = "aisfx|as it works here"

        def embed(self, clips):
            return [np.full((1, 512), 2, np.float32)]

    def network(name):
        if name == "yamnet":
            raise WeightsUnavailable("not here")
        return Ear()

    monkeypatch.setattr(identity, "network", network)
    clip, frames = Clip(np.ones((1, 16_000), np.float32), 16_000), np.ones((1, 512), np.float32)
    assert identity.hear(clip, {Ear.signature: frames})[0].texture is frames
    assert (identity.hear(clip, {"aisfx|otherwise": frames})[0].texture == 2).all()
    assert (identity.hear(clip)[0].texture == 2).all()


def test_frames_of_the_run_go_to_the_metrics_that_use_them_and_to_no_others(folder):
    run = update(folder, lambda file: msgspec.structs.replace(file, signatures={"aisfx": "aisfx|v:1"}))
    item = next(item for item in run.items() if item.render.audio)
    frames = np.arange(1024, dtype=np.float32).reshape(2, 512)
    save_frames(embeddings_folder(run, "aisfx") / "one.npz", [item.render.audio], [frames], None)
    rows = [(item, [Wanted("label", LabelCheck(), 0)]), (item, [Wanted("waveform", WaveformCheck(), 0)])]
    heard, unheard = with_frames(run, rows)
    assert np.array_equal(heard.frames["aisfx|v:1"], frames)
    assert (heard.wanted, unheard.wanted, unheard.frames) == ({"label"}, {"waveform"}, {})


def _groups_scored(run: Run, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """The models and tiers whose distances are computed when a run is scored."""
    computed: list[tuple[str, str]] = []
    whole = score_module.distance_scores

    def distance_scores(groups, *more):
        computed.extend((group.model, group.tier) for group in groups)
        return whole(groups, *more)

    with monkeypatch.context() as patched:
        patched.setattr(score_module, "distance_scores", distance_scores)
        stages.score(run)
    return computed


def test_scores_touch_only_the_groups_whose_sounds_have_changed(folder, monkeypatch):
    run = Run(folder)
    before = stages.score(run)
    other = {name: msgspec.structs.replace(one, note="changed") for name, one in verified.shipped().items()}
    with monkeypatch.context() as patched:
        patched.setattr(verified, "shipped", lambda: other)
        assert _groups_scored(run, monkeypatch) == []
    (folder / "scores.json").unlink()
    assert _groups_scored(run, monkeypatch) == []
    assert stages.score(run) == before
    row = next(item.completion for item in run.items() if item.completion.model == "baseline/noise")
    silent = msgspec.structs.replace(row, text="```python\nprint('no sound')\n```")
    replace_rows(folder / "completions", Completion, [silent])
    assert _groups_scored(run, monkeypatch) == [("baseline/noise", "notes")]


def test_edited_scores_by_embeddings_are_computed_again(folder, monkeypatch):
    run, path = Run(folder), folder / "heard.json"
    before = stages.score(run)
    edited = path.read_text().replace("no probe has 3 attempts", "a probe has 3 attempts")
    assert edited != path.read_text()
    path.write_text(edited)
    (folder / "scores.json").unlink()
    assert len(_groups_scored(run, monkeypatch)) == 2
    assert stages.score(run) == before
