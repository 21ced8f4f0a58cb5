"""A run or a suite on the hub: what goes up is what `pack` packs, what comes down passes `unpack`."""

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from hub_server import TOKEN, serving
from innerear import stages, suite
from innerear.errors import UsageError
from innerear.run.run import Run

pytest.importorskip("huggingface_hub", reason="the extra [hub] is not installed")
yaml = pytest.importorskip("yaml", reason="the extra [hub] is not installed")
pytestmark = pytest.mark.xdist_group("hub")

INNEREAR = Path(sys.executable).parent / "innerear"
REPO = "someone/first-run"


@pytest.fixture(scope="module")
def hub():
    with serving() as server:
        yield server


@pytest.fixture(scope="module")
def command(hub, tmp_path_factory):
    """`innerear` as one types it, with the hub behind HF_ENDPOINT."""
    home = tmp_path_factory.mktemp("home")

    def run(*words, token=TOKEN, ends=0):
        own = {"HF_ENDPOINT": hub.address, "HF_HOME": str(home), "HF_TOKEN": token, "HF_HUB_DISABLE_PROGRESS_BARS": "1"}
        own["HF_HUB_DISABLE_XET"] = "1"  # the stand-in speaks LFS alone
        kept = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
        done = subprocess.run(
            [INNEREAR, *map(str, words)], capture_output=True, text=True, env=kept | own, cwd=home, timeout=300
        )
        assert done.returncode == ends, done.stdout + done.stderr
        return done.stdout + done.stderr

    return run


@pytest.fixture(scope="module")
def pushed(command, tmp_path_factory):
    """A run, and what was said when it was pushed."""
    folder = tmp_path_factory.mktemp("run") / "mine"
    models = ["--model", "recorded/one-shot", "--model", "baseline/noise", "--model", "baseline/silence"]
    command("run", *models, "--suite", "1", "--probes", "notes/waveform/*", "--embedder", "mel", "--out", folder)
    return folder, command("push", folder, REPO, "--licence", "cc-by-4.0")


def at(hub, repo=REPO):
    return hub.hub.repos[repo][-1][1]


def test_push_says_where_it_lies(hub, pushed):
    assert pushed[1].strip() == f"{hub.address}/datasets/{REPO}/commit/{hub.hub.repos[REPO][-1][0]}"


def test_sounds_went_by_lfs_and_text_in_the_commit(hub, pushed):
    files = at(hub)
    sounds = [name for name in files if name.endswith(".flac")]
    assert len(sounds) == len({item.render.audio for item in Run(pushed[0]).items()})
    assert all(content in hub.hub.objects.values() for name, content in files.items() if name.endswith(".flac"))


def test_the_card_says_what_the_run_is(hub, pushed):
    card = at(hub)["README.md"].decode()
    front, _, text = card.removeprefix("---\n").partition("\n---\n")
    assert "license: cc-by-4.0" in front
    assert "config_name: scores" in front
    run = Run(pushed[0])
    assert run.asked.suite_digest in text
    assert "`recorded/one-shot`" in text
    assert "### Notes" in text
    assert "100" in next(line for line in text.splitlines() if line.startswith("| recorded/one-shot"))
    assert str(pushed[0]) not in card
    assert f"innerear pull {REPO}" in text


def test_the_tables_for_the_hubs_viewer(hub, pushed):
    run = Run(pushed[0])
    rows = list(csv.DictReader(io.StringIO(at(hub)["scores.csv"].decode())))
    assert len(rows) == len(stages.score(run))
    sounds = [json.loads(line) for line in at(hub)["audio/metadata.jsonl"].splitlines()]
    assert {row["file_name"] for row in sounds} == {f"{item.render.audio}.flac" for item in run.items()}
    (sine,) = [row for row in sounds if row["probe"].endswith("sine-440") and row["model"] == "recorded/one-shot"]
    assert sine["checks"] == sine["passed"] > 0


def test_pull_gives_the_same_rows_sounds_and_scores(command, pushed, tmp_path):
    command("pull", REPO, "--out", tmp_path / "theirs")
    ours, theirs = Run(pushed[0]), Run(tmp_path / "theirs")
    assert theirs.items() == ours.items()
    assert stages.score(theirs) == stages.score(ours)
    for item in theirs.items():
        name = f"{item.render.audio}.flac"
        assert (theirs.audio / name).read_bytes() == (ours.audio / name).read_bytes()
    assert "already exists" in command("pull", REPO, "--out", tmp_path / "theirs", ends=2)


def test_a_second_push_leaves_nothing_of_the_first(hub, command, pushed, tmp_path):
    folder = tmp_path / "small"
    asked = ["--model", "baseline/sine", "--suite", "1", "--probes", "notes/waveform/sine-440", "--embedder", "mel"]
    command("run", *asked, "--out", folder)
    before = hub.hub.repos[REPO][-1][0]
    command("push", folder, REPO)
    assert sum(name.endswith(".flac") for name in at(hub)) == 1
    command("pull", REPO, "--revision", before, "--out", tmp_path / "earlier")
    assert Run(tmp_path / "earlier").asked.models == Run(pushed[0]).asked.models
    command("push", pushed[0], REPO, "--licence", "cc-by-4.0")


def test_no_path_of_this_machine_goes_up(hub, command, pushed, tmp_path):
    recording = tmp_path / "mine.jsonl"
    command("record", pushed[0], "--model", "recorded/one-shot", "--out", recording)
    asked = [
        "--model",
        f"recorded/{recording}",
        "--suite",
        "1",
        "--probes",
        "notes/waveform/sine-440",
        "--embedder",
        "mel",
    ]
    command("run", *asked, "--out", tmp_path / "run")
    command("push", tmp_path / "run", "someone/own")
    files = at(hub, "someone/own")
    assert "recorded/mine.jsonl" in files["README.md"].decode()
    for name, content in files.items():
        if not name.endswith((".flac", ".npz")):
            assert str(tmp_path) not in content.decode(), name


def test_a_suite_goes_up_and_is_asked_by_its_address(hub, command, tmp_path):
    mine = tmp_path / "mine.jsonl"
    probes = suite.choose(suite.edition("1").probes, pattern="notes/waveform/*")
    mine.write_bytes(b"".join(suite.Suite("mine", probes).lines()))
    command("push", mine, "someone/suite")
    assert suite.load(mine).digest in at(hub, "someone/suite")["README.md"].decode()
    listed = command("probes", "list", "--suite", "hf://datasets/someone/suite")
    assert [line.split()[0] for line in listed.splitlines()] == [probe.id for probe in probes]
    command("pull", "someone/suite", "--out", tmp_path / "again.jsonl")
    assert suite.load(tmp_path / "again.jsonl").probes == probes
    commit = hub.hub.repos["someone/suite"][-1][0]
    folder = tmp_path / "run"
    given = ["--suite", f"hf://datasets/someone/suite@{commit}", "--probes", "*sine*"]
    command("generate", *given, "--model", "baseline/sine", "--out", folder)
    assert Run(folder).asked.suite == f"someone/suite@{commit[:12]}"


def test_a_dataset_that_is_something_else_is_refused(hub, command, tmp_path):
    hub.hub.repos["someone/else"] = [("1" * 40, {"train.csv": b"a,b\n"})]
    assert "neither a run nor a suite" in command("pull", "someone/else", "--out", tmp_path / "x", ends=2)


def test_a_strangers_dataset_passes_the_checks_of_unpack(hub, command, pushed, tmp_path):
    files = dict(at(hub))
    sound = next(name for name in files if name.endswith(".flac"))
    files[sound] = b"fLaC no sound"
    hub.hub.repos["someone/hostile"] = [("2" * 40, files)]
    assert "not a sound file" in command("pull", "someone/hostile", "--out", tmp_path / "x", ends=2)
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize(
    ("words", "token", "ends", "says"),
    [
        (["pull", "someone/nothing", "--out", "x"], TOKEN, 2, "is not on the hub"),
        (["pull", "no name", "--out", "x"], TOKEN, 2, "OWNER/NAME"),
        (["probes", "list", "--suite", "hf://models/x"], TOKEN, 2, "hf://datasets/OWNER/NAME"),
    ],
)
def test_wrong_use_is_told(command, words, token, ends, says):
    assert says in command(*words, token=token, ends=ends)


def test_without_a_token_it_says_how_to_get_one(command, pushed):
    said = command("push", pushed[0], "someone/other", token="hf_wrong", ends=1)
    assert "hf auth login" in said
    assert "hf_wrong" not in said


def test_a_hub_that_is_down_is_named(hub, command, tmp_path):
    hub.hub.down = True
    try:
        assert "the hub refuses" in command("pull", REPO, "--out", tmp_path / "x", ends=1)
    finally:
        hub.hub.down = False


def test_an_address_that_is_none_needs_no_hub():
    with pytest.raises(UsageError, match="not a hub address"):
        suite.load(Path("hf://datasets/only-one-part"))


@pytest.fixture(scope="module")
def benchmark(hub, command, tmp_path_factory):
    """A suite on the hub, and a run that answered one of its two tiers in full."""
    folder = tmp_path_factory.mktemp("benchmark")
    probes = [
        one for one in suite.load("1").probes if one.id in ("notes/waveform/sine-440", "notes/waveform/square-220")
    ]
    probes += [one for one in suite.load("1").probes if one.id == "speech/vowel/a"]
    (folder / "mine.jsonl").write_bytes(b"".join(msgspec.json.encode(one) + b"\n" for one in probes))
    command("push", folder / "mine.jsonl", "someone/benchmark")
    asked = ["--suite", "hf://datasets/someone/benchmark", "--model", "baseline/informed", "--embedder", "mel"]
    command("run", *asked, "--out", folder / "whole")
    command("run", *asked, "--probes", "notes/*/sine*", "--out", folder / "part")
    return folder


def test_a_suite_is_a_benchmark_with_a_task_per_tier(hub, benchmark):
    said = yaml.safe_load(at(hub, "someone/benchmark")["eval.yaml"])
    assert {"name", "description", "evaluation_framework", "tasks"} == set(said)
    assert [task["id"] for task in said["tasks"]] == ["notes", "speech"]
    card = at(hub, "someone/benchmark")["README.md"].decode()
    (config,) = yaml.safe_load(card.split("---")[1])["configs"]
    assert {(task["config"], task["split"]) for task in said["tasks"]} == {
        (config["config_name"], config["data_files"][0]["split"])
    }


def test_results_for_a_model_are_read_by_the_hubs_own_reader(hub, command, benchmark, tmp_path):
    from huggingface_hub import parse_eval_result_entries

    asked = ["--benchmark", "someone/benchmark", "--model", "baseline/informed", "--source", "https://example.org/run"]
    command("eval-results", benchmark / "whole", *asked, "--out", tmp_path / "innerear.yaml")
    entries = parse_eval_result_entries(yaml.safe_load((tmp_path / "innerear.yaml").read_text()))
    scores = {
        one.tier: one
        for one in stages.score(Run(benchmark / "whole"))
        if str(one.group) == "all" and one.metric == "checks"
    }
    assert {entry.task_id: entry.value for entry in entries} == {
        tier: round(100 * one.value, 1) for tier, one in scores.items() if one.value is not None
    }
    assert entries[0].dataset_revision == hub.hub.repos["someone/benchmark"][-1][0][:12]
    assert entries[0].source_url == "https://example.org/run"


def test_results_of_part_of_a_benchmark_are_refused(command, benchmark, pushed, tmp_path):
    out = tmp_path / "innerear.yaml"
    asked = ["--benchmark", "someone/benchmark", "--model", "baseline/informed", "--out", out]
    assert "has not answered 1 probes of notes" in command("eval-results", benchmark / "part", *asked, ends=2)
    assert "but the run was asked the suite" in command("eval-results", pushed[0], *asked, ends=2)
    assert not out.exists()
