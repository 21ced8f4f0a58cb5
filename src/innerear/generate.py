"""Probes to completions. The only asynchronous code is behind `generate`, which is not itself."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Container, Coroutine, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from innerear.errors import ModelError, RecordingMismatch, UsageError
from innerear.models import Model, ModelUnusable, Reply
from innerear.records import Completion, Probe, digest
from innerear.strategies import find_strategy

Keep = Callable[[Completion], None]


@dataclass(frozen=True)
class Failure:
    """A probe that could not be asked, by our fault or the server's; never a model's mistake."""

    model: str
    probe: str
    attempt: int
    error: ModelError | RecordingMismatch


def generate(
    probes: Sequence[Probe],
    models: Sequence[Model],
    strategy: str = "direct",
    attempts: int = 1,
    *,
    keep: Keep,
    done: Iterable[Completion] = (),
) -> list[Failure]:
    """Ask every model for every probe; `keep` gets each completion as it arrives.

    Models answer side by side, each with its own number of requests in flight; those that build on
    another's completions (`swap/…`) come after it. What is in `done` is not asked again. A probe
    that fails holds up none of the others.

    Returns:
        What could not be asked; `summary` makes one line a model of it.

    Raises:
        UsageError: no such strategy, or a model misses what it builds on.
    """
    find_strategy(strategy)
    finished = {completion.key: completion for completion in done}
    known = {model.name for model in models} | {completion.model for completion in finished.values()}
    for model in models:
        if model.after is not None and model.after not in known:
            raise UsageError(f"{model.name} needs completions of {model.after}: add that model to the run")
    failures: list[Failure] = []

    def kept(completion: Completion) -> None:
        keep(completion)
        finished[completion.key] = completion

    async def one(model: Model) -> None:
        model.prepare(probes, [row for row in finished.values() if row.strategy == strategy])
        jobs = [_Job(model, probe, strategy, attempt) for attempt in range(attempts) for probe in probes]
        try:
            await _ask_all(model, jobs, kept, finished.keys(), failures)
        finally:
            await model.close()

    async def everything() -> None:
        await asyncio.gather(*(one(model) for model in models if model.after is None))
        await asyncio.gather(*(one(model) for model in models if model.after is not None))

    _run(everything())
    return failures


def summary(failures: Sequence[Failure]) -> list[str]:
    """One line a model and kind of error: how many were not asked, and what the first one said."""
    first: dict[tuple[str, type[Exception]], Failure] = {}
    counts: Counter[tuple[str, type[Exception]]] = Counter()
    for failure in failures:
        kind = (failure.model, type(failure.error))
        first.setdefault(kind, failure)
        counts[kind] += 1
    return [
        f"{counts[kind]} not answered, the first of them {failure.probe}: {failure.error}"
        for kind, failure in first.items()
    ]


@dataclass(frozen=True)
class _Job:
    model: Model
    probe: Probe
    strategy: str
    attempt: int

    def key(self) -> str | None:
        """The completion's key, or `None` where the model has no answer to this probe."""
        identity = self.model.identity(self.probe, self.attempt)
        if identity is None:
            return None
        messages = next(find_strategy(self.strategy)(self.probe)).messages
        return digest(
            "completion", self.probe.id, self.model.name, identity, self.strategy, messages, self.attempt
        )

    async def answer(self, key: str) -> Completion:
        """Hold the whole conversation. `messages` are those of its last round."""
        conversation = find_strategy(self.strategy)(self.probe)
        ask = next(conversation)
        replies: list[Reply] = []
        while True:
            replies.append(await self.model.ask(self.probe, ask.messages, self.attempt))
            if not self.model.converses:
                text = replies[-1].text
                break
            try:
                ask = conversation.send(replies[-1].text)
            except StopIteration as end:
                text = end.value
                break
        usage: Counter[str] = Counter()
        for reply in replies:
            usage.update(reply.usage or {})
        seconds = [reply.seconds for reply in replies if reply.seconds is not None]
        return Completion(
            key=key,
            probe=self.probe.id,
            model=self.model.name,
            strategy=self.strategy,
            attempt=self.attempt,
            messages=ask.messages,
            text=text,
            finish_reason=replies[-1].finish_reason,
            usage=dict(usage) or None,
            seconds=round(sum(seconds), 3) if seconds else None,
            recording=replies[-1].recording,
        )


async def _ask_all(
    model: Model, jobs: Sequence[_Job], keep: Keep, done: Container[str], failures: list[Failure]
) -> None:
    waiting = iter(jobs)

    async def worker() -> None:
        for job in waiting:  # shared: each job is taken by one worker
            try:
                key = job.key()
                if key is not None and key not in done:
                    keep(await job.answer(key))
            except (ModelError, RecordingMismatch) as error:
                failures.append(Failure(model.name, job.probe.id, job.attempt, error))
                if isinstance(error, ModelUnusable):
                    failures.extend(_give_up(waiting, error))

    await asyncio.gather(*(worker() for _ in range(max(1, model.concurrency))))


def _give_up(waiting: Iterator[_Job], error: ModelUnusable) -> list[Failure]:
    return [Failure(job.model.name, job.probe.id, job.attempt, error) for job in waiting]


def _run(work: Coroutine[Any, Any, None]) -> None:
    """Run to the end, also where the caller already is inside an event loop, such as a notebook."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        asyncio.run(work)
        return
    with ThreadPoolExecutor(1) as aside:
        aside.submit(asyncio.run, work).result()
