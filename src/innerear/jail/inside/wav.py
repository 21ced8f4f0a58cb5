"""Taking a WAV file apart: the head here, inside the jail; the samples stay as they are.

RIFF little-endian, PCM of 8, 16, 24 or 32 bits and IEEE float of 32 or 64, plain or as
WAVE_FORMAT_EXTENSIBLE (Microsoft, "Multiple channel audio data and WAVE files").
"""

from __future__ import annotations

import struct
from typing import NamedTuple

_PCM, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE
HEAD_BYTES = 1 << 20
"""How much of a file is looked at for its head."""
UNKNOWN_LENGTH = 0x7FFF_F000
"""Sizes from here on say that the length is not known: what writes to a pipe cannot go back to its header."""
_FORMS = {(_PCM, 8): 0, (_PCM, 16): 1, (_PCM, 24): 2, (_PCM, 32): 3, (_FLOAT, 32): 4, (_FLOAT, 64): 5}


class NotAudio(Exception):
    """Why these bytes are no WAV file that can be used."""


class Head(NamedTuple):
    """Where the samples lie, and how; `form` is an index of `wire.FORMS`, `promised` as in `wire.Result`."""

    form: int
    channels: int
    sample_rate: int
    start: int
    size: int
    promised: int = 0


def head(data: bytes, file_size: int) -> Head:
    """Read the head of a WAV file from its first bytes.

    A data chunk that promises more than the file holds ends where the file ends. The head then says
    what was promised, unless the size only says that the length is not known.

    Raises:
        NotAudio: it is none, or of a kind that is not read here.
    """
    if len(data) < 12 or data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        raise NotAudio(f"output.wav begins with {data[:12]!r}, wanted a RIFF WAVE file")
    place, found = 12, None
    while place + 8 <= len(data):
        name, size = data[place : place + 4], int.from_bytes(data[place + 4 : place + 8], "little")
        place += 8
        if name == b"fmt ":
            found = _format(data[place : place + size])
        elif name == b"data":
            if found is None:
                raise NotAudio("the data chunk comes before the fmt chunk")
            form, channels, sample_rate = found
            there = max(0, min(size, file_size - place))
            promised = size if there < size < UNKNOWN_LENGTH else 0
            return Head(form, channels, sample_rate, place, there, promised)
        place += size + size % 2
    raise NotAudio("the file has no data chunk" if found else "the file has no fmt chunk")


def _format(chunk: bytes) -> tuple[int, int, int]:
    if len(chunk) < 16:
        raise NotAudio(f"the fmt chunk has {len(chunk)} bytes, wanted 16 or more")
    tag, channels, sample_rate, _, _, bits = struct.unpack("<HHIIHH", chunk[:16])
    if tag == _EXTENSIBLE and len(chunk) >= 26:
        tag = int.from_bytes(chunk[24:26], "little")
    if (tag, bits) not in _FORMS:
        raise NotAudio(f"format {tag:#x} with {bits} bits; wanted PCM of 8, 16, 24, 32 or float of 32, 64")
    return _FORMS[tag, bits], channels, sample_rate
