"""What a run's strategy may use besides the model: a way to run programs, and a listener."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from innerear.ask.generate import Bench
from innerear.ask.strategies import Heard, find_strategy
from innerear.errors import AudioError, JailFailure
from innerear.records import Probe, Render
from innerear.render.render import load
from innerear.run.run import Run


@contextmanager
def open_bench(run: Run, strategy_name: str, workers: int | None) -> Iterator[Bench | None]:
    """Yield the bench of a strategy of the run; `None` if it only talks to the model.

    Raises:
        JailUnavailable: this machine cannot isolate programs.
    """
    asked, strategy = run.asked, find_strategy(strategy_name)
    if not strategy.renders:
        yield None
        return
    from innerear.ask.listener import find_tagger, hear
    from innerear.jail import open_jail
    from innerear.render.workshop import Workshop

    tagger = find_tagger() if strategy.told else None

    def listen(probe: Probe, render: Render) -> Heard:
        try:
            return hear(load(render, run.audio), probe, tagger)
        except AudioError as error:  # concerns this probe only; the others are still asked
            raise JailFailure(str(error)) from error

    with Workshop(
        run.folder / "renders",
        run.audio,
        asked.limits,
        asked.seed,
        asked.track,
        partial(open_jail, asked.jail, asked.track),
        workers or os.cpu_count() or 1,
        strategy.language,
    ) as shop:
        yield Bench(shop.render, listen)
