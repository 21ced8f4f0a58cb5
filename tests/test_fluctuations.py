"""Fluctuations: what tells a sound from noise with its spectrum and its envelope."""

import numpy as np
import pytest

from innerear.clip import Clip
from innerear.dsp.fluctuations import NUMBERS, of
from innerear.lab import sounds as make
from innerear.lab.impostors import copy
from innerear.lab.tools import seeded


def noise(seconds_long=4.0, seed=0):
    return seeded("fluctuations", seed).standard_normal(round(seconds_long * make.SAMPLE_RATE))


def warble():
    """Beeps that alternate between two pitches."""
    t = make.seconds(4.0)
    return np.sin(2 * np.pi * np.where(t % 0.5 < 0.25, 700, 1900) * t) * (t % 0.25 < 0.15)


def test_a_steady_tone_stands_still_and_noise_fluctuates():
    """For Gaussian noise E[p^2] / E[p]^2 is 2, less what 13 overlapping frames miss; for a tone it is 1."""
    tone = of(make.clip(np.sin(2 * np.pi * 440 * make.seconds(4.0))))
    assert tone[0] < 0.05 < 0.35 < of(make.clip(noise()))[0] < np.log(2)


def test_gain_moves_nothing():
    sound = make.clip(warble())
    assert np.allclose(of(sound), of(Clip(0.01 * sound.samples, sound.sample_rate)), atol=1e-3)


def test_beeps_come_and_go_and_move_the_spectrum_and_their_copy_does_not():
    real, copied = of(make.clip(warble())), of(make.clip(copy(warble(), seeded("copy"), envelope=True)))
    assert real[7] > copied[7] + 0.5  # bins of 64 ms that come and go
    assert real[16] > 4 * copied[16]  # levels of bands, smoothed over 200 ms
    assert real[24] < copied[24] - 0.5  # kurtosis: a sine has 1.5, Gaussian noise 3
    assert real[25] > 2 * copied[25]  # onsets of 2 ms


def test_a_copy_of_noise_is_like_the_noise():
    """What tells a copy is not there to be told: the spectrum and the envelope are all there is."""
    t = make.seconds(4.0)
    swell = 1 + 0.5 * np.sin(2 * np.pi * 0.5 * t)
    others = np.array([of(make.clip(noise(seed=seed) * swell)) for seed in range(1, 6)])
    copied = of(make.clip(copy(noise() * swell, seeded("copy"), envelope=True)))
    assert np.abs(copied - others.mean(axis=0)).max() < 0.5


@pytest.mark.parametrize("samples", [[], [0.0], [1.0], [1.0, *[0.0] * 99], [0.3] * 500, [0.0] * 9000])
def test_any_length_and_silence_have_finite_numbers(samples):
    found = of(Clip(np.array([samples], np.float32), 16_000))
    assert found.shape == (NUMBERS,)
    assert np.isfinite(found).all()
    if not np.any(samples):
        assert not found.any()


def test_the_sample_rate_moves_little():
    high = make.clip(warble())
    low = Clip(high.at(22_050)[None], 22_050)
    assert np.abs(of(high) - of(low))[:20].max() < 0.3
