"""Fit the check `instrument`, and verify it on held-out instruments.

The sounds are all recorded and General MIDI notes of the reference data, six phrases and chords per
instrument assembled from them, square and sawtooth tones (which count as synthesizers), and sounds that
must fail for every family: sines and triangles, decaying and in scales, and noise. Whole instruments are
left out in turn, so a family with a single instrument cannot be verified.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from innerear.clip import Clip
from innerear.lab import sounds as make
from innerear.lab.movement import ideal
from innerear.lab.sounds import Bank, hz
from innerear.lab.tools import seeded
from innerear.metrics.instrument import BARE, MOST_WRONG, NOISE, Discriminant, fit, leads
from innerear.metrics.verified import WRONG, Cell, Verified

Floats = NDArray[np.float64]

FAMILY = {"bass": "guitar"}  # an electric bass is a guitar to the suite
OF_STRINGS = {"Acoustic Bass"}  # a plucked double bass
ONE_INSTRUMENT = {"pastabass-fetuccine": "pastabass", "pastabass-spaghetti": "pastabass"}
VERSION = 1


def sounds(bank: Bank) -> Iterator[tuple[str, str, str, Callable[[], Clip]]]:
    """(family, instrument, column, how to make it) of every sound to fit to."""
    for name, notes in [*bank.real.items(), *bank.rendered.items()]:
        family = "string" if name in OF_STRINGS else FAMILY.get(notes[0].family, notes[0].family)
        group = ONE_INSTRUMENT.get(name, name)
        for note in notes:
            yield family, group, "real", lambda note=note: make.clip(note.samples())  # type: ignore[misc]
        for turn in range(6):
            if clip := _phrase(bank, name, turn):
                yield family, group, "real", lambda clip=clip: clip  # type: ignore[misc]
    for midi in range(33, 97, 5):
        for shape in ("square", "sawtooth"):
            for decay in (0.0, 2.0):
                yield "synth_lead", f"tones {midi % 3}", "synthetic", lambda m=midi, s=shape, d=decay: _tone(m, s, d)  # type: ignore[misc]
        for shape in ("sine", "triangle"):
            for decay in (0.0, 2.0):
                yield BARE, f"tones {midi % 3}", "bare tone", lambda m=midi, s=shape, d=decay: _tone(m, s, d)  # type: ignore[misc]
        yield BARE, f"tones {midi % 3}", "bare tone", lambda m=midi: _scale(m)  # type: ignore[misc]
    for turn in range(6):
        yield NOISE, f"noise {turn % 2}", "noise", lambda t=turn: make.noise(3.0, seeded("noise", t))  # type: ignore[misc]
        yield NOISE, f"noise {turn % 2}", "noise", lambda t=turn: _brown(t)  # type: ignore[misc]


def _tone(midi: int, shape: str, decay: float) -> Clip:
    samples = ideal(shape, hz(midi), 3.0)
    return make.clip(make.edges(samples * np.exp(-decay * make.seconds(3.0)), 0.005, 0.02))


def _scale(midi: int) -> Clip:
    notes = [(0.5 * i, 0.5 * (i + 1), float(midi + step)) for i, step in enumerate((0, 2, 4, 5, 7, 9))]
    return make.phrase(make.sine, notes, 3.0, seeded("scale", midi))


def _brown(turn: int) -> Clip:
    walk = np.cumsum(seeded("brown", turn).standard_normal(3 * make.SAMPLE_RATE))
    return make.clip(walk - np.convolve(walk, np.ones(1000) / 1000, "same"))


def _phrase(bank: Bank, name: str, turn: int) -> Clip | None:
    """Four melodies at 2 to 4 notes a second, then two chords; `None` where the notes are too few."""
    rng = seeded("instrument", name, turn)
    midis = sorted({note.midi for note in (bank.real.get(name) or bank.rendered[name])})
    base = int(rng.choice(midis[: max(1, len(midis) - 2)]))
    if turn < 4:
        beat_s = (0.5, 0.5, 1 / 3, 0.25)[turn]
        steps = np.clip(base + np.cumsum(rng.integers(-3, 4, int(4 / beat_s))), midis[0] - 2, midis[-1] + 2)
        notes = [(i * beat_s, (i + 1) * beat_s, float(midi)) for i, midi in enumerate(steps)]
    else:
        notes = [(0.0, 2.9, float(base + step)) for step in ((0, 4, 7), (0, 5, 9))[turn - 4]]
    played = [note for note in notes if bank.reaches(name, [note[2]])]
    return make.phrase(bank.voice(name), played, 4.0 if turn < 4 else 3.0, rng) if played else None


def fit_and_verify(
    bank: Bank, hear: Callable[[Clip], Floats], progress: Callable[[str, int, int], None] | None = None
) -> tuple[Discriminant, dict[str, Verified]]:
    """The discriminant over all sounds, and how it does on instruments left out, by family.

    The margin of a family is the one that lets through 8 % of the sounds of other families, of bare
    tones and of noise, left out in turn. It is never above 0, which would be stricter than naming
    the nearest family.
    """
    made = list(sounds(bank))
    seen = []
    for place, (_, _, _, clip) in enumerate(made):
        seen.append(hear(clip()))
        if progress:
            progress("sounds heard", place + 1, len(made))
    stacked = np.stack(seen)
    named = [family for family, _, _, _ in made]
    groups = np.array([group for _, group, _, _ in made])
    columns = np.array([column for _, _, column, _ in made])
    families, weights, offsets = fit(stacked, named)
    lead = _left_out(stacked, named, groups, families)
    of = np.array(named)
    margins, found = np.zeros(len(families)), {}
    for place, family in enumerate(families):
        wrong = of != family
        sorts = (wrong & ~np.isin(of, (BARE, NOISE)), wrong & (of == BARE), wrong & (of == NOISE))
        passing = [float(np.quantile(lead[sort, place], 1 - MOST_WRONG)) for sort in sorts if sort.any()]
        margins[place] = min(0.0, max(passing))
        if family in (BARE, NOISE):
            continue
        passed = lead[:, place] > margins[place]
        cells = {}
        for column in ("synthetic", "real"):
            mine = (of == family) & (columns == column)
            if mine.any():
                cells[column] = Cell(int(passed[mine].sum()), int(mine.sum()))
        for column, mask in (
            ("kind", wrong & ~np.isin(of, (BARE, NOISE))),
            ("bare tone", of == BARE),
            ("noise", of == NOISE),
        ):
            cells[column] = Cell(int(passed[mask].sum()), int(mask.sum()))
        instruments = len(set(groups[(of == family) & (columns == "real")]))
        note = f"{instruments} instruments, each left out in turn"
        assert all(column in ("synthetic", "real", *WRONG) for column in cells)
        found[f"instrument:{family}"] = Verified(VERSION, cells, note)
    return Discriminant(families, weights, offsets, margins), found


def _left_out(seen: Floats, named: list[str], groups: NDArray[np.str_], families: tuple[str, ...]) -> Floats:
    """Leads of every sound under a discriminant fitted without its instrument."""
    lead = np.empty((len(seen), len(families)))
    of = np.array(named)
    for group in dict.fromkeys(groups.tolist()):
        out = groups == group
        known, weights, offsets = fit(seen[~out], of[~out].tolist())
        scores = np.full((int(out.sum()), len(families)), -1e6)  # a family left out whole is never nearest
        scores[:, [families.index(family) for family in known]] = seen[out] @ weights.T + offsets
        lead[out] = leads(scores)
    return lead
