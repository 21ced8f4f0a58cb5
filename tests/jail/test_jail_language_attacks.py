"""Every attack of a program that is not Python, in every tier; and what the harmless ones do without a jail."""

import re
import shutil
import sys
from collections.abc import Iterator

import pytest
from jail_attacks import Attack
from jail_world import World, settled, verdict
from language_attacks import ATTACKS
from test_jail_languages import CSOUND, FAUST, SOUND

from innerear.jail import open_jail
from innerear.jail.host import ZygoteJail
from innerear.jail.start import Start
from innerear.jail.tiers import _lacks
from innerear.languages import LANGUAGES, Language
from innerear.records import Limits

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="jails are Linux's")
HONEST: dict[Language, str] = {"javascript": SOUND, "csound": CSOUND[0][0], "faust": FAUST[1][0]}
QUICK = {
    *("javascript-spawn", "javascript-read-canary-in-a-worker", "javascript-tcp", "javascript-kill-parent"),
    *("javascript-buffer-bomb", "javascript-thread-bomb", "csound-system-append", "csound-print-to-file"),
    *("csound-udp", "faust-import-outside"),
}
WAYS = ["auto", "ll"]
# What a program shows of a file that only the compiler read: an error in it.
COMPILED = re.compile(r'canary\S* : 1|/etc/passwd : 1|\(token "a"\)')


def missing(language: Language) -> list[str]:
    return [name for name in LANGUAGES[language].tools if not shutil.which(name)]


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    world = World()
    yield world
    world.close()


@pytest.fixture(scope="module")
def targets() -> Iterator[dict[tuple[str, str], tuple[ZygoteJail, object, int]]]:
    """Jails by way and language, each with what its honest program gives and its processes at rest; made when used."""
    found: dict[tuple[str, str], tuple[ZygoteJail, object, int]] = {}
    yield found
    for jail, _, _ in found.values():
        jail.close()


def broken(targets, world: World, way: str, attack: Attack) -> list[str]:
    if missing(attack.group):
        pytest.skip(f"{', '.join(missing(attack.group))} is not installed")
    if way != "auto" and _lacks(way)[0]:
        pytest.skip(_lacks(way)[0])
    honest = HONEST[attack.group]
    if (way, attack.group) not in targets:
        if way == "auto":
            jail = open_jail(language=attack.group)
        else:
            jail = ZygoteJail(Start(way, language=attack.group), {"tier": way})
        jail.run(honest, Limits())
        clip = jail.run(honest, Limits()).clip
        assert clip is not None
        targets[way, attack.group] = jail, clip.samples, settled(jail)
    jail, reference, base = targets[way, attack.group]
    # After a bomb, or anything else that has to be ended, the next program must be what it was.
    found = verdict(jail, world, attack, reference, base, honest if attack.outcomes else "")
    if attack.group == "csound" and attack.outcomes is None:
        found = [one for one in found if one != "audio was taken"]  # it plays on after a refusal
    return found


@pytest.mark.parametrize("attack", [a for a in ATTACKS if a.id in QUICK], ids=lambda attack: attack.id)
def test_the_usual_jail_holds(targets, world, attack):
    assert broken(targets, world, "auto", attack) == []


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("language", HONEST)
def test_every_jail_holds(targets, world, language, way):
    attacks = [a for a in ATTACKS if a.group == language and (way == "auto" or a.outcomes is None)]
    found = {one.id: broken(targets, world, way, one) for one in attacks}
    assert {name: problems for name, problems in found.items() if problems} == {}
    assert len(found) >= 14


@pytest.mark.slow
@pytest.mark.parametrize("language", HONEST)
def test_a_harmless_attack_succeeds_without_a_jail(world, language):
    if missing(language):
        pytest.skip(f"{', '.join(missing(language))} is not installed")
    jail, rotten = open_jail("off", language=language), []
    for attack in ATTACKS:
        if attack.group == language and attack.harmless:
            ran = jail.run(attack.program(world.literals(jailed=False)), attack.limits)
            try:
                reached = world.broken()
            except FileNotFoundError as gone:
                reached = [str(gone)]
            world.restore()
            if "GOTTHROUGH" not in ran.log and not reached and not COMPILED.search(ran.log):
                rotten.append((attack.id, ran.reason))
    assert rotten == []
