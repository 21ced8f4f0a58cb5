"""System calls that Python does not wrap, by ctypes. Errors raise `OSError`."""

from __future__ import annotations

import ctypes
import os
import platform
from pathlib import Path

MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REMOUNT = 0x1, 0x2, 0x4, 0x8, 0x20
MS_BIND, MS_REC, MS_PRIVATE = 0x1000, 0x4000, 0x40000
MNT_DETACH = 2
CLONE_NEWNS, CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC = 0x20000, 0x2000000, 0x4000000, 0x8000000
CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET = 0x10000000, 0x20000000, 0x40000000
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_CAPBSET_DROP, PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS = 1, 4, 24, 22, 38
_MOUNT_SETATTR = 442
_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}
_MOUNT_ATTR_RDONLY, _MOUNT_ATTR_NOSUID, _MOUNT_ATTR_NODEV = 1, 2, 4
_AT_RECURSIVE, _AT_FDCWD = 0x8000, -100
_CAPABILITY_VERSION_3 = 0x20080522

libc = ctypes.CDLL(None, use_errno=True)


def _checked(result: int, what: str) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result


def syscall(what: str, number: int, *arguments: object) -> int:
    """Make a system call by its number; integers are passed as C longs."""
    return _checked(
        int(libc.syscall(ctypes.c_long(number), *(ctypes.c_long(a) if isinstance(a, int) else a for a in arguments))),
        what,
    )


def unshare(flags: int) -> None:
    """Move this process to new namespaces (for pid: its children)."""
    _checked(libc.unshare(flags), f"unshare({flags:#x})")


def setns(descriptor: int, kind: int) -> None:
    """Enter a namespace."""
    _checked(libc.setns(descriptor, kind), "setns")


def mount(source: str, target: str, kind: str | None, flags: int, data: str | None = None) -> None:
    """mount(2)."""
    done = libc.mount(
        source.encode(),
        target.encode(),
        kind and kind.encode(),
        ctypes.c_ulong(flags),
        data and data.encode(),
    )
    _checked(done, f"mount {target}")


def read_only(path: str) -> None:
    """Make a mount and all mounts below it read-only, nosuid and nodev."""
    attributes = (ctypes.c_uint64 * 4)(_MOUNT_ATTR_RDONLY | _MOUNT_ATTR_NOSUID | _MOUNT_ATTR_NODEV, 0, 0, 0)
    syscall("mount_setattr", _MOUNT_SETATTR, _AT_FDCWD, path.encode(), _AT_RECURSIVE, attributes, 32)


def pivot_root(new: str, old: str) -> None:
    """pivot_root(2)."""
    syscall("pivot_root", _PIVOT_ROOT[platform.machine()], new.encode(), old.encode())


def unmount(path: str) -> None:
    """Detach a mount."""
    _checked(libc.umount2(path.encode(), MNT_DETACH), f"umount {path}")


def set_host_name(name: str) -> None:
    """sethostname(2), for this uts namespace."""
    _checked(libc.sethostname(name.encode(), len(name)), "sethostname")


def prctl(option: int, value: int = 0, pointer: object = 0) -> None:
    """prctl(2)."""
    rest = ctypes.c_ulong(pointer) if isinstance(pointer, int) else pointer
    _checked(
        libc.prctl(option, ctypes.c_ulong(value), rest, ctypes.c_ulong(0), ctypes.c_ulong(0)),
        f"prctl({option})",
    )


def map_one_user(outside_uid: int, outside_gid: int, inside: int) -> None:
    """In a new user namespace: map one user and one group, so that no others exist."""
    for name, line in (
        ("setgroups", "deny"),
        ("uid_map", f"{inside} {outside_uid} 1"),
        ("gid_map", f"{inside} {outside_gid} 1"),
    ):
        Path("/proc/self", name).write_text(line)


def is_admin() -> bool:
    """Whether this process has CAP_SYS_ADMIN, and so may make namespaces other than a user namespace."""
    status = Path("/proc/self/status").read_text()
    return bool(int(status.partition("CapEff:")[2].split()[0], 16) >> 21 & 1)


def drop_capabilities() -> None:
    """Drop all capabilities, from every set."""
    for capability in range(64):
        if libc.prctl(PR_CAPBSET_DROP, ctypes.c_ulong(capability), 0, 0, 0):
            break
    head = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    _checked(libc.capset(head, (ctypes.c_uint32 * 6)()), "capset")
