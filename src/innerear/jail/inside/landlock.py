"""Landlock: the files a program may access, enforced by the kernel (landlock(7))."""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Iterable

from innerear.jail.inside.linux import libc, syscall

_CREATE, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
EXECUTE = 1 << 0
_WRITE_FILE, _READ_FILE, _READ_DIR, _REMOVE_DIR, _REMOVE_FILE = 1 << 1, 1 << 2, 1 << 3, 1 << 4, 1 << 5
_MAKE_DIR, _MAKE_REG, _TRUNCATE = 1 << 7, 1 << 8, 1 << 14
_FILE_RIGHTS = EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | (1 << 15)

LIST = _READ_DIR
READ = _READ_FILE | _READ_DIR
WRITE = _READ_FILE | _WRITE_FILE | _TRUNCATE
WORK = READ | WRITE | _MAKE_REG | _MAKE_DIR | _REMOVE_FILE | _REMOVE_DIR


def abi() -> int:
    """The kernel's Landlock version; 0 if it has none."""
    return max(0, int(libc.syscall(ctypes.c_long(_CREATE), None, ctypes.c_size_t(0), ctypes.c_uint32(1))))


def _all_rights(version: int) -> int:
    bits = 13 + (version >= 2) + (version >= 3) + (version >= 5)
    return (1 << bits) - 1


def restrict(version: int, paths: Iterable[tuple[str, int]], only: int = 0) -> None:
    """Deny all rights that this version of Landlock controls, except the given ones below the given paths.

    Requires no_new_privs. TCP is denied from version 4; from version 6 also abstract sockets and signals to processes
    outside. A path that does not exist is skipped.

    Args:
        version: the kernel's Landlock version, see `abi`.
        paths: pairs of a path and the rights below it.
        only: deny only these rights; 0 for all.
    """
    handled = only or _all_rights(version)
    # struct landlock_ruleset_attr: fs, net (since 4), scoped (since 6)
    everything = not only
    attributes = struct.pack(
        "<3Q", handled, 3 if everything and version >= 4 else 0, 3 if everything and version >= 6 else 0
    )
    size = 24 if version >= 6 else 16 if version >= 4 else 8
    ruleset = syscall("landlock_create_ruleset", _CREATE, attributes, size, 0)
    for path, rights in paths:
        try:
            descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except FileNotFoundError:
            continue
        if not os.path.isdir(path):  # noqa: PTH112
            rights &= _FILE_RIGHTS
        syscall("landlock_add_rule", _ADD_RULE, ruleset, 1, struct.pack("<Qi", rights & handled, descriptor), 0)
        os.close(descriptor)
    syscall("landlock_restrict_self", _RESTRICT_SELF, ruleset, 0)
    os.close(ruleset)
