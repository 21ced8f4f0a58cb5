"""Probes to completions. `generate` is synchronous; the asynchronous code is behind it."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Callable, Container, Coroutine, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

from msgspec.structs import replace

from innerear.ask.models import Model, ModelUnusable, NotRecorded, Reply
from innerear.ask.strategies import Ask, Heard, Listen, Strategy, find_strategy
from innerear.errors import JailFailure, ModelError, RecordingMismatch, UsageError
from innerear.languages import LANGUAGES, Language
from innerear.records import Completion, Outcome, Probe, Program, Render, Round, digest

Keep = Callable[[Completion], None]
T = TypeVar("T")


@dataclass(frozen=True)
class Bench:
    """What a strategy may use besides the model: `render` runs a program, `listen` describes a render."""

    render: Callable[[Program], Render]
    listen: Callable[[Probe, Render], Heard]


@dataclass(frozen=True)
class Unanswered:
    """A probe that got no answer, through an infrastructure or server failure; never a model failure."""

    model: str
    probe: str
    attempt: int
    error: ModelError | RecordingMismatch | JailFailure


def generate(
    probes: Sequence[Probe],
    models: Sequence[Model],
    strategy: str = "direct",
    attempts: int = 1,
    *,
    keep: Keep,
    done: Iterable[Completion] = (),
    spent_usd: float = 0.0,
    bench: Bench | None = None,
    max_usd: float | None = None,
) -> list[Unanswered]:
    """Ask every model for every probe; `keep` gets each completion as it arrives.

    Models run concurrently, each with its own number of requests in flight; those that build on another
    model's completions (`swap/…`) come after it. Completions in `done` are not asked for again. A probe
    that fails does not stop the others. `bench` is for strategies that run programs while they ask; its
    functions are called from several threads at once. What a recording does not have is skipped
    (`Model.lacks`), and a model that has no programs in the strategy's language (`Model.languages`). Once the
    completions of the strategy, including those in `done`, and `spent_usd` before have cost `max_usd`, no more are
    requested; requests in flight still complete.

    Returns:
        The failures; `summary` turns them into one line per model and kind.

    Raises:
        UsageError: no such strategy, a model lacks the completions it builds on, or a recording has none of the probes.
    """
    way = find_strategy(strategy)
    if way.renders and bench is None:
        raise UsageError(f"strategy {strategy!r} runs programs while it asks: give generate() a bench")
    finished = {completion.key: completion for completion in done}
    known = {model.name for model in models} | {completion.model for completion in finished.values()}
    for model in models:
        if model.after is not None and model.after not in known:
            raise UsageError(f"{model.name} needs completions of {model.after}: add that model to the run")
    if max_usd is not None:
        check_priced(models)
    failures: list[Unanswered] = []
    spent_usd += sum(row.usd or 0.0 for row in finished.values() if row.strategy == way.name)

    def afford() -> None:
        if max_usd is not None and spent_usd >= max_usd:
            raise ModelUnusable(f"the limit of {max_usd:g} USD is reached: {spent_usd:.4f} USD spent")

    def kept(completion: Completion) -> None:
        nonlocal spent_usd
        spent_usd += completion.usd or 0.0
        keep(completion)
        finished[completion.key] = completion

    async def one(model: Model) -> None:
        model.prepare(probes, [row for row in finished.values() if row.strategy == way.name])
        jobs = [Request(model, probe, way, attempt, bench) for attempt in range(attempts) for probe in probes]
        try:
            await _ask_all(model, jobs, kept, finished.keys(), failures, afford)
        finally:
            await model.close()

    async def everything() -> None:
        able = [model for model in models if not model.languages or way.language in model.languages]
        await asyncio.gather(*(one(model) for model in able if model.after is None))
        await asyncio.gather(*(one(model) for model in able if model.after is not None))

    _run(everything())
    return failures


def check_languages(models: Sequence[Model], languages: Sequence[Language]) -> list[str]:
    """One line per recording that has no programs in some of the languages.

    Raises:
        UsageError: a recording has programs in none of them.
    """
    lines = []
    for model in models:
        lacking = [language for language in languages if model.languages and language not in model.languages]
        if not lacking:
            continue
        held, wanted = (
            " and ".join(LANGUAGES[name].title for name in LANGUAGES if name in names)
            for names in (model.languages, lacking)
        )
        if len(lacking) == len(set(languages)):
            ask = ",".join(name for name in LANGUAGES if name in model.languages)
            raise UsageError(f"{model.name} has programs in {held}, not in {wanted}: add --language {ask}")
        lines.append(f"{model.name} has programs in {held} only; it skips {wanted}")
    return lines


def check_priced(models: Sequence[Model]) -> None:
    """Refuse a cost limit for models of which no price is known.

    Raises:
        UsageError: names them.
    """
    if unpriced := [model.name for model in models if model.price is None and model.remote]:
        raise UsageError(
            f"no price is known for {', '.join(unpriced)}, so a cost limit cannot be enforced; "
            "set INNEREAR_PRICES to a table that has the price"
        )


def summary(failures: Sequence[Unanswered]) -> list[str]:
    """One line per model and kind of error: the number of failures and the first message."""
    first: dict[tuple[str, type[Exception]], Unanswered] = {}
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
class Request:
    """One completion to request; drives the strategy's conversation with the model and the bench."""

    model: Model
    probe: Probe
    strategy: Strategy
    attempt: int
    bench: Bench | None

    def key(self) -> str | None:
        """The completion's key, or `None` if the model has no answer to this probe."""
        draws = [self._number(draw) for draw in range(self.strategy.draws if self.model.converses else 1)]
        identities = [self.model.identity(self.probe, number) for number in draws]
        if any(identity is None for identity in identities):
            return None
        identity = identities[0] if len(identities) == 1 else identities
        name, messages = self.strategy.name, self.strategy.opening(self.probe)
        stamps = filter(None, [self.model.plugin, self.strategy.plugin])
        return digest("completion", self.probe.id, self.model.name, identity, name, messages, self.attempt, *stamps)

    def _number(self, draw: int) -> int:
        """The attempt number passed to the model, unique among the answers to the same messages in a run."""
        return self.attempt * self.strategy.draws + draw

    async def answer(self, key: str) -> Completion:
        """Run the whole conversation."""
        conversation = self.strategy(self.probe)
        rounds: list[Round] = []
        replies: list[Reply] = []
        sent: object = None
        while True:
            try:
                step = conversation.send(sent)
            except StopIteration as end:
                text = end.value
                break
            if isinstance(step, Ask):
                reply = await self.model.ask(self.probe, step.messages, self._number(step.draw))
                replies.append(reply)
                rounds.append(Round(step.messages, reply.text, reply.finish_reason))
                sent = text = reply.text
                if not self.model.converses:
                    break
                continue
            assert self.bench is not None, "checked by generate()"
            if isinstance(step, Listen):
                heard = await _aside(self.bench.listen, self.probe, step.render)
                rounds[-1] = replace(rounds[-1], heard=heard.words)
                sent = heard
            else:
                asked = replace(step.program, duration_s=self.probe.duration_s)
                row = await _aside(self.bench.render, asked)
                reason = "" if row.outcome == Outcome.OK else row.reason
                rounds[-1] = replace(rounds[-1], outcome=row.outcome.value, reason=reason)
                sent = row
        taken = next(index for index in reversed(range(len(rounds))) if rounds[index].text == text)
        usage: Counter[str] = Counter()
        for reply in replies:
            usage.update(reply.usage or {})
        seconds = [reply.seconds for reply in replies if reply.seconds is not None]
        return Completion(
            key=key,
            probe=self.probe.id,
            model=self.model.name,
            strategy=self.strategy.name,
            attempt=self.attempt,
            messages=rounds[taken].messages,
            text=text,
            finish_reason=rounds[taken].finish_reason,
            usage=dict(usage) or None,
            seconds=round(sum(seconds), 3) if seconds else None,
            recording=replies[taken].recording,
            rounds=rounds if len(rounds) > 1 else [],
            usd=self.model.price.of(usage) if self.model.price is not None and usage else None,
            retries=sum(reply.retries for reply in replies),
        )


async def _aside(function: Callable[..., T], *given: Any) -> T:
    """Call a function in a daemon thread, which unlike those of a pool does not delay the exit of the process."""
    promised: Future[T] = Future()

    def call() -> None:
        try:
            promised.set_result(function(*given))
        except BaseException as error:  # noqa: BLE001  re-raised by the await
            promised.set_exception(error)

    threading.Thread(target=call, daemon=True).start()
    return await asyncio.wrap_future(promised)


async def _ask_all(
    model: Model,
    jobs: Sequence[Request],
    keep: Keep,
    done: Container[str],
    failures: list[Unanswered],
    afford: Callable[[], None],
) -> None:
    waiting = iter(jobs)

    async def worker() -> None:
        for job in waiting:  # shared iterator: each job goes to one worker
            try:
                key = job.key()
                if key is not None and key not in done:
                    if model.price is not None:
                        afford()
                    keep(await job.answer(key))
            except NotRecorded:
                continue  # `Model.lacks` has said so
            except (ModelError, RecordingMismatch, JailFailure) as error:
                failures.append(Unanswered(model.name, job.probe.id, job.attempt, error))
                if isinstance(error, ModelUnusable):
                    failures.extend(_give_up(waiting, error))

    await asyncio.gather(*(worker() for _ in range(max(1, model.concurrency))))


def _give_up(waiting: Iterator[Request], error: ModelUnusable) -> list[Unanswered]:
    return [Unanswered(job.model.name, job.probe.id, job.attempt, error) for job in waiting]


def _run(work: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine to the end, even if an event loop is already running, as in a notebook."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        asyncio.run(work)
        return
    with ThreadPoolExecutor(1) as aside:
        aside.submit(asyncio.run, work).result()
