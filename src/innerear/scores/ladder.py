"""The ladder of speech, vowel, syllable, digit, word, sentence, prosody: accuracy beside chance and ceilings.

A rung is a family of the suite. Its accuracy is the share of its own checks that are passed: the
vowel, or the text, or of prosody all that is asked of the voice besides the words. Chance is that of a
listener's choice among the set; for prosody there is none to name, nor for sentences, which a recogniser
hears that is told none of them. The ceiling `verified` is the
share of right sounds of known talkers that these checks let through when they were verified; that of
`real` and of the talkers comes from the run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from innerear.checks import Check, Transcript, Vowel, kind
from innerear.metrics.verified import TRUE, in_headline, shipped, variant
from innerear.metrics.words import is_sentence
from innerear.metrics.words import shipped as texts
from innerear.records import Measurement, Score
from innerear.scores.groups import Group
from innerear.scores.summaries import rate

RUNGS = ("vowel", "syllable", "digit", "word", "sentence", "prosody")
OF_RUNG = {"vowel": "vowel", "prosody": ""}
"""The kind of check of a rung: `transcript` unless it stands here; `""`: every other kind."""


def ladder(group: Group, judged: Mapping[str, Sequence[tuple[Check, Measurement]]]) -> Iterator[Score]:
    """One score a rung of a group of the speech tier, from the lowest up."""
    for place, rung in enumerate(RUNGS if group.tier == "speech" else ()):
        of = OF_RUNG.get(rung, "transcript")

        def asked(check: Check, of: str = of) -> bool:
            return kind(check) == of if of else kind(check) != "transcript"

        wanted = [check for i in group.items if i.probe.family == rung for check in i.probe.expect if asked(check)]
        if not wanted:
            continue
        passes = [
            (item.probe.id, bool(row.passed))
            for item in group.rendered
            if item.probe.family == rung
            for check, row in judged.get(item.completion.key, [])
            if asked(check) and row.passed is not None
        ]
        chances = [chance for check in wanted if (chance := _chance(check)) is not None]
        out = sorted({why for check in wanted for counts, why in [in_headline(check, "speech")] if not counts})
        yield rate(
            group, "ladder", passes, len(wanted) - len(passes), f"ladder|{of or 'voice'}|v:1", group=f"family:{rung}",
            floor={"chance": float(np.mean(chances))} if chances else {}, ceiling=_verified(wanted),
            note=f"shown, not all counted: {'; '.join(out)}" if out else "", detail={"rung": place + 1},
        )  # fmt: skip


def _chance(check: Check) -> float | None:
    if isinstance(check, Vowel):
        return 1 / len(check.among)
    if isinstance(check, Transcript) and not is_sentence(check) and (found := texts().among(check)):
        return 1 / len(found[1])
    return None


def _verified(wanted: Sequence[Check]) -> dict[str, float | None]:
    """The share of right sounds that passed, pooled over the variants of these checks."""
    found = [shipped()[name] for name in sorted({variant(check, "speech") for check in wanted}) if name in shipped()]
    cells = [cell for one in found for column, cell in one.cells.items() if column in TRUE]
    return {"verified": sum(cell.passed for cell in cells) / sum(cell.n for cell in cells)} if cells else {}
