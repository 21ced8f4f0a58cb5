"""Options of a run: a limited number of probes, a dry run, options in a file, and what asking took."""

import os
import subprocess
import sys
from collections import Counter

import pytest
import yaml
from click.testing import CliRunner

from innerear.ask.estimate import estimate, past_completions
from innerear.ask.generate import generate
from innerear.ask.models import Options, open_model
from innerear.cli.main import main
from innerear.cli.table import asked
from innerear.records import Completion, Message
from innerear.suite import edition, limited
from openai_server import OpenAIServer, status

SINE = ("run", "--model", "baseline/sine", "--suite", "1", "--embedder", "mel")


def told(*words, code=0):
    result = CliRunner().invoke(main, [str(word) for word in words])
    assert result.exit_code == code, result.output
    return result.output


# ---- --limit


@pytest.mark.parametrize("name", ["1", "2", "2/core"])
def test_a_limited_suite_keeps_the_shares_of_tiers_and_families(name):
    probes = edition(name).probes
    for of in ("tier", "family"):
        whole = Counter(getattr(probe, of) for probe in probes)
        for most in (20, 60, 100):
            part = Counter(getattr(probe, of) for probe in limited(probes, most))
            assert part.total() == most
            for key, count in whole.items():
                assert abs(part[key] - most * count / len(probes)) < 1.5


def test_a_limited_suite_is_always_the_same_and_part_of_a_larger_one():
    probes = edition("2").probes
    for most in range(1, 80):
        assert set(map(id, limited(probes, most))) < set(map(id, limited(probes, most + 1)))
    assert [probe.id for probe in limited(probes, 4)] == [probe.id for probe in limited(probes[::-1], 4)][::-1]
    assert limited(probes, 10_000) == probes


def test_a_run_asks_only_the_limited_probes(tmp_path):
    told("generate", *SINE[1:], "--limit", 7, "--tiers", "notes,speech", "--out", tmp_path / "run")
    lines = (tmp_path / "run" / "probes.jsonl").read_text().splitlines()
    assert len(lines) == 7
    assert "environment" not in {line.split('"tier":"')[1].split('"')[0] for line in lines}
    assert "is not in the range" in told(*SINE, "--limit", 0, "--out", tmp_path / "x", code=2)


# ---- --dry-run


def completion(model, usage, seconds=2.0, **more):
    return Completion(f"{model}/{usage}", "p", model, "direct", 0, [Message("user", "?")], "", usage=usage,
                      seconds=seconds, **more)  # fmt: skip


def test_an_estimate_is_the_mean_of_past_answers_times_what_is_missing(monkeypatch, tmp_path):
    (tmp_path / "prices.csv").write_text("model,input_usd_per_million,output_usd_per_million\nopenai/a,1,10\n")
    monkeypatch.setenv("INNEREAR_PRICES", str(tmp_path / "prices.csv"))
    probes = edition("1").probes[:10]
    models = [open_model("baseline/sine")]
    models.append(open_model("openai/a", Options(base_url="http://localhost:1/v1", concurrency=4)))
    past = [completion("openai/a", {"prompt_tokens": n, "completion_tokens": 10 * n}) for n in (100, 300)]
    past.append(completion("openai/b", {"prompt_tokens": 7, "completion_tokens": 9}))
    done: list[Completion] = []
    generate(probes[:4], models[:1], keep=done.append)
    own, theirs, other = estimate(probes, models, ["direct"], 2, done, past)
    assert (own.answers, own.missing, own.usd) == (20, 16, None)
    assert (theirs.missing, theirs.tokens_in, theirs.tokens_out) == (20, 4000, 40_000)
    assert theirs.usd == pytest.approx(4000e-6 + 40_000 * 10e-6)
    assert theirs.seconds == 20 * 2.0 / 4
    assert theirs.by == "2 past answers of openai/a"
    assert (other.model, other.tokens_in, other.usd) == ("openai/b", 140, None)
    (theirs, *_) = estimate(probes, models[1:], ["direct"], 1, [], [])
    assert "answers of recorded/one-shot, first messages only; no answer of theirs was timed" in theirs.by
    assert theirs.seconds is None
    assert 100 < theirs.tokens_in / 10 < 1000


def test_a_dry_run_asks_and_writes_nothing(tmp_path):
    with OpenAIServer() as server:
        output = told("run", "--model", "openai/any", "--base-url", server.url, "--limit", 5, "--dry-run",
                      "--out", tmp_path / "runs" / "x")  # fmt: skip
        assert server.bodies == []
    assert "5 probes of 5 families, 1 attempt each; nothing is asked" in output
    assert "openai/any" in output
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("model", ["openai/gpt-x", "anthropic/claude-x"])
def test_a_dry_run_of_a_hosted_model_needs_no_key_and_the_run_does(model, tmp_path, monkeypatch):
    monkeypatch.delenv(f"{model.split('/')[0].upper()}_API_KEY", raising=False)
    monkeypatch.chdir(tmp_path)
    words = ("run", "--model", model, "--limit", 5, "--out", tmp_path / "x")
    output = told(*words, "--dry-run")
    assert "no answer of theirs was timed" in " ".join(output.split())
    assert "needs a key" in told(*words, code=2)
    assert not list(tmp_path.iterdir())


# ---- what asking took


def test_tokens_cost_and_retries_are_in_the_table(tmp_path, monkeypatch):
    monkeypatch.setenv("INNEREAR_PRICES", str(tmp_path / "prices.csv"))
    (tmp_path / "prices.csv").write_text("model,input_usd_per_million,output_usd_per_million\nopenai/any,1,10\n")
    with OpenAIServer(
        lambda number, body: status(429, "slow down", Retry_After="0") if number == 0 else None
    ) as server:
        output = told("generate", "--model", "openai/any", "--base-url", server.url, "--suite", "1", "--probes",
                      "notes/waveform/*", "--out", tmp_path / "run")  # fmt: skip
    (row,) = [line.split() for line in output.splitlines() if line.startswith("openai/any")]
    rows = past_completions([tmp_path / "run"])
    assert sum(one.retries for one in rows) == 1
    assert row[:2] == ["openai/any", "4"]
    assert row[5] == "1"
    assert int(row[2].replace(",", "")) == sum(one.usage["prompt_tokens"] for one in rows)
    assert asked([completion("baseline/sine", None)]) == []


# ---- --config


def test_a_saved_config_makes_the_same_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    told(*SINE, "--limit", 3, "--attempts", 2, "--out", "one", "--save-config", "run.yaml", "--dry-run")
    saved = yaml.safe_load((tmp_path / "run.yaml").read_text())
    assert (saved["limit"], saved["attempts"], saved["model"]) == (3, 2, ["baseline/sine"])
    told("generate", "--config", "run.yaml", "--out", "two")
    told("generate", *SINE[1:], "--limit", 3, "--attempts", 2, "--out", "three")
    files = [yaml.safe_load((tmp_path / name / "run.json").read_text())["asked"] for name in ("two", "three")]
    assert files[0] == files[1]
    assert (tmp_path / "two" / "probes.jsonl").read_bytes() == (tmp_path / "three" / "probes.jsonl").read_bytes()


def test_the_command_line_comes_before_the_config(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "c.yaml").write_text("model: baseline/sine\nout: x\nsuite: 1\nlimit: 3\nparam: {temperature: 0.5}\n")
    assert "3 probes" in told("run", "--config", "c.yaml", "--dry-run")
    output = told("run", "--config", "c.yaml", "--dry-run", "--limit", 4, "--model", "baseline/noise")
    assert "4 probes" in output
    assert "baseline/noise" in output
    assert "baseline/sine" not in output


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("modle: x", "no option 'modle' of `innerear run`; did you mean 'model'?"),
        ("config: x", "no option 'config' of `innerear run`"),
        ("- x", "has no options; wanted lines such as"),
        ("limit: [1, 2]", "limit is [1, 2]; wanted one value"),
        ("model: {a: b}", "model is {'a': 'b'}; wanted one value or a list of them"),
        ("stream: 3", "stream is 3; wanted true or false"),
        ("limit: true", "limit is True; wanted a value"),
        ("a: [1", "is not YAML"),
        ("plugin: python:nowhere.at_all", "No module named 'nowhere'"),
        ("a: !!python/object/apply:os.system ['true']", "is not YAML: could not determine a constructor"),
    ],
)
def test_a_wrong_config_is_one_line(content, says, tmp_path):
    (tmp_path / "c.yaml").write_text(content)
    output = told("run", "--config", tmp_path / "c.yaml", code=2)
    assert says in output
    assert output.count("\n") == 1


def test_a_config_that_is_not_there_or_cannot_be_written_is_one_line(tmp_path):
    assert "none.yaml cannot be read: No such file" in told("run", "--config", tmp_path / "none.yaml", code=2)
    output = told(*SINE, "--out", tmp_path / "x", "--save-config", tmp_path / "no" / "c.yaml", code=2)
    assert "c.yaml cannot be written: No such file" in output
    assert output.count("\n") == 1


# ---- completion of the shell


def test_the_shell_completes_commands_and_options():
    for words, count, wanted in (("innerear re", 1, "plain,realism"), ("innerear run --dry", 2, "plain,--dry-run")):
        variables = {"COMP_WORDS": words, "COMP_CWORD": str(count), "_INNEREAR_COMPLETE": "bash_complete"}
        done = subprocess.run([sys.executable, "-c", "import sys; sys.argv[0] = 'innerear'; from innerear.__main__ "
                               "import main; main()"], env={**os.environ, **variables}, capture_output=True,
                              text=True, check=False)  # fmt: skip
        assert wanted in done.stdout.split(), done.stderr


def test_a_cost_limit_for_a_model_without_a_price_is_refused_before_anything_is_written(monkeypatch, tmp_path):
    monkeypatch.setenv("OPENAI_API_KEY", "x")
    for more in ((), ("--dry-run",)):
        words = ("run", "--model", "openai/nobody-knows", "--max-cost", 5, "--out", tmp_path / "run", *more)
        assert "no price is known for openai/nobody-knows" in told(*words, code=2)
    assert not (tmp_path / "run").exists()
