"""Ways of asking: what is sent, what is run and heard, and that a killed run of them goes on."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from typing import get_args

import msgspec
import numpy as np
import pytest

from innerear import checks
from innerear.ask.generate import Bench, generate
from innerear.ask.listener import hear, onsets, yin
from innerear.ask.models import Options, open_model
from innerear.ask.strategies import STRATEGIES, Heard, find_strategy
from innerear.checks.base import CheckBase
from innerear.clip import Clip
from innerear.errors import JailFailure, UsageError
from innerear.metrics.registry import CHECK_METRICS
from innerear.records import Completion, Outcome, Render
from innerear.run.parts import read_rows
from innerear.suite import edition
from openai_server import OpenAIServer, cut, raw, reply, status

PROBES = edition("1").probes
RATE = 22_050


def code(word):
    return f"```python\n# {word}\nimport numpy as np\nopen('output.wav', 'wb')\n```"


def fake_bench(outcome_of, heard=lambda probe, row: Heard("- a hum", 0.5)):
    ran = []

    def render(program):
        ran.append(program.code)
        outcome = outcome_of(program.code)
        return Render(
            "k", program.digest, outcome, "" if outcome == Outcome.OK else "ValueError: no such tone", "trace"
        )

    return Bench(render, heard), ran


def script(*texts):
    """A module-less model: answers in order, remembers what it was sent."""
    model = open_model(f"python:{__name__}.answer")
    model.concurrency = 1
    left = iter(texts)
    sent = []

    def said(messages):
        sent.append(messages)
        return next(left)

    model._function = said
    return model, sent


def answer(messages):
    return ""


def ask(strategy, bench, *texts, probe=PROBES[0]):
    kept = []
    model, sent = script(*texts)
    failures = generate([probe], [model], strategy, keep=kept.append, bench=bench)
    return kept, failures, sent


@pytest.mark.parametrize("name", ["repair", "repair:", "repair:0", "repair:17", "repair:x", "repair:02", "direct:1"])
def test_a_strategy_without_its_parameter_is_one_clear_line(name):
    with pytest.raises(UsageError, match=r"wanted repair:K with K from 1 to 16|direct takes no parameter"):
        find_strategy(name)


def test_a_strategy_that_runs_programs_needs_a_bench():
    with pytest.raises(UsageError, match="give generate"):
        generate(PROBES[:1], [open_model("baseline/sine")], "repair:1", keep=print)


def test_the_key_covers_the_strategy_with_its_parameter():
    bench, _ = fake_bench(lambda text: Outcome.OK)
    keys = {ask(f"repair:{k}", bench, code("a"))[0][0].key for k in (1, 2)} | {
        ask("direct", bench, code("a"))[0][0].key
    }
    assert len(keys) == 3


def test_repair_sends_the_error_back_at_most_so_many_times():
    bench, ran = fake_bench(lambda text: Outcome.ERROR)
    kept, _, sent = ask("repair:2", bench, code("a"), code("b"), code("c"))
    assert len(ran) == 2, "the last answer is left to the render stage"
    assert [len(messages) for messages in sent] == [2, 4, 6]
    assert "ValueError: no such tone" in sent[1][-1]["content"]
    (completion,) = kept
    assert "# c" in completion.text
    assert [r.outcome for r in completion.rounds] == ["error", "error", ""]
    assert completion.messages == completion.rounds[2].messages


def test_repair_asks_once_where_the_program_runs():
    bench, ran = fake_bench(lambda text: Outcome.OK)
    kept, _, sent = ask("repair:2", bench, code("a"))
    assert (len(ran), len(sent), kept[0].rounds) == (1, 1, [])


def test_our_own_failure_is_no_error_of_the_models_and_the_completion_stays_to_be_asked():
    def render(program):
        raise JailFailure("the zygote has gone")

    kept, failures, sent = ask("repair:2", Bench(render, lambda p, r: Heard("", 0)), code("a"), code("b"))
    assert kept == []
    assert len(sent) == 1
    assert isinstance(failures[0].error, JailFailure)


def test_listen_tells_what_is_heard_and_keeps_the_program_where_the_model_is_done():
    bench, ran = fake_bench(lambda text: Outcome.OK)
    kept, _, sent = ask("listen:3", bench, code("a"), code("b"), "DONE")
    assert len(ran) == 2
    assert "- a hum" in sent[1][-1]["content"]
    assert "# b" in kept[0].text
    assert [r.heard for r in kept[0].rounds] == ["- a hum", "- a hum", ""]
    assert kept[0].messages == kept[0].rounds[1].messages


def test_best_of_takes_the_first_of_those_in_which_most_is_found():
    worth = iter([0.2, 0.9, 0.9])
    bench, _ = fake_bench(
        lambda text: Outcome.ERROR if "# b" in text else Outcome.OK, lambda p, r: Heard("- x", next(worth))
    )
    kept, _, sent = ask("best-of:4", bench, code("a"), code("b"), code("c"), code("d"))
    assert "# c" in kept[0].text
    assert sent[0] == sent[3]
    assert len(kept[0].rounds) == 4


def test_draws_of_several_attempts_have_numbers_of_their_own():
    model, _ = script(*[code(str(i)) for i in range(6)])
    numbers = []
    once = model.ask

    async def noted(probe, messages, attempt):
        numbers.append(attempt)
        return await once(probe, messages, attempt)

    model.ask = noted
    bench, _ = fake_bench(lambda text: Outcome.OK)
    generate(PROBES[:1], [model], "best-of:3", attempts=2, keep=lambda c: None, bench=bench)
    assert numbers == [0, 1, 2, 3, 4, 5]


def tone(f0_hz, seconds=1.0):
    t = np.arange(round(RATE * seconds)) / RATE
    return 0.5 * sum(np.sin(2 * np.pi * n * f0_hz * t) / n for n in range(1, 4))


@pytest.mark.parametrize("f0_hz", [82.41, 220.0, 440.0, 1046.5])
def test_the_listeners_tracker_hears_a_tone_within_ten_cents(f0_hz):
    heard, _ = yin(tone(f0_hz))
    assert abs(1200 * np.log2(np.nanmedian(heard) / f0_hz)) < 10


def test_the_listener_counts_clicks_and_hears_no_pitch_in_noise():
    clicks = np.zeros(2 * RATE)
    for at in (0.3, 0.8, 1.1, 1.7):
        clicks[round(at * RATE) : round(at * RATE) + 400] = 0.5 * np.exp(-np.arange(400) / 60)
    probe = PROBES[0]
    assert "4 onsets, at 0.30, 0.80, 1.10" in hear(Clip(clicks[None].astype(np.float32), RATE), probe).words
    noise = np.random.default_rng(0).normal(0, 0.1, (1, RATE)).astype(np.float32)
    assert "Pitch: none" in hear(Clip(noise, RATE), probe).words
    assert hear(Clip(np.zeros((1, RATE), np.float32), RATE), probe).worth == 0
    assert len(onsets(np.ones((100, 513)))) <= 1


def test_the_listener_finds_more_in_the_sound_that_was_asked_for():
    right, wrong = (Clip(tone(hz, 2.0)[None].astype(np.float32), RATE) for hz in (440.0, 500.0))
    probe = PROBES[0]
    assert hear(right, probe).worth == 1.0 > hear(wrong, probe).worth


BROKEN = "```python\nraise ValueError('a wrong chord')\nopen('output.wav', 'wb')\n```"


def faulty(server):
    """Every seventh request meets a fault; every third program is broken until its error comes back."""
    recorded = {}
    for answers_to, text in server.answers.items():
        messages = json.loads(answers_to)
        if len(messages) == 2:
            recorded[messages[1][1]] = text

    def respond(number, body):
        if number % 7 == 3:
            return [status(429, Retry_After="0"), status(500), cut, raw(200, b"{", "application/json")][number // 7 % 4]
        told = body["messages"][-1]["content"]
        if "instruments hear" in told:
            return reply("DONE")
        question = body["messages"][1]["content"]
        if len(body["messages"]) == 2 and len(question) % 3 == 0:
            return reply(BROKEN)
        return reply(recorded[question])

    return respond


def run(server, out, strategy, *more):
    words = ["generate", "--model", "openai/m", "--base-url", server.url, "--out", str(out), "--strategy", strategy]
    return [sys.executable, "-m", "innerear", *words, "--concurrency", "8", *more]


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.parametrize(("strategy", "probes", "n"), [("repair:2", "notes/*", 64), ("listen:2", "environment/*", 60)])
def test_a_suite_among_faults_killed_twice_has_each_row_once(strategy, probes, n, tmp_path):
    with OpenAIServer() as server:
        server.script = faulty(server)
        out = tmp_path / "run"
        command = run(server, out, strategy, "--suite", "1", "--probes", probes)
        for least in (n // 8, n // 3):
            process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
            while process.poll() is None and len(list((out / "completions").glob("*.jsonl"))) + held(out) < least:
                time.sleep(0.05)
            assert process.poll() is None, "it was to be killed before its end"
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    rows = read_rows(out / "completions", Completion)
    lines = [line for path in (out / "completions").glob("*.jsonl") for line in path.read_bytes().splitlines()]
    assert len(rows) == len(lines) == n
    assert len({row.probe for row in rows.values()}) == n
    mended = [row for row in rows.values() if row.rounds and row.rounds[0].outcome == "error"]
    assert len(mended) > n // 9
    assert all("a wrong chord" not in row.text for row in rows.values())
    renders = [line for path in (out / "renders").glob("*.jsonl") for line in path.read_bytes().splitlines()]
    assert len(renders) == len(read_rows(out / "renders", Render))


def held(out):
    try:
        return len(read_rows(out / "completions", Completion)) if (out / "completions").exists() else 0
    except (OSError, UsageError):
        return 0


def test_every_strategy_holds_its_conversation_with_a_server_and_can_be_played_again(tmp_path, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-0123456789")
    bench, _ = fake_bench(lambda text: Outcome.OK)
    for name, way in STRATEGIES.items():
        kept = []
        strategy = f"{name}:2" if way.parameter else name
        with OpenAIServer(lambda number, body: reply(code(number))) as server:
            model = open_model("openai/m", Options(base_url=server.url))
            failures = generate(PROBES[:3], [model], strategy, keep=kept.append, bench=bench)
        assert failures == []
        assert len(kept) == 3
        assert all(msgspec.json.decode(msgspec.json.encode(c), type=Completion) == c for c in kept)


def test_a_program_that_two_conversations_give_is_run_once(tmp_path):
    from innerear.render.workshop import Workshop

    runs = []

    class Slow:
        facts = {}  # noqa: RUF012

        def run(self, text, limits, seed):
            from innerear.jail import JailResult

            runs.append(text)
            time.sleep(0.1)
            return JailResult(Outcome.NO_AUDIO)

        def close(self):
            pass

    from innerear.programs.extract import extract
    from innerear.records import Limits

    program = extract(code("a"))
    with Workshop(tmp_path / "renders", tmp_path / "audio", Limits(), 0, "scratch", lambda language: Slow(), 3) as shop:
        threads = [threading.Thread(target=shop.render, args=(program,)) for _ in range(5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        none = [shop.render(extract(text)) for text in ("", "no code")]
    assert len(runs) == 1
    assert len(read_rows(tmp_path / "renders", Render)) == 2
    assert [row.reason for row in none] == ["the reply is empty", "no code block in the reply"]


def test_the_brief_tells_every_probe_more_than_was_asked_and_leaves_its_figures_exact():
    from innerear.ask.strategies.brief import brief_details

    for probe in PROBES:
        lines = brief_details(probe)
        assert lines, probe.id
        for check in probe.expect:
            if isinstance(hz := getattr(check, "f0_hz", None), float):
                assert any(f"{hz:.2f} Hz" in line for line in lines)
    text = find_strategy("brief").opening(PROBES[0])[1].content
    assert "Fundamental: 440.00 Hz, within 10 cents" in text
    assert "Only the fundamental" in text


def test_few_shots_are_of_other_families_with_programs_that_hold():
    for probe in PROBES[::10]:
        messages = find_strategy("few-shot:16").opening(probe)
        assert len(messages) == 2 + 2 * 16
        assert not any(other.caption in m.content for other in PROBES if other.family == probe.family
                       for m in messages[1:-1] if m.role == "user")  # fmt: skip


@pytest.mark.parametrize("strategy", ["direct", "plan", "repair:2", "listen:2", "best-of:3"])
def test_what_was_recorded_is_played_with_no_key_to_the_same_texts(strategy, tmp_path):
    from innerear.ask.models.recorded import recording

    def heard(probe, row):
        return Heard("- a hum", 0.5)

    bench, _ = fake_bench(lambda text: Outcome.ERROR if "# 0" in text else Outcome.OK, heard)
    kept, again = [], []
    for model, attempts, into in [(None, 2, kept), (f"recorded/{tmp_path}/mine.jsonl", 2, again)]:
        if model is None:
            asked, _ = script(*[code(f"{i % 3}") for i in range(40)])
        else:
            (tmp_path / "mine.jsonl").write_bytes(b"\n".join(recording(kept)))
            asked = open_model(model)
        failures = generate(PROBES[:3], [asked], strategy, attempts, keep=into.append, bench=bench)
        assert failures == []
    assert [(c.probe, c.attempt, c.text) for c in again] == [(c.probe, c.attempt, c.text) for c in kept]


def test_every_kind_that_is_measured_has_a_brief():
    told_by_lore = {"instrument", "label", "sequence", "together", "transcript", "words", "rhyme"}
    for of in get_args(checks.Check):
        if (name := of.__struct_config__.tag) in CHECK_METRICS:
            assert (of.brief is CheckBase.brief) == (name in told_by_lore), name


def test_a_score_says_where_the_strategy_was_told_what_is_judged():
    from innerear.metrics.group import Group
    from innerear.records import Signature

    def group(strategy):
        return Group("m", strategy, "notes", [], [], frozenset(find_strategy(strategy).shared))

    notes = {
        strategy: {metric: group(strategy).score(metric, None, 1, 0, Signature.of("s")).note
                   for metric in ("audio", "right_length", "pitch", "instrument", "label")}
        for strategy in ("direct", "repair:2", "listen:2", "best-of:4")
    }  # fmt: skip
    seen = "seen by the strategy"
    assert set(notes["direct"].values()) == {""}
    untold = {"pitch": "", "instrument": "", "label": ""}
    assert notes["repair:2"] == {"audio": seen, "right_length": "", **untold}
    assert notes["best-of:4"] == {"audio": seen, "right_length": seen, **untold}
    assert notes["listen:2"] == {"audio": seen, "right_length": seen, "pitch": "", "instrument": seen, "label": seen}


def test_what_the_tagger_names_is_told_and_does_not_count():
    clip = Clip(tone(440.0)[None].astype(np.float32), RATE)
    told, untold = hear(clip, PROBES[0], lambda heard: [("Flute", 0.7), ("Whistle", 0.2)]), hear(clip, PROBES[0])
    assert "names it (0 to 1): Flute 0.70, Whistle 0.20." in told.words
    assert "Flute" not in untold.words
    assert told.worth == untold.worth


def test_the_tagger_is_yamnet_where_it_can_be_had():
    from innerear.ask.listener import find_tagger

    if (tagger := find_tagger()) is None:
        pytest.skip("YAMNet's weights are not here")
    noise = np.random.default_rng(0).normal(0, 0.1, (1, 3 * RATE)).astype(np.float32)
    names = [name for name, _ in tagger(Clip(noise, RATE))]
    assert {"White noise", "Pink noise", "Noise", "Static", "Waterfall", "Rain", "Spray"} & set(names), names


def test_every_outcome_but_ours_and_ok_has_a_failure_of_its_name():
    from innerear.metrics.failure import OF_OUTCOME

    assert set(Outcome) - set(OF_OUTCOME) == {Outcome.OK, Outcome.NOT_RENDERED}


def test_the_guide_is_what_the_code_says():
    from pathlib import Path

    from innerear.lab.asking_guide import guide

    page = Path(__file__).parent.parent / "docs" / "asking.md"
    assert page.read_text("utf-8") == guide(), "write it again: python -m innerear.lab.asking_guide > docs/asking.md"
