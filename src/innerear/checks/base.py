"""What every kind of check has."""

from __future__ import annotations

import msgspec


class CheckBase(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="check", kw_only=True, omit_defaults=True
):
    """A check: its tag is its kind. `headline=False`: measured and shown, but not counted in headlines."""

    headline: bool = True
