"""Do the drums play this rhythm? The check `groove`: hits of each row on the steps of a grid, and nowhere else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from innerear.checks import Groove
from innerear.dsp.hits import Floats, envelope, rises
from innerear.dsp.onsets import SAMPLE_RATE, find_onsets
from innerear.dsp.silence import is_silent
from innerear.metrics.base import CheckMetric, Sound, Value

ONSET_S = 0.045  # an onset is this near to its step
Band = tuple[float | None, float | None]
Bits = NDArray[Any]

BANDS_HZ: dict[str, tuple[Band, ...]] = {
    "kick": ((None, 70.0), (None, 100.0), (None, 140.0)),
    "snare": ((180.0, 400.0), (250.0, 600.0), (400.0, 1000.0), (600.0, 1500.0), (1000.0, 2500.0)),
    "hihat": ((6000.0, None), (9000.0, None)),
    "low": tuple((None, hz) for hz in (90.0, 120.0, 150.0, 190.0, 240.0, 300.0, 400.0, 600.0, 900.0)),
}
"""The bands by which a hit of each row is told; a high one is told by its onset alone."""
APART_DB = {"kick": 3.0, "snare": 3.0, "hihat": 3.0, "low": 6.0, "high": 0.0}
"""Between the weakest hit of a row and the strongest of its other steps; a bass added to a chord may add 5 dB."""
UNEVEN_DB = 12.0  # between the weakest and the strongest hit of a row: a greater difference is another sound
MOST_DB = 40.0


class GrooveCheck(CheckMetric[Groove]):
    """The check `groove`: dB between the weakest requested hit of a row and the strongest of its other steps.

    The least margin of all rows. A hit adds energy to its row's band: below 70 to 140 Hz for a kick, 180 to
    2500 Hz for a snare (or a clap or cross-stick), above 6 kHz for a hi-hat; of these bands, the one that
    separates best counts, if the row's hits are within 12 dB of each other in it. A hi-hat under a requested
    snare is not heard, and not judged. Of two rows `low` and `high`, a low hit adds energy below a cutoff, a
    high one an onset without it. Passes if every row has a margin of 3 dB (`low`: 6 dB) and there is no onset
    further than 45 ms from the requested steps. A row that is `None` or empty is not judged.
    """

    name, version, unit = "groove", 1, "dB"
    label = "Grooves right"
    text = "Each row of the rhythm has its hits on the requested steps and no others."
    better = "higher"

    def measure(self, sound: Sound, check: Groove) -> Value:
        """Detail: the margin of each row, and the onsets found."""
        samples = sound.signal.at(SAMPLE_RATE)
        rows = {name: _steps(row, check) for name, row in check.rows.items()}
        if not rows:
            return Value(None, None, "no row to judge")
        if is_silent(samples):
            return Value(None, False, "silence")
        steps = check.beats_per_bar * check.steps_per_beat
        grid = np.arange(steps * check.bars) * 60 / check.bpm / check.steps_per_beat
        asked = np.any(list(rows.values()), axis=0)
        heard = find_onsets(samples)
        detail: dict[str, object] = {"heard_s": [round(float(t), 3) for t in heard]}
        margins = {name: float(_margin(samples, grid, rows, name)) for name in rows if name != "high"}
        detail["margins_db"] = {name: round(margin, 1) for name, margin in margins.items()}
        near = np.abs(heard[:, None] - grid[asked]) <= ONSET_S
        worst = min(margins, key=lambda name: margins[name] - APART_DB[name], default="high")
        missed = ~near.any(axis=0) & ("high" in rows)
        reason = (
            "no onsets are heard" if not len(heard)
            else f"no hit at {grid[asked][missed][0]:.2f} s" if missed.any()
            else f"a hit at {heard[~near.any(axis=1)][0]:.2f} s, where none was asked" if not near.any(axis=1).all()
            else f"{worst}: a hit is missing, or there is one too many" if margins.get(worst, MOST_DB) < APART_DB[worst]
            else ""
        )  # fmt: skip
        return Value(margins.get(worst), not reason, reason, detail)


def _steps(row: list[int], check: Groove) -> Bits:
    one = np.zeros(check.beats_per_bar * check.steps_per_beat, bool)
    one[row] = True
    return np.tile(one, check.bars)


def _margin(samples: Bits, grid: Floats, rows: dict[str, Bits], name: str) -> float:
    """dB between the weakest requested hit of a row and the strongest other step, in the band that separates best."""
    asked = rows[name]
    others = ~asked & ~rows["snare"] if name == "hihat" and "snare" in rows else ~asked
    if not others.any():
        return MOST_DB
    alike = asked & ~rows["snare"] if name == "hihat" and "snare" in rows and (asked & ~rows["snare"]).any() else asked
    apart = [
        float(score[asked].min() - score[others].max())
        for score in _scores(samples, grid, name)
        if np.ptp(score[alike]) <= UNEVEN_DB
    ]
    return min(MOST_DB, max(apart, default=-MOST_DB))


def _scores(samples: Bits, grid: Floats, name: str) -> Iterator[Floats]:
    """What each step adds to each band that may tell a row, in dB."""
    for low_hz, high_hz in BANDS_HZ[name]:
        power = envelope(samples, low_hz, high_hz)
        yield rises(power, grid)
        yield rises(power, grid, body=True)
