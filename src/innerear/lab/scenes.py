"""Trial sounds for `events`, `level_trend` and `doppler` of the environment tier, assembled from recordings."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from innerear import checks
from innerear.checks import Check
from innerear.clip import Clip, read_mono
from innerear.lab import sounds as make
from innerear.lab.movement import gain
from innerear.lab.passing import PATTERNS, passed_by, siren
from innerear.lab.sounds import Bank, Floats
from innerear.lab.tools import others, seeded, slope_noise
from innerear.metrics.verified import Trial
from innerear.records import Probe

Pairs = Sequence[tuple[Probe, Check]]

SECONDS = 6.0
SINGLE_S = {"dog": 0.3, "door_wood_knock": 0.12, "church_bells": 1.2}  # one bark, one knock, one stroke
STEADY = ("crackling_fire", "rain", "sea_waves", "vacuum_cleaner")
PASSING = ("siren", "car_horn", "train", "engine")


def whole(path: Path, duration_s: float) -> Floats:
    """A recording without the silence around it, over and over, at an RMS of 1 over what is heard."""
    samples = read_mono(path, make.SAMPLE_RATE).mono.astype(np.float64)
    loud = np.flatnonzero(np.abs(samples) > 1e-3 * np.abs(samples).max())
    samples = samples[loud[0] : loud[-1] + 1]
    hop = make.SAMPLE_RATE // 50
    power = np.mean(samples[: max(1, len(samples) // hop) * hop].reshape(-1, hop) ** 2, axis=1)
    samples = samples / np.sqrt(power[power > 1e-3 * power.max()].mean())
    length = round(duration_s * make.SAMPLE_RATE)
    return np.tile(samples, -(-length // len(samples)))[:length]


def _of(bank: Bank | None, name: str, turn: int, duration_s: float) -> Floats:
    assert bank is not None
    recordings = bank.environment[name]
    return whole(recordings[turn % len(recordings)], duration_s)


def _noise(rng: np.random.Generator) -> Clip:
    return slope_noise(float(rng.uniform(0, 2)), SECONDS, rng)


def events(pairs: Pairs, bank: Bank | None) -> Iterator[Trial]:
    """One to five barks, knocks and strokes of a bell, each cut from a recording; one or two more or fewer."""
    mine: list[tuple[Check, Clip]] = []
    for name, single_s in SINGLE_S.items() if bank else ():
        assert bank is not None
        for turn, path in enumerate(bank.environment.get(name, [])):
            one = _single(path, single_s)
            for count in (1, 3, 4, 5):
                rng = seeded("scene events", name, turn, count)
                check = checks.Events(count=count)
                clip = _strokes(one, count, single_s, rng)
                yield Trial("real", check, clip, f"{path.name} {count}")
                mine.append((check, clip))
                for wrong in {max(1, count - 1), count + 1} - {count}:
                    yield Trial("count", check, _strokes(one, wrong, single_s, rng), f"{path.name} {wrong}")
    yield from others(mine, lambda a, b: a.count != b.count, each=1)  # type: ignore[union-attr]


def _single(path: Path, single_s: float) -> Floats:
    """The loudest event of a recording, from 20 dB below its peak on."""
    samples = read_mono(path, make.SAMPLE_RATE).mono.astype(np.float64)
    peak = int(np.abs(samples).argmax())
    before = np.abs(samples[max(0, peak - round(0.1 * make.SAMPLE_RATE)) : peak + 1])
    first = peak - len(before) + 1 + int(np.argmax(before > 0.1 * before[-1]))
    return make.edges(samples[first : first + round(single_s * make.SAMPLE_RATE)], 0.002, single_s / 4)


def _strokes(one: Floats, count: int, single_s: float, rng: np.random.Generator) -> Clip:
    gaps = rng.uniform(max(0.45, single_s), max(0.75, 1.1 * single_s), count)
    times = np.cumsum(gaps) - gaps[0] + 0.1
    times *= min(1.0, (SECONDS - 0.5) / times[-1])
    played = [(float(t), one * 10 ** (rng.uniform(-6, 0) / 20)) for t in times]
    return make.clip(make.noisy(make.mix(played, SECONDS), rng))


def level_trend(pairs: Pairs, bank: Bank | None) -> Iterator[Trial]:
    """Recordings of steady sounds that fade or swell; the other way, steady, too little, up and down."""
    for check in {repr(c): c for _, c in pairs}.values():
        assert isinstance(check, checks.LevelTrend)
        rise, span = check.direction == "rise", check.at_least_db + 8
        for name in STEADY if bank else ():
            for turn in range(len(bank.environment.get(name, [])) if bank else 0):
                samples = _of(bank, name, turn, SECONDS)
                x = np.arange(len(samples)) / len(samples)
                way = x if rise else 1 - x
                about = f"{name} {turn}"
                yield Trial("real", check, make.clip(samples * gain(way, span)), about)
                yield Trial("real", check, make.clip(samples * np.maximum(way, 0.02)), f"{about} even in level")
                yield Trial("order", check, make.clip(samples * gain(1 - way, span)), about)
                yield Trial("kind", check, make.clip(samples), f"{about} as it is")
                arch = 1 - np.abs(2 * x - 1)
                yield Trial("time", check, make.clip(samples * gain(arch, span)), f"{about} up and down")
                yield Trial("time", check, make.clip(samples * gain(1 - arch, span)), f"{about} down and up")


def doppler(pairs: Pairs, bank: Bank | None) -> Iterator[Trial]:
    """Sirens of sines, and recordings of things on the road, that pass at 43 to 108 km/h; backwards, standing, slow."""
    for check in {repr(c): c for _, c in pairs}.values():
        sources = [("synthetic", pattern, turn) for pattern in PATTERNS for turn in range(8)]
        for name in PASSING if bank else ():
            sources += [("real", name, turn) for turn in range(len(bank.environment.get(name, [])) if bank else 0)]
        for column, name, turn in sources:
            rng = seeded("doppler", name, turn)
            samples = siren(name, SECONDS, rng) if column == "synthetic" else _of(bank, name, turn, SECONDS)
            speed, nearest_m = float(rng.uniform(12, 30)), float(rng.uniform(4, 15))
            about = f"{name} {turn}"
            yield Trial(column, check, make.clip(passed_by(samples, speed, nearest_m, 3.0)), about)
            yield Trial("order", check, make.clip(passed_by(samples, -speed, nearest_m, 3.0)), f"{about} backwards")
            yield Trial("kind", check, make.clip(samples), f"{about} standing")
            yield Trial("pitch", check, make.clip(passed_by(samples, 1.5, 4, 3.0)), f"{about} at walking pace")
            louder = samples * (0.1 + 0.9 * (1 - np.abs(2 * np.arange(len(samples)) / len(samples) - 1)))
            yield Trial("kind", check, make.clip(louder), f"{about} only louder and softer")
        for turn in range(10):
            yield Trial("noise", check, _noise(seeded("doppler noise", turn)))


Builder = Callable[[Pairs, Bank | None], Iterator[Trial]]
SCENES: dict[str, Builder] = {
    "events": events, "level_trend": level_trend, "doppler": doppler,
}  # fmt: skip
