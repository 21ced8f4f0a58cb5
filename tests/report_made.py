"""A run made up for the report's tests: real probes and programs, synthetic sounds, invented scores."""

from __future__ import annotations

import hashlib
import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from innerear import checks, clip, records
from innerear.records import Scope
from innerear.report import Funnel, Item, ReportData, Settings, Step
from innerear.report.finding import finding
from innerear.suite import edition

MODELS = ["recorded/one-shot", "baseline/silence", "baseline/noise", "baseline/sine"]
STEPS = ["completion", "program", "ran", "audio", "audible", "right length"]


def probes() -> list[records.Probe]:
    return list(edition("1").probes)


def recorded() -> dict[str, dict]:
    text = files("innerear").joinpath("ask", "models", "recordings", "one-shot.jsonl").read_text(encoding="utf-8")
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
    chosen = [p for tier in records.TIERS for p in _some([q for q in probes() if q.tier == tier], take)]
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
        asked=Settings(
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
        scores=(scores := _scores(chosen, models, rng)),
        finding=finding(scores),
        funnels=_funnels(items, chosen, models),
        warnings=["all scores are invented", "CLAP: no weights on this machine"],
    )


def _some(of: list[records.Probe], take: int | None) -> list[records.Probe]:
    """The first of them, but of the notes the last three are phrases; or all."""
    if take is None or of[0].tier != "notes" or take < 6:
        return of[:take]
    return [*of[: take - 3], *[p for p in of if any(isinstance(c, checks.Notes) for c in p.expect)][:3]]


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
            key=records.digest(key, name, place),
            subject=key,
            metric=name,
            value=value,
            passed=passed,
            reason="wrong sound – made up" if name == "failure" else "",
            detail=detail,
            check=check,
        )
        for place, (name, value, passed, detail, check) in enumerate(_measured(probe, model, rng))
    ]
    return Item(
        completion=completion,
        program=program,
        render=render,
        measurements=measurements,
        audio=f"audio/{audio}.flac",
    )


ESC50 = ["dog", "rooster", "pig", "cow", "frog", "cat", "hen", "insects", "rain", "thunderstorm", "sea_waves"]
FAMILIES = ["keyboard", "guitar", "string", "flute", "reed", "brass", "mallet"]


def _measured(probe: records.Probe, model: str, rng: np.random.Generator) -> list[tuple]:
    """(metric, value, passed, detail, index of its check) in the form of the metrics that are there."""
    able = model.startswith("recorded")
    rows: list[tuple] = [("duration", float(rng.normal(0, 0.01)), True, {}, None)]
    for at, check in enumerate(probe.expect):
        rows.append((checks.kind(check), *_judged(check, bool(rng.random() < (0.7 if able else 0.1)), able, rng), at))
    failed = [name for name, _, passed, *_ in rows if passed is False]
    return [*rows, ("failure", None, False, {"words": ["wrong sound"], "counts": True}, None)] if failed else rows


def _judged(check: checks.Check, good: bool, able: bool, rng: np.random.Generator) -> tuple:
    """(value, passed, detail) of one check."""
    match check:
        case checks.Pitch(f0_hz=f0_hz):
            cents = float(rng.normal(0, 12 if able else 600))
            return cents, abs(cents) < 50, {"heard_hz": f0_hz * 2 ** (cents / 1200)}
        case checks.Notes(notes=notes):
            move = 0 if good else 3
            heard = [[round(onset + float(rng.normal(0, 0.01)), 3), midi + move] for onset, _, midi in notes]
            return (1.0 if good else 0.2), good, {"precision": 1.0, "recall": 1.0, "asked": len(notes), "heard": heard}
        case checks.Onsets(times_s=times):
            return 1.0, good, {"asked": len(times), "heard_s": times if good else times[::2]}
        case checks.Instrument(family=family):
            lead = family if good else str(rng.choice(FAMILIES))
            return 1.0, good, {"heard": lead, "typicality": 0.4 if good else 0.0}
        case checks.Label(label=label):
            heard = label if good else str(rng.choice(ESC50))
            rank = 1 if heard == label else int(rng.integers(2, 50))
            top = [[heard, 0.9], *([label, 0.1] for _ in range(heard != label)), ["wind", 0.05]]
            return 3.0 - rank, rank == 1, {"heard": heard, "rank": rank, "top": top}
        case checks.Sequence(labels=labels) | checks.Together(labels=labels):
            return None, good, {"heard": labels if good else labels[:1]}
        case checks.Vowel(ipa=ipa, f1_hz=f1_hz, f2_hz=f2_hz, among=among):
            found = {"f1_hz": f1_hz * float(rng.normal(1, 0.1)), "f2_hz": f2_hz * float(rng.normal(1, 0.1))}
            nearest = next((v for v in among if ipa in v.split("/")), ipa) if good else among[0]
            return None, good, {**found, "heard": nearest, "among": among}
        case checks.Transcript(text=text, closed_set=closed):
            heard = text if good else str(rng.choice(closed or ["glue the sheet"]))
            among = len(closed or range(720))
            more = {"listener": "made up", "chance": 1 / among, "among": among, "closed": closed is not None}
            return None, heard == text, {"heard": heard, **more}
        case checks.VoiceF0():
            return None, good, {"f0_hz": 120.0}
        case checks.F0Trend():
            return None, good, {"semitones": 3.0 if good else -1.0}
        case _:
            return None, good, {}


KINDS = {"notes": ["notes", "phrases"], "environment": ["environment"], "speech": ["words", "sentences"]}


def _scores(chosen: list[records.Probe], models: list[str], rng: np.random.Generator) -> list[records.Score]:
    rows = []
    for tier in records.TIERS:
        families = list(dict.fromkeys(p.family for p in chosen if p.tier == tier))
        for i, model in enumerate(models):
            good = i % 4 == 0
            group = {"model": model, "strategy": "direct", "tier": tier}
            ends = {"floor": {"silence": 0.0, "noise": 0.1}, "ceiling": {"real": 0.9}} if good else {}
            levels = [Scope("level", "10"), Scope("level", "2")]
            for scope in [records.ALL, *(Scope("family", family) for family in families), *levels]:
                for metric in ("passed", "checks"):
                    more = {"group": scope, "unit": "share", "detail": {"normalised": 0.7}, **ends}
                    rows.append(_invented(metric, 0.7 if good else 0.05, rng, **more, **group))
            for place, rung in enumerate(families if tier == "speech" else ()):
                bounds = {"floor": {"chance": 0.1}, "ceiling": {"verified": 0.9}, "detail": {"rung": place + 1}}
                rows.append(_invented("ladder", 0.7, rng, group=Scope("family", rung), unit="share", **bounds, **group))
            rows += [_difference(models[0], other, group["tier"], rng) for other in models[1:] if i == 0]
            if i == 0:
                rows += _told(tier, group, chosen, rng)
            if tier == "speech" and i == 0:
                for step in ("+10", "+5", "+0", "-5"):
                    rows.append(_invented(f"whisper_in_noise_{step}", 0.4, rng, unit="WER", **group))
            if tier == "notes":
                for scope in [records.ALL, *(Scope("", family) for family in families)]:
                    rows.append(_invented("pitch", 0.7 if good else 0.05, rng, group=scope, unit="share", **group))
                rows.append(_invented("pitch_error", 14.0 if good else 480.0, rng, unit="cents", **group))
            for metric, scale in (("fad", 10.0 if good else 55.0), ("kad", 0.9 if good else 6.0)):
                for kind in KINDS[tier]:
                    bounds = {
                        "floor": {"noise": scale * (6.2 if good else 1.1), "silence": scale * (7 if good else 1.3)},
                        "ceiling": {"real": scale * (0.1 if good else 0.02)},
                    }
                    for embedder in ("yamnet@0123", "mel@4567"):
                        how = f"{metric}|emb:{embedder}|ref:{kind}@4567|v:1"
                        rows.append(
                            _invented(metric, scale, rng, group=Scope("", kind), signature=how, **bounds, **group)
                        )
            for metric, note in (("clap", "no weights on this machine"), ("instrument", "this check is not built yet")):
                rows.append(
                    records.Score(metric=metric, value=None, n=0, missing=9, signature=metric, note=note, **group)
                )
        between = Scope("", "kad", "yamnet and mel")
        more = {"group": between, "better": "higher", "note": "too few models for an interval"}
        rows.append(records.Score("agreement", "all models", "direct", tier, 0.67, 4, 0, "kendall-tau", **more))
    note = "worse with each tier (p = 0.0001)"
    trends = [records.Score("tier_trend", m, "direct", "all", -0.2, 36, 0, "tier_trend", note=note) for m in models]
    return [*rows, *trends]


def _told(
    tier: str, group: dict[str, str], chosen: list[records.Probe], rng: np.random.Generator
) -> list[records.Score]:
    """How surely sounds are told from recordings, as a whole and for one family, and how close each sound is."""
    own = [p for p in chosen if p.tier == tier]
    how = {"signature": f"told_from_real|emb:yamnet@1|ref:{tier}@2|v:1", "floor": {"noise": 1.0}, "n": len(own)}
    given = {"given_away": [["loop", 0.7, "repeats itself"]]}
    told = [
        _invented("told_from_real", 0.8, rng, group=records.Scope("", name), unit="AUC", detail=given, **how, **group)
        for name in (tier, own[0].family)
    ]
    each = {p.id: [round(0.9 - 0.02 * place, 2), "real/nearest.flac"] for place, p in enumerate(own)}
    more = {**how, "signature": how["signature"].replace("told_from_real", "proximity"), "detail": {"each": each}}
    return [*told, _invented("proximity", 0.3, rng, group=records.Scope("", tier), unit="rank", **more, **group)]


def _difference(one: str, other: str, tier: str, rng: np.random.Generator) -> records.Score:
    value = float(rng.uniform(-0.1, 0.6))
    more = {"group": Scope("vs", other), "unit": "share", "better": "higher", "low": value - 0.1, "high": value + 0.1}
    p = 0.001 if value > 0.1 else 0.4
    detail = {"p": p, "p_holm": p}
    return records.Score(
        "checks_difference", one, "direct", tier, value, 12, 0, "paired", note=f"p = {p}", detail=detail, **more
    )


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
