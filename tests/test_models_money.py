"""Prices, the limit in money, keys from a file, and Anthropic's address: against the real server on loopback."""

import os

import pytest

from innerear.ask.generate import generate, summary
from innerear.ask.models import ModelUnusable, Options, open_model
from innerear.ask.models.prices import find_price
from innerear.cli.dotenv import read_env
from innerear.errors import UsageError
from innerear.suite import edition
from openai_server import OpenAIServer, status

PROBES = edition("1").probes
KEY = "sk-0123456789abcdef"


@pytest.fixture(autouse=True)
def _environment(monkeypatch, tmp_path):
    for name in ("OPENAI_BASE_URL", "ANTHROPIC_BASE_URL", "ANTHROPIC_API_KEY", "INNEREAR_PRICES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.chdir(tmp_path)


def priced(monkeypatch, tmp_path, rows="openai/m,1000,3000\n"):
    (tmp_path / "mine.csv").write_text("model,input_usd_per_million,output_usd_per_million\n" + rows)
    monkeypatch.setenv("INNEREAR_PRICES", str(tmp_path / "mine.csv"))


def ask(server, probes=PROBES, done=(), **more):
    kept = []
    model = open_model("openai/m", Options(base_url=server.url, concurrency=1))
    return kept, generate(probes, [model], keep=kept.append, done=done, **more)


def test_a_completion_costs_what_its_tokens_cost(monkeypatch, tmp_path):
    priced(monkeypatch, tmp_path)
    with OpenAIServer() as server:
        kept, _ = ask(server, PROBES[:2])
    assert [c.usd for c in kept] == [pytest.approx((11 * 1000 + 7 * 3000) / 1e6)] * 2


def test_without_a_known_price_the_cost_is_unknown_and_a_limit_is_refused_before_asking():
    with OpenAIServer() as server:
        kept, _ = ask(server, PROBES[:1])
        with pytest.raises(UsageError, match="no price is known for openai/m"):
            ask(server, max_usd=1.0)
    assert kept[0].usd is None
    assert len(server.bodies) == 1


def test_at_the_limit_in_money_asking_stops_in_one_line_and_what_is_done_counts(monkeypatch, tmp_path):
    priced(monkeypatch, tmp_path)
    with OpenAIServer() as server:
        kept, failures = ask(server, max_usd=0.1)
        assert len(kept) == 4  # 0.032 USD each
        assert len(summary(failures)) == 1
        assert "168 not answered" in summary(failures)[0]
        assert "the limit of 0.1 USD is reached: 0.1280 USD spent" in summary(failures)[0]
        again, _ = ask(server, done=kept, max_usd=0.1)
        more, _ = ask(server, done=kept, max_usd=0.15)
    assert again == []
    assert len(more) == 1


def test_the_shipped_prices_hold_at_the_makers_own_address_only():
    assert find_price("openai/gpt-4o-mini") is not None
    assert find_price("openai/gpt-4o-mini", home=False) is None
    assert find_price("openai/none") is None


@pytest.mark.parametrize("rows", ["openai/m,free,1\n", "openai/m,1\n"])
def test_a_bad_line_of_ones_own_prices_is_named(monkeypatch, tmp_path, rows):
    priced(monkeypatch, tmp_path, rows)
    with pytest.raises(UsageError, match=r"mine\.csv, line 2: wanted the columns"):
        find_price("openai/m")


def test_anthropic_is_asked_with_its_own_key_at_its_own_address(monkeypatch):
    with pytest.raises(UsageError, match="needs a key in ANTHROPIC_API_KEY"):
        open_model("anthropic/claude-x")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-0123456789")
    model = open_model("anthropic/claude-x")
    assert model.endpoint == "https://api.anthropic.com/v1"
    with OpenAIServer() as server:
        kept = []
        model = open_model("anthropic/claude-x", Options(base_url=server.url))
        generate(PROBES[:1], [model], keep=kept.append)
        assert server.headers[0]["authorization"] == "Bearer sk-ant-0123456789"
        assert kept[0].model == "anthropic/claude-x"
        server.script = lambda number, body: status(401, "bad sk-ant-0123456789")
        failures = generate(PROBES[:2], [model], keep=kept.append)
    assert isinstance(failures[0].error, ModelUnusable)
    assert "ANTHROPIC_API_KEY" in str(failures[0].error)
    assert "sk-ant" not in str(failures[0].error)


def test_a_file_gives_the_keys_that_the_environment_lacks_and_no_other_name(monkeypatch, tmp_path):
    monkeypatch.setenv("ANTHROPIC_API_KEY", "there")
    monkeypatch.delenv("OPENAI_API_KEY")
    monkeypatch.setattr(os, "environ", os.environ.copy())
    (tmp_path / ".env").write_text(
        "# mine\nexport OPENAI_API_KEY = 'sk-x=1'\nANTHROPIC_API_KEY=other\nLD_PRELOAD=/evil.so\nnonsense\n\n"
    )
    read_env(tmp_path / ".env")
    assert os.environ["OPENAI_API_KEY"] == "sk-x=1"
    assert os.environ["ANTHROPIC_API_KEY"] == "there"
    assert "LD_PRELOAD" not in os.environ
    read_env(tmp_path / "none.env")


def test_a_file_that_is_no_text_is_one_line_without_its_content(tmp_path):
    (tmp_path / ".env").write_bytes(b"OPENAI_API_KEY=\xff\xfe")
    with pytest.raises(UsageError, match="cannot be read as text"):
        read_env(tmp_path / ".env")
