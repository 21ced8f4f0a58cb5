"""The scorer, which measures one sound, and the metric over the set, which does its own grouping.

The metric gets every epoch; an epoch is an attempt. Model failures are scores; infrastructure failures
are exceptions.
"""

from __future__ import annotations

import base64
import functools
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
from inspect_ai.scorer import (
    Metric,
    SampleScore,
    Score,
    Scorer,
    Target,
    Value,
    metric,
    precomputed_scores,
    scorer,
)
from inspect_ai.solver import TaskState
from inspect_ai.util import sandbox

from innerear.inspect.sandbox import JailSandbox
from innerear.inspect.solver import ANSWER, probe_of

if TYPE_CHECKING:
    from innerear.clip import Clip
    from innerear.records import Completion, Render


@metric(scores="unreduced")
def set_scores() -> Metric:
    """All scores of the set, as in `innerear score`: rates, checks and distances with their intervals."""

    def scores(scores: list[SampleScore]) -> Value:
        from innerear.inspect.rows import flat, heard_in, set_of

        heard = [found for one in scores if (found := heard_in(one.score.metadata))]
        return flat(set_of(heard)) if heard else {}

    return scores


@scorer(metrics=[set_scores()])
def sounds(embedders: str = "auto", content: str = "") -> Scorer:
    """Measure a sample's sound with the checks of its probe, and embed it.

    `embedders`: as in `--embedder`, comma-separated. `content`: as in `conversation`.
    """
    at_once = functools.cache(lambda: anyio.CapacityLimiter(os.cpu_count() or 1))

    async def score(state: TaskState, target: Target) -> Score | None:
        kept = await _kept(state)
        if kept is None:
            return None
        names = [name.strip() for name in embedders.split(",") if name.strip()]
        return await anyio.to_thread.run_sync(_score, state, names, *kept, limiter=at_once())

    return score


@scorer(metrics=[set_scores()])
def batch_scores(scores: str) -> Scorer:
    """Score a log with rows written by `innerear export --inspect`: `inspect score LOG --scorer …`."""
    return precomputed_scores(scores)


def _score(state: TaskState, names: list[str], completion: Completion, render: Render, clip: Clip | None) -> Score:
    from innerear.inspect.rows import Heard, frames_of, settle
    from innerear.metrics.base import sound_of
    from innerear.metrics.measure import measure

    wanted = settle(names)
    heard = Heard(
        probe_of(state.metadata),
        state.metadata["number"],
        state.metadata["track"],
        completion,
        render,
        [],
        wanted,
        frames_of(wanted, clip) if clip is not None else {},
    )
    from msgspec.structs import replace

    heard = replace(heard, measurements=measure(completion.key, sound_of(heard.item, clip)))
    record = heard.record()
    return Score(**{field: record[field] for field in ("value", "answer", "explanation", "metadata")})


async def _kept(state: TaskState) -> tuple[Completion, Render, Clip | None] | None:
    """The solver's rows and the sound; `None` if the program was not rendered and there is no jail to do it.

    If a limit ended the sample, its last reply (or an empty one) is rendered here.
    """
    import msgspec

    from innerear.records import Completion, Render, digest
    from innerear.run.run import program_of

    kept = state.store.get(ANSWER) or {"completion": None, "render": None}
    probe = probe_of(state.metadata)
    jail = _jail()
    if kept["completion"] is None:
        key = digest("completion", probe.id, str(state.model), state.epoch, "no reply")
        completion = Completion(key, probe.id, str(state.model), state.metadata["strategy"], state.epoch - 1, [], "")
    else:
        completion = msgspec.convert(kept["completion"], Completion)
    if kept["render"] is not None:
        render = msgspec.convert(kept["render"], Render)
    elif jail is not None:
        render = await anyio.to_thread.run_sync(jail.run, program_of(completion, probe, state.metadata["track"]))
    else:
        return None
    if render.audio is None:
        return completion, render, None
    if jail is not None:
        return completion, render, _load(render, jail.audio)
    clip = played(state.messages, render)
    return None if clip is None else (completion, render, clip)


def _jail() -> JailSandbox | None:
    try:
        jail: JailSandbox = sandbox().as_type(JailSandbox)
    except (ProcessLookupError, TypeError):  # a log that is scored again
        return None
    return jail


def _load(render: Render, audio: Path) -> Clip | None:
    from innerear.render.render import load

    return load(render, audio) if (audio / f"{render.audio}.flac").exists() else None


def wave_in(messages: list[Any]) -> bytes | None:
    """The sound in the last message that has one, as a WAV."""
    for message in reversed(messages):
        for part in message.content if isinstance(message.content, list) else []:
            if part.type == "audio" and part.audio.startswith("data:audio/wav;base64,"):
                return base64.b64decode(part.audio.partition(",")[2])
    return None


def played(messages: list[Any], render: Render) -> Clip | None:
    """The sound in a log's messages, at the level of its render; `None` if there is none."""
    import io

    import numpy as np

    from innerear.clip import Clip, read
    from innerear.inspect.solver import convert

    wave = wave_in(messages)
    if wave is None:
        return None
    clip = read(io.BytesIO(convert(wave, "FLAC")))
    return clip if render.factor == 1.0 else Clip(clip.samples * np.float32(render.factor), clip.sample_rate)
