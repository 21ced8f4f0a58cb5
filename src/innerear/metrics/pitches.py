"""Which frequencies, when? The check `pitches`, for tunings that MIDI numbers cannot say."""

from __future__ import annotations

import numpy as np

from innerear.checks import Pitches
from innerear.dsp.f0 import cents
from innerear.dsp.onsets import SAMPLE_RATE
from innerear.dsp.tones import Floats, refined_f0
from innerear.dsp.transcribe import PossibleNote, chosen, possible_notes
from innerear.metrics.base import CheckMetric, Sound, Value

SKIP_S, LONGEST_S, GAP_S = 0.03, 0.45, 0.01
AGAIN_DB = 3.0  # rise of an extra note of the same pitch


class PitchesCheck(CheckMetric[Pitches]):
    """The check `pitches`: share of the requested notes at their times and frequencies; extra notes count as wrong.

    What begins, and extra notes, are those of `dsp.transcribe`; the f0 of what begins at a requested time is
    refined over up to 0.45 s. Passes if all are right and none is extra.
    """

    name, version, unit = "pitches", 1, "share"
    label = "Tunings right"
    text = "Share of the notes at their times and at their own frequencies; passes if all are."
    better = "higher"

    def measure(self, sound: Sound, check: Pitches) -> Value:
        """Detail: the f0 in Hz and the error in cents of each requested note, and the times of extra ones."""
        samples = sound.signal.at(SAMPLE_RATE)
        possible = possible_notes(samples)
        if not possible:
            return Value(0.0, False, "no notes are heard", {"heard_hz": []})
        ends = [*(note.onset_s for note in possible[1:]), len(samples) / SAMPLE_RATE]
        heard = [
            _at(samples.astype(np.float64), list(zip(possible, ends, strict=True)), at_s, hz, check.onset_tolerance_s)
            for at_s, hz in zip(check.onsets_s, check.f0_hz, strict=True)
        ]
        errors = [None if f0 is None else cents(f0, hz) for f0, hz in zip(heard, check.f0_hz, strict=True)]
        extra = [
            onset_s
            for onset_s, _ in chosen(possible, AGAIN_DB, corrected=True)
            if all(abs(onset_s - at_s) > check.onset_tolerance_s for at_s in check.onsets_s)
        ]
        detail = {
            "heard_hz": [None if f0 is None else round(f0, 2) for f0 in heard],
            "cents": [None if error is None else round(error, 1) for error in errors],
            "extra_s": [round(onset_s, 3) for onset_s in extra],
        }
        right = sum(error is not None and abs(error) <= check.tolerance_cents for error in errors)
        share = right / (len(errors) + len(extra))
        reason = f"{right} of {len(errors)} notes right, {len(extra)} extra"
        return Value(share, share == 1, "" if share == 1 else reason, detail)


def _at(
    samples: Floats, possible: list[tuple[PossibleNote, float]], at_s: float, hz: float, tolerance_s: float
) -> float | None:
    """The f0 in Hz, nearest to the requested one, of what begins within the tolerance; `None` if nothing does."""
    found = [
        _refined(samples, note.onset_s, end_s, note.f0_hz)
        for note, end_s in possible
        if abs(note.onset_s - at_s) <= tolerance_s
    ]
    return min(found, key=lambda f0: abs(np.log(f0 / hz)), default=None)


def _refined(samples: Floats, onset_s: float, end_s: float, coarse_hz: float) -> float:
    """f0 in Hz of the note that begins here, over what the onset added to the spectrum."""
    start = round((onset_s + SKIP_S) * SAMPLE_RATE)
    stop = min(round(min(end_s - GAP_S, onset_s + LONGEST_S) * SAMPLE_RATE), len(samples))
    after = samples[start:stop]
    until = max(0, round((onset_s - GAP_S) * SAMPLE_RATE))
    before = samples[max(0, until - len(after)) : until]
    return refined_f0(np.pad(before, (len(after) - len(before), 0)), after, SAMPLE_RATE, coarse_hz)
