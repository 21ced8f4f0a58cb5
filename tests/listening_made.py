"""Runs made up for the listening kit's tests: real probes, sounds that are written and not rendered; and listeners."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from innerear import suite
from innerear.clip import Clip
from innerear.listening import files
from innerear.records import Completion, Limits, Outcome, Probe, Render, digest
from innerear.render.render import store
from innerear.run.create import create
from innerear.run.keys import render_key
from innerear.run.parts import Writer
from innerear.run.run import Run, RunConfig, program_of

RATE_HZ = 44_100
Sound = Callable[[Probe, np.random.Generator], "np.ndarray | None"]


def short(probes: Sequence[Probe]) -> list[Probe]:
    """The probes, asking for half a second: noise as long as they ask costs time."""
    return [msgspec.structs.replace(probe, duration_s=0.5) for probe in probes]


def tone(level: float = 0.3, seconds: float = 0.8) -> Sound:
    """A harmonic tone of a chance pitch, as loud as that."""

    def sound(probe: Probe, rng: np.random.Generator) -> np.ndarray:
        t = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
        f0 = 110 * 2 ** rng.uniform(0, 3)
        return level * sum(np.sin(2 * np.pi * f0 * k * t) / k for k in range(1, 6)) / 2

    return sound


def nothing(probe: Probe, rng: np.random.Generator) -> None:
    """No sound at all: the program crashed."""


def made_run(
    folder: Path, models: dict[str, Sound], probes: Sequence[Probe] | None = None, measured: Callable | None = None
) -> Run:
    """A run folder whose completions all have sounds, made by a function for each model."""
    probes = list(probes or suite.edition("1").probes[:12])
    asked = RunConfig(models=list(models), suite="made up", embedders=["mel"])
    run = create(folder, asked, probes, "made up")
    with Writer(folder / "completions", Completion, 9e9) as said, Writer(folder / "renders", Render, 9e9) as renders:
        for number, (model, sound) in enumerate(models.items()):
            for probe in probes:
                text = f"```python\n# {model} {probe.id}\n```"
                completion = Completion(digest("completion", model, probe.id), probe.id, model, "direct", 0, [], text)
                said.keep(completion)
                program = program_of(completion, probe)
                key = render_key(program, Limits(), 0)
                samples = sound(probe, np.random.default_rng([number, int(digest(probe.id)[:8], 16)]))
                if samples is None:
                    renders.keep(Render(key, program.digest, Outcome.ERROR, "ValueError"))
                    continue
                clip = Clip(np.asarray(samples, np.float32)[np.newaxis], RATE_HZ)
                renders.keep(Render(key, program.digest, Outcome.OK, **store(clip, folder / "audio")))
    return run


def recordings(folder: Path, probes: Sequence[Probe], licence: str = "CC0-1.0") -> Path:
    """A data folder with one recording for each probe of one environment class."""
    import soundfile

    folder.mkdir(parents=True, exist_ok=True)
    columns = "file,tier,set,label,text,f0_hz,duration_s,licence,attribution,sha256"
    lines = [columns]
    rng = np.random.default_rng(5)
    for probe in probes:
        for check in probe.expect:
            if label := getattr(check, "label", None):
                name = f"env/{label}.flac"
                (folder / "env").mkdir(exist_ok=True)
                soundfile.write(folder / name, rng.normal(0, 0.1, round(0.9 * 48_000)), 48_000)
                lines.append(f"{name},env,made,{label},,,0.9,{licence},<b>{label}</b> by nobody,{digest(label)}")
    (folder / "MANIFEST.csv").write_text("\n".join(lines) + "\n")
    return folder


def answered(
    key: files.Key,
    listener: int,
    answer: Callable[[files.Trial, files.KeyTrial, list[files.KeyClip]], dict[str, Any]],
    heard: bool = True,
    session: str | None = None,
) -> dict[str, Any]:
    """A listener's answers file: `answer` says what they answer to each trial of their form."""
    trials = {trial.id: trial for trial in key.test.trials}
    rows = []
    for shown in key.test.form(listener):
        trial = trials[shown.trial]
        given = answer(trial, key.trials[trial.id], [key.clips[clip] for clip in trial.clips])
        lengths = [key.test.clips[clip] for clip in trial.clips]
        rows.append({"trial": trial.id, "plays": [1] * len(lengths), "heard_ms": lengths, "ms": 9000, **given})
    checks = [
        {"clip": clip, "choice": right if heard else right % 3 + 1, "plays": 1}
        for clip, right in key.headphones.items()
    ]
    content = {
        "innerear": "innerear listening answers 1", "test": key.test.test,
        "session": session or digest("session", listener), "listener": listener, "started": "2026-01-01T10:00:00.000Z",
        "finished": "2026-01-01T10:12:00.000Z", "complete": True, "headphones": checks, "answers": rows, "comment": "",
    }  # fmt: skip
    return signed(content)


def signed(content: dict[str, Any]) -> dict[str, Any]:
    """With the checksum that its content asks for."""
    return {**content, "checksum": files.checksum(content)}


def sent(folder: Path, contents: Sequence[dict[str, Any]]) -> list[Path]:
    """Answers as files in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for content in contents:
        paths.append(folder / f"answers-{content['session'][:12]}.json")
        paths[-1].write_text(json.dumps(content, indent=1, ensure_ascii=False), encoding="utf-8")
    return paths
