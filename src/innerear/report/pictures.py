"""Pictures of a sound: its waveform outline, and its spectrogram as a small PNG.

Conventions: the mean of the channels; mel scale of HTK from 0
to 20 kHz for every sound, so that two pictures side by side can be compared; 80 dB down from the
loudest point of the sound, or from -60 dBFS if that is louder, so that near-silence stays dark.
"""

from __future__ import annotations

import struct
import zlib
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from innerear.clip import Clip, Samples
from innerear.dsp.mel import htk_hz, htk_mel

VERSION = 1
"""Increment when the picture of the same sound changes, so that reports redraw it."""

ROWS = 160
COLUMNS = 640
TOP_HZ = 20_000.0
RANGE_DB = 80.0
SHADES = 64  # 1.25 dB each: finer cannot be seen, and costs half as much again on the disk
FLOOR_DBFS = -60.0
PEAKS = 600

# matplotlib's "magma" (Smith and van der Walt, CC0) at nine points; between them, straight lines
_MAGMA = "000004 1d1147 51127c 832681 b73779 e75263 fc8961 fec488 fcfdbf"


def row_hz() -> NDArray[np.float64]:
    """The centre frequency in hertz of each row of a spectrogram, top row first, shape (ROWS,)."""
    return htk_hz((np.arange(ROWS)[::-1] + 0.5) / ROWS * htk_mel(TOP_HZ))


def height(f_hz: float) -> float:
    """The height of a frequency in the picture: 0 at the bottom, 1 at the top.

    >>> height(0.0), height(20_000.0)
    (0.0, 1.0)
    """
    return float(htk_mel(f_hz) / htk_mel(TOP_HZ))


def spectrogram(clip: Clip) -> NDArray[np.uint8]:
    """Shades from 0 to SHADES - 1, shape (ROWS, columns), top row the highest frequency.

    Hann windows of about 46 ms, one per column, evenly spaced over the sound; a row is the mean power
    under a triangle as wide as two rows and at least two bins.
    """
    import scipy.fft

    n_fft = 2 ** max(5, round(np.log2(0.046 * clip.sample_rate)))
    length = clip.samples.shape[1]
    columns = int(np.clip(length * 200 / clip.sample_rate, 16, COLUMNS))
    padded = np.pad(clip.mono, (n_fft // 2, n_fft))
    starts = np.linspace(0, max(0, length - 1), columns).astype(np.int64)
    window = np.hanning(n_fft + 1)[:-1].astype(np.float32)
    frames = np.lib.stride_tricks.sliding_window_view(padded, n_fft)[starts] * window
    spectrum = scipy.fft.rfft(frames, axis=1)
    # a sine at full scale is 0 dB
    power = (spectrum.real**2 + spectrum.imag**2) * np.float32((2.0 / window.sum()) ** 2)
    rows = _triangles(clip.sample_rate, n_fft) @ power.T
    level_db = 10.0 * np.log10(np.maximum(rows, 1e-20))
    top_db = max(float(level_db.max()), FLOOR_DBFS)
    shades = np.clip((level_db - top_db) / RANGE_DB + 1.0, 0.0, 1.0) * (SHADES - 1)
    return np.asarray(np.round(shades), dtype=np.uint8)


@lru_cache(maxsize=8)
def _triangles(sample_rate: int, n_fft: int) -> Any:
    """The weights from bins to rows, sparse, shape (ROWS, n_fft // 2 + 1); each row sums to 1 or 0."""
    import scipy.sparse

    bins = np.fft.rfftfreq(n_fft, 1.0 / sample_rate)
    centres = row_hz()
    widths = np.maximum(np.abs(np.gradient(centres)), bins[1])
    weights = np.maximum(0.0, 1.0 - np.abs(bins - centres[:, None]) / widths[:, None])
    weights[centres > sample_rate / 2] = 0.0
    totals = weights.sum(axis=1, keepdims=True)
    return scipy.sparse.csr_array((weights / np.where(totals > 0, totals, 1.0)).astype(np.float32))


def peaks(clip: Clip) -> tuple[list[int], list[int]]:
    """The highest and the negated lowest sample in up to PEAKS equal parts, 255 at full scale."""
    samples = np.clip(clip.mono, -1.0, 1.0)
    parts = min(PEAKS, len(samples))
    edges = np.linspace(0, len(samples), parts, endpoint=False).astype(np.int64)
    above = np.maximum(np.maximum.reduceat(samples, edges), 0.0)
    below = np.maximum(-np.minimum.reduceat(samples, edges), 0.0)
    return _bytes(above), _bytes(below)


def _bytes(values: Samples) -> list[int]:
    return [int(v) for v in np.round(values * 255.0)]


def palette() -> NDArray[np.uint8]:
    """The colour of each shade, shape (SHADES, 3), dark to bright."""
    points = np.array([[int(c[i : i + 2], 16) for i in (0, 2, 4)] for c in _MAGMA.split()], dtype=np.float64)
    at = np.linspace(0, len(points) - 1, SHADES)
    channels = [np.interp(at, np.arange(len(points)), points[:, i]) for i in range(3)]
    return np.round(np.stack(channels, axis=1)).astype(np.uint8)


def png(shades: NDArray[np.uint8]) -> bytes:
    """An indexed-colour PNG of shades, shape (rows, columns) (W3C PNG, third edition)."""
    rows, columns = shades.shape
    lines = np.zeros((rows, columns + 1), dtype=np.uint8)  # a 0 before each line: no filter
    lines[:, 1:] = shades
    return b"".join(
        (
            b"\x89PNG\r\n\x1a\n",
            _chunk(b"IHDR", struct.pack(">IIBBBBB", columns, rows, 8, 3, 0, 0, 0)),
            _chunk(b"PLTE", palette().tobytes()),
            _chunk(b"IDAT", zlib.compress(lines.tobytes(), 6)),
            _chunk(b"IEND", b""),
        )
    )


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
