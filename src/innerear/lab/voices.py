"""Voices whose truth is known: vowels by source and filter, and real speech with another voice or a whisper.

A vowel is a train of glottal pulses through five resonators in cascade; nothing of it is shared with
the formant tracker that is tried on it. A whisper is speech whose own linear prediction, window by
window, is driven with noise instead of its voice.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from innerear.lab import sounds as make
from innerear.lab.sounds import SAMPLE_RATE

Floats = NDArray[np.float64]
Rng = np.random.Generator

WIDTHS_HZ = (70.0, 90.0, 130.0, 200.0, 250.0)  # of the five resonances


def pulses(f0_hz: Floats, rng: Rng, jitter: float = 0.005, shimmer: float = 0.03, breath: float = 0.01) -> Floats:
    """Glottal flow (its derivative) for an f0 in hertz at each sample; `jitter` and `shimmer` are relative sd.

    The pulse opens over 0.4 and closes over 0.16 of a period: A. E. Rosenberg, "Effect of glottal
    pulse shape on the quality of natural vowels", JASA 1971, pulse C. `breath` is the level of noise.
    """
    total = np.zeros(len(f0_hz) + SAMPLE_RATE // 20)
    at = 0.0
    while at < len(f0_hz):
        period = SAMPLE_RATE / f0_hz[int(at)] * (1 + jitter * rng.standard_normal())
        start = int(np.ceil(at))
        phase = (np.arange(start, start + int(0.6 * period) + 1) - at) / period
        rise = 0.5 * (1 - np.cos(np.pi * phase / 0.4))
        fall = np.cos(np.pi / 2 * np.clip((phase - 0.4) / 0.16, 0, 1))
        flow = np.where(phase < 0.4, rise, fall)
        total[start : start + len(flow)] += flow * (1 + shimmer * rng.standard_normal())
        at += period
    flow = np.diff(total[: len(f0_hz)], prepend=0.0)
    return np.asarray(flow / np.abs(flow).max() + breath * rng.standard_normal(len(flow)))


def resonate(source: Floats, formants_hz: Sequence[float], widths_hz: Sequence[float] = WIDTHS_HZ) -> Floats:
    """A cascade of resonators, each of gain 1 at 0 Hz: D. H. Klatt, JASA 1980, section I.B."""
    from scipy.signal import lfilter

    for formant, width in zip(formants_hz, widths_hz, strict=True):
        radius = np.exp(-np.pi * width / SAMPLE_RATE)
        b, c = 2 * radius * np.cos(2 * np.pi * formant / SAMPLE_RATE), -(radius**2)
        source = lfilter([1 - b - c], [1, -b, -c], source)
    return source


def vowel(
    f0_hz: float, formants_hz: Sequence[float], duration_s: float, rng: Rng, snr_db: float = 50.0, **how: float
) -> Floats:
    """A held vowel of F1, F2 and F3 (F4 and F5 are added), with a slight fall and drift of f0, in noise."""
    t = make.seconds(duration_s)
    drift = 1 + 0.02 * np.sin(2 * np.pi * (1.3 * t + rng.random())) - 0.04 * t / duration_s
    scale = max(1.0, formants_hz[2] / 2600)
    higher = (max(3500 * scale, formants_hz[2] + 600), max(4500 * scale, formants_hz[2] + 1500))
    made = resonate(pulses(f0_hz * drift, rng, **how), (*formants_hz, *higher))
    return make.noisy(make.edges(made, 0.04, 0.06), rng, snr_db)


def revoiced(speech: Floats, sample_rate: int, f0_hz: Floats | None, rng: Rng, *, throughout: bool = False) -> Floats:
    """Speech with another voice: its linear prediction (20 ms windows) excited again, at the same sample rate.

    `f0_hz`: an f0 for each sample, from which pulses are made wherever the speech itself is voiced and
    noise elsewhere (`throughout`: pulses everywhere); `None`: noise throughout, which is a whisper.
    """
    from scipy.signal import lfilter

    from innerear.dsp.f0 import CLEAR, track_f0
    from innerear.dsp.formants import burg

    hop = sample_rate // 100
    window = np.hanning(2 * hop + 1)[:-1]
    emphasised = np.append(speech[:1], speech[1:] - 0.95 * speech[:-1])
    padded = np.concatenate([np.zeros(hop), emphasised, np.zeros(2 * hop)])
    noise = rng.standard_normal(len(padded))
    voice = np.zeros(len(padded))
    if f0_hz is not None:
        at = float(hop)
        while at < hop + len(speech):
            period = sample_rate / f0_hz[int(at) - hop]
            voice[int(at)] = np.sqrt(period)
            at += period
    track = track_f0(speech.astype(np.float32), sample_rate, 0.04, 0.01)
    order = 2 + sample_rate // 1000
    total = np.zeros(len(padded))
    for start in range(0, len(padded) - 2 * hop, hop):
        frame = padded[start : start + 2 * hop] * window
        power = float(np.mean(frame**2))
        if power < 1e-12:
            continue
        place = int(np.argmin(np.abs(track.times_s - start / sample_rate)))
        voiced = f0_hz is not None and (throughout or track.clarity[place] >= CLEAR)
        a = burg(frame[None], order)[0]
        before = max(0, start - 2 * hop)  # lets the filter settle
        out = lfilter([1.0], a, (voice if voiced else noise)[before : start + 2 * hop])[start - before :] * window
        total[start : start + 2 * hop] += out * np.sqrt(power / max(float(np.mean(out**2)), 1e-20))
    return np.asarray(lfilter([1.0], [1.0, -0.95], total)[hop : hop + len(speech)])
