"""Which frequencies, when? The check `pitches`, for tunings that MIDI numbers cannot say."""

from __future__ import annotations

import numpy as np

from innerear.checks import Pitches
from innerear.dsp.f0 import cents
from innerear.dsp.onsets import SAMPLE_RATE
from innerear.dsp.tones import Floats, refined_f0
from innerear.dsp.transcribe import transcribe
from innerear.metrics.measure import Sound, Value

SKIP_S, LONGEST_S, GAP_S = 0.03, 0.45, 0.01
COARSE_CENTS = 100.0


class PitchesCheck:
    """The check `pitches`: share of the requested notes at their times and frequencies; extra notes count as wrong.

    Notes are those of `dsp.transcribe`; the f0 of each is then refined over up to 0.45 s. Passes if all are
    right and none is extra.
    """

    name, version, unit = "pitches", 1, "share"

    def measure(self, sound: Sound, check: Pitches) -> Value:
        """Detail: the notes found, as [onset in s, f0 in Hz], and the error of each requested one in cents."""
        assert sound.clip is not None
        samples = sound.clip.at(SAMPLE_RATE).astype(np.float64)
        coarse = transcribe(samples.astype(np.float32))
        ends = [*(onset for onset, _ in coarse[1:]), len(samples) / SAMPLE_RATE]
        heard = [(on, _refined(samples, on, end, f0)) for (on, f0), end in zip(coarse, ends, strict=True)]
        detail: dict[str, object] = {"heard": [[round(onset, 3), round(f0, 2)] for onset, f0 in heard]}
        if not heard:
            return Value(0.0, False, "no notes are heard", detail)
        errors = [_error(heard, at, hz, check.onset_tolerance_s) for at, hz in zip(check.onsets_s, check.f0_hz, strict=True)]
        detail["cents"] = [None if error is None else round(error, 1) for error in errors]
        right = sum(error is not None and abs(error) <= check.tolerance_cents for error in errors)
        count = max(len(heard), len(errors))
        if right == count:
            return Value(1.0, True, "", detail)
        reason = f"{len(heard)} notes heard where {len(errors)} were asked; {right} of them right"
        return Value(right / count, False, reason, detail)


def _refined(samples: Floats, onset_s: float, end_s: float, coarse_hz: float) -> float:
    """f0 in Hz of the note that begins here, over what the onset added to the spectrum."""
    start = round((onset_s + SKIP_S) * SAMPLE_RATE)
    stop = min(round(min(end_s - GAP_S, onset_s + LONGEST_S) * SAMPLE_RATE), len(samples))
    after = samples[start:stop]
    until = max(0, round((onset_s - GAP_S) * SAMPLE_RATE))
    before = samples[max(0, until - len(after)) : until]
    return refined_f0(np.pad(before, (len(after) - len(before), 0)), after, SAMPLE_RATE, coarse_hz)


def _error(heard: list[tuple[float, float]], at_s: float, hz: float, tolerance_s: float) -> float | None:
    """Error in cents of the note nearest in time; `None` if there is none within the tolerance."""
    onset, f0_hz = min(heard, key=lambda note: abs(note[0] - at_s))
    return cents(f0_hz, hz) if abs(onset - at_s) <= tolerance_s else None
