"""Every check verified: those that judge a sound by a rule, and `instrument`, by instruments left out."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from innerear import suite
from innerear.errors import WeightsUnavailable
from innerear.verify import Trial, Verified, verify
from innerear.verify.sounds import Bank
from innerear.verify.trials import KINDS, trials


def kinds() -> tuple[str, ...]:
    """The kinds that can be verified."""
    return (*KINDS, "instrument")


def verify_all(
    chosen: Sequence[str], bank: Bank | None, keep: Callable[[Trial, bool], None] | None = None
) -> dict[str, Verified]:
    """The outcome by variant. `instrument` is left out where there are no recordings or no YAMNet."""
    probes = suite.load(None).probes
    found = verify(trials(probes, bank, [name for name in chosen if name in KINDS]), keep)
    if "instrument" in chosen and bank is not None:
        from innerear.metrics.instrument import hear
        from innerear.verify.instruments import fit_and_verify

        try:
            found |= fit_and_verify(bank, hear)[1]
        except WeightsUnavailable:
            return found
    return found
