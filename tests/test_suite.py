"""The probes: edition 1 is what it is, and a bad line of one's own suite says what is wrong."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from innerear import suite
from innerear.checks import kind
from innerear.errors import SuiteError, UsageError

GOOD = {
    "id": "mine/one", "tier": "notes", "family": "waveform", "level": 1, "caption": "a tone", "details": "",
    "duration_s": 1.0, "expect": [{"check": "pitch", "f0_hz": 440.0, "tolerance_cents": 50}],
}  # fmt: skip


def written(tmp_path: Path, *rows: object) -> Path:
    file = tmp_path / "suite.jsonl"
    file.write_text("\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows))
    return file


def test_edition_1_has_64_notes_60_environment_48_speech_probes():
    tiers = [probe.tier for probe in suite.edition("1").probes]
    assert {tier: tiers.count(tier) for tier in set(tiers)} == {"notes": 64, "environment": 60, "speech": 48}


def test_edition_1_never_changes():
    assert suite.edition("1").digest == "159ccf430628aa4a5cfd2928022166a7"


def test_edition_1_equals_the_shared_suite(shared):
    assert suite.load(shared / "suite" / "probes.jsonl").digest == suite.edition("1").digest


def test_every_kind_of_check_in_the_edition_is_a_type():
    kinds = {kind(check) for probe in suite.edition("1").probes for check in probe.expect}
    assert kinds == {
        "pitch", "waveform", "instrument", "modulation", "glide", "level_trend", "notes", "events", "chord", "onsets",
        "onset_trend", "label", "sequence", "together", "doppler", "vowel", "voice_f0", "transcript", "f0_trend",
        "unvoiced", "voice", "voice_f0_steps",
    }  # fmt: skip


def test_spacing_and_order_of_keys_do_not_change_the_digest(tmp_path):
    one = suite.load(written(tmp_path, GOOD)).digest
    other = suite.load(
        written(tmp_path, json.dumps(dict(reversed(GOOD.items())), indent=None, separators=(", ", ":  ")))
    )
    assert other.digest == one


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"tier": "music"}, r"line 2.*'music'.*\$\.tier"),
        ({"level": "1"}, r"line 2.*Expected `int`, got `str`.*\$\.level"),
        ({"colour": "red"}, r"line 2.*colour"),
        ({"duration_s": 3600}, r"line 2.*between 0.05 and 60 s, got 3600.*\$\.duration_s"),
        ({"expect": [{"check": "smell"}]}, r"line 2.*'smell'.*\$\.expect"),
        ({"expect": [{"check": "events"}]}, r"line 2.*missing required field `count`.*\$\.expect"),
        ({"expect": [{"check": "events", "count": "3"}]}, r"line 2.*Expected `int`, got `str`.*count"),
        ({"id": "mine/one"}, r"line 2.*'mine/one'.*line 1"),
        ({"caption": " "}, r"line 2.*caption"),
    ],
)
def test_a_bad_line_gives_the_line_the_field_and_what_was_expected(tmp_path, change, says):
    file = written(tmp_path, GOOD, {**GOOD, "id": "mine/two", **change})
    with pytest.raises(SuiteError, match=says) as error:
        suite.load(file)
    assert str(file) in str(error.value)


def test_a_line_that_is_no_json_is_named(tmp_path):
    with pytest.raises(SuiteError, match="line 2"):
        suite.load(written(tmp_path, GOOD, "{"))


def test_an_empty_suite_is_an_error(tmp_path):
    with pytest.raises(SuiteError, match="no probe"):
        suite.load(written(tmp_path, ""))


@given(st.binary(max_size=200))
def test_no_bytes_make_loading_fail_otherwise_than_with_a_suite_error(tmp_path_factory, content):
    file = tmp_path_factory.mktemp("suite") / "s.jsonl"
    file.write_bytes(content)
    with pytest.raises(SuiteError):
        suite.load(file)


def test_choosing_by_tier_level_and_pattern_narrows():
    probes = suite.edition("1").probes
    assert {p.tier for p in suite.choose(probes, tiers=["speech"])} == {"speech"}
    assert {p.level for p in suite.choose(probes, levels=[1])} == {1}
    assert all(p.family == "vowel" for p in suite.choose(probes, pattern="speech/vowel/*"))


def test_choosing_nothing_says_what_comes_near():
    with pytest.raises(UsageError, match="notes/waveform/sine-440"):
        suite.choose(suite.edition("1").probes, pattern="notes/waveform/sine-44")


def test_an_unknown_tier_names_those_there_are():
    with pytest.raises(UsageError, match="notes, environment, speech"):
        suite.choose(suite.edition("1").probes, tiers=["music"])
