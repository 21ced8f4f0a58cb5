"""Rows as a list that a notebook shows as a table and pandas can take."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

import msgspec

from innerear import markup
from innerear.errors import UsageError
from innerear.records import Score

R = TypeVar("R", bound=msgspec.Struct)
FIGURES = ("value", "low", "high", "n", "missing", "unit")


class Rows(list[R]):
    """A list of rows of one type. `shown`: the columns that a notebook shows."""

    _derived: Sequence[str] = ()  # properties that a DataFrame has as columns

    def __init__(self, rows: Sequence[R] = (), shown: Sequence[str] = ()) -> None:
        super().__init__(rows)
        self._shown = tuple(shown)

    def to_pandas(self) -> Any:
        """A `pandas.DataFrame`, one row per row and one column per field; nested fields stay dicts and lists.

        Raises:
            UsageError: pandas is not installed.
        """
        try:
            import pandas
        except ImportError as error:
            raise UsageError("a DataFrame needs pandas: pip install 'innerear[pandas]'") from error
        columns = [*(self[0].__struct_fields__ if self else self._shown), *self._derived]
        rows = [{name: getattr(row, name) for name in columns} for row in self]
        return pandas.DataFrame(rows, columns=list(columns))

    def _repr_html_(self) -> str:
        columns = self._shown or (self[0].__struct_fields__ if self else ())
        return markup.table(columns, [[getattr(row, name) for name in columns] for row in self])


class Scores(Rows[Score]):
    """The scores of a run; `of` selects some."""

    _derived = ("language",)

    def __init__(self, rows: Sequence[Score] = ()) -> None:
        shown = (
            "model",
            "strategy",
            "tier",
            "group",
            "metric",
            "embedder",
            "value",
            "low",
            "high",
            "n",
            "missing",
            "unit",
        )
        super().__init__(rows, shown)

    def of(self, metric: str = "", **fields: str) -> Scores:
        """The scores of a metric and of other fields, such as `model`, `tier`, `group` or `embedder`.

        Raises:
            UsageError: scores have no such field.
        """
        wanted = {"metric": metric, **fields} if metric else fields
        if unknown := [name for name in wanted if name not in (*Score.__struct_fields__, "embedder", "language")]:
            raise UsageError(f"scores have no field {unknown[0]!r}; they have {', '.join(Score.__struct_fields__)}")
        return Scores([row for row in self if all(getattr(row, name) == value for name, value in wanted.items())])


class ScoreFile(msgspec.Struct, frozen=True):
    """`scores.json`. `inputs` is the digest of everything that the scores depend on, and of the scores."""

    inputs: str
    scores: list[Score]
