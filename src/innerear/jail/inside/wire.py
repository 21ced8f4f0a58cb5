"""The protocol across the jail's border: fixed-size structs and file descriptors, never text, never pickles.

host → zygote   REQUEST + descriptors: source, log, result (and the work folder in `ll`)
zygote → host   HELLO + a pidfd of the zygote, once; then one REPLY per program
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
    """A program's seed and limits; see `records.Limits`."""

    seed: int
    wall_ms: int
    cpu_s: int
    memory_bytes: int
    file_bytes: int
    log_bytes: int
    audit: int  # an `Audit`


class Audit(enum.IntEnum):
    """What is audited while a program runs; see `audit`."""

    NOTHING = 0  # for the self-test's attacks, which try the jail itself
    SCRATCH = 1
    LIBRARY = 2


REQUEST = struct.Struct("<7Q")


class Why(enum.IntEnum):
    """How a child ended, as seen by the zygote."""

    ENDED = 0
    TIMED_OUT = 1
    NOT_ARMED = 2  # died before the program started: a failure of the jail


class Reply(NamedTuple):
    """How one child ended; `status` as from wait(2)."""

    why: int
    status: int
    user_us: int
    system_us: int
    wall_us: int
    rss_kib: int


REPLY = struct.Struct("<2i4Q")


class Status(enum.IntEnum):
    """The child's claim about its program; the host checks it."""

    AUDIO = 1
    ERROR = 2
    EXIT_CODE = 3
    NO_AUDIO = 4
    BAD_AUDIO = 5
    OUT_OF_MEMORY = 6
    FORBIDDEN = 7
    PROVENANCE = 8
    KILLED = 9  # a tool, by the signal in `exit_code`


class Result(NamedTuple):
    """The header of the result memfd; if the payload is audio, `form` is an index into `FORMS`."""

    magic: bytes
    status: int
    form: int
    channels: int
    sample_rate: int
    exit_code: int
    payload: int  # bytes
    promised: int = 0  # bytes of samples that the file's header declares, if more than the file has


# At most as long as the shortest WAV header (44 bytes), so whatever fits the file limit fits here.
RESULT = struct.Struct("<4s3IIiQQ")
RESULT_MAGIC = b"ear3"
REASON_BYTES = 2000

FORMS = ("u8", "i16", "i24", "i32", "f32", "f64")
"""Sample formats of the payload: interleaved and little-endian, as in the WAV file."""
WIDTHS = (1, 2, 3, 4, 4, 8)


def send(sock: socket.socket, data: bytes, descriptors: list[int]) -> None:
    """Send one datagram with descriptors."""
    sock.sendmsg([data], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))])


def receive(sock: socket.socket, size: int) -> tuple[bytes, list[int]]:
    """Receive one datagram and its descriptors; `b""` if the other side has closed."""
    data, descriptors, _, _ = socket.recv_fds(sock, size, 8)
    return data, list(descriptors)
