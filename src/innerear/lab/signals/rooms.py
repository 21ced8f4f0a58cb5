"""Trial sounds for `echo` and `decay_time`: walls and rooms."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from innerear import checks
from innerear.clip import Clip
from innerear.lab.signals.tools import RATES, duller, finished, floors, pop, seconds
from innerear.lab.sounds import Floats, mix
from innerear.lab.tools import Rng
from innerear.metrics.verified import Trial


def echo(rng: Rng, turn: int) -> Iterator[Trial]:
    """A pop and its echo from a wall: the same pop or another, duller and weaker; also a train of fainter echoes."""
    rate = int(rng.choice(RATES))
    sort = ("click", "clap", "balloon")[turn % 3]
    delay_s, at_s = rng.uniform(0.2, 1.2), rng.choice([0, 0.1, 0.3])
    check = checks.Echo(delay_s=round(delay_s, 4), tolerance=0.03)
    first = pop(sort, rate, rng)
    again = duller(first if turn % 2 else pop(sort, rate, rng), rate, rng.uniform(1500, 9000))
    gain = 10 ** (-rng.uniform(4, 35) / 20) * np.abs(first).max() / np.abs(again).max()
    tail_s = rng.uniform(0.1, 0.4)
    outdoors = (
        0.003 * rng.standard_normal(round(tail_s * rate)) * np.exp(-np.arange(round(tail_s * rate)) / rate / 0.05)
    )
    duration_s = 2.6 * delay_s + at_s + 0.3

    def sound(echoes: Sequence[tuple[float, float]]) -> Clip:
        parts = [(at_s, first), (at_s, outdoors * np.abs(first).max())]
        parts += [(at_s + d, again * gain * g) for d, g in echoes]
        return finished(mix(parts, duration_s, rate), rate, rng, (35, 70))

    echoes = [(delay_s, 1.0)] + ([(2 * delay_s, 0.3)] if turn % 4 == 0 else [])
    yield Trial("synthetic", check, sound(echoes), sort)
    yield Trial("no echo", check, sound([]))
    yield Trial("half the delay", check, sound([(delay_s / 2, 1.0)]))
    yield Trial("half and whole", check, sound([(delay_s / 2, 1.0), (delay_s, 0.5)]))
    yield Trial("twice the delay", check, sound([(2 * delay_s, 1.0)]))
    yield Trial("10 % off", check, sound([(delay_s * rng.choice([0.9, 1.1]), 1.0)]))
    beats = np.arange(at_s, duration_s - 0.1, delay_s)
    yield Trial("regular claps", check, finished(mix([(b, first) for b in beats], duration_s, rate), rate, rng))
    parts = [(at_s, 0.3 * first), (at_s + delay_s, first)]
    yield Trial("louder than the clap", check, finished(mix(parts, duration_s, rate), rate, rng))
    tail = tail_noise(duration_s, delay_s * 2, rate, rng)
    yield Trial("reverberation", check, finished(mix([(at_s, tail)], duration_s, rate), rate, rng))
    yield from floors(check, duration_s, rng)


def tail_noise(duration_s: float, t60_s: float, rate: int, rng: Rng) -> Floats:
    """Noise that decays by 60 dB in T60."""
    t = seconds(duration_s, rate)
    return rng.standard_normal(len(t)) * 10 ** (-3 * t / t60_s)


def comb_room(duration_s: float, t60_s: float, rate: int, rng: Rng) -> Floats:
    """The impulse response of eight combs and four all-passes: M. Schroeder, "Natural sounding artificial
    reverberation", J. Audio Eng. Soc. 10, 1962. Each comb decays by 60 dB in T60.
    """
    from scipy.signal import lfilter

    impulse = np.zeros(round(duration_s * rate))
    impulse[0] = 1.0
    total = np.zeros(len(impulse))
    for _ in range(8):
        delay = round(rng.uniform(0.025, 0.05) * rate)
        a = np.zeros(delay + 1)
        a[0], a[-1] = 1, -(10 ** (-3 * delay / rate / t60_s))
        total += lfilter([1], a, impulse)
    for delay_s in (0.0051, 0.0017, 0.0031, 0.0007):
        delay = max(1, round(delay_s * rate))
        b, a = np.zeros(delay + 1), np.zeros(delay + 1)
        b[0], b[-1], a[0], a[-1] = -0.7, 1, 1, -0.7
        total = lfilter(b, a, total)
    return total


def decay_time(rng: Rng, turn: int) -> Iterator[Trial]:
    """Decaying noise and Schroeder's combs, excited by a pop; wrong by a factor, straight fades, tones, no room."""
    from scipy.signal import fftconvolve

    rate = int(rng.choice(RATES))
    t60_s = float(np.exp(rng.uniform(np.log(0.4), np.log(6))))
    duration_s = max(1.0, t60_s * rng.uniform(1.0, 1.6))
    check = checks.DecayTime(t60_s=round(t60_s, 2), tolerance=float(rng.choice([0.15, 0.2])))
    at_s = float(rng.choice([0, 0.1]))
    first = pop(("click", "clap", "balloon")[turn % 3], rate, rng)
    lead = 10 ** (rng.uniform(-10, 10) / 20)  # of the pop over its reverberation

    def sound(tail: Floats, noise_db: tuple[float, float] = (40, 70), wet: bool = True) -> Clip:
        tail = tail / np.abs(tail).max()
        if wet:
            tail = fftconvolve(tail, first)[: len(tail)]
            tail = tail / np.abs(tail).max()
        parts = [(at_s, tail), (at_s, lead * first / np.abs(first).max())]
        return finished(mix(parts, duration_s + at_s, rate), rate, rng, noise_db)

    if turn % 2:
        yield Trial("synthetic", check, sound(tail_noise(duration_s, t60_s, rate, rng)), "noise")
    else:
        yield Trial("synthetic", check, sound(comb_room(duration_s, t60_s, rate, rng)), "combs")
    for column, factor in (
        ("half as long", 0.5),
        ("0.7 as long", 0.7),
        ("1.4 as long", 1.4),
        ("twice as long", 2.0),
    ):
        yield Trial(column, check, sound(tail_noise(duration_s, factor * t60_s, rate, rng)))
    t = seconds(duration_s, rate)
    for column, length in (("straight fade", 1.0), ("short straight fade", 0.66)):
        fade = np.maximum(1 - t / min(length * t60_s, duration_s), 0)
        yield Trial(column, check, sound(rng.standard_normal(len(t)) * fade, wet=False))
    held = rng.standard_normal(len(t)) * (t < 0.8 * min(t60_s, duration_s))
    yield Trial("held, then cut", check, sound(held, wet=False))
    tones = rng.uniform(300, 1500, 1 + turn % 4)
    ringing = np.sin(2 * np.pi * np.outer(t, tones)).sum(axis=1) * 10 ** (-3 * t / t60_s)
    yield Trial("ringing tone", check, sound(ringing, (50, 70), wet=False))
    dry = tail_noise(duration_s, 0.1, rate, rng)
    yield Trial("no room", check, sound(dry))
    yield from floors(check, duration_s, rng)
