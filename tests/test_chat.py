"""`openai/…` against a real HTTP server on loopback, with everything that goes wrong."""

import json
import logging
import re
import time

import msgspec
import pytest

from innerear.ask.generate import generate, summary
from innerear.ask.models import ModelUnusable, Options, open_model
from innerear.ask.models.chat import LONGEST_TEXT
from innerear.errors import ModelError, UsageError
from innerear.programs.extract import extract
from innerear.suite import edition
from openai_server import OpenAIServer, cut, hang, raw, reply, status

KEY = "sk-secret-0123456789-abcdefghijkl"
PROBES = edition("1").probes
HELLO = "```python\nimport numpy\n```"

both_ways = pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])


@pytest.fixture(autouse=True)
def key(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)


@pytest.fixture(autouse=True)
def nothing_that_is_logged_or_kept_holds_the_key(caplog):
    caplog.set_level(logging.DEBUG)
    yield
    assert KEY not in caplog.text


def ask(server, probes=PROBES[:1], strategy="direct", **options):
    options = {"base_url": server.url, "patience_s": 10.0, "timeout_s": 5.0, **options}
    kept = []
    failures = generate(probes, [open_model("openai/gpt-x", Options(**options))], strategy, keep=kept.append)
    said = "\n".join([*summary(failures), *(repr(f.error) for f in failures)])
    assert KEY not in said + msgspec.json.encode(kept).decode()
    return kept, failures


def first(fault, count=1):
    """A script that answers the first requests with a fault."""
    return lambda number, body: fault if number < count else None


@both_ways
@pytest.mark.parametrize(("strategy", "recording"), [("direct", "one-shot"), ("plan", "plan")])
def test_the_whole_suite_is_answered_as_recorded(stream, strategy, recording):
    played = []
    generate(PROBES, [open_model(f"recorded/{recording}")], strategy, keep=played.append)
    with OpenAIServer() as server:
        kept, failures = ask(server, PROBES, strategy, stream=stream, concurrency=16)
    assert failures == []
    assert {c.probe: (c.messages, c.text) for c in kept} == {c.probe: (c.messages, c.text) for c in played}
    rounds = 2 if strategy == "plan" else 1
    assert len(server.bodies) == 172 * rounds
    assert kept[0].usage == {"prompt_tokens": 11 * rounds, "completion_tokens": 7 * rounds}
    assert kept[0].finish_reason == "stop"
    assert kept[0].seconds > 0


def test_the_key_goes_to_the_server_and_parameters_into_the_request():
    parameters = {"temperature": 0.5, "reasoning_effort": "low", "seed": 7, "top_k": 40}
    with OpenAIServer() as server:
        ask(server, parameters=parameters)
    assert server.headers[0]["authorization"] == f"Bearer {KEY}"
    sent = dict(server.bodies[0])
    assert [message["role"] for message in sent.pop("messages")] == ["system", "user"]
    assert sent == {"model": "gpt-x", "stream": False, **parameters}


def test_each_attempt_has_a_seed_of_its_own():
    with OpenAIServer() as server:
        model = open_model("openai/gpt-x", Options(base_url=server.url, parameters={"seed": 7}))
        generate(PROBES[:1], [model], attempts=3, keep=lambda completion: None)
    assert sorted(body["seed"] for body in server.bodies) == [7, 8, 9]


def test_endpoint_and_parameters_are_part_of_the_key_of_a_row():
    with OpenAIServer() as server:
        rows = [ask(server, parameters=p)[0][0] for p in ({}, {"temperature": 1}, {"temperature": 1}, {"seed": 1})]
    with OpenAIServer() as other:
        rows.append(ask(other)[0][0])
    keys = [row.key for row in rows]
    assert keys[1] == keys[2]
    assert len(set(keys)) == 4


def test_a_password_in_the_base_url_is_not_shown():
    model = open_model("openai/m", Options(base_url="http://me:hunter2@localhost:9/v1/?token=hunter3"))
    assert model.identity(PROBES[0], 0)["endpoint"] == "http://localhost:9/v1"


@both_ways
def test_forty_percent_of_429_loses_none_of_200(stream, monkeypatch):
    monkeypatch.setattr("innerear.ask.models.chat._BACKOFF_S", 0.02)  # seconds for minutes
    refused = set()

    def script(number, body):
        if number % 5 in (0, 2):
            refused.add(number)
            return status(429, "slow down", Retry_After="0")
        return None

    probes = (PROBES * 2)[:200]
    probes = [msgspec.structs.replace(probe, id=f"{probe.id}-{n}") for n, probe in enumerate(probes)]
    with OpenAIServer(script) as server:
        kept, failures = ask(server, probes, stream=stream, concurrency=50, patience_s=60.0)
    assert failures == []
    assert sorted(c.probe for c in kept) == sorted(probe.id for probe in probes)
    assert all(extract(c.text).code for c in kept)
    assert len(refused) >= 0.4 * len(server.bodies) - 1
    assert len(server.bodies) == 200 + len(refused)


@both_ways
@pytest.mark.parametrize(
    "fault",
    [
        status(429, Retry_After="0"),
        status(500),
        status(503),
        status(408),
        cut,
        raw(200, b'{"choices": [{"mess', "application/json"),
        raw(200, b'{"error": {"message": "upstream", "code": 502}}', "application/json"),
        raw(200, b'data: {"error": {"message": "overloaded"}}\n\n', "text/event-stream"),
        raw(200, b'data: {"choices": [{"delta": {"content": "```"}}]}\n\n', "text/event-stream"),
        raw(200, b"<html>One moment, please</html>", "text/html"),
        raw(200, b"<html>One moment, please</html>", "application/json"),
        raw(200, b"", "application/json"),
        raw(200, b"", "text/event-stream"),
        raw(200, b"data: [DONE]\n\n", "text/event-stream"),
        raw(200, b"[]", "application/json"),
        raw(200, b"{}", "application/json"),
        raw(200, b'{"choices": []}', "application/json"),
        raw(200, b'{"choices": [{"finish_reason": "stop"}]}', "application/json"),
        raw(200, b'{"choices": [{"message": {"content": 7}}]}', "application/json"),
        raw(200, b'{"choices": [{"message": {"content": "\xff"}}]}', "application/json"),
        raw(200, b'{"choices": ' + b"[" * 100_000, "application/json"),
        raw(200, b'{"more": ' + b"[" * 100_000, "application/json"),
    ],
    ids=[
        *("429", "500", "503", "408", "cut", "cut-clean", "error-in-200", "error-in-stream", "stream-without-end"),
        *("html", "html-that-says-json", "empty", "empty-stream", "stream-of-nothing", "list", "empty-object"),
        *("no-choice", "no-message", "number-for-text", "not-utf-8", "deep", "deep-elsewhere"),
    ],
)
def test_what_may_pass_is_asked_again(fault, stream):
    with OpenAIServer(first(fault)) as server:
        kept, failures = ask(server, stream=stream)
    assert failures == []
    assert extract(kept[0].text).code
    assert len(server.bodies) == 2


@pytest.mark.parametrize(
    "fault",
    [
        raw(200, b"<html>One moment, please</html>", "text/html"),
        raw(403, b"<html>Are you a robot?</html>", "text/html"),
        raw(404, b"<html>No such page</html>", "text/html"),
    ],
    ids=["200", "403", "404"],
)
def test_one_page_of_a_proxy_among_answers_loses_none(fault):
    with OpenAIServer(lambda number, body: fault if number == 20 else None) as server:
        kept, failures = ask(server, PROBES[:40], concurrency=8)
    assert failures == []
    assert len(kept) == 40
    assert len(server.bodies) == 41


def test_an_address_that_gives_only_pages_is_given_up_at_first_contact(monkeypatch):
    monkeypatch.setattr("innerear.ask.models.chat.FIRST_CONTACT_S", 0.5)
    with OpenAIServer(lambda number, body: raw(200, b"<html>Welcome</html>", "text/html")) as server:
        _, failures = ask(server, PROBES, patience_s=600.0)
    assert len(failures) == 172
    (line,) = summary(failures)
    assert "answers with text/html" in line
    assert "base URL mostly ends in /v1" in line


def test_a_count_of_tokens_that_cannot_be_is_none():
    payload = b'{"choices": [{"message": {"content": "x"}}], "usage": {"prompt_tokens": %s}}' % (b"9" * 400)
    with OpenAIServer(lambda number, body: raw(200, payload, "application/json")) as server:
        kept, failures = ask(server)
    assert failures == []
    assert kept[0].usage is None


def test_the_patience_also_bounds_a_try_that_hangs():
    with OpenAIServer(lambda number, body: hang) as server:
        _, failures = ask(server, timeout_s=60.0, patience_s=0.5)
    assert re.search(r"no answer within 0\.[45]\d* s; tried 1 time", summary(failures)[0])


def test_a_request_that_is_tried_again_can_be_seen_until_it_is_answered():
    seen = []

    def script(number, body):
        seen.extend(model.waits)
        return status(429, "slow down") if number < 2 else None

    with OpenAIServer(script) as server:
        model = open_model("openai/gpt-x", Options(base_url=server.url, patience_s=60.0))
        generate(PROBES[:1], [model], keep=lambda completion: None)
    assert [wait.tries for wait in seen] == [0, 1, 2]
    assert "429: slow down" in seen[2].why
    assert {round(wait.until - wait.since) for wait in seen} == {60}
    assert list(model.waits) == []


def test_retry_after_is_honoured():
    with OpenAIServer(first(status(429, Retry_After="1"))) as server:
        begun = time.monotonic()
        kept, _ = ask(server)
    assert kept
    assert 1.0 <= time.monotonic() - begun < 5


def test_a_server_that_asks_for_more_time_than_there_is_is_not_waited_for():
    with OpenAIServer(lambda number, body: status(429, "quota of the day", Retry_After="86400")) as server:
        begun = time.monotonic()
        _, failures = ask(server)
    assert time.monotonic() - begun < 2
    assert "429: quota of the day; tried 1 time in 0 s" in summary(failures)[0]


@both_ways
def test_a_hang_ends_at_the_timeout_and_is_asked_again(stream):
    with OpenAIServer(first(hang)) as server:
        kept, failures = ask(server, stream=stream, timeout_s=0.3)
    assert failures == []
    assert len(kept) == 1
    assert len(server.bodies) == 2


def test_a_server_that_only_hangs_gives_one_line_and_is_not_asked_for_the_rest():
    with OpenAIServer(lambda number, body: hang) as server:
        _, failures = ask(server, PROBES, timeout_s=0.2, patience_s=0.5, concurrency=2)
    assert len(failures) == 172
    (line,) = summary(failures)
    assert "no answer within 0." in line  # what is left of the patience may be less than 0.2 s
    assert len(server.bodies) < 10


def test_one_probe_that_never_works_does_not_end_the_others():
    stuck = PROBES[3].caption
    with OpenAIServer(lambda n, body: status(500) if stuck in body["messages"][1]["content"] else None) as server:
        kept, failures = ask(server, PROBES[:40], patience_s=0.5, concurrency=2)
    assert [failure.probe for failure in failures] == [PROBES[3].id]
    assert len(kept) == 39


def test_nobody_at_the_address_is_one_line_within_the_patience():
    with OpenAIServer() as server:
        pass
    begun = time.monotonic()
    _, failures = ask(server, PROBES, patience_s=1.0)
    assert time.monotonic() - begun < 5
    (line,) = summary(failures)
    assert "172 not answered" in line
    assert "connection failed" in line


@both_ways
@pytest.mark.parametrize(
    ("fault", "kind", "words"),
    [
        (status(401, f"Incorrect API key provided: {KEY}"), ModelUnusable, "refuses the key in OPENAI_API_KEY"),
        (status(403, "no"), ModelUnusable, "refuses the key in OPENAI_API_KEY"),
        (status(404, "The model `gpt-x` does not exist"), ModelUnusable, "no such model (404): The model `gpt-x`"),
        (status(429, "You exceeded your quota", "insufficient_quota"), ModelUnusable, "requires payment"),
        (status(400, f"context is 8192 tokens,\n\nkey {KEY}"), ModelError, "context is 8192 tokens, key [key]"),
        (status(413, "x" * 100_000), ModelError, "refuses the request (413)"),
    ],
    ids=["401", "403", "404", "quota", "400", "413"],
)  # fmt: skip
def test_what_will_not_pass_is_one_line_without_retries(fault, kind, words, stream):
    with OpenAIServer(lambda number, body: fault) as server:
        kept, failures = ask(server, PROBES[:20], stream=stream, concurrency=1)
    assert kept == []
    assert len(failures) == 20
    (line,) = summary(failures)
    assert words in line
    assert len(line.splitlines()) == 1
    assert len(line) < 600
    assert len(server.bodies) == (1 if kind is ModelUnusable else 20)


@both_ways
def test_what_was_answered_before_the_key_was_refused_is_kept(stream):
    with OpenAIServer(lambda number, body: None if number < 5 else status(401)) as server:
        kept, failures = ask(server, PROBES, stream=stream, concurrency=1)
    assert len(kept) == 5
    assert len(failures) == 167


@both_ways
@pytest.mark.parametrize(
    ("text", "code"),
    [("I cannot make sounds.", None), ("", None), (HELLO, "import numpy\n")],
)
def test_a_reply_without_code_is_a_completion_like_any_other(text, code, stream):
    with OpenAIServer(lambda number, body: reply(text)) as server:
        kept, failures = ask(server, stream=stream)
    assert failures == []
    assert kept[0].text == text
    assert extract(kept[0].text).code == code
    assert len(server.bodies) == 1


def test_no_content_or_a_refusal_is_a_completion():
    for message, text in [
        ({"content": None}, ""),
        ({"content": None, "refusal": "I would rather not."}, "I would rather not."),
    ]:
        payload = json.dumps({"choices": [{"message": message, "finish_reason": "content_filter"}]}).encode()
        with OpenAIServer(lambda n, body, p=payload: raw(200, p, "application/json")) as server:
            kept, failures = ask(server)
        assert failures == []
        assert (kept[0].text, kept[0].finish_reason) == (text, "content_filter")


@both_ways
def test_ten_megabytes_are_cut_and_say_so(stream):
    with OpenAIServer(lambda number, body: reply("x" * 10_000_000)) as server:
        kept, failures = ask(server, stream=stream)
    assert failures == []
    assert len(kept[0].text) == LONGEST_TEXT
    assert kept[0].finish_reason == "cut, had 10000000 characters"


@both_ways
def test_a_server_that_says_the_key_back_does_not_get_it_into_a_row(stream):
    with OpenAIServer(lambda number, body: reply(f"```python\nx = '{KEY}'\n```")) as server:
        kept, _ = ask(server, stream=stream)
    assert "[key]" in kept[0].text


def test_a_key_is_asked_for_where_it_is_needed(monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY")
    with pytest.raises(UsageError, match="needs a key in OPENAI_API_KEY"):
        open_model("openai/gpt-x")
    assert open_model("openai/gpt-x", Options(asks=False)).remote
    with OpenAIServer() as server:
        kept, failures = ask(server)
    assert (len(kept), failures) == (1, [])


def test_a_newline_after_the_key_is_no_part_of_it(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", f" {KEY}\n")
    with OpenAIServer() as server:
        kept, _ = ask(server)
    assert len(kept) == 1
    assert server.headers[0]["authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize("bad", ["sk-\n-0123456789", "sk-é0123456789"])
def test_a_key_that_cannot_be_one_is_refused_unseen(bad, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", bad)
    with pytest.raises(UsageError, match="no key has") as refused:
        open_model("openai/gpt-x")
    assert "0123456789" not in str(refused.value)


@pytest.mark.parametrize("url", ["localhost:8000", "ftp://x/v1", "http://", "http://[", "http://x:y/"])
def test_a_base_url_that_is_none_is_refused(url):
    with pytest.raises(UsageError, match="wanted one such as http://localhost:8000/v1"):
        open_model("openai/gpt-x", Options(base_url=url))


def test_parameters_cannot_take_the_place_of_the_request():
    with pytest.raises(UsageError, match="messages, model cannot be set"):
        open_model("openai/gpt-x", Options(parameters={"model": "y", "messages": []}))
