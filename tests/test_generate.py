"""Probes to completions, with real recordings, baselines and one's own functions."""

import asyncio
import json
import os
import subprocess
import sys
from importlib import resources
from pathlib import Path

import msgspec
import pytest

from innerear.ask.generate import generate, summary
from innerear.ask.models import MODELS, Options, open_model
from innerear.ask.strategies import STRATEGIES, find_strategy
from innerear.errors import RecordingMismatch, UsageError
from innerear.records import Completion, Message, Probe
from innerear.suite import edition

PROBES = edition("1").probes


def run(models, strategy="direct", probes=PROBES, **options):
    kept = []
    failures = generate(probes, [open_model(m) if isinstance(m, str) else m for m in models], strategy,
                        keep=kept.append, **options)  # fmt: skip
    return kept, failures


def recording(name):
    path = resources.files("innerear.ask.models") / "recordings" / f"{name}.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.mark.parametrize(("name", "strategy"), [("one-shot", "direct"), ("plan", "plan")])
def test_all_recorded_messages_are_those_that_the_suite_sends(name, strategy):
    kept, failures = run([f"recorded/{name}"], strategy)
    assert failures == []
    rows = {row["probe"]: row for row in recording(name)}
    assert len(kept) == len(rows) == 172
    for completion in kept:
        row = rows[completion.probe]
        assert msgspec.to_builtins(completion.messages) == row["messages"]
        assert completion.text == row["text"]


@pytest.mark.skipif("INNEREAR_SHARED" not in os.environ, reason="INNEREAR_SHARED is not set")
def test_words_are_those_of_the_specification():
    text = (Path(os.environ["INNEREAR_SHARED"]) / "suite/prompt.md").read_text()
    blocks = [block.split("\n", 1)[1].rstrip("\n") for block in text.split("```")[1::2]]
    probe = PROBES[0]

    def filled(block):
        values = {"caption": probe.caption, "details": probe.details, "duration_s": f"{probe.duration_s:g}"}
        for name, value in values.items():
            block = block.replace("{" + name + "}", value)
        return block

    direct = next(find_strategy("direct")(probe)).messages
    assert [message.content for message in direct] == [filled(block) for block in blocks[:2]]
    planning = find_strategy("plan")(probe)
    first = next(planning).messages
    last = planning.send("hum").messages
    assert [first[1].content, last[3].content] == [filled(block) for block in blocks[2:4]]
    assert last[2] == Message("assistant", "hum")


def test_an_empty_details_line_is_left_out():
    probe = msgspec.structs.replace(PROBES[0], details="", duration_s=1.5)
    for name, way in STRATEGIES.items():
        text = find_strategy(f"{name}:2" if way.parameter else name).opening(probe)[-1].content
        assert "\n\n" not in text
        assert ("1.5 seconds" in text) is (name != "plan")


def test_an_unknown_strategy_names_those_there_are():
    with pytest.raises(UsageError, match=r"wanted one of direct, brief, plan, few-shot:K, .*; did you mean 'plan'\?"):
        find_strategy("plann")


def test_an_unknown_model_names_the_providers():
    with pytest.raises(UsageError, match=r"no model 'recordd/one-shot'.*did you mean 'recorded/one-shot'"):
        open_model("recordd/one-shot")
    with pytest.raises(UsageError, match=r"no recording 'two-shot'; there are csound, javascript, one-shot, plan"):
        open_model("recorded/two-shot")
    with pytest.raises(UsageError, match="no baseline 'drums'; there are silence, noise, sine, informed"):
        open_model("baseline/drums")


def test_every_provider_of_the_table_exists():
    import importlib

    for where in MODELS.values():
        module, _, attribute = where.partition(":")
        assert hasattr(importlib.import_module(module), attribute)


def test_other_words_than_the_recorded_are_refused_naming_the_probe_and_the_rest_goes_on():
    changed = msgspec.structs.replace(PROBES[1], caption="a square peg")
    kept, failures = run(["recorded/one-shot"], probes=[PROBES[0], changed, PROBES[2]])
    assert [c.probe for c in kept] == [PROBES[0].id, PROBES[2].id]
    (failure,) = failures
    assert isinstance(failure.error, RecordingMismatch)
    assert PROBES[1].id in str(failure.error)
    assert "a square peg" in str(failure.error)
    assert len(summary(failures)) == 1


def test_a_probe_or_attempt_that_was_not_recorded_is_named_and_skipped():
    stranger = msgspec.structs.replace(PROBES[0], id="notes/waveform/none")
    model = open_model("recorded/one-shot")
    with pytest.raises(RecordingMismatch, match="holds 0 attempts of probe 'notes/waveform/none', wanted attempt 0"):
        model.identity(stranger, 0)
    with pytest.raises(RecordingMismatch, match=f"holds 1 attempt of probe '{PROBES[0].id}', wanted attempt 1"):
        model.identity(PROBES[0], 1)
    kept, failures = run(["recorded/one-shot"], probes=[stranger, *PROBES[:1]], attempts=2)
    assert failures == []
    assert [(completion.probe, completion.attempt) for completion in kept] == [(PROBES[0].id, 0)]


def test_a_recording_made_for_another_strategy_is_refused():
    kept, failures = run(["recorded/one-shot"], "plan", probes=PROBES[:3])
    assert kept == []
    assert len(failures) == 3


def test_the_completions_of_a_run_are_a_recording(tmp_path):
    kept, _ = run(["recorded/plan"], "plan", probes=PROBES[:5])
    file = tmp_path / "mine.jsonl"
    file.write_bytes(b"\n".join(map(msgspec.json.encode, kept)))
    again, failures = run([f"recorded/{file}"], "plan", probes=PROBES[:5])
    assert failures == []
    assert [c.text for c in again] == [c.text for c in kept]


def test_a_bad_line_of_a_recording_is_named(tmp_path):
    file = tmp_path / "bad.jsonl"
    file.write_text('{"probe": "p", "messages": [], "text": "t"}\n{"probe": 3}\n')
    with pytest.raises(UsageError, match=r"bad\.jsonl, line 2: .*\$\.probe"):
        open_model(f"recorded/{file}")


def test_what_is_done_is_not_asked_again():
    kept, _ = run(["recorded/one-shot", "baseline/noise"], attempts=1)
    assert len({c.key for c in kept}) == len(kept) == 344
    again, failures = run(["recorded/one-shot", "baseline/noise"], done=kept[10:])
    assert failures == []
    assert {c.key for c in again} == {c.key for c in kept[:10]}


def test_what_decides_a_completion_decides_its_key():
    def key(model="baseline/sine", strategy="direct", probe=PROBES[0], attempts=1):
        return run([model], strategy, [probe], attempts=attempts)[0][-1].key

    other = msgspec.structs.replace(PROBES[0], caption="something else")
    longer = msgspec.structs.replace(PROBES[0], duration_s=9.0)
    keys = [key(), key("baseline/noise"), key(strategy="plan"), key(probe=other)]
    keys += [key(probe=longer), key(attempts=2)]
    assert len(set(keys)) == len(keys)
    assert key() == keys[0]


def plain(messages):
    return f"{len(messages)} messages, the last by the {messages[-1]['role']}"


async def awaited(messages):
    await asyncio.sleep(0)
    return plain(messages)


def broken(messages):
    raise RuntimeError("out of tape")


@pytest.mark.parametrize("name", ["plain", "awaited"])
def test_ones_own_function_is_a_model(name):
    kept, failures = run([f"python:{__name__}.{name}"], "plan", probes=PROBES[:20])
    assert failures == []
    assert {c.text for c in kept} == {"4 messages, the last by the user"}
    assert kept[0].messages[2].content == "2 messages, the last by the user"


def test_an_error_of_ones_own_function_is_one_line():
    _, failures = run([f"python:{__name__}.broken"], probes=PROBES[:2])
    assert len(summary(failures)) == 1
    assert "raised RuntimeError: out of tape" in summary(failures)[0]
    with pytest.raises(UsageError, match=r"wanted python:MODULE\.ATTRIBUTE"):
        open_model("python:nowhere.at_all")


def test_an_error_while_keeping_comes_out_as_itself():
    def full(completion):
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        generate(PROBES, [open_model("baseline/sine")], keep=full)


def test_generate_works_inside_an_event_loop_as_in_a_notebook():
    async def cell():
        return run(["baseline/sine"], probes=PROBES[:2])

    kept, _ = asyncio.run(cell())
    assert len(kept) == 2


def names(probe: Probe) -> set[str]:
    return {check.label for check in probe.expect if hasattr(check, "label")}


def test_swap_gives_each_probe_another_ones_answer_and_each_answer_once():
    kept, failures = run(["swap/recorded/one-shot", "recorded/one-shot"])
    assert failures == []
    swapped = {c.probe: c for c in kept if c.model == "swap/recorded/one-shot"}
    own = {c.probe: c for c in kept if c.model == "recorded/one-shot"}
    assert len(swapped) == 172
    by_text = {c.text: probe for probe, c in own.items()}
    donors = {probe: by_text[c.text] for probe, c in swapped.items()}
    assert sorted(donors.values()) == sorted(donors)
    probes = {probe.id: probe for probe in PROBES}
    for probe, donor in donors.items():
        assert probe != donor
        assert probes[probe].tier == probes[donor].tier
        assert not names(probes[probe]) & names(probes[donor])
    apart = [abs(probes[p].duration_s - probes[d].duration_s) for p, d in donors.items()]
    assert sum(apart) / len(apart) < 0.5


def test_swap_is_the_same_every_time_and_needs_its_model():
    kept, _ = run(["recorded/one-shot"], probes=PROBES[:30])
    first, _ = run(["swap/recorded/one-shot"], probes=PROBES[:30], done=kept)
    again, _ = run(["swap/recorded/one-shot"], probes=PROBES[:30], done=kept[::-1])
    assert [c.key for c in first] == [c.key for c in again]
    assert len(first) == 30
    with pytest.raises(UsageError, match="swap/recorded/plan needs completions of recorded/plan"):
        run(["swap/recorded/plan"], done=kept)


def test_swap_leaves_out_what_the_other_model_has_not_answered():
    kept, _ = run(["recorded/one-shot"], probes=PROBES[:30])
    swapped, failures = run(["swap/recorded/one-shot"], probes=PROBES[:30], done=kept[1:])
    assert failures == []
    assert len(swapped) == 29


def test_a_completion_survives_its_file():
    kept, _ = run(["recorded/plan"], "plan", probes=PROBES[:1])
    assert msgspec.json.decode(msgspec.json.encode(kept[0]), type=Completion) == kept[0]


def test_naming_and_importing_models_is_light():
    code = "import sys, innerear.ask.generate, innerear.programs.extract; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "innerear.ask.models" in loaded
    assert not {"openai", "scipy", "numpy", "soundfile"} & set(loaded)


def test_a_baseline_is_asked_once_whatever_the_strategy():
    kept, _ = run(["baseline/sine"], "plan", probes=PROBES[:1])
    assert len(kept[0].messages) == 2
    assert Options().concurrency > 1
