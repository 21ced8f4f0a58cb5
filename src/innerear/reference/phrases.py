"""Phrases put together from recorded single notes: the nearest thing to real music in the pack.

Each is one instrument playing notes it really played, one after the other or together, with
their natural decay. What a player does between notes is missing, and so are drums.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np

from innerear.clip import Clip

PHRASES_PER_INSTRUMENT = 20
DURATION_S = 4.0
BEATS_S = (0.25, 0.5, 1.0)
CHORD_TONES = (2, 3, 4)


def phrases(notes: Sequence[tuple[str, int, Clip]], seed: int = 0) -> Iterator[tuple[str, Clip]]:
    """Melodies and chords of 4 s for each instrument, from (instrument, MIDI pitch, clip).

    Three in four are melodies that step among neighbouring notes at 1, 2 or 4 notes a second,
    the others chords of two to four different notes. All clips of an instrument must have the
    same sample rate.
    """
    by_instrument: dict[str, list[tuple[int, Clip]]] = defaultdict(list)
    for instrument, midi, clip in notes:
        by_instrument[instrument].append((midi, clip))
    for instrument, played in sorted(by_instrument.items()):
        played.sort(key=lambda note: note[0])
        rng = np.random.default_rng([seed, *instrument.encode()])
        for number in range(PHRASES_PER_INSTRUMENT):
            if number % 4 == 3:
                tones = rng.choice(len(played), size=min(int(rng.choice(CHORD_TONES)), len(played)), replace=False)
                events = [(0.0, int(tone)) for tone in tones]
            else:
                beat_s = float(rng.choice(BEATS_S))
                count = round(DURATION_S / beat_s)
                steps = np.cumsum(rng.integers(-2, 3, size=count)) + rng.integers(len(played))
                events = [(beat_s * beat, int(abs(step) % len(played))) for beat, step in enumerate(steps)]
            yield f"{instrument}-{number:02d}", _mix([(onset, played[i][1]) for onset, i in events])


def _mix(events: Sequence[tuple[float, Clip]]) -> Clip:
    """The notes at their onsets in seconds; a note is damped within 50 ms of the next onset but in chords."""
    sample_rate = events[0][1].sample_rate
    total = round(DURATION_S * sample_rate)
    mixed = np.zeros(total, dtype=np.float32)
    onsets = [*sorted({onset for onset, _ in events}), DURATION_S]
    fade = np.linspace(1, 0, round(0.05 * sample_rate), dtype=np.float32)
    for onset, clip in events:
        start = round(onset * sample_rate)
        end = round(onsets[onsets.index(onset) + 1] * sample_rate)
        note = clip.mono[: min(end + len(fade), total) - start].copy()
        tail = max(0, min(end - start, len(note) - len(fade)))
        if tail + len(fade) <= len(note):
            note[tail : tail + len(fade)] *= fade
            note = note[: tail + len(fade)]
        mixed[start : start + len(note)] += note
    return Clip(mixed[None, :], sample_rate)
