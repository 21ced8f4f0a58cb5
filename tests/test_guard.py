"""The provenance guard: what it names, and that it names nothing in programs that make their sound."""

import json
import lzma
import math
import random
from importlib import resources

import pytest

from innerear.ask.models import open_model
from innerear.programs.extract import extract
from innerear.programs.guard import MOST_CONTENT, content, guarded, violation
from innerear.records import Limits, Outcome, Program
from innerear.render.render import render_all
from innerear.run.keys import render_key
from innerear.suite import edition

HEX = random.Random(15).randbytes(16_000).hex()  # two seconds of sound at 8 kHz and 8 bits

FOREIGN = {
    "text-to-speech": ["import pyttsx3", "from gtts import gTTS", "x = 1\nimport TTS.api"],
    "network": ["import socket", "import urllib.request", "def f():\n    import requests", "from http import client"],
    "another process": ["import subprocess", "import os\nos.system('espeak hi')", "from os import popen\npopen('x')",
                        "import os as o\no.execv('/bin/sh', [])", "import ctypes", "import os\nos.spawnl(0, 'x')"],
    "a file is read": ["open('/usr/share/a.wav', 'rb')", "from scipy.io import wavfile\nwavfile.read('bark.wav')",
                       "from scipy.io.wavfile import read\nread('x.wav')", "import wave\nwave.open('a.wav')",
                       "import numpy as np\nnp.fromfile('x')", "import numpy as np\nnp.load('/x.npy')",
                       "open('./a.wav')",
                       "from pathlib import Path\nPath('a').read_bytes()", "import scipy.datasets",
                       "import scipy\nscipy.datasets.electrocardiogram()",
                       "from scipy.datasets import electrocardiogram", "p = 'x.wav'\nopen(p)",
                       "p = open\np_ = 1\nopen(file='secret')"],
    "packed data": ["import base64\nx = base64.b64decode('aaaa')", "import zlib\nzlib.decompress(b'')",
                    "x = bytes.fromhex('00ff')"],
    "embedded audio": [f"x = '{HEX}'", f"x = b'{HEX}'", f"x = {[math.sin(i) for i in range(3000)]}",
                       f"x = {int(HEX[:6000], 16):#x}, {int(HEX[6000:15000], 16):#x}",
                       f"'''{HEX}'''\nx = __doc__", f"x = 1\n# {HEX}", f"def v{HEX}(): pass"],
    "code that cannot be read": ["eval('1')", "e = exec\ne('import os')", "__import__('sub' + 'process')",
                                 "import importlib", "import builtins", "compile('1', '', 'eval')"],
    "an import beyond those allowed": ["import librosa", "from pydub import AudioSegment", "import soundfile as sf",
                                       "from . import x"],
}  # fmt: skip

OWN = [
    "import wave\nwith wave.open('output.wav', 'wb') as f:\n    f.setnchannels(1)",
    "from scipy.io import wavfile\nwavfile.write('output.wav', 1, x)\nr, y = wavfile.read('output.wav')",
    "OUT = 'output.wav'\nimport wave\nwave.open(OUT, mode='rb')",
    "import re\nre.compile('x')",
    f"'''{'A' * 30000}'''\nx = 1",
    f"x = {'9' * 4000}",
    "x = [" + ", ".join(f"[{i}, {i + 1}]" for i in range(1500)) + "]",
    f"# {HEX[:6000]}\nx = 1",
    "with open('notes.txt', 'w') as f:\n    f.write('x')\nopen('notes.txt').read()",
    "import os, sys, math, random, struct, array, itertools, dataclasses, typing, json, io, cmath, fractions",
    "from numpy.random import default_rng\nfrom scipy.signal import lfilter, butter\nimport scipy.fft as sf",
    "def compile(score):\n    return score\ncompile([1])",
    "this is no python",
]


@pytest.mark.parametrize(("kind", "code"), [(kind, code) for kind, codes in FOREIGN.items() for code in codes])
def test_foreign_sound_is_named(kind, code):
    found = violation(code)
    assert found is not None
    assert found.kind.startswith(kind)


@pytest.mark.parametrize("code", OWN)
def test_what_makes_its_sound_is_let_through(code):
    assert violation(code) is None


def test_the_line_is_shown_and_a_long_one_is_cut():
    assert str(violation("import numpy\n\n  \nimport   socket  # hi\n")) == "network, line 4: import socket # hi"
    assert len(str(violation(f"x = '{HEX}'"))) < 260
    assert violation(f"import numpy\n\ny = 1\nx = (\n'{HEX}')\nz = 2\n").line == 4


def recorded():
    for entry in (resources.files("innerear.ask.models") / "recordings").iterdir():
        data = entry.read_bytes()
        for line in (lzma.decompress(data) if entry.name.endswith(".xz") else data).splitlines():
            yield extract(json.loads(line)["text"]).code


def test_no_recorded_program_is_called_foreign():
    codes = [code for code in recorded() if code]
    assert len(codes) == 344 + 249 + 96 + 48
    assert [str(found) for code in codes if (found := violation(code))] == []


@pytest.mark.parametrize("name", ["silence", "noise", "sine", "informed"])
def test_no_baseline_is_called_foreign(name):
    import asyncio

    model = open_model(f"baseline/{name}")
    for probe in edition("1").probes:
        code = extract(asyncio.run(model.ask(probe, [], 0)).text).code
        assert violation(code) is None


def test_the_library_track_allows_what_is_installed_and_still_no_network():
    for code in ("import librosa", "from gtts import gTTS", "open('/usr/share/a.wav', 'rb')"):
        assert violation(code, "library") is None
    for code in ("import socket", "import subprocess", f"x = '{HEX}'", "eval('1')"):
        assert violation(code, "library") is not None


def test_a_violation_is_an_outcome_of_its_own_and_is_not_run(tmp_path):
    def never():
        raise AssertionError("a jail was opened")

    program = guarded(Program("import socket\n"))
    rows = []
    assert render_all([program], rows.append, tmp_path, Limits(), open_jail=never) == []
    (row,) = rows
    assert (row.outcome, row.reason) == (Outcome.PROVENANCE, "network, line 1: import socket")
    assert row.key == render_key(program, Limits(), 0) != render_key(Program(program.code), Limits(), 0)


@pytest.mark.parametrize("code", ["(" * 5000, "x" * 100_000, "[" * 90 + "]" * 90, "\ud800", "\x00"])
def test_hostile_text_is_read_without_harm(code):
    assert violation(code) is None


def test_what_is_nested_too_deep_to_be_read_is_named_by_its_longest_line():
    found = violation("import os\nx = " + "-" * 50_000 + "1\nos.system('x')")
    assert (found.kind, found.line) == ("code that cannot be read (nested too deep)", 2)
    assert violation("import os\nif 0:\n    x" + ".a" * 1500 + "\n").line == 3


@pytest.mark.parametrize("coding", ["utf-8", "UTF8", "utf_8"])
def test_the_coding_may_be_utf_8(coding):
    assert violation(f"# -*- coding: {coding} -*-\nx = 1") is None
    assert violation("#!/usr/bin/python\n# Encoding: 16-bit PCM\nx = 1") is None


@pytest.mark.parametrize("coding", ["utf-7", "latin-1", "unicode_escape", "rot13", "ascii"])
def test_no_other_coding_is_read(coding):
    found = violation(f"#!/usr/bin/python\n# -*- coding: {coding} -*-\nx = 1")
    assert (found.line, found.kind) == (2, f"code that cannot be read (its coding is {coding}, wanted UTF-8)")


def test_a_method_called_exec_leaves_the_builtin_what_it_is():
    assert violation("class A:\n    def exec(self): pass\nexec('1')").line == 3
    assert violation("def run():\n    def exec(score): pass\n    exec(1)") is None


@pytest.mark.parametrize("numbers", [2500, 700 * 3])
def test_a_table_that_a_model_may_write_is_within_what_a_program_may_hold(numbers):
    code = f"x = {[round(math.sin(i), 3) for i in range(numbers)]}"
    assert content(code) < 0.8 * MOST_CONTENT
    assert violation(code) is None
