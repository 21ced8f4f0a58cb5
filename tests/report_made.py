"""A run made up for the report's tests: real probes and programs, synthetic sounds, invented scores."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path

import msgspec
import numpy as np

from innerear import checks, clip, records
from innerear.report import Asked, Funnel, Item, MetricText, ReportData, Step

MODELS = ["recorded/one-shot", "baseline/silence", "baseline/noise", "baseline/sine"]
STEPS = ["completion", "program", "ran", "audio", "audible", "right length", "passes checks"]


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


def made(folder: Path, models: list[str] | None = None, take: int | None = None, seed: int = 0) -> ReportData:
    """A report's data, with its audio in `folder`/audio; `take` probes of each tier, or all."""
    models = MODELS if models is None else models
    rng = np.random.default_rng(seed)
    (folder / "audio").mkdir(parents=True, exist_ok=True)
    chosen = [p for tier in records.TIERS for p in [q for q in probes() if q.tier == tier][:take]]
    said = recorded()
    items = [_item(folder, probe, model, said[probe.id], rng) for model in models for probe in chosen]
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
        metrics=[
            MetricText("checks", "Checks passed", "The share of judged checks that passed.", headline=True),
            MetricText("pitch", "Pitch error", "Median distance from the asked pitch.", headline=True),
            MetricText("fad/yamnet", "FAD, yamnet", "Fréchet audio distance to real recordings.", headline=True),
            MetricText("kad/yamnet", "KAD, yamnet", "Kernel audio distance to real recordings.", headline=True),
            MetricText("clap", "CLAP score", "Agreement of sound and caption."),
        ],
        warnings=["all scores are invented", "CLAP: no weights on this machine"],
    )


def _item(folder: Path, probe: records.Probe, model: str, said: dict, rng: np.random.Generator) -> Item:
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
    made_sound = sound(probe, model, rng)
    stored, factor = clip.flac(made_sound)
    audio = records.digest("audio", made_sound.samples.tobytes().hex()[:4096], model, probe.duration_s)
    (folder / "audio" / f"{audio}.flac").write_bytes(stored)
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


def _scores(chosen: list[records.Probe], models: list[str], rng: np.random.Generator) -> list[records.Score]:
    rows = []
    for tier in records.TIERS:
        families = list(dict.fromkeys(p.family for p in chosen if p.tier == tier))
        for i, model in enumerate(models):
            for name, unit, better, scale in (
                ("checks", "share", "higher", 0.8 if i == 0 else 0.1),
                ("pitch", "cents", "lower", 14.0 if i == 0 else 480.0),
                ("fad/yamnet", "", "lower", 10.0 if i == 0 else 60.0),
                ("kad/yamnet", "", "lower", 0.9 if i == 0 else 6.0),
            ):
                if name == "pitch" and tier != "notes":
                    continue
                bounded = i == 0 and name not in ("pitch", "checks")
                for group in ["all", *(families if name == "checks" else [])]:
                    value = scale * float(rng.uniform(0.8, 1.1))
                    share = unit == "share"
                    rows.append(
                        records.Score(
                            metric=name, model=model, strategy="direct", tier=tier, group=group, value=value,
                            low=value * 0.85, high=min(1.0, value * 1.15) if share else value * 1.15,
                            n=60, missing=4, unit=unit, better=better, signature=f"{name}|v:1",
                            floor={"noise": scale * 6.2, "silence": scale * 7} if bounded else {},
                            ceiling={"real": scale * 0.05} if bounded else {},
                        )
                    )  # fmt: skip
            rows.append(
                records.Score(
                    metric="clap", model=model, strategy="direct", tier=tier, value=None, n=0, missing=60,
                    signature="clap|v:1", note="no weights on this machine",
                )
            )  # fmt: skip
    return rows


def _funnels(items: list[Item], chosen: list[records.Probe], models: list[str]) -> list[Funnel]:
    tiers = {p.id: p.tier for p in chosen}
    rows = []
    for model in models:
        for tier in records.TIERS:
            own = [i for i in items if i.completion.model == model and tiers[i.completion.probe] == tier]
            heard = [i for i in own if i.audio]
            judged = [i for i in own if any(m.passed is not None for m in i.measurements)]
            passed = [i for i in judged if all(m.passed in (True, None) for m in i.measurements)]
            audible = [] if model == "baseline/silence" else heard
            counts = [len(own), len(own), len(heard), len(heard), len(audible), len(heard), len(passed)]
            ofs = [len(own)] * 6 + [len(judged)]
            steps = [Step(name, count, of) for name, count, of in zip(STEPS, counts, ofs, strict=True)]
            rows.append(Funnel(model, "direct", tier, steps))
    return rows
