"""The checks of music and signals that edition 2 adds, on sounds that are right, or wrong in one thing."""

from itertools import islice

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from innerear import checks
from innerear.ask.models.informed import sketch
from innerear.clip import Clip
from innerear.dsp.tones import amplitude, refined_f0
from innerear.dsp.transcribe import by_shift, chosen, possible_notes
from innerear.lab import kits
from innerear.lab import sounds as make
from innerear.lab.all import passes
from innerear.lab.music.endless import endless
from innerear.lab.music.players import bell, harpsichord
from innerear.lab.music.scales import scale_of
from innerear.lab.music.tunes import sung
from innerear.lab.sounds import SYNTHETIC, hz
from innerear.lab.tools import seeded
from innerear.lab.trials import trials
from innerear.metrics.base import Sound
from innerear.metrics.cadence import CadenceCheck
from innerear.metrics.failure import _of_check
from innerear.metrics.groove import GrooveCheck
from innerear.metrics.partials import BandLevelCheck, PartialsCheck
from innerear.metrics.pitches import PitchesCheck
from innerear.metrics.registry import check_metric
from innerear.metrics.shepard import ShepardCheck
from innerear.metrics.tune import TuneCheck, best_setting
from innerear.metrics.verified import Trial, in_headline
from innerear.records import Probe

KINDS = ("tune", "groove", "pitches", "partials", "band_level", "shepard", "cadence")
TUNE = [(60, 1.0), (60, 1.0), (67, 1.0), (67, 1.0), (69, 1.0), (69, 1.0), (67, 2.0), (65, 1.5), (64, 0.5), (60, 2.0)]
ASKED = checks.Tune(title="a tune", notes=TUNE)
ROCK = checks.Groove(
    bpm=110, beats_per_bar=4, steps_per_beat=4, bars=2, kick=[0, 8], snare=[4, 12], hihat=[0, 2, 4, 6, 8, 10, 12, 14]
)
RING = checks.Cadence(
    tones=[checks.SignalTone(0, 0.4, [400, 450]), checks.SignalTone(0.6, 1.0, [400, 450])],
    time_tolerance_s=0.03,
    frequency_tolerance=0.01,
)


def judged(metric, check, clip):
    probe = Probe("test", "notes", "test", 1, "", "", clip.duration_s, [check])
    return metric.measure(Sound(probe, None, clip), check)


def heard(tune, key=0.0, beat_s=0.5):
    """A tune as a perfect transcriber would hear it."""
    onsets = np.concatenate([[0.0], np.cumsum([beats * beat_s for _, beats in tune])[:-1]])
    return [(float(onset), midi + key) for onset, (midi, _) in zip(onsets, tune, strict=True)]


def sines(tones, duration_s):
    """Sines (start, end, hertz) of equal amplitude."""
    total = np.zeros(round(duration_s * make.SAMPLE_RATE))
    for start_s, end_s, f in tones:
        part = np.sin(2 * np.pi * f * make.seconds(end_s - start_s))
        first = round(start_s * make.SAMPLE_RATE)
        total[first : first + len(part)] += part
    return make.clip(total)


# --- tune


@given(st.floats(-24, 24), st.floats(0.1, 2))
@settings(max_examples=30)
def test_a_tune_is_the_same_in_any_key_at_any_tempo(key, beat_s):
    found = best_setting(ASKED, heard(TUNE, key, beat_s))
    assert (found.value, found.passed) == (1.0, True)


@given(st.integers(0, len(TUNE) - 1), st.sampled_from([-12, -3, -1, 1, 2, 12]))
@settings(max_examples=40)
def test_one_wrong_note_is_one_edit_and_fails(place, move):
    notes = heard(TUNE)
    notes[place] = (notes[place][0], notes[place][1] + move)
    found = best_setting(ASKED, notes)
    assert found.value == pytest.approx(0.9)
    assert found.passed is False


@given(st.integers(1, len(TUNE) - 2))
def test_a_note_too_few_or_too_many_is_one_edit(place):
    notes = heard(TUNE)
    assert best_setting(ASKED, notes[:place] + notes[place + 1 :]).detail["edits"] == 1
    extra = ((notes[place][0] + notes[place + 1][0]) / 2, 62.0)
    assert best_setting(ASKED, [*notes[: place + 1], extra, *notes[place + 1 :]]).detail["edits"] == 1


def test_octaves_are_free_only_where_the_check_says_so():
    notes = [(onset, midi - 12 * (place % 2)) for place, (onset, midi) in enumerate(heard(TUNE))]
    assert not best_setting(ASKED, notes).passed
    assert best_setting(msgspec.structs.replace(ASKED, octave_free=True), notes).passed


def test_another_setting_is_right_too_and_even_notes_are_not():
    even = [(midi, 1.0) for midi, _ in TUNE]
    assert best_setting(ASKED, heard(even)).passed is False
    assert best_setting(msgspec.structs.replace(ASKED, also=[even]), heard(even)).passed
    assert best_setting(msgspec.structs.replace(ASKED, rhythm=False), heard(even)).passed


@pytest.mark.parametrize("voice", SYNTHETIC)
def test_a_tune_is_heard_from_its_sound(voice):
    rng = seeded("test", voice)
    assert judged(TuneCheck(), ASKED, sung(TUNE, SYNTHETIC[voice], 0.5, 3, rng)).passed
    wrong = [*TUNE[:4], (70, 1.0), *TUNE[5:]]
    assert judged(TuneCheck(), ASKED, sung(wrong, SYNTHETIC[voice], 0.5, 3, rng)).value == pytest.approx(0.9)


def test_bells_are_heard_though_they_have_no_common_period():
    rng = seeded("bells")
    assert judged(TuneCheck(), ASKED, sung(TUNE, bell, 0.6, 3, rng)).passed
    wrong = [*TUNE[:4], (70, 1.0), *TUNE[5:]]
    assert not judged(TuneCheck(), ASKED, sung(wrong, bell, 0.6, 3, rng)).passed


def test_a_repeated_note_keeps_its_octave():
    clip = make.phrase(SYNTHETIC["sine"], [(0, 0.35, 76), (0.4, 0.8, 76), (0.8, 1.2, 76)], 1.5, seeded("again"))
    for _, f0 in chosen(possible_notes(clip.mono), 1.5, corrected=True):
        assert f0 == pytest.approx(hz(76), rel=0.01)


# --- groove


@pytest.mark.parametrize("kit", kits.SYNTHETIC_KITS)
def test_a_rock_beat_passes_and_without_one_snare_or_with_rows_swapped_it_fails(kit):
    rng = seeded("rock", kit)
    sounds = {"kick": "kick", "snare": "snare", "hihat": "hihat"}
    hits = {row: [step + 16 * bar for bar in (0, 1) for step in steps] for row, steps in ROCK.rows.items()}
    one = kits.SYNTHETIC_KITS[kit]
    found = judged(GrooveCheck(), ROCK, kits.played(one, sounds, hits, ROCK, rng))
    assert found.passed, found.reason
    for wrong in (
        {**hits, "snare": hits["snare"][1:]},
        {**hits, "kick": hits["snare"], "snare": hits["kick"]},
        {**hits, "kick": [*hits["kick"], 14]},
        {**hits, "kick": [1, *hits["kick"][1:]]},
    ):
        assert not judged(GrooveCheck(), ROCK, kits.played(one, sounds, wrong, ROCK, rng)).passed


def test_a_groove_without_rows_is_not_judged():
    nothing = checks.Groove(bpm=100, beats_per_bar=4, steps_per_beat=4, bars=1)
    assert judged(GrooveCheck(), nothing, make.noise(1.0, seeded("x"))).passed is None


# --- pitches


@given(st.floats(150, 900), st.floats(-40, 40))
@settings(max_examples=25)
def test_an_f0_is_found_to_half_a_cent(f0, off):
    tone = make.partials(f0, make.seconds(0.4), [1, 0.5, 0.3, 0.2])
    found = refined_f0(np.zeros(len(tone)), tone, make.SAMPLE_RATE, f0 * 2 ** (off / 1200))
    assert abs(1200 * np.log2(found / f0)) < 0.5


def test_nineteen_equal_steps_are_not_twelve():
    asked = [440 * 2 ** (n / 19) for n in range(8)]
    check = checks.Pitches(f0_hz=asked, onsets_s=[0.5 * n for n in range(8)], tolerance_cents=6, onset_tolerance_s=0.05)
    rng = seeded("nineteen")
    found = judged(PitchesCheck(), check, scale_of(harpsichord, asked, check.onsets_s, 0.5, rng))
    assert found.passed, found.reason
    assert max(map(abs, found.detail["cents"])) < 3
    off = [f0 * (2 ** (18 / 1200) if n == 3 else 1) for n, f0 in enumerate(asked)]
    found = judged(PitchesCheck(), check, scale_of(harpsichord, off, check.onsets_s, 0.5, rng))
    assert found.value == pytest.approx(7 / 8)


# --- partials and band_level


def test_a_bell_that_is_struck_again_while_it_rings_has_the_same_pitch():
    rng = seeded("bells again")
    clip = sung([(72, 1.0), (67, 1.0), (67, 0.5), (67, 0.5), (67, 1.0), (72, 1.0)], bell, 0.6, 0, rng)
    onsets = [0.0, 0.6, 1.2, 1.5, 1.8, 2.4]
    assert [round(move, 1) for _, move in by_shift(clip.mono, onsets)] == [0, -5, -5, -5, -5, 0]


def test_the_partials_of_a_bell_are_not_those_of_a_string():
    bell = checks.Partials(reference_hz=440, ratios=[0.5, 1, 1.2, 1.5, 2], tolerance_cents=40)
    assert judged(PartialsCheck(), bell, sines([(0, 2, 440 * r) for r in bell.ratios], 2)).passed
    string = sines([(0, 2, 220 * n) for n in range(1, 8)], 2)
    assert "1.2" in judged(PartialsCheck(), bell, string).reason


@pytest.mark.parametrize(("level", "passes"), [(0.1, True), (0.3, False)])
def test_an_absent_partial_is_15_db_down(level, passes):
    odd = checks.Partials(reference_hz=110, ratios=[1, 3], tolerance_cents=25, absent=[2])
    tone = make.partials(110, make.seconds(2), [1, level, 1])
    assert judged(PartialsCheck(), odd, make.clip(tone)).passed is passes


@given(st.floats(-60, -10))
@settings(max_examples=15)
def test_the_level_of_a_band_is_that_of_what_is_in_it(level_db):
    t = make.seconds(1.5)
    sound = np.sin(2 * np.pi * 1000 * t) + 10 ** (level_db / 20) * np.sin(2 * np.pi * 200 * t)
    found = judged(BandLevelCheck(), checks.BandLevel(low_hz=0, high_hz=550, at_most_db=-40), make.clip(sound))
    power = 10 ** (level_db / 10)
    assert found.value == pytest.approx(10 * np.log10(power / (1 + power)), abs=0.1)
    assert found.passed is (found.value <= -40)


# --- shepard


@pytest.mark.parametrize("step", [1.0, -1.0])
def test_a_shepard_scale_passes_and_a_scale_does_not(step):
    check = checks.Shepard(tones=12, step_semitones=step)
    rng = seeded("shepard", step)
    assert judged(ShepardCheck(), check, endless(check, 6.0, rng)).passed
    for how in ({"octaves": 1}, {"wrapped": True}, {"harmonic": True}, {"speed": -1.0}, {"fixed": False}):
        assert not judged(ShepardCheck(), check, endless(check, 6.0, rng, **how)).passed, how


def test_a_glissando_of_another_speed_fails():
    check = checks.Shepard(tones=None, step_semitones=-1.5, per_s=True)
    rng = seeded("risset")
    assert judged(ShepardCheck(), check, endless(check, 8.0, rng)).passed
    assert "semitones a second" in judged(ShepardCheck(), check, endless(check, 8.0, rng, speed=0.7)).reason


# --- cadence


@given(st.floats(300, 3000), st.floats(0.1, 0.5))
@settings(max_examples=15)
def test_a_tones_edges_are_where_its_amplitude_is_half(f, start):
    level = amplitude(sines([(start, start + 0.5, f)], 1.2).mono, make.SAMPLE_RATE, f, 0.05)
    on = np.flatnonzero(level > 0.25) / 1000
    assert on[0] == pytest.approx(start, abs=0.003)
    assert on[-1] == pytest.approx(start + 0.5, abs=0.003)


RIGHT = [(0, 0.4, 400), (0, 0.4, 450), (0.6, 1, 400), (0.6, 1, 450)]


@pytest.mark.parametrize(
    ("tones", "reason"),
    [
        (RIGHT, ""),
        ([*RIGHT, (0, 0.4, 520)], "520 Hz also sounds"),
        (RIGHT[:3], "no 450 Hz"),
        ([*RIGHT[:2], (0.7, 1, 400), (0.7, 1, 450)], "no tone from 0.6"),
        ([*RIGHT, (1.1, 1.2, 400), (1.1, 1.2, 450)], "400 Hz sounds 3 times"),
        ([*RIGHT, (1.1, 1.2, 900)], "pauses"),
        ([(a, b, 1.03 * f) for a, b, f in RIGHT], "no 400 Hz"),
        (RIGHT[:2], "nothing at 0.80 s"),
    ],
)
def test_a_ringing_tone_is_its_two_frequencies_at_its_times_and_no_more(tones, reason):
    found = judged(CadenceCheck(), RING, sines(tones, 1.3))
    assert found.passed is (not reason)
    assert reason in found.reason


def test_a_square_waves_harmonics_are_no_other_tones():
    check = checks.Cadence(tones=[checks.SignalTone(0, 0.5, [3100])], time_tolerance_s=0.05, frequency_tolerance=0.02)
    square = make.partials(3100, make.seconds(0.5), [1, 0, 1 / 3, 0, 1 / 5])
    assert judged(CadenceCheck(), check, make.clip(np.pad(square, (0, 22_050)))).passed


# --- all of them


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("samples", [np.zeros(44_100), np.zeros(0), np.full(20_000, 0.5), np.eye(1, 9000)[0]])
def test_silence_nothing_a_constant_and_a_click_fail_without_a_fault(kind, samples):
    clip = Clip(np.asarray(samples, np.float32)[None], 44_100)
    for check in EXAMPLES[kind]:
        if kind == "band_level" and len(samples) == 9000:
            continue  # a click has little energy in a band
        found = judged(check_metric(kind), check, clip)
        assert found.passed is False, found
        assert found.value is None or np.isfinite(found.value)
        msgspec.json.encode(found.detail)


EXAMPLES = {
    "tune": [ASKED], "groove": [ROCK], "cadence": [RING],
    "pitches": [checks.Pitches(f0_hz=[440, 460], onsets_s=[0, 0.4], tolerance_cents=6, onset_tolerance_s=0.05)],
    "partials": [checks.Partials(reference_hz=110, ratios=[1, 3], tolerance_cents=25, absent=[2])],
    "band_level": [checks.BandLevel(low_hz=0, high_hz=550, at_most_db=-40)],
    "shepard": [
        checks.Shepard(tones=12, step_semitones=1), checks.Shepard(tones=None, step_semitones=1, per_s=True),
    ],
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_a_check_says_what_it_asks_for_and_informed_answers(kind):
    for check in EXAMPLES[kind]:
        assert check_metric(kind).label
        assert check_metric(kind).text
        assert all(line.endswith(".") for line in check.brief(4.0))
        probe = Probe("test", "notes", "test", 1, "", "", 4.0, [check])
        space = {"np": np, "RATE": 44_100, "LENGTH": 4 * 44_100}
        exec(sketch(probe), space)
        assert np.isfinite(space["sound"]).all()


@pytest.mark.parametrize("kind", ["tune", "pitches", "partials", "cadence"])
def test_informed_passes_where_pure_tones_suffice(kind):
    check = EXAMPLES[kind][0]
    duration_s = 1.0 if kind == "cadence" else 0.8 if kind == "pitches" else 6.0
    probe = Probe("test", "notes", "test", 1, "", "", duration_s, [check])
    space = {"np": np, "RATE": 44_100, "LENGTH": round(duration_s * 44_100)}
    exec(sketch(probe), space)
    assert passes(Trial("synthetic", check, make.clip(space["sound"])))


def test_a_failure_has_a_word():
    assert _of_check(ASKED, {"heard": [[0, 60]], "asked": 10, "edits": 9}) == {"wrong count"}
    assert _of_check(ASKED, {"heard": [[0, 60]] * 10, "asked": 10, "edits": 0}) == {"right notes, wrong time"}
    pitches = EXAMPLES["pitches"][0]
    assert _of_check(pitches, {"heard_hz": [440, 480], "extra_s": [], "cents": [0, 70]}) == {"right time, wrong notes"}


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_verified_and_counts(kind):
    assert in_headline(EXAMPLES[kind][0], "environment" if kind == "cadence" else "notes") == (True, "")


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["shepard", "cadence", "band_level"])
def test_without_recordings_right_sounds_pass_and_wrong_ones_fail(kind):
    right, wrong = [], []
    for trial in islice(trials([], None, [kind]), 60):
        (right if trial.column == "synthetic" else wrong).append(passes(trial))
    assert np.mean(right) >= 0.8
    assert np.mean(wrong) <= 0.05
