"""Trial sounds for the checks `waveform`, `modulation`, `glide` and `level_trend`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from innerear import checks
from innerear.checks import Check
from innerear.clip import Clip
from innerear.lab import sounds as make
from innerear.lab.sounds import Bank, Floats, hz
from innerear.lab.tools import SECONDS, Pairs, others, seeded
from innerear.metrics.spectrum import SHAPES
from innerear.metrics.verified import Trial

SUSTAINED = (
    "weresax", "MTG-bar", "Ixox-nor", "double-bass-arco", "war-tuba", "Violin", "Cello", "Trumpet", "Trombone",
    "French Horn", "Oboe", "Clarinet", "Flute",
)  # fmt: skip


def ideal(shape: str, f0_hz: float, duration_s: float) -> Floats:
    """A band-limited ideal waveform."""
    t = make.seconds(duration_s)
    n = np.arange(1, int(20_000 / f0_hz) + 1)
    levels = {
        "sine": (n == 1) * 1.0,
        "square": (n % 2) / n,
        "sawtooth": 1 / n,
        "triangle": (n % 2) * (-1.0) ** (n // 2) / n**2,
    }[shape]
    cycles = 2 * np.pi * f0_hz * t
    return np.asarray(sum(level * np.sin(k * cycles) for k, level in zip(n, levels, strict=True) if level))


def naive(shape: str, f0_hz: float, duration_s: float) -> Floats:
    """The waveform as a program would write it first, with its aliases."""
    x = (f0_hz * make.seconds(duration_s)) % 1.0
    return {
        "sine": np.sin(2 * np.pi * x),
        "square": np.where(x < 0.5, 1.0, -1.0),
        "sawtooth": 2 * x - 1,
        "triangle": 4 * np.abs(x - 0.5) - 1,
    }[shape]


def waveform(pairs: Pairs, bank: Bank | None) -> Iterator[Trial]:
    """Ideal and naive waves at five pitches; wrong shapes, pulses, filtered waves, recorded notes."""
    for shape in SHAPES:
        check = checks.Waveform(shape=shape)  # type: ignore[arg-type]
        for f0_hz in (110.0, 220.0, 440.0, 554.4, 880.0):
            for wave in (ideal, naive):
                rng = seeded("waveform", shape, f0_hz, wave.__name__)
                samples = make.edges(wave(shape, f0_hz, 2.0), 0.01, 0.02)
                yield Trial("synthetic", check, make.clip(make.noisy(samples, rng, 50)), wave.__name__)
                for other in SHAPES:
                    if other != shape:
                        yield Trial("kind", check, make.clip(make.edges(wave(other, f0_hz, 2.0), 0.01, 0.02)), other)
            x = (f0_hz * make.seconds(2.0)) % 1.0
            yield Trial("kind", check, make.clip(np.where(x < 0.2, 1.0, -0.25)), "pulse of 20 %")
            steep = make.partials(f0_hz, make.seconds(2.0), [n**-1.5 for n in range(1, 20)])
            yield Trial("kind", check, make.clip(steep), "9 dB an octave")
        if bank and shape != "sine":
            for note in seeded("waveform", shape).permutation(np.array(bank.all, dtype=object))[:40]:
                yield Trial("other probe", check, make.clip(note.samples()), note.instrument)


def modulation(pairs: Pairs, bank: Bank | None) -> Iterator[Trial]:
    """Vibrato and tremolo on synthetic tones and recorded notes; none, too slow, too fast, too deep."""
    for _, check in pairs:
        assert isinstance(check, checks.Modulation)
        mine: list[tuple[Check, Clip]] = []
        sources = [(name, False) for name in ("reed", "sine", "blown")] + [(name, True) for name in SUSTAINED if bank]
        for name, recorded in sources:
            for turn in range(3):
                rng = seeded("modulation", check.of, name, turn)
                steady = _held(name, bank, rng) if recorded else make.SYNTHETIC[name](hz(57 + 5 * turn), SECONDS, rng)
                off = rng.uniform(-0.5, 0.5) * check.tolerance_hz
                wrong = [0.5 * check.rate_hz, 1.6 * check.rate_hz]
                clip = _moved(steady, check, check.rate_hz + off, 1.0)
                yield Trial("real" if recorded else "synthetic", check, clip, name)
                mine.append((check, clip))
                yield Trial("kind", check, make.clip(steady), f"{name}, steady")
                for rate in wrong:
                    yield Trial("time", check, _moved(steady, check, rate, 1.0), f"{name}, {rate:g} Hz")
                if check.depth_cents:
                    yield Trial(
                        "pitch", check, _moved(steady, check, check.rate_hz, 3.0), f"{name}, three times as deep"
                    )
                    yield Trial("pitch", check, _moved(steady, check, check.rate_hz, 0.2), f"{name}, a fifth as deep")
        if check.of == "level":
            for name in ("plucked", "reed"):
                for turn in range(3):
                    rng = seeded("strokes", name, turn)
                    beats = np.arange(0, SECONDS - 0.1, 1 / check.rate_hz)
                    tune = [(float(t), float(t) + 0.9 / check.rate_hz, 69.0 + 7 * turn) for t in beats]
                    yield Trial("synthetic", check, make.phrase(make.SYNTHETIC[name], tune, SECONDS, rng), "strokes")
                    tune = [(2 * on, 2 * off, midi) for on, off, midi in tune if 2 * on < SECONDS - 0.1]
                    yield Trial("time", check, make.phrase(make.SYNTHETIC[name], tune, SECONDS, rng), "slow strokes")


def _held(name: str, bank: Bank | None, rng: np.random.Generator) -> Floats:
    """A recorded note from its onset, as long as it is held."""
    assert bank is not None
    notes = bank.real.get(name) or bank.rendered[name]
    inner = notes[len(notes) // 4 : -len(notes) // 4 or None]
    samples = make.from_onset(inner[int(rng.integers(len(inner)))].samples())
    return make.edges(samples[: round(SECONDS * make.SAMPLE_RATE)], 0.005, 0.05)


def _moved(steady: Floats, check: checks.Modulation, rate_hz: float, times: float) -> Clip:
    """The sound with a vibrato of the depth asked (50 cents where none is), or a tremolo of 80 %."""
    t = np.arange(len(steady)) / make.SAMPLE_RATE
    if check.of == "level":
        return make.clip(steady * (1 - 0.8 * (0.5 - 0.5 * np.cos(2 * np.pi * rate_hz * t))))
    depth = (check.depth_cents or 50.0) * times
    speed = 2 ** (depth / 1200 * np.sin(2 * np.pi * rate_hz * t))
    place = np.cumsum(speed) - speed[0]
    return make.clip(np.interp(place, np.arange(len(steady)), steady))


def glide(pairs: Pairs, bank: Bank | None) -> Iterator[Trial]:
    """Slides up and down, even in hertz, in octaves and S-shaped; wrong ends, direction, steps, none."""
    for probe, first in pairs:
        assert isinstance(first, checks.Glide)
        mine: list[tuple[Check, Clip]] = []
        for factor, turned in ((1, False), (1, True), (2, False), (3.4, False), (0.75, True)):
            low, high = first.from_hz * factor, first.to_hz * factor
            start, end = (high, low) if turned else (low, high)
            check = checks.Glide(from_hz=start, to_hz=end, tolerance_cents=first.tolerance_cents)
            for levels in ([1.0], [1 / n for n in range(1, 13)], [1, 0.9, 1, 0.6, 0.4, 0.2]):
                rng = seeded("glide", factor, turned, len(levels))
                for how in ("octaves", "hertz", "s-shaped"):
                    clip = _slide(start, end, probe.duration_s, levels, how, rng)
                    yield Trial("synthetic", check, clip, how)
                    mine.append((check, clip))
                    yield Trial("order", check, _slide(end, start, probe.duration_s, levels, how, rng), "turned round")
                    wider = start * (end / start) ** 1.35
                    yield Trial("pitch", check, _slide(start, wider, probe.duration_s, levels, how, rng), "too far")
                    moved = 2 ** (2.5 / 12)
                    clip = _slide(start * moved, end * moved, probe.duration_s, levels, how, rng)
                    yield Trial("pitch", check, clip, "2.5 semitones higher")
                for steps in (8, 13):
                    yield Trial(
                        "kind", check, _slide(start, end, probe.duration_s, levels, f"{steps} steps", rng), "steps"
                    )
                yield Trial("kind", check, _slide(start, start, probe.duration_s, levels, "octaves", rng), "steady")
                yield Trial(
                    "time", check, _slide(start, end, probe.duration_s, levels, "late", rng), "in the last fifth"
                )
        yield from others(mine, lambda a, b: a.from_hz != b.from_hz, each=1)  # type: ignore[union-attr]


def _slide(
    start: float, end: float, duration_s: float, levels: Sequence[float], how: str, rng: np.random.Generator
) -> Clip:
    t = make.seconds(duration_s)
    x = t / duration_s
    if how == "s-shaped":
        x = x - np.sin(2 * np.pi * x) / (2 * np.pi) * 0.5
    if how.endswith("steps"):
        n = int(how.split()[0])
        x = np.minimum(np.floor(x * n), n - 1) / (n - 1)
    if how == "late":
        x = np.clip((x - 0.8) / 0.2, 0, 1)
    f0 = start + (end - start) * x if how == "hertz" else start * (end / start) ** x
    return make.clip(make.noisy(make.edges(make.partials(f0, t, levels), 0.02, 0.03), rng, 45))


def level_trend(pairs: Pairs, bank: Bank | None) -> Iterator[Trial]:
    """Tones and recorded notes that swell and fade; the other way, steady, too little, up and down."""
    for check in {repr(c): c for _, c in pairs}.values():
        assert isinstance(check, checks.LevelTrend)
        rise = check.direction == "rise"
        sources = [(name, False) for name in ("reed", "sine", "blown")] + [(name, True) for name in SUSTAINED if bank]
        for name, recorded in sources:
            for turn in range(2):
                rng = seeded("level", check.direction, check.at_least_db, name, turn)
                steady = _held(name, bank, rng) if recorded else make.SYNTHETIC[name](hz(57 + 7 * turn), SECONDS, rng)
                flat = steady / np.maximum(_envelope(steady), 0.02)
                flat = make.edges(flat / np.abs(flat).max(), 0.02, 0.05)
                span = check.at_least_db + 8
                x = np.arange(len(flat)) / len(flat)
                column = "real" if recorded else "synthetic"
                yield Trial(column, check, make.clip(flat * gain(x if rise else 1 - x, span)), f"{name} even in dB")
                linear = np.maximum(x if rise else 1 - x, 0.02)
                yield Trial(column, check, make.clip(flat * linear), f"{name} even in level")
                yield Trial("order", check, make.clip(flat * gain(1 - x if rise else x, span)), f"{name} the other way")
                yield Trial("kind", check, make.clip(flat), f"{name} steady")
                little = flat * gain(x if rise else 1 - x, 0.4 * check.at_least_db)
                yield Trial("kind", check, make.clip(little), f"{name} little")
                arch = 1 - np.abs(2 * x - 1)
                yield Trial("time", check, make.clip(flat * gain(arch, span)), f"{name} up and down")
                yield Trial("time", check, make.clip(flat * gain(1 - arch, span)), f"{name} down and up")
        if not rise:
            for name in ("plucked", "ringing"):
                for turn in range(4):
                    rng = seeded("level", name, turn)
                    samples = make.mix([(0, make.SYNTHETIC[name](hz(40 + 9 * turn), 2.0, rng))], 2.0)
                    yield Trial("synthetic", check, make.clip(samples), name)
                    yield Trial("order", check, make.clip(samples[::-1]), name)


def _envelope(samples: Floats) -> Floats:
    """RMS over 0.15 s, its highest 1."""
    width = round(0.15 * make.SAMPLE_RATE)
    sums = np.cumsum(np.pad(samples**2, (width // 2 + 1, width - width // 2 - 1), mode="reflect"))
    power = np.maximum(np.diff(sums, prepend=0.0)[: len(samples)], 0)
    smooth = (sums[width:] - sums[:-width])[: len(samples)] if len(sums) > width else power
    smooth = np.pad(smooth, (0, len(samples) - len(smooth)), mode="edge")
    level = np.sqrt(np.maximum(smooth, 1e-12))
    return np.asarray(level / level.max())


def gain(x: Floats, span_db: float) -> Floats:
    """From so many dB down at 0 to none at 1."""
    return np.asarray(10 ** (span_db * (x - 1) / 20))
