"""Trial sounds for `rate`: regular events, engines and hums."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from innerear import checks
from innerear.clip import Clip
from innerear.lab.signals.tools import RATES, duller, finished, floors, nothing, seconds
from innerear.lab.sounds import Floats, mix
from innerear.lab.tools import Rng, seeded
from innerear.metrics.verified import Trial


def _events(sort: str, times_s: Floats, period_s: float, duration_s: float, rate: int, rng: Rng) -> Floats:
    """Events at times: ticks, tick and tock, an escapement, chirps, waves of surf, the slap of rotor blades."""
    t = seconds(min(0.12, period_s), rate)
    parts: list[tuple[float, Floats]] = []
    base = np.zeros(round(duration_s * rate))
    hz = rng.uniform(800, 2500)
    for i, at_s in enumerate(times_s):
        match sort:
            case "ticks":
                parts.append((at_s, rng.standard_normal(len(t)) * np.exp(-t / 0.003)))
            case "tick and tock":
                low = i % 2
                tone = np.sin(2 * np.pi * hz * (0.7 if low else 1) * t) * np.exp(-t / 0.012)
                parts.append((at_s, tone * (0.5 if low else 1)))
            case "escapement":
                for lag_s, gain in ((0, 0.4), (0.004, 0.7), (0.009, 1.0)):
                    hit = np.sin(2 * np.pi * 1.5 * hz * t) * np.exp(-t / 0.0015)
                    parts.append((at_s + lag_s, gain * hit * (0.7 if i % 2 else 1)))
            case "chirps":
                syllable = seconds(0.045 * period_s, rate)
                wave = np.sin(2 * np.pi * 0.35 * min(rate, 14_000) * syllable)
                shaped = wave * np.sin(np.pi * np.arange(len(wave)) / len(wave)) ** 2
                parts += [(at_s + k * 0.085 * period_s, (0.6 + 0.13 * k) * shaped) for k in range(4)]
            case "waves":
                far = seconds(duration_s, rate) - at_s - 0.4 * period_s
                rise, fall = 0.15 * period_s, 0.22 * period_s
                base += rng.uniform(0.7, 1) * np.exp(-((far / np.where(far < 0, rise, fall)) ** 2))
            case "blades":
                far = seconds(duration_s, rate) - at_s - 0.2 * period_s
                base += np.exp(-((far / (0.12 * period_s)) ** 2))
    if sort in ("waves", "blades"):
        hiss = duller(rng.standard_normal(len(base)), rate, 600 if sort == "blades" else 2000)
        return hiss * (base + rng.uniform(0.05, 0.25))
    return mix(parts, duration_s, rate)


def rate_events(rng: Rng, turn: int) -> Iterator[Trial]:
    """Regular events below 20 Hz, and what they are not."""
    sort = ("ticks", "tick and tock", "escapement", "chirps", "waves", "blades")[turn % 6]
    rate = int(rng.choice(RATES[2:]))
    lowest, highest, tolerance, jitter = {
        "ticks": (0.7, 10, 0.02, 0.01), "tick and tock": (0.8, 6, 0.01, 0.004), "escapement": (3, 10, 0.01, 0.004),
        "chirps": (0.8, 4, 0.08, 0.04), "waves": (0.1, 0.4, 0.12, 0.04), "blades": (6, 19, 0.03, 0.004),
    }[sort]  # fmt: skip
    hz = float(np.exp(rng.uniform(np.log(lowest), np.log(highest))))
    check = checks.Rate(hz=round(hz, 3), tolerance=tolerance)
    count = int(rng.integers(3, 5)) if sort == "waves" else int(rng.integers(8, 30))
    duration_s = count / hz

    def sound(times_s: Floats, factor: float = 1.0) -> Clip:
        times_s = times_s[(times_s >= 0) & (times_s < duration_s - 0.02 / hz)]
        return finished(_events(sort, times_s, 1 / hz / max(factor, 1), duration_s, rate, rng), rate, rng, (15, 50))

    def even(factor: float) -> Floats:
        n = np.arange(int(duration_s * hz * factor) + 1)
        return np.asarray((n + jitter * rng.uniform(-1, 1, len(n)) + rng.uniform(0, 0.3) * (n[0] == 0)) / (hz * factor))

    yield Trial("synthetic", check, sound(even(1)), sort)
    if count >= 6:
        yield Trial("half the rate", check, sound(even(0.5), 0.5), sort)
    yield Trial("twice the rate", check, sound(even(2), 2), sort)
    yield Trial("three times", check, sound(even(3), 3), sort)
    off = 1 + rng.choice([-1, 1]) * max(2.5 * tolerance, 0.05)
    yield Trial("a little off", check, sound(even(off), off), sort)
    yield Trial("1.5 times", check, sound(even(1.5), 1.5), sort)
    if count >= 6:
        yield Trial("at random", check, sound(np.sort(rng.uniform(0, duration_s, count))), sort)
        x = np.arange(count) / count
        yield Trial("faster and faster", check, sound(duration_s * (1 - (1 - x) ** 1.7)), sort)
    t = seconds(duration_s, rate)
    yield Trial("steady tone", check, finished(np.sin(2 * np.pi * 300 * t), rate, rng))
    yield from floors(check, duration_s, rng)
    yield from nothing(check, duration_s)


def _engine(hz: float, duration_s: float, rate: int, rng: Rng, sort: str, cylinders: int) -> Floats:
    """Periodic sounds: an engine's pulses (cylinders differ), bursts of noise, half orders, a hum, a sine."""
    t = seconds(duration_s, rate)
    if sort == "sine":
        return np.sin(2 * np.pi * hz * t)
    if sort == "hum":
        of_hum = (1, rng.uniform(0.3, 1), rng.uniform(0.1, 0.6), rng.uniform(0.05, 0.4), 0.1)
        return np.asarray(sum(a * np.sin(2 * np.pi * n * hz * t + n * n) for n, a in enumerate(of_hum, 1)))
    if sort == "partials":
        total = sum(np.sin(2 * np.pi * n * hz * t + rng.uniform(0, 6)) / n for n in range(1, 9))
        for n in range(1, 3 * cylinders):
            if n % cylinders:
                total = total + 0.12 / (1 + n / cylinders) * np.sin(
                    2 * np.pi * n * hz / cylinders * t + rng.uniform(0, 6)
                )
        return np.asarray(total)
    levels = rng.uniform(0.75, 1, cylinders)
    count = int(duration_s * hz)
    times = (np.arange(count) + rng.normal(0, 0.01, count)) / hz
    tau, body_hz = 0.25 / hz, rng.uniform(80, 250)
    short = seconds(min(2 / hz, 0.1), rate)
    parts = []
    for i, at_s in enumerate(times):
        wave = np.sin(2 * np.pi * body_hz * short) if sort == "pulses" else rng.standard_normal(len(short))
        parts.append((max(float(at_s), 0.0), levels[i % cylinders] * wave * np.exp(-short / tau)))
    return mix(parts, duration_s, rate) + 0.05 * rng.standard_normal(len(t))


def rate_period(rng: Rng, turn: int) -> Iterator[Trial]:
    """Engines and hums from 20 Hz, and what they are not."""
    sort = ("pulses", "bursts", "partials", "hum", "sine")[turn % 5]
    rate = int(rng.choice(RATES[2:]))
    hz = float(np.exp(rng.uniform(np.log(22), np.log(160))))
    cylinders = int(rng.choice([1, 2, 3, 4, 8]))
    check = checks.Rate(hz=round(hz, 3), tolerance=float(rng.choice([0.01, 0.02])))
    duration_s = rng.uniform(2, 5)

    def sound(factor: float, cylinders: int = cylinders) -> Clip:
        return finished(_engine(hz * factor, duration_s, rate, rng, sort, cylinders), rate, rng, (20, 60))

    yield Trial("synthetic", check, sound(1), f"{sort}, {cylinders}")
    yield Trial("half the rate", check, sound(0.5, 1), sort)
    yield Trial("twice the rate", check, sound(2, 1), sort)
    yield Trial("a quarter", check, sound(0.25, 1), sort)
    yield Trial("three times", check, sound(3, 1), sort)
    yield Trial("5 % off", check, sound(1 + rng.choice([-0.05, 0.05])), sort)
    yield Trial("1.5 times", check, sound(1.5), sort)
    t = seconds(duration_s, rate)
    yield Trial("buzz at half the rate", check, finished(np.sign(np.sin(np.pi * hz * t)), rate, rng))
    yield from floors(check, duration_s, rng)
    yield from nothing(check, duration_s)


def rate(rng: Rng, turn: int) -> Iterator[Trial]:
    """Events and periods, at half, double and other rates."""
    yield from rate_events(seeded("rate", "events", turn), turn)
    yield from rate_period(seeded("rate", "period", turn), turn)
