"""Anatomy of programs that are not Python: techniques by opcodes, library functions or words, on the right lines."""

import random

import pytest

from innerear.languages import LANGUAGES
from innerear.programs.anatomy import TECHNIQUES, anatomy, dissected
from innerear.programs.bank import bank

CSOUND = {
    "additive": "a1 poscil 1, 440\na2 poscil 1, 880\na3 poscil 1, 1320",
    "subtractive": "asaw vco2 1, 110\naout moogladder asaw, 800, 0.3",
    "fm": "amod poscil 300, 880\nacar poscil 1, 440 + amod",
    "wavetable": "aph phasor 110\nasig tablei aph, giwave, 1",
    "karplus-strong": "asig pluck 1, 220, 220, 0, 1",
    "granular": "asig grain 1, 200, 50, 0, 0, 0.05, 1, 2, 1",
    "modal": "asig mode astrike, 440, 80",
    "noise shaping": "anz noise 1, 0\nalow butterlp anz, 400",
    "formant": "asig fof 1, 110, 650, 0, 80, 0.003, 0.02, 0.007, 20, 1, 2, p3",
}
JAVASCRIPT = {
    "additive": "for (const n of [1, 2, 3]) for (let i = 0; i < N; i++) x[i] += Math.sin(TAU * 440 * n * i / SR) / n;",
    "subtractive": "const saw = 2 * ((i * 110 / SR) % 1) - 1; y += 0.1 * (saw - y); out.push(lowpass(saw));",
    "fm": "for (let i = 0; i < N; i++) x[i] = Math.sin(TAU * 440 * i / SR + 3 * Math.sin(TAU * 880 * i / SR));",
    "wavetable": "const s = waveTable[Math.floor(phase) % waveTable.length];",
    "karplus-strong": "for (let i = 0; i < p; i++) s[i] = noise(); for (;;) s[k] = 0.5 * (s[k] + s[(k + 1) % p]);",
    "granular": "for (const g of times) addGrain(out, g, 0.05);",
    "modal": "for (const m of list) for (let i = 0; i < N; i++) x[i] += Math.exp(-i / SR / m.d) * Math.sin(m.w * i);",
    "noise shaping": "const hiss = new Biquad('lp', 3000, 0.7); x.push(hiss.run(Math.random() * 2 - 1));",
    "formant": "const formants = [700, 1200];",
}
FAUST = {
    "additive": "process = sum(n, 8, os.osc(110 * (n + 1)) / (n + 1));",
    "subtractive": "process = os.sawtooth(110) : fi.lowpass(2, 800);",
    "fm": "mod = 300 * os.osc(880); process = os.osc(440 + mod);",
    "wavetable": "process = rdtable(512, wave, int(os.phasor(512, 110)));",
    "karplus-strong": "process = pm.ks(1.5, 0.2, no.noise);",
    "granular": "process = grains(50);",
    "modal": "process = 1 - 1' : pm.modeFilter(440, 2, 1);",
    "noise shaping": "process = no.noise : fi.resonbp(1000, 5, 1);",
    "formant": "process = pm.SFFormantModelBP(1, 0, 0, 110, 0.5);",
}
LEADS = {"csound": "<CsoundSynthesizer>\n<CsInstruments>\ninstr 1\n", "javascript": "", "faust": ""}
ENDS = {"csound": "\nendin\n</CsInstruments>\n</CsoundSynthesizer>\n", "javascript": "\n", "faust": "\n"}
MADE = {"csound": CSOUND, "javascript": JAVASCRIPT, "faust": FAUST}
OTHERS = [language for language in LANGUAGES if language != "python"]


def whole(code: str, language: str) -> str:
    return LEADS[language] + code + ENDS[language]


@pytest.mark.parametrize("technique", TECHNIQUES)
@pytest.mark.parametrize("language", OTHERS)
def test_a_technique_is_found_on_its_line(language, technique):
    code = whole(MADE[language][technique], language)
    built, marks = dissected(code, language)
    assert technique in built.techniques
    first = LEADS[language].count("\n") + 1
    assert {mark.line for mark in marks if mark.what == technique} <= set(range(first, first + 3))


@pytest.mark.parametrize("technique", TECHNIQUES)
@pytest.mark.parametrize("language", OTHERS)
def test_what_is_only_in_a_comment_is_not_in_the_program(language, technique):
    mark = ";" if language == "csound" else "//"
    code = "\n".join(f"{mark} {line}" for line in MADE[language][technique].splitlines())
    nothing = {"csound": "asig = 0", "javascript": "let x = 0;", "faust": "process = 0;"}[language]
    assert anatomy(whole(f"{code}\n{nothing}", language), language).techniques == []


def test_a_vibrato_is_no_frequency_modulation():
    csound = "kvib oscili 5, 5.1\nasig poscil 1, 440 + kvib"
    javascript = "for (let i = 0; i < N; i++) x[i] = Math.sin(TAU * 440 * i / SR + 0.1 * Math.sin(TAU * 5.1 * i / SR));"
    faust = "vib = 5 * os.osc(5.1); process = os.osc(440 + vib);"
    for code, language in ((csound, "csound"), (javascript, "javascript"), (faust, "faust")):
        assert "fm" not in anatomy(whole(code, language), language).techniques, language


def test_a_filter_of_a_saw_shapes_no_noise_and_noise_that_is_not_filtered_is_not_shaped():
    built = anatomy(whole("anz noise 1, 0\nasaw vco2 1, 110\nalow butterlp asaw, 400", "csound"), "csound")
    assert built.techniques == ["subtractive"]


def test_an_instrument_that_the_score_plays_three_times_at_once_is_additive_and_a_tune_is_not():
    code = whole("asig poscil 1, p4", "csound").replace(
        "</CsoundSynthesizer>", "<CsScore>\ni 1 0 1 220\ni 1 0 1 440\ni1 0 1 660\n</CsScore>\n</CsoundSynthesizer>"
    )
    chord = anatomy(code, "csound")
    assert chord.techniques == ["additive"]
    assert chord.frequencies == [220, 440, 660]
    tune = anatomy(code.replace("i 1 0 1 440", "i 1 1 1 440"), "csound")
    assert tune.techniques == []


def test_what_an_opcode_of_the_program_does_it_does_where_it_is_called():
    opcode = "opcode Pole, a, ak\n ain, khz xin\n aout reson ain, khz, 50\n xout aout\nendop\n"
    code = LEADS["csound"].replace("instr 1", f"{opcode}instr 1")
    built = anatomy(f"{code}anz noise 1, 0\nasig Pole anz, 700{ENDS['csound']}", "csound")
    assert built.techniques == ["noise shaping"]


def test_frequencies_lines_loops_and_imports():
    code = "const fs = require('fs');\n// 999\nconst hz = 440, seconds = 30;\nfor (let i = 0; i < N; i++) x[i] = 0;\n"
    built = anatomy(code, "javascript")
    assert (built.frequencies, built.lines, built.sample_loops, built.imports) == ([440], 3, 1, ["fs"])
    built = anatomy('import("stdfaust.lib");\nprocess = os.osc(440) : fi.lowpass(2, 900);\n', "faust")
    assert (built.frequencies, built.lines, built.imports) == ([440, 900], 2, ["fi", "os"])


@pytest.mark.parametrize("language", OTHERS)
def test_a_program_cut_anywhere_is_read_or_not_and_nothing_breaks(language):
    rng = random.Random(1)
    for _ in range(60):
        code = rng.choice(bank(language)).code
        first, last = sorted(rng.randrange(len(code)) for _ in range(2))
        broken = code[:first] + "".join(rng.choices("(){}[];=,.:*/`\"'\\\n a1", k=5)) + code[last:]
        found = dissected(broken, language)
        assert found is None or all(mark.line <= broken.count("\n") + 1 for mark in found[1])
    assert dissected("", language) is None
    assert dissected("x(" * 20_000, language) is None


def test_the_reference_programs_are_built_as_they_say():
    found = {(one.language, one.probe.id): anatomy(one.code, one.language) for name in OTHERS for one in bank(name)}
    assert None not in found.values()
    bells = [found[language, "notes/partials/church-bell"].techniques for language in OTHERS]
    assert all("modal" in bell for bell in bells)
    assert all("formant" in found[language, "speech/vowel/a"].techniques for language in OTHERS)
    assert all(440 in found[language, "notes/partials/church-bell"].frequencies for language in OTHERS)
