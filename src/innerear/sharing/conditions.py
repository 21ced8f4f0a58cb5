"""Decide what is comparable between runs: the probes that are the same in all, and what else differs."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from innerear.errors import UsageError
from innerear.records import Outcome, Probe
from innerear.run.run import Run

LIMITED = {Outcome.TIMED_OUT, Outcome.CPU_LIMIT, Outcome.OUT_OF_MEMORY}


def conditions(runs: Sequence[Run], names: Sequence[str]) -> tuple[list[Probe], dict[str, str], list[str]]:
    """The comparable probes, the others with the reason, and sentences on what differs.

    Raises:
        UsageError: the runs have different tracks or editions of the suite, or no probe in common.
    """
    first = runs[0]
    differs: list[str] = []
    for run, name in zip(runs[1:], names[1:], strict=True):
        ours, theirs = edition_of(first), edition_of(run)
        if ours and theirs and ours != theirs:
            raise UsageError(
                f"{names[0]} was asked edition {ours} of the suite, {name} edition {theirs}: editions are "
                "not compared; run the models with the same --suite"
            )
        if run.asked.track != first.asked.track:
            raise UsageError(
                f"{names[0]} has track {first.asked.track!r}, {name} has {run.asked.track!r}: their programs may use "
                "different libraries; compare runs with the same track"
            )
    known: dict[str, list[Probe]] = {}
    for run in runs:
        for probe in run.probes:
            known.setdefault(probe.id, []).append(probe)
    left_out: dict[str, str] = {}
    for name, asked in known.items():
        if len(asked) < len(runs):
            left_out[name] = "not in every run"
        elif any(other != asked[0] for other in asked):
            left_out[name] = "worded or checked differently"
    same = [probe for probe in first.probes if probe.id not in left_out]
    if not same:
        suites = ", ".join(
            f"{name}: {run.asked.suite} {run.asked.suite_digest[:8]}" for run, name in zip(runs, names, strict=True)
        )
        raise UsageError(f"these runs have no identical probes in common ({suites}); nothing to compare")
    if left_out:
        differs.append(
            f"{len(same)} probes are identical in every run and are compared; {len(left_out)} are left out: "
            f"{_whys(left_out)}"
        )
    for what, values in (
        ("limits", [limits_of(run) for run in runs]),
        ("program seeds", [str(run.asked.seed) for run in runs]),
        ("attempts", [str(run.asked.attempts) for run in runs]),
        (
            "Python, NumPy, SciPy",
            [", ".join(run.file.versions.get(k, "?") for k in ("python", "numpy", "scipy")) for run in runs],
        ),
    ):
        if len(set(values)) > 1:
            differs.append(
                f"{what} differ: {'; '.join(f'{name} {value}' for name, value in zip(names, values, strict=True))}"
            )
    if len({limits_of(run) for run in runs}) > 1:
        for run in runs:
            for item in run.items():
                if item.render.near_limit or item.render.outcome in LIMITED:
                    left_out.setdefault(item.probe.id, "limits differ, and a program came close to one")
        same = [probe for probe in same if probe.id not in left_out]
    return same, left_out, differs


def _whys(left_out: Mapping[str, str]) -> str:
    counts = {why: list(left_out.values()).count(why) for why in dict.fromkeys(left_out.values())}
    return ", ".join(f"{count} {why}" for why, count in counts.items())


def edition_of(run: Run) -> str:
    """The number of the built-in edition that a run was made with, or of which its suite is a core or a variant.

    Empty for any other suite.
    """
    found = re.match(r"edition (\d+)(?=$|/|,)", run.asked.suite)
    return found[1] if found else ""


def limits_of(run: Run) -> str:
    """The limits of a run's programs, as text."""
    limits = run.asked.limits
    return f"{limits.cpu_s:g} s CPU, {limits.wall_s:g} s wall, {limits.memory_bytes >> 20} MB"


def touched_tiers(runs: Sequence[Run], left_out: Mapping[str, str]) -> dict[str, str]:
    """By tier with a probe left out: why set scores are not comparable there."""
    tiers = {probe.id: probe.tier for run in runs for probe in run.probes}
    return {tiers[probe]: f"not over the same sounds: {why}" for probe, why in left_out.items()}
