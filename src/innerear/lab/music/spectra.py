"""Trial sounds for `partials` and `band_level`: bodies with known partials, and bands that are empty."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from innerear import checks
from innerear.checks import Check
from innerear.clip import Clip
from innerear.lab import sounds as make
from innerear.lab.sounds import Bank, hz
from innerear.lab.tools import Pairs, Rng, others, seeded
from innerear.metrics.verified import Trial

SPECTRA: dict[str, tuple[float, list[float], list[float], float]] = {  # ratios, absent, tolerance in cents
    "church bell": (440.0, [0.5, 1, 1.2, 1.5, 2], [], 40), "major-third bell": (330.0, [0.5, 1, 1.25, 1.5, 2], [], 30),
    "marimba": (220.0, [1, 4], [], 50), "xylophone": (880.0, [1, 3], [], 50),
    "kettledrum": (110.0, [1, 1.5, 1.98], [], 70),
    "stiff string": (100.05, [1, 2.003, 3.012, 4.03, 5.06, 6.104, 7.166, 8.248, 9.353, 10.483], [], 10),
    "plucked in the middle": (110.0, [1, 3, 5, 7], [2, 4, 6], 15), "clarinet": (146.83, [1, 3, 5], [2], 25),
    "stopped pipe": (85.8, [1, 3], [2], 40), "free bar": (261.6, [1, 2.756, 5.404], [], 30),
    "circular membrane": (150.0, [1, 1.594, 2.136, 2.296], [], 30), "open pipe": (174.6, [1, 2, 3, 4], [], 25),
}  # fmt: skip


def partials(pairs: Pairs, bank: Bank | None) -> Iterator[Trial]:
    """Struck, plucked and steady sounds with the partials of twelve bodies; one missing, shifted, or there."""
    mine: list[tuple[Check, Clip]] = []
    for name, (reference_hz, ratios, absent, tolerance) in SPECTRA.items():
        for turn in range(5):
            rng = seeded("partials", name, turn)
            hz_here = reference_hz * 2 ** (rng.integers(-4, 5) / 12)
            check = checks.Partials(reference_hz=hz_here, ratios=ratios, absent=absent, tolerance_cents=tolerance)
            within = [r * 2 ** (rng.uniform(-0.3, 0.3) * tolerance / 1200) for r in ratios]
            clip = _body(hz_here, within, rng)
            yield Trial("synthetic", check, clip, name)
            mine.append((check, clip))
            place = int(rng.integers(len(ratios)))
            yield Trial(
                "missing",
                check,
                _body(hz_here, [r for i, r in enumerate(within) if i != place], rng),
                f"{name} without {ratios[place]}",
            )
            away = 2 ** (float(rng.choice([-1, 1])) * 2.5 * tolerance / 1200)
            moved = [r * (away if i == place else 1) for i, r in enumerate(within)]
            yield Trial("shifted", check, _body(hz_here, moved, rng), f"{name} with {ratios[place]} moved")
            yield Trial("all shifted", check, _body(hz_here * 2 ** (2.5 * tolerance / 1200), within, rng), name)
            if absent:
                extra = [*within, absent[int(rng.integers(len(absent)))]]
                yield Trial("extra", check, _body(hz_here, extra, rng), f"{name} with {extra[-1]}")
                yield Trial("extra", check, _body(hz_here, [*within, *absent], rng), f"{name} with all")
    yield from _recorded_partials(bank)
    yield from others(mine, lambda a, b: a.ratios != b.ratios and a.ratios != [1, 4], each=1)  # type: ignore[union-attr]


def _body(reference_hz: float, ratios: Sequence[float], rng: Rng) -> Clip:
    """Partials at these ratios, struck or steady, with levels of 0 to -18 dB, and a knock."""
    duration_s = float(rng.uniform(1.5, 4))
    t = make.seconds(duration_s)
    steady = rng.random() < 0.3
    total = np.zeros(len(t))
    for ratio in ratios:
        decay = 0.0 if steady else rng.uniform(0.8, 3) * max(1.0, ratio) ** rng.uniform(0.3, 1)
        total += (
            10 ** (rng.uniform(-18, 0) / 20)
            * np.sin(2 * np.pi * ratio * reference_hz * t + rng.uniform(0, 6))
            * np.exp(-decay * t)
        )
    if not steady:
        total[:900] += rng.uniform(0.02, 0.3) * make.click(rng)
    return make.clip(
        make.noisy(
            make.room(make.edges(total, 0.002 if not steady else 0.03, 0.05), rng, 0.1), rng, float(rng.uniform(35, 60))
        )
    )


def _recorded_partials(bank: Bank | None) -> Iterator[Trial]:
    """Recorded harmonic instruments: the first harmonics are there, and ratios between them are not."""
    notes = [note for note in bank.all if 45 <= note.midi <= 76] if bank else []
    for place in seeded("recorded partials").permutation(len(notes))[:45]:
        note = notes[int(place)]
        if note.family in ("organ", "mallet", "vocal"):
            continue
        f0 = hz(note.midi)
        clip = make.clip(note.samples())
        yield Trial(
            "real",
            checks.Partials(reference_hz=f0, ratios=[1, 2], absent=[1.5], tolerance_cents=40),
            clip,
            f"{note.instrument} {note.midi}",
        )
        yield Trial(
            "kind",
            checks.Partials(reference_hz=f0, ratios=[1, 1.5, 2], tolerance_cents=40),
            clip,
            f"{note.instrument} {note.midi}",
        )
        yield Trial(
            "kind",
            checks.Partials(reference_hz=f0, ratios=[0.5, 1, 1.2, 1.5, 2], tolerance_cents=40),
            clip,
            f"{note.instrument} {note.midi}",
        )


def band_level(pairs: Pairs, bank: Bank | None) -> Iterator[Trial]:
    """Complex tones and noise above a band that is empty; with a tone, a tilt or noise in it 6 dB too strong."""
    for low_hz, high_hz, at_most_db in ((0.0, 550.0, -40.0), (0.0, 75.0, -20.0), (2000.0, 4000.0, -30.0)):
        check = checks.BandLevel(low_hz=low_hz, high_hz=high_hz, at_most_db=at_most_db)
        for turn in range(15):
            rng = seeded("band", high_hz, turn)
            t = make.seconds(float(rng.uniform(1, 3)))
            f0 = float(rng.uniform(100, 250))
            orders = [n for n in range(1, 20) if not low_hz - 45 < n * f0 < high_hz + 45]
            body = np.zeros(len(t)) + sum(
                rng.uniform(0.2, 1) * np.sin(2 * np.pi * n * f0 * t + rng.uniform(0, 6)) for n in orders
            )
            body = make.edges(body / np.sqrt(np.mean(body**2)), 0.02, 0.02)
            hiss = rng.standard_normal(len(t)) * 10 ** ((at_most_db - 15) / 20)
            yield Trial("synthetic", check, make.clip(body + hiss), f"f0 {f0:.0f}")
            inside = float(rng.uniform(max(low_hz, 35) + 10, high_hz - 15))
            tone = make.edges(2**0.5 * np.sin(2 * np.pi * inside * t), 0.02, 0.02)
            for above_db in (6.0, 15.0):
                loud = 10 ** ((at_most_db + above_db) / 20)
                yield Trial(
                    "a tone in the band", check, make.clip(body + loud * tone), f"{inside:.0f} Hz, {above_db:g} dB"
                )
            if high_hz > 300:
                every = np.zeros(len(t)) + sum(np.sin(2 * np.pi * n * f0 * t) / n for n in range(1, 20))
                yield Trial("with its fundamental", check, make.clip(make.edges(every, 0.02, 0.02)), f"f0 {f0:.0f}")
            whole = make.edges(rng.standard_normal(len(t)), 0.02, 0.02)
            yield Trial(
                "noise in the band",
                check,
                make.clip(whole if at_most_db < -29 else whole + 3 * tone),
                "",
            )
    for number, note in enumerate([note for note in bank.all if note.midi >= 60] if bank else []):
        if number % 7 == 0:
            f0 = hz(note.midi)
            clip = make.clip(note.samples())
            yield Trial(
                "pitch",
                checks.BandLevel(low_hz=0.9 * f0, high_hz=4.1 * f0, at_most_db=-20),
                clip,
                f"{note.instrument} {note.midi}",
            )
            if note.family not in ("organ", "mallet"):
                yield Trial(
                    "real",
                    checks.BandLevel(low_hz=0, high_hz=0.4 * f0, at_most_db=-15),
                    clip,
                    f"{note.instrument} {note.midi}",
                )
