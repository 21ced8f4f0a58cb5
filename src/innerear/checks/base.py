"""What every kind of check has."""

from __future__ import annotations

import msgspec


class CheckBase(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="check", kw_only=True, omit_defaults=True
):
    """A check: its tag is its kind. `headline=False`: measured and shown, but not counted in headlines."""

    headline: bool = True

    def brief(self, duration_s: float) -> list[str]:
        """What an expert would tell about a sound of this duration: sentences with the exact figures of the check."""
        raise NotImplementedError(f"{type(self).__name__} has no brief")
