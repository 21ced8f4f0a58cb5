"""Which tier a machine gets, what a refusal says, the self-test, and the tiers that are no zygote of ours."""

import contextlib
import os
import platform
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jail_world import REFERENCE

from innerear.errors import JailFailure, JailUnavailable
from innerear.jail import container, open_jail, probe, result, selftest, tiers
from innerear.jail.host import ZygoteJail
from innerear.jail.inside import view, wav, wire
from innerear.jail.start import Start, runtime
from innerear.records import Limits, Outcome

FAST = Limits(cpu_s=5, wall_s=10)
linux_only = pytest.mark.skipif(sys.platform != "linux", reason="jails are Linux's")

CUT_OFF = b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0" + struct.pack("<HHIIHH", 1, 1, 8000, 16000, 2, 16)
CUT_OFF += b"data" + struct.pack("<I", 400) + bytes(range(100))

# Becomes a process that may make no user namespace and finds no Landlock, then asks for a jail.
BARE_MACHINE = """
import os, struct, time
os.environ["OPENBLAS_NUM_THREADS"] = "1"
from innerear.jail.inside import linux, seccomp
uid, gid = os.geteuid(), os.getegid()
linux.unshare(linux.CLONE_NEWUSER)
linux.map_one_user(uid, gid, 1000)
if not NAMESPACES: open("/proc/sys/user/max_user_namespaces", "w").write("0")
step = lambda code, true, false, value: struct.pack("<HBBI", code, true, false, value)
linux.prctl(linux.PR_SET_NO_NEW_PRIVS, 1)
seccomp.load(step(0x20, 0, 0, 0) + step(0x15, 0, 1, 444) + step(6, 0, 0, 0x50026) + step(6, 0, 0, 0x7fff0000))
from innerear.errors import JailUnavailable
from innerear.jail import open_jail
times = []
for _ in range(3):
    begin = time.perf_counter()
    try: jail = open_jail("auto")
    except JailUnavailable as error: said = str(error)
    else: said = jail.facts["tier"]; jail.close()
    times.append(time.perf_counter() - begin)
print(min(times)); print(said)
"""


@linux_only
def test_a_machine_without_namespaces_and_landlock_is_refused_with_both_fixes_at_once():
    done = subprocess.run([sys.executable, "-c", f"NAMESPACES = False{BARE_MACHINE}"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    seconds, said = done.stdout.split("\n", 1)
    assert float(seconds) < 0.1
    assert "user namespaces are off (user/max_user_namespaces is 0)" in said
    assert "no Landlock" in said
    assert "apparmor_restrict_unprivileged_userns=0" in said
    assert "Linux 6.2" in said


# Becomes root as default containers have it: without CAP_SYS_ADMIN, and where asked without unshare(2).
CONTAINED = """
import os, struct, sys
os.environ["OPENBLAS_NUM_THREADS"] = "1"
from innerear.jail.inside import linux, seccomp, view
if READABLE: view.open_the_way([sys.base_prefix, sys.prefix])
linux.prctl(linux.PR_CAPBSET_DROP, 21)
if FILTERED:
    step = lambda code, true, false, value: struct.pack("<HBBI", code, true, false, value)
    linux.prctl(linux.PR_SET_NO_NEW_PRIVS, 1)
    seccomp.load(step(0x20, 0, 0, 0) + step(0x15, 0, 1, 272) + step(6, 0, 0, 0x50001) + step(6, 0, 0, 0x7fff0000))
ask = "from innerear.jail import open_jail; jail = open_jail('auto'); print(jail.facts['tier']); jail.close()"
os.execv(sys.executable, [sys.executable, "-c", ask])
"""


@linux_only
@pytest.mark.skipif(platform.machine() != "x86_64", reason="the filter of this test is for x86_64")
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can take capabilities away in this way")
@pytest.mark.parametrize(
    ("readable", "filtered", "wanted"), [(True, True, "ll"), (True, False, "ns"), (False, True, "only root may enter")]
)
def test_root_without_capabilities_gets_what_is_left(readable, filtered, wanted):
    if not readable and not view.closed_folders(list(runtime().binds)):
        pytest.skip("everybody can read this interpreter")
    code = f"READABLE, FILTERED = {readable}, {filtered}{CONTAINED}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert wanted in (done.stdout or done.stderr)


def test_the_package_can_be_imported_where_linux_modules_are_missing():
    code = """
import sys
for name in ("fcntl", "resource", "innerear.jail.inside.runner", "innerear.jail.host"): sys.modules[name] = None
import innerear.jail
"""
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("system", ["darwin", "win32"])
def test_another_system_is_refused_with_the_ways_that_remain(monkeypatch, system):
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr(platform, "system", lambda: {"darwin": "Darwin", "win32": "Windows"}[system])
    monkeypatch.setattr(tiers, "_passed", {})
    with pytest.raises(JailUnavailable) as refusal:
        open_jail("auto")
    assert "docker or podman" in refusal.value.fix
    assert "WSL2" in refusal.value.fix
    assert "tier off" in refusal.value.fix


def test_a_tier_that_was_asked_for_is_never_replaced_by_another(monkeypatch):
    monkeypatch.setattr(tiers, "_passed", {})
    monkeypatch.setattr(tiers, "_lacks", lambda way, *_: ("", "") if way == "ll" else ("gone", "bring it back"))
    with pytest.raises(JailUnavailable, match=r"bwrap: gone; own: gone\. bring it back"):
        open_jail("ns")


@linux_only
@pytest.mark.parametrize("without", ["seccomp", "landlock"])
def test_the_self_test_finds_a_missing_layer(without):
    if tiers._lacks("ll")[0]:
        pytest.skip(tiers._lacks("ll")[0])
    jail = ZygoteJail(Start("ll", without), {"tier": "ll"})
    assert selftest.leaks(jail)
    jail.close()


def test_the_self_test_finds_that_there_is_no_jail():
    assert len(selftest.leaks(open_jail("off"))) > 5


@linux_only
def test_every_way_is_probed_and_says_what_it_lacks():
    for probed in probe():
        assert bool(probed.missing) == bool(probed.fix)
        assert not probed.shows_more, probed.sight
        assert bool(probed.sight) == (not probed.missing and probed.tier in ("ns", "ll"))
        assert probed.missing or probed.facts["tier"] == probed.tier


@pytest.mark.parametrize("engine", ["docker", "podman"])
def test_a_container_gets_no_network_no_privilege_and_nothing_to_write_but_tmp(engine, monkeypatch):
    monkeypatch.setenv(container.IMAGE, "some/image:1")
    command = container.command(engine, "library")
    for flag in (
        *("--rm", "--interactive", "--network=none", "--read-only", "--cap-drop=ALL"),
        *("--security-opt=no-new-privileges", "--user=65534:65534", "--pids-limit=64", "--memory=4g"),
    ):
        assert flag in command
    assert command[-5:] == ["some/image:1", "python3", "-m", "innerear.jail.serve", "library"]
    assert not [word for word in command if word.startswith(("--volume", "-v", "--mount", "--privileged", "--device"))]


@linux_only
def test_the_protocol_of_containers_brings_back_what_the_jail_gave():
    if tiers._lacks("ll")[0]:
        pytest.skip(tiers._lacks("ll")[0])
    direct = open_jail("ll")
    remote = container.ContainerJail([sys.executable, "-m", "innerear.jail.serve"], {})
    cut_off = "open('output.wav', 'wb').write(bytes.fromhex('%s'))" % CUT_OFF.hex()  # noqa: UP031
    for code in (REFERENCE, "1 / 0", "open('/etc/passwd')", "print('\udc80')", cut_off):
        one, two = direct.run(code, FAST), remote.run(code, FAST)
        assert (one.outcome, one.reason, one.log, one.exit_code) == (two.outcome, two.reason, two.log, two.exit_code)
        if one.clip:
            np.testing.assert_array_equal(one.clip.samples, two.clip.samples)
    assert remote.facts["inside"]["tier"] == "ll"
    remote.close()
    remote.close()
    direct.close()


@pytest.mark.parametrize("said", ["", "garbage that is longer than eight bytes", "\0" * 7 + "\x7f"])
def test_a_container_that_talks_nonsense_is_a_failure_of_the_jail(said):
    jail = container.ContainerJail([sys.executable, "-c", f"print({said!r}, end='')"], {})
    with pytest.raises(JailFailure, match="failed twice"):
        jail.run("print(1)", FAST)
    jail.close()


@pytest.mark.parametrize(
    ("code", "outcome"),
    [
        (REFERENCE, Outcome.OK),
        ("print(1)", Outcome.NO_AUDIO),
        ("1 / 0", Outcome.ERROR),
        ("raise MemoryError", Outcome.OUT_OF_MEMORY),
        ("import sys; sys.exit(4)", Outcome.EXIT_CODE),
        ("import os; os.kill(os.getpid(), 11)", Outcome.EXIT_CODE),
        ("import os; os.kill(os.getpid(), 40)", Outcome.EXIT_CODE),
        ("import os; os.mkdir('output.wav')", Outcome.NO_AUDIO),
        ("import os; os.mkfifo('output.wav')", Outcome.NO_AUDIO),
        ("import os; os.symlink('/dev/zero', 'output.wav')", Outcome.NO_AUDIO),
        ("import os, shutil; shutil.rmtree(os.getcwd())", Outcome.NO_AUDIO),
        ("open('output.wav', 'w').write('x' * 99)", Outcome.BAD_AUDIO),
        ("while True: pass", Outcome.CPU_LIMIT),
        ("import time; time.sleep(9)", Outcome.TIMED_OUT),
    ],
)
def test_without_a_jail_the_outcomes_are_the_same_words(code, outcome):
    jail = open_jail("off")
    assert jail.facts["isolated"] is False
    assert jail.run(code, Limits(cpu_s=1, wall_s=1 if "sleep" in code else 8)).outcome is outcome


@given(st.binary(max_size=200), st.booleans())
def test_no_bytes_make_the_wav_reader_fail_in_another_way(data, begun):
    data = b"RIFF\0\0\0\0WAVE" + data if begun else data
    with contextlib.suppress(wav.NotAudio):
        head = wav.head(data, len(data))
        assert head.start + head.size <= len(data)


SAID = {
    wire.Status.AUDIO: {Outcome.OK, Outcome.BAD_AUDIO},
    wire.Status.ERROR: {Outcome.ERROR},
    wire.Status.EXIT_CODE: {Outcome.EXIT_CODE},
    wire.Status.NO_AUDIO: {Outcome.NO_AUDIO},
    wire.Status.BAD_AUDIO: {Outcome.BAD_AUDIO},
    wire.Status.OUT_OF_MEMORY: {Outcome.OUT_OF_MEMORY},
    wire.Status.FORBIDDEN: {Outcome.FORBIDDEN},
    wire.Status.PROVENANCE: {Outcome.PROVENANCE},
    wire.Status.KILLED: {Outcome.EXIT_CODE, Outcome.OUT_OF_MEMORY, Outcome.FORBIDDEN},
}
"""What a child says of its program, and what the host may make of it."""


@given(
    st.integers(0, 9),
    st.integers(0, 2**32 - 1),
    st.integers(0, 2**32 - 1),
    st.integers(0, 2**32 - 1),
    st.integers(0, 2**64 - 1) | st.integers(0, 64),
    st.integers(0, 2**64 - 1) | st.integers(0, 64),
    st.binary(max_size=64),
)
def test_no_result_makes_the_host_fail_or_take_bad_audio(status, form, channels, rate, payload, promised, data):
    head = wire.RESULT.pack(wire.RESULT_MAGIC, status, form, channels, rate, 0, payload, promised)
    with tempfile.TemporaryFile() as file:
        file.write(head + data)
        file.flush()
        outcome, reason, _, clip = result.read(file.fileno(), len(head) + 64, Limits())
    assert (outcome is Outcome.OK) == (clip is not None)
    whole = status in list(wire.Status) and payload <= 64
    assert outcome in (SAID[status] if whole else {Outcome.NO_AUDIO})
    assert reason or clip is not None or (whole and status != wire.Status.AUDIO), "a refusal says why"


@given(st.lists(st.integers(-(2**23), 2**23 - 1), min_size=1))
def test_24_bit_samples_are_those_of_libsndfile(values):
    soundfile = pytest.importorskip("soundfile")
    data = b"".join(struct.pack("<i", value)[:3] for value in values)
    with tempfile.NamedTemporaryFile(suffix=".raw") as file:
        Path(file.name).write_bytes(data)
        theirs, _ = soundfile.read(
            file.name, channels=1, samplerate=8000, subtype="PCM_24", endian="LITTLE", format="RAW", dtype="float32"
        )
    np.testing.assert_array_equal(result.samples_of(data, "i24"), theirs)
