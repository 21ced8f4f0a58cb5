"""The checks of the notes tier on sounds whose truth follows from how they are made."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from innerear import checks
from innerear.clip import Clip
from innerear.dsp.f0 import track_f0
from innerear.dsp.onsets import count_events, find_onsets
from innerear.dsp.transcribe import transcribe
from innerear.lab import sounds as make
from innerear.lab.all import passes
from innerear.lab.movement import ideal
from innerear.lab.sounds import SYNTHETIC, hz
from innerear.lab.tools import seeded
from innerear.metrics.base import Sound
from innerear.metrics.motion import GlideCheck, LevelTrendCheck, ModulationCheck
from innerear.metrics.notes import NotesCheck, note_scores
from innerear.metrics.onsets import EventsCheck, OnsetsCheck, OnsetTrendCheck
from innerear.metrics.registry import CHECK_METRICS, check_metric
from innerear.metrics.spectrum import ChordCheck, WaveformCheck, harmonic_levels, ideal_levels

SCALE = [(0.5 * i, 0.5 * (i + 1), 60.0 + step) for i, step in enumerate((0, 2, 4, 5, 7, 9, 11, 12))]
ASKED = checks.Notes(notes=SCALE, onset_tolerance_s=0.05, pitch_tolerance_cents=50)


def judged(metric, check, clip):
    return metric.measure(Sound(None, None, clip), check)


def played(voice, notes=SCALE, duration_s=4.0):
    return make.phrase(SYNTHETIC[voice], notes, duration_s, seeded(voice))


@pytest.mark.parametrize("voice", SYNTHETIC)
def test_a_scale_is_heard_note_by_note(voice):
    found = judged(NotesCheck(), ASKED, played(voice))
    assert found.passed, found.reason
    assert found.detail["precision"] == found.detail["recall"] == 1


@pytest.mark.parametrize("voice", ["reed", "ringing"])
def test_a_scale_a_semitone_up_is_wrong_and_says_how(voice):
    found = judged(NotesCheck(), ASKED, played(voice, [(a, b, midi + 1) for a, b, midi in SCALE]))
    assert found.passed is False
    assert found.value == 0
    assert "0 of them at the right time and pitch" in found.reason


def test_gain_moves_no_note():
    clip = played("plucked")
    quiet = Clip(clip.samples * np.float32(0.02), clip.sample_rate)
    loud, soft = transcribe(clip.mono), transcribe(quiet.mono)
    assert np.allclose(loud, soft, atol=1e-2)


def test_another_sample_rate_passes_as_well():
    clip = played("reed")
    assert judged(NotesCheck(), ASKED, Clip(clip.at(22_050)[None], 22_050)).passed


@given(st.lists(st.tuples(st.floats(0, 4), st.integers(40, 90)), max_size=6, unique_by=lambda n: round(n[0], 1)))
@settings(max_examples=30)
def test_octaves_are_free_where_the_suite_says_so(heard):
    free = checks.Notes(notes=SCALE, onset_tolerance_s=0.05, pitch_tolerance_cents=50, octave_free=True)
    moved = [(onset, midi + 12) for onset, midi in heard]
    assert note_scores(free, heard) == note_scores(free, moved)
    assert note_scores(free, heard)[0] >= note_scores(ASKED, heard)[0]


@pytest.mark.parametrize("metric", [NotesCheck(), OnsetsCheck(), EventsCheck(), ChordCheck(), LevelTrendCheck()])
@pytest.mark.parametrize("samples", [0, 1, 100, 44_100])
def test_silence_of_any_length_fails_and_does_not_crash(metric, samples):
    check = {
        "notes": ASKED,
        "onsets": checks.Onsets(times_s=[0.0], tolerance_s=0.05),
        "events": checks.Events(count=1),
        "chord": checks.Chord(midi=[60, 64]),
        "level_trend": checks.LevelTrend(direction="fall", at_least_db=6),
    }[metric.name]
    assert judged(metric, check, Clip(np.zeros((1, samples), np.float32), 44_100)).passed is False


@pytest.mark.parametrize("name", make.HITS)
@pytest.mark.parametrize("gap_s", [0.15, 0.5])
def test_hits_are_found_within_15_ms(name, gap_s):
    times = np.arange(0, 3, gap_s)
    rng = seeded(name)
    clip = make.clip(make.mix([(float(t), make.HITS[name](rng)) for t in times], 3.5))
    found = find_onsets(clip.mono)
    assert len(found) == len(times)
    assert np.abs(found - times).max() < 0.015


def test_an_onset_too_many_fails():
    rng = seeded("extra")
    clip = make.clip(make.mix([(t, make.click(rng)) for t in (0, 1, 1.5, 2, 3)], 4))
    assert judged(OnsetsCheck(), checks.Onsets(times_s=[0, 1, 2, 3], tolerance_s=0.05), clip).passed is False


def test_steady_noise_has_one_onset_at_most():
    assert len(find_onsets(make.noise(3.0, seeded(1)).mono)) <= 1


def test_too_few_onsets_have_no_trend():
    clip = make.clip(make.mix([(0, make.click(seeded(0)))], 2))
    check = checks.OnsetTrend(direction="accelerate", from_hz=1, to_hz=4, tolerance=0.25)
    assert judged(OnsetTrendCheck(), check, clip).passed is False


@pytest.mark.parametrize("count", [1, 2, 5])
def test_bursts_are_counted(count):
    bursts = [(0.6 * i, make.edges(seeded(i).standard_normal(9000), 0.01, 0.1)) for i in range(count)]
    assert count_events(make.clip(make.mix(bursts, 4)).mono) == count


@pytest.mark.parametrize("shape", ["sine", "square", "sawtooth", "triangle"])
@pytest.mark.parametrize("f0_hz", [110.0, 880.0])
def test_the_harmonics_of_an_ideal_wave_are_measured_within_half_a_decibel(shape, f0_hz):
    levels = harmonic_levels(ideal(shape, f0_hz, 2.0).astype(np.float32), 44_100, f0_hz)
    assert np.abs(levels - ideal_levels(shape)[: len(levels)]).max() < 0.5


def test_a_wave_is_told_whatever_its_level_and_phase():
    wave = -0.01 * np.roll(ideal("square", 220.0, 2.0), 77)
    clip = Clip(wave.astype(np.float32)[None], 44_100)
    assert judged(WaveformCheck(), checks.Waveform(shape="square"), clip).passed
    assert judged(WaveformCheck(), checks.Waveform(shape="sawtooth"), clip).passed is False


def test_a_triad_without_its_third_names_the_third():
    tones = [(0.0, make.reed(hz(midi), 2.9, seeded(0))) for midi in (60, 67)]
    found = judged(ChordCheck(), checks.Chord(midi=[60, 64, 67]), make.clip(make.mix(tones, 3)))
    assert found.passed is False
    assert "64" in found.reason


def test_a_tone_too_many_is_named():
    tones = [(0.0, make.reed(hz(midi), 2.9, seeded(0))) for midi in (60, 64, 66, 67)]
    found = judged(ChordCheck(), checks.Chord(midi=[60, 64, 67]), make.clip(make.mix(tones, 3)))
    assert found.passed is False
    assert "near MIDI 66" in found.reason


@pytest.mark.parametrize(("rate_hz", "depth_cents"), [(4.0, 30.0), (6.0, 50.0), (8.0, 100.0)])
def test_a_vibrato_is_measured(rate_hz, depth_cents):
    t = make.seconds(3.0)
    f0 = 440 * 2 ** (depth_cents / 1200 * np.sin(2 * np.pi * rate_hz * t))
    check = checks.Modulation(
        of="f0", rate_hz=rate_hz, tolerance_hz=0.2, depth_cents=depth_cents, depth_tolerance_cents=0.2 * depth_cents
    )
    found = judged(ModulationCheck(), check, make.clip(make.partials(f0, t, [1, 0.5, 0.3])))
    assert found.passed, (found.reason, found.detail)


def test_a_glide_that_is_a_scale_fails():
    steps = [(3 / 13 * i, 3 / 13 * (i + 1), 48.0 + i) for i in range(13)]
    clip = make.phrase(make.reed, steps, 3.0, seeded(0))
    check = checks.Glide(from_hz=hz(48), to_hz=hz(60), tolerance_cents=100)
    assert judged(GlideCheck(), check, clip).passed is False


@given(st.floats(8, 40))
@settings(max_examples=10)
def test_a_fade_is_measured_within_a_fifth(drop_db):
    t = make.seconds(3.0)
    clip = make.clip(np.sin(2000 * t) * 10 ** (-drop_db / 20 * t / 3))
    found = judged(LevelTrendCheck(), checks.LevelTrend(direction="fall", at_least_db=4), clip)
    assert found.value == pytest.approx(0.8 * drop_db, rel=0.05)  # between the middles of the first and last fifth
    assert found.passed


@pytest.mark.parametrize("window_s", [0.05, 0.096])
@pytest.mark.parametrize("f0_hz", [82.4, 440.0, 2093.0])
def test_f0_of_partials_without_the_first_is_that_of_the_first(f0_hz, window_s):
    t = make.seconds(1.0)
    track = track_f0(make.partials(f0_hz, t, [0, 1, 1, 0.7, 0.5]).astype(np.float32), 44_100, window_s, 0.01)
    assert np.abs(1200 * np.log2(np.median(track.f0_hz) / f0_hz)) < 5


def test_f0_is_where_parselmouth_hears_it():
    parselmouth = pytest.importorskip("parselmouth", reason="an oracle, GPL, not a dependency")
    for f0_hz in (98.0, 261.6, 880.0):
        samples = make.reed(f0_hz, 1.0, seeded(0)).astype(np.float32)
        theirs = parselmouth.Sound(samples.astype(float), 44_100).to_pitch_ac(pitch_floor=60, pitch_ceiling=2000)
        heard = theirs.selected_array["frequency"]
        ours = np.nanmedian(track_f0(samples, 44_100).f0_hz)
        assert abs(1200 * np.log2(ours / np.median(heard[heard > 0]))) < 5


def test_every_metric_says_what_it_asks():
    for name in CHECK_METRICS:
        metric = check_metric(name)
        assert metric.name == name
        assert f"The check `{name}`" in (type(metric).__doc__ or "")


def test_a_trial_of_the_right_sound_passes():
    from innerear.metrics.verified import Trial

    assert passes(Trial("synthetic", ASKED, played("reed")))
