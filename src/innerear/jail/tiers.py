"""Choose a tier that this machine supports, and open a jail that passes its self-test."""

from __future__ import annotations

import os
import platform
import shutil
import sys
import threading
from dataclasses import dataclass, field, replace
from importlib import metadata
from pathlib import Path
from typing import Any, Literal, get_args

from innerear.errors import JailFailure, JailUnavailable, UsageError
from innerear.jail import tools
from innerear.jail.base import Jail
from innerear.languages import LANGUAGES, Language
from innerear.records import Track

Way = Literal["bwrap", "own", "ll", "docker", "podman"]
TIERS = ("auto", "ns", "ll", "docker", "podman", "off")
_WAYS: dict[str, tuple[Way, ...]] = {
    "auto": ("bwrap", "own", "ll"),
    "ns": ("bwrap", "own"),
    "ll": ("ll",),
    "docker": ("docker",),
    "podman": ("podman",),
}
_LL_ABI = 3  # the first version of Landlock that controls truncate(2)

_NO_NAMESPACES = (
    "Allow unprivileged user namespaces (Ubuntu: sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0; "
    "Debian: sudo sysctl -w kernel.unprivileged_userns_clone=1; a container: run it with --security-opt "
    "seccomp=unconfined or --cap-add SYS_ADMIN)."
)
_NO_LANDLOCK = "Use Linux 6.2 or later with Landlock enabled (lsm=landlock,... on the kernel's command line)."
_READABLE = (
    "Install Python and its packages in a folder that every user can read (uv: UV_PYTHON_INSTALL_DIR=/opt/python), "
    "or give the container --cap-add SYS_ADMIN."
)
_NO_CONTAINER = "Start the engine and run `innerear jail build-image`, or name your image in INNEREAR_JAIL_IMAGE."
_FIXES = {"ll": _NO_LANDLOCK, "docker": _NO_CONTAINER, "podman": _NO_CONTAINER}
_NOT_LINUX = (
    "Use the tier docker or podman, a Linux machine, or WSL2; or run programs unprotected with the tier off, "
    "if you trust every one of them."
)


@dataclass(frozen=True)
class Probed:
    """The result of trying one way of isolating programs on this machine; `missing` is empty if it works.

    `sight` reports what a program of the track `scratch` tried to reach but should not, `shows_more` whether it
    reached any of it.
    """

    tier: str
    way: str
    missing: str = ""
    fix: str = ""
    facts: dict[str, Any] = field(default_factory=dict)
    sight: str = ""
    shows_more: bool = False


_passed: dict[tuple[str, Track, Language], Probed] = {}
_lock = threading.Lock()


def open_jail(tier: str = "auto", track: Track = "scratch", language: Language = "python") -> Jail:
    """Open a jail for one worker thread.

    Args:
        tier: `auto` takes `ns` if possible, else `ll`, and never less. `off` is not a jail but a plain process with
            limits; its facts have `"isolated": False`.
        track: what programs may import besides the standard library (`scratch`: NumPy and SciPy, `library`: every
            installed package), and what they are audited for. For Python only.
        language: what programs are written in. Other languages than Python have no audit, and no image of the
            container tiers.

    Raises:
        UsageError: the tier or the language does not exist.
        JailUnavailable: this machine does not support it, or a tool of the language is not installed; the message has
            what is missing and its fix.
    """
    if tier not in TIERS:
        raise UsageError(f"the tier is {tier!r}, wanted one of {', '.join(TIERS)}")
    if language not in LANGUAGES:
        raise UsageError(f"the language is {language!r}, wanted one of {', '.join(LANGUAGES)}")
    check_language(tier, language)
    if tier == "off":
        from innerear.jail.plain import PlainJail

        return PlainJail(_facts("off", "plain", language) | {"isolated": False}, track, language)
    refusals = []
    for way in _WAYS[tier]:
        # Imports take most of the start-up time and most programs need them all: do them during the self-test.
        probed, jail = _try(way, track, ("scipy" if language == "python" else "stdlib",), language)
        if jail:
            return jail
        refusals.append(probed)
    raise JailUnavailable(
        "; ".join(f"{probed.way}: {probed.missing}" for probed in refusals),
        " ".join(dict.fromkeys(probed.fix for probed in refusals if probed.fix)),
    )


def check_language(tier: str, language: Language) -> None:
    """Check that a tier has what runs a language's programs, without starting anything.

    Raises:
        JailUnavailable: it has not; the message has what is missing and its fix.
    """
    if language == "python":
        return
    if tier in ("docker", "podman"):
        title = LANGUAGES[language].title
        raise JailUnavailable(f"the image of the tier {tier} runs Python only, not {title}", "Use the tier ns or ll.")
    tools.tool(language)


def probe() -> list[Probed]:
    """Try each way of isolating programs on this machine."""
    from innerear.jail import selftest

    results = []
    for way in get_args(Way):
        probed, jail = _try(way, "scratch")
        if jail:
            if way in ("bwrap", "own", "ll"):  # a container shows its own files, not this machine's
                probed = replace(probed, sight=str(shown := selftest.sight(jail)), shows_more=bool(shown.reached))
            jail.close()
        results.append(probed)
    return results


def _try(
    way: Way, track: Track, ahead: tuple[str, ...] = (), language: Language = "python"
) -> tuple[Probed, Jail | None]:
    """A jail, or why there is none. Checks requirements, starts it, and runs the self-test once per process."""
    key = way, track, language
    with _lock:
        if key in _passed:
            return _passed[key], _jail(way, track, _passed[key].facts, ahead, language)
        tier = "ns" if way in ("bwrap", "own") else way
        missing, fix = _lacks(way, track, language)
        if missing:
            return Probed(tier, way, missing, fix), None
        facts = _facts(tier, way, language)
        jail = _jail(way, track, facts, ahead, language)
        missing, fix = _fails(way, jail, language)
        if missing:
            jail.close()
            return Probed(tier, way, missing, fix), None
        _passed[key] = Probed(tier, way, facts=facts)
        return _passed[key], jail


def _jail(way: Way, track: Track, facts: dict[str, Any], ahead: tuple[str, ...], language: Language) -> Jail:
    if way == "docker" or way == "podman":
        from innerear.jail import container

        return container.ContainerJail(container.command(way, track), facts)
    from innerear.jail.host import ZygoteJail
    from innerear.jail.start import Start

    return ZygoteJail(Start(way, track=track, language=language), facts, ahead)


def _fails(way: str, jail: Jail, language: Language) -> tuple[str, str]:
    from innerear.jail import selftest

    try:
        through = selftest.leaks(jail, language)
    except JailFailure as error:
        return str(error), _FIXES.get(way, _NO_NAMESPACES)
    return (f"the self-test found a hole: {', '.join(through)}", "Please report it.") if through else ("", "")


def _lacks(way: str, track: Track = "scratch", language: Language = "python") -> tuple[str, str]:
    """A missing requirement that shows without starting anything, and its fix; both empty if there is none."""
    if way in ("docker", "podman"):
        return ("", "") if shutil.which(way) else (f"{way} is not installed", f"Install {way}.")
    if sys.platform != "linux":
        return f"{platform.system()} does not have namespaces, Landlock and seccomp", _NOT_LINUX
    from innerear.jail.inside import landlock, linux, seccomp, view
    from innerear.jail.start import runtime

    if platform.machine() not in seccomp.MACHINES:
        return f"no seccomp filter for {platform.machine()}", f"Use one of {', '.join(seccomp.MACHINES)}."
    if not hasattr(os, "pidfd_open") or not Path("/proc/self/setgroups").exists():
        return f"no pidfd or no user namespaces (Linux {platform.release()})", "Use Linux 5.9 or later."
    if os.geteuid() == 0 and not linux.is_admin():
        closed = view.closed_folders(runtime(track, language).binds)
        if closed:
            return f"only root may enter {min(closed)}, but programs run as another user", _READABLE
    if way == "ll":
        abi = landlock.abi()
        found = f"Landlock ABI {abi}" if abi else "no Landlock"
        return ("", "") if abi >= _LL_ABI else (f"{found}, wanted ABI {_LL_ABI} or later", _NO_LANDLOCK)
    if way == "bwrap" and not shutil.which("bwrap"):
        return "bubblewrap is not installed", "Install bubblewrap."
    if os.geteuid() != 0:
        for switch, bad in (("user/max_user_namespaces", "0"), ("kernel/unprivileged_userns_clone", "0")):
            path = Path("/proc/sys", switch)
            if path.exists() and path.read_text().strip() == bad:
                return f"user namespaces are off ({switch} is {bad})", _NO_NAMESPACES
    return "", ""


def _facts(tier: str, way: str, language: Language = "python") -> dict[str, Any]:
    facts: dict[str, Any] = {
        "tier": tier,
        "way": way,
        "kernel": platform.release(),
        "machine": platform.machine(),
    }
    if language == "python":
        facts |= {
            "python": platform.python_version(),
            "numpy": metadata.version("numpy"),
            "scipy": metadata.version("scipy"),
        }
    else:
        facts |= {"language": language, **tools.versions(language)}
    if sys.platform == "linux" and tier in ("ns", "ll"):
        from innerear.jail.inside import landlock

        facts["landlock_abi"] = landlock.abi()
    return facts
