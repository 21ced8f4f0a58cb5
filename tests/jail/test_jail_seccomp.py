"""The seccomp filter, by an interpreter of its own for classic BPF, and by libseccomp's numbers."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from innerear.jail.inside import child, seccomp
from innerear.jail.inside.seccomp import ALLOW, CALLS, CONDITIONAL, EPERM, ERRNO, KILL, MACHINES

PID = 4242
WORDS = st.integers(0, 2**64 - 1)


def decide(program: bytes, number: int, architecture: int, arguments: tuple[int, ...] = ()) -> int:
    """Run a filter as the kernel does: struct seccomp_data is number, architecture, address, six arguments."""
    data = struct.pack("<IIQ6Q", number & 0xFFFFFFFF, architecture, 0, *(arguments + (0,) * 6)[:6])
    steps = list(struct.iter_unpack("<HBBI", program))
    at, word = 0, 0
    while True:
        code, if_true, if_false, value = steps[at]
        at += 1
        if code == 0x20:
            (word,) = struct.unpack_from("<I", data, value)
        elif code == 0x15:
            at += if_true if word == value else if_false
        elif code == 0x35:
            at += if_true if word >= value else if_false
        elif code == 0x06:
            return value
        else:
            raise AssertionError(f"code {code:#x}")


@pytest.mark.parametrize("tool", [False, True])
@pytest.mark.parametrize("machine", MACHINES)
def test_exactly_the_listed_calls_are_allowed_whatever_their_arguments(machine, tool):
    program = seccomp.program(machine, PID, tool)
    listed = set(seccomp.numbers(CALLS + seccomp.TOOL_CALLS * tool, machine).values())
    conditional = set(seccomp.numbers(CONDITIONAL + seccomp.TOOL_CONDITIONAL * tool, machine).values())
    for number in range(2000):
        found = decide(program, number, MACHINES[machine], (2**64 - 1,) * 6)
        wanted = ALLOW if number in listed else ERRNO | (seccomp.ENOSYS if number == seccomp.CLONE3 else EPERM)
        assert found == wanted, number
        if number not in listed | conditional:
            assert decide(program, number, MACHINES[machine]) == wanted


@pytest.mark.parametrize("machine", MACHINES)
@given(flags=WORDS)
def test_a_tool_may_make_a_thread_and_never_a_process_or_a_namespace(machine, flags):
    program, number = seccomp.program(machine, PID, tool=True), seccomp.numbers("clone 56 220", machine)["clone"]
    thread = 0x3D0F00  # clone(2): VM FS FILES SIGHAND THREAD SYSVSEM SETTLS PARENT_SETTID CHILD_CLEARTID
    assert decide(program, number, MACHINES[machine], (thread,)) == ALLOW
    for wrong in (flags, thread | 0x10000000, thread & ~0x10000, 0x1200011, 0x4111):
        assert decide(program, number, MACHINES[machine], (wrong,)) != ALLOW or wrong & 0xFFFFFFFF == thread
    assert decide(program, seccomp.CLONE3, MACHINES[machine]) == ERRNO | seccomp.ENOSYS


@given(number=st.integers(0, 2**32 - 1), architecture=st.integers(0, 2**32 - 1), arguments=st.tuples(*[WORDS] * 6))
def test_another_architecture_or_abi_is_killed(number, architecture, arguments):
    program = seccomp.program("x86_64", PID)
    if architecture != MACHINES["x86_64"] or number >= 0x40000000:
        assert decide(program, number, architecture, arguments) == KILL
    else:
        assert decide(program, number, architecture, arguments) != KILL


@pytest.mark.parametrize("machine", MACHINES)
@given(first=WORDS, second=WORDS, third=WORDS)
def test_a_signal_reaches_only_its_sender(machine, first, second, third):
    program, call = seccomp.program(machine, PID), seccomp.numbers(CONDITIONAL, machine)
    for pair in ((first, second), (PID, first), (first, PID), (PID, PID)):
        mine = [value & 0xFFFFFFFF == PID for value in pair]
        assert (decide(program, call["kill"], MACHINES[machine], pair) == ALLOW) == mine[0]
        assert (decide(program, call["tgkill"], MACHINES[machine], (*pair, third)) == ALLOW) == all(mine)


@pytest.mark.parametrize("machine", MACHINES)
@given(pid=WORDS)
def test_a_program_learns_the_processors_of_itself_only(machine, pid):
    program, number = seccomp.program(machine, PID), seccomp.numbers(CONDITIONAL, machine)["sched_getaffinity"]
    for one in (pid, 0, PID):  # SciPy 1.18 asks by its own number, Python by 0
        allowed = decide(program, number, MACHINES[machine], (one,)) == ALLOW
        assert allowed == (one & 0xFFFFFFFF in (0, PID))


def test_the_place_of_the_pid_stands_nowhere_else_in_the_filter():
    for machine in MACHINES:
        setting = child.Setting(True, 0, (), machine, "")
        assert [one.count(child._OWN_PID_PLACE.to_bytes(4, "little")) for one in child.filters_for(setting)] == [4, 3]


@given(pid=WORDS, pointer=WORDS)
def test_limits_are_only_asked_for_and_only_ones_own(pid, pointer):
    program, number = seccomp.program("x86_64", PID), seccomp.numbers(CONDITIONAL, "x86_64")["prlimit64"]
    for who, new in ((pid, pointer), (0, pointer), (pid, 0), (0, 0), (0, 1 << 32), (0, 1)):
        allowed = decide(program, number, MACHINES["x86_64"], (who, 7, new, 0)) == ALLOW
        assert allowed == (who & 0xFFFFFFFF == 0 and new == 0)


@pytest.mark.parametrize(("name", "argument"), [("fcntl", 1), ("ioctl", 1), ("prctl", 0), ("madvise", 2)])
def test_a_command_is_allowed_only_from_its_list(name, argument):
    program, number = seccomp.program("aarch64", PID), seccomp.numbers(CONDITIONAL, "aarch64")[name]
    for value in range(0x6000):
        arguments = tuple(value if i == argument else 0 for i in range(6))
        allowed = decide(program, number, MACHINES["aarch64"], arguments) == ALLOW
        assert allowed == (value in seccomp.VALUES[name][argument])


@pytest.mark.parametrize("machine", MACHINES)
def test_the_numbers_are_those_of_libseccomp(machine):
    library = pytest.importorskip("pyseccomp", reason="libseccomp's Python binding is not installed")
    arch = {"x86_64": library.Arch.X86_64, "aarch64": library.Arch.AARCH64}[machine]
    for name, number in (seccomp.numbers(CALLS, machine) | seccomp.numbers(CONDITIONAL, machine)).items():
        assert library.resolve_syscall(arch, name) == number, name
