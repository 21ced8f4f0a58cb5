"""Is it this tune? The check `tune`, by transcription and an edit distance, in any key and at any tempo."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from innerear.checks import Tune
from innerear.dsp.onsets import SAMPLE_RATE, find_onsets
from innerear.dsp.transcribe import by_shift, chosen, possible_notes
from innerear.metrics.base import CheckMetric, Sound, Value

Heard = Sequence[tuple[float, float]]
"""Onset in seconds and MIDI pitch per note."""

NEAR = 0.5  # semitones from the asked pitch, in the key that fits best
KEYS = 12  # keys that are tried, the most common distances between heard and asked pitches
AGAIN_DB = (1.5, 3.0, 6.0)  # rises that a repeated note may need; more where an instrument beats
RISES = (0.08, 0.05, 0.03)  # least rises of onsets that are tried for notes without a common period
RHYTHM_FACTOR = 1.4  # the most by which an inter-onset interval may be off, at the tune's own tempo
RHYTHM_SLACK_S = 0.03  # and so much more, for onsets found early or late


class TuneCheck(CheckMetric[Tune]):
    """The check `tune`: share of notes right, by edit distance (insertions, deletions, substitutions).

    V. I. Levenshtein, 1966, over the notes in the key that fits best; a note is right within half a
    semitone. Passes if all notes are right, none is missing and none is extra; with `rhythm`, every
    inter-onset interval is also within a factor of 1.4 of the asked one at the tune's own tempo, so
    that intervals of two lengths asked keep their order. The best of the settings counts. Notes without a
    common period, such as bells, are compared by how far their spectra are moved along log frequency.
    """

    name, version, unit = "tune", 2, "share"
    label = "Tunes right"
    text = "Share of the tune's notes right, in any key; passes if all are, in the tune's rhythm."
    better = "higher"

    def measure(self, sound: Sound, check: Tune) -> Value:
        """Detail: the notes found, as [onset in s, MIDI pitch]; the worst ratio of an interval."""
        assert sound.clip is not None
        samples = sound.clip.at(SAMPLE_RATE)
        possible = possible_notes(samples)
        hearings = [
            [(at, 69 + 12 * float(np.log2(f0 / 440))) for at, f0 in chosen(possible, db, True)] for db in AGAIN_DB
        ]
        found = max((best_setting(check, heard) for heard in hearings), key=_rank)
        if found.passed:
            return found
        lengths = {len(setting) for setting in [check.notes, *check.also]}
        for least_rise in RISES:
            onsets = find_onsets(samples, least_rise).tolist()
            if len(onsets) in lengths:
                heard = [(at, 60 + semitones) for at, semitones in by_shift(samples, onsets)]
                if (shifted := best_setting(check, heard)).passed:
                    return shifted
        return found


def _rank(value: Value) -> tuple[bool, float]:
    return bool(value.passed), value.value or 0.0


def best_setting(check: Tune, heard: Heard) -> Value:
    """The value of heard notes against the setting that they fit best."""
    if not heard:
        return Value(0.0, False, "no notes are heard", {"heard": []})
    found = [_against(check, setting, heard) for setting in [check.notes, *check.also]]
    return max(found, key=_rank)


def _against(check: Tune, setting: Sequence[tuple[int, float]], heard: Heard) -> Value:
    asked, played = [float(midi) for midi, _ in setting], [midi for _, midi in heard]
    edits = min(_edits(asked, played, key, check.octave_free) for key in _keys(asked, played, check.octave_free))
    share = 1 - edits / max(len(asked), len(played))
    detail: dict[str, object] = {
        "asked": len(asked), "edits": edits, "heard": [[round(onset, 3), round(midi, 2)] for onset, midi in heard],
    }  # fmt: skip
    if edits:
        return Value(share, False, f"{len(played)} notes heard where {len(asked)} were asked; {edits} edits", detail)
    if check.rhythm and len(setting) > 2:
        worst, at = _worst_interval(np.array([beats for _, beats in setting]), np.array([onset for onset, _ in heard]))
        detail["worst_ratio"] = round(worst, 3)
        if worst > RHYTHM_FACTOR:
            reason = f"the notes are right; the time after note {at + 1} is off by a factor of {worst:.2f}"
            return Value(share, False, reason, detail)
    return Value(share, True, "", detail)


def _keys(asked: Sequence[float], played: Sequence[float], octave_free: bool) -> list[float]:
    """Distances in semitones from asked to heard pitches that occur most often, each the mean of its cluster."""
    between = (np.subtract.outer(played, asked)).ravel()
    if octave_free:
        between = between % 12
    common = [key for key, _ in Counter(np.round(between * 2) / 2).most_common(KEYS)]
    return [float(np.median(between[np.abs(between - key) <= NEAR])) for key in common]


def _edits(asked: Sequence[float], played: Sequence[float], key: float, octave_free: bool) -> int:
    """Edit distance between two sequences of pitches."""
    off = np.subtract.outer(played, asked) - key
    if octave_free:
        off = (off + 6) % 12 - 6
    wrong = (np.abs(off) > NEAR).astype(int).tolist()
    row = list(range(len(asked) + 1))
    for i, differs in enumerate(wrong, 1):
        above, row = row, [i]
        for j, no in enumerate(differs):
            row.append(min(above[j] + no, above[j + 1] + 1, row[j] + 1))
    return row[-1]


def _worst_interval(beats: np.ndarray, onsets: np.ndarray) -> tuple[float, int]:
    """The greatest factor between an inter-onset interval and the asked one, beyond the slack, and its place."""
    heard, asked = np.diff(onsets), beats[:-1]
    tempo_s = float(np.exp(np.median(np.log(heard / asked))))
    wanted = asked * tempo_s
    slack = np.minimum(np.abs(heard - wanted), RHYTHM_SLACK_S)
    off = np.abs(np.log((heard + np.where(heard < wanted, slack, -slack)) / wanted))
    place = int(np.argmax(off))
    return float(np.exp(off[place])), place
