"""Notes and phrases of General MIDI soundfonts and patch sets, which are sampled from recorded instruments.

fluidsynth plays soundfonts, timidity plays patch sets, both dry. They are numbers in a fit only: no sound of theirs is
distributed.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from innerear.ask.models.sampler import Event, midi_file
from innerear.clip import Clip
from innerear.lab import sounds as make
from innerear.lab.tools import Rng, seeded
from innerear.render.tools import play_midi

PROGRAMS: dict[str, dict[int, tuple[int, int]]] = {
    "keyboard": {
        0: (28, 96), 1: (28, 96), 2: (33, 91), 3: (33, 91), 4: (33, 88), 5: (33, 88), 6: (36, 84), 7: (36, 84),
    },
    "mallet": {8: (60, 96), 9: (79, 103), 10: (65, 96), 11: (53, 84), 12: (45, 91), 13: (65, 96), 14: (55, 77)},
    "organ": {16: (36, 84), 17: (36, 84), 18: (36, 84), 19: (36, 84), 20: (41, 84), 21: (48, 86), 23: (48, 84)},
    "guitar": {
        24: (40, 76), 25: (40, 79), 26: (40, 79), 27: (40, 79), 28: (40, 76), 29: (40, 76), 30: (40, 76),
        33: (28, 55), 34: (28, 55), 35: (28, 55), 36: (28, 52), 37: (28, 52),
    },
    "string": {
        32: (28, 52), 40: (55, 93), 41: (48, 84), 42: (36, 74), 43: (28, 55), 44: (45, 84), 45: (36, 79),
        46: (35, 91), 48: (40, 84), 49: (40, 84),
    },
    "vocal": {52: (48, 77), 53: (48, 77)},
    "brass": {56: (54, 82), 57: (40, 70), 58: (29, 55), 59: (55, 82), 60: (41, 72), 61: (43, 79)},
    "reed": {
        64: (56, 86), 65: (49, 80), 66: (44, 75), 67: (37, 68), 68: (58, 89), 69: (52, 79), 70: (34, 70), 71: (50, 88),
    },
    "flute": {72: (74, 98), 73: (60, 94), 74: (60, 89), 75: (60, 84), 77: (55, 84), 79: (62, 86)},
    "synth_lead": {80: (40, 88), 81: (40, 88)},
}  # fmt: skip
"""General MIDI programs from 0, and the range of each instrument in MIDI notes, by family."""
CHORDS = ("keyboard", "organ", "guitar", "vocal")  # families that play them
PERIOD_S = 6.0  # between sounds of one file
SOUNDS = 6  # of a program: four notes, a melody, and a chord or another melody


def name_of(font: Path) -> str:
    """The name of a soundfont: its file name without a version or "_GM"."""
    return font.stem.split(".")[0].split("-")[0].removesuffix("_GM")


def sounds(font: Path) -> Iterator[tuple[str, str, int, int]]:
    """Each sound of a soundfont: its key, family, program and number. Patch sets may lack some programs."""
    listed = None
    if font.suffix == ".cfg":
        listed = {int(number) for number in re.findall(r"^\s*(\d+)\s+Tone_000/", font.read_text(), re.MULTILINE)}
    for family, programs in PROGRAMS.items():
        for program in programs:
            for turn in range(SOUNDS if listed is None or program in listed else 0):
                yield f"{name_of(font)}/{program}/{turn}", family, program, turn


def sound(font: Path, family: str, program: int, turn: int) -> Clip:
    """One of the six sounds of a program; every third is in a room.

    Raises:
        AudioError: the soundfont does not have it.
    """
    samples = _played(font, family, program)[turn]
    return make.clip(make.room(samples, seeded("room", font.stem, program)) if turn % 3 == 2 else samples)


@functools.lru_cache(maxsize=1)
def _played(font: Path, family: str, program: int) -> list[make.Floats]:
    low, high = PROGRAMS[family][program]
    rng = seeded("soundfont", font.stem, program)
    events: list[Event] = [(0.0, 0, bytes([0xC0, program]))]
    lengths = []
    for turn in range(SOUNDS):
        notes, length_s = _notes(rng, family, low, high, turn)
        lengths.append(length_s)
        for start_s, end_s, midi, velocity in notes:
            events.append((PERIOD_S * turn + 0.1 + start_s, 1, bytes([0x90, midi, velocity])))
            events.append((PERIOD_S * turn + 0.1 + end_s, 0, bytes([0x80, midi, 0])))
        events.append((PERIOD_S * (turn + 1), 0, bytes([0xB0, 120, 0])))  # all sound off
    played = play_midi(font, midi_file(events)).at(make.SAMPLE_RATE).astype(np.float64)
    starts = [round((PERIOD_S * turn + 0.09) * make.SAMPLE_RATE) for turn in range(SOUNDS)]
    return [
        played[start : start + round(length_s * make.SAMPLE_RATE)]
        for start, length_s in zip(starts, lengths, strict=True)
    ]


def _notes(rng: Rng, family: str, low: int, high: int, turn: int) -> tuple[list[tuple[float, float, int, int]], float]:
    """(start, end, MIDI note, velocity) of a sound, and its duration."""
    if turn < 4:  # one note in each quarter of the range
        edge = np.linspace(low, high, 5)[turn : turn + 2]
        return [(0.0, float(rng.uniform(1.2, 3.2)), int(rng.uniform(*edge)), int(rng.integers(50, 121)))], 3.5
    velocity = int(rng.integers(70, 115))
    if turn == 5 and family in CHORDS:
        root = int(rng.integers(low + (high - low) // 4, max(low + 1, high - 16)))
        steps = ((0, 4, 7), (0, 3, 7), (0, 5, 9), (0, 4, 7, 10))[int(rng.integers(4))]
        return [(0.0, 2.8, root + step, velocity) for step in steps], 3.5
    beat_s = float(rng.uniform(0.22, 0.55))
    middle = rng.integers(low + (high - low) // 4, high - (high - low) // 4)
    midis = np.clip(middle + np.cumsum(rng.integers(-3, 4, int(3.8 / beat_s))), low, high)
    return [(i * beat_s, (i + 0.95) * beat_s, int(midi), velocity) for i, midi in enumerate(midis)], 4.0
