"""A site from packed runs: equal conditions share a table, a bad file is left out, nothing finished is done twice."""

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from innerear import stages
from innerear.cli.main import main
from innerear.errors import UsageError
from innerear.run.parts import write_whole
from innerear.run.run import Run
from innerear.scores.scorecard import scorecard
from innerear.sharing import leaderboard as board
from innerear.sharing.pack import pack

pytestmark = pytest.mark.xdist_group("recorded_run")


@pytest.fixture(scope="module")
def packs(recorded_run, tmp_path_factory) -> Path:
    """A run; the same without its baselines; and the same with a probe less."""
    folder = tmp_path_factory.mktemp("packs")
    pack(Run(recorded_run), folder / "whole.zip")
    fewer = Path(shutil.copytree(recorded_run, folder / "fewer"))
    file = json.loads((fewer / "run.json").read_text())
    file["asked"]["models"] = ["recorded/one-shot"]
    write_whole(fewer / "run.json", json.dumps(file).encode())
    pack(Run(fewer), folder / "Alone & <b>.zip")
    lines = (fewer / "probes.jsonl").read_bytes().splitlines(keepends=True)
    write_whole(fewer / "probes.jsonl", b"".join(lines[1:]))
    write_whole(fewer / "run.json", json.dumps({**file, "probes": []}).encode())  # as if it had never had more
    pack(Run(fewer), folder / "less.zip")
    shutil.rmtree(fewer)
    return folder


@pytest.fixture(scope="module")
def site(packs, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("site") / "board"
    built = board.leaderboard(packs, out)
    assert built.left_out == []
    return out


def content(site: Path) -> dict:
    text = (site / "data" / "board.js").read_text()
    return json.loads(json.loads(f"[{text[len('InnerEar.receive(') : -3]}]")[2])


def test_runs_of_the_same_probes_share_a_table_and_others_say_what_differs(site):
    first, second = content(site)["boards"]
    assert {row["run"] for row in first["rows"]} == {"whole", "Alone & <b>"}
    assert {row["run"] for row in second["rows"]} == {"less"}
    assert (first["differs"], second["differs"]) == ([], ["probes"])


def test_each_number_is_that_of_the_run_with_its_interval_n_and_signature(site, recorded_run):
    first = content(site)["boards"][0]
    scores = stages.score(Run(recorded_run))
    cells = 0
    for row in first["rows"]:
        for column, cell in zip(first["columns"], row["cells"], strict=True):
            if cell is not None and row["run"] == "whole":
                (score,) = [
                    s for s in scores
                    if (s.model, s.metric, s.tier, s.group, s.signature)
                    == (row["model"], column["metric"], column["tier"], column["group"], cell["signature"])
                ]  # fmt: skip
                assert (cell["value"], cell["low"], cell["high"], cell["n"]) == (
                    score.value,
                    score.low,
                    score.high,
                    score.n,
                )
                cells += 1
    assert cells > 10


def test_a_table_begins_with_the_scorecards_of_its_models(site, recorded_run):
    first = content(site)["boards"][0]
    assert [row["label"] for row in first["card"]["rows"]] == [
        "recorded/one-shot · direct · Alone & <b>", "recorded/one-shot · direct · whole",
    ]  # fmt: skip
    (row, *_) = scorecard(stages.score(Run(recorded_run)))
    for shown in first["card"]["rows"]:
        values = [(cell["question"], cell["tier"], cell["value"], cell["n"]) for cell in shown["cells"]]
        assert values == [(cell.question, cell.tier, cell.value, cell.n) for cell in row.cells]


def test_each_run_has_its_page_its_sounds_and_its_file(site):
    places = list((site / "runs").iterdir())
    assert len(places) == len(list((site / "packs").glob("*.zip"))) > 0
    for place in places:
        assert {path.name for path in place.iterdir()} == {"report", "audio", "entry.json"}
        assert (place / "report" / "index.html").exists()
        assert list((place / "audio").glob("*.flac"))
        assert (site / "packs" / f"{place.name}.zip").exists()


def test_a_site_that_is_built_again_scores_nothing_again(packs, site, monkeypatch):
    monkeypatch.setattr(board, "unpack", lambda *_: pytest.fail("unpacked again"))
    before = content(site)["boards"]
    board.leaderboard(packs, site)
    assert content(site)["boards"] == before


def test_a_bad_file_and_a_copy_are_left_out_and_named(packs, site, tmp_path):
    folder = Path(shutil.copytree(packs, tmp_path / "packs"))
    mine = Path(shutil.copytree(site, tmp_path / "board"))
    (folder / "bad.zip").write_bytes(b"PK nothing")
    shutil.copyfile(folder / "whole.zip", folder / "zz-again.zip")
    (folder / "less.zip").unlink()
    done = CliRunner().invoke(main, ["leaderboard", str(folder), "--out", str(mine)])
    assert done.exit_code == 1
    assert "bad.zip is left out" in done.output
    assert "zz-again.zip is left out: it is the same run as whole" in done.output
    assert len(list((mine / "runs").iterdir())) == 2, "a run that is gone from the folder is gone from the site"
    assert len(list((mine / "packs").iterdir())) == 2


def test_a_folder_without_packed_runs_and_a_site_that_is_something_else_are_refused(packs, tmp_path):
    with pytest.raises(UsageError, match="no packed runs"):
        board.leaderboard(tmp_path, tmp_path / "out")
    (tmp_path / "mine.txt").write_text("x")
    with pytest.raises(UsageError, match="is not a leaderboard"):
        board.leaderboard(packs, tmp_path)


def test_no_name_of_a_run_is_a_path_or_markup(site):
    names = [path.name for path in (site / "runs").iterdir()]
    assert any(name.startswith("alone-b-") for name in names)
    assert "<" not in (site / "data" / "board.js").read_text()
