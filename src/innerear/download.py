"""Downloads over HTTP with timeouts and resume."""

from __future__ import annotations

import queue
import ssl
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

PATIENCE_S = 8.0  # to the first byte, and between blocks


@dataclass(frozen=True)
class Manner:
    """Request settings: headers, not sent on when redirected, and a CA file (`None`: the system's certificates)."""

    headers: Mapping[str, str] = field(default_factory=dict)
    cafile: str | None = None


PLAIN = Manner()


def get(url: str, limit_bytes: int, progress: Callable[[int], None] | None = None, manner: Manner = PLAIN) -> bytes:
    """Download a URL into memory; `progress` is called with the bytes so far.

    Raises:
        OSError: no answer within 8 s, cut off, an HTTP error, or more than `limit_bytes`.
    """
    content = bytearray()
    for piece in (piece for piece, _ in _stream(url, 0, manner) if isinstance(piece, bytes)):
        content += piece
        if len(content) > limit_bytes:
            raise OSError(f"it has more than the {limit_bytes} bytes expected")
        if progress:
            progress(len(content))
    return bytes(content)


def fetch_file(
    url: str, path: Path, progress: Callable[[int, int], None] | None = None, manner: Manner = PLAIN
) -> None:
    """Download a URL into a file, resuming after the bytes it already has.

    `progress` is called with the bytes so far and the total (0 if the server does not say).

    Raises:
        OSError: no answer within 8 s, cut off, or an HTTP error; the file keeps what has arrived.
    """
    done = path.stat().st_size if path.exists() else 0
    with path.open("ab") as file:
        for piece, whole in _stream(url, done, manner):
            if isinstance(piece, int):  # the server may start at the requested byte, or at the first
                file.truncate(piece)
                file.seek(piece)
                done = piece
            else:
                file.write(piece)
                done += len(piece)
            if progress:
                progress(done, whole)


def _stream(url: str, start: int, manner: Manner) -> Iterator[tuple[bytes | int, int]]:
    """Yield the offset of the body, then its blocks; each with the total size in bytes, 0 if unknown.

    Runs in a thread, because host name lookup has no timeout.
    """
    pieces: queue.Queue[tuple[bytes | int, int] | Exception | None] = queue.Queue(maxsize=64)
    abandoned = threading.Event()

    def put(item: tuple[bytes | int, int] | Exception | None) -> None:
        while not abandoned.is_set():
            try:
                return pieces.put(item, timeout=1.0)
            except queue.Full:
                continue

    def read() -> None:
        try:
            request = urllib.request.Request(url, headers={"Range": f"bytes={start}-"} if start else {})
            for name, value in manner.headers.items():
                request.add_unredirected_header(name, value)
            trust = ssl.create_default_context(cafile=manner.cafile) if manner.cafile else None
            with urllib.request.urlopen(request, timeout=PATIENCE_S, context=trust) as response:
                at = start if response.status == 206 else 0
                length = response.headers.get("Content-Length")
                whole = at + int(length) if length is not None else 0
                put((at, whole))
                got = at
                while not abandoned.is_set() and (piece := response.read(1 << 16)):
                    got += len(piece)
                    put((piece, whole))
            if got < whole:
                raise OSError(f"it was cut off after {got} of {whole} bytes")
            put(None)
        except urllib.error.HTTPError as error:
            complete = error.code == 416 and error.headers.get("Content-Range") == f"bytes */{start}"
            put(None if complete else OSError(f"HTTP {error.code} {error.reason}"))
        except Exception as error:  # noqa: BLE001  handed to the caller
            put(error)

    threading.Thread(target=read, daemon=True).start()
    try:
        while True:
            try:
                item = pieces.get(timeout=PATIENCE_S + 1)
            except queue.Empty:
                raise OSError(f"no answer for {PATIENCE_S:g} s") from None
            if item is None:
                return
            if isinstance(item, Exception):
                raise item if isinstance(item, OSError) else OSError(str(item))
            yield item
    finally:
        abandoned.set()
