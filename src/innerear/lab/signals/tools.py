"""What the trial sounds of signals and physics share: sample rates, levels, clicks, and sounds that are none."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from innerear import checks
from innerear.checks import Check
from innerear.clip import Clip
from innerear.lab import sounds as make
from innerear.lab.sounds import Floats
from innerear.lab.tools import Rng, seeded, slope_noise
from innerear.metrics.verified import Trial

RATES = (8000, 11_025, 16_000, 22_050, 44_100, 48_000)  # Hz


def finished(samples: Floats, rate: int, rng: Rng, noise_db: tuple[float, float] = (25, 60)) -> Clip:
    """As a clip at a level of its own, in white noise so many dB below its RMS."""
    rms = float(np.sqrt(np.mean(samples**2)))
    noisy = samples + rng.standard_normal(len(samples)) * rms * 10 ** (-rng.uniform(*noise_db) / 20)
    peak = 10 ** (-rng.uniform(1, 26) / 20)
    return Clip((noisy * peak / max(float(np.abs(noisy).max()), 1e-9)).astype(np.float32)[None], rate)


def seconds(duration_s: float, rate: int) -> Floats:
    """The times of the samples."""
    return np.arange(round(duration_s * rate)) / rate


def gate(spans: Sequence[tuple[float, float]], duration_s: float, rate: int, edge_s: float) -> Floats:
    """1 in the spans (seconds) and 0 outside, with linear edges inside them."""
    t = seconds(duration_s, rate)
    total = np.zeros(len(t))
    for start, end in spans:
        inside = (t >= start) & (t < end)
        total[inside] = np.minimum((t[inside] - start + 1 / rate), (end - t[inside])) / max(edge_s, 1 / rate)
    return np.clip(total, 0, 1)


def floors(check: Check, duration_s: float, rng: Rng) -> Iterator[Trial]:
    """A sweep and random clicks asked to be something."""
    rate = int(rng.choice(RATES[2:]))
    t = seconds(duration_s, rate)
    low, high = rng.uniform(100, 400), rng.uniform(2500, 6000)
    sweep = np.sin(2 * np.pi * np.cumsum(low * (high / low) ** (t / duration_s)) / rate)
    yield Trial("sweep", check, finished(sweep, rate, rng))
    if not isinstance(check, checks.Arrivals):
        hits = np.sort(rng.uniform(0, duration_s - 0.05, rng.integers(4, 30)))
        yield Trial("random clicks", check, finished(hits_at(hits, "burst", duration_s, rate, rng), rate, rng))


def nothing(check: Check, duration_s: float) -> Iterator[Trial]:
    """Silence, and white, pink or brown noise, for kinds that are verified in several variants."""
    rng = seeded("nothing", repr(check))
    yield Trial("silence", check, make.silence(duration_s))
    yield Trial("noise", check, slope_noise(float(rng.integers(3)), duration_s, rng))


def pop(sort: str, rate: int, rng: Rng) -> Floats:
    """A short loud sound: a click, a hand clap (three bursts in 25 ms) or a balloon (a thump and hiss)."""
    t = seconds(0.08, rate)
    hiss = rng.standard_normal(len(t))
    if sort == "click":
        return hiss * np.exp(-t / 0.001)
    if sort == "clap":
        starts = (0, rng.uniform(0.006, 0.011), rng.uniform(0.014, 0.025))
        return hiss * sum(
            np.exp(-np.maximum(t - s, 0) / 0.006) * (t >= s) * (0.5 + 0.25 * i) for i, s in enumerate(starts)
        )
    return np.sin(2 * np.pi * rng.uniform(150, 400) * t) * np.exp(-t / 0.012) + hiss * np.exp(-t / 0.004)


def duller(samples: Floats, rate: int, hz: float) -> Floats:
    """Through a first-order low-pass."""
    from scipy.signal import butter, sosfilt

    return np.asarray(sosfilt(butter(1, min(hz, 0.45 * rate), fs=rate, output="sos"), samples))


def hits_at(
    times_s: Sequence[float] | Floats, sort: str, duration_s: float, rate: int, rng: Rng, spread_db: float = 3
) -> Floats:
    """Clicks at times: single samples, bursts of noise, tones that ring for 2 to 6 ms, or square ticks."""
    t = seconds(0.03, rate)
    tau, hz = rng.uniform(0.0006, 0.003), rng.uniform(1000, min(4000, 0.4 * rate))
    parts = []
    for at_s in times_s:
        match sort:
            case "sample":
                hit = (t == 0) * 1.0
            case "burst":
                hit = rng.standard_normal(len(t)) * np.exp(-t / tau)
            case "ring":
                hit = np.sin(2 * np.pi * hz * t + 0.3) * np.exp(-t / (2 * tau))
            case _:
                hit = np.where(t < 0.001, 1.0, np.where(t < 0.002, -0.6, 0.0))
        parts.append((float(at_s), hit * 10 ** (rng.normal(0, spread_db) / 20)))
    return make.mix(parts, duration_s, rate)
