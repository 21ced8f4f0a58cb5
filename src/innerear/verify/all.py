"""Every check verified: those that judge a sound by a rule, and those that are fitted, on what was left out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress

import msgspec

from innerear import suite
from innerear.errors import WeightsUnavailable
from innerear.parts import write_whole
from innerear.verify import Trial, Verified, verify
from innerear.verify.sounds import Bank
from innerear.verify.trials import KINDS, trials

FITTED = ("instrument", "label")
RANGES = "plausibility"


def kinds() -> tuple[str, ...]:
    """The kinds that can be verified."""
    return (*KINDS, *FITTED, "transcript", "words", "rhyme")


def verify_all(
    chosen: Sequence[str], bank: Bank | None, keep: Callable[[Trial, bool], None] | None = None
) -> dict[str, Verified]:
    """The outcome by variant. What needs recordings or networks that are not here is left out."""
    probes = suite.load(None).probes
    found = verify(trials(probes, bank, [name for name in chosen if name in KINDS]), keep)
    for name in chosen:
        if name in FITTED and bank is not None:
            with suppress(WeightsUnavailable):
                found |= fit(name, bank)[1]
    if "transcript" in chosen and bank is not None:
        from innerear.metrics.words import shipped
        from innerear.verify.words import verify_words

        found |= verify_words(probes, bank, shipped(), keep)
    from innerear.verify.heard import verify_heard, verify_rhymes

    for name, how in (("words", verify_heard), ("rhyme", verify_rhymes)):
        if name in chosen:
            with suppress(WeightsUnavailable):
                found |= how(bank, keep)
    return found


def fit(name: str, bank: Bank) -> tuple[Callable[[], None], dict[str, Verified]]:
    """Fit a check to the recordings: what writes it where it ships, and how it does on what was left out.

    Raises:
        WeightsUnavailable: YAMNet cannot be had here.
    """
    if name == RANGES:
        from innerear.metrics import plausibility
        from innerear.verify.plausible import fit as fit_ranges

        ranges = fit_ranges(bank)
        content = msgspec.json.format(msgspec.json.encode(ranges), indent=1) + b"\n"
        return lambda: write_whole(plausibility.shipped_path(), content), {}
    if name == "label":
        from innerear.metrics import classes
        from innerear.verify.classes import fit_and_verify as fit_classes

        table, found = fit_classes(bank)
        return lambda: classes.save(classes.shipped_path(), table), found
    from innerear.metrics import instrument
    from innerear.verify.instruments import fit_and_verify as fit_instruments

    fitted, found = fit_instruments(bank, instrument.hear)
    return lambda: instrument.save(instrument.shipped_path(), fitted), found
