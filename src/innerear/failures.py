"""The failures of a run's sounds in words: a row of the metric `failure` for each sound that fails."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from innerear import metrics
from innerear.metrics.failure import OF_OUTCOME, WORDS, copies, failed_checks, fingerprint, words
from innerear.records import Measurement, digest
from innerear.render import load
from innerear.run import Item
from innerear.verify import in_headline

VERSION = 2


def failure_key(item: Item, rows: Sequence[Measurement]) -> str:
    """The key of a sound's row: its measurements decide it."""
    return digest("failure", VERSION, item.completion.key, item.render.outcome, [row.key for row in rows])


def failure_rows(items: Sequence[Item], found: Mapping[str, Measurement], audio: Path) -> Iterator[Measurement]:
    """The rows that are missing. `found` holds all measurements by key, `audio` the sounds.

    A near copy is of a sound that the same model made for another probe. A row's detail says
    whether one of the checks that failed counts in headlines.
    """
    missing: list[tuple[Item, list[Measurement], str]] = []
    for item in items:
        rows = metrics.rows_of(found, item.completion.key, metrics.sound_of(item))
        key = failure_key(item, rows)
        if key not in found and (item.render.outcome in OF_OUTCOME or failed_checks(item.probe, rows)):
            missing.append((item, rows, key))
    copied = _copies(items, {item.completion.model for item, _, _ in missing}, audio) if missing else {}
    for item, rows, key in missing:
        clip = load(item.render, audio) if item.render.audio else None
        copy_of = copied.get(item.completion.key)
        fitting = words(metrics.sound_of(item, clip), rows, copy_of)
        if fitting:
            more = {"copy_of": copy_of} if fitting[0] == "near copy" else {}
            reason = item.render.reason if item.render.outcome in OF_OUTCOME else _reason(item, rows)
            text = f"{WORDS[fitting[0]]}{': ' if reason else ''}{reason}"
            counts = item.render.outcome in OF_OUTCOME or any(
                in_headline(check, item.probe.tier)[0] for check, _ in failed_checks(item.probe, rows)
            )
            detail = {"words": fitting, "counts": counts, **more}
            yield Measurement(key, item.completion.key, "failure", None, False, f"{fitting[0]} – {text}", detail)


def _reason(item: Item, rows: Sequence[Measurement]) -> str:
    """What the checks that failed say."""
    return "; ".join(row.reason for _, row in failed_checks(item.probe, rows) if row.reason)


def _copies(items: Sequence[Item], models: set[str], audio: Path) -> dict[str, str]:
    found: dict[str, str] = {}
    for model in models:
        mine = [item for item in items if item.completion.model == model and item.render.audio]
        prints = {item.completion.key: fingerprint(load(item.render, audio)) for item in mine}
        found |= copies(prints, {item.completion.key: item.probe.id for item in mine})
    return found
