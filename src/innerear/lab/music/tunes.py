"""Trial sounds for `tune`: random melodies."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from innerear import checks
from innerear.checks import Check
from innerear.clip import Clip
from innerear.lab import sounds as make
from innerear.lab.music.players import PLAYERS, bell
from innerear.lab.sounds import SYNTHETIC, Bank, Voice
from innerear.lab.tools import Pairs, Rng, others, players, seeded
from innerear.metrics.verified import Trial

Tune = list[tuple[int, float]]
TUNES = 8
WHO: dict[str, Voice] = {**SYNTHETIC, "bell": bell}
SCALE = (0, 2, 4, 5, 7, 9, 11, 12, 14)
FIGURES = ((1.0,), (1.0, 1.0), (0.5, 0.5), (1.5, 0.5), (2.0,), (0.75, 0.25))


def melody(rng: Rng) -> Tune:
    """A tune of 8 to 18 notes in a major key: steps, repeats and leaps, in plain figures."""
    count, tonic, place = int(rng.integers(8, 19)), int(rng.integers(55, 68)), int(rng.integers(0, 6))
    beats: list[float] = []
    while len(beats) < count:
        beats += FIGURES[rng.integers(len(FIGURES))]
    tune: Tune = []
    for length in beats[:count]:
        tune.append((tonic + SCALE[place], length))
        move = rng.choice([0, 1, -1, 1, -1, 2, -2, 4, -3])
        place = int(np.clip(place + move, 0, len(SCALE) - 1))
    tune[-1] = (tune[-1][0], 2.0)
    return tune


def sung(tune: Tune, voice: Voice, beat_s: float, shift: float, rng: Rng) -> Clip:
    """A tune played at a tempo, a little unevenly, each note detached or not."""
    held, onset, notes = rng.uniform(0.8, 1.0), 0.0, []
    for midi, beats in tune:
        length = beats * beat_s
        notes.append((max(0.0, onset + rng.normal(0, 0.006)), onset + held * length, midi + shift))
        onset += length
    return make.phrase(voice, notes, onset + 0.3, rng)


def _wrong_tunes(tune: Tune, rng: Rng) -> Iterator[tuple[str, Tune]]:
    """The tune with one note wrong, missing or extra, in another order, or with another rhythm."""
    place = int(rng.integers(1, len(tune)))
    midi, beats = tune[place]
    for move in (rng.choice([-1, 1]), rng.choice([-2, 2, 3, -4]), rng.choice([-12, 12])):
        yield "one note wrong", [*tune[:place], (midi + int(move), beats), *tune[place + 1 :]]
    lost = next((i for i in rng.permutation(np.arange(1, len(tune) - 1)) if tune[i][0] != tune[i - 1][0]), 1)
    kept = [*tune[: lost - 1], (tune[lost - 1][0], tune[lost - 1][1] + tune[lost][1]), *tune[lost + 1 :]]
    yield "one note missing", kept
    half = beats / 2
    yield (
        "one note added",
        [*tune[:place], (midi, half), (midi + int(rng.choice([0, 2, -1])), half), *tune[place + 1 :]],
    )
    pitches = [midi for midi, _ in tune]
    if pitches != pitches[::-1]:
        yield "order", [(midi, beats) for midi, (_, beats) in zip(pitches[::-1], tune, strict=True)]
    lengths = {beats for _, beats in tune[:-1]}
    if len(lengths) > 1:
        yield "rhythm", [(midi, 1.0) for midi, _ in tune]
    yield "rhythm", [(m, b * (2.0 if i == place - 1 else 1.0)) for i, (m, b) in enumerate(tune)]


def tune(pairs: Pairs, bank: Bank | None) -> Iterator[Trial]:
    """Random melodies by every synthetic voice and some recorded instruments; one note, one length, all wrong."""
    mine: list[tuple[Check, Clip]] = []
    for number in range(TUNES):
        notes = melody(seeded("tune", number))
        check = checks.Tune(title=f"melody {number}", notes=notes, octave_free=number % 6 == 5)
        for column, name, voice, shift in players(f"tune {number}", [midi for midi, _ in notes], bank, WHO, PLAYERS):
            rng = seeded("tune", number, name)
            beat_s = float(rng.uniform(0.42, 0.8))
            clip = sung(notes, voice, beat_s, shift, rng)
            if column == "synthetic":
                clip = make.clip(make.noisy(make.room(clip.mono.astype(float), rng), rng, float(rng.uniform(30, 60))))
            yield Trial(column, check, clip, f"{name} {check.title}")
            mine.append((check, clip))
            wrong = list(_wrong_tunes(notes, rng))
            for kind, played in [wrong[i] for i in rng.permutation(len(wrong))[:3]]:
                reach = [midi + shift for midi, _ in played]
                free = (
                    check.octave_free
                    and kind == "one note wrong"
                    and {m % 12 for m in reach} == {(m + shift) % 12 for m, _ in notes}
                )
                if not free and (column == "synthetic" or (bank is not None and bank.reaches(name, reach))):
                    yield Trial(kind, check, sung(played, voice, beat_s, shift, rng), f"{name} {check.title}")
    yield from others(mine, lambda a, b: a.notes != b.notes, each=1)  # type: ignore[union-attr]
