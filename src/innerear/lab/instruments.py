"""Fit the check `instrument`, and verify it on instruments left out.

The sounds are all recorded and General MIDI notes of the reference data, six phrases and chords per
instrument assembled from them, notes and phrases of soundfonts, and square and sawtooth tones, which count as
synthesizers. A recorded instrument is the source of all its sounds, and a whole soundfont, with all its instruments, is
one source: a sound is judged by a fit without any sound of its instrument or soundfont. Impostors must fail, except
where they are what is asked for: tones as synthesizers, plucked strings as plucked instruments.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from innerear.clip import Clip
from innerear.lab import identity, playing, soundfonts
from innerear.lab import sounds as make
from innerear.lab.identity import Ears, Fit, Item, Plan
from innerear.lab.movement import ideal
from innerear.lab.sounds import Bank, hz
from innerear.lab.tools import seeded
from innerear.metrics.identity import Ear
from innerear.metrics.instrument import InstrumentCheck
from innerear.metrics.verified import Verified

FAMILY = {"bass": "guitar"}  # an electric bass is a guitar to the suite
OF_STRINGS = {"Acoustic Bass"}  # a plucked double bass
ONE_INSTRUMENT = {"pastabass-fetuccine": "pastabass", "pastabass-spaghetti": "pastabass"}
GENERAL_MIDI = "FluidR3"  # the soundfont that the General MIDI notes of the reference data are from
SHARED = {"A320U": "TimGM6mb", "sf_GMbank": "TimGM6mb", "MuseScore_General_Full": GENERAL_MIDI}
"""Soundfonts that share samples with another one, which is found by comparing their waveforms: they are one source."""
MADE_LIKE_IT = {
    "synth_lead": (
        "tone", "decaying tone", "FM tone", "additive tone", "ring-modulated tone", "gliding tone", "tone in noise",
    ),
    "guitar": ("plucked", "tone in noise"),
    "string": ("plucked", "tone in noise"),
    "keyboard": ("plucked", "tone in noise"),
}  # fmt: skip
"""Sorts of impostors that are no wrong sounds for a family: nobody can say that they are not of it."""
IMPOSTORS, SECONDS = 60, 4.0
MOST_OTHERS = 0.08  # sounds of other families that may pass
PENALTY = 1e-4
OUTSIDE_WEIGHT, BALANCE = 2.0, 0.5
FOLDS = 6
LEAST_ODDS = -2.0  # lowest threshold: a probability of 0.12


def items(bank: Bank) -> list[Item]:
    """Notes, phrases, soundfonts, tones, and impostors."""
    sampled = [item for font in bank.soundfonts for item in _sampled(font)]
    return [*_played(bank), *sampled, *_tones(), *identity.impostor_items(IMPOSTORS, SECONDS)]


def _sampled(font: Path) -> Iterator[Item]:
    name = soundfonts.name_of(font)
    for key, family, program, turn in soundfonts.sounds(font):
        source = SHARED.get(name, name)
        yield Item(
            key,
            family,
            source,
            "real",
            lambda f=family, p=program, t=turn: soundfonts.sound(font, f, p, t),  # type: ignore[misc]
        )


def _played(bank: Bank) -> Iterator[Item]:
    for name, notes in [*bank.real.items(), *bank.rendered.items()]:
        family = "string" if name in OF_STRINGS else FAMILY.get(notes[0].family, notes[0].family)
        source = GENERAL_MIDI if name in bank.rendered else ONE_INSTRUMENT.get(name, name)
        for note in notes:
            file = "/".join(note.path.parts[-4:])
            yield Item(file, family, source, "real", lambda note=note: make.clip(note.samples()))  # type: ignore[misc]
        for turn in range(6):
            if clip := _phrase(bank, name, turn):
                yield Item(f"phrase/{name}/{turn}", family, source, "real", lambda clip=clip: clip)  # type: ignore[misc]


def _tones() -> Iterator[Item]:
    for midi in range(33, 97, 3):
        for shape in ("square", "sawtooth"):
            for decay in (0.0, 2.0):
                key = f"tones/{midi}/{shape}/{decay:g}"
                source = f"tones {midi % 4}"
                yield Item(key, "synth_lead", source, "synthetic", lambda m=midi, s=shape, d=decay: _tone(m, s, d))  # type: ignore[misc]


def _tone(midi: int, shape: str, decay: float) -> Clip:
    samples = ideal(shape, hz(midi), 3.0)
    return make.clip(make.edges(samples * np.exp(-decay * make.seconds(3.0)), 0.005, 0.02))


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


def plan(sounds: list[Item]) -> Plan:
    """The families, and which sounds are wrong for which."""
    families = tuple(sorted({item.name for item in sounds if item.column in ("real", "synthetic")}))

    def wrong(item: Item, group: str) -> str | None:
        if item.name in families:
            return "kind"
        return None if item.column in MADE_LIKE_IT.get(group, ()) else item.column

    def allowed(group: str, column: str) -> float:
        return MOST_OTHERS if column == "kind" else 0.05

    return Plan(
        "instrument",
        families,
        families,
        PENALTY,
        wrong,
        allowed,
        outside_weight=OUTSIDE_WEIGHT,
        balance=BALANCE,
        least_odds=LEAST_ODDS,
        folds=FOLDS,
    )


def fit_and_verify(bank: Bank, ears: Ears) -> tuple[dict[Ear, Fit], dict[str, Verified]]:
    """The classifiers, and how they do on instruments left out, by family and by ways of playing."""
    sounds = items(bank)
    of = plan(sounds)
    fits = identity.fit_all(sounds, ears, of)
    count = {family: len({item.source for item in sounds if item.name == family}) for family in of.classes}
    notes = {family: f"{number} instruments and soundfonts, each left out" for family, number in count.items()}
    found = identity.verified(fits, "instrument", InstrumentCheck.version, notes)
    return fits, found | playing.verify(sounds, fits, ears, InstrumentCheck.version)
