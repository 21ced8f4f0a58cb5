"""`real`: clips that are what the probe asks for, held back, and each used once."""

import csv
import os
from pathlib import Path

import pytest

from innerear.ask.generate import generate
from innerear.ask.models import Options, open_model
from innerear.ask.models.real import fit, share
from innerear.errors import UsageError
from innerear.reference.manifest import read_manifests
from innerear.suite import edition

PROBES = {probe.id: probe for probe in edition("1").probes}
BIRCH = "The birch canoe slid on the smooth planks."
COLUMNS = ["file", "tier", "set", "label", "text", "f0_hz", "duration_s", "sha256"]
ROWS = [dict(zip(COLUMNS, values, strict=True)) for values in [
    ("env/dog/1.ogg", "env", "ESC-50", "dog", "", "", "5.0", "d1"),
    ("env/dog/2.ogg", "env", "ESC-50", "dog", "", "", "5.0", "d2"),
    ("env/rain/1.ogg", "env", "ESC-50", "rain", "", "", "5.0", "r1"),
    ("notes/real/p/60.flac", "notes", "real:P", "keyboard", "", "261.63", "4.0", "n1"),
    ("notes/real/p/63.flac", "notes", "real:P", "keyboard", "", "311.13", "4.0", "n2"),
    ("notes/gm/p/60.flac", "notes", "gm:FluidR3", "keyboard", "", "261.63", "4.0", "n3"),
    ("notes/real/g/55.flac", "notes", "real:G", "guitar", "", "196.0", "4.0", "n4"),
    ("speech/digits/3.flac", "speech", "FSDD", "digit", "three", "", "0.5", "s1"),
    ("speech/tts/1.flac", "speech", "tts:slt", "sentence", BIRCH, "", "2", "s2"),
    ("speech/libri/1.flac", "speech", "LibriSpeech", "sentence", "", "", "9.0", "s3"),
    ("speech/libri/2.flac", "speech", "LibriSpeech", "sentence", "", "", "4.5", "s4"),
    ("speech/arctic/1.flac", "speech", "ARCTIC", "sentence", BIRCH.lower(), "", "9", "s5"),
]]  # fmt: skip


def chosen(id, rows=ROWS):
    found = share([PROBES[id]], rows).get(id)
    return found and (found[0]["sha256"], found[1])


@pytest.fixture
def folder(tmp_path):
    with (tmp_path / "MANIFEST.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(ROWS)
    return tmp_path


def play(folder, probes, attempts=1, held_back=lambda rows: {row["file"] for row in rows}):
    kept = []
    model = open_model("real", Options(data=folder, held_back=held_back))
    assert generate(probes, [model], attempts=attempts, keep=kept.append) == []
    return kept


@pytest.mark.parametrize(
    ("id", "clip"),
    [
        ("environment/nature/rain", ("r1", None)),
        ("notes/instrument/piano-c4", ("n1", None)),
        ("notes/instrument/nylon-guitar-g3", ("n4", None)),
        ("notes/instrument/guitar-e2", ("n4", "another pitch")),
        ("speech/digit/three", ("s1", None)),
        ("speech/sentence/harvard-1-01", ("s5", None)),
        ("speech/sentence/harvard-1-02", ("s4", "another text")),
    ],
)
def test_the_clip_is_what_was_asked_or_says_that_it_is_not(id, clip):
    assert chosen(id) == clip


@pytest.mark.parametrize(
    "id",
    [
        "notes/waveform/sine-440",
        "notes/chord/c-major",
        "notes/melody/twinkle",
        "notes/articulation/vibrato",
        "notes/instrument/flute-d5",  # no flute among the clips
        "environment/scene/three-barks",  # a dog, but nobody counted its barks
        "environment/scene/siren-passing",
        "speech/digit/four",
        "speech/vowel/i",
        "speech/word/yes",
        "speech/prosody/count-to-five",
    ],
)
def test_where_no_label_vouches_for_a_clip_there_is_none(id):
    assert chosen(id) is None


def test_a_probe_without_a_clip_is_not_asked(folder):
    kept = play(folder, list(PROBES.values()))
    assert len(kept) == len(ROWS) - 3  # the second dog, the General MIDI note, the synthetic voice
    assert {c.text for c in kept} == {""}


def test_a_clip_goes_to_the_probe_that_it_fits_best(folder):
    clips = {c.probe: c.recording for c in play(folder, list(PROBES.values()))}
    assert clips["notes/instrument/nylon-guitar-g3"] == "notes/real/g/55.flac"
    assert "notes/instrument/guitar-e2" not in clips
    assert clips["speech/sentence/harvard-1-01"] == "speech/arctic/1.flac"


def test_no_clip_is_played_twice_over_probes_and_attempts(folder):
    kept = play(folder, [PROBES["environment/animals/dog"], PROBES["environment/nature/rain"]], attempts=3)
    assert sorted(c.recording for c in kept) == ["env/dog/1.ogg", "env/dog/2.ogg", "env/rain/1.ogg"]


def test_only_what_is_held_back_is_played(folder):
    kept = play(folder, list(PROBES.values()), held_back=lambda rows: {"env/dog/2.ogg"})
    assert [c.recording for c in kept] == ["env/dog/2.ogg"]


def test_without_recordings_the_error_says_how_to_get_them(tmp_path, monkeypatch):
    monkeypatch.delenv("INNEREAR_DATA", raising=False)
    with pytest.raises(UsageError, match="innerear reference fetch"):
        open_model("real")
    monkeypatch.setenv("INNEREAR_DATA", str(tmp_path))
    with pytest.raises(UsageError, match=r"holds no MANIFEST\.csv .*innerear reference fetch"):
        open_model("real")
    with pytest.raises(UsageError, match="no model 'real/x'"):
        open_model("real/x")


@pytest.mark.shared
@pytest.mark.skipif("INNEREAR_SHARED" not in os.environ, reason="INNEREAR_SHARED is not set")
def test_every_class_digit_and_sentence_of_the_suite_has_a_held_back_clip(monkeypatch):
    folders = [Path(os.environ["INNEREAR_SHARED"]) / name for name in ("data", "data-more")]
    monkeypatch.setenv("INNEREAR_DATA", os.pathsep.join(map(str, folders)))
    kept = []
    assert generate(list(PROBES.values()), [open_model("real")], keep=kept.append) == []
    clips = {c.probe: c.recording for c in kept}
    assert len(set(clips.values())) == len(clips)
    covered = [id.rsplit("/", 1)[0] for id in clips]
    assert {family: covered.count(family) for family in set(covered)} == {
        **dict.fromkeys([f"environment/{kind}" for kind in ("animals", "nature", "human", "domestic", "urban")], 10),
        "speech/digit": 10,
        "speech/sentence": 10,
        "notes/instrument": 5,  # keyboard and string: whole instruments are held back
    }
    for clip in clips.values():
        assert any((folder / clip).is_file() for folder in folders)
    rows = {row["file"]: row for row in read_manifests(folders)}
    assert all(fit(PROBES[probe], rows[clip]) for probe, clip in clips.items())
