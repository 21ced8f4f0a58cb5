"""Programs to sounds: measured raw, stored with their factor, run once, flagged near a limit."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from innerear import load as load_suite
from innerear.clip import Clip, read
from innerear.compute.work import Local
from innerear.errors import AudioError, JailFailure, JailUnavailable
from innerear.jail import JailResult, open_jail
from innerear.metrics.base import Sound
from innerear.metrics.signal import Format
from innerear.records import Limits, Outcome, Program, Render
from innerear.render.render import load, near_limits, raw_levels, render_all, store
from innerear.run.keys import render_key


def tone(peak=0.5, seconds=0.5, sample_rate=44_100, channels=1):
    t = np.arange(round(seconds * sample_rate)) / sample_rate
    return Clip(np.tile((peak * np.sin(2 * np.pi * 1000 * t)).astype(np.float32), (channels, 1)), sample_rate)


WRITES = """\
import numpy as np, wave
samples = (np.sin(np.arange({n}) * 0.1) * 16000).astype("<i2")
with wave.open("output.wav", "wb") as file:
    file.setnchannels({channels}); file.setsampwidth(2); file.setframerate({rate}); file.writeframes(samples.tobytes())
"""


def rendered(tmp_path, *programs, **more):
    rows: list[Render] = []
    failures = render_all(
        programs, rows.append, tmp_path / "audio", Limits(cpu_s=20, wall_s=20), open_jail=open_jail, **more
    )
    return rows, failures


def test_a_full_scale_sine_is_3_db_below_full_scale():
    levels = raw_levels(tone(peak=1.0))
    assert levels.rms_dbfs == pytest.approx(-3.01, abs=0.01)
    assert levels.peak == pytest.approx(1.0, abs=1e-3)


def test_silence_has_no_level():
    assert raw_levels(Clip(np.zeros((1, 100), np.float32), 44_100)).rms_dbfs is None


def test_an_offset_is_measured_as_dc():
    assert raw_levels(Clip(np.full((1, 1000), 0.25, np.float32), 44_100)).dc == pytest.approx(0.25)


def test_clipping_is_counted_in_runs_and_a_lone_full_scale_sample_is_not():
    samples = np.zeros((1, 1000), np.float32)
    samples[0, 10] = 1.0
    assert raw_levels(Clip(samples, 44_100)).clipped == 0
    samples[0, 100:200] = -1.0
    assert raw_levels(Clip(samples, 44_100)).clipped == pytest.approx(0.1)


@given(peak=st.floats(0.01, 8), channels=st.integers(1, 2), sample_rate=st.sampled_from([8000, 22_050, 44_100, 96_000]))
def test_a_stored_sound_comes_back_at_its_own_level(tmp_path_factory, peak, channels, sample_rate):
    audio = tmp_path_factory.mktemp("audio")
    clip = tone(peak, 0.05, sample_rate, channels)
    fields = store(clip, audio)
    back = load(Render("k", "p", Outcome.OK, **fields), audio)
    assert back.sample_rate == sample_rate
    assert np.abs(back.samples - clip.samples).max() <= max(1.0, peak) * 2**-22  # two steps of 24 bits


@pytest.mark.parametrize("sample_rate", [8001, 65_535, 65_537, 131_072, 191_999, 192_000])
def test_a_rate_that_flac_cannot_hold_is_kept_in_the_row(tmp_path, sample_rate):
    clip = tone(0.5, 0.05, sample_rate)
    row = Render("k", "p", Outcome.OK, **store(clip, tmp_path))
    assert row.sample_rate == load(row, tmp_path).sample_rate == sample_rate
    assert row.duration_s == pytest.approx(0.05, abs=1e-5)
    assert np.abs(load(row, tmp_path).samples - clip.samples).max() <= 2**-22
    stored = read(tmp_path / f"{row.audio}.flac").sample_rate
    assert abs(1200 * np.log2(stored / sample_rate)) < 0.15  # cents, for whoever plays the file itself


def test_a_sound_that_flac_cannot_hold_at_all_is_named(tmp_path):
    with pytest.raises(AudioError, match="at 700000 Hz"):
        store(Clip(np.zeros((1, 10), np.float32), 700_000), tmp_path)


def test_a_sound_may_be_four_times_as_long_as_asked_and_half_a_minute_in_any_case(tmp_path):
    long = "import wave\nw = wave.open('output.wav', 'wb'); w.setparams((1, 1, 8000, 0, 'NONE', ''))\n"
    long += "w.writeframes(bytes([100, 160]) * 4000 * {}); w.close()"
    programs = [Program(long.format(seconds), duration_s=asked) for seconds, asked in [(30, 5), (31, 5), (39, 10)]]
    rows, failures = rendered(tmp_path, *programs)
    assert not failures
    by_program = {row.program: row for row in rows}
    assert [by_program[program.digest].outcome for program in programs] == ["ok", "bad_audio", "ok"]
    assert "31.0 s long, wanted at most 30 s" in by_program[programs[1].digest].reason


def test_what_was_asked_of_a_program_is_no_part_of_its_key():
    assert len({render_key(Program("a", duration_s=asked), Limits(), 0) for asked in (None, 1.0, 5.0)}) == 1


def test_a_sound_that_is_cut_off_is_measured_and_fails_in_its_format(tmp_path):
    code = WRITES.format(n=44_100, channels=1, rate=44_100)
    code += "data = open('output.wav', 'rb').read(); open('output.wav', 'wb').write(data[: len(data) // 2])"
    (row,), _ = rendered(tmp_path, Program(code))
    sound = Sound(load_suite().probes[0], row, load(row, tmp_path / "audio"))
    found = Format().measure(sound)
    assert (row.outcome, found.passed) == (Outcome.OK, False)
    assert found.reason == row.reason == "the file is cut off: its header promises 1.000 s, it holds 0.500 s"


def test_equal_sounds_are_stored_once(tmp_path):
    assert store(tone(), tmp_path)["audio"] == store(tone(), tmp_path)["audio"]
    assert store(tone(), tmp_path)["audio"] != store(tone(sample_rate=48_000), tmp_path)["audio"]
    assert len(list(tmp_path.iterdir())) == 2


def test_stereo_at_another_rate_is_a_sound_with_its_own_format(tmp_path):
    (row,), _ = rendered(tmp_path, Program(WRITES.format(n=8000, channels=2, rate=8000)))
    assert (row.outcome, row.sample_rate, row.channels, row.samples) == (Outcome.OK, 8000, 2, 4000)


def test_the_models_failures_are_rows_and_not_errors(tmp_path):
    programs = {
        Outcome.NO_PROGRAM: Program(None, "the reply is empty"),
        Outcome.ERROR: Program("x = [1][2]"),
        Outcome.EXIT_CODE: Program("import sys; sys.exit(3)"),
        Outcome.NO_AUDIO: Program("print('done')"),
        Outcome.BAD_AUDIO: Program("open('output.wav', 'wb').write(b'no sound')"),
    }
    rows, failures = rendered(tmp_path, *programs.values())
    assert not failures
    assert {row.program: row.outcome for row in rows} == {p.digest: outcome for outcome, p in programs.items()}


def test_rows_say_in_which_jail_they_ran(tmp_path):
    (row,), _ = rendered(tmp_path, Program("pass"))
    assert row.jail["tier"] in {"ns", "ll"}
    assert row.jail["kernel"]


def test_using_more_than_four_fifths_of_a_limit_is_flagged():
    limits = Limits(cpu_s=10, wall_s=100, memory_bytes=1000)
    assert near_limits(JailResult(Outcome.OK, cpu_s=8.1, wall_s=79, memory_bytes=100), limits) == ["cpu_s"]
    assert near_limits(JailResult(Outcome.OK, cpu_s=7.9, wall_s=81, memory_bytes=801), limits) == [
        "wall_s",
        "memory_bytes",
    ]


def test_a_key_depends_on_code_limits_and_seed_but_not_on_why_there_is_no_code():
    keys = {
        render_key(Program("a"), Limits(), 0),
        render_key(Program("b"), Limits(), 0),
        render_key(Program("a"), Limits(cpu_s=1), 0),
        render_key(Program("a"), Limits(), 1),
    }
    assert len(keys) == 4
    assert render_key(Program(None, "x"), Limits(), 0) == render_key(Program(None, "y"), Limits(), 0)


class BrokenJail:
    facts = {"tier": "broken"}  # noqa: RUF012

    def run(self, code, limits, seed=0):
        if code == "break":
            raise JailFailure("the zygote is gone")
        return JailResult(Outcome.NO_AUDIO)

    def close(self):
        pass


def test_a_failure_of_the_jail_is_no_row_and_holds_up_no_other_program(tmp_path):
    rows: list[Render] = []
    programs = [Program("break"), Program("other")]
    failures = render_all(programs, rows.append, tmp_path, Limits(), open_jail=BrokenJail, machines=Local(1))
    assert [row.program for row in rows] == [programs[1].digest]
    assert len(failures) == 1
    assert "zygote" in failures[0]


def test_without_a_jail_no_program_runs(tmp_path):
    def refuse():
        raise JailUnavailable("user namespaces", "Turn them on.")

    with pytest.raises(JailUnavailable, match="user namespaces"):
        render_all([Program("pass")], lambda row: None, tmp_path, Limits(), open_jail=refuse)


def test_a_recording_longer_than_asked_is_cut_with_a_fade(tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    store(tone(seconds=2.0), data)
    name = next(data.iterdir()).name
    (row,), _ = rendered(tmp_path, Program(None, "a recording", name, 0.5), data=data)
    cut = load(row, tmp_path / "audio")
    assert cut.duration_s == 0.5
    assert abs(cut.samples[0, -1]) < 1e-3
