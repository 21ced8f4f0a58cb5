"""Resampling: what a band-limited sound is at another rate is known exactly; how far ours is from it and from resampy.

Every embedder hears what soxr (HQ) makes of a clip. torchvggish resamples with resampy's kaiser_best,
panns_inference leaves it to librosa (soxr HQ since 0.10, kaiser_best before), transformers leaves it to its user.
"""

import numpy as np
import pytest

from innerear.clip import Clip, read
from innerear.dsp.mel import htk_log_mel

RATES = [(44_100, 16_000), (44_100, 32_000), (44_100, 48_000), (22_050, 16_000), (48_000, 16_000)]
SECONDS = 2.0


def tones(rate, frequencies_hz):
    t = np.arange(round(SECONDS * rate)) / rate
    phases = np.random.default_rng(0).uniform(0, 6, len(frequencies_hz))
    return sum(np.sin(2 * np.pi * f * t + p) for f, p in zip(frequencies_hz, phases, strict=True)) / 20


def ours(samples, old, new):
    return Clip(samples.astype(np.float32)[None], old).at(new).astype(float)


def db(part, whole):
    """The level of one sound beside another, both without their first and last tenth of a second."""
    inner = slice(len(part) // 20, -len(part) // 20)
    return 10 * np.log10(np.sum(part[inner] ** 2) / np.sum(whole[inner] ** 2))


@pytest.mark.parametrize(("share", "within_db"), [(0.5, -100), (0.9, -70)])
@pytest.mark.parametrize(("old", "new"), RATES)
def test_what_both_rates_hold_comes_out_as_it_is(old, new, share, within_db):
    below = np.geomspace(60, share * min(old, new) / 2, 12)
    truth = tones(new, below)
    assert db(ours(tones(old, below), old, new)[: len(truth)] - truth, truth) < within_db


@pytest.mark.parametrize(("old", "new"), [pair for pair in RATES if pair[1] < pair[0]])
def test_what_the_new_rate_cannot_hold_is_gone_by_100_db(old, new):
    above = np.linspace(1.02 * new / 2, 0.95 * old / 2, 5)
    before = tones(old, above)
    after = ours(before, old, new)
    assert 10 * np.log10(np.mean(after[1000:-1000] ** 2) / np.mean(before[1000:-1000] ** 2)) < -100


@pytest.mark.parametrize("name", ["notes/real", "env/rain", "env/dog"])
def test_all_but_two_of_the_bands_that_vggish_hears_are_those_of_resampy_within_a_twentieth_of_a_db(pack, name):
    """The two highest, up to 7.5 kHz, lie where resampy's filter already falls."""
    resampy = pytest.importorskip("resampy", reason="resampy, which torchvggish resamples with, is not installed")
    clip = read(next(path for path in sorted((pack / name).rglob("*")) if path.suffix in {".ogg", ".flac"}))
    theirs = resampy.resample(clip.mono.astype(float), clip.sample_rate, 16_000).astype(np.float32)
    mine = clip.at(16_000)
    length = min(len(mine), len(theirs))
    apart_db = 20 / np.log(10) * np.abs(htk_log_mel(mine[:length]) - htk_log_mel(theirs[:length])).max(axis=0)
    assert apart_db[:-2].max() < 0.05
