"""The sampler: a probe's checks as MIDI, played by fluidsynth where it is; a sound that enters as a render."""

import subprocess
import sys

import numpy as np
import pytest

from innerear.ask.models import open_model
from innerear.ask.models.sampler import midi_file, score
from innerear.checks import Pitch
from innerear.errors import UsageError
from innerear.metrics.base import Sound
from innerear.metrics.pitch import PitchCheck
from innerear.records import Outcome, Render
from innerear.render import tools
from innerear.run.run import Run
from innerear.sharing.pack import is_asked
from innerear.suite import edition

PROBES = {probe.id: probe for probe in edition("1").probes}
NOTES = [probe for probe in PROBES.values() if probe.tier == "notes"]


def fluidsynth():
    try:
        return tools.soundfont()
    except UsageError as error:
        pytest.skip(f"not installed here: {error}")


def messages(id, kind):
    return [(time, *message[1:]) for time, _, message in score(PROBES[id]) if message[0] & 0xF0 == kind]


def test_every_notes_probe_but_plain_waveforms_is_played():
    assert [probe.id for probe in NOTES if score(probe) is None] == [p.id for p in NOTES if p.family == "waveform"]
    assert all(score(probe) is None for probe in PROBES.values() if probe.tier != "notes")


def test_notes_are_those_of_the_checks_on_the_instrument_of_the_caption():
    assert messages("notes/scale/c-major", 0xC0) == [(0.0, 0)]
    assert [(time, key) for time, key, _ in messages("notes/scale/c-major", 0x90)] == [
        (start, midi) for start, _, midi in PROBES["notes/scale/c-major"].expect[0].notes
    ]
    assert {key for _, key, _ in messages("notes/chord/g7", 0x90)} == {55, 59, 62, 65}


def test_drums_play_on_the_percussion_channel_every_onset_that_is_asked():
    for id in ("notes/rhythm/rock-beat", "notes/rhythm/son-clave", "notes/rhythm/three-against-two"):
        events = score(PROBES[id])
        assert {message[0] & 0x0F for _, _, message in events} == {9}
        assert sorted({time for time, _, message in events if message[0] & 0xF0 == 0x90}) == sorted(
            PROBES[id].expect[0].times_s
        )


def test_a_glide_bends_the_whole_octave():
    first, *_, last = messages("notes/articulation/glissando", 0xE0)
    assert (first[1] + 128 * first[2], last[1] + 128 * last[2]) == (8192, pytest.approx(16383, abs=40))


def test_a_midi_file_is_as_the_standard_says():
    written = bytes.fromhex(midi_file([(0.0, 2, b"\x90\x3c\x64"), (1.0, 0, b"\x80\x3c\x00")]))
    assert written[:14] == b"MThd\0\0\0\6\0\0\0\1\x01\xe0"
    assert written[14:22] == b"MTrk" + (14).to_bytes(4, "big")
    assert written[22:] == b"\0\x90\x3c\x64" + b"\x87\x40\x80\x3c\0" + b"\x87\x40\xff\x2f\0"


def test_without_the_tool_one_line_says_how_to_get_it(monkeypatch):
    tools.soundfont.cache_clear()
    monkeypatch.setenv("INNEREAR_SOUNDFONT", "/nowhere/some.sf2")
    with pytest.raises(UsageError, match=r"/nowhere/some.sf2.*apt-get install fluidsynth"):
        open_model("baseline/sampler")
    tools.soundfont.cache_clear()


def test_a_model_cannot_name_a_hosted_sound():
    """Only a completion's `recording` is made by a tool, and no model's reply can set it."""
    assert not tools.is_hosted("env/esc50/dog.flac")
    assert tools.is_hosted(tools.recording("fluidsynth", {}))


def test_the_note_that_is_asked_is_heard():
    font = fluidsynth()
    probe = PROBES["notes/instrument/cello-g2"]
    clip = tools.make(tools.recording("fluidsynth", {"soundfont": font.name, "midi": midi_file(score(probe))}))
    assert clip.duration_s >= probe.duration_s
    assert np.abs(clip.samples).max() > 0.01
    (pitch,) = [check for check in probe.expect if isinstance(check, Pitch)]
    sound = Sound(probe, Render("k", "p", Outcome.OK), clip)
    assert PitchCheck().measure(sound, pitch).passed


def test_it_runs_like_any_baseline_and_stands_as_long_as_asked(tmp_path):
    fluidsynth()
    command = [
        sys.executable,
        "-m",
        "innerear",
        "generate",
        "--model",
        "baseline/sampler",
        "--out",
        str(tmp_path / "r"),
    ]
    subprocess.run([*command, "--suite", "1", "--probes", "notes/[cw]*/[sc]*"], check=True, capture_output=True)
    subprocess.run([sys.executable, "-m", "innerear", "render", str(tmp_path / "r")], check=True, capture_output=True)

    items = Run(tmp_path / "r").items()
    assert [item.probe.id for item in items] == ["notes/chord/c-major", "notes/chord/c-maj7"]
    for item in items:
        assert item.render.outcome == Outcome.OK
        assert item.render.duration_s == pytest.approx(item.probe.duration_s)


def test_no_tool_is_needed_to_import_or_to_list_models():
    code = "import innerear.cli.main, sys; sys.exit(any('sampler' in name for name in sys.modules))"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_only_what_a_probe_asks_for_is_given_to_a_tool():
    probe = PROBES["notes/scale/c-major"]
    asked = tools.recording("fluidsynth", {"soundfont": "any.sf2", "midi": midi_file(score(probe))})
    assert is_asked(asked, [probe])
    assert not is_asked(asked, [PROBES["notes/instrument/piano-c4"]])
    for strange in ("fluidsynth:{", "fluidsynth:[]", asked.replace("any.sf2", 'any.sf2","more":"1')):
        assert not is_asked(strange, [probe])
