"""What programs get: outcomes, logs, limits, sound, chance, and each other's absence."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from jail_world import REFERENCE, processes

from innerear.errors import JailFailure, JailUnavailable, UsageError
from innerear.jail import host, open_jail
from innerear.jail.base import Jail
from innerear.jail.host import ZygoteJail
from innerear.jail.start import Start
from innerear.jail.tiers import _lacks
from innerear.records import Limits, Outcome

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="jails are Linux's")
WAYS = ("bwrap", "own", "ll")
FAST = Limits(cpu_s=5, wall_s=10)
SYNTH = """
import numpy as np
from scipy.io import wavfile
from scipy.signal import butter, sosfilt
t = np.arange(22050) / 44100
x = np.sin(2 * np.pi * 440 * t) + np.random.default_rng().normal(0, 0.1, t.size) + np.random.rand(t.size) * 0.01
wavfile.write("output.wav", 44100, (0.3 * sosfilt(butter(4, 2000, fs=44100, output="sos"), x)).astype(np.float32))
"""
WAVE = """
import struct
def wav(tag, bits, channels, rate, data, extra=b""):
    fmt = struct.pack("<HHIIHH", tag, channels, rate, rate * channels * bits // 8, channels * bits // 8, bits) + extra
    body = b"WAVE" + b"LIST" + struct.pack("<I", 3) + b"abc\\0" + b"fmt " + struct.pack("<I", len(fmt)) + fmt
    body += b"data" + struct.pack("<I", len(data)) + data
    open("output.wav", "wb").write(b"RIFF" + struct.pack("<I", len(body)) + body)
"""


def way(name: str) -> ZygoteJail:
    missing, _ = _lacks(name)
    if missing:
        pytest.skip(missing)
    return ZygoteJail(Start(name), {"tier": name})  # type: ignore[arg-type]


@pytest.fixture(scope="module", params=["auto", *(pytest.param(w, marks=pytest.mark.slow) for w in WAYS)])
def jail(request: pytest.FixtureRequest) -> Iterator[Jail]:
    try:
        jail = open_jail("auto") if request.param == "auto" else way(request.param)
    except JailUnavailable as error:
        pytest.skip(str(error))
    yield jail
    jail.close()


@pytest.mark.parametrize(
    ("code", "outcome", "reason"),
    [
        ("print('x')", Outcome.NO_AUDIO, "no output.wav"),
        ("1 / 0", Outcome.ERROR, "ZeroDivisionError: division by zero"),
        ("def f(:", Outcome.ERROR, "SyntaxError"),
        ("x = '\0'", Outcome.ERROR, ""),
        ("x = '\udc80'", Outcome.ERROR, ""),
        ("raise KeyboardInterrupt", Outcome.ERROR, "KeyboardInterrupt"),
        ("import nothing_of_that_name", Outcome.ERROR, "ModuleNotFoundError"),
        ("import innerear", Outcome.ERROR, "ModuleNotFoundError"),
        ("open('missing.txt')", Outcome.ERROR, "FileNotFoundError"),
        ("import sys; sys.exit(3)", Outcome.EXIT_CODE, "exit code 3"),
        ("import sys; sys.exit('no')", Outcome.EXIT_CODE, "exit code 1"),
        ("import os; os._exit(9)", Outcome.EXIT_CODE, "exit code 9"),
        ("import ctypes; ctypes.string_at(0)", Outcome.EXIT_CODE, "SIGSEGV"),
        ("x = bytearray(1 << 40)", Outcome.OUT_OF_MEMORY, "MemoryError"),
        ("import numpy as np; np.ones(1 << 36)", Outcome.OUT_OF_MEMORY, "allocate"),
        ("import socket; socket.socket()", Outcome.FORBIDDEN, "`import socket; socket.socket()`"),
        ("open('/etc/passwd')", Outcome.FORBIDDEN, "/etc/passwd"),
        ("open('/tmp/output.wav', 'wb')", Outcome.FORBIDDEN, "/tmp/output.wav"),
        ("import subprocess; subprocess.run(['sox'])", Outcome.FORBIDDEN, "subprocess.run"),
        ("import threading; threading.Thread(target=int).start()", Outcome.FORBIDDEN, "thread"),
        ("import urllib.request as u; u.urlopen('http://example.org')", Outcome.FORBIDDEN, "urlopen"),
    ],
)
def test_an_outcome_says_what_happened(jail, code, outcome, reason):
    ran = jail.run(code, FAST, audited=False)
    assert (ran.outcome, reason in ran.reason) == (outcome, True), ran
    assert ran.clip is None


def test_a_signal_without_a_name_is_told_by_its_number():
    jail = way("ll")  # elsewhere a program is the first of its namespace, which its own signals do not end
    for number in (35, 40, 50, 63):
        ran = jail.run(f"import os; os.kill(os.getpid(), {number})", FAST)
        assert (ran.outcome, ran.reason, ran.exit_code) == (Outcome.EXIT_CODE, f"killed by signal {number}", -number)
    jail.close()


LONG = "import wave\nw = wave.open('output.wav', 'wb'); w.setparams((1, 1, 8000, 0, 'NONE', ''))\n"


def test_a_sound_that_is_much_too_long_is_refused_with_both_lengths(jail):
    code = f"{LONG}w.writeframes(bytes([100, 160]) * 124_000); w.close()"
    limits = Limits(cpu_s=5, wall_s=10, sound_s=30.0)
    ran = jail.run(code, limits)
    assert (ran.outcome, ran.clip) == (Outcome.BAD_AUDIO, None)
    assert ran.reason == "the sound is 31.0 s long, wanted at most 30 s"
    assert jail.run(code.replace("124_000", "120_000"), limits).outcome is Outcome.OK


@pytest.mark.parametrize(("promised", "note"), [(64, ""), (400, "cut off"), (0xFFFF_FFFF, ""), (0x7FFF_F024, "")])
def test_a_header_that_promises_more_than_the_file_holds_is_noted_with_the_sound(jail, promised, note):
    code = f"{WAVE}wav(1, 16, 1, 8000, bytes(64))\n"
    code += f"data = open('output.wav', 'rb').read()\nplace = data.index(b'data') + 4\n"  # noqa: F541
    code += f"open('output.wav', 'wb').write(data[:place] + struct.pack('<I', {promised}) + data[place + 4:])"
    ran = jail.run(code, FAST)
    assert ran.outcome is Outcome.OK
    assert ran.clip.samples.shape == (1, 32)
    assert (note in ran.reason) if note else not ran.reason


@pytest.mark.parametrize(
    ("limits", "code", "outcome"),
    [
        (Limits(cpu_s=1, wall_s=5), "while True: pass", Outcome.CPU_LIMIT),
        (Limits(cpu_s=5, wall_s=0.3), "while True: pass", Outcome.TIMED_OUT),
        (Limits(cpu_s=5, wall_s=0.3), "import time; time.sleep(9)", Outcome.TIMED_OUT),
        (Limits(memory_bytes=100 << 20), "x = bytearray(150 << 20)", Outcome.OUT_OF_MEMORY),
        (Limits(memory_bytes=1 << 20), "x = bytearray(150 << 20)", Outcome.OUT_OF_MEMORY),
        (Limits(memory_bytes=1 << 30), "x = bytearray(150 << 20)", Outcome.NO_AUDIO),
        (Limits(file_bytes=1 << 20), "open('output.wav', 'wb').write(bytes(2 << 20))", Outcome.ERROR),
    ],
)
def test_a_limit_holds(jail, limits, code, outcome):
    begin = time.monotonic()
    ran = jail.run(code, limits)
    assert ran.outcome is outcome, ran
    assert time.monotonic() - begin < limits.wall_s + 1
    assert ran.cpu_s < limits.cpu_s + 0.2
    assert jail.run("print(1)", FAST).log == "1\n"


def test_a_log_keeps_the_order_of_the_two_streams(jail):
    code = "import sys\nfor i in range(3): print('out', i); print('err', i, file=sys.stderr)\n1 / 0"
    log = jail.run(code, FAST).log
    assert log.startswith("out 0\nerr 0\nout 1\nerr 1\nout 2\nerr 2\nTraceback")
    assert '  File "program.py", line 3, in <module>\n    1 / 0' in log


def test_a_log_is_cut_at_its_limit_and_keeps_the_traceback(jail):
    ran = jail.run("print('x' * (1 << 20))\n1 / 0", FAST)
    assert len(ran.log) <= FAST.log_bytes
    assert "ZeroDivisionError" in ran.log


def test_a_log_holds_no_control_characters(jail):
    log = jail.run("import os; os.write(1, b'a\\x1b[31mb\\x00\\x07\\xff\\tc\\u202e\\n'); print('\\u202e')", FAST).log
    assert not [c for c in log if c not in "\t\n" and not c.isprintable()]
    assert log.startswith("a[31mb")


@pytest.mark.parametrize(
    ("form", "data", "wanted"),
    [
        ("1, 8", "bytes([0, 128, 255, 128])", [-1, 0, 127 / 128, 0]),
        ("1, 16", "struct.pack('<4h', -32768, 0, 16384, 32767)", [-1, 0, 0.5, 32767 / 32768]),
        ("1, 24", "b'\\0\\0\\x80' + bytes(3) + b'\\0\\0\\x40' + b'\\xff\\xff\\x7f'", [-1, 0, 0.5, 1 - 2**-23]),
        ("1, 32", "struct.pack('<4i', -2**31, 0, 2**30, -1)", [-1, 0, 0.5, -(2**-31)]),
        ("3, 32", "struct.pack('<4f', -8, 0, 0.1, 1.5)", [-8, 0, 0.1, 1.5]),
        ("3, 64", "struct.pack('<4d', -8, 0, 0.1, 1.5)", [-8, 0, 0.1, 1.5]),
    ],
)
@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("extensible", [False, True])
def test_every_wav_form_comes_back_as_written(jail, form, data, wanted, channels, extensible):
    tag, bits = form.split(", ")
    head = f"{tag}, {bits}, {channels}, 48000, {data}"
    if extensible:
        guid = f"struct.pack('<HHIH', 22, {bits}, 3, {tag}) + bytes.fromhex('000000001000800000aa00389b71')"
        head = f"0xFFFE, {bits}, {channels}, 48000, {data}, {guid}"
    ran = jail.run(f"{WAVE}\nwav({head})", FAST)
    assert ran.outcome is Outcome.OK, ran.reason
    assert ran.clip.sample_rate == 48000
    np.testing.assert_array_equal(ran.clip.samples, np.float32(wanted).reshape(-1, channels).T)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ("1, 16, 1, 7999, bytes(8)", "7999 Hz"),
        ("1, 16, 1, 192001, bytes(8)", "192001 Hz"),
        ("1, 16, 3, 44100, bytes(12)", "3 channels"),
        ("1, 16, 0, 44100, bytes(12)", "0 channels"),
        ("1, 12, 1, 44100, bytes(12)", "12 bits"),
        ("7, 8, 1, 44100, bytes(12)", "0x7"),
        ("1, 16, 2, 44100, bytes(3)", "no samples"),
        ("3, 32, 1, 44100, struct.pack('<f', 8.1)", "largest sample is 8.1"),
        ("3, 32, 1, 44100, struct.pack('<f', float('nan'))", "NaN"),
    ],
)
def test_unusable_audio_says_why(jail, arguments, reason):
    ran = jail.run(f"{WAVE}\nwav({arguments})", FAST)
    assert ran.outcome is Outcome.BAD_AUDIO
    assert reason in ran.reason


def test_a_file_left_open_is_completed_as_python_does_at_its_end(jail):
    code = """
import wave
w = wave.open("output.wav", "wb")
w.setparams((1, 2, 8000, 0, "NONE", ""))
w.writeframes(b"abcd")
"""
    assert jail.run(code, FAST).outcome is Outcome.OK


def test_the_program_is_main_and_runs_as_a_script(jail):
    code = "import sys, __main__\nassert __name__ == '__main__' and __main__.code == 1\nprint(sys.argv, __file__)"
    assert jail.run("code = 1\n" + code, FAST).log == "['program.py'] program.py\n"


def test_a_program_can_replace_what_it_likes_and_harms_only_itself(jail):
    code = """
import builtins, os, struct
for module in (os, builtins, struct):
    for name in list(vars(module)):
        try: setattr(module, name, None)
        except Exception: pass
"""
    jail.run(code, FAST)
    jail.run("import gc, sys\nsys.modules.clear(); sys.stdout = sys.stderr = None", FAST)
    assert jail.run(REFERENCE, FAST).outcome is Outcome.OK


def test_the_same_program_gives_the_same_bits_in_every_worker_tier_and_zygote():
    found = set()
    for name in (*WAYS, WAYS[0]):
        if _lacks(name)[0]:
            continue
        jail = way(name)
        for code in (SYNTH, REFERENCE, SYNTH, REFERENCE):
            clip = jail.run(code, FAST).clip
            assert clip is not None
            found.add((code, clip.samples.tobytes()))
        jail.close()
    assert len(found) == 2


def test_another_seed_gives_another_chance(jail):
    code = "import random, numpy as np\nprint(random.random(), np.random.rand(), np.random.default_rng().random())"
    assert jail.run(code, FAST, seed=1).log == jail.run(code, FAST, seed=1).log
    one, two = jail.run(code, FAST, seed=1).log.split(), jail.run(code, FAST, seed=2).log.split()
    assert not set(one) & set(two)


def test_two_generators_without_a_seed_differ(jail):
    log = jail.run("import numpy as np\nr = np.random.default_rng\nprint(r().random() != r().random())", FAST).log
    assert log == "True\n"


def test_a_program_finds_no_trace_of_the_one_before_it():
    jail = ZygoteJail(Start("ll", "landlock"), {"tier": "ll"})  # so that it can read its own memory map
    if _lacks("ll")[0]:
        pytest.skip(_lacks("ll")[0])
    secret = "".join(random.choices("0123456789", k=20))
    look = """
import ctypes, re
pattern, found, seen = re.compile(b"XQ" + b"Z_" + rb"\\d{20}"), 0, 0
for line in open("/proc/self/maps").read().splitlines():
    words = line.split()
    if words[1].startswith("rw") and "[v" not in line:
        low, high = (int(w, 16) for w in words[0].split("-"))
        found += len(pattern.findall(ctypes.string_at(low, high - low)))
        seen += high - low
print(found, seen > 1 << 22)
"""
    assert jail.run(f"x = 'XQZ_{secret}'\n{look}", FAST, audited=False).log != "0 True\n", "the scan does not work"
    for _ in range(3):
        jail.run(f"print('XQZ_{secret}'); raise ValueError('XQZ_{secret}')", FAST)
    assert jail.run(look, FAST, audited=False).log == "0 True\n"
    jail.close()


@pytest.mark.parametrize("name", WAYS)
def test_nothing_is_left_when_the_host_is_killed(name):
    way(name).close()
    code = f"""
import sys, threading, time
from innerear.jail.host import ZygoteJail
from innerear.jail.start import Start
from innerear.records import Limits
jail = ZygoteJail(Start({name!r}), {{}})
jail.run("print(1)", Limits())
sys.path.insert(0, {str(Path(__file__).parent)!r})
threading.Timer(0.3, lambda: print("ready", flush=True)).start()
jail.run("while True: pass", Limits())
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as host_process:
        assert host_process.stdout is not None
        assert host_process.stdout.readline() == "ready\n"
        fake = ZygoteJail.__new__(ZygoteJail)
        fake._next = {}
        children = [int(p) for p in _children(host_process.pid)]
        fake._zygotes = {str(pid): _Process(pid) for pid in children}  # type: ignore[misc]
        ours = processes(fake)
        assert len(ours) > 2
        host_process.kill()
    deadline = time.monotonic() + 1.0
    while (left := {pid for pid in ours if _alive(pid)}) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not left


class _Process:
    def __init__(self, pid: int) -> None:
        self._process = self
        self.pid = pid


def _children(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize("name", WAYS)
def test_a_killed_zygote_is_replaced_and_the_program_run_again(name):
    jail = way(name)
    jail.run("print(1)", FAST)
    for pid in sorted(processes(jail), reverse=True)[:2]:
        os.kill(pid, signal.SIGKILL)
    assert jail.run("print(2)", FAST).log == "2\n"
    ours = processes(jail)
    jail.close()
    time.sleep(0.2)
    assert not {pid for pid in ours if _alive(pid)}


@pytest.mark.parametrize("name", WAYS)
def test_a_jail_that_is_closed_while_a_program_runs_ends_it_at_once_and_runs_no_other(name):
    jail = way(name)
    jail.run("print(1)", FAST)
    failed: list[JailFailure] = []

    def work() -> None:
        try:
            jail.run("while True: pass", Limits(cpu_s=60, wall_s=60))
        except JailFailure as failure:
            failed.append(failure)

    worker = threading.Thread(target=work)
    worker.start()
    time.sleep(0.5)
    ours = processes(jail)
    jail.close()
    worker.join(10)
    assert not worker.is_alive()
    assert "closed" in str(failed[0])
    time.sleep(0.2)
    assert not {pid for pid in ours if _alive(pid)}
    with pytest.raises(JailFailure, match="closed"):
        jail.run("print(2)", FAST)


def test_a_program_cannot_make_the_jail_fail(jail):
    for code in (
        "import os; os._exit(1)",
        "import os; os.close(1); os.close(2); os.close(3)",
        "import os; os.kill(os.getpid(), 9)",
    ):
        assert jail.run(code, FAST).outcome is not Outcome.OK


class _Broken:
    work_folders = False
    track = "scratch"
    language = "python"

    @property
    def environment(self) -> dict[str, str]:
        return {}

    def command(self) -> list[str]:
        return ["false"]

    def letter(self, *_: object) -> bytes:
        return b""


def test_a_jail_that_cannot_start_says_so(monkeypatch):
    monkeypatch.setattr(host, "_START_S", 5.0)
    jail = ZygoteJail(Start("own", ""), {"tier": "ns"})
    jail._start = _Broken()  # type: ignore[assignment]
    with pytest.raises(JailFailure, match="failed twice"):
        jail.run("print(1)", FAST)
    jail.close()
    jail.close()


def test_an_unknown_tier_is_refused_by_name():
    with pytest.raises(UsageError, match="'best', wanted one of auto, ns, ll"):
        open_jail("best")


def test_zygotes_are_recycled_without_a_pause(monkeypatch, jail):
    monkeypatch.setattr(host, "_PROGRAMS", 5)
    seen = set()
    for i in range(40):
        assert jail.run(f"print({i})", FAST).log == f"{i}\n"
        seen.add(id(jail._zygotes["stdlib"]))
        time.sleep(0.01)
    assert len(seen) > 1


def test_two_workers_do_not_change_each_others_outcome():
    results: dict[int, list[bytes]] = {0: [], 1: []}

    def work(worker: int) -> None:
        jail = open_jail("auto")
        for _ in range(20):
            clip = jail.run(REFERENCE, FAST).clip
            results[worker].append(clip.samples.tobytes() if clip else b"")
            jail.run("x = bytearray(1 << 40)", FAST)
        jail.close()

    threads = [threading.Thread(target=work, args=(worker,)) for worker in results]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({*results[0], *results[1]}) == 1
    assert b"" not in results[0]


def _flat(jail: Jail, programs: int) -> None:
    def held() -> tuple[int, int]:
        return len(os.listdir("/proc/self/fd")), int(Path("/proc/self/statm").read_text().split()[1])

    for _ in range(30):
        jail.run(REFERENCE, FAST)
    before = held()
    for i in range(programs):
        ran = jail.run(REFERENCE if i % 3 else "1 / 0", FAST)
        assert ran.outcome is (Outcome.OK if i % 3 else Outcome.ERROR), ran
    after = held()
    # A successor that is still importing has two: its socket, and what it says on stderr.
    assert after[0] - before[0] == 2 * len(jail._next)
    assert after[1] - before[1] < 1024, "pages of the host"


def test_descriptors_and_memory_of_the_host_stay_flat(jail):
    _flat(jail, 100)


@pytest.mark.slow
def test_descriptors_and_memory_of_the_host_stay_flat_over_2000_programs():
    jail = open_jail("auto")
    _flat(jail, 2000)
    jail.close()


@pytest.mark.slow
@pytest.mark.parametrize("name", WAYS)
def test_500_benign_programs_do_not_fail(name):
    jail = way(name)
    for i in range(500):
        ran = jail.run((SYNTH, REFERENCE)[i % 2], FAST)
        assert ran.outcome is Outcome.OK, (i, ran)
    jail.close()
