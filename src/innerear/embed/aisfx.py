"""`aisfx`: the 512 numbers before the classifiers of aiSFX, which was trained on nine libraries of sound effects.

A. B. Ma and A. Lerch, "Representation Learning for the Automatic Indexing of Sound Effects
Libraries", ISMIR 2022 (code MIT, weights CC BY 4.0). Windows of 100 spectra, 2.3 s, every 50, 1.2 s;
the last ends with the sound. A sound shorter than a window is repeated.

The package aisfx has two front ends. That of its paper needs Essentia (AGPL, and no wheel for every
machine); the spectra here are those of its other one, by librosa, without librosa. As published
(0.1.2) that one gives bands by time where its network wants time by bands, and hears a whole sound
as one window of 96 instants; here the axes are as the network was trained.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from innerear.dsp.mel import BLOCK, Array, hann, htk_hz, htk_mel, spectrum, triangles
from innerear.embed.aisfx_network import BANDS, SPECTRA, WIDTHS
from innerear.embed.loudness import LoudnessRule
from innerear.embed.network import NetworkEmbedder
from innerear.embed.windows import Cut, Frames, Samples, repeated

SAMPLE_RATE = 44_100  # Hz
N_FFT, HOP_LENGTH = 2048, 1024
STEP = 50  # spectra from one window to the next
LARGEST = 9.457798957824707  # what spectra are divided by: the largest of the training set
SHORTEST = (SPECTRA - 1) * HOP_LENGTH  # samples whose spectra fill a window
CUT = Cut(length=SHORTEST + N_FFT, hop=STEP * HOP_LENGTH, tail="end")  # of the sound with its margins
MARGIN = np.zeros(N_FFT // 2, np.float32)


class Aisfx(NetworkEmbedder):
    """aiSFX's network X-Sequential-CE at 44.1 kHz."""

    name = "aisfx"
    dims = WIDTHS[-1]
    sample_rate = SAMPLE_RATE
    _cut = CUT

    def __init__(self, loudness: LoudnessRule = "active") -> None:
        self._open("aisfx", "spectra", "win:2.345s|hop:1.161s|tail:end|pad:repeat", loudness)

    def _heard(self, blocks: Iterable[Samples]) -> Iterator[Samples]:
        """The sound, repeated where it is short, between margins: spectra are centred."""
        yield MARGIN
        start: Samples | None = np.zeros(0, np.float32)
        for block in blocks:
            if start is None:
                yield block
                continue
            start = np.concatenate([start, block])
            if len(start) >= SHORTEST:
                yield start
                start = None
        if start is not None:
            yield repeated(start, SHORTEST)
        yield MARGIN

    def _hear(self, stretch: Samples) -> Frames:
        count = 1 + (len(stretch) - CUT.length) // CUT.hop
        whole = spectra(stretch)
        return self._network(np.stack([whole[STEP * i : STEP * i + SPECTRA] for i in range(count)])[:, None])


def spectra(samples: Samples) -> NDArray[np.float32]:
    """What the network hears of a signal: log10(1 + 10,000 times the power) in 96 bands, about 0 to 1.

    Frames that fit whole, shape (frames, 96).
    """
    count = 1 + (len(samples) - N_FFT) // HOP_LENGTH
    power = np.empty((count, BANDS))
    window, filters = hann(N_FFT), _filters()
    for start in range(0, count, BLOCK):
        piece = samples[start * HOP_LENGTH : (start + BLOCK - 1) * HOP_LENGTH + N_FFT]
        found = spectrum(piece, window, N_FFT, HOP_LENGTH)
        power[start : start + BLOCK] = (found.real**2 + found.imag**2) @ filters
    heard: NDArray[np.float32] = (np.log10(power * 10_000 + 1) / LARGEST).astype(np.float32)
    return heard


@functools.cache
def _filters() -> Array:
    """Triangles even on the HTK mel scale from 0 Hz to half the sample rate; the weights of each sum to 1."""
    edges = htk_hz(np.linspace(0, htk_mel(SAMPLE_RATE / 2), BANDS + 2))
    filters = triangles(np.fft.rfftfreq(N_FFT, 1 / SAMPLE_RATE), edges)
    even: Array = filters / filters.sum(axis=0)
    return even
