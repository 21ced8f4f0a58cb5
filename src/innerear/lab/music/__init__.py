"""Trial sounds for the checks that edition 2 adds to the notes tier, and for `cadence`.

Nothing here depends on the suite: tunes are random melodies, grooves random patterns, tunings and partials
are those of many instruments, signals have random frequencies and times.
"""

from __future__ import annotations

from innerear.lab.kits import groove
from innerear.lab.music.endless import shepard
from innerear.lab.music.scales import pitches
from innerear.lab.music.spectra import band_level, partials
from innerear.lab.music.tunes import tune
from innerear.lab.tools import Builder

BUILDERS: dict[str, Builder] = {
    "tune": tune, "groove": groove, "pitches": pitches, "partials": partials, "band_level": band_level,
    "shepard": shepard,
}  # fmt: skip
