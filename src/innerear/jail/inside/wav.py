"""Parse WAV headers inside the jail; the samples are left as they are.

Little-endian RIFF with PCM of 8, 16, 24 or 32 bits or IEEE float of 32 or 64 bits, plain or as WAVE_FORMAT_EXTENSIBLE
(Microsoft, "Multiple channel audio data and WAVE files").
"""

from __future__ import annotations

import struct
from typing import NamedTuple

_PCM, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE
HEAD_BYTES = 1 << 20
"""The header must be within this many bytes."""
UNKNOWN_LENGTH = 0x7FFF_F000
"""Chunk sizes from here up mean that the length is unknown: a writer to a pipe cannot go back to the header."""
_FORMS = {(_PCM, 8): 0, (_PCM, 16): 1, (_PCM, 24): 2, (_PCM, 32): 3, (_FLOAT, 32): 4, (_FLOAT, 64): 5}


class NotAudio(Exception):
    """The file is not a WAV file, or of a kind that is not supported."""


class Head(NamedTuple):
    """A parsed header. The samples are `size` bytes at `start`.

    `form` is an index into `wire.FORMS`; for `promised` see `wire.Result`.
    """

    form: int
    channels: int
    sample_rate: int
    start: int
    size: int
    promised: int = 0


def head(data: bytes, file_size: int) -> Head:
    """Parse the header of a WAV file from its first bytes.

    A data chunk that declares more than the file has ends at the end of the file. The declared size is then in
    `promised`, unless it means that the length is unknown.

    Raises:
        NotAudio: the file is not WAV, or of a kind that is not supported.
    """
    if len(data) < 12 or data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        raise NotAudio(f"output.wav begins with {data[:12]!r}, wanted a RIFF WAVE file")
    position, fmt = 12, None
    while position + 8 <= len(data):
        name, size = data[position : position + 4], int.from_bytes(data[position + 4 : position + 8], "little")
        position += 8
        if name == b"fmt ":
            fmt = _format(data[position : position + size])
        elif name == b"data":
            if fmt is None:
                raise NotAudio("the data chunk comes before the fmt chunk")
            form, channels, sample_rate = fmt
            available = max(0, min(size, file_size - position))
            promised = size if available < size < UNKNOWN_LENGTH else 0
            return Head(form, channels, sample_rate, position, available, promised)
        position += size + size % 2
    raise NotAudio("the file has no data chunk" if fmt else "the file has no fmt chunk")


def _format(chunk: bytes) -> tuple[int, int, int]:
    if len(chunk) < 16:
        raise NotAudio(f"the fmt chunk has {len(chunk)} bytes, wanted 16 or more")
    tag, channels, sample_rate, _, _, bits = struct.unpack("<HHIIHH", chunk[:16])
    if tag == _EXTENSIBLE and len(chunk) >= 26:
        tag = int.from_bytes(chunk[24:26], "little")
    if (tag, bits) not in _FORMS:
        raise NotAudio(f"format {tag:#x} with {bits} bits; wanted PCM of 8, 16, 24, 32 or float of 32, 64")
    return _FORMS[tag, bits], channels, sample_rate
