"""The command line is a thin face: it starts fast, teaches, and a user's mistake is one line."""

import signal
import subprocess
import sys
import time

import click
import pytest
from click.testing import CliRunner

import innerear
from innerear.cli import main


def told(*words, code):
    result = CliRunner().invoke(main, words)
    assert result.exit_code == code, result.output
    return result.output


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["run", "--model", "recorded/two-shot", "--out", "x"], "two-shot"),
        (["run", "--model", "recordd/one-shot", "--out", "x"], "did you mean 'recorded/one-shot'"),
        (["run", "--model", "baseline/sine", "--strategy", "plann", "--out", "x"], "did you mean 'plan'"),
        (["run", "--model", "baseline/sine", "--tiers", "music", "--out", "x"], "notes, environment, speech"),
        (["run", "--model", "baseline/sine", "--levels", "one", "--out", "x"], "wanted whole numbers"),
        (["run", "--model", "baseline/sine", "--embedder", "vggish2", "--out", "x"], "vggish2"),
        (["run", "--model", "baseline/sine", "--jail", "of", "--out", "x"], "'of'"),
        (["run", "--model", "baseline/sine", "--param", "temperature", "--out", "x"], "NAME=VALUE"),
        (["run", "--model", "baseline/sine", "--suite", "none.jsonl", "--out", "x"], "none.jsonl"),
        (["score", "nowhere"], "is no run"),
        (["probes", "show", "nothing/*"], "no probe fits"),
        (["probes", "validate", "none.jsonl"], "none.jsonl"),
    ],
)
def test_wrong_use_is_one_line_and_exit_code_2(words, says, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    output = told(*words, code=2)
    assert says in output
    assert output.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_every_command_and_every_option_has_help():
    def commands(group, path):
        for name, command in group.commands.items():
            yield (*path, name), command
            if isinstance(command, click.Group):
                yield from commands(command, (*path, name))

    for path, command in commands(main, ()):
        assert command.help, path
        for option in command.params:
            if isinstance(option, click.Option):
                assert option.help, (path, option.name)


def test_probes_list_has_one_line_a_probe():
    assert told("probes", "list", code=0).count("\n") == 172


def test_probes_show_prints_the_prompt():
    assert "a plain sine wave tone at 440 Hz" in told("probes", "show", "notes/waveform/sine-440", code=0)


def test_doctor_names_jail_cache_and_embedders():
    output = told("doctor", code=0)
    for word in ("jail", "cache", "embedder mel", "embedder yamnet", "model real"):
        assert word in output


def test_help_imports_nothing_heavy():
    heavy = (
        "numpy",
        "scipy",
        "soundfile",
        "soxr",
        "openai",
        "jinja2",
        "rich.progress",
        "ai_edge_litert",
        "torch",
        "onnxruntime",
    )
    code = f"import sys, innerear.cli; print([m for m in {heavy!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_library_gives_what_its_list_of_names_promises():
    for name in innerear.__all__:
        assert getattr(innerear, name) is not None
    assert set(innerear.__all__) <= set(dir(innerear))


def test_an_interrupted_run_says_how_to_go_on(tmp_path):
    words = ["run", "--model", "recorded/one-shot", "--embedder", "mel", "--out", str(tmp_path / "run")]
    going = subprocess.Popen(
        [sys.executable, "-m", "innerear", *words], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    while going.poll() is None and not list(tmp_path.glob("run/renders/*.jsonl")):
        time.sleep(0.05)
    going.send_signal(signal.SIGINT)
    _, said = going.communicate(timeout=60)
    assert going.returncode == 130
    assert "the same command goes on" in said
    assert "Traceback" not in said
