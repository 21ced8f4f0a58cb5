"""Could it be one? The metric `plausibility`: the share of ten descriptors that lie where real recordings' do.

For each environment class and instrument family, the range of each descriptor that holds 90 % of
recordings: 5 to 95 % of a Gaussian on a logarithmic (or log-odds) axis. There are few recordings of
a class (six are not held back), so its spread is drawn towards the spread that classes have in
common, and the range widened for what so few can tell (a prediction interval). `plausibility.json`
holds the ranges; `innerear checks fit` makes them anew. The metric names what lies outside, and
judges nothing: a clip may be in every range and be something else.
"""

from __future__ import annotations

import functools
from importlib import resources
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from innerear.checks import Instrument, Label
from innerear.clip import Clip
from innerear.dsp.f0 import track_f0
from innerear.dsp.onsets import find_onsets
from innerear.metrics.measure import Sound, SoundMetric, Value
from innerear.records import Probe

Floats = NDArray[np.float64]

SAMPLE_RATE = 44_100  # Hz
PITCH_RATE = 16_000  # Hz
N_FFT, HOP = 2048, 1024  # samples: 46 ms, 23 ms
FMIN_HZ, FMAX_HZ = 50.0, 16_000.0
RANGE_DB = 40.0  # below the loudest, where a sound is active
ROLLOFF = 0.85
BLOCK_S = 0.01  # of the envelope
SLOWEST_HZ, FASTEST_HZ = 0.5, 40.0  # of its modulation
RISE_DB = (20.0, 3.0)  # an attack goes from so far below the loudest to so far
SMOOTH = 3  # blocks of the envelope, of which an attack is read

WORDS: dict[str, tuple[str, str]] = {
    "centroid_hz": ("too dark", "too bright"),
    "bandwidth_hz": ("too narrow", "too broad"),
    "flatness": ("too tonal", "too noisy"),
    "rolloff_hz": ("no treble", "too much treble"),
    "harmonicity": ("no pitch", "too clearly pitched"),
    "onset_rate_hz": ("too few onsets", "too many onsets"),
    "active_share": ("too much silence", "no pauses"),
    "attack_s": ("too sudden", "no attack"),
    "loudness_range_db": ("too even", "too uneven"),
    "modulation_hz": ("wavers too slowly", "wavers too fast"),
}
"""The descriptors, and what a clip is that lies below or above the range."""

SHARES = {"flatness", "harmonicity", "active_share"}
"""Descriptors between 0 and 1, on an axis of log odds; the others on one of logarithms."""
LEAST_SHARE, MOST_SHARE = 1e-5, 0.99  # where log odds end: a pause of 10 ms in a second is none
NEAR_ZERO = {"onset_rate_hz": 0.1, "attack_s": 0.005, "loudness_range_db": 1.0}
"""Added before the logarithm."""


def descriptors(clip: Clip) -> dict[str, float] | None:
    """The ten descriptors of a clip; `None` for silence.

    Spectral ones over the mean power of what is active (within 40 dB of the loudest), 50 Hz to 16 kHz;
    flatness (geometric over arithmetic mean) and harmonicity (the clarity of McLeod and Wyvill's
    period, 0 to 1) are medians of frames. Onsets are counted by the second of what lies between
    the first and the last active moment. The attack is the time from 20 to 3 dB below the loudest
    moment, read over 30 ms; the loudness range is between 10 and 95 % of the levels of what
    is active; the modulation is the strongest line of the envelope's spectrum, 0.5 to 40 Hz.
    """
    samples = clip.at(SAMPLE_RATE)
    if not len(samples) or float(np.abs(samples).max()) < 1e-4:
        return None
    level = _envelope(samples)
    active = level > level.max() - RANGE_DB
    first, last = np.flatnonzero(active)[[0, -1]]
    span_s = float(last - first + 1) * BLOCK_S
    found = _spectral(samples)
    return found | {
        "harmonicity": _harmonicity(clip.at(PITCH_RATE)),
        "onset_rate_hz": len(find_onsets(samples)) / max(span_s, 0.5),
        "active_share": float(active.mean()),
        "attack_s": _attack(level),
        "loudness_range_db": float(np.subtract(*np.percentile(level[active], [95, 10]))),
        "modulation_hz": _modulation(level[first : last + 1]),
    }


def _envelope(samples: NDArray[np.float32]) -> Floats:
    """Level in dB of each 10 ms."""
    block = round(BLOCK_S * SAMPLE_RATE)
    padded = np.pad(samples, (0, -len(samples) % block)).astype(np.float64)
    power = np.mean(padded.reshape(-1, block) ** 2, axis=1)
    return np.asarray(10 * np.log10(np.maximum(power, 1e-12)))


def _spectral(samples: NDArray[np.float32]) -> dict[str, float]:
    import scipy.fft

    padded = np.pad(samples, (0, max(0, N_FFT - len(samples))))
    frames = np.lib.stride_tricks.sliding_window_view(padded, N_FFT)[::HOP]
    power = np.abs(scipy.fft.rfft(frames * np.hanning(N_FFT).astype(np.float32), axis=1)).astype(np.float64) ** 2
    hz = np.fft.rfftfreq(N_FFT, 1 / SAMPLE_RATE)
    inside = (hz >= FMIN_HZ) & (hz <= FMAX_HZ)
    power, hz = power[:, inside] + 1e-12, hz[inside]
    energy = power.sum(axis=1)
    power = power[energy > energy.max() * 10 ** (-RANGE_DB / 10)]
    mean = power.mean(axis=0) / power.mean(axis=0).sum()
    centroid = float(mean @ hz)
    return {
        "centroid_hz": centroid,
        "bandwidth_hz": float(np.sqrt(mean @ (hz - centroid) ** 2)),
        "flatness": float(np.median(np.exp(np.log(power).mean(axis=1)) / power.mean(axis=1))),
        "rolloff_hz": float(hz[np.searchsorted(np.cumsum(mean), ROLLOFF)]),
    }


def _harmonicity(samples: NDArray[np.float32]) -> float:
    track = track_f0(samples, PITCH_RATE, hop_s=0.05)
    loud = track.level_db > track.level_db.max() - RANGE_DB
    return float(np.median(track.clarity[loud]))


def _attack(level: Floats) -> float:
    smooth = 10 * np.log10(np.convolve(10 ** (level / 10), np.ones(SMOOTH) / SMOOTH, "same"))
    top = int(smooth.argmax())
    low = np.flatnonzero(smooth[: top + 1] < smooth[top] - RISE_DB[0])
    start = int(low[-1]) + 1 if len(low) else 0
    return int(np.argmax(smooth[start : top + 1] >= smooth[top] - RISE_DB[1])) * BLOCK_S


def _modulation(level: Floats) -> float:
    """The rate in hertz of the strongest line in the spectrum of the envelope (its square root)."""
    amplitude = 10 ** (level / 40)
    n = max(len(amplitude), 100)
    size = 4 * n
    power = np.abs(np.fft.rfft((amplitude - amplitude.mean()) * np.hanning(len(amplitude)), size)) ** 2
    rates = np.fft.rfftfreq(size, BLOCK_S)
    searched = (rates >= max(SLOWEST_HZ, 1 / (n * BLOCK_S))) & (rates <= FASTEST_HZ)
    return float(rates[int(np.argmax(np.where(searched, power, -1.0)))])


def warp(name: str, value: float) -> float:
    """A descriptor on the axis on which its range is taken."""
    if name in SHARES:
        share = min(max(value, LEAST_SHARE), MOST_SHARE)
        return float(np.log(share / (1 - share)))
    return float(np.log(max(value, 0.0) + NEAR_ZERO.get(name, 0.0) + 1e-9))


def unwarp(name: str, place: float) -> float:
    """The descriptor at a place of its axis."""
    if name in SHARES:
        return float(1 / (1 + np.exp(-place)))
    return float(np.exp(place) - NEAR_ZERO.get(name, 0.0))


Range = tuple[float, float]


class Ranges(msgspec.Struct, frozen=True):
    """`plausibility.json`.

    `of`: by class, or `instrument:FAMILY`, the range of each descriptor. `n`: of how many recordings.
    `inside`: the mean share inside for recordings held back and for what is no such sound.
    """

    version: int
    n: dict[str, int]
    of: dict[str, dict[str, Range]]
    inside: dict[str, dict[str, float]]


def shipped_path() -> Path:
    """Where the shipped ranges lie."""
    return Path(str(resources.files(__package__).joinpath("plausibility.json")))


@functools.cache
def shipped() -> Ranges:
    """The shipped ranges."""
    return msgspec.json.decode(shipped_path().read_bytes(), type=Ranges)


def sort_of(probe: Probe) -> str | None:
    """The class or `instrument:FAMILY` of which recordings a probe's sound is held against."""
    for check in probe.expect:
        match check:
            case Label(label=label):
                return label
            case Instrument(family=family):
                return f"instrument:{family}"
    return None


def judge(found: dict[str, float], ranges: dict[str, Range]) -> Value:
    """The share of descriptors inside, and which are outside as [value, low, high, what that is]."""
    outside: dict[str, list[float | str]] = {}
    for name, (low, high) in ranges.items():
        if not low <= found[name] <= high:
            outside[name] = [_short(found[name]), low, high, WORDS[name][found[name] > high]]
    said = ", ".join(str(row[3]) for row in outside.values())
    return Value(1 - len(outside) / len(ranges), None, said, {"outside": outside, "n": len(ranges)})


def _short(value: float) -> float:
    return float(f"{value:.4g}")


class Plausibility(SoundMetric):
    """The share of ten descriptors that lie within the ranges of real recordings of what was asked."""

    name, version, unit = "plausibility", 1, "share inside"

    def applies(self, probe: Probe) -> bool:
        """To sounds of an environment class, and of an instrument family, of which there were recordings."""
        return sort_of(probe) in shipped().of

    def measure(self, sound: Sound) -> Value:
        """The detail names what is outside: value, low and high end of the range, and a word for it."""
        assert sound.clip is not None
        sort = sort_of(sound.probe)
        assert sort is not None
        found = descriptors(sound.clip)
        if found is None:
            return Value(None, None, "silence has no descriptors")
        return judge(found, shipped().of[sort])
