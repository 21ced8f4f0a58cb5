"""The whole way, as its user goes it: run, go on, kill, change something, look at what was redone."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import pytest

from innerear.records import Completion, Measurement, Outcome, Render
from innerear.run.parts import read_rows
from innerear.run.run import Run
from openai_server import OpenAIServer, status

RECORDINGS = Path(__file__).parent.parent / "src" / "innerear" / "ask" / "models" / "recordings"
COMMAND = [sys.executable, "-m", "innerear"]
FEW = ["--suite", "1", "--probes", "notes/waveform/*", "--embedder", "mel"]


def innerear(*words: object, code: int = 0, **environment: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [*COMMAND, *map(str, words)], capture_output=True, text=True, env={**os.environ, **environment}, timeout=240
    )
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "few"
    innerear("run", "--model", "recorded/one-shot", "--model", "baseline/noise", *FEW, "--out", folder)
    return folder


def test_a_run_ends_with_every_file_of_the_design(finished):
    names = {path.name for path in finished.iterdir()}
    assert names >= {
        "run.json",
        "completions",
        "renders",
        "audio",
        "embeddings",
        "measurements",
        "scores.json",
        "report",
    }
    assert (finished / "report" / "index.html").exists()


def test_each_completion_has_one_row_in_each_stage(finished):
    completions = read_rows(finished / "completions", Completion)
    renders = read_rows(finished / "renders", Render)
    subjects = {row.subject for row in read_rows(finished / "measurements", Measurement).values()}
    assert len(completions) == 8
    assert len(renders) == 8
    assert subjects == set(completions)


def test_the_recorded_model_plays_the_four_waveforms_in_tune_and_noise_does_not(finished):
    scores = json.loads((finished / "scores.json").read_text())["scores"]
    pitch = {score["model"]: score["value"] for score in scores if score["metric"] == "pitch"}
    assert pitch == {"recorded/one-shot": 1.0, "baseline/noise": 0.0}


def test_no_row_holds_nan(finished):
    paths = list(finished.rglob("*.json*"))
    assert len(paths) > 5
    for path in paths:
        assert not re.search(rb"\bNaN\b|Infinity", path.read_bytes()), path


def test_the_same_command_again_changes_no_file(finished):
    before = contents(finished)
    innerear("run", "--model", "recorded/one-shot", "--model", "baseline/noise", *FEW, "--out", finished)
    after = contents(finished)
    changed = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    assert changed == set()


def test_the_report_says_when_the_run_was_made(finished):
    assert f"<time>{Run(finished).file.created}</time>" in (finished / "report" / "index.html").read_text()


def test_the_stages_one_by_one_give_the_scores_of_the_whole(finished, tmp_path):
    folder = tmp_path / "steps"
    innerear("generate", "--model", "recorded/one-shot", "--model", "baseline/noise", *FEW, "--out", folder)
    for stage in ("render", "embed", "measure", "score", "report"):
        innerear(stage, folder)
    one, other = (json.loads((f / "scores.json").read_text())["scores"] for f in (finished, folder))
    assert one == other


def test_a_second_command_adds_its_model_and_redoes_nothing(finished, tmp_path):
    folder = tmp_path / "more"
    innerear("run", "--model", "baseline/silence", *FEW, "--out", folder)
    kept = {row.key for row in read_rows(folder / "renders", Render).values()}
    stamp = max(p.stat().st_mtime_ns for p in (folder / "audio").iterdir())
    innerear("run", "--model", "baseline/sine", *FEW, "--out", folder)
    assert Run(folder).asked.models == ["baseline/silence", "baseline/sine"]
    assert kept <= set(read_rows(folder / "renders", Render))
    assert stamp == min(p.stat().st_mtime_ns for p in (folder / "audio").iterdir())


def test_a_second_command_with_other_probes_adds_them(tmp_path):
    folder = tmp_path / "run"
    innerear(
        "generate", "--model", "baseline/silence", "--suite", "1", "--probes", "notes/waveform/s*", "--out", folder
    )
    first = [probe.id for probe in Run(folder).probes]
    innerear(
        "generate", "--model", "baseline/sine", "--suite", "1", "--probes", "notes/waveform/[qt]*", "--out", folder
    )
    run = Run(folder)
    assert [probe.id for probe in run.probes][: len(first)] == first
    assert len(run.probes) > len(first)
    assert run.asked.models == ["baseline/silence", "baseline/sine"]
    assert {c.probe for c in run.completions() if c.model == "baseline/sine"} == {probe.id for probe in run.probes}


def test_what_cannot_stand_in_one_run_is_refused_and_changes_nothing(tmp_path):
    folder = tmp_path / "run"
    command = ["generate", "--model", "baseline/silence", *FEW, "--out", folder]
    innerear(*command)
    before = contents(folder)
    suite = tmp_path / "other.jsonl"
    suite.write_text(innerear("probes", "show", "--suite", "1", "--json", "speech/vowel/*").stdout)
    for other, says in (
        (["--strategy", "plan"], "strategy direct, this command has plan"),
        (["--cpu-s", 7], "limits"),
        (["--track", "library"], "track scratch, this command has library"),
        (["--param", "temperature=1"], "parameters"),
        (["--suite", suite, "--probes", "*"], "suite edition 1"),
    ):
        done = innerear(*command, *other, code=2)
        assert says in done.stderr
        assert "another folder" in done.stderr
        assert done.stderr.count("\n") == 1
    assert contents(folder) == before


def test_a_model_that_answers_no_probe_is_named(tmp_path):
    suite = tmp_path / "two.jsonl"
    suite.write_text(innerear("probes", "show", "--suite", "1", "--json", "notes/waveform/s*").stdout)
    command = ["run", "--model", "baseline/silence", "--model", "swap/baseline/silence", "--suite", suite]
    done = innerear(*command, "--probes", "*sine-440", "--embedder", "mel", "--out", tmp_path / "run")
    assert "swap/baseline/silence has answered none of the 1 probes" in done.stderr


def test_a_changed_tolerance_redoes_that_measurement_and_nothing_else(tmp_path):
    suite = tmp_path / "suite.jsonl"
    shown = innerear("probes", "show", "--suite", "1", "notes/waveform/sine-440").stdout
    probe = msgspec.json.decode(shown[: shown.index("\n}\n") + 3].encode())
    folder = tmp_path / "run"
    command = ["run", "--model", "baseline/noise", "--suite", suite, "--embedder", "mel", "--out", folder]
    suite.write_bytes(msgspec.json.encode(probe))
    innerear(*command)
    rows = {kind: set(read_rows(folder / kind, row)) for kind, row in STAGES.items()}
    probe["expect"][0]["tolerance_cents"] = 20
    suite.write_bytes(msgspec.json.encode(probe))
    innerear(*command)
    after = {kind: set(read_rows(folder / kind, row)) for kind, row in STAGES.items()}
    assert after["completions"] == rows["completions"]
    assert after["renders"] == rows["renders"]
    new = after["measurements"] - rows["measurements"]
    measured = read_rows(folder / "measurements", Measurement)
    assert sorted(measured[key].metric for key in new) == ["failure", "pitch"]  # what failed follows from the check


STAGES = {"completions": Completion, "renders": Render, "measurements": Measurement}


@pytest.mark.parametrize("there", ["run.json", "completions/*.jsonl", "renders/*.jsonl", "measurements/*.jsonl"])
def test_killed_once_something_is_there_a_run_goes_on_and_does_nothing_twice(tmp_path, there):
    folder = tmp_path / "run"
    probes = "notes/[ir]*/[!v]*"  # a violin of 40 s would only make the test long
    command = [
        "run",
        "--model",
        "recorded/one-shot",
        "--suite",
        "1",
        "--probes",
        probes,
        "--embedder",
        "mel",
        "--out",
        str(folder),
    ]
    process = subprocess.Popen(
        [*COMMAND, *command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    while process.poll() is None and not list(folder.glob(there)):
        time.sleep(0.002)
    os.killpg(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL, "it ended before it could be killed"
    before = {kind: read_rows(folder / kind, row) for kind, row in STAGES.items()}
    assert before.get(there.partition("/")[0]) != {}, "nothing was there to be lost"
    innerear(*command)
    after = {kind: read_rows(folder / kind, row) for kind, row in STAGES.items()}
    for kind in STAGES:
        assert {key: after[kind][key] for key in before[kind]} == before[kind], f"{kind} were done twice or lost"
    assert len(after["completions"]) == len(after["renders"]) == 26
    assert {row.outcome for row in after["renders"].values()} == {Outcome.OK}


def test_without_isolation_the_command_ends_with_3_and_the_report_says_not_rendered(tmp_path):
    folder = tmp_path / "run"
    done = innerear(
        "run", "--model", "baseline/sine", *FEW, "--jail", "docker", "--out", folder, code=3, PATH="/nowhere"
    )
    assert "docker" in done.stderr
    assert {item.render.outcome for item in Run(folder).items()} == {Outcome.NOT_RENDERED}
    scores = json.loads((folder / "scores.json").read_text())["scores"]
    rates = [score for score in scores if score["metric"] == "ran"]
    assert [(score["value"], score["n"], score["missing"]) for score in rates] == [(None, 0, 4)]
    assert "not rendered" in (folder / "report" / "index.html").read_text() + "".join(
        p.read_text() for p in (folder / "report").rglob("*.js")
    )


def test_what_was_not_rendered_is_rendered_when_the_jail_works_again(tmp_path):
    folder = tmp_path / "run"
    innerear("run", "--model", "baseline/sine", *FEW, "--jail", "docker", "--out", folder, code=3, PATH="/nowhere")
    innerear("run", "--model", "baseline/sine", *FEW, "--out", folder)
    assert {item.render.outcome for item in Run(folder).items()} == {Outcome.OK}


def test_the_jail_off_is_stamped_on_rows_and_report(tmp_path):
    folder = tmp_path / "run"
    innerear("run", "--model", "baseline/sine", *FEW, "--jail", "off", "--out", folder)
    assert {item.render.jail["tier"] for item in Run(folder).items()} == {"off"}
    assert "jail off" in "".join(p.read_text() for p in (folder / "report").rglob("*") if p.suffix in {".js", ".html"})


def test_swap_scores_the_same_models_sounds_for_other_probes(tmp_path):
    folder = tmp_path / "run"
    models = ["--model", "baseline/informed", "--model", "swap/baseline/informed"]
    innerear("run", *models, "--suite", "1", "--probes", "notes/instrument/*", "--embedder", "mel", "--out", folder)
    scores = json.loads((folder / "scores.json").read_text())["scores"]
    pitch = {score["model"]: score["value"] for score in scores if score["metric"] == "pitch"}
    assert pitch["baseline/informed"] == 1.0
    assert pitch["swap/baseline/informed"] <= 0.2


def test_real_recordings_enter_as_renders(tmp_path, pack):
    folder = tmp_path / "run"
    innerear(
        "run",
        "--model",
        "real",
        "--suite",
        "1",
        "--probes",
        "environment/animals/*",
        "--embedder",
        "mel",
        "--out",
        folder,
    )
    items = Run(folder).items()
    assert len(items) >= 8  # of ten: the references hold more recordings than this pack
    assert all(item.render.outcome == Outcome.OK and item.completion.recording for item in items)


def test_a_folder_that_is_no_run_is_left_alone(tmp_path):
    (tmp_path / "thesis.tex").write_text("precious")
    done = innerear("run", "--model", "baseline/sine", *FEW, "--out", tmp_path, code=2)
    assert "is neither empty nor a run" in done.stderr
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_model_behind_a_server_is_asked_once_and_its_programs_are_run(tmp_path):
    folder = tmp_path / "run"
    with OpenAIServer() as server:
        command = ["run", "--model", "openai/any", "--base-url", server.url, *FEW, "--param", "seed=7", "--out", folder]
        innerear(*command, OPENAI_API_KEY="sk-very-secret")
        innerear(*command, OPENAI_API_KEY="sk-very-secret")
        assert len(server.bodies) == 4
        assert {body["seed"] for body in server.bodies} == {7}
    assert {item.render.outcome for item in Run(folder).items()} == {Outcome.OK}
    assert not [name for name, content in contents(folder).items() if b"sk-very-secret" in content]


def test_what_the_server_refuses_is_a_failure_of_ours_and_the_rest_is_reported(tmp_path):
    folder = tmp_path / "run"

    def refuse_the_square_wave(number, body):
        return status(400, "context overflow") if "square" in body["messages"][-1]["content"] else None

    with OpenAIServer(refuse_the_square_wave) as server:
        command = ["run", "--model", "openai/any", "--base-url", server.url, *FEW, "--out", folder]
        done = innerear(*command, code=1, OPENAI_API_KEY="sk-x")
    assert "notes/waveform/square-220" in done.stderr
    assert len(Run(folder).items()) == 3
    assert (folder / "report" / "index.html").exists()


def test_a_program_that_asks_the_clock_is_found_by_a_second_run(tmp_path):
    programs = {
        "steady": "x = np.sin(np.arange(88200) * 0.1)",
        "chance": "x = np.random.default_rng().normal(size=88200) * 0.1",  # seeded by the jail
        "clock": "import time; x = np.sin(np.arange(88200) * 0.1 * (1 + time.time_ns() % 1000 / 1000))",
    }
    rows = []
    for row in map(json.loads, (RECORDINGS / "one-shot.jsonl").read_text().splitlines()[:3]):
        code = programs[list(programs)[len(rows)]]
        text = f"```python\nimport numpy as np\nfrom scipy.io import wavfile\n{code}\n"
        rows.append({**row, "text": text + 'wavfile.write("output.wav", 44100, x.astype(np.float32))\n```'})
    recording = tmp_path / "mine.jsonl"
    recording.write_text("\n".join(map(json.dumps, rows)))
    folder = tmp_path / "run"
    probes = ["--suite", "1", "--probes", "notes/waveform/s*"]
    innerear("generate", "--model", f"recorded/{recording}", *probes, "--out", folder)
    done = innerear("render", folder, "--twice")
    named = [line.split()[0] for line in done.stdout.splitlines()]
    assert named == [rows[2]["probe"]]


def test_a_recording_of_another_pitch_is_not_judged_on_its_pitch(tmp_path, pack):
    folder = tmp_path / "run"
    innerear(
        "run", "--model", "real", "--suite", "1", "--probes", "notes/instrument/*", "--embedder", "mel", "--out", folder
    )
    other = {i.completion.key for i in Run(folder).items() if i.completion.finish_reason == "another pitch"}
    rows = [row for row in Run(folder).measurements().values() if row.metric == "pitch"]
    assert other
    assert {row.passed for row in rows if row.subject in other} == {None}
    assert {row.passed for row in rows if row.subject not in other} == {True}
