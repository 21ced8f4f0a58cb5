"""Measure one sound: a row per metric and check, and which rows of a run are its."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import NamedTuple

import msgspec

from innerear.checks import Check
from innerear.errors import WeightsUnavailable
from innerear.metrics.base import CheckMetric, Metric, Sound, SoundMetric, Value, sound_of
from innerear.metrics.ears import with_ears
from innerear.metrics.registry import metric_of, sound_metrics
from innerear.records import Item, Measurement, Status, digest


class Wanted(NamedTuple):
    """A row that a sound should have; `check` is the index of its check in `probe.expect`."""

    key: str
    metric: Metric
    check: int | None


def keys(subject: str, sound: Sound) -> Iterator[Wanted]:
    """The rows of a sound: one for each metric that applies to it, and for each of its checks."""
    for metric in sound_metrics():
        if metric.applies(sound.probe):
            yield Wanted(_key(subject, sound, metric, None), metric, None)
    for index, check in enumerate(sound.probe.expect):
        judge = metric_of(check)
        yield Wanted(_key(subject, sound, judge, check), judge, index)


def _key(subject: str, sound: Sound, metric: Metric, check: Check | None) -> str:
    remark = [sound.remark] if sound.remark else []
    return digest(
        "measurement", subject, sound.render.audio, sound.probe.duration_s, str(metric.signature()), check, *remark
    )


def measure(subject: str, sound: Sound, wanted: Collection[str] | None = None) -> list[Measurement]:
    """What is measured of one sound: one row per metric and check.

    A check on a sound that is not there has failed; other metrics have no value then. `wanted`: the
    keys of the rows to be made; all but those of metrics on request unless it is given.
    """
    rows = []
    for key, metric, check in keys(subject, sound):
        if metric.on_request if wanted is None else key not in wanted:
            continue
        if sound.clip is None:
            value = Value(None, None if check is None else False, Status.NO_SOUND, status=Status.NO_SOUND)
        elif sound.remark in metric.excused_by:
            value = Value(None, None, f"not judged: the recording has {sound.remark}", status=Status.EXCUSED)
        else:
            value = _value(metric, sound, check)
        if value.status is Status.UNAVAILABLE:
            key = _unavailable(key)
        elif value.partly:
            key = _partly(key)
        status = _status(value.status, value.value, value.passed)
        rows.append(
            Measurement(key, subject, metric.name, value.value, value.passed, value.reason, value.detail, check, status)
        )
    return rows


def _status(status: Status, value: float | None, passed: bool | None) -> Status:
    return Status.NOT_MEASURABLE if status is Status.MEASURED and value is None and passed is None else status


def _value(metric: Metric, sound: Sound, check: int | None) -> Value:
    """What a metric finds, or that this machine lacks what it needs; a fault of its own costs this one number only."""
    try:
        if isinstance(metric, SoundMetric):
            value = metric.measure(sound)
        else:
            assert isinstance(metric, CheckMetric)
            assert check is not None
            value = metric.measure(sound, sound.probe.expect[check])
        msgspec.json.encode((value.value, value.passed, value.detail))  # so that it can be written
        return value
    except WeightsUnavailable as error:
        return Value.unavailable(error)
    except Exception as error:
        logging.getLogger("innerear").warning("%s failed on a sound for %s", metric.name, sound.probe.id, exc_info=True)
        return Value.unavailable(f"the metric failed with {type(error).__name__}: {error}")


def rows_of(found: Mapping[str, Measurement], item: Item) -> list[Measurement]:
    """The rows of an item that are there, in the order of `keys`, each with the index of its check and its status.

    A row that failed because a dependency is missing has its own key, so it is measured again once that
    is installed; until then it is the sound's row. Rows of version 0.1.0 have neither index nor status:
    both follow from the key, so they are the same for rows of any version.
    """
    sound = sound_of(item)
    rows = []
    for key, metric, check in keys(item.completion.key, sound):
        if (row := found.get(key) or found.get(_partly(key))) is not None:
            status = Status.MEASURED
            if sound.render.audio is None:
                status = Status.NO_SOUND
            elif sound.remark in metric.excused_by:
                status = Status.EXCUSED
        elif (row := found.get(_unavailable(key))) is not None:
            status = Status.UNAVAILABLE
        else:
            continue
        rows.append(msgspec.structs.replace(row, check=check, status=_status(status, row.value, row.passed)))
    return rows


def paired(found: Mapping[str, Measurement], items: Iterable[Item]) -> list[Item]:
    """The items, each with its rows; silent and missing sounds are judged by the ears of the others."""
    return with_ears(msgspec.structs.replace(item, measurements=rows_of(found, item)) for item in items)


def is_settled(found: Mapping[str, Measurement], key: str, metric: Metric) -> bool:
    """Whether the row of this key is there, or its metric still lacks what it lacked.

    A row of status `UNAVAILABLE` is measured again once the weights and packages of its metric are here, and
    not before: nothing is fetched for it.
    """
    if key in found or (_partly(key) in found and metric.is_lacking()):
        return True
    return _unavailable(key) in found and metric.is_lacking(wholly=True)


def _partly(key: str) -> str:
    return digest("partly", key)


def _unavailable(key: str) -> str:
    return digest("unavailable", key)
