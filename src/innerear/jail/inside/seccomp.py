"""The system calls that a program may make; all others fail with EPERM (seccomp(2)).

They fail rather than kill, so that a library that merely tries one can continue. Left out on purpose: sockets,
processes and threads, execve, ptrace, memfd, shared memory, splice, io_uring, keys, bpf, mounts, namespaces, modes and
owners, links, locks.
"""

from __future__ import annotations

import ctypes
import struct

from innerear.jail.inside.linux import PR_SET_SECCOMP, prctl

# Numbers on x86_64 and aarch64; "-" if the machine does not have the call.
CALLS = """
read 0 63  write 1 64  readv 19 65  writev 20 66  pread64 17 67  pwrite64 18 68  preadv 295 69  pwritev 296 70
lseek 8 62  close 3 57  close_range 436 436  dup 32 23  dup2 33 -  dup3 292 24  pipe 22 -  pipe2 293 59
open 2 -  openat 257 56  stat 4 -  fstat 5 80  lstat 6 -  newfstatat 262 79  statx 332 291
access 21 -  faccessat 269 48  faccessat2 439 439  getcwd 79 17  chdir 80 49  fchdir 81 50
getdents 78 -  getdents64 217 61  readlink 89 -  readlinkat 267 78
mkdir 83 -  mkdirat 258 34  rmdir 84 -  unlink 87 -  unlinkat 263 35
rename 82 -  renameat 264 38  renameat2 316 276
truncate 76 45  ftruncate 77 46  fallocate 285 47  fsync 74 82  fdatasync 75 83  fadvise64 221 223
mmap 9 222  munmap 11 215  mprotect 10 226  mremap 25 216  brk 12 214  msync 26 227
rt_sigaction 13 134  rt_sigprocmask 14 135  rt_sigreturn 15 139  rt_sigpending 127 136
rt_sigtimedwait 128 137  rt_sigsuspend 130 133  sigaltstack 131 132  pause 34 -
select 23 -  pselect6 270 72  poll 7 -  ppoll 271 73  nanosleep 35 101  clock_nanosleep 230 115
clock_gettime 228 113  clock_getres 229 114  gettimeofday 96 169  time 201 -  times 100 153
alarm 37 -  getitimer 36 102  setitimer 38 103  getrusage 98 165  getrlimit 97 163
getpid 39 172  gettid 186 178  getppid 110 173  getuid 102 174  geteuid 107 175  getgid 104 176  getegid 108 177
getresuid 118 148  getresgid 120 150  getgroups 115 158  getpgrp 111 -
getrandom 318 278  getcpu 309 168  sysinfo 99 179  uname 63 160  umask 95 166
futex 202 98  set_robust_list 273 99  get_robust_list 274 100  set_tid_address 218 96  rseq 334 293
sched_yield 24 124  exit 60 93  exit_group 231 94  restart_syscall 219 128  arch_prctl 158 -
"""

# What tools other than Python also need. Csound sets its user to itself; without capabilities no other is possible.
TOOL_CALLS = """
epoll_create1 291 20  epoll_ctl 233 21  epoll_wait 232 -  epoll_pwait 281 22  eventfd2 290 19
execve 59 221  setuid 105 146  membarrier 324 283  statfs 137 43  fstatfs 138 44
"""

OWN_PID = -1
# Allowed only with one of these values in these arguments.
CONDITIONAL = """
kill 62 129  tgkill 234 131  prlimit64 302 261  sched_getaffinity 204 123
fcntl 72 25  ioctl 16 29  prctl 157 167  madvise 28 233
"""
VALUES: dict[str, dict[int, tuple[int, ...]]] = {
    "kill": {0: (OWN_PID,)},
    "tgkill": {0: (OWN_PID,), 1: (OWN_PID,)},
    "prlimit64": {0: (0,), 2: (0,)},  # itself, and only to read limits
    "sched_getaffinity": {0: (0, OWN_PID)},  # SciPy 1.18 asks by its thread number
    "fcntl": {1: (0, 1, 2, 3, 4, 1030)},  # DUPFD GETFD SETFD GETFL SETFL DUPFD_CLOEXEC; no locks, no owners
    "ioctl": {1: (0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)},  # TCGETS WINSZ NREAD NBIO NCLEX CLEX
    "prctl": {0: (15, 16)},  # the name of the thread
    "madvise": {2: (0, 4, 8, 14, 15)},  # NORMAL DONTNEED FREE HUGEPAGE NOHUGEPAGE; no page merging
}
# For tools: one more thread of this process (as the C library makes one), never a process; signals to its own threads.
_THREAD = 0x3D0F00
TOOL_CONDITIONAL = "clone 56 220"
TOOL_VALUES = VALUES | {
    "clone": {0: (_THREAD,)},
    "tgkill": {0: (OWN_PID,)},
    "prctl": {0: (15, 16, 0x53564D41)},  # also the names of memory
    "madvise": {2: (0, 1, 2, 3, 4, 8, 10, 14, 15, 16)},  # also access patterns, DONTFORK, DONTDUMP
}
CLONE3 = 435  # ENOSYS sends the C library to clone, which then fails with EPERM
MACHINES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_X32_BIT = 0x40000000

KILL, ERRNO, ALLOW = 0x80000000, 0x50000, 0x7FFF0000
EPERM, ENOSYS = 1, 38
_LOAD, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16


def numbers(table: str, machine: str) -> dict[str, int]:
    """Parse a table: system call numbers by name on one machine."""
    words = table.split()
    column = 1 + list(MACHINES).index(machine)
    return {words[i]: int(words[i + column]) for i in range(0, len(words), 3) if words[i + column] != "-"}


def program(machine: str, own_pid: int, tool: bool = False) -> bytes:
    """The filter as an array of `struct sock_filter`: architecture, plain calls, then conditions.

    `tool`: for a program that is not Python. It may have threads, and execute what Landlock lets it.

    >>> len(program("x86_64", 1)) % 8
    0
    """

    def step(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
        return struct.pack("<HBBI", code, if_true, if_false, value)

    calls, conditional, allowed = CALLS, CONDITIONAL, VALUES
    if tool:
        calls, conditional, allowed = CALLS + TOOL_CALLS, CONDITIONAL + TOOL_CONDITIONAL, TOOL_VALUES
    out = step(_LOAD, _ARCHITECTURE) + step(_EQUAL, MACHINES[machine], 1) + step(_RETURN, KILL)
    out += step(_LOAD, _NUMBER)
    if machine == "x86_64":
        out += step(_AT_LEAST, _X32_BIT, 0, 1) + step(_RETURN, KILL)
    for number in numbers(calls, machine).values():
        out += step(_EQUAL, number, 0, 1) + step(_RETURN, ALLOW)
    out += step(_EQUAL, CLONE3, 0, 1) + step(_RETURN, ERRNO | ENOSYS)
    for name, number in numbers(conditional, machine).items():
        checks = b""
        for argument, values in allowed[name].items():
            low = _ARGUMENTS + 8 * argument
            # Commands are C ints and the kernel ignores their upper half; pointers are compared whole.
            if name == "prlimit64" and argument == 2:
                checks += step(_LOAD, low + 4) + step(_EQUAL, 0, 1) + step(_RETURN, ERRNO | EPERM)
            checks += step(_LOAD, low)
            for i, value in enumerate(values):
                checks += step(_EQUAL, own_pid if value == OWN_PID else value, len(values) - i)
            checks += step(_RETURN, ERRNO | EPERM)
        checks += step(_RETURN, ALLOW)
        out += step(_EQUAL, number, 0, len(checks) // 8) + checks
    return out + step(_RETURN, ERRNO | EPERM)


def load(filter_: bytes) -> None:
    """Apply a filter to this process, irrevocably. Requires no_new_privs."""

    class Program(ctypes.Structure):
        _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_char_p)]

    prctl(PR_SET_SECCOMP, 2, ctypes.byref(Program(len(filter_) // 8, filter_)))
