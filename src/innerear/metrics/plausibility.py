"""The metric `plausibility`: share of ten descriptors within the range of real recordings.

For each environment class and instrument family, a descriptor's range covers 90 % of recordings: 5 to
95 % of a Gaussian on a logarithmic (or log-odds) axis. There are few recordings per class (six are not
held back), so the variance is shrunk towards the pooled variance of all classes, and the range is a
prediction interval. `plausibility.json` has the ranges; `innerear checks fit` rebuilds them. The metric
names descriptors out of range but judges nothing: a clip within every range may still be something else.
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Iterator, Sequence
from importlib import resources
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from innerear.checks import Instrument, Label
from innerear.clip import Clip
from innerear.dsp.f0 import track_f0
from innerear.dsp.onsets import find_onsets
from innerear.metrics.base import Sound, SoundMetric, Value
from innerear.metrics.group import Group
from innerear.records import Measurement, Probe, Score, Signature

Floats = NDArray[np.float64]

SAMPLE_RATE = 44_100  # Hz
PITCH_RATE = 16_000  # Hz
N_FFT, HOP = 2048, 1024  # samples: 46 ms, 23 ms
FMIN_HZ, FMAX_HZ = 50.0, 16_000.0
RANGE_DB = 40.0  # a sound is active within this of its maximum
ROLLOFF = 0.85
BLOCK_S = 0.01  # of the envelope
SLOWEST_HZ, FASTEST_HZ = 0.5, 40.0  # of its modulation
RISE_DB = (20.0, 3.0)  # start and end of an attack, below the maximum
SMOOTH = 3  # blocks; smoothing of the envelope for attacks

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
"""The descriptors, and what a value below or above the range means."""

SHARES = {"flatness", "harmonicity", "active_share"}
"""Descriptors between 0 and 1, on a log-odds axis; the others are on a logarithmic one."""
LEAST_SHARE, MOST_SHARE = 1e-5, 0.99  # limits of the log odds: a pause of 10 ms per second does not count
NEAR_ZERO = {"onset_rate_hz": 0.1, "attack_s": 0.005, "loudness_range_db": 1.0}
"""Added before the logarithm."""


def descriptors(clip: Clip) -> dict[str, float] | None:
    """Compute the ten descriptors of a clip; `None` for silence.

    Spectral descriptors use the mean power spectrum of active frames (within 40 dB of the maximum), 50 Hz
    to 16 kHz; flatness (geometric over arithmetic mean) and harmonicity (clarity of the period by McLeod
    and Wyvill, 0 to 1) are medians over frames. The onset rate is per second between the first and last
    active block. Attack: time from 20 to 3 dB below the maximum of the level, smoothed over 30 ms.
    Loudness range: 10th to 95th percentile of active levels. Modulation: strongest line in the
    envelope's spectrum, 0.5 to 40 Hz.
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
    """Level in dB per block of 10 ms."""
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
    """Rate in Hz of the strongest line in the spectrum of the envelope (its square root)."""
    amplitude = 10 ** (level / 40)
    n = max(len(amplitude), 100)
    size = 4 * n
    power = np.abs(np.fft.rfft((amplitude - amplitude.mean()) * np.hanning(len(amplitude)), size)) ** 2
    rates = np.fft.rfftfreq(size, BLOCK_S)
    searched = (rates >= max(SLOWEST_HZ, 1 / (n * BLOCK_S))) & (rates <= FASTEST_HZ)
    return float(rates[int(np.argmax(np.where(searched, power, -1.0)))])


def warp(name: str, value: float) -> float:
    """Map a descriptor to its axis, logarithmic or log-odds."""
    if name in SHARES:
        share = min(max(value, LEAST_SHARE), MOST_SHARE)
        return float(np.log(share / (1 - share)))
    return float(np.log(max(value, 0.0) + NEAR_ZERO.get(name, 0.0) + 1e-9))


def unwarp(name: str, warped: float) -> float:
    """The inverse of `warp`."""
    if name in SHARES:
        return float(1 / (1 + np.exp(-warped)))
    return float(np.exp(warped) - NEAR_ZERO.get(name, 0.0))


Range = tuple[float, float]


class Ranges(msgspec.Struct, frozen=True):
    """`plausibility.json`.

    `of`: range of each descriptor by class or `instrument:FAMILY`. `n`: number of recordings. `inside`: mean
    share in range, for held-back recordings and for other sounds.
    """

    version: int
    n: dict[str, int]
    of: dict[str, dict[str, Range]]
    inside: dict[str, dict[str, float]]


def shipped_path() -> Path:
    """Path of the bundled ranges."""
    return Path(str(resources.files(__package__).joinpath("plausibility.json")))


@functools.cache
def shipped() -> Ranges:
    """The bundled ranges."""
    return msgspec.json.decode(shipped_path().read_bytes(), type=Ranges)


def sort_of(probe: Probe) -> str | None:
    """The class or `instrument:FAMILY` whose recordings a probe's sound is compared with."""
    for check in probe.expect:
        match check:
            case Label(label=label):
                return label
            case Instrument(family=family):
                return f"instrument:{family}"
    return None


def judge(found: dict[str, float], ranges: dict[str, Range]) -> Value:
    """The share of descriptors in range, and those out of range as [value, low, high, description]."""
    outside: dict[str, list[float | str]] = {}
    for name, (low, high) in ranges.items():
        if not low <= found[name] <= high:
            outside[name] = [_short(found[name]), low, high, WORDS[name][found[name] > high]]
    said = ", ".join(str(row[3]) for row in outside.values())
    return Value(1 - len(outside) / len(ranges), None, said, {"outside": outside, "n": len(ranges)})


def _short(value: float) -> float:
    return float(f"{value:.4g}")


class Plausibility(SoundMetric):
    """Share of ten descriptors within the ranges of real recordings of the requested sound."""

    name, version, unit = "plausibility", 1, "share inside"
    label = "Plausibility"
    text = "Share of descriptors within the range of real recordings."
    better = "higher"
    fitted = "plausibility.json"

    def applies(self, probe: Probe) -> bool:
        """Whether there are recordings of the probe's environment class or instrument family."""
        return sort_of(probe) in shipped().of

    def measure(self, sound: Sound) -> Value:
        """Detail: descriptors out of range, with value, range and description."""
        assert sound.clip is not None
        sort = sort_of(sound.probe)
        assert sort is not None
        found = descriptors(sound.clip)
        if found is None:
            return Value(None, None, "silence has no descriptors")
        return judge(found, shipped().of[sort])

    def combine(self, group: Group, rows: Sequence[tuple[str, Measurement]]) -> Iterator[Score]:
        """The mean share in range, with its floors and ceiling, and counts of the descriptors outside."""
        if rows:
            known = shipped().inside.get(group.tier, {})
            outside = Counter(str(ends[3]) for _, row in rows for ends in row.detail.get("outside", {}).values())
            yield group.average(
                "plausibility", [(probe, row.value) for probe, row in rows], len(rows),
                Signature.of("plausibility", v=1).plus("mean"),
                share=True, unit=self.unit, better=self.better, ceiling={"real_clips": known.get("real")},
                floor={name: share for name, share in known.items() if name != "real"},
                detail={"outside": dict(outside.most_common())}, note="not in headlines",
            )  # fmt: skip
