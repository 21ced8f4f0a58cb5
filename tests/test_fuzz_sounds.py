"""Whatever file or end a program leaves is a row with an outcome, and no metric fails on its sound."""

import sys
from pathlib import Path

import numpy as np
import pytest

from innerear import load
from innerear.ask.listener import hear
from innerear.checks import kind
from innerear.clip import Clip
from innerear.jail import probe as probe_jails
from innerear.metrics.base import Sound, Value
from innerear.metrics.failure import fingerprint
from innerear.metrics.measure import keys, measure
from innerear.metrics.spectrum import harmonic_levels
from innerear.records import Outcome, Render, Status
from innerear.render.render import store

sys.path.insert(0, str(Path(__file__).parent.parent / "bench"))
import fuzz_sounds

FIND = fuzz_sounds.Given()


def found_in(numbers):
    return [finding for number in numbers for finding in fuzz_sounds.one(number, FIND)[1]]


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # as on a user's machine: only what comes of it counts
def test_sixty_random_files_raise_nothing_and_write_no_nan():
    assert not found_in(range(60))


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_six_hundred_random_files_raise_nothing_and_write_no_nan():
    assert not found_in(range(60, 660))  # bench/fuzz_sounds.py tries as many as one likes


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="jails are Linux's")
def test_random_programs_are_rows_in_every_jail_of_this_machine():
    tiers = ["off", *sorted({jail.tier for jail in probe_jails() if not jail.missing and jail.tier in ("ns", "ll")})]
    outcomes, found = fuzz_sounds.jailed(100, 0, tiers)
    assert not found
    assert sum(outcomes.values()) == 100 * len(tiers)


def test_the_fuzz_tells_a_nan_in_a_row_and_a_metric_that_fails():
    row = Render("k", "p", Outcome.OK, wall_s=float("nan"))
    with pytest.raises(fuzz_sounds.Found, match="wall_s is nan"):
        fuzz_sounds.check_row(row)


def alternating(sample_rate, frames):
    return Clip(np.tile([0.5, -0.5], frames // 2).astype(np.float32)[None], sample_rate)


def measured(clip, probe, tmp_path):
    row = Render("k", "p", Outcome.OK, **store(clip, tmp_path))
    wanted = [key for key, metric, _ in keys("s", Sound(probe, row, clip)) if not metric.weights]
    return measure("s", Sound(probe, row, clip), wanted)


def test_a_tone_at_half_the_sample_rate_has_no_harmonics_to_measure(tmp_path):
    for probe in (probe for probe in load("1").probes if probe.id.startswith("notes/waveform/")):
        (row,) = [row for row in measured(alternating(8001, 24_000), probe, tmp_path) if row.metric == "waveform"]
        assert (row.value, row.passed) == (None, None)
        assert "too few harmonics" in row.reason


def test_harmonics_of_a_sound_that_is_shorter_than_their_period_have_levels():
    levels = harmonic_levels(np.random.default_rng(0).normal(0, 0.1, 1300).astype(np.float32), 44_100, 50.0)
    assert len(levels) == 9
    assert np.isfinite(levels).all()


def test_a_chord_is_not_heard_in_a_sound_without_a_peak(tmp_path):
    probe = next(probe for probe in load("1").probes if any(kind(check) == "chord" for check in probe.expect))
    step = Clip(np.full((1, 100), 0.5, np.float32), 44_100)
    (row,) = [row for row in measured(step, probe, tmp_path) if row.metric == "chord"]
    assert (row.value, row.passed, row.reason) == (None, False, "no tones: its spectrum has no peak")


@pytest.mark.parametrize("frames", [1, 2, 100, 660])
def test_the_listener_hears_a_sound_of_any_shortness(frames):
    clip = Clip(np.random.default_rng(0).normal(0, 0.1, (1, frames)).astype(np.float32), 22_050)
    assert "Length" in hear(clip, load("1").probes[0]).words


@pytest.mark.parametrize("frames", [3840, 4000, 4191, 4192, 4351, 4352])
def test_a_sound_too_short_for_a_print_has_none(frames):
    print_ = fingerprint(Clip(np.random.default_rng(0).normal(0, 0.1, (1, frames)).astype(np.float32), 16_000))
    assert len(print_) in (0, 24 * 32)


def test_a_metric_that_fails_costs_its_own_row_and_no_other(tmp_path, monkeypatch):
    def broken(self, sound):
        raise IndexError("index 0 is out of bounds")

    monkeypatch.setattr("innerear.metrics.signal.Loudness.measure", broken)
    rows = {row.metric: row for row in measured(alternating(44_100, 44_100), load("1").probes[0], tmp_path)}
    assert rows["loudness"].value is None
    assert rows["loudness"].reason == "not measured here: the metric failed with IndexError: index 0 is out of bounds"
    assert rows["loudness"].status is Status.UNAVAILABLE
    assert rows["format"].value == 44_100


def test_a_metric_whose_result_cannot_be_written_costs_its_own_row_and_no_other(tmp_path, monkeypatch):
    monkeypatch.setattr("innerear.metrics.signal.Loudness.measure", lambda self, sound: Value(np.float32(1)))
    rows = {row.metric: row for row in measured(alternating(44_100, 44_100), load("1").probes[0], tmp_path)}
    assert rows["loudness"].reason.startswith("not measured here: the metric failed with TypeError")
    assert rows["format"].value == 44_100


@pytest.mark.parametrize("number", [3463, 5769])
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_file_that_once_made_a_metric_fail_raises_nothing(number):
    assert not found_in([number])
