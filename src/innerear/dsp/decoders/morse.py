"""Decode Morse code sent as one tone that goes on and off (ITU-R M.1677-1).

A dash is three dots, the gap in a letter one dot, between letters three, between words seven. The
decoder finds the tone, the length of the dot, and the nearest of these lengths for each tone and gap.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

CODE = {
    "A": ".-", "B": "-...", "C": "-.-.", "D": "-..", "E": ".", "F": "..-.", "G": "--.", "H": "....", "I": "..",
    "J": ".---", "K": "-.-", "L": ".-..", "M": "--", "N": "-.", "O": "---", "P": ".--.", "Q": "--.-", "R": ".-.",
    "S": "...", "T": "-", "U": "..-", "V": "...-", "W": ".--", "X": "-..-", "Y": "-.--", "Z": "--..",
    "0": "-----", "1": ".----", "2": "..---", "3": "...--", "4": "....-", "5": ".....", "6": "-....", "7": "--...",
    "8": "---..", "9": "----.", ".": ".-.-.-", ",": "--..--", ":": "---...", "?": "..--..", "'": ".----.",
    "-": "-....-", "/": "-..-.", "(": "-.--.", ")": "-.--.-", '"': ".-..-.", "=": "-...-", "+": ".-.-.", "@": ".--.-.",
}  # fmt: skip
"""Letters, figures and signs of ITU-R M.1677-1; `X` is also the multiplication sign."""

TONE_HZ = (150.0, 4000.0)
HALF_BAND_HZ = 60.0  # of the filter around the tone
LEAST_SHARE = 0.25  # of the sound's energy, in that band
ENVELOPE_HZ = 2000
LEAST_DOT_S, MOST_DOT_S = 0.012, 0.6  # 100 to 2 words per minute
SHORTEST = 0.35  # of a dot: shorter tones and gaps are glitches
LETTER_GAP, WORD_GAP = 2.0, 5.0  # dots
DASH = 2.0  # dots
WORST_FIT = 0.22  # mean distance, in octaves over log2(3), of the lengths from 1 and 3 dots

Floats = NDArray[np.float64]
_LETTERS = {code: letter for letter, code in CODE.items()}


def elements(text: str) -> list[tuple[float, float]]:
    """The tones of a text as (start, end), in dots.

    >>> elements("ET")
    [(0.0, 1.0), (4.0, 7.0)]
    """
    found, now = [], 0.0
    for word in text.upper().split():
        for letter in word:
            for element in CODE[letter]:
                length = 3.0 if element == "-" else 1.0
                found.append((now, now + length))
                now += length + 1
            now += 2
        now += 4
    return found


def decode_morse(samples: NDArray[np.float32], sample_rate: int) -> str:
    """The text, in capitals; `_` is an unknown letter."""
    envelope = _envelope(samples.astype(np.float64), sample_rate)
    if envelope is None:
        return ""
    tones, gaps = _lengths(envelope)
    if len(tones) < 2:
        return ""
    dot = _dot(tones, gaps)
    if dot is None:
        return ""
    keep = tones >= SHORTEST * dot
    if not keep.all():  # a glitch belongs to the gap around it
        tones, gaps = _merged(tones, gaps, keep)
        if len(tones) < 2:
            return ""
    if (gaps < SHORTEST * dot).any():
        tones, gaps = _joined(tones, gaps, gaps >= SHORTEST * dot)
    marks = ["-" if length >= DASH * dot else "." for length in tones]
    text, letter = "", marks[0]
    for mark, gap in zip(marks[1:], gaps, strict=True):
        if gap >= LETTER_GAP * dot:
            text += _LETTERS.get(letter, "_") + (" " if gap >= WORD_GAP * dot else "")
            letter = ""
        letter += mark
    return text + _LETTERS.get(letter, "_")


def _envelope(samples: Floats, sample_rate: int) -> Floats | None:
    """The level of the strongest tone at 2 kHz, its highest 1; None if no tone has a good share of the energy."""
    import scipy.fft
    from scipy.signal import resample_poly

    size = scipy.fft.next_fast_len(len(samples) + sample_rate // 5)
    spectrum = scipy.fft.fft(samples, size)
    hz = scipy.fft.fftfreq(size, 1 / sample_rate)
    power = np.where(hz > 0, np.abs(spectrum) ** 2, 0)
    total = power.sum()
    if total < 1e-9:
        return None
    width = max(1, round(20 * size / sample_rate))
    smooth = np.convolve(power[: size // 2], np.ones(width) / width, "same")
    inside = (hz[: size // 2] >= TONE_HZ[0]) & (hz[: size // 2] <= TONE_HZ[1])
    if not inside.any():
        return None
    tone_hz = hz[np.where(inside, smooth, 0).argmax()]
    off = np.abs(hz - tone_hz) / HALF_BAND_HZ
    if power[off <= 1].sum() < LEAST_SHARE * total:
        return None
    shape = np.where(off < 1, 1.0, np.where(off < 2, 0.5 + 0.5 * np.cos(np.pi * (off - 1)), 0.0))
    level = np.abs(scipy.fft.ifft(spectrum * shape))[: len(samples)]
    slow = np.asarray(resample_poly(level, ENVELOPE_HZ, sample_rate, padtype="edge"))
    return np.asarray(np.maximum(slow / max(float(np.quantile(slow, 0.995)), 1e-12), 0))


def _lengths(envelope: Floats) -> tuple[Floats, Floats]:
    """Lengths in seconds of the tones, and of the gaps between them; on above half the level, with hysteresis."""
    tops = envelope[envelope > 0.25]
    level = float(np.median(tops)) if len(tops) else 1.0
    on, state = np.zeros(len(envelope) + 2, dtype=bool), False
    for i, value in enumerate(envelope):
        state = value > (0.4 if state else 0.55) * level
        on[i + 1] = state
    edges = np.flatnonzero(np.diff(on.astype(np.int8)))
    lengths = np.diff(edges) / ENVELOPE_HZ
    return lengths[::2], lengths[1::2]


def _dot(tones: Floats, gaps: Floats) -> float | None:
    """The length of a dot in seconds that fits best; None if none fits."""
    tones, gaps = tones[tones > 0.004], gaps[gaps > 0.004]
    if not len(tones) or not len(gaps):
        return None
    best, least = None, np.inf
    for dot in np.geomspace(LEAST_DOT_S, MOST_DOT_S, 400):
        of_tones = np.abs(np.log(tones[:, None] / (dot * np.array([1.0, 3.0])))).min(axis=1)
        lengths = np.minimum(gaps[:, None], 9 * dot) / (dot * np.array([1.0, 3.0, 7.0, 9.0]))
        of_gaps = np.abs(np.log(lengths)).min(axis=1)
        inner = np.sum(gaps < LETTER_GAP * dot) / len(gaps)  # letters have gaps of one dot
        cost = float((of_tones.sum() + of_gaps.sum()) / (len(tones) + len(gaps)) / np.log(3)) + (
            0.05 if inner == 0 else 0
        )
        if cost < least:
            best, least = float(dot), cost
    return best if least <= WORST_FIT else None


def _merged(tones: Floats, gaps: Floats, keep: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Without the tones that are not kept: their time is part of a gap."""
    kept_tones: list[float] = []
    kept_gaps: list[float] = []
    gap = 0.0
    for i, length in enumerate(tones):
        if keep[i]:
            if kept_tones:
                kept_gaps.append(gap)
            kept_tones.append(float(length))
            gap = 0.0
        else:
            gap += float(length)
        gap += float(gaps[i]) if i < len(gaps) else 0.0
    return np.array(kept_tones), np.array(kept_gaps)


def _joined(tones: Floats, gaps: Floats, keep: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Without the gaps that are not kept: their time is part of a tone."""
    joined = [float(tones[0])]
    kept: list[float] = []
    for length, gap, is_gap in zip(tones[1:], gaps, keep, strict=True):
        if is_gap:
            kept.append(float(gap))
            joined.append(float(length))
        else:
            joined[-1] += float(gap + length)
    return np.array(joined), np.array(kept)
