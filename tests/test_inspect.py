"""Inspect is another road to the same numbers: its models, limits and logs around our probes, jail and scores."""

import base64
import io
import json
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
import soundfile
from click.testing import CliRunner

from innerear import stages, suite
from innerear.ask.models import Options, open_model
from innerear.ask.strategies import find_strategy
from innerear.cli.main import main
from innerear.errors import UsageError
from innerear.records import Completion, Outcome
from innerear.run.create import create
from innerear.run.run import Run, RunConfig
from innerear.stages import choose_embedders

pytest.importorskip("inspect_ai", reason="the extra [inspect] is not installed")
pytestmark = [
    pytest.mark.xdist_group("inspect"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

from inspect_ai import eval as inspect_eval  # noqa: E402
from inspect_ai import score as inspect_score  # noqa: E402
from inspect_ai.log import read_eval_log  # noqa: E402
from inspect_ai.model import GenerateConfig, ModelOutput, ModelUsage, get_model  # noqa: E402

from innerear import inspect as inspect_face  # noqa: E402
from innerear.inspect import logs as inspect_logs  # noqa: E402
from innerear.inspect.rows import flat, heard_in, set_of  # noqa: E402
from innerear.inspect.sandbox import JailConfig, JailSandbox  # noqa: E402
from innerear.inspect.solver import AskedByInspect, probe_of  # noqa: E402

PATTERN = "notes/waveform/*"
CRASHES = "```python\nraise SystemExit(3)  # output.wav\n```"
SINE = """```python
import numpy as np
from scipy.io import wavfile

wavfile.write("output.wav", 44100, (0.5 * np.sin(2 * np.pi * 440 * np.arange(88200) / 44100)).astype(np.float32))
```"""


def recorded_texts():
    lines = (
        (Path(suite.__file__).parent.parent / "ask" / "models" / "recordings" / "one-shot.jsonl")
        .read_bytes()
        .splitlines()
    )
    rows = [json.loads(line) for line in lines]
    return {row["messages"][-1]["content"]: row for row in rows}


def mock(answer):
    """A `mockllm` that answers by what it is sent; `answer(messages, how often these were sent before)`."""
    sent = {}

    def outputs(messages, tools, tool_choice, config):
        key = tuple(message.text for message in messages)
        sent[key] = sent.get(key, -1) + 1
        output = ModelOutput.from_content("mockllm/model", answer([message.text for message in messages], sent[key]))
        output.usage = ModelUsage(input_tokens=10, output_tokens=20, total_tokens=30)  # else it asks the net to count
        return output

    return get_model("mockllm/model", custom_outputs=outputs, memoize=False)


def evaluated(task, model, folder, **more):
    (log,) = inspect_eval(task, model=model, log_dir=str(folder), display="none", **more)
    assert log.status == "success", log.error and log.error.traceback
    return read_eval_log(log.location, resolve_attachments=True)


@pytest.fixture(scope="module")
def texts():
    return recorded_texts()


@pytest.fixture(scope="module")
def log(tmp_path_factory, texts):
    """Two attempts at four probes: the first as recorded, the second with no program in it."""
    task = inspect_face.notes(suite="1", pattern=PATTERN, attempts=2, embedders="mel")
    model = mock(lambda messages, before: "I cannot." if before else texts[messages[-1]]["text"])
    return evaluated(task, model, tmp_path_factory.mktemp("logs"), max_samples=1)


@pytest.fixture(scope="module")
def ours(tmp_path_factory, texts):
    """The same answers by our own road."""
    folder = tmp_path_factory.mktemp("ours")
    probes = suite.choose(suite.edition("1").probes, ["notes"], PATTERN)
    lines = []
    for probe in probes:
        messages = [msgspec.to_builtins(m) for m in find_strategy("direct").opening(probe)]
        for attempt, text in enumerate([texts[messages[-1]["content"]]["text"], "I cannot."]):
            lines.append({"probe": probe.id, "messages": messages, "text": text, "attempt": attempt})
    recording = folder / "mine.jsonl"
    recording.write_text("".join(json.dumps(line) + "\n" for line in lines))
    name = f"recorded/{recording}"
    loaded = suite.edition("1")
    asked = RunConfig(models=[name], attempts=2, suite=loaded.name, suite_digest=loaded.digest, embedders=["mel"])
    run = create(folder / "run", asked, probes, "test")
    stages.generate(run, [open_model(name)])
    assert stages.render(run).failures == []
    run, _ = choose_embedders(run)
    stages.embed(run)
    stages.measure(run)
    return run


def without_model(scores):
    return [msgspec.structs.replace(score, model="") for score in scores]


def test_scores_are_those_of_our_own_road(log, ours):
    assert log.status == "success"
    heard = [heard_in(sample.scores["sounds"].metadata) for sample in log.samples]
    assert without_model(set_of(heard)) == without_model(stages.score(ours))


def test_the_log_has_them_as_metrics_over_all_epochs(log, ours):
    (score,) = log.results.scores
    metrics = {name: metric.value for name, metric in score.metrics.items()}
    wanted = flat(stages.score(ours))
    assert metrics.keys() == wanted.keys()
    assert metrics == pytest.approx(wanted, abs=1e-12)
    assert metrics["passed"] == 0.5  # of eight, not of the four of the first epoch
    assert metrics["pass@2"] == 1.0
    assert metrics["scorecard_runs"] == metrics["audio"]


def test_what_a_model_got_wrong_is_a_score(log):
    second = [sample for sample in log.samples if sample.epoch == 2]
    assert second
    for sample in second:
        assert sample.error is None
        assert sample.scores["sounds"].answer == "no_program"
        assert sample.scores["sounds"].value["passed"] == 0.0


def test_the_sound_stands_in_the_messages_for_the_viewer_to_play(log):
    (sample,) = [one for one in log.samples if one.id.endswith("sine-440") and one.epoch == 1]
    words, sound = sample.messages[-1].content
    assert words.text == "(not sent to the model) ok, 2.00 s at 44100 Hz"
    assert sound.format == "wav"
    heard = soundfile.info(io.BytesIO(base64.b64decode(sound.audio.partition(",")[2])))
    assert (heard.samplerate, heard.frames, heard.subtype) == (44100, 88200, "PCM_24")


def test_the_digest_of_the_content_is_part_of_the_task_and_can_be_pinned(log):
    content = log.eval.metadata["innerear"]["content"]
    assert log.eval.task_version == f"1.{content[:12]}"
    assert log.eval.scorers[0].options["content"] == content
    inspect_face.notes(suite="1", pattern=PATTERN, embedders="mel", digest=content)
    with pytest.raises(ValueError, match="suite or version differs"):
        inspect_face.notes(suite="1", pattern=PATTERN, embedders="mel", digest="0" * 32)


def test_another_suite_has_another_digest(tmp_path):
    probe = suite.edition("1").probes[0]
    changed = msgspec.structs.replace(probe, caption="something else")
    (tmp_path / "mine.jsonl").write_bytes(msgspec.json.encode(changed))
    task = inspect_face.notes(suite=str(tmp_path / "mine.jsonl"), embedders="mel")
    assert task.version != inspect_face.notes(embedders="mel").version


def test_a_log_becomes_a_run_with_the_same_rows_and_sounds(log, ours, tmp_path):
    result = CliRunner().invoke(main, ["import", log.location, "--out", str(tmp_path / "run")])
    assert result.exit_code == 0, result.output
    assert "8 completions, 8 renders" in result.output
    run = Run(tmp_path / "run")
    assert run.probes == ours.probes
    assert run.asked.attempts == 2
    for mine, theirs in zip(run.items(), ours.items(), strict=True):
        assert mine.completion.messages == theirs.completion.messages
        assert mine.completion.text == theirs.completion.text
        assert mine.render.key == theirs.render.key
        if mine.render.audio:
            name = f"{mine.render.audio}.flac"
            assert (run.audio / name).read_bytes() == (ours.audio / name).read_bytes()
    run, _ = choose_embedders(run)
    stages.embed(run)
    stages.measure(run)
    assert without_model(stages.score(run)) == without_model(stages.score(ours))


def test_logs_of_two_models_and_an_import_done_twice_make_one_run(log, tmp_path):
    other = evaluated(
        inspect_face.notes(suite="1", pattern=PATTERN, embedders="mel"), "baseline/silence", tmp_path / "logs"
    )
    folder = tmp_path / "run"
    for _ in range(2):
        inspect_logs.import_logs([Path(log.location), Path(other.location)], folder, "test")
    run = Run(folder)
    assert run.asked.models == ["mockllm/model", "baseline/silence"]
    assert len(run.completions()) == 12


def test_a_log_that_is_not_ours_is_refused(tmp_path):
    (tmp_path / "x.eval").write_bytes(b"nothing")
    result = CliRunner().invoke(main, ["import", str(tmp_path / "x.eval"), "--out", str(tmp_path / "run")])
    assert result.exit_code == 2
    assert "cannot be read as an Inspect log" in result.output


def test_a_log_that_names_a_file_elsewhere_is_refused(log, tmp_path):
    from inspect_ai.log import write_eval_log

    hostile = log.model_copy(deep=True)
    for sample in hostile.samples:
        sample.scores["sounds"].metadata["innerear"]["render"]["audio"] = "../../escaped"
    write_eval_log(hostile, str(tmp_path / "hostile.eval"))
    with pytest.raises(UsageError, match="names a file"):
        inspect_logs.import_logs([tmp_path / "hostile.eval"], tmp_path / "run", "test")
    assert not (tmp_path / "run").exists()


def test_batch_scores_stand_in_a_log(log, ours, tmp_path):
    inspect_logs.import_logs([Path(log.location)], tmp_path / "run", "test")
    run, _ = choose_embedders(Run(tmp_path / "run"))
    stages.embed(run)
    stages.measure(run)
    result = CliRunner().invoke(main, ["export", str(tmp_path / "run"), "--inspect", str(tmp_path / "rows")])
    assert result.exit_code == 0, result.output
    rows = tmp_path / "rows" / "mockllm+model.jsonl"
    assert result.output.strip() == str(rows)
    scored = inspect_score(log, inspect_face.batch_scores(str(rows)), action="overwrite", display="none")
    before = {name: metric.value for name, metric in log.results.scores[0].metrics.items()}
    after = {name: metric.value for name, metric in scored.results.scores[0].metrics.items()}
    assert "fad_mel(notes)" in after
    assert after == pytest.approx(before, abs=1e-12)
    for before, after in zip(log.samples, scored.samples, strict=True):
        assert after.scores["batch_scores"].value == before.scores["sounds"].value


def test_a_log_can_be_scored_again_without_a_jail(log):
    again = inspect_score(log, inspect_face.sounds(embedders="mel"), action="overwrite", display="none")
    before = {name: metric.value for name, metric in log.results.scores[0].metrics.items()}
    after = {name: metric.value for name, metric in again.results.scores[0].metrics.items()}
    assert after == pytest.approx(before, abs=1e-12)


def test_a_strategy_holds_its_whole_conversation(tmp_path):
    task = inspect_face.notes(strategy="repair:1", suite="1", pattern="notes/waveform/sine-440", embedders="mel")
    model = mock(lambda messages, before: CRASHES if len(messages) == 2 else SINE)
    (sample,) = evaluated(task, model, tmp_path).samples
    completion = msgspec.convert(sample.store["innerear"]["completion"], Completion)
    assert [round.outcome for round in completion.rounds] == ["exit_code", ""]
    assert "exit code" in completion.messages[-1].content
    assert completion.text == SINE
    assert sample.scores["sounds"].value["passed"] == 1.0


def test_a_limit_of_inspects_ends_a_sample_with_a_score(tmp_path):
    task = inspect_face.notes(strategy="repair:1", suite="1", pattern="notes/waveform/sine-440", embedders="mel")
    model = mock(lambda messages, before: CRASHES if len(messages) == 2 else SINE)
    log = evaluated(task, model, tmp_path, message_limit=3)  # the second request has four
    (sample,) = log.samples
    assert sample.limit.type == "message"
    assert sample.scores["sounds"].answer == "exit_code"
    done = inspect_logs.import_logs([Path(log.location)], tmp_path / "run", "test")
    assert (done.completions, done.renders) == (1, 1)
    assert done.run.items()[0].render.outcome == Outcome.EXIT_CODE


def test_recorded_models_have_the_keys_that_they_have_here(tmp_path):
    task = inspect_face.notes(suite="1", pattern="notes/waveform/sine-440", embedders="mel")
    log = evaluated(task, "recorded/one-shot", tmp_path / "logs", score=False)
    done = inspect_logs.import_logs([Path(log.location)], tmp_path / "run", "test")
    assert (done.completions, done.renders) == (1, 1)
    asked = []
    stages.generate(done.run, [open_model("recorded/one-shot")], lambda what, finished, total: asked.append(finished))
    assert asked == [1]  # there already: nothing was asked


def test_a_key_is_that_of_our_own_road_where_the_maker_is_asked(monkeypatch):
    pytest.importorskip("openai")
    for name in ("OPENAI_BASE_URL", "OPENAI_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OPENAI_API_KEY", "no-key-at-all")
    probe = suite.edition("1").probes[0]
    theirs = AskedByInspect(get_model("openai/gpt-4o-mini", config=GenerateConfig(temperature=0.5, seed=7)))
    own = open_model("openai/gpt-4o-mini", Options(parameters={"temperature": 0.5, "seed": 7}))
    assert theirs.name == own.name
    assert theirs.identity(probe, 3) == own.identity(probe, 3)
    assert theirs.price == own.price


def test_the_probe_goes_through_a_log_unchanged(log):
    by_id = {probe.id: probe for probe in suite.edition("1").probes}
    assert all(probe_of(sample.metadata) == by_id[sample.id] for sample in log.samples)


@pytest.fixture
def run_async():
    import anyio

    return lambda work: anyio.run(work)


def test_the_sandbox_runs_one_program_and_gives_its_sound(run_async):
    async def work():
        await JailSandbox.task_init("t", JailConfig())
        try:
            box = (await JailSandbox.sample_init("t", JailConfig(), {}))["default"]
            await box.write_file("make.py", SINE.removeprefix("```python\n").removesuffix("```"))
            done = await box.exec(["python", "make.py"])
            assert (done.success, done.returncode) == (True, 0)
            sound = await box.read_file("output.wav", text=False)
            assert soundfile.info(io.BytesIO(sound)).frames == 88200
            said = await box.exec(["python3", "-c", "print('hello'); raise SystemExit(3)"])
            assert (said.success, said.returncode, said.stdout.strip()) == (False, 3, "hello")
            with pytest.raises(FileNotFoundError):
                await box.read_file("output.wav", text=False)
            shell = await box.exec(["bash", "-c", "id"])
            assert shell.returncode == 127
            assert "python FILE" in shell.stderr
            for more in ({"env": {"A": "b"}}, {"input": "1"}, {"cwd": "/tmp"}):
                refused = await box.exec(["python", "make.py"], **more)
                assert (refused.returncode, refused.stdout) == (126, "")
                assert "no input" in refused.stderr
            with pytest.raises(RuntimeError, match="root"):
                await box.exec(["id"], user="root")
            hostile = await box.exec(["python", "-c", "print(open('/etc/passwd').read())"])
            assert not hostile.success
        finally:
            await JailSandbox.task_cleanup("t", JailConfig(), True)
        assert not JailSandbox._shops

    run_async(work)


def test_the_entry_point_is_light():
    code = "import sys, innerear.inspect; print([m for m in sys.modules if m in {'scipy', 'innerear.metrics.measure'}])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_command_line_finds_the_tasks(tmp_path):
    command = Path(sys.executable).parent / "inspect"
    given = [
        "eval",
        "innerear/notes",
        "--model",
        "baseline/sine",
        "-T",
        "suite=1",
        "-T",
        "pattern=notes/waveform/sine-440",
    ]
    given += ["-T", "embedders=mel", "--log-dir", str(tmp_path), "--display", "plain"]
    done = subprocess.run([command, *given], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    (log,) = tmp_path.glob("*.eval")
    assert read_eval_log(str(log), header_only=True).status == "success"


@pytest.mark.parametrize("tier", ["notes", "environment", "speech"])
def test_the_entry_for_the_register_says_what_is_so(tier):
    yaml = pytest.importorskip("yaml")
    root = Path(__file__).parent.parent
    entry = yaml.safe_load((root / "register" / f"innerear_{tier}" / "eval.yaml").read_text())
    (task,) = entry["tasks"]
    assert task["name"] == tier
    assert f"def {tier}(" in (root / task["task_path"]).read_text()
    assert task["dataset_samples"] == len(getattr(inspect_face, tier)(embedders="mel").dataset)
    assert entry["arxiv"].endswith("2506.00003")
