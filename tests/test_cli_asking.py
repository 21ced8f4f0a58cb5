"""The commands around asking, on a real run: anatomy, record."""

import json
import subprocess
import sys

import pytest

MODELS = ["--model", "recorded/one-shot", "--model", "baseline/sine"]


def told(*words, code=0, **more):
    done = subprocess.run([sys.executable, "-m", "innerear", *map(str, words)], capture_output=True, text=True,
                          check=False, **more)  # fmt: skip
    assert done.returncode == code, done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("asked") / "run"
    told("generate", *MODELS, "--suite", "1", "--probes", "notes/waveform/*", "--out", folder)
    return folder


def test_anatomy_names_models_techniques_and_imports(run):
    output = told("anatomy", run)
    assert "recorded/one-shot: 4 programs" in output
    assert "additive" in output
    rows = [json.loads(line) for line in told("anatomy", run, "--json").splitlines()]
    assert len(rows) == 8
    assert all("numpy" in row["anatomy"]["imports"] for row in rows)


def test_a_recording_of_a_run_is_asked_like_a_model(run, tmp_path):
    out = tmp_path / "mine.jsonl"
    assert "name one, such as --model" in told("record", run, "--out", out, code=2)
    assert "4 answers" in told("record", run, "--out", out, "--model", "recorded/one-shot")
    assert "wanted a new file" in told("record", run, "--out", out, "--model", "recorded/one-shot", code=2)
    told(
        "generate",
        "--model",
        f"recorded/{out}",
        "--suite",
        "1",
        "--probes",
        "notes/waveform/*",
        "--out",
        tmp_path / "again",
    )
    texts = [sorted(json.loads(line)["text"] for path in (folder / "completions").glob("*.jsonl")
                    for line in path.read_text().splitlines() if "baseline" not in json.loads(line)["model"])
             for folder in (run, tmp_path / "again")]  # fmt: skip
    assert texts[0] == texts[1]
