"""What crosses the border: fixed-size structs and file descriptors, never text, never pickles.

host → zygote   REQUEST + descriptors: source, log, result (and the work folder in `ll`)
zygote → host   HELLO + a pidfd of the zygote, once; then one REPLY a program
child → host    RESULT in the result memfd, then its payload: samples, or a reason as UTF-8
"""

from __future__ import annotations

import array
import enum
import socket
import struct
from typing import NamedTuple

OUTPUT, PROGRAM = "output.wav", "program.py"
OFFERS = (
    "The program may use NumPy, SciPy and the standard library and write files in its working "
    "directory; network, subprocesses, threads and files elsewhere do not exist for it."
)

HELLO = struct.Struct("<4si")
"""Magic, Landlock ABI (0: none)."""
HELLO_MAGIC = b"ear1"


class Request(NamedTuple):
    """What one program may use; see `records.Limits`."""

    seed: int
    wall_ms: int
    cpu_s: int
    memory_bytes: int
    file_bytes: int
    log_bytes: int
    audit: int  # an `Audit`


class Audit(enum.IntEnum):
    """What is watched while a program runs; see `audit`."""

    NOTHING = 0  # attacks of our own, which try what the jail itself holds
    SCRATCH = 1
    LIBRARY = 2


REQUEST = struct.Struct("<7Q")


class Why(enum.IntEnum):
    """How a child came to its end, as the zygote saw it."""

    ENDED = 0
    TIMED_OUT = 1
    NOT_ARMED = 2  # died before the program began: the jail's own failure


class Reply(NamedTuple):
    """The end of one child. `status` is that of wait(2); times in microseconds."""

    why: int
    status: int
    user_us: int
    system_us: int
    wall_us: int
    rss_kib: int


REPLY = struct.Struct("<2i4Q")


class Status(enum.IntEnum):
    """What the child says of its program. The host believes none of it before checking it."""

    AUDIO = 1
    ERROR = 2
    EXIT_CODE = 3
    NO_AUDIO = 4
    BAD_AUDIO = 5
    OUT_OF_MEMORY = 6
    FORBIDDEN = 7
    PROVENANCE = 8


class Result(NamedTuple):
    """The head of the result memfd; `form` is one of `FORMS` where the payload is audio."""

    magic: bytes
    status: int
    form: int
    channels: int
    sample_rate: int
    exit_code: int
    payload: int  # bytes
    promised: int = 0  # bytes of samples that the file's header promises, where more than it holds


# No longer than the shortest WAV head (44 bytes), so that whatever fits the file limit fits here.
RESULT = struct.Struct("<4s3IIiQQ")
RESULT_MAGIC = b"ear3"
REASON_BYTES = 2000

FORMS = ("u8", "i16", "i24", "i32", "f32", "f64")
"""How samples lie in the payload, interleaved and little-endian, as in the WAV file."""
WIDTHS = (1, 2, 3, 4, 4, 8)


def send(sock: socket.socket, data: bytes, descriptors: list[int]) -> None:
    """One datagram with descriptors."""
    sock.sendmsg([data], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))])


def receive(sock: socket.socket, size: int) -> tuple[bytes, list[int]]:
    """One datagram and its descriptors; `b""` where the other side has gone."""
    data, descriptors, _, _ = socket.recv_fds(sock, size, 8)
    return data, list(descriptors)
