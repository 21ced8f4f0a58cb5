"""Token prices: `prices.csv` next to this file, and your own table of the same form in INNEREAR_PRICES.

List prices change, so the table is dated and your own has precedence. Prices are never guessed: a model
in neither table has none.
"""

from __future__ import annotations

import csv
import functools
import os
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from innerear.errors import UsageError

COLUMNS = ("model", "input_usd_per_million", "output_usd_per_million")


@dataclass(frozen=True)
class Price:
    """US dollars per million tokens."""

    input_usd: float
    output_usd: float

    def of(self, usage: Mapping[str, int]) -> float:
        """The cost of these tokens in US dollars; reasoning tokens are included in completion tokens.

        >>> Price(2.0, 8.0).of({"prompt_tokens": 500_000, "completion_tokens": 250_000})
        3.0
        """
        prompt, completion = usage.get("prompt_tokens", 0), usage.get("completion_tokens", 0)
        return (prompt * self.input_usd + completion * self.output_usd) / 1e6


def find_price(model: str, home: bool = True) -> Price | None:
    """Find the price of a model such as `openai/gpt-4o`, `None` if unknown.

    `home`: it is served by its maker. The built-in table is used only then; your own always.

    Raises:
        UsageError: your own table cannot be read.
    """
    named = os.environ.get("INNEREAR_PRICES")
    own = _own(Path(named)) if named else {}
    return own.get(model) or (_shipped().get(model) if home else None)


@functools.cache
def _shipped() -> dict[str, Price]:
    return _read(resources.files("innerear.ask.models").joinpath("prices.csv").read_text("utf-8"), "prices.csv")


def _own(path: Path) -> dict[str, Price]:
    try:
        return _read(path.read_text("utf-8"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"the prices in INNEREAR_PRICES, {path}, cannot be read: {error}") from error


def _read(text: str, name: str) -> dict[str, Price]:
    found = {}
    for number, row in enumerate(csv.DictReader(text.splitlines()), 2):
        try:
            found[row["model"]] = Price(*(float(row[column]) for column in COLUMNS[1:]))
        except (KeyError, TypeError, ValueError):
            wanted = f"wanted the columns {', '.join(COLUMNS)}, prices as numbers"
            raise UsageError(f"{name}, line {number}: {wanted}") from None
    return found
