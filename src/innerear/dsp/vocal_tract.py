"""How long is the vocal tract? The scale of the formants, relative to a table of vowels.

A tract that is shorter by a factor has all resonances higher by that factor (G. Fant, "Acoustic Theory of Speech
Production", 1960; P. Mermelstein, JASA 1967). The scale is the one at which F1, F2 and F3 of the voiced frames are
the likeliest to be vowels of the table.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from innerear.clip import Clip
from innerear.dsp.formants import CEILING_HZ, LOWEST_HZ, POLES, resonances
from innerear.dsp.voice import SAMPLE_RATE, VoiceTrack

Floats = NDArray[np.float64]

LOG_SCALES = np.arange(-0.24, 0.46, 0.04)
N_FFT = 1024
PERIODS = 3  # in the window of a frame
SMOOTHED = 0.67  # of f0: the width over which the power spectrum is averaged, so that its harmonics vanish
PREEMPHASIS = 0.97
WIDEST_HZ = 1000.0
MOST_FRAMES, FEWEST_FRAMES = 60, 5
QUIET_DB = 20.0  # frames this far below the loudest are left out
SPREAD = np.array([0.14, 0.10, 0.07])  # of F1, F2 and F3 about a vowel, in logarithms
NO_VOWEL = 1e-3  # likelihood of a frame that is not a vowel
LIKELIEST = 0.5  # of the frames count, for the others may be no vowels


def formant_scale(clip: Clip, track: VoiceTrack, vowels_hz: Floats) -> float | None:
    """The scale of the formants relative to a table of vowels (vowels, 3) in hertz; `None` if too little is voiced."""
    places = np.flatnonzero(track.voiced & (track.level_db > track.level_db.max() - QUIET_DB))
    if len(places) < FEWEST_FRAMES:
        return None
    places = places[np.unique(np.linspace(0, len(places) - 1, MOST_FRAMES).astype(int))]
    power = _smooth_power(clip, track.times_s[places], track.f0_hz[places])
    fit = np.array([_likelihood(power, scale, np.log(vowels_hz)) for scale in np.exp(LOG_SCALES)])
    best = int(np.argmax(fit))
    shift = 0.0
    if 0 < best < len(fit) - 1:
        left, top, right = fit[best - 1 : best + 2]
        shift = 0.5 * (left - right) / min(left - 2 * top + right, -1e-12)
    return float(np.exp(LOG_SCALES[best] + shift * (LOG_SCALES[1] - LOG_SCALES[0])))


def _smooth_power(clip: Clip, times_s: Floats, f0_hz: Floats) -> Floats:
    """Power spectra of frames of three periods, averaged over two thirds of f0.

    After M. Morise, "CheapTrick, a spectral envelope estimator", Speech Communication 2015.
    """
    samples = clip.at(SAMPLE_RATE).astype(np.float64)
    emphasised = np.pad(np.append(samples[:1], samples[1:] - PREEMPHASIS * samples[:-1]), N_FFT)
    found = []
    for time_s, f0 in zip(times_s, f0_hz, strict=True):
        length = min(round(PERIODS * SAMPLE_RATE / f0), N_FFT)
        start = round(time_s * SAMPLE_RATE) + N_FFT - length // 2
        power = np.abs(np.fft.rfft(emphasised[start : start + length] * np.hanning(length + 2)[1:-1], N_FFT)) ** 2
        total = np.concatenate([[0], np.cumsum(np.concatenate([power[:0:-1], power, power[-2::-1]]))])
        width = SMOOTHED * f0 * N_FFT / SAMPLE_RATE
        centres = np.arange(len(power)) + len(power) - 0.5
        edges = (np.interp(centres + side * width / 2, np.arange(len(total)), total) for side in (1, -1))
        found.append(np.subtract(*edges) / width)
    return np.array(found) + 1e-12


def _likelihood(power: Floats, scale: float, vowels: Floats) -> float:
    """How likely the frames are vowels at a scale: the mean logarithm over the likelier half of them.

    Linear prediction of the band in which a tract of this scale has five formants (J. Makhoul, "Spectral linear
    prediction", IEEE TASSP 1975).
    """
    ceiling = min(round(CEILING_HZ["men"] * scale * N_FFT / SAMPLE_RATE), N_FFT // 2)
    top_hz = ceiling * SAMPLE_RATE / N_FFT
    frequency, width = resonances(_predict(np.fft.irfft(power[:, : ceiling + 1], axis=1)), 2 * top_hz)
    formant = (frequency > LOWEST_HZ) & (frequency < top_hz - 50) & (width < WIDEST_HZ)
    order = np.cumsum(formant, axis=1)
    complete = order[:, -1] >= 3
    likely = np.full(len(power), np.log(NO_VOWEL))
    if complete.any():
        first = np.stack([frequency[complete][(formant & (order == n))[complete]] for n in (1, 2, 3)], axis=1)
        apart = (np.log(first / scale)[:, np.newaxis] - vowels) / SPREAD
        among = np.logaddexp.reduce(-0.5 * np.sum(apart**2, axis=2), axis=1) - np.log(len(vowels))
        likely[complete] = np.logaddexp(among, np.log(NO_VOWEL))
    return float(np.mean(np.sort(likely)[-max(3, int(LIKELIEST * len(likely))) :]))


def _predict(correlation: Floats) -> Floats:
    """Linear prediction by Levinson's recursion, a row for each frame: (frames, lags) to (frames, order + 1)."""
    a = np.zeros((len(correlation), POLES + 1))
    a[:, 0] = 1
    error = correlation[:, 0] * 1.0001
    for m in range(1, POLES + 1):
        k = -np.sum(a[:, :m] * correlation[:, m:0:-1], axis=1) / error
        a[:, 1 : m + 1] += k[:, np.newaxis] * a[:, m - 1 :: -1][:, :m]
        error = error * (1 - k**2)
    return a
