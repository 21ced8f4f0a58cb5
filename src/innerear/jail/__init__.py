"""Run model-written programs where they can do no harm; see `docs/jail.md`.

`open_jail(tier)` returns a `Jail`, or raises `JailUnavailable` with the missing feature and its fix. `render` uses
only the names exported here.
"""

from innerear.jail.base import Jail, JailResult
from innerear.jail.inside.wire import OFFERS
from innerear.jail.tiers import TIERS, Probed, open_jail, probe

__all__ = ["OFFERS", "TIERS", "Jail", "JailResult", "Probed", "open_jail", "probe"]
