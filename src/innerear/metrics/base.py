"""What a metric is: its facts, what it looks at, what it finds, and how its values are summed up over a group."""

from __future__ import annotations

import abc
import functools
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

from innerear.checks.base import CheckBase
from innerear.clip import Clip
from innerear.records import Better, Item, Measurement, Probe, Remark, Render, Score, Signature, Status, digest

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from innerear.metrics.group import Group


@dataclass(frozen=True)
class Sound:
    """One sound and what was asked: what a metric may look at.

    `remark` says how a recording differs from what was asked. `frames`: what embedders have already made of the clip,
    by signature; a metric that runs on one of them need not run it again.
    """

    probe: Probe
    render: Render
    clip: Clip | None
    remark: Remark | None = None
    frames: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)

    @property
    def signal(self) -> Clip:
        """The clip of a sound that is there: of no other is a metric asked."""
        assert self.clip is not None
        return self.clip


def sound_of(item: Item, clip: Clip | None = None, frames: Mapping[str, NDArray[np.float32]] | None = None) -> Sound:
    """The sound of an item of a run."""
    return Sound(item.probe, item.render, clip, item.completion.remark, frames or {})


@dataclass(frozen=True)
class Value:
    """What a metric found. `value=None`: not measurable, or nothing to give a number to; see `reason`."""

    value: float | None
    passed: bool | None = None
    reason: str = ""
    detail: dict[str, Any] = field(default_factory=dict)
    status: Status = Status.MEASURED
    partly: bool = False  # without some of the weights that it runs on; measured again once they are here

    @classmethod
    def unavailable(cls, why: object, value: float | None = None, detail: dict[str, Any] | None = None) -> Value:
        """No verdict, because this machine lacks what the metric needs."""
        return cls(value, None, f"{Status.UNAVAILABLE}: {why}", detail or {}, Status.UNAVAILABLE)

    @property
    def cause(self) -> str:
        """The reason without the status that it begins with."""
        return self.reason.removeprefix(f"{self.status}: ")


class Metric(abc.ABC):
    """The facts of a metric. A change that alters a value raises `version`.

    `label` and `text` explain it on the report page.
    """

    name: str
    version: int
    unit: str = ""
    label: str = ""
    text: str = ""
    better: Better = "neither"  # of its value
    value_is: Literal["value", "error", "rank"] = "value"  # an error is signed; a group has the median of its sizes
    weights: tuple[str, ...] = ()  # what it runs on, by the name in the table of weights
    fitted: str | None = None  # a file of this package that was learnt from sounds
    overview: bool = False  # its rate is on the first page of a report
    any_weights: bool = False  # it runs on any one of its weights, better on all
    on_request: bool = False  # so slow that it is measured only if it is asked for
    excused_by: tuple[Remark, ...] = ()  # recordings with such a remark are not judged
    plugin: str = ""  # name and version of the plug-in that it is

    def signature(self) -> Signature:
        """Name and version, and digests of fitted data and weights, as in keys and scores. Others make another metric.

        Raises:
            UsageError: the table of weights lacks one.
        """
        facts = {"fit": _content(self.fitted)} if self.fitted else {}
        facts |= {"weights": ",".join(map(_weights, self.weights))} if self.weights else {}
        facts |= {"plugin": self.plugin} if self.plugin else {}
        return Signature.of(self.name, v=self.version, **facts)

    def is_lacking(self, wholly: bool = False) -> bool:
        """Whether weights, or the packages that run them, are not on this machine. Nothing is fetched or read.

        `wholly`: whether it cannot run at all; one that runs on any of its weights can, if one is here.
        """
        from innerear.embed.weights import PACKAGES, is_here

        def lacks(model: str) -> bool:
            return not all(map(find_spec, PACKAGES.get(model, ()))) or not is_here(model)

        some = map(lacks, self.weights)
        return not self.weights or (all(some) if wholly and self.any_weights else any(some))


C = TypeVar("C", bound=CheckBase)


class CheckMetric(Metric, Generic[C]):
    """Measures one kind of check, which has its name, on a clip that is there."""

    @abc.abstractmethod
    def measure(self, sound: Sound, check: C) -> Value:
        """The value, and whether it passes.

        Raises:
            WeightsUnavailable: this machine lacks what it needs. The row then says so.
        """


class SoundMetric(Metric):
    """Measures every sound that it applies to."""

    def applies(self, probe: Probe) -> bool:
        """Whether it says anything of a sound for this probe."""
        return True

    @abc.abstractmethod
    def measure(self, sound: Sound) -> Value:
        """The value of one sound; raises as a check does."""

    def combine(self, group: Group, rows: Sequence[tuple[str, Measurement]]) -> Iterator[Score]:
        """The scores of a group from its rows, each with its probe's id; none by default."""
        yield from ()


@functools.cache
def _content(file: str) -> str:
    return hashlib.sha256(resources.files(__package__).joinpath(file).read_bytes()).hexdigest()[:8]


@functools.cache
def _weights(model: str) -> str:
    from innerear.embed.weights import find

    return f"{model}@{digest('weights', *(source.checksum for source in find(model)))[:8]}"
