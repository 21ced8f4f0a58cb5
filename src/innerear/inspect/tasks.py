"""The Inspect tasks: one per tier of a suite, with any strategy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from inspect_ai import Epochs, Task, task
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.util import SandboxEnvironmentSpec

from innerear.inspect.sandbox import JailConfig
from innerear.inspect.scorer import sounds
from innerear.inspect.solver import chat, conversation

if TYPE_CHECKING:
    from innerear.records import Probe, Track
    from innerear.suite import Suite

Words = str | list[Any]
"""One word, or several separated by commas, which Inspect's command line turns into a list."""
VERSION = 1
"""Version of the tasks themselves; their content has its own digest."""


@task
def notes(
    strategy: str = "direct",
    attempts: int = 1,
    suite: str | int | None = None,
    pattern: str | None = None,
    levels: Words | int | None = None,
    embedders: Words = "auto",
    track: str = "scratch",
    jail: str = "auto",
    cpu_s: float = 180.0,
    wall_s: float = 240.0,
    memory_mb: int = 2048,
    digest: str | None = None,
) -> Task:
    """Musical notes: waveforms, instruments, articulation, scales, chords, rhythms, melodies.

    The arguments are those of `innerear run`. `digest` pins the content: any other content is refused.
    """
    return _tier("notes", **locals())


@task
def environment(
    strategy: str = "direct",
    attempts: int = 1,
    suite: str | int | None = None,
    pattern: str | None = None,
    levels: Words | int | None = None,
    embedders: Words = "auto",
    track: str = "scratch",
    jail: str = "auto",
    cpu_s: float = 180.0,
    wall_s: float = 240.0,
    memory_mb: int = 2048,
    digest: str | None = None,
) -> Task:
    """Environmental sounds: single sounds, sequences, scenes. Arguments as in `notes`."""
    return _tier("environment", **locals())


@task
def speech(
    strategy: str = "direct",
    attempts: int = 1,
    suite: str | int | None = None,
    pattern: str | None = None,
    levels: Words | int | None = None,
    embedders: Words = "auto",
    track: str = "scratch",
    jail: str = "auto",
    cpu_s: float = 180.0,
    wall_s: float = 240.0,
    memory_mb: int = 2048,
    digest: str | None = None,
) -> Task:
    """Human speech: vowels, syllables, digits, words, sentences, prosody. Arguments as in `notes`."""
    return _tier("speech", **locals())


def _tier(
    tier: str,
    strategy: str,
    attempts: int,
    suite: str | int | None,
    pattern: str | None,
    levels: Words | int | None,
    embedders: Words,
    track: Track,
    jail: str,
    cpu_s: float,
    wall_s: float,
    memory_mb: int,
    digest: str | None,
) -> Task:
    from innerear import suite as suites
    from innerear.errors import UsageError
    from innerear.inspect.content import content_digest
    from innerear.inspect.rows import settle
    from innerear.languages import language_of
    from innerear.records import TRACKS

    if track not in TRACKS:
        raise UsageError(f"no track {track!r}; there are {', '.join(TRACKS)}")
    loaded = suites.load(str(suite) if suite else None)
    chosen = suites.choose(loaded.probes, [tier], pattern, _levels(levels))
    names = settle(_words(embedders))
    content = content_digest(loaded, names)
    if digest not in (None, content):
        raise UsageError(f"the content has the digest {content}, expected {digest}: the suite or version differs")
    config = JailConfig(
        jail=jail, track=track, language=language_of(strategy), cpu_s=cpu_s, wall_s=wall_s, memory_mb=memory_mb
    )
    return Task(
        dataset=MemoryDataset(_samples(chosen, strategy, track), name=f"{loaded.name}, {tier}"),
        solver=conversation(strategy=strategy, content=content),
        scorer=sounds(embedders=",".join(names), content=content),
        sandbox=SandboxEnvironmentSpec("innerear", config),
        epochs=Epochs(attempts, []),
        version=f"{VERSION}.{content[:12]}",
        metadata={"innerear": _asked(loaded, strategy, names, config, content)},
    )


def _words(given: Words | int | None) -> list[str]:
    words = given if isinstance(given, list) else str(given).split(",") if given is not None else []
    return [word for one in words if (word := str(one).strip())]


def _levels(levels: Words | int | None) -> list[int]:
    from innerear.errors import UsageError

    words = _words(levels)
    if bad := [word for word in words if not word.isdigit()]:
        raise UsageError(f"levels contains {bad[0]!r}; give whole numbers such as 1,2")
    return [int(word) for word in words]


def _samples(probes: list[Probe], strategy: str, track: str) -> list[Sample]:
    """One sample per probe; the first message depends on the probe only."""
    import msgspec

    from innerear.ask.strategies import find_strategy

    way = find_strategy(strategy)
    return [
        Sample(
            id=probe.id,
            input=list(chat(way.opening(probe))),
            target=probe.caption,
            metadata={"probe": msgspec.to_builtins(probe), "number": number, "strategy": strategy, "track": track},
        )
        for number, probe in enumerate(probes)
    ]


def _asked(loaded: Suite, strategy: str, embedders: list[str], config: JailConfig, content: str) -> dict[str, Any]:
    """What `innerear import` writes into `run.json`, and the versions that results may depend on."""
    from innerear.languages import language_of
    from innerear.run.create import versions

    return {
        "strategy": strategy,
        "suite": loaded.name,
        "suite_digest": loaded.digest,
        "embedders": embedders,
        "jail": config.model_dump(),
        "content": content,
        "versions": versions([language_of(strategy)]),
    }
