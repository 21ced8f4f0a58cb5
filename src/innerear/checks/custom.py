"""The kind of check that a plug-in measures."""

from __future__ import annotations

from typing import Any

import msgspec

from innerear.checks.base import CheckBase


class Custom(CheckBase, frozen=True, tag="custom"):
    """What the plug-in check `by` measures, with the figures in `needs`.

    `says`: the sentences with these figures for the strategy `brief`. `by` is the name of an installed check, or of
    one that was named with `--plugin`; a suite cannot name code. Without the plug-in it is not measured.
    """

    by: str
    needs: dict[str, Any] = msgspec.field(default_factory=dict)
    says: list[str] = msgspec.field(default_factory=list)

    def brief(self, duration_s: float) -> list[str]:
        """The sentences of the suite."""
        return list(self.says)
