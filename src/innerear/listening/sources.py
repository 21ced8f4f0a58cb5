"""The sounds that a listening test can play: sounds of runs, recordings of the requested sounds, and noise."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from innerear.ask.models.real import share
from innerear.clip import Clip, read
from innerear.data_folders import clip_path
from innerear.errors import UsageError
from innerear.listening import sounds
from innerear.listening.files import KeyClip, RunPlace, Unheard
from innerear.records import Item, Outcome, Probe, digest
from innerear.reference.manifest import read_manifests
from innerear.render.render import cut_short, load
from innerear.report.recordings import may_be_passed_on
from innerear.run.run import Run
from innerear.scores.score import AUDIBLE_DBFS


@dataclass(frozen=True)
class Source:
    """A sound that can be played: what it is, and how to load it."""

    what: KeyClip
    clip: Callable[[], Clip]

    @property
    def who(self) -> str:
        """Who made the sound: the kind of anchor, or model and strategy."""
        return self.what.anchor or f"{self.what.model}|{self.what.strategy}"


@dataclass
class Heard:
    """What runs offer to listeners: sounds, completions without one, the probes, and the run folders."""

    sources: list[Source] = field(default_factory=list)
    unheard: list[Unheard] = field(default_factory=list)
    probes: dict[str, Probe] = field(default_factory=dict)
    places: list[RunPlace] = field(default_factory=list)


def sources_of(runs: Sequence[Run], models: Collection[str] = (), probes: Collection[str] | None = None) -> Heard:
    """Collect each model's first attempt at each probe; `models`, `probes` restrict the choice.

    Raises:
        UsageError: a probe differs between the runs.
    """
    heard = Heard(places=[RunPlace(run.folder.resolve().name, str(run.folder)) for run in runs])
    taken: set[tuple[str, str]] = set()
    several = [name for run in runs for name in dict.fromkeys((c.model, c.strategy) for c in run.completions())]
    twice = {name for name, count in Counter(several).items() if count > 1}
    for index, run in enumerate(runs):
        for item in (item for item in run.items() if _is_wanted(item, models, probes)):
            probe, model, strategy = item.probe, item.completion.model, item.completion.strategy
            if (model, strategy) in twice:
                model += f" ({heard.places[index].name})"
            if (mark := (probe.id, f"{model}|{strategy}|{index}")) in taken:
                continue
            taken.add(mark)
            if heard.probes.setdefault(probe.id, probe) != probe:
                raise UsageError(f"the probe {probe.id} differs between the runs; use runs of the same suite")
            if reason := _unheard(item):
                heard.unheard.append(Unheard(model, strategy, probe.id, probe.tier, probe.family, reason))
                continue
            what = KeyClip(
                probe.id, probe.tier, probe.family, model, strategy, index,
                item.completion.key, item.render.audio or "",
            )  # fmt: skip
            heard.sources.append(Source(what, functools.partial(load, item.render, run.audio)))
    return heard


def _is_wanted(item: Item, models: Collection[str], probes: Collection[str] | None) -> bool:
    return (
        item.completion.attempt == 0
        and (not models or item.completion.model in models)
        and (probes is None or item.probe.id in probes)
    )


def _unheard(item: Item) -> str:
    """Why an item has no audible sound; empty if it has one."""
    render = item.render
    if render.outcome == Outcome.NOT_RENDERED:
        return "not rendered"
    if render.audio is None or render.levels is None:
        return "no sound"
    level = render.levels.rms_dbfs
    return "silence" if level is None or level < AUDIBLE_DBFS else ""


# ---- anchors


def noise(probe: Probe, seed: int) -> Source:
    """White noise of the probe's duration."""
    seed = int(digest("noise", seed, probe.id)[:8], 16)
    what = KeyClip(probe.id, probe.tier, probe.family, "noise", anchor="noise", source=f"white noise, seed {seed}")
    return Source(what, functools.partial(sounds.white, seed, probe.duration_s))


@dataclass
class Recordings:
    """Recordings of the requested sounds by probe, their credits by file, and warnings for the experimenter."""

    sources: dict[str, Source] = field(default_factory=dict)
    credits: dict[str, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)


def recordings_of(probes: Iterable[Probe], data: Path | None, non_commercial: bool) -> Recordings:
    """Choose recordings from a folder whose licences allow redistribution; none if there is no folder."""
    recordings = Recordings()
    if data is None:
        recordings.warnings.append("no recordings for anchors: INNEREAR_DATA is not set; the only anchors are noise")
        return recordings
    by_name = {probe.id: probe for probe in probes}
    rows = read_manifests(data, columns=())
    allowed = [row for row in rows if may_be_sent(row["licence"], non_commercial)]
    chosen = share(list(by_name.values()), allowed)
    if not non_commercial and len(share(list(by_name.values()), rows)) > len(chosen):
        recordings.warnings.append(
            "recordings licensed for non-commercial use were not used as anchors; --non-commercial includes them"
        )
    for name, (row, remark) in chosen.items():
        if remark:
            continue
        probe = by_name[name]
        what = KeyClip(probe.id, probe.tier, probe.family, "real", anchor="real", source=row["file"])
        recordings.credits[row["file"]] = f"{row['attribution']} ({row['licence']})"
        recordings.sources[name] = Source(
            what, functools.partial(_recording, clip_path(data, row["file"]), probe.duration_s)
        )
    return recordings


def may_be_sent(licence: str, non_commercial: bool = False) -> bool:
    """Whether a recording under this licence may be given to listeners, with attribution.

    >>> nc = "source CC0; collection CC-BY-NC-3.0"
    >>> may_be_sent("CC-BY-4.0"), may_be_sent(nc), may_be_sent(nc, non_commercial=True)
    (True, False, True)
    """
    return may_be_passed_on(licence.lower().replace("-nc", "") if non_commercial else licence)


def _recording(path: Path, duration_s: float) -> Clip:
    return cut_short(read(path), duration_s)
