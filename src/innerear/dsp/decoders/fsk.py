"""Decode frequency-shift keying with start and stop bits: Bell 202 (8N1, 1200 baud) and radioteletype (ITA2).

Mark is 1 and the idle state, space is 0; a character is a start bit (space), its data bits, least
significant first, and a stop bit (mark). A receiver tolerates small errors of speed; these are measured,
because neighbouring standards (V.23: 1300 and 2100 Hz; RTTY at 50 baud) would often decode as well.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

RATE = 24_000  # Hz; sounds are resampled to it
GATE_DB = 10.0  # a bit this far below the loudest is not a signal, and counts as mark
LEAST_SHARE = 0.5  # of the energy of a bit, in its two tones; at a change of tone it may be less
LEAST_START = 0.3  # clearness of a start bit, as a share of its character's mean; the beginning of a tone has less
START_SEARCH = np.linspace(-0.4, 0.4, 17)  # bits
SPEEDS = np.linspace(0.88, 1.12, 25)  # lengths of a bit that are tried
SPEED_TOLERANCE = 0.075  # relative; a bit of 7 samples at 8 kHz, as minimodem has, is 5 % too long for 1200 baud

LETTERS = "\0E\nA SIU\rDRJNFCKTZLWHYPQOBG\x0eMXV\x0f"
FIGURES = "\x003\n- '87\r\x054\a,!:(5+)2£6019?&\x0e./=\x0f"
"""The alphabet of ITA2 (CCITT No. 2) by code, with figures as in ITU-T S.1; \\x0e and \\x0f are the shifts."""
TO_FIGURES, TO_LETTERS = "\x0e", "\x0f"

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Modem:
    """A way of sending characters. Frequencies in hertz."""

    baud: float
    mark_hz: float
    space_hz: float
    tolerance_hz: float  # of each tone
    data_bits: int
    rest: float  # bits of a stop that must be mark


BELL202 = Modem(1200, 1200, 2200, 50, 8, 0.5)
"""Bell System Technical Reference 41212: 1200 bit/s, mark 1200 Hz, space 2200 Hz."""
RTTY = Modem(45.45, 2125, 2295, 15, 5, 0.5)
"""Amateur radioteletype: 45.45 baud, mark 2125 Hz, shift 170 Hz."""


def decode_bell202(samples: NDArray[np.float32], sample_rate: int) -> str:
    """The text as Latin-1, without spaces and line ends around it."""
    return "".join(map(chr, _characters(samples, sample_rate, BELL202))).strip(" \r\n\0")


def decode_rtty(samples: NDArray[np.float32], sample_rate: int, unshift: bool = False) -> str:
    """The text by ITA2, in capitals, without shifts, and without spaces and line ends around it.

    `unshift`: a space also shifts back to letters, as many amateur stations have it.
    """
    text, table = "", LETTERS
    for code in _characters(samples, sample_rate, RTTY):
        sign = table[code]
        if sign in (TO_FIGURES, TO_LETTERS):
            table = FIGURES if sign == TO_FIGURES else LETTERS
        elif sign != "\0":
            text += sign
            table = LETTERS if unshift and sign == " " else table
    return text.strip(" \r\n")


def ita2(text: str) -> list[int]:
    """The codes of a text, with a letters shift first.

    >>> ita2("RY 5")
    [31, 10, 21, 4, 27, 16]
    """
    codes, table = [31], LETTERS
    for sign in text:
        if sign not in table:
            table = FIGURES if table == LETTERS else LETTERS
            codes.append(27 if table == FIGURES else 31)
        codes.append(table.index(sign))
    return codes


def _characters(samples: NDArray[np.float32], sample_rate: int, modem: Modem) -> list[int]:
    """The codes received; none if the speed or a tone is not the modem's."""
    import soxr
    from scipy.ndimage import maximum_filter1d

    bit = RATE / modem.baud
    resampled = samples if sample_rate == RATE else soxr.resample(samples, sample_rate, RATE, quality="HQ")
    x: Floats = np.pad(np.asarray(resampled, dtype=np.float64), 2 * int(bit))
    if float(np.abs(x).max(initial=0.0)) < 1e-4:
        return []
    mark, space, total = (_band(x, hz, bit) for hz in (modem.mark_hz, modem.space_hz, None))
    tones = maximum_filter1d((mark + space >= LEAST_SHARE * total).astype(np.int8), int(bit) | 1) > 0
    there = tones & (total > total.max() * 10 ** (-GATE_DB / 10))
    difference = np.where(there, mark - space, total.max())
    codes, starts = _frames(difference, there, modem, bit)
    if not codes or abs(_speed(difference, starts, modem, bit) - 1) > SPEED_TOLERANCE:
        return []
    return codes if _in_tune(x, starts, codes, modem, bit) else []


def _band(x: Floats, hz: float | None, bit: float) -> Floats:
    """Energy of a tone over the bit around each sample; of the whole sound for `None`, on the same scale."""
    length = max(1, round(bit))
    wave = x * x if hz is None else x * np.exp(-2j * np.pi * hz * np.arange(len(x)) / RATE)
    sums = np.concatenate([[0], np.cumsum(wave)])
    within = (sums[length:] - sums[:-length]) / length
    within = np.pad(within, (length // 2, len(x) - len(within) - length // 2))
    return np.asarray(within.real if hz is None else 2 * np.abs(within) ** 2)


def _frames(difference: Floats, there: NDArray[np.bool_], modem: Modem, bit: float) -> tuple[list[int], list[float]]:
    """The codes, and where each one's start bit begins.

    A start bit begins where mark turns to space; bits are read in their middles. After a stop bit that is
    space, the search resumes at the next mark.
    """
    is_mark = difference > 0
    codes: list[int] = []
    starts: list[float] = []
    now = -np.inf
    for fall in np.flatnonzero(is_mark[:-1] & ~is_mark[1:]):
        if fall < now:
            continue
        start, _ = _start(difference, float(fall), modem, bit)
        if start is None or not there[_middles(start, modem, bit)].all():
            continue
        bits = is_mark[_middles(start, modem, bit)]
        codes.append(int(bits[1:-1] @ (1 << np.arange(modem.data_bits))))
        starts.append(start)
        now = start + bit * (modem.data_bits + 1 + modem.rest)
    return codes, starts


def _middles(start: float, modem: Modem, bit: float) -> NDArray[np.intp]:
    """The samples in the middle of the start bit, the data bits and the stop bit."""
    return np.round(start + bit * (np.arange(modem.data_bits + 2) + 0.5)).astype(np.intp)


def _start(difference: Floats, near: float, modem: Modem, bit: float) -> tuple[float | None, float]:
    """Where a character starts, near a sample: where its bits are clearest; and how clear. None if there is none.

    A sender that begins each bit at a phase of its own moves the crossings by up to 0.4 bits.
    """
    starts = near + bit * START_SEARCH
    middles = np.round(starts[:, None] + bit * (np.arange(modem.data_bits + 2) + 0.5)).astype(np.intp)
    inside = (middles[:, 0] >= 0) & (middles[:, -1] < len(difference))
    values = difference[np.clip(middles, 0, len(difference) - 1)]
    clear = np.abs(values).sum(axis=1)
    is_start = values[:, 0] < -LEAST_START * clear / values.shape[1]
    clear = np.where(inside & is_start & (values[:, -1] > 0), clear, 0.0)
    best = int(clear.argmax())
    return (float(starts[best]) if clear[best] else None), float(clear[best])


def _speed(difference: Floats, starts: list[float], modem: Modem, bit: float) -> float:
    """The length of a bit for which the characters are clearest, in bits of the modem."""
    some = starts[:: max(1, len(starts) // 30)]
    clear = [sum(_start(difference, start, modem, bit * length)[1] for start in some) for length in SPEEDS]
    return float(SPEEDS[int(np.argmax(clear))])


def _in_tune(x: Floats, starts: list[float], codes: list[int], modem: Modem, bit: float) -> bool:
    """Whether both tones have the modem's frequencies: the median from middle to middle of two equal bits."""
    import scipy.fft
    from scipy.signal import butter, hilbert, sosfiltfilt

    low, high = sorted((modem.mark_hz, modem.space_hz))
    margin = max(modem.baud / 2, 4 * modem.tolerance_hz)
    band = butter(2, (max(low - margin, 50), high + margin), "bandpass", fs=RATE, output="sos")
    whole = hilbert(sosfiltfilt(band, x), scipy.fft.next_fast_len(len(x)))
    cycles = np.unwrap(np.angle(np.asarray(whole)[: len(x)])) / (2 * np.pi)
    heard: dict[bool, list[float]] = {True: [], False: []}
    for start, code in zip(starts, codes, strict=True):
        bits = [False, *(bool(code >> i & 1) for i in range(modem.data_bits)), True]
        for i, is_mark in enumerate(bits[:-1]):
            first, last = round(start + (i + 0.5) * bit), round(start + (i + 1.5) * bit)
            if bits[i + 1] == is_mark and last < len(cycles):
                heard[is_mark].append(float(cycles[last] - cycles[first]) * RATE / (last - first))
    return all(
        abs(float(np.median(heard[is_mark])) - hz) <= modem.tolerance_hz
        for is_mark, hz in ((True, modem.mark_hz), (False, modem.space_hz))
        if heard[is_mark]
    )
