"""`innerear doctor --parity FOLDER` and `innerear clap`, as a user with a checkpoint would call them."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner

from innerear.cli.main import main

from .checkpoints import save_clap, scatter

pytest.importorskip("torch", reason="the extra `export` is not installed")
pytest.importorskip("onnx", reason="the extra `export` is not installed")
transformers = pytest.importorskip("transformers", reason="the extra `export` is not installed")

pytestmark = pytest.mark.usefixtures("exported")
CHECKPOINT = ("clap-laion", save_clap)  # of the fixture `hub`


def test_networks_of_a_checkpoint_are_near_to_it_in_all(hub: Path) -> None:
    said = CliRunner().invoke(main, ["doctor", "--parity", str(hub)])
    assert said.exit_code == 0, said.output
    assert [line[:4] for line in said.stdout.splitlines()] == ["ok  "] * 4


def test_networks_of_another_checkpoint_are_far_from_it(hub: Path, tmp_path: Path) -> None:
    other = scatter(transformers.ClapModel.from_pretrained(hub), seed=1)
    other.save_pretrained(tmp_path)
    (tmp_path / "tokenizer.json").write_bytes((hub / "tokenizer.json").read_bytes())
    said = CliRunner().invoke(main, ["doctor", "--parity", str(tmp_path)])
    assert said.exit_code == 1
    assert [line[:4] for line in said.stdout.splitlines()] == ["ok  ", "no  ", "no  ", "no  "]  # mel has no weights


def test_a_sound_is_held_against_captions_from_words_and_from_a_file(tmp_path: Path) -> None:
    sound, captions = tmp_path / "sound.wav", tmp_path / "captions.txt"
    soundfile.write(sound, np.random.default_rng(0).normal(0, 0.1, 600_000), 48_000)
    captions.write_text("steady rain\n\na cat meowing\n")
    said = CliRunner().invoke(main, ["clap", str(sound), "--text", "a dog", "--captions", str(captions), "--json"])
    assert said.exit_code == 0, said.output
    found = json.loads(said.stdout)
    assert found["windows"] == 2
    assert {heard["caption"] for heard in found["captions"]} == {"a dog", "steady rain", "a cat meowing"}
    cosines = [heard["cosine"] for heard in found["captions"]]
    assert cosines == sorted(cosines, reverse=True)


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ([], "no caption; wanted --text"),
        (["--text", " "], "caption 1 is empty"),
        (["--text", "rain", "--embedder", "mel"], "mel does not support captions"),
        (["--text", "rain", "--embedder", "clap-laion-general"], "no weights: clap-laion-general/audio.onnx"),
        (["--captions", "gone.txt"], "gone.txt cannot be read as text"),
    ],
)
def test_wrong_use_of_clap_is_one_line(tmp_path: Path, options: list[str], line: str) -> None:
    sound = tmp_path / "sound.wav"
    soundfile.write(sound, np.zeros(480), 48_000)
    said = CliRunner().invoke(main, ["clap", str(sound), *options])
    assert said.exit_code in {1, 2}
    assert said.stderr.startswith(f"innerear: {line}")
    assert said.stderr.count("\n") == 1


def test_a_run_reads_its_captions_once_and_scores_them(tmp_path: Path) -> None:
    out = tmp_path / "run"
    asked = [
        "run",
        "--model",
        "baseline/sine",
        "--suite",
        "1",
        "--probes",
        "environment/animals/[cd]*",
        "--embedder",
        "clap-laion",
    ]
    first = CliRunner().invoke(main, [*asked, "--out", str(out)])
    assert first.exit_code == 0, first.output
    scores = {score["metric"]: score for score in json.loads((out / "scores.json").read_text())["scores"]}
    for metric in ("clap", "clap_rank", "clap_retrieval", "clap_class"):
        assert scores[metric]["n"] == 4  # cat, cow, crow, dog
    assert scores["clap"]["floor"].keys() == {"shuffled", "noise", "silence"}
    assert scores["clap_class"]["detail"]["classes"] == 50
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*.npz")}
    assert CliRunner().invoke(main, [*asked, "--out", str(out)]).exit_code == 0
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*.npz")} == before
