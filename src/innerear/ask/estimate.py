"""What a run would ask, and about what it would take, from past runs: `innerear run --dry-run`.

Tokens, seconds and requests per answer are means over past answers: of the same model if there are any, else of all
models of past runs, else of the shipped recording `recorded/one-shot`, at four characters per token. Nothing is asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from innerear.ask.generate import Request
from innerear.ask.models import Model, NotRecorded
from innerear.ask.models.prices import Price, find_price
from innerear.ask.models.recorded import recorded_texts
from innerear.ask.strategies import find_strategy
from innerear.errors import RecordingMismatch, UsageError
from innerear.records import Completion, Probe
from innerear.run.parts import read_rows

CHARACTERS = 4
"""Characters per token of English text and code, about."""


@dataclass(frozen=True)
class Rates:
    """Means per answer: tokens, seconds (`None` if no answer has them), and of how many answers they are."""

    tokens_in: float
    tokens_out: float
    seconds: float | None
    answers: int
    by: str


@dataclass(frozen=True)
class Estimate:
    """What asking one model would take. `missing`: answers that are not there yet. `None`: not known."""

    model: str
    answers: int
    missing: int
    tokens_in: int | None = None
    tokens_out: int | None = None
    usd: float | None = None
    seconds: float | None = None
    by: str = ""


def estimate(
    probes: Sequence[Probe],
    models: Sequence[Model],
    strategies: Sequence[str],
    attempts: int,
    done: Sequence[Completion],
    past: Sequence[Completion],
) -> list[Estimate]:
    """One row per model, then one for each model of past runs with tokens, as if it were asked instead.

    `done`: completions that the run has already. `past`: completions of past runs.
    """
    keys = {row.key for row in done}
    counted = [row for row in past if row.usage and row.strategy in strategies]
    rows = []
    most = 0
    for model in models:
        jobs = [_jobs(model, probes, strategy, attempts, done, keys) for strategy in strategies]
        wanted, missing = (sum(counts) for counts in zip(*jobs, strict=True))
        most = max(most, missing)
        if not model.remote:
            rows.append(Estimate(model.name, wanted, missing, by="needs no server"))
            continue
        rates = _rates([row for row in counted if row.model == model.name], f"past answers of {model.name}")
        rates = rates or _rates(counted, "past answers of all models") or _by_recording(probes, strategies)
        rows.append(_estimate(model.name, wanted, missing, rates, model.price, model.concurrency))
    named = {model.name for model in models}
    for name in dict.fromkeys(row.model for row in counted if row.model not in named):
        if (found := _rates([row for row in counted if row.model == name], f"past answers of {name}")) is not None:
            rows.append(_estimate(name, most, most, found, find_price(name), 1))
    return rows


def _jobs(
    model: Model, probes: Sequence[Probe], strategy: str, attempts: int, done: Sequence[Completion], keys: set[str]
) -> tuple[int, int]:
    """How many answers a model has to give, and how many of them are missing."""
    way = find_strategy(strategy)
    if model.languages and way.language not in model.languages:
        return 0, 0
    model.prepare(probes, [row for row in done if row.strategy == strategy])
    wanted = missing = 0
    for attempt in range(attempts):
        for probe in probes:
            try:
                key = Request(model, probe, way, attempt, None).key()
            except (NotRecorded, RecordingMismatch):
                continue
            wanted += key is not None
            missing += key is not None and key not in keys
    return wanted, missing


def _estimate(name: str, answers: int, missing: int, rates: Rates, price: Price | None, concurrency: int) -> Estimate:
    tokens_in, tokens_out = round(missing * rates.tokens_in), round(missing * rates.tokens_out)
    seconds = None if rates.seconds is None else missing * rates.seconds / concurrency
    usd = None if price is None else price.of({"prompt_tokens": tokens_in, "completion_tokens": tokens_out})
    by = f"{rates.answers} {rates.by}{'' if seconds is not None else '; no answer of theirs was timed'}"
    return Estimate(name, answers, missing, tokens_in, tokens_out, usd, seconds, by)


def _rates(rows: Sequence[Completion], by: str) -> Rates | None:
    if not rows:
        return None

    def mean(name: str) -> float:
        return sum((row.usage or {}).get(name, 0) for row in rows) / len(rows)

    seconds = [row.seconds for row in rows if row.seconds is not None]
    each_s = sum(seconds) / len(seconds) if seconds else None
    return Rates(mean("prompt_tokens"), mean("completion_tokens"), each_s, len(rows), by)


def _by_recording(probes: Sequence[Probe], strategies: Sequence[str]) -> Rates:
    """By the first messages of each probe, and the lengths of the shipped recording's answers."""
    ways = [find_strategy(strategy) for strategy in strategies]
    sent = [sum(len(message.content) for message in way.opening(probe)) for way in ways for probe in probes]
    said = [len(text) for text in recorded_texts("one-shot")]
    tokens_in, tokens_out = (sum(lengths) / len(lengths) / CHARACTERS for lengths in (sent, said))
    return Rates(tokens_in, tokens_out, None, len(said), "answers of recorded/one-shot, first messages only")


def past_completions(folders: Iterable[Path]) -> list[Completion]:
    """The completions of the run folders among these; what cannot be read is left out."""
    found: list[Completion] = []
    for folder in folders:
        try:
            found += read_rows(folder / "completions", Completion).values()
        except (UsageError, OSError):
            continue
    return found
