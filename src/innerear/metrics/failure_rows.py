"""Failure modes of a run's sounds: one row of the metric `failure` per sound that fails."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from innerear.compute.work import Executor, Failure, Job
from innerear.errors import AudioError
from innerear.metrics.base import sound_of
from innerear.metrics.failure import OF_OUTCOME, WORDS, copies, failed_checks, fingerprint, words
from innerear.metrics.verified import counts_in
from innerear.records import Item, Measurement, digest
from innerear.render.render import load

VERSION = 5


def failure_key(item: Item) -> str:
    """Key of a sound's row; it depends on its checks and on which of them count."""
    judging = [row.key for row in item.measurements if row.check is not None]
    counting = [counts_in(item.probe, check)[0] for check in item.probe.expect]
    return digest("failure", VERSION, item.completion.key, item.render.outcome, judging, counting)


def failure_rows(
    items: Sequence[Item],
    done: Container[str],
    audio: Path,
    keep: Callable[[Measurement], None],
    machines: Executor,
    sees: Path | None = None,
) -> list[str]:
    """Make the missing rows; returns one line per row that could not be made.

    `items`: with their measurements. `done`: keys of the rows that are there. `audio`: folder of sounds. `keep`: called
    with each new row. A near copy resembles a sound of the same model for another probe. A row's detail says whether
    one of the failed checks counts in headlines.
    """
    missing: list[_Failed] = []
    for item in items:
        key = failure_key(item)
        if key not in done and (item.render.outcome in OF_OUTCOME or failed_checks(item.probe, item.measurements)):
            missing.append(_Failed(key, item))
    models = {failed.item.completion.model for failed in missing}
    sounding = [item for item in items if item.completion.model in models and item.render.audio]
    prints: dict[str, list[int]] = {}
    lost: list[Failure[Any]] = list(
        machines.map(
            Job(partial(_printing, audio), forgives=(AudioError,), sees=sees),
            sounding,
            lambda item, levels: prints.update({item.completion.key: levels}),
        )
    )
    copied: dict[str, str] = {}
    for model in models:
        mine = [item for item in sounding if item.completion.model == model]
        own = {key: prints[key] for item in mine if (key := item.completion.key) in prints}
        copied |= copies(own, {item.completion.key: item.probe.id for item in mine})
    missing = [msgspec.structs.replace(failed, copy_of=copied.get(failed.item.completion.key)) for failed in missing]
    lost += machines.map(
        Job(partial(_naming, audio), forgives=(AudioError,), sees=sees),
        missing,
        lambda _, row: keep(row) if row is not None else None,
    )
    return [one.why for one in lost]


class _Failed(msgspec.Struct, frozen=True):
    """A sound that fails, and the probe whose sound it nearly copies."""

    key: str
    item: Item
    copy_of: str | None = None


@contextmanager
def _printing(audio: Path) -> Iterator[Callable[[Item], list[int]]]:
    """The job that fingerprints an item's sound."""
    yield lambda item: fingerprint(load(item.render, audio))


@contextmanager
def _naming(audio: Path) -> Iterator[Callable[[_Failed], Measurement | None]]:
    """The job that makes a failure's row; `None` if no failure mode applies."""

    def name(failed: _Failed) -> Measurement | None:
        item, rows = failed.item, failed.item.measurements
        clip = load(item.render, audio) if item.render.audio else None
        fitting = words(sound_of(item, clip), rows, failed.copy_of)
        if not fitting:
            return None
        more = {"copy_of": failed.copy_of} if fitting[0] == "near copy" else {}
        reason = item.render.reason if item.render.outcome in OF_OUTCOME else _reason(item)
        text = f"{WORDS[fitting[0]]}{': ' if reason else ''}{reason}"
        counts = item.render.outcome in OF_OUTCOME or any(
            counts_in(item.probe, check, row.detail)[0] for check, row in failed_checks(item.probe, rows)
        )
        detail = {"words": fitting, "counts": counts, **more}
        return Measurement(failed.key, item.completion.key, "failure", None, False, f"{fitting[0]} – {text}", detail)

    yield name


def _reason(item: Item) -> str:
    """The reasons of the failed checks."""
    return "; ".join(row.reason for _, row in failed_checks(item.probe, item.measurements) if row.reason)
