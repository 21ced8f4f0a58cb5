"""A file from its public home, within a time that a person would wait."""

from __future__ import annotations

import queue
import threading
import urllib.request
from collections.abc import Callable, Iterator

PATIENCE_S = 8.0  # to the first byte, and from one to the next


def get(url: str, limit_bytes: int, progress: Callable[[int], None] | None = None) -> bytes:
    """The whole content of an address; `progress` is called with the bytes so far.

    Raises:
        OSError: no answer within 8 s, cut off, an HTTP error, or more than `limit_bytes`.
    """
    content = bytearray()
    for piece in _pieces(url):
        content += piece
        if len(content) > limit_bytes:
            raise OSError(f"it has more than the {limit_bytes} bytes expected")
        if progress:
            progress(len(content))
    return bytes(content)


def _pieces(url: str) -> Iterator[bytes]:
    """The body, piece by piece; in a thread of its own, because looking up a host knows no time limit."""
    pieces: queue.Queue[bytes | Exception | None] = queue.Queue()

    def read() -> None:
        try:
            with urllib.request.urlopen(url, timeout=PATIENCE_S) as response:
                expected = response.headers.get("Content-Length")
                got = 0
                while piece := response.read(1 << 16):
                    got += len(piece)
                    pieces.put(piece)
            if expected is not None and got < int(expected):
                raise OSError(f"it was cut off after {got} of {expected} bytes")
            pieces.put(None)
        except Exception as error:  # noqa: BLE001  handed to the caller
            pieces.put(error)

    threading.Thread(target=read, daemon=True).start()
    while True:
        try:
            piece = pieces.get(timeout=PATIENCE_S + 1)
        except queue.Empty:
            raise OSError(f"no answer for {PATIENCE_S:g} s") from None
        if piece is None:
            return
        if isinstance(piece, Exception):
            raise piece if isinstance(piece, OSError) else OSError(str(piece))
        yield piece
