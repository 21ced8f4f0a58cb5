"""Which kind of sound is it? The 50 environment classes, and the check `label`, judged by two ears.

Two pairs of classes count as one, because people confuse them: the paper of the set names helicopter and
airplane as nuanced, and has washing machines as the class that people recognise least (34 %), among other
motors. The pairs were named before the classifier was fitted.

`classes.csv` has the classes, their merges, and how often recordings left out of the fit are classified
correctly, which is the ceiling for any model. `label.npz` has the classifiers, see `identity`. Both are rebuilt by
`innerear checks fit --only label`. Classes are those of ESC-50 (K. J. Piczak, "ESC: Dataset for Environmental
Sound Classification", ACM MM 2015).
"""

from __future__ import annotations

import csv
import functools
import io
from collections.abc import Sequence
from importlib import resources
from pathlib import Path

import msgspec

from innerear.checks import Label
from innerear.metrics import identity
from innerear.metrics.base import CheckMetric, Sound, Value

TOP = identity.TOP


class Class(msgspec.Struct, frozen=True):
    """One environment class.

    `merged`: name of the merged class. Of `n` recordings of the class, left out of the fit, `real` is the share
    that passes as the merged class, `real_alone` the share classified as the class itself, `real_top5` the share
    with it among the first five.
    """

    name: str
    merged: str
    n: int
    real: float
    real_alone: float
    real_top5: float


def shipped_path() -> Path:
    """Path of the bundled table."""
    return Path(str(resources.files(__package__).joinpath("classes.csv")))


@functools.cache
def shipped() -> tuple[Class, ...]:
    """The 50 classes."""
    rows = csv.DictReader(shipped_path().read_text().splitlines())
    return tuple(msgspec.convert(row, Class, strict=False) for row in rows)


def table(classes: Sequence[Class]) -> bytes:
    """The table as a CSV file."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(Class.__struct_fields__)
    for one in classes:
        values = msgspec.structs.asdict(one).values()
        writer.writerow([f"{value:.3f}" if isinstance(value, float) else value for value in values])
    return text.getvalue().encode()


@functools.cache
def places() -> dict[str, int]:
    """Index of each class in the table."""
    return {one.name: index for index, one in enumerate(shipped())}


def merged_name(label: str) -> str:
    """Name of the merged class, such as `helicopter+airplane`; the label itself if it is not in the table."""
    return shipped()[places()[label]].merged if label in places() else label


class LabelCheck(CheckMetric[Label]):
    """The check `label`: calibrated log odds of the requested class, or of the pair that it is merged with.

    Passes if they are at least the threshold of the class.
    """

    name, version, unit = "label", 3, "log odds"
    label = "Class recognised"
    text = "Two networks recognise the requested class, or one merged with it."
    better = "higher"
    weights = identity.NETWORKS
    any_weights = True
    fitted = "label.npz"

    def measure(self, sound: Sound, check: Label) -> Value:
        """Judge the sound, see `identity.judge`. Not measurable for sets other than `esc50` or classes outside it."""
        if check.among != "esc50" or check.label not in places():
            return Value(None, None, f"not measured: no table of {check.label!r} among {check.among!r}")
        return identity.judge("label", sound, merged_name(check.label), "50 classes")
