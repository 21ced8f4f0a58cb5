"""A run made up for the report's tests: real probes and programs, synthetic sounds, invented scores."""

from __future__ import annotations

import hashlib
import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from innerear import checks, clip, records
from innerear.report import Asked, Funnel, Item, ReportData, Step

MODELS = ["recorded/one-shot", "baseline/silence", "baseline/noise", "baseline/sine"]
STEPS = ["completion", "program", "ran", "audio", "audible", "right length"]


def probes() -> list[records.Probe]:
    lines = files("innerear.suite").joinpath("edition-1.jsonl").read_bytes().splitlines()
    return [msgspec.json.decode(line, type=records.Probe) for line in lines]


def recorded() -> dict[str, dict]:
    text = files("innerear").joinpath("models", "recordings", "one-shot.jsonl").read_text(encoding="utf-8")
    return {row["probe"]: row for row in map(json.loads, text.splitlines())}


def sound(probe: records.Probe, model: str, rng: np.random.Generator, sample_rate: int = 44_100) -> clip.Clip:
    t = np.arange(round(probe.duration_s * sample_rate)) / sample_rate
    if model == "baseline/silence":
        wave = np.zeros_like(t)
    elif model == "baseline/noise":
        wave = 0.1 * rng.standard_normal(len(t))
    elif model == "baseline/sine":
        wave = 0.5 * np.sin(2 * np.pi * 440 * t)
    else:
        f0 = 110 * 2 ** rng.uniform(0, 3)
        env = np.exp(-t * rng.uniform(0.3, 3)) * (1 - np.exp(-t * 60))
        vibrato = rng.uniform(0, 3) * np.sin(2 * np.pi * 5 * t)
        wave = env * sum(np.sin(2 * np.pi * f0 * k * t + k * vibrato) / k**1.3 for k in range(1, 12)) * 0.3
        wave = wave + 0.01 * rng.standard_normal(len(t))
    return clip.Clip(wave.astype(np.float32)[np.newaxis], sample_rate)


def made(
    folder: Path, models: list[str] | None = None, take: int | None = None, sounds: int | None = None, seed: int = 0
) -> ReportData:
    """A report's data, with its audio in `folder`/audio; `take` probes of each tier, or all.

    With `sounds`, only so many models have sounds of their own; the others have the same.
    """
    models = MODELS if models is None else models
    rng = np.random.default_rng(seed)
    (folder / "audio").mkdir(parents=True, exist_ok=True)
    chosen = [p for tier in records.TIERS for p in [q for q in probes() if q.tier == tier][:take]]
    said = recorded()
    heard: dict[tuple[str, int], tuple[clip.Clip, str, float]] = {}
    items = []
    for i, model in enumerate(models):
        for probe in chosen:
            voice = i % (sounds or len(models))
            if (probe.id, voice) not in heard:
                heard[probe.id, voice] = _stored(folder, sound(probe, model, rng))
            items.append(_item(heard[probe.id, voice], probe, model, said[probe.id], rng))
    return ReportData(
        title="made up",
        created="2026-01-02T03:04:05Z",
        asked=Asked(
            models=models,
            strategies=["direct"],
            suite="edition 1",
            suite_digest="0123456789abcdef",
            limits=records.Limits(),
            command="innerear run --model " + " --model ".join(models),
            seeds={"bootstrap": seed},
            versions={"innerear": "0.1.0", "numpy": np.__version__},
            machine={"cpus": 2, "system": "Linux"},
            jail={"tier": "namespaces", "landlock": 3},
        ),
        probes=chosen,
        items=items,
        scores=_scores(chosen, models, rng),
        funnels=_funnels(items, chosen, models),
        warnings=["all scores are invented", "CLAP: no weights on this machine"],
    )


def _stored(folder: Path, heard: clip.Clip) -> tuple[clip.Clip, str, float]:
    stored, factor = clip.flac(heard)
    audio = records.digest("audio", hashlib.sha256(heard.samples.tobytes()).hexdigest())
    (folder / "audio" / f"{audio}.flac").write_bytes(stored)
    return heard, audio, factor


def _item(
    heard: tuple[clip.Clip, str, float], probe: records.Probe, model: str, said: dict, rng: np.random.Generator
) -> Item:
    key = records.digest("completion", model, probe.id)
    failed = probe.id == "speech/word/stop" and model.startswith("recorded")
    program = records.Program(code=said["text"].split("```python\n")[1].split("```")[0])
    completion = records.Completion(
        key=key,
        probe=probe.id,
        model=model,
        strategy="direct",
        attempt=0,
        messages=[records.Message(**m) for m in said["messages"]],
        text=said["text"],
        seconds=float(rng.uniform(2, 30)),
    )
    if failed:
        render = records.Render(
            key=records.digest("render", key),
            program=program.digest,
            outcome=records.Outcome.ERROR,
            reason="ValueError: operands could not be broadcast together",
            log='Traceback (most recent call last):\n  File "program.py", line 34\nValueError: operands …\n',
            exit_code=1,
            wall_s=0.4,
        )
        return Item(completion=completion, program=program, render=render)
    made_sound, audio, factor = heard
    rms = float(np.sqrt(np.mean(made_sound.samples**2)))
    render = records.Render(
        key=records.digest("render", key),
        program=program.digest,
        outcome=records.Outcome.OK,
        wall_s=float(rng.uniform(0.2, 4)),
        cpu_s=0.5,
        audio=audio,
        sample_rate=made_sound.sample_rate,
        channels=1,
        samples=made_sound.samples.shape[1],
        factor=factor,
        levels=records.RawLevels(
            peak=float(np.abs(made_sound.samples).max()),
            rms_dbfs=20 * float(np.log10(rms)) if rms else None,
            dc=0.0,
            clipped=0.0,
        ),
    )
    measurements = [
        records.Measurement(
            key=records.digest(key, name), subject=key, metric=name, value=value, passed=passed, reason=reason
        )
        for name, value, passed, reason in _measured(probe, model, rng)
    ]
    return Item(
        completion=completion,
        program=program,
        render=render,
        measurements=measurements,
        audio=f"audio/{audio}.flac",
    )


def _measured(probe: records.Probe, model: str, rng: np.random.Generator) -> list[tuple]:
    good = 0.7 if model.startswith("recorded") else 0.1
    rows: list[tuple] = [("duration", float(rng.normal(0, 0.01)), True, "")]
    for check in probe.expect:
        kind = checks.kind(check)
        if kind == "pitch":
            cents = float(rng.normal(0, 12 if good > 0.5 else 600))
            rows.append((kind, cents, abs(cents) < 50, ""))
        elif kind in ("label", "transcript"):
            rows.append((kind, None, None, "this measuring is not built yet"))
        else:
            rows.append((kind, None, bool(rng.random() < good), ""))
    return rows


KINDS = {"notes": ["notes", "phrases"], "environment": ["environment"], "speech": ["words", "sentences"]}


def _scores(chosen: list[records.Probe], models: list[str], rng: np.random.Generator) -> list[records.Score]:
    rows = []
    for tier in records.TIERS:
        families = list(dict.fromkeys(p.family for p in chosen if p.tier == tier))
        for i, model in enumerate(models):
            good = i % 4 == 0
            group = {"model": model, "strategy": "direct", "tier": tier}
            if tier == "notes":
                for name in ["all", *families]:
                    rows.append(_invented("pitch", 0.7 if good else 0.05, rng, group=name, unit="share", **group))
                rows.append(_invented("pitch_error", 14.0 if good else 480.0, rng, unit="cents", **group))
            for metric, scale in (("fad", 10.0 if good else 55.0), ("kad", 0.9 if good else 6.0)):
                for kind in KINDS[tier]:
                    bounds = {
                        "floor": {"noise": scale * (6.2 if good else 1.1), "silence": scale * (7 if good else 1.3)},
                        "ceiling": {"real": scale * (0.1 if good else 0.02)},
                    }
                    how = f"{metric}|emb:yamnet@0123|ref:{kind}@4567|v:1"
                    rows.append(_invented(metric, scale, rng, group=kind, signature=how, **bounds, **group))
            for metric, note in (("clap", "no weights on this machine"), ("instrument", "this check is not built yet")):
                rows.append(
                    records.Score(metric=metric, value=None, n=0, missing=9, signature=metric, note=note, **group)
                )
    return rows


def _invented(metric: str, scale: float, rng: np.random.Generator, **more: Any) -> records.Score:
    value = scale * float(rng.uniform(0.8, 1.1))
    share = more.get("unit") == "share"
    fields = {"signature": f"{metric}|v:1", "better": "higher" if share else "lower", "n": 60, "missing": 4, **more}
    high = min(1.0, value * 1.15) if share else value * 1.15
    return records.Score(metric=metric, value=value, low=value * 0.85, high=high, **fields)


def _funnels(items: list[Item], chosen: list[records.Probe], models: list[str]) -> list[Funnel]:
    tiers = {p.id: p.tier for p in chosen}
    rows = []
    for model in models:
        for tier in records.TIERS:
            own = [i for i in items if i.completion.model == model and tiers[i.completion.probe] == tier]
            heard = [i for i in own if i.audio]
            audible = [] if model == "baseline/silence" else heard
            counts = [len(own), len(own), len(heard), len(heard), len(audible), len(audible)]
            steps = [Step(name, count, len(own)) for name, count in zip(STEPS, counts, strict=True)]
            rows.append(Funnel(model, "direct", tier, steps))
    return rows
