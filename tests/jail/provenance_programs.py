# ruff: noqa: E501 - a program is one line here, where it can be
"""Programs that hide where their sound comes from, and honest ones that look as if they did."""

import base64
import random
import zlib

SOUND = """
import numpy as np
from scipy.io import wavfile
wavfile.write("output.wav", 8000, (9000 * np.sin(np.arange(8000) / 9)).astype(np.int16))
"""
RECORDING = random.Random(15).randbytes(16_000)
"""Two seconds at 8 kHz and 8 bits, as a compressor leaves them."""
HEX = RECORDING.hex()
PLAY = """
import numpy as np
from scipy.io import wavfile
wavfile.write("output.wav", 8000, np.frombuffer(data, np.uint8))
"""


def pieces(text: str | bytes, size: int) -> list[str]:
    return [text[i : i + size] for i in range(0, len(text), size)]  # type: ignore[misc]


def _names(prefix: str, size: int = 60) -> list[str]:
    return [f"{prefix}{n:03}_{piece}" for n, piece in enumerate(pieces(HEX, size))]


_ALPHABET = [chr(0x4E00 + i) for i in range(256)]
_DOUBLES = [int.from_bytes(RECORDING[i : i + 6], "little") / 2**48 for i in range(0, 11_994, 6)]
_UNHEX = "data = bytes(int(text[i:i + 2], 16) for i in range(0, len(text), 2))\n"
_LINES = "\n".join(f"# {piece}" for piece in pieces(HEX, 90))

EMBEDDED = {
    "identifiers": "\n".join(f"{name} = 0" for name in _names("v"))
    + "\ntext = ''.join(name[5:] for name in sorted(globals()) if name.startswith('v'))\n"
    + _UNHEX,
    "function-names": "\n".join(f"def {name}(): pass" for name in _names("f"))
    + "\ntext = ''.join(name[5:] for name in sorted(vars()) if name[:1] == 'f')\n"
    + _UNHEX,
    "class-names": "class A: pass\n"
    + "\n".join(f"class {name}(A): pass" for name in _names("c"))
    + "\ntext = ''.join(c.__name__[5:] for c in A.__subclasses__())\n"
    + _UNHEX,
    "argument-names": f"f = lambda {', '.join(_names('a'))}: 0\ntext = ''.join(n[5:] for n in f.__code__.co_varnames)\n"
    + _UNHEX,
    "keywords": f"text = ''.join(n[5:] for n in dict({', '.join(f'{name}=0' for name in _names('k'))}))\n" + _UNHEX,
    "attributes": f"def f(x):\n    {'; '.join(f'x.{name}' for name in _names('z'))}\n"
    + "text = ''.join(n[5:] for n in f.__code__.co_names)\n"
    + _UNHEX,
    "annotations": "class A:\n"
    + "\n".join(f"    {name}: int" for name in _names("n"))
    + "\ntext = ''.join(n[5:] for n in A.__annotations__)\n"
    + _UNHEX,
    "docstring": f"def f():\n    '''{HEX}'''\ntext = getattr(f, '__d' + 'oc__')\n" + _UNHEX,
    "docstring-of-the-program": f"'''{HEX}'''\ntext = vars()['__do' + 'c__']\n" + _UNHEX,
    "docstrings-in-pieces": "\n".join(f"def f{n}():\n    '''{p}'''" for n, p in enumerate(pieces(HEX, 1500)))
    + "\ntext = ''.join(getattr(globals()[f'f{i}'], '__d' + 'oc__') for i in range(22))\n"
    + _UNHEX,
    "comments-by-linecache": f"{_LINES}\nimport linecache\n"
    + "text = ''.join(x[2:].strip() for x in linecache.getlines('program.py') if x[:2] == '# ')\n"
    + _UNHEX,
    "string-pieces": "text = ''\n" + "\n".join(f"text += '{p}'" for p in pieces(HEX, 1900)) + "\n" + _UNHEX,
    "implicit-concatenation": "text = (" + "\n".join(f"'{p}'" for p in pieces(HEX, 60)) + ")\n" + _UNHEX,
    "dictionary-keys": "text = ''.join({" + ", ".join(f"'{p}': 0" for p in pieces(HEX, 1000)) + "})\n" + _UNHEX,
    "format-string": "z = ''\ntext = f'" + "{z}".join(pieces(HEX, 1000)) + "'\n" + _UNHEX,
    "chinese": "text = ''\n"
    + "\n".join(f"text += '{''.join(_ALPHABET[b] for b in p)}'" for p in pieces(RECORDING, 1900))
    + "\ndata = bytes(ord(c) - 0x4e00 for c in text)\n",
    "bytes-pieces": "data = b''\n" + "\n".join(f"data += {p!r}" for p in pieces(RECORDING, 1900)) + "\n",
    "base85-by-getattr": "import base64\ntext = ''\n"
    + "\n".join(f"text += {p!r}" for p in pieces(base64.b85encode(RECORDING).decode(), 1900))
    + "\ndata = getattr(base64, 'b85' + 'decode')(text)\n",
    "zlib-by-getattr": "import zlib\ndata = b''\n"
    + "\n".join(f"data += {p!r}" for p in pieces(zlib.compress(RECORDING), 1900))
    + "\ndata = getattr(zlib, 'decom' + 'press')(data)\n",
    "buffer-of-numpy": "import io, numpy as np\ndata = b''\n"
    + "\n".join(f"data += {p!r}" for p in pieces(RECORDING, 1900))
    + "\nb = io.BytesIO()\nnp.save(b, np.frombuffer(data, np.uint8))\nb.seek(0)\ndata = np.load(b).tobytes()\n",
    "eight-long-integers": f"x = {[int.from_bytes(RECORDING[i : i + 955], 'big') for i in range(0, 7640, 955)]}\n"
    + "data = b''.join(i.to_bytes(955, 'big') for i in x)\n",
    "hexadecimal-integers": f"x = [{', '.join('0x' + p.hex() for p in pieces(RECORDING, 100))}]\n"  # type: ignore[attr-defined]
    + "data = b''.join(i.to_bytes(100, 'big') for i in x)\n",
    "1999-doubles": f"x = {_DOUBLES}\ndata = b''.join(int(v * 2 ** 48).to_bytes(6, 'little') for v in x)\n",
    "complex-numbers": f"x = [{', '.join(f'{a}+{b}j' for a, b in zip(_DOUBLES[::2], _DOUBLES[1::2], strict=False))}]\n"
    + "data = b''.join(int(p * 2 ** 48).to_bytes(6, 'little') for v in x for p in (v.real, v.imag))\n",
    "small-integers-in-rows": "data = b''\n"
    + "\n".join(f"data += bytes({list(p)})" for p in pieces(RECORDING, 200))
    + "\n",
    "signs": "class A:\n    def __init__(s): s.t = ''\n    def __pos__(s): s.t += '1'; return s\n"
    + "    def __neg__(s): s.t += '0'; return s\nx = A()\n"
    + "\n".join(
        "".join("+" if b >> i & 1 else "-" for b in p for i in range(8))[::-1] + "x" for p in pieces(RECORDING, 9)
    )
    + "\ndata = bytes(int(x.t[i:i + 8][::-1], 2) for i in range(0, len(x.t), 8))\n",
}
"""A recording in the text: whatever its form, the guard counts it."""

HIDDEN = {
    "coding-utf-7": "# -*- coding: utf-7 -*-\n+AGUAeABlAGM(chr(49))",
    "coding-unicode-escape": "# coding: unicode_escape\n'\\u0027; \\u0065xec('1') #'",
    "coding-rot13": "# vim: set fileencoding=rot13 :\nrkrp('1')",
    "1500-attributes": "import os\nif 0:\n    x" + ".a" * 1500 + "\nos.system('espeak hi')",
    "too-many-signs": "x = " + "-" * 20_000 + "1",
}
"""What the guard would read differently from Python, or not at all."""

DISGUISES = {
    "system-by-another-name": "import os\ns = os\ns.system('espeak hi')",
    "system-in-a-variable": "import os\ns = [os.system][0]\ns('espeak hi')",
    "popen-by-getattr": "import os\ngetattr(os, 'po' + 'pen')('espeak hi').read()",
    "system-by-attrgetter": "import os, operator\noperator.attrgetter('sys' + 'tem')(os)('espeak hi')",
    "system-by-methodcaller": "import os, operator\noperator.methodcaller('sys' + 'tem', 'espeak hi')(os)",
    "system-by-vars": "import os\nvars(os)['sys' + 'tem']('espeak hi')",
    "system-of-posix": "import posix\nposix.system('espeak hi')",
    "system-mapped": "import os\nlist(map(vars(os)['sys' + 'tem'], ['espeak hi']))",
    "popen-of-venv": "import venv\nvenv.subprocess.run(['espeak', 'hi'])",
    "popen-by-pydoc": "import pydoc\npydoc.locate('sub' + 'process').run(['espeak', 'hi'])",
    "popen-by-modules": "import sys, platform\nplatform.processor\nsys.modules['sub' + 'process'].run(['espeak'])",
    "popen-by-resolve-name": "import unittest.mock as m\nm.pkgutil.resolve_name('subprocess:run')(['espeak'])",
    "spawn-by-getattr": "import os\ngetattr(os, 'posix_' + 'spawn')('/bin/sh', ['sh'], {})",
    "fork-by-getattr": "import os\ngetattr(os, 'fo' + 'rk')()",
    "execute-by-getattr": "import os\ngetattr(os, 'exe' + 'cv')('/bin/sh', ['sh'])",
    "system-at-exit": "import atexit, os\natexit.register(vars(os)['sys' + 'tem'], 'espeak hi')",
    "system-in-a-finalizer": "import os, functools\nclass A: pass\n"
    "A.__del__ = functools.partial(vars(os)['sys' + 'tem'], 'espeak hi')\na = A()",
    "system-by-importlib-helper": "import sys, os\n"
    "vars(sys.modules['importlib._bootstrap'])['_call_with_frames_removed'](vars(os)['sys' + 'tem'], 'espeak')",
    "system-by-vectorize": "import os, numpy as np\nnp.vectorize(vars(os)['sys' + 'tem'])(['espeak hi'])",
    "system-by-pickle": "import pickle, os\n"
    "class A:\n    def __reduce__(self): return (vars(os)['sys' + 'tem'], ('espeak hi',))\npickle.loads(pickle.dumps(A()))",
    "open-by-another-name": "o = open\no('/usr/share/sounds/a.wav', 'rb')",
    "open-by-io": "import io\ngetattr(io, 'op' + 'en')('/usr/share/sounds/a.wav', 'rb')",
    "open-by-builtins-of-the-module": "__builtins__.__dict__['op' + 'en']('/usr/share/sounds/a.wav', 'rb')",
    "open-by-a-made-path": "p = chr(47) + 'usr/share/sounds/a.wav'\nopen(p, 'rb')",
    "open-by-a-path-of-its-own-type": "class P(str):\n    def startswith(self, *a): return True\n"
    "    def __eq__(self, o): return True\n    def __hash__(self): return 0\nopen(P('/usr/share/a.wav'), 'rb')",
    "open-by-fspath": "class P:\n    n = 0\n    def __fspath__(self): return '/usr/share/a.wav'\nopen(P(), 'rb')",
    "open-by-bytes": "open(bytes([47]) + b'usr/share/a.wav', 'rb')",
    "open-by-os": "import os\nos.fdopen(vars(os)['op' + 'en']('/usr/share/a.wav', 0))",
    "open-upwards": "import os\nopen(os.path.join('..', '..', 'usr', 'share', 'a.wav'), 'rb')",
    "read-by-wavfile-alias": "from scipy.io import wavfile as w\nr = w.read\nr('/usr/share/' + 'a.wav')",
    "read-by-fromfile": "import numpy as np\nf = np.fromfile\nf('/usr/share/' + 'a.wav', np.int16)",
    "read-by-pathlib": "import pathlib\np = pathlib.Path('/usr', 'share', 'a.wav')\np.read_bytes()",
    "read-by-linecache": "import fileinput\nfor x in fileinput.input(['/usr/share/' + 'a.txt']): pass",
    "read-a-library-test": "import os, numpy as np\n"
    "open(os.path.join(np.__path__[0], 'random', 'tests', 'data', 'mt19937-testset-1.csv'))",
    "read-a-shared-library": "import sys, glob\nopen(chr(47) + 'usr/lib/x86_64-linux-gnu/libflite_cmu_us_kal.so.1', 'rb')",
    "eval-by-builtins": "__builtins__.__dict__['ev' + 'al']('1')",
    "exec-as-a-method-elsewhere": "class A:\n    def exec(self): pass\nexec('1')",
    "exec-as-a-dead-function": "def never():\n    def exec(x): pass\nexec('1')",
    "exec-by-subclasses": "for c in object.__subclasses__():\n    if c.__name__ == '_wrap_close':\n"
    "        c.__init__.__globals__['__builtins__']['ex' + 'ec']('1')",
    "exec-by-timeit": "import timeit\ntimeit.timeit('import os', number=1)",
    "exec-by-profile": "import cProfile\ncProfile.run('1')",
    "exec-by-exit-stack": "import contextlib\nwith contextlib.ExitStack() as s:\n"
    "    s.callback(vars(__builtins__)['ex' + 'ec'], '1')",
    "exec-by-typing": "import typing\ndef f(x: '__import__(\"os\")'): pass\ntyping.get_type_hints(f)",
    "exec-by-debugger": "import bdb\nbdb.Bdb().run('1')",
    "compile-by-getattr": "getattr(__builtins__, 'comp' + 'ile')('1', 'x', 'eval')",
    "code-type": "def f(): pass\ntype(f)(f.__code__.replace(co_consts=(1,)), {})",
    "function-type": "def f(): pass\ntype(f)(f.__code__, {})",
    "marshal-by-getattr": "import sys\nsys.modules['mar' + 'shal'].loads(b'N')",
    "own-module": "open('mine.py', 'w').write('x = 1')\nimport sys\nsys.path.insert(0, '.')\nimport mine",
    "own-module-by-loader": "import sys\nopen('mine.py', 'w').write('x = 1')\n"
    "sys.modules['importlib._bootstrap_external'].SourceFileLoader('mine', 'mine.py').load_module()",
    "socket-by-modules": "import sys, platform\n__builtins__.__dict__['__imp' + 'ort__']('soc' + 'ket').socket()",
    "socket-of-logging": "import logging.handlers as h\nh.socket.socket()",
    "native-of-numpy": "import numpy as np\ngetattr(np.ctypeslib, 'cty' + 'pes').CDLL('libflite.so.1')",
    "native-of-numpy-by-name": "import numpy as np\nC = np.ctypeslib.ctypes\nC.CDLL('libflite.so.1')",
    "native-by-load-library": "import numpy as np\nnp.ctypeslib.load_library('_multiarray_umath', np._core.__path__[0])",
    "another-interpreter": "import sys, _xxsubinterpreters as s\n"
    "s.run_string(s.create(), 'try: open(chr(47) + \"etc/passwd\")\\nexcept OSError: pass')",
    "modules-of-python-tests": "vars(__builtins__)['__imp' + 'ort__']('_test' + 'capi')",
    "all-objects": "import gc\ngc.get_objects()",
    "who-holds-this": "import gc\ngc.get_referrers(gc)",
    "names-of-builtins-replaced": "import sys\nb = sys.modules['built' + 'ins']\n"
    "b.len = b.issubclass = b.type = lambda *a: 0\nimport os\nos.getcwd = lambda: '/'\nopen(chr(47) + 'etc/passwd')",
    "the-runner-replaced": "import sys\nf = sys._getframe()\n"
    "while f:\n    g = f.f_globals\n    if 'audit' in g:\n        vars(g['audit']).clear()\n    f = f.f_back\n"
    "open(chr(47) + 'etc/passwd')",
    "a-hook-of-its-own": "import sys\nsys.addaudithook(lambda *a: None)\nopen(chr(47) + 'etc/passwd')",
    "caught": "try:\n    open(chr(47) + 'etc/passwd')\nexcept BaseException:\n    pass",
}
"""What only shows when it runs; each goes on to write a sound if nothing stops it."""

_TABLE = ", ".join(f"{random.Random(i).uniform(-1, 1):.3f}" for i in range(2500))
_NOTES = ", ".join(f"({i * 0.125:g}, {40 + i * 7 % 41}, {0.1 + i % 5 / 10:g})" for i in range(700))

HONEST = {
    "save-and-load": "np.save('mine.npy', y)\ny = np.load('mine.npy')",
    "save-and-load-without-suffix": "np.save('mine', y)\ny = np.load('mine.npy')",
    "savez-and-load": "np.savez('bank.npz', a=y)\ny = np.load('bank.npz')['a']",
    "savez-compressed": "np.savez_compressed('bank', a=y)\nwith np.load('bank.npz') as f:\n    y = f['a']",
    "name-of-the-file-in-a-variable": "NAME = 'mine.npy'\nnp.save(NAME, y)\ny = np.load(NAME)",
    "tofile-and-fromfile": "y.tofile('mine.raw')\ny = np.fromfile('mine.raw')",
    "savetxt-and-loadtxt": "np.savetxt('mine.txt', y[:50])\nnp.loadtxt('mine.txt')",
    "memmap": "m = np.memmap('mine.bin', dtype='f8', mode='w+', shape=y.shape)\nm[:] = y\nm.flush()\n"
    "y = np.array(np.memmap('mine.bin', dtype='f8', mode='r'))",
    "output-read-back": "write(y)\nrate, y = wavfile.read('output.wav')\ny = y / 32768",
    "output-read-back-by-join": "write(y)\nimport os\nrate, y = wavfile.read(os.path.join('.', 'output.wav'))\ny = y / 32768",
    "output-read-back-by-cwd": "write(y)\nimport os\nrate, y = wavfile.read(os.path.join(os.getcwd(), 'output.wav'))\ny = y / 32768",
    "output-read-back-by-path": "write(y)\nfrom pathlib import Path\nprint(len(Path('output.wav').read_bytes()))",
    "output-read-back-by-resolved-path": "write(y)\nfrom pathlib import Path\nprint(len(Path('output.wav').resolve().open('rb').read()))",
    "output-read-back-by-wave": "write(y)\nimport wave\nwith wave.open('output.wav') as f:\n    f.readframes(9)",
    "text-of-numbers": "from io import StringIO\nnp.loadtxt(StringIO('1 2 3\\n4 5 6'))",
    "list-of-lines": "np.genfromtxt(['1,2,3', '4,5,6'], delimiter=',')",
    "wave-in-memory": "import io, wave\nb = io.BytesIO()\nwith wave.open(b, 'wb') as f:\n"
    "    f.setparams((1, 2, 8000, 0, 'NONE', ''))\n    f.writeframes(b'\\0\\0' * 9)\nb.seek(0)\n"
    "with wave.open(b) as f:\n    f.readframes(9)\nwave.open(io.BytesIO(b.getvalue()), 'rb').close()",
    "array-in-memory": "import io\nb = io.BytesIO()\nnp.save(b, y)\nb.seek(0)\ny = np.load(b)",
    "checksum-as-a-seed": "import zlib\nr = np.random.default_rng(zlib.crc32(b'rain'))\ny = y * r.random(len(y))",
    "hash-as-a-seed": "import hashlib\nr = np.random.default_rng(hashlib.sha256(b'rain').digest()[0])",
    "700-notes": f"notes = [{_NOTES}]\ny = y * len(notes) / 700",
    "table-of-2500-numbers": f"table = np.array([{_TABLE}])\ny = np.interp(np.arange(8000) % 2500, np.arange(2500), table)",
    "named-tuples": "from collections import namedtuple\nN = namedtuple('N', 'pitch level')\ny = y * N(1, 0.5).level",
    "data-classes": "from dataclasses import dataclass, field\n@dataclass(order=True, frozen=True)\nclass N:\n"
    "    level: float = 0.5\n    parts: list = field(default_factory=list)\ny = y * N().level",
    "typed-and-enumerated": "import enum, typing\nclass N(typing.NamedTuple):\n    level: float = 0.5\n"
    "class E(enum.IntFlag):\n    A = 1\ny = y * N().level",
    "a-distribution": "from scipy import stats\nclass D(stats.rv_continuous):\n    def _pdf(self, x): return x\n"
    "D(a=0, b=1)\ny = y * stats.norm.rvs(size=len(y), random_state=1) / 9",
    "sobol": "from scipy.stats import qmc\ny = y * qmc.Sobol(1, seed=1).random(8192)[:8000, 0]",
    "much-of-scipy": "import scipy.optimize, scipy.integrate, scipy.interpolate, scipy.linalg, scipy.special, scipy.fft\n"
    "import scipy.signal, scipy.spatial, scipy.cluster, scipy.sparse\n"
    "scipy.optimize.minimize(lambda x: (x - 1) ** 2, 0)\nscipy.integrate.solve_ivp(lambda t, x: -x, (0, 1), [1])\n"
    "y = scipy.signal.resample(y, 8000)",
    "a-warning": "np.log(np.array([-1.0]))\nimport warnings\nwarnings.warn('quiet')",
    "an-error-caught": "import traceback\ntry:\n    1 / 0\nexcept ZeroDivisionError:\n    traceback.print_exc()",
    "a-missing-cache": "try:\n    y = np.load('cache' + '.npy')\nexcept FileNotFoundError:\n    pass",
    "much-of-the-library": "import argparse, json, logging, decimal, fractions, statistics, tempfile, uuid, datetime, csv\n"
    "import heapq, bisect, itertools, functools, operator, string, textwrap, pprint, time, copy, contextlib, abc, queue\n"
    "with tempfile.TemporaryFile() as f:\n    f.write(b'x')\nargparse.ArgumentParser().parse_args([])\n"
    "print(datetime.datetime.now().astimezone(), uuid.uuid4())\nlogging.warning('hi')\ncopy.deepcopy([1])",
    "its-machine": "import platform, sys, os\nprint(platform.platform(), sys.version, os.cpu_count())",
    "a-function-called-compile": "def compile(score):\n    return score\ny = y * compile(1.0)",
    "a-pattern": "import re\nprint(re.compile('x').match('x'))",
    "pickled-copy": "import pickle\ny = pickle.loads(pickle.dumps(y))",
    "csv-of-its-own": "import csv\nwith open('notes.csv', 'w') as f:\n    csv.writer(f).writerow([1, 2])\n"
    "with open('notes.csv') as f:\n    print(list(csv.reader(f)))",
    "config-of-its-own": "import json\njson.dump({'rate': 8000}, open('c.json', 'w'))\nprint(json.load(open('c.json')))",
    "temporary-folder": "import tempfile, os\nwith tempfile.TemporaryDirectory() as d:\n"
    "    p = os.path.join(d, 'a.npy')\n    np.save(p, y)\n    y = np.load(p)",
    "renamed": "import os\nwavfile.write('raw.wav', 8000, y)\nos.rename('raw.wav', 'other.wav')\n_, y = wavfile.read('other' + '.wav')",
    "coding-utf-8": "# -*- coding: utf-8 -*-\nname = 'Träumerei'",
    "a-comment-on-the-coding": "# Encoding: 16-bit PCM\nx = 1",
}
HONEST = {
    name: (f"{code}\n" if code.startswith("#") else "")
    + "import numpy as np\nfrom scipy.io import wavfile\n"
    + "def write(y):\n    wavfile.write('output.wav', 8000, (9000 * y).astype(np.int16))\n"
    + f"y = np.sin(np.arange(8000) / 9)\n{code}\nwrite(y)\n"
    for name, code in HONEST.items()
}
EMBEDDED = {name: code + PLAY for name, code in EMBEDDED.items()}
DISGUISES = {name: code + SOUND for name, code in DISGUISES.items()}
HIDDEN = {name: code + SOUND for name, code in HIDDEN.items()}
