"""Anatomy: each technique is named where it is, and not where it is not."""

import pytest

from innerear.programs.anatomy import TECHNIQUES, anatomy, dissected
from innerear.programs.bank import bank

HEAD = "import numpy as np\nfrom scipy import signal\nrng = np.random.default_rng(0)\nt = np.arange(44100) / 44100\n"

MADE = {
    "additive": "x = sum(np.sin(2 * np.pi * n * 220 * t) / n for n in range(1, 9))",
    "subtractive": "x = signal.lfilter(b, a, signal.sawtooth(2 * np.pi * 110 * t))",
    "fm": "x = np.sin(2 * np.pi * 200 * t + 4 * np.sin(2 * np.pi * 280 * t))",
    "wavetable": "table = np.hanning(512)\nx = table[(t * 440 * 512).astype(int) % 512]",
    "karplus-strong": "y = rng.normal(size=99)\nfor n in range(p, 9999):\n    y[n] = 0.5 * (y[n - p] + y[n - p - 1])",
    "granular": "for s in rng.integers(0, 9, 50):\n    x[s:s + 9] += np.hanning(9)",
    "modal": "x = 0\nfor hz, decay in MODES:\n    x += np.exp(-t / decay) * np.sin(2 * np.pi * hz * t)",
    "noise shaping": "x = signal.sosfilt(sos, rng.standard_normal(44100))",
    "formant": "x = resonator(pulse, f1) + resonator(pulse, f2)",
}  # fmt: skip


def made(code):
    return anatomy(HEAD + code)


@pytest.mark.parametrize("technique", TECHNIQUES)
def test_a_technique_is_named_where_it_is(technique):
    assert technique in made(MADE[technique]).techniques


@pytest.mark.parametrize(
    ("technique", "alone"),
    [("subtractive", True), ("fm", True), ("wavetable", True), ("additive", True), ("noise shaping", True)],
)
def test_no_other_technique_is_named_beside_it(technique, alone):
    assert made(MADE[technique]).techniques == [technique]


def test_a_vibrato_is_no_frequency_modulation():
    assert "fm" not in made("x = np.sin(2 * np.pi * 440 * t + 3 * np.sin(2 * np.pi * 5.5 * t))").techniques


def test_loops_over_samples_are_those_that_set_one_sample_at_a_time():
    assert made("for n in range(1, len(x)):\n    y[n] = x[n] + 0.9 * y[n - 1]").sample_loops == 1
    assert made("for n in range(1, 9):\n    y[n] = n").sample_loops == 0
    assert made("for n in range(count):\n    y[n * 5 : n * 5 + 9] += 1").sample_loops == 0


def test_constants_that_are_frequencies_are_found_and_the_sample_rate_is_none():
    found = made("F0_HZ = 261.63\nb, a = signal.butter(2, [300, 3000], fs=44100)\nn = 1234\nSR = 44100\nf = 44100")
    assert found.frequencies == [261.63, 300.0, 3000.0]


def test_lines_are_those_with_code():
    assert anatomy("# a\n\nx = 1\n   # b\ny = 2\n").lines == 2


def test_what_is_no_python_has_no_anatomy():
    assert anatomy("this is no python") is None
    assert anatomy("(" * 5000) is None


def test_the_reference_programs_are_built_as_they_say():
    found = {shown.probe.id: anatomy(shown.code) for shown in bank()}
    assert "additive" in found["notes/waveform/square-220"].techniques
    assert "modal" in found["notes/rhythm/son-clave"].techniques
    assert "formant" in found["speech/vowel/i"].techniques
    assert "noise shaping" in found["environment/human/footsteps"].techniques
    assert all(parts.imports == ["numpy", "scipy"] for parts in found.values())


@pytest.mark.parametrize("technique", TECHNIQUES)
def test_the_mark_of_a_technique_stands_on_its_line(technique):
    lines = {mark.line for mark in dissected(HEAD + MADE[technique])[1] if mark.what == technique}
    first = HEAD.count("\n") + 1
    assert lines
    assert all(first <= line <= first + MADE[technique].count("\n") for line in lines)


def test_cents_in_an_octave_are_no_frequency():
    found = made("f = f0 * 2 ** (cents / 1200)\nx = np.sin(2 * np.pi * 440 * 2 ** (7 / 1200) * t)")
    assert found.frequencies == [440.0]
