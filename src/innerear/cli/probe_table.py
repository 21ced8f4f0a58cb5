"""How systems do on the families of a suite, and how hard the families are, as Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from innerear.records import Probe
from innerear.scores.difficulty import BY, ProbeStats, is_floor, level_of, probe_stats

FAR = 3  # levels between the authors' guess and what the share so far gives, which are listed
SOME = 3  # systems, below which a share so far contradicts nobody


def markdown(probes: Sequence[Probe], results: Mapping[str, Mapping[str, float]]) -> str:
    """Two tables, the systems by family and the difficulty by family, and a list of levels that are far off."""
    stats = {one.probe: one for one in probe_stats(probes, results)}
    families: dict[str, list[str]] = {}
    for probe in probes:
        families.setdefault(probe.family, []).append(probe.id)
    far = [
        f"- {one.probe}: stated {one.guess}, passed by {_share(one.share)} of {one.systems} systems"
        for one in stats.values()
        if one.share is not None and one.systems >= SOME and abs(level_of(one.share) - one.guess) >= FAR
    ]
    return "\n".join([*_systems(families, results), "", *_difficulty(families, stats), "", *far])


def _systems(families: Mapping[str, Sequence[str]], results: Mapping[str, Mapping[str, float]]) -> Iterator[str]:
    """The share of probes that each system passes, floors last."""
    order = sorted(results, key=is_floor)
    judged = {probe for system in order if not is_floor(system) for probe in results[system]}
    yield from _head(["family", "probes", "judged", *map(_short, order)])
    for family, ids in families.items():
        cells = [family, str(len(ids)), str(sum(probe in judged for probe in ids))]
        for system in order:
            values = [results[system][probe] for probe in ids if probe in results[system]]
            cells.append(f"{_share(float(np.mean(values)))} of {len(values)}" if values else "–")
        yield _row(cells)


def _difficulty(families: Mapping[str, Sequence[str]], stats: Mapping[str, ProbeStats]) -> Iterator[str]:
    """Shares, levels and correlations of the probes of each family."""
    yield from _head(
        [
            *("family", "judged", "verdicts per probe", "share that passes: mean, lowest", "all pass", "nobody passes"),
            *("level stated", "level by the share so far", "levels measured", "item-rest with floors: median, lowest"),
        ]
    )
    for family, ids in families.items():
        mine = [stats[probe] for probe in ids if stats[probe].systems]
        shares = [one.share for one in mine if one.share is not None]
        rest = [one.with_floors for one in mine if one.with_floors is not None]
        fewest, most = min((one.systems for one in mine), default=0), max((one.systems for one in mine), default=0)
        yield _row(
            [
                family,
                str(len(mine)),
                str(fewest) if fewest == most else f"{fewest}–{most}",
                f"{_share(float(np.mean(shares)))}, {_share(min(shares))}" if shares else "–",
                str(sum(share == 1 for share in shares)),
                str(sum(share == 0 for share in shares)),
                f"{np.mean([stats[probe].guess for probe in ids]):.1f}",
                f"{np.mean([level_of(share) for share in shares]):.1f}" if shares else "–",
                str(sum(one.level is not None for one in mine)),
                f"{np.median(rest):.2f}, {min(rest):.2f} of {len(rest)}" if rest else "–",
            ]
        )


def _head(names: Sequence[str]) -> Iterator[str]:
    yield _row(names)
    yield "|---" * len(names) + "|"


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _share(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.0f} %"


def _short(system: str) -> str:
    """A system's name without what all have.

    >>> _short("recorded/one-shot · direct"), _short("swap/recorded/one-shot · direct")
    ('one-shot', 'swap')
    """
    name = system.partition(BY)[0]
    return "swap" if name.startswith("swap/") else name.removeprefix("recorded/").removeprefix("baseline/")
