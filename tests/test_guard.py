"""The provenance guard: what it names, and that it names nothing in programs that make their sound."""

import ast
import json
from importlib import resources

import pytest

from innerear.extract import extract
from innerear.guard import guarded, violation
from innerear.models.base import Options
from innerear.models.baselines import Baseline
from innerear.records import Limits, Outcome, Program
from innerear.render import render_all, render_key
from innerear.suite import edition

BLOB = "A" * 3000

FOREIGN = {
    "text-to-speech": ["import pyttsx3", "from gtts import gTTS", "x = 1\nimport TTS.api"],
    "network": ["import socket", "import urllib.request", "def f():\n    import requests", "from http import client"],
    "another process": ["import subprocess", "import os\nos.system('espeak hi')", "from os import popen\npopen('x')",
                        "import os as o\no.execv('/bin/sh', [])", "import ctypes", "import os\nos.spawnl(0, 'x')"],
    "a file is read": ["open('/usr/share/a.wav', 'rb')", "from scipy.io import wavfile\nwavfile.read('bark.wav')",
                       "from scipy.io.wavfile import read\nread('x.wav')", "import wave\nwave.open('a.wav')",
                       "import numpy as np\nnp.fromfile('x')", "import numpy as np\nnp.load('/x.npy')",
                       "from pathlib import Path\nPath('a').read_bytes()", "import scipy.datasets", "open(name)",
                       "import scipy\nscipy.datasets.electrocardiogram()", "open(__file__).read()",
                       "from scipy.datasets import electrocardiogram", "p = 'x.wav'\nopen(p)",
                       "p = open\np_ = 1\nopen(file='secret')"],
    "packed data": ["import base64\nx = base64.b64decode('aaaa')", "import zlib", "x = bytes.fromhex('00ff')"],
    "embedded audio": [f"x = '{BLOB}'", f"x = b'{BLOB}'", f"x = {[i / 7 for i in range(3000)]}", "x = " + "9" * 4000,
                       "x = [" + ", ".join(f"[{i}, {i + 1}]" for i in range(1500)) + "]", f"'''{BLOB}'''\nx = __doc__"],
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
    f"'''{BLOB}'''\nx = 1",
    f"# {BLOB}\nx = 1",
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
    assert len(str(violation(f"x = '{BLOB}'"))) < 250


def recorded():
    for entry in (resources.files("innerear.models") / "recordings").iterdir():
        for line in entry.read_text().splitlines():
            yield extract(json.loads(line)["text"]).code


def test_no_recorded_program_is_called_foreign():
    codes = [code for code in recorded() if code]
    assert len(codes) == 344
    assert [str(found) for code in codes if (found := violation(code))] == []


@pytest.mark.parametrize("name", ["silence", "noise", "sine", "informed"])
def test_no_baseline_is_called_foreign(name):
    import asyncio

    model = Baseline(name, Options())
    for probe in edition().probes:
        code = extract(asyncio.run(model.ask(probe, [], 0)).text).code
        assert violation(code) is None


def test_the_library_track_allows_what_is_installed_and_still_no_network():
    for code in ("import librosa", "from gtts import gTTS", "open('/usr/share/a.wav', 'rb')"):
        assert violation(code, "library") is None
    for code in ("import socket", "import subprocess", f"x = '{BLOB}'", "import base64"):
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


@pytest.mark.parametrize("code", ["(" * 5000, "x" * 100_000, "-" * 50_000 + "1", "[" * 90 + "]" * 90, "\ud800", "\x00"])
def test_hostile_text_is_read_without_harm(code):
    assert violation(code) is None


def test_the_count_of_numbers_is_that_of_the_tree():
    code = "x = [" + ", ".join(["0.5"] * 2000) + "]"
    assert sum(isinstance(node, ast.Constant) for node in ast.walk(ast.parse(code))) == 2000
    assert violation(code) is None
    assert violation(code.replace("]", ", 1]")) is not None
