"""The speech ladder: accuracy per rung (vowel, syllable, digit, word, sentence, prosody), with chance and ceilings.

A rung is a family of the suite. Its accuracy is the share of its checks passed: the vowel, the text, or for
prosody every check of the voice except the words. Chance is that of guessing from the closed set; prosody has
none, nor have sentences, which an open recogniser transcribes. The ceiling `verified` is the pass rate of
correct sounds by known TTS voices at verification; the ceilings `real` and of the TTS voices come from the
run.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from innerear.checks import Check, Transcript, Vowel, kind
from innerear.metrics.group import Group
from innerear.metrics.verified import TRUE, in_headline, shipped, variant
from innerear.metrics.words import is_sentence
from innerear.metrics.words import shipped as texts
from innerear.records import Scope, Score, Signature

RUNGS = ("vowel", "syllable", "digit", "word", "sentence", "prosody")
OF_RUNG = {"vowel": "vowel", "prosody": ""}
"""The kind of check of a rung, `transcript` by default; `""` means every kind but `transcript`."""


def ladder(group: Group) -> Iterator[Score]:
    """One score per rung for a group of the speech tier, lowest rung first."""
    for index, rung in enumerate(RUNGS if group.tier == "speech" else ()):
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
            for check, row in item.checked
            if asked(check) and row.passed is not None
        ]
        chances = [chance for check in wanted if (chance := _chance(check)) is not None]
        out = sorted({why for check in wanted for counts, why in [in_headline(check, "speech")] if not counts})
        yield group.rate(
            "ladder", passes, len(wanted) - len(passes), Signature.of("ladder", of or "voice", v=1),
            group=Scope("family", rung),
            floor={"chance": float(np.mean(chances))} if chances else {}, ceiling=_verified(wanted),
            note=f"not all checks count in headlines: {'; '.join(out)}" if out else "", detail={"rung": index + 1},
        )  # fmt: skip


def _chance(check: Check) -> float | None:
    if isinstance(check, Vowel):
        return 1 / len(check.among)
    if isinstance(check, Transcript) and not is_sentence(check) and (found := texts().among(check)):
        return 1 / len(found[1])
    return None


def _verified(wanted: Sequence[Check]) -> dict[str, float | None]:
    """The pass rate of correct sounds at verification, pooled over the variants of these checks."""
    found = [shipped()[name] for name in sorted({variant(check, "speech") for check in wanted}) if name in shipped()]
    cells = [cell for one in found for column, cell in one.cells.items() if column in TRUE]
    return {"verified": sum(cell.passed for cell in cells) / sum(cell.n for cell in cells)} if cells else {}
