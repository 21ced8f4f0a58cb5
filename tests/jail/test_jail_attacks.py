"""Every attack in every tier, as root and as an ordinary user; what they show without a jail or a layer."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from jail_attacks import ATTACKS, LL_LEAKS, QUICK, Attack
from jail_world import REFERENCE, World, settled, verdict

from innerear.errors import JailUnavailable
from innerear.jail import open_jail
from innerear.jail.host import ZygoteJail
from innerear.jail.start import Start
from innerear.jail.tiers import _lacks
from innerear.records import Limits

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="jails are Linux's")
DOZEN = {
    *("network-tcp-loopback", "network-unix-abstract", "network-x32-socket", "read-canary-file"),
    *("read-environment-in-c", "write-append-canary", "write-result-grow", "output-symlink-to-canary"),
    *("output-forged-huge-payload", "exhaustion-fork", "exhaustion-memory-mmap", "exhaustion-endless-loop"),
    *("processes-signal-victim", "privilege-user-namespace", "channels-flock-on-shared-file"),
}
by_id = pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.id)


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    world = World()
    yield world
    world.close()


class Target:
    """A jail under attack, what its reference program gives, and how many processes it has at rest."""

    def __init__(self, jail: ZygoteJail) -> None:
        self.jail = jail
        for imports in ("scipy", "numpy"):
            jail.run(f"# {imports}", Limits())
        clip = jail.run(REFERENCE, Limits()).clip
        assert clip is not None
        self.reference = clip.samples
        self.base = settled(jail)

    def broken(self, world: World, attack: Attack) -> list[str]:
        return verdict(self.jail, world, attack, self.reference, self.base)


@pytest.fixture(scope="module", params=["bwrap", "own", "ll"])
def target(request: pytest.FixtureRequest) -> Iterator[Target]:
    missing, _ = _lacks(request.param)
    if missing:
        pytest.skip(missing)
    jail = ZygoteJail(Start(request.param), {"tier": request.param})
    yield Target(jail)
    jail.close()


@pytest.fixture(scope="module")
def usual() -> Iterator[Target]:
    try:
        jail = open_jail("auto")
    except JailUnavailable as error:
        pytest.skip(str(error))
    assert isinstance(jail, ZygoteJail)
    yield Target(jail)
    jail.close()


@pytest.mark.parametrize("attack", [a for a in ATTACKS if a.id in DOZEN], ids=lambda attack: attack.id)
def test_the_usual_jail_holds(usual, world, attack):
    assert usual.broken(world, attack) == []


@pytest.mark.slow
@by_id
def test_every_jail_holds(target, world, attack):
    broken = target.broken(world, attack)
    if target.jail.facts["tier"] == "ll" and attack.id in LL_LEAKS:
        assert broken == ["it got through"], "the documented leak is closed: change docs/jail.md"
    else:
        assert broken == []


@pytest.mark.slow
@pytest.mark.parametrize("attack", [a for a in ATTACKS if a.harmless], ids=lambda attack: attack.id)
def test_a_harmless_attack_succeeds_without_a_jail(world, attack):
    ran = open_jail("off").run(attack.program(world.literals(jailed=False)), QUICK)
    world.restore()
    world.broken()
    assert "GOTTHROUGH" in ran.log, f"the attack has rotted: {ran.reason}"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("way", "without", "at_least"),
    [("own", "seccomp", 30), ("own", "landlock", 3), ("ll", "seccomp", 30), ("ll", "landlock", 20)],
)
def test_without_a_layer_its_attacks_succeed(world, way, without, at_least):
    if _lacks(way)[0]:
        pytest.skip(_lacks(way)[0])
    through = set()
    with contextlib.closing(ZygoteJail(Start(way, without), {"tier": way})) as jail:
        for attack in ATTACKS:
            # Without a layer, only what may also run without a jail.
            if (
                attack.harmless
                and "GOTTHROUGH" in jail.run(attack.program(world.literals(jailed=True)), QUICK, audited=False).log
            ):
                through.add(attack.id)
            world.restore()
    world.broken()
    assert len(through) >= at_least, sorted(through)


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become an ordinary user")
def test_every_jail_holds_for_an_ordinary_user():
    here = Path(__file__)
    command = [sys.executable, str(here.with_name("as_user.py")), sys.executable, "-m", "pytest", str(here)]
    command += ["-q", "-x", "-p", "no:cacheprovider", "-m", "slow or not slow"]
    done = subprocess.run(command, cwd=here.parents[2], capture_output=True, text=True, timeout=540)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    assert "passed" in done.stdout
