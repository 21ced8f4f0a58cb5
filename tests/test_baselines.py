"""Programs of our own, run as they stand: their length, level and figures."""

import asyncio
import json
import os
import subprocess
import sys
import wave

import numpy as np
import pytest

from innerear.ask.models import open_model
from innerear.programs.extract import extract
from innerear.suite import edition

PROBES = {probe.id: probe for probe in edition("1").probes}
NAMES = ["silence", "noise", "sine", "informed"]

RUN_ALL = """
import json, os, pathlib, sys
for number, code in enumerate(json.load(sys.stdin)):
    folder = pathlib.Path(sys.argv[1], str(number))
    folder.mkdir()
    os.chdir(folder)
    exec(compile(code, "program", "exec"), {"__name__": "__main__"})
"""


def program(name, probe):
    code = open_model(f"baseline/{name}").program(probe)
    imports = {line.split()[1] for line in code.splitlines() if line.startswith("import ")}
    assert imports == {"wave", "numpy"}
    return code


def sounds(codes, folder):
    """Run our own programs in one plain process; each sound as floats in [-1, 1]."""
    environment = {"PATH": os.environ["PATH"], "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-W", "error", "-c", RUN_ALL, str(folder)]
    subprocess.run(command, input=json.dumps(codes), text=True, check=True, env=environment, timeout=300)
    for number in range(len(codes)):
        with wave.open(str(folder / str(number) / "output.wav")) as file:
            assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 44100)
            yield np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32767


def sound(name, id, folder):
    (samples,) = sounds([program(name, PROBES[id])], folder)
    return samples


def peaks_hz(samples, count):
    """The strongest partials of a sound, in hertz, ascending."""
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    found = []
    for _ in range(count):
        top = int(np.argmax(spectrum))
        found.append(top * 44100 / len(samples))
        spectrum[max(0, top - 20) : top + 20] = 0
    return sorted(found)


@pytest.mark.parametrize("name", NAMES)
def test_every_program_runs_and_has_the_asked_length_to_the_sample(name, tmp_path):
    codes = [program(name, probe) for probe in PROBES.values()]
    for probe, samples in zip(PROBES.values(), sounds(codes, tmp_path), strict=True):
        assert len(samples) == round(44100 * probe.duration_s), probe.id
        rms = np.sqrt(np.mean(samples**2))
        if name == "silence":
            assert rms == 0
        elif name in ("noise", "sine"):
            assert 20 * np.log10(rms) == pytest.approx(-20, abs=0.2)
        else:
            assert np.max(np.abs(samples)) == pytest.approx(0.5, abs=1e-3), probe.id


@pytest.mark.parametrize("name", NAMES)
def test_the_reply_holds_the_program_as_a_models_would(name):
    probe = PROBES["notes/chord/c-major"]
    model = open_model(f"baseline/{name}")
    assert extract(asyncio.run(model.ask(probe, [], 0)).text).code == program(name, probe)


def test_noise_differs_from_probe_to_probe_and_not_from_run_to_run():
    first, second = list(PROBES.values())[:2]
    assert program("noise", first) != program("noise", second)
    assert program("noise", first) == program("noise", first)


def test_informed_plays_the_pitch_of_the_check(tmp_path):
    samples = sound("informed", "notes/instrument/piano-e2", tmp_path)
    assert peaks_hz(samples, 1) == pytest.approx([82.4], abs=0.5)


def test_informed_sums_the_tones_of_a_chord(tmp_path):
    expected = [261.6, 329.6, 392.0]
    assert peaks_hz(sound("informed", "notes/chord/c-major", tmp_path), 3) == pytest.approx(expected, abs=0.5)


def test_informed_plays_notes_one_after_the_other(tmp_path):
    samples = sound("informed", "notes/scale/c-major", tmp_path)
    (check,) = [c for c in PROBES["notes/scale/c-major"].expect if hasattr(c, "notes")]
    for start, stop, midi in check.notes:
        part = samples[round(44100 * start) : round(44100 * stop)]
        assert peaks_hz(part, 1) == pytest.approx([440 * 2 ** ((midi - 69) / 12)], abs=2.1)


def test_informed_puts_a_vowels_sines_at_its_formants_and_voice(tmp_path):
    (check,) = [c for c in PROBES["speech/vowel/i"].expect if hasattr(c, "f1_hz")]
    expected = [(80 * 180) ** 0.5, check.f1_hz, check.f2_hz]
    assert peaks_hz(sound("informed", "speech/vowel/i", tmp_path), 3) == pytest.approx(expected, abs=0.7)


def test_informed_clicks_where_onsets_are_asked_for(tmp_path):
    samples = np.abs(sound("informed", "notes/rhythm/metronome-60", tmp_path))
    loud = np.flatnonzero(samples > 0.25) / 44100
    onsets = loud[np.concatenate([[True], np.diff(loud) > 0.1])]
    assert onsets == pytest.approx([0, 1, 2, 3, 4, 5], abs=1e-3)


def test_informed_clicks_get_quicker_between_the_rates_asked_for(tmp_path):
    samples = np.abs(sound("informed", "notes/rhythm/metronome-accel", tmp_path))
    loud = np.flatnonzero(samples > 0.25) / 44100
    onsets = loud[np.concatenate([[True], np.diff(loud) > 0.1])]
    rates = 1 / np.diff(onsets)
    assert np.all(np.diff(rates) > 0)
    assert rates[0] == pytest.approx(1, rel=0.25)
    assert rates[-1] == pytest.approx(4, rel=0.1)


def test_informed_counts_events(tmp_path):
    samples = np.abs(sound("informed", "environment/scene/five-knocks", tmp_path))
    loud = np.flatnonzero(samples > 0.25) / 44100
    assert 1 + np.sum(np.diff(loud) > 0.1) == 5


@pytest.mark.parametrize(("id", "sign"), [("crescendo", 1), ("decrescendo", -1)])
def test_informed_level_rises_or_falls_by_more_than_asked(id, sign, tmp_path):
    id = f"notes/articulation/{id}"
    (check,) = [c for c in PROBES[id].expect if hasattr(c, "at_least_db")]
    fifth = np.array_split(sound("informed", id, tmp_path), 5)
    levels = [20 * np.log10(np.sqrt(np.mean(part**2))) for part in fifth]
    assert sign * (levels[-1] - levels[0]) > check.at_least_db


def test_informed_glides_from_end_to_end(tmp_path):
    (id,) = [p.id for p in PROBES.values() if any(hasattr(c, "from_hz") and hasattr(c, "tolerance_cents")
                                                  for c in p.expect)]  # fmt: skip
    (check,) = [c for c in PROBES[id].expect if hasattr(c, "from_hz")]
    parts = np.array_split(sound("informed", id, tmp_path), 20)
    assert peaks_hz(parts[0], 1)[0] == pytest.approx(check.from_hz, rel=0.08)
    assert peaks_hz(parts[-1], 1)[0] == pytest.approx(check.to_hz, rel=0.08)
