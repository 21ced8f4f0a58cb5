"""The command line is a thin face: it starts fast, teaches, and a user's mistake is one line."""

import os
import pty
import re
import shutil
import signal
import subprocess
import sys
import time

import click
import pytest
from click.testing import CliRunner

import innerear
from innerear.ask.generate import generate
from innerear.ask.models import Options, open_model
from innerear.cli.bars import bars
from innerear.cli.main import main
from innerear.cli.options import EMBEDDER_NAMES
from innerear.embed import EMBEDDERS
from innerear.suite import edition
from openai_server import OpenAIServer, status


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
        (["run", "--model", "swap/baseline/sine", "--out", "x"], "add --model baseline/sine"),
        (["run", "--model", "baseline/sine", "--out", "/proc/x"], "/proc/x cannot be written"),
        (["score", "nowhere"], "is not a run"),
        (["probes", "show", "nothing/*"], "no probe matches id 'nothing/*'"),
        (["probes", "validate", "none.jsonl"], "none.jsonl"),
    ],
)
def test_wrong_use_is_one_line_and_exit_code_2(words, says, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    output = told(*words, code=2)
    assert says in output
    assert output.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_a_run_folder_below_a_file_is_one_line_and_exit_code_2(tmp_path):
    (tmp_path / "afile").touch()
    output = told("run", "--model", "baseline/sine", "--out", str(tmp_path / "afile" / "sub"), code=2)
    assert "Not a directory" in output
    assert output.count("\n") == 1


def test_the_help_names_every_embedder():
    assert sorted(EMBEDDER_NAMES.split(", ")) == sorted(EMBEDDERS)


def test_probes_shown_as_json_are_a_suite_and_every_bad_line_of_one_is_named(tmp_path):
    suite = tmp_path / "suite.jsonl"
    suite.write_text(told("probes", "show", "--suite", "1", "--json", "notes/waveform/*", code=0))
    assert "4 probes" in told("probes", "validate", str(suite), code=0)
    suite.write_text("{}\n" * 25)
    output = told("probes", "validate", str(suite), code=2)
    assert output.count("suite.jsonl, line") == 20
    assert "and 5 more" in output


def test_a_stage_that_nobody_watches_says_a_line_now_and_then(monkeypatch, capsys):
    monkeypatch.setattr("innerear.cli.bars.EVERY_S", 0.0)
    with bars() as progress:
        for done in (1, 2, 3):
            progress("programs", done, 3)
    assert capsys.readouterr().err.splitlines() == [f"programs: {done} of 3" for done in (1, 2, 3)]


SLOW_DOWN = status(429, "slow down", Retry_After="0.2")


def asking(server, tmp_path, *words):
    """`innerear generate` of one probe at a server."""
    model = ["--model", "openai/any", "--base-url", server.url, "--suite", "1", "--probes", "notes/waveform/sine-440"]
    return [sys.executable, "-m", "innerear", "generate", *model, "--out", str(tmp_path / "run"), *words]


def test_the_bar_says_what_is_waited_for_how_often_it_was_tried_and_until_when(tmp_path):
    screen = b""
    wanted = re.compile(
        rb"openai/any: the server answers 429: slow down; 1 request waiting, tried \d times, giving up at "
    )
    with OpenAIServer(lambda number, body: None if wanted.search(screen) else SLOW_DOWN) as server:
        mine, theirs = pty.openpty()
        going = subprocess.Popen(
            asking(server, tmp_path), stderr=theirs, env={**os.environ, "TERM": "xterm", "COLUMNS": "200"}
        )
        os.close(theirs)
        while going.poll() is None:
            try:
                screen += os.read(mine, 65536)
            except OSError:  # the other end is closed
                break
        os.close(mine)
        assert going.wait() == 0
    assert wanted.search(screen)


def test_a_server_that_refuses_is_named_now_and_then_if_nobody_watches(monkeypatch, capsys):
    monkeypatch.setattr("innerear.cli.bars.EVERY_S", 0.02)
    with OpenAIServer(lambda number, body: SLOW_DOWN if number < 2 else None) as server:
        model = open_model("openai/any", Options(base_url=server.url))
        with bars([model]):
            generate(edition("1").probes[:1], [model], keep=lambda completion: None)
    said = capsys.readouterr().err
    assert "openai/any: the server answers 429: slow down; 1 request waiting, tried 2 times, giving up at" in said


def test_a_long_silence_of_a_server_is_said(monkeypatch, capsys):
    monkeypatch.setattr("innerear.cli.bars.EVERY_S", 0.02)
    monkeypatch.setattr("innerear.cli.bars.SILENT_S", 0.1)

    def late(number, body):
        time.sleep(0.5)

    with OpenAIServer(late) as server:
        model = open_model("openai/any", Options(base_url=server.url))
        with bars([model]):
            generate(edition("1").probes[:1], [model], keep=lambda completion: None)
    assert "openai/any: 1 in flight, the oldest unanswered for 0 s" in capsys.readouterr().err


@pytest.mark.parametrize(("words", "lines"), [((), 0), (("-v",), 3)], ids=["quiet", "verbose"])
def test_each_retry_is_a_line_of_its_own_if_asked_for(tmp_path, words, lines):
    with OpenAIServer(lambda number, body: status(500) if number < 3 else None) as server:
        done = subprocess.run(asking(server, tmp_path, *words), capture_output=True, text=True, check=True)
    said = [line for line in done.stderr.splitlines() if "the server answers 500" in line]
    assert len(said) == lines
    assert all(f"tried {number} times, again in" in line for number, line in enumerate(said, 1))


def test_patience_bounds_how_long_a_request_is_tried(tmp_path):
    later = status(429, "slow down", Retry_After="120")  # the usual patience would wait for it
    with OpenAIServer(lambda number, body: later) as server:
        done = subprocess.run(asking(server, tmp_path, "--patience", "60"), capture_output=True, text=True)
    assert done.returncode == 1
    assert "429: slow down; tried 1 time in" in done.stderr
    assert len(server.bodies) == 1


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
    assert told("probes", "list", "--suite", "1", code=0).count("\n") == 172


def test_probes_show_prints_the_prompt():
    assert "a plain sine wave tone at 440 Hz" in told(
        "probes", "show", "--suite", "1", "notes/waveform/sine-440", code=0
    )


EVERYWHERE = [  # each command that prints signs or others' words; {run}, {sounds} and {new} are folders
    *("doctor", "models list", "checks list", "reference list", "probes list", "models verify silero-vad"),
    *("probes show speech/*", "probes show --strategy plan environment/*", "anatomy {run}", "score {run}"),
    *("report {run}", "compare {run}", "export {run}", "export {run} --format markdown", "render {run}"),
    *("pack {run} --out {new}/é.zip", "record {run} --model recorded/one-shot --out {new}/é.jsonl"),
    *("fad {sounds} {sounds} --embedder mel --inf", "kad {sounds} {sounds} --embedder mel", "fad é é"),
    "run --model baseline/sine --suite 1 --probes notes/waveform/sine-440 --embedder mel --out {new}/é",
    "measure {run}",
    *("listen-test build {run} --kind rate --title Gehör --out {new}/é", "probes validate é", "run --model é --out x"),
]  # fmt: skip


@pytest.mark.parametrize("command", EVERYWHERE)
def test_no_sign_ends_a_command_for_its_terminal_lacks_it(command, recorded_run, tmp_path):
    run = tmp_path / "Gehör"
    shutil.copytree(recorded_run, run)
    words = [word.format(run=run, sounds=run / "audio", new=tmp_path) for word in command.split()]
    result = CliRunner(charset="ascii").invoke(main, words)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert result.exit_code in (0, 1, 2)
    assert result.output_bytes


def test_no_help_needs_more_than_ascii():
    def paths(group, path=()):
        yield path
        for name, command in group.commands.items():
            yield from paths(command, (*path, name)) if isinstance(command, click.Group) else [(*path, name)]

    for path in paths(main):
        result = CliRunner(charset="ascii").invoke(main, [*path, "--help"])
        assert result.exit_code == 0, (path, result.exception)


def test_a_terminal_that_lacks_signs_shows_plainer_ones():
    bare = {**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": ""}
    command = [sys.executable, "-m", "innerear", "run", "--model", "é–×", "--out", "x"]
    done = subprocess.run(command, capture_output=True, env=bare)
    assert done.returncode == 2
    assert done.stderr.isascii()
    command = [
        sys.executable,
        "-c",
        "import innerear.text as t; t.speak_plainly(); print('\\xe9 \\u2013 3 \\xd7 \\u221e \\u2026 \\u6f22')",
    ]
    done = subprocess.run(command, capture_output=True, env=bare, check=True)
    assert done.stdout == b"e - 3 x inf ... ?\n"


def test_json_is_utf_8_on_any_terminal(tmp_path):
    suite = tmp_path / "mine.jsonl"
    shown = told("probes", "show", "--suite", "1", "--json", "notes/waveform/sine-440", code=0)
    suite.write_text(shown.replace("a plain sine", "ein gehörter Sinus –"), encoding="utf-8")
    words = ["probes", "show", "--json", "*", "--suite", str(suite)]
    assert CliRunner(charset="ascii").invoke(main, words).stdout_bytes == suite.read_bytes()


def test_doctor_names_what_a_run_may_need_and_no_key(monkeypatch):
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-secret")
    output = told("doctor", code=0)
    needs = ("jail", "cache", "embedder mel", "embedder yamnet", "model real", "Silero", "make demo")
    for word in (*needs, "baseline espeak-ng", "baseline flite", "fluidsynth", "ANTHROPIC_API_KEY is set"):
        assert word in output
    assert "sk-secret" not in output


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
    code = f"import sys, innerear.cli.main; print([m for m in {heavy!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_library_gives_what_its_list_of_names_promises():
    for name in innerear.__all__:
        assert getattr(innerear, name) is not None
    assert set(innerear.__all__) <= set(dir(innerear))


def test_an_interrupted_run_says_how_to_go_on(tmp_path):
    words = ["run", "--model", "recorded/one-shot", "--embedder", "mel", "--out", str(tmp_path / "run")]
    going = subprocess.Popen(
        [sys.executable, "-m", "innerear", *words], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a shell's background job ignores it
    )  # fmt: skip
    while going.poll() is None and not list(tmp_path.glob("run/renders/*.jsonl")):
        time.sleep(0.05)
    going.send_signal(signal.SIGINT)
    _, said = going.communicate(timeout=60)
    assert going.returncode == 130
    assert "run the same command again to resume" in said
    assert "Traceback" not in said


INTERRUPTS_THE_IMPORT = """
import sys

class Interrupts:
    def find_spec(self, name, path=None, target=None):
        if name == "innerear.cli.main":
            raise KeyboardInterrupt

sys.meta_path.insert(0, Interrupts())
from innerear.__main__ import main
main()
"""


def test_an_interrupt_while_the_command_line_loads_is_one_line():
    done = subprocess.run([sys.executable, "-c", INTERRUPTS_THE_IMPORT], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "innerear: interrupted\n")
