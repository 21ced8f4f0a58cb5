"""Vary the kinds of tier notes that edition 2 adds: tunes, grooves, tunings, partials, illusions."""

from __future__ import annotations

import functools
import math
import random
import re
from importlib import resources

import msgspec
from msgspec.structs import replace

from innerear import checks
from innerear.records import Probe
from innerear.suite.changes import STEPS, WORDS, Change, SeededChange, expecting, find, reworded, shifted
from innerear.suite.formulas import stiff_partials

_NATURAL = {step: name for name, step in STEPS.items()}
_ORDINALS = {5: "fifth", 7: "seventh", 13: "thirteenth"}
_STEPS = {1: "a semitone", 2: "a whole tone", 3: "a minor third"}


class Spare(msgspec.Struct, frozen=True):
    """A tune that is in no edition: what its prompt says, its time and its truth. `words` if it is sung."""

    title: str
    details: str
    duration_s: float
    notes: list[tuple[int, float]]
    also: list[list[tuple[int, float]]] = []
    words: str = ""


@functools.cache
def spare_tunes() -> tuple[Spare, ...]:
    """The tunes that ship for variants."""
    return msgspec.json.decode(
        resources.files(__package__).joinpath("spare-tunes.json").read_bytes(), type=tuple[Spare, ...]
    )


@functools.cache
def _tunes() -> tuple[Spare, ...]:
    from innerear.suite import edition

    built_in = (
        Spare(tune.title, probe.details, probe.duration_s, tune.notes, tune.also)
        for probe in edition("2").probes
        if probe.family == "tune" and (tune := find(probe, checks.Tune)) and tune.rhythm and not tune.octave_free
    )
    return (*built_in, *spare_tunes())


def tune(seed: int, probe: Probe, draw: random.Random) -> Probe | None:
    """Ask the same instrument for another tune."""
    check = find(probe, checks.Tune)
    player, playing, title = probe.caption.partition(" playing ")
    if check is None or not playing or title != check.title:
        return None
    tunes = _tunes()
    place = next((i for i, one in enumerate(tunes) if one.title == title), len(title))
    other = shifted(tunes, place, seed)
    new = checks.Tune(title=other.title, notes=other.notes, also=other.also)
    varied = replace(
        probe, caption=f"{player} playing {other.title}", details=other.details, duration_s=other.duration_s
    )
    return expecting(varied, check, new)


def groove(probe: Probe, draw: random.Random) -> Probe | None:
    """Change the tempo of drums on a grid."""
    check = find(probe, checks.Groove)
    if check is None:
        return None
    bpm = round(check.bpm * draw.choice((0.85, 0.9, 1.1, 1.15)))
    said = reworded(probe, (f"{check.bpm:g}", f"{bpm}"))
    if said is None:
        return None
    duration_s = round(check.bars * check.beats_per_bar * 60 / bpm, 3)
    return expecting(replace(said, duration_s=duration_s), check, replace(check, bpm=bpm))


def tuning(probe: Probe, draw: random.Random) -> Probe | None:
    """Change the frequency from which a scale starts."""
    check = find(probe, checks.Pitches)
    if check is None or probe.family != "tuning":
        return None
    text = f"{probe.caption} {probe.details}"
    named = re.search(r"\b([A-G])(\d) = (\d+(?:\.\d+)?) Hz", text)
    if named:
        midi = 12 * (int(named[2]) + 1) + STEPS[named[1]]
        other = draw.choice([midi + n for n in (-3, -1, 2, 3, 4, 5) if (midi + n) % 12 in _NATURAL])
        was, now = (f"{_NATURAL[m % 12]}{m // 12 - 1}" for m in (midi, other))
        was_up, now_up = (f"{_NATURAL[m % 12]}{m // 12}" for m in (midi, other))
        hz = round(440 * 2 ** ((other - 69) / 12), 4)
        swaps = [(f"{was} = {named[3]} Hz", f"{now} = {round(hz, 3):g} Hz" if hz < 100 else f"{now} = {hz:.3f} Hz")]
        swaps += [(f"to {was_up}", f"to {now_up}")] if f"to {was_up}" in text else []
        swaps += [(f"on {was}", f"on {now}")] if f"on {was}" in text else []
        swaps += [(f"{named[1]} major", f"{now[0]} major")] if f"{named[1]} major" in text else []
        ratio = hz / check.f0_hz[0]
    else:
        plain = re.search(r"(?<![\d.])(\d+) Hz", text)
        if plain is None:
            return None
        other = draw.choice([hz for hz in (90, 100, 120, 130, 200, 240, 260) if 0.75 < hz / int(plain[1]) < 1.25])
        swaps, ratio = [(f"{plain[1]} Hz", f"{other} Hz")], other / int(plain[1])
    said = reworded(probe, *swaps)
    if said is None:
        return None
    return expecting(said, check, replace(check, f0_hz=[round(hz * ratio, 4) for hz in check.f0_hz]))


def string(probe: Probe, draw: random.Random) -> Probe | None:
    """Change the fundamental of an ideal string, or the stiffness of a stiff one."""
    check = find(probe, checks.Partials)
    if check is None:
        return None
    stiff = re.search(r"fundamental (\d+) Hz and inharmonicity coefficient B = (0\.\d+)", probe.caption)
    if stiff:
        base_hz, b = draw.choice((80, 90, 110, 120)), draw.choice((0.0006, 0.0008, 0.0012, 0.0015))
        said = reworded(probe, (f"{stiff[1]} Hz", f"{base_hz} Hz"), (f"B = {stiff[2]}", f"B = {b}"))
        new = replace(
            check,
            reference_hz=base_hz * math.sqrt(1 + b),
            ratios=[round(ratio, 4) for ratio in stiff_partials(b, len(check.ratios))],
        )
        return said and expecting(said, check, new)
    note = re.search(r"\b([A-G])(\d), (\d+\.\d+) Hz", probe.caption)
    if note:
        midi = 12 * (int(note[2]) + 1) + STEPS[note[1]]
        other = draw.choice([m for m in (midi - 1, midi + 1, midi + 2, midi + 3, midi + 5) if m % 12 in _NATURAL])
        hz = round(440 * 2 ** ((other - 69) / 12), 2)
        said = reworded(probe, (note[0], f"{_NATURAL[other % 12]}{other // 12 - 1}, {hz:.2f} Hz"))
        return said and expecting(said, check, replace(check, reference_hz=hz))
    ideal = re.search(r"ideal string of (\d+) Hz", probe.caption)
    if ideal:
        plucked_hz = draw.choice([n for n in (90, 100, 110, 120, 130, 140) if n != int(ideal[1])])
        said = reworded(probe, (f"{ideal[1]} Hz", f"{plucked_hz} Hz"))
        return said and expecting(said, check, replace(check, reference_hz=float(plucked_hz)))
    return None


def shepard(probe: Probe, draw: random.Random) -> Probe | None:
    """Change the direction and the size of the steps of a Shepard scale, or the pace of a glissando."""
    check = find(probe, checks.Shepard)
    if check is None:
        return None
    rises, rises_now = check.step_semitones > 0, draw.random() < 0.5
    if check.tones is None:
        was_s = round(12 / abs(check.step_semitones))
        now_s = draw.choice([n for n in (6, 8, 10, 12) if n != was_s or rises != rises_now])
        swaps = [("rising" if rises else "falling", "rising" if rises_now else "falling")]
        swaps += [("by one octave in " + WORDS[was_s], "by one octave in " + WORDS[now_s])]
        swaps += [("falls" if not rises else "rises", "falls" if not rises_now else "rises")]
        said = reworded(probe, *swaps)
        new = replace(check, step_semitones=(12 if rises_now else -12) / now_s)
        return said and expecting(replace(said, duration_s=float(now_s)), check, new)
    step = abs(round(check.step_semitones))
    now = draw.choice([n for n in (1, 2, 3) if n != step or rises != rises_now])
    tones = 12 // now
    said = reworded(
        probe,
        ("an ascending" if rises else "a descending", "an ascending" if rises_now else "a descending"),
        (f"{WORDS[check.tones]} tones, {_STEPS[step]} apart", f"{WORDS[tones]} tones, {_STEPS[now]} apart"),
        (f"the {_ORDINALS[check.tones + 1]} tone", f"the {_ORDINALS[tones + 1]} tone"),
    )
    new = replace(check, tones=tones, step_semitones=now if rises_now else -now)
    return said and expecting(replace(said, duration_s=tones / 2), check, new)


def gallop(probe: Probe, draw: random.Random) -> Probe | None:
    """Change the pitches of a galloping sequence ABA-."""
    check = find(probe, checks.Pitches)
    found = re.search(rf"A = (\d+) Hz, B ({'|'.join(WORDS)}) semitones above", probe.caption)
    if check is None or not found:
        return None
    low, steps = draw.choice([hz for hz in (350, 400, 450, 550, 600) if hz != int(found[1])]), draw.choice((4, 5, 7, 8))
    said = reworded(probe, (found[0], f"A = {low} Hz, B {WORDS[steps]} semitones above"))
    high = low * 2 ** (steps / 12)
    f0_hz = [float(low) if hz == check.f0_hz[0] else high for hz in check.f0_hz]
    return said and expecting(said, check, replace(check, f0_hz=f0_hz))


CHANGES: tuple[Change, ...] = (groove, tuning, string, shepard, gallop)
SEEDED: tuple[SeededChange, ...] = (tune,)
