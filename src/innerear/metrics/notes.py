"""Which notes were played when? The check `notes`, by transcription of monophonic phrases (`dsp.transcribe`).

Offsets are not judged. Unpitched hits are not notes.
"""

from __future__ import annotations

import numpy as np

from innerear.checks import Notes
from innerear.dsp.onsets import SAMPLE_RATE
from innerear.dsp.transcribe import Floats, transcribe
from innerear.metrics.base import CheckMetric, Sound, Value

PASS_F = 0.9


class NotesCheck(CheckMetric[Notes]):
    """The check `notes`: F-measure of notes with the right onset and pitch.

    `mir_eval.transcription` without offsets (C. Raffel et al., "mir_eval", ISMIR 2014). Passes at
    F ≥ 0.9. With `octave_free`, pitches are folded into one octave first.
    """

    name, version, unit = "notes", 1, "F"
    label = "Phrases right"
    text = "F-measure of notes with the right onset and pitch; passes at 0.9."

    def measure(self, sound: Sound, check: Notes) -> Value:
        """Detail: the notes found, as [onset in s, MIDI pitch]."""
        heard = [(onset, 69 + 12 * float(np.log2(f0 / 440))) for onset, f0 in transcribe(sound.signal.at(SAMPLE_RATE))]
        f, precision, recall = note_scores(check, heard)
        detail = {
            "precision": precision, "recall": recall, "asked": len(check.notes),
            "heard": [[round(onset, 3), round(midi, 2)] for onset, midi in heard],
        }  # fmt: skip
        reason = "" if f >= PASS_F else _reason(check, heard, recall)
        return Value(f, f >= PASS_F, reason, detail)


def note_scores(check: Notes, heard: list[tuple[float, float]]) -> tuple[float, float, float]:
    """F-measure, precision and recall of (onset in s, MIDI pitch) against the requested notes."""
    if not heard:
        return 0.0, 0.0, 0.0
    import mir_eval.transcription

    asked = [(onset, _folded(midi, check.octave_free)) for onset, _, midi in check.notes]
    played = [(onset, _folded(midi, check.octave_free)) for onset, midi in heard]
    precision, recall, f, _ = mir_eval.transcription.precision_recall_f1_overlap(
        *_arrays(asked), *_arrays(played), onset_tolerance=check.onset_tolerance_s,
        pitch_tolerance=check.pitch_tolerance_cents, offset_ratio=None,
    )  # fmt: skip
    return float(f), float(precision), float(recall)


def _folded(midi: float, octave_free: bool) -> float:
    """Fold into one octave, whose edges are midway between semitones so that no pitch falls on them."""
    return (midi + 0.5) % 12 - 0.5 + 60 if octave_free else midi


def _arrays(notes: list[tuple[float, float]]) -> tuple[Floats, Floats]:
    onsets = np.array([onset for onset, _ in notes])
    hertz = 440 * 2 ** ((np.array([midi for _, midi in notes]) - 69) / 12)
    return np.stack([onsets, onsets + 0.1], axis=1), hertz


def _reason(check: Notes, heard: list[tuple[float, float]], recall: float) -> str:
    if not heard:
        return "no notes are heard"
    asked, count = len(check.notes), len(heard)
    notes = f"{count} note{'' if count == 1 else 's'}"
    return f"{notes} heard where {asked} were asked; {round(recall * asked)} of them at the right time and pitch"
