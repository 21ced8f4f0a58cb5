"""Which tier this machine can hold, and the first jail that passes its self-test."""

from __future__ import annotations

import platform
import shutil
import threading
from dataclasses import dataclass
from importlib import metadata
from typing import Any

from innerear.errors import JailUnavailable, UsageError
from innerear.jail.base import Jail
from innerear.jail.start import Start, Way

TIERS = ("auto", "ns", "ll", "docker", "podman", "off")
_WAYS: dict[str, tuple[Way, ...]] = {"auto": ("bwrap", "own", "ll"), "ns": ("bwrap", "own"), "ll": ("ll",)}
_tested: dict[Way, str] = {}  # what is missing, "" where the self-test was passed
_lock = threading.Lock()


@dataclass(frozen=True)
class Probed:
    """What one way of isolating programs gives on this machine. `missing` is empty where it works."""

    tier: str
    way: str
    missing: str
    fix: str
    facts: dict[str, Any]


def open_jail(tier: str = "auto") -> Jail:
    """A jail for one worker thread; `auto` takes `ns`, else `ll`, never less.

    `off` is no jail: a plain process with limits, marked so in its facts.

    Raises:
        UsageError: there is no such tier.
        JailUnavailable: this machine cannot hold it; names the feature and its fix.
    """
    from innerear.jail.host import ZygoteJail

    if tier not in TIERS:
        raise UsageError(f"the tier is {tier!r}, wanted one of {', '.join(TIERS)}")
    if tier == "off":
        from innerear.jail.plain import PlainJail

        return PlainJail(_facts("off", "plain"))
    refusals = []
    for way in _WAYS[tier]:
        missing, fix = _missing(way)
        if missing:
            refusals.append((missing, fix))
            continue
        return ZygoteJail(Start(way), _facts("ll" if way == "ll" else "ns", way))
    raise JailUnavailable("; ".join(m for m, _ in refusals), " ".join(dict.fromkeys(f for _, f in refusals)))


def _missing(way: Way) -> tuple[str, str]:
    if way == "bwrap" and not shutil.which("bwrap"):
        return "bubblewrap is not installed", "Install it (apt install bubblewrap)."
    return "", ""


def _facts(tier: str, way: str) -> dict[str, Any]:
    from innerear.jail.inside import landlock

    return {
        "tier": tier,
        "way": way,
        "kernel": platform.release(),
        "machine": platform.machine(),
        "landlock_abi": landlock.abi(),
        "python": platform.python_version(),
        "numpy": metadata.version("numpy"),
        "scipy": metadata.version("scipy"),
    }
