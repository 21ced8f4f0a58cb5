"""The commands that run a program that is not Python; on the host and inside."""

from __future__ import annotations

import re
from typing import NamedTuple

_COLOUR = re.compile(rb"\x1b\[[0-9;]*m")


class Tool(NamedTuple):
    """How the programs of a language are run.

    In the words of `commands`, `{seed}` and `{mib}` stand for the request's seed and three quarters of its memory.
    """

    language: str
    file: str  # the program's name in its folder
    commands: tuple[tuple[str, ...], ...]
    environment: tuple[tuple[str, str], ...]
    executables: tuple[str, ...]  # with their loaders
    files: tuple[str, ...]  # what else the tools read
    listed: tuple[str, ...]  # folders of which they list the names
    made: tuple[str, ...]  # files that one command leaves for the next
    reserved: int  # bytes of address space that the tools reserve without using them


def words(tool: Tool, step: int, seed: int, memory_bytes: int) -> list[str]:
    """A command with its placeholders filled in."""
    seeded, mib = str(seed % (2**31 - 2) + 1), str((3 * memory_bytes // 4) >> 20)
    return [word.replace("{seed}", seeded).replace("{mib}", mib) for word in tool.commands[step]]


def mended(log: bytes, folder: str) -> bytes:
    """A log without colours and without the path of the working folder."""
    return _COLOUR.sub(b"", log.replace(f"{folder}/".encode(), b""))
