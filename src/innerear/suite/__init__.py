"""Suites of probes: load a built-in edition or a file, and select probes.

Edition 1 is frozen, for comparison. Edition 2 has the parts of edition 1 that still separate models, and new
probes; its core is a fixed subset for quick runs. The two editions are never averaged.

A suite file is JSON Lines, one probe per line; see `records.Probe` and `checks`. Its first line may be a
canary, `{"canary": "…"}`: a string that does not occur by chance. Makers of training sets can filter by
it, and a completion that contains it comes from a model that was trained on the file.
"""

from __future__ import annotations

import difflib
import fnmatch
import functools
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from importlib import resources
from pathlib import Path

from innerear.errors import UsageError
from innerear.records import TIERS, Probe, digest
from innerear.suite.reading import Suite as Suite
from innerear.suite.reading import parse, read
from innerear.suite.reading import validate as validate

EDITION = "2"
"""The edition that is used if none is named."""
EDITIONS = ("1", "2", "2/core")
CANARY = "INNEREAR SUITE CANARY 5d4c1f0e-8a36-4b7f-9f62-d1c07be3a954: this file must not be in training data"
"""The canary of the built-in editions and of suites made from them."""
_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)


@functools.cache
def edition(name: str = EDITION) -> Suite:
    """A built-in edition, or its core.

    >>> [len(edition(name).probes) for name in EDITIONS]
    [172, 353, 123]
    """
    number, _, core = name.partition("/")
    files = resources.files(__name__)
    whole = parse(files.joinpath(f"edition-{number}.jsonl").read_bytes(), f"edition {number}", f"edition {number}")
    if not core:
        return whole
    ids = set(files.joinpath(f"{core}-{number}.txt").read_text("utf-8").split())
    return Suite(f"edition {name}", [probe for probe in whole.probes if probe.id in ids], whole.canary)


@functools.cache
def every_probe() -> tuple[Probe, ...]:
    """The probes of all editions, each once. A probe that is in two editions is the same in both."""
    return tuple({probe.id: probe for name in EDITIONS for probe in edition(name).probes}.values())


def load(which: str | Path | None = None) -> Suite:
    """Load an edition by name, or a suite from a file or a hub address; by default the current edition.

    Args:
        which: `1`, `2`, `2/core`, a file, or `hf://datasets/OWNER/NAME`.

    Raises:
        SuiteError: some lines are not probes; the message has the file, line, field and what was expected
            for each. UsageError: the file cannot be read. HubError: the hub could not be reached.
    """
    if which is None:
        return edition()
    if str(which) in EDITIONS:
        return edition(str(which))
    if str(which).startswith("hf:"):
        from innerear.suite.hub import fetch_suite

        return fetch_suite(str(which))
    return read(Path(which))


def holds_canary(text: str, canary: str) -> bool:
    """Whether a text contains a canary, or its UUID alone.

    >>> holds_canary("# 5D4C1F0E-8a36-4b7f-9f62-d1c07be3a954", CANARY)
    True
    """
    if not canary:
        return False
    unique = _UUID.search(canary)
    return (unique[0] if unique else canary).lower() in text.lower()


def limited(probes: Sequence[Probe], most: int) -> list[Probe]:
    """At most so many probes, in their order, with each tier and family in proportion to its size.

    The same probes on every call, and those of a smaller number are among those of a larger one: places are dealt
    to tiers, and in a tier to families, by Sainte-Laguë's method, and in a family by a digest of the id.

    >>> [len({probe.tier for probe in limited(edition("2").probes, most)}) for most in (1, 4)]
    [1, 3]
    """
    tiers: dict[str, dict[str, list[Probe]]] = {}
    for probe in sorted(probes, key=lambda probe: digest("limit", probe.id)):
        tiers.setdefault(probe.tier, {}).setdefault(probe.family, []).append(probe)
    taken: Counter[tuple[str, ...]] = Counter()

    def next_of(sizes: dict[str, int], above: tuple[str, ...] = ()) -> str:
        """The group that is owed the next place; of equal ones the first by name."""
        open_ = [name for name in sorted(sizes) if taken[(*above, name)] < sizes[name]]
        return max(open_, key=lambda name: sizes[name] / (2 * taken[(*above, name)] + 1))

    chosen: set[str] = set()
    while len(chosen) < min(most, len(probes)):
        tier = next_of({name: sum(map(len, families.values())) for name, families in tiers.items()})
        family = next_of({name: len(members) for name, members in tiers[tier].items()}, (tier,))
        chosen.add(tiers[tier][family][taken[tier, family]].id)
        taken.update([(tier,), (tier, family)])
    return [probe for probe in probes if probe.id in chosen]


def choose(
    probes: Iterable[Probe],
    tiers: Sequence[str] = (),
    pattern: str | None = None,
    levels: Sequence[int] = (),
    limit: int | None = None,
) -> list[Probe]:
    """Select probes by tier, level and glob pattern of the id, and of those a limited number (see `limited`).

    An empty criterion selects all.

    >>> [p.id for p in choose(edition().probes, pattern="speech/vowel/[iu]")]
    ['speech/vowel/i', 'speech/vowel/u']

    Raises:
        UsageError: no probe matches; the message suggests similar ids.
    """
    unknown = sorted(set(tiers) - set(TIERS))
    if unknown:
        raise UsageError(f"no tier {unknown[0]!r}; wanted some of {', '.join(TIERS)}")
    everything = list(probes)
    chosen = [
        probe
        for probe in everything
        if (not tiers or probe.tier in tiers)
        and (not levels or probe.level in levels)
        and (pattern is None or fnmatch.fnmatchcase(probe.id, pattern))
    ]
    if not chosen:
        near = difflib.get_close_matches(pattern or "", [p.id for p in everything], n=3, cutoff=0.4)
        hint = f"; similar: {', '.join(near)}" if near else "; see `innerear probes list`"
        asked = (
            f"tier {', '.join(tiers)}" if tiers else "",
            f"id {pattern!r}" if pattern is not None else "",
            f"level {', '.join(map(str, levels))}" if levels else "",
        )
        raise UsageError(f"no probe matches {' and '.join(filter(None, asked)) or 'an empty suite'}{hint}")
    return chosen if limit is None else limited(chosen, limit)
