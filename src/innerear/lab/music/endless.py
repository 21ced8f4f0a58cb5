"""Trial sounds for `shepard`: scales and glissandi that rise for ever."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from innerear import checks
from innerear.clip import Clip
from innerear.lab import sounds as make
from innerear.lab.sounds import Bank
from innerear.lab.tools import Pairs, Rng, seeded
from innerear.metrics.verified import Trial


def shepard(pairs: Pairs, bank: Bank | None) -> Iterator[Trial]:
    """Shepard scales and glissandi under several envelopes; plain, wrapped and octave-doubled scales …"""
    for turn in range(7):
        for tones, step, per_s in (
            (12, 1.0, False),
            (12, -1.0, False),
            (6, 2.0, False),
            (None, -1.5, True),
            (None, 2.0, True),
        ):
            rng = seeded("shepard", turn, tones, step)
            check = checks.Shepard(tones=tones, step_semitones=step, per_s=per_s)
            duration_s = tones * float(rng.uniform(0.35, 0.7)) if tones else 12 / abs(step)
            yield Trial("synthetic", check, endless(check, duration_s, rng), "")
            wrong = {
                "plain scale": {"octaves": 1}, "harmonic scale": {"harmonic": True},
                "octave-doubled scale": {"fixed": False},
                "wrapped sine": {"wrapped": True}, "the other way": {"speed": -1.0}, "standing still": {"speed": 0.0},
                "half as fast": {"speed": 0.5}, "fifths apart": {"apart": 7 / 12},
            }  # fmt: skip
            for kind, how in wrong.items():
                yield Trial(kind, check, endless(check, duration_s, rng, **how), "")  # type: ignore[arg-type]


def endless(
    check: checks.Shepard, duration_s: float, rng: Rng, octaves: int = 0, harmonic: bool = False, fixed: bool = True,
    wrapped: bool = False, speed: float = 1.0, apart: float = 1.0,
) -> Clip:  # fmt: skip
    """Components `apart` octaves from one another under an envelope that is `fixed`; `speed`: 1 as asked."""
    t = make.seconds(duration_s)
    if check.tones:
        place = np.minimum((t / duration_s * check.tones).astype(int), check.tones - 1)
        moved = speed * check.step_semitones / 12 * place
        phase = (t / duration_s * check.tones) % 1 * duration_s / check.tones
        gate = np.clip(np.minimum(phase / 0.01, (duration_s / check.tones * rng.uniform(0.8, 1) - phase) / 0.02), 0, 1)
    else:
        moved, gate = speed * check.step_semitones / 12 * t, np.clip(np.minimum(t, duration_s - t) / 0.02, 0, 1)
    lowest, count = rng.uniform(27, 40), int(rng.integers(7, 10))
    centre, width = rng.uniform(3.5, 5), rng.uniform(0.7, 1.6)
    cosine = rng.random() < 0.4
    total = np.zeros(len(t))
    if wrapped or octaves == 1 or harmonic:
        f0 = 220 * 2 ** (moved % 1 if wrapped else moved)
        total = make.partials(f0, t, [1 / n for n in range(1, 9)] if harmonic else [1.0])
    else:
        for number in range(count):
            octave = (number * apart + moved) % count if fixed else number * 0.8 + moved
            level = (
                0.5 - 0.5 * np.cos(2 * np.pi * octave / count)
                if cosine
                else np.exp(-(((octave - centre) / width) ** 2) / 2)
            )
            if not fixed:
                level = np.full(len(t), float(2 <= number <= 4))
            cycles = np.cumsum(lowest * 2**octave) / make.SAMPLE_RATE
            total += level * np.sin(2 * np.pi * cycles + rng.uniform(0, 6))
    return make.clip(make.noisy(total * gate, rng, float(rng.uniform(40, 60))))
