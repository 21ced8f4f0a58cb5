"""Programs that are not Python: their outcomes, the same in every tier; what a refusal says; their sound's bits."""

import contextlib
import shutil
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from jail_world import processes
from language_attacks import csd

from innerear.cli.doctor import _languages as doctor_languages
from innerear.errors import JailFailure, JailUnavailable, UsageError
from innerear.jail import Jail, open_jail, selftest, tools
from innerear.jail.host import ZygoteJail
from innerear.jail.start import Start
from innerear.jail.tiers import _lacks
from innerear.languages import LANGUAGES, Language
from innerear.records import Limits, Outcome

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="jails are Linux's")
FAST = Limits(cpu_s=10, wall_s=30)


def jail_of(way: str, language: Language) -> Jail:
    """A jail; the test is skipped where this machine lacks the tier or the language's tools."""
    if missing := [name for name in LANGUAGES[language].tools if not shutil.which(name)]:
        pytest.skip(f"{', '.join(missing)} is not installed")
    if way in ("auto", "off"):
        return open_jail(way, language=language)
    if _lacks(way, "scratch", language)[0]:
        pytest.skip(_lacks(way)[0])
    return ZygoteJail(Start(way, language=language), {"tier": way})  # type: ignore[arg-type]


SOUND = """
const fs = require("fs"), sound = Buffer.alloc(44 + 2 * 8000);
sound.write("RIFF    WAVEfmt ", 0);
[16, 0x10001, 8000, 16000, 0x100002].forEach((word, i) => sound.writeUInt32LE(word, 16 + 4 * i));
sound.write("data", 36);
sound.writeUInt32LE(16000, 40);
for (let i = 0; i < 8000; i++) sound.writeInt16LE(Math.round(9000 * Math.sin(i / 9) + 99 * Math.random()), 44 + 2 * i);
fs.writeFileSync("output.wav", sound);
"""

# A program, its outcome, and what its reason says.
JAVASCRIPT = [
    (SOUND, Outcome.OK, ""),
    ("console.log(1)", Outcome.NO_AUDIO, "no output.wav"),
    ("let a = 1;\nlet = = 2;", Outcome.ERROR, "SyntaxError: Unexpected token '=' (line 2)"),
    ("let a = 1;\nfoo();", Outcome.ERROR, "ReferenceError: foo is not defined (line 2)"),
    ("throw 7", Outcome.ERROR, "an exception that is not an Error (line 1)"),
    ("require('numjs')", Outcome.ERROR, "Error: Cannot find module 'numjs'"),
    ("process.exit(3)", Outcome.EXIT_CODE, "left with exit code 3"),
    ("process.abort()", Outcome.EXIT_CODE, "killed by SIGABRT"),
    ("process.kill(process.pid, 'SIGSEGV')", Outcome.EXIT_CODE, "killed by SIGSEGV"),
    ("require('fs').writeFileSync('output.wav', 'x'.repeat(99))", Outcome.BAD_AUDIO, "wanted a RIFF WAVE file"),
    ("require('fs').mkdirSync('output.wav')", Outcome.NO_AUDIO, "no output.wav"),
    ("const a = []; for (;;) a.push(new Array(1e5).fill(a.length));", Outcome.OUT_OF_MEMORY, "memory"),
    ("const a = []; for (;;) a.push(new Uint8Array(1 << 26).fill(1));", Outcome.OUT_OF_MEMORY, "memory"),
    ("for (const s of ['SIGXCPU', 'SIGTERM']) process.on(s, () => 0);\nfor (;;);", Outcome.CPU_LIMIT, "of CPU"),
    ("setTimeout(() => 0, 9000)", Outcome.TIMED_OUT, "more than"),
]

CSOUND = [
    (csd(), Outcome.OK, ""),
    (csd(options="-o other.wav -n"), Outcome.OK, ""),
    (csd(options="--format=flac"), Outcome.BAD_AUDIO, "begins with b'fLaC"),
    (csd(options="--nothing"), Outcome.ERROR, "unknown long option: '--nothing'"),
    (csd(score="i 2 0 1"), Outcome.ERROR, "instr 2(200) undefined"),
    (csd(score=""), Outcome.ERROR, "a score without an end"),
    (csd("instr 1\na1 foo 1\nout a1\nendin"), Outcome.ERROR, 'unexpected T_IDENT  (token "foo"), line 11: a1 foo'),
    (csd("instr 1\nout poscil(kx, 440)\nendin"), Outcome.ERROR, "Variable 'kx' used before defined, line 10"),
    (csd("instr 1\nout poscil:a(1, 440, 77)\nendin"), Outcome.ERROR, "line 11: table not found"),
    (csd('#include "/etc/passwd"'), Outcome.ERROR, "Cannot open #include'd file /etc/passwd"),
    (csd("instr 1\nexitnow 3\nendin"), Outcome.EXIT_CODE, "left with exit code 3"),
    ("no Csound", Outcome.ERROR, "Could not find <CsoundSynthesizer> tag"),
    (csd("gi1 ftgen 0, 0, 2^27, 10, 1\ninstr 1\nendin"), Outcome.OUT_OF_MEMORY, "not enough memory"),
]


def dsp(process: str, duration: str = 'declare duration "1";') -> str:
    """A Faust program; its process is in line 3."""
    return f'import("stdfaust.lib");\n{duration}\nprocess = {process};\n'


FAUST = [
    (dsp("os.osc(440) * 0.3"), Outcome.OK, ""),
    (dsp("os.osc(440), no.noise"), Outcome.OK, ""),
    (dsp("os.osc(440)", duration=""), Outcome.ERROR, 'write `declare duration "5";`'),
    (dsp("_ * 0.5"), Outcome.ERROR, "process has 1 input, and nothing is connected to it"),
    (dsp("os.foo(3)"), Outcome.ERROR, "undefined symbol : foo (line 3)"),
    (dsp("os.osc(440) +"), Outcome.ERROR, "syntax error, unexpected ENDDEF (line 3)"),
    (dsp("0, 0 : soundfile(\"x[url:{'x.wav'}]\", 1) : !, !, _"), Outcome.ERROR, "soundfile"),
    (
        dsp('0 : ffunction(float foo(float), <math.h>, "")'),
        Outcome.ERROR,
        "calling foreign function 'foo' is not allowed",
    ),
    (dsp("1, 1, 1"), Outcome.BAD_AUDIO, "3 channels, wanted 1 or 2"),
    (dsp("os.osc(440) * 99"), Outcome.BAD_AUDIO, "the largest sample is 99"),
    (dsp("log(ma.SR - ma.SR)"), Outcome.BAD_AUDIO, "NaN or infinity"),
    (dsp("1", 'declare duration "1e9";'), Outcome.OUT_OF_MEMORY, "not enough memory"),
    (dsp("os.osc(1) @ 50000000"), Outcome.OUT_OF_MEMORY, "not enough memory"),
]
PROGRAMS: dict[Language, list[tuple[str, Outcome, str]]] = {
    "javascript": JAVASCRIPT,
    "csound": CSOUND,
    "faust": FAUST,
}
WAYS = ["auto", *(pytest.param(way, marks=pytest.mark.slow) for way in ("ll", "off"))]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("language", PROGRAMS)
def test_outcomes_have_the_same_words_in_every_tier(way, language):
    with contextlib.closing(jail_of(way, language)) as jail:
        for code, outcome, reason in PROGRAMS[language]:
            if way == "ll" and "mkdir" in code:  # output.wav is there already
                continue
            if way == "off" and ("without an end" in reason or "/etc/" in code):  # nothing keeps it from the file
                continue
            memory = 160 << 20 if outcome is Outcome.OUT_OF_MEMORY else 2 << 30
            ran = jail.run(
                code,
                Limits(cpu_s=4 if memory < 1 << 30 else 1, wall_s=1 if "9000" in code else 20, memory_bytes=memory),
            )
            assert (ran.outcome, reason in ran.reason) == (outcome, True), (code, ran)


@pytest.fixture(scope="module")
def usual() -> Iterator[Jail]:
    with contextlib.closing(jail_of("auto", "javascript")) as jail:
        yield jail


def test_a_program_gives_the_same_bits_again_and_others_with_another_seed(usual):
    one, two, other = (usual.run(SOUND, FAST, seed).clip for seed in (0, 0, 1))
    np.testing.assert_array_equal(one.samples, two.samples)
    assert (one.samples != other.samples).any()


def test_a_log_is_cut_at_its_limit_and_the_program_goes_on(usual):
    ran = usual.run(f"for (let i = 0; i < 1e4; i++) console.log('x'.repeat(99));{SOUND}", Limits(log_bytes=1000))
    assert ran.outcome is Outcome.OK
    assert len(ran.log) == 1000


def test_an_error_names_files_without_the_folder_of_the_jail(usual):
    ran = usual.run("\nundefined.x", FAST)
    assert ran.log.startswith("program.js:2\nundefined.x\n")
    assert "at Object.<anonymous> (program.js:2:11)" in ran.log


def test_the_self_test_passes_in_a_jail_and_fails_without_one(usual):
    assert selftest.leaks(usual, "javascript") == []
    assert len(selftest.leaks(open_jail("off", language="javascript"), "javascript")) > 5


def test_facts_name_the_language_and_its_tools(usual):
    assert usual.facts["language"] == "javascript"
    assert usual.facts["node"][0].isdigit()
    assert "numpy" not in usual.facts


def test_a_tool_that_is_missing_is_refused_with_its_remedy(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    tools.tool.cache_clear()
    for tier in ("auto", "off"):
        with pytest.raises(JailUnavailable, match=r"node, which runs JavaScript programs, is not installed") as refusal:
            open_jail(tier, language="javascript")
        assert refusal.value.fix == "apt-get install nodejs."
    assert {(found.works, found.says) for found in doctor_languages()} == {
        (False, f"not here: {spec.install}") for spec in LANGUAGES.values() if spec.tools
    }
    tools.tool.cache_clear()


@pytest.mark.parametrize("way", ["own", "ll"])
def test_when_the_zygote_is_killed_its_tool_is_gone(way):
    jail = jail_of(way, "javascript")
    assert isinstance(jail, ZygoteJail)
    jail.run("1", FAST)

    def forever() -> None:
        with pytest.raises(JailFailure):
            jail.run("for (;;);", Limits())

    running_for_ever = threading.Thread(target=forever)
    before = len(processes(jail))
    running_for_ever.start()
    deadline = time.monotonic() + 10
    while len(processes(jail)) <= before and time.monotonic() < deadline:
        time.sleep(0.02)
    running = processes(jail)
    assert len(running) > before
    jail.close()
    running_for_ever.join(10)
    deadline = time.monotonic() + 1
    while (left := [pid for pid in running if _runs(pid)]) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert left == []


def _runs(pid: int) -> bool:
    """Whether there is a process, and it is not a zombie that its new parent has yet to see."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_a_language_that_does_not_exist_or_has_no_image_is_refused():
    with pytest.raises(UsageError, match="wanted one of python, csound"):
        open_jail(language="cobol")  # type: ignore[arg-type]
    with pytest.raises(JailUnavailable, match="the image of the tier docker runs Python only, not Csound"):
        open_jail("docker", language="csound")
