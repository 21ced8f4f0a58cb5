"""How well systems are understood in silence and in noise: a table of word error rates and thresholds.

    python bench/speech_in_noise.py PROBES [NAME=SYSTEM ...]

PROBES are globs of ids, joined by commas, such as 'speech/sentence/*'. A SYSTEM is RUN::MODEL (a run folder with sounds
of MODEL; several are joined by commas), PROGRAM:VOICE (a TTS voice, such as espeak-ng:en-us+klatt4) or FOLDER/ (sounds
named ID.wav, ID being the last part of the probe's id). Rows are printed as Markdown as they are found; the first is
recorded speech, as it ships.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from innerear import suite
from innerear.clip import Clip, read
from innerear.compute.threads import ordered
from innerear.lab.real_speech import heard
from innerear.metrics import real_speech
from innerear.metrics.group import Group
from innerear.metrics.in_noise import STEPS_DB
from innerear.metrics.open_words import asked_text
from innerear.metrics.registry import sound_metric
from innerear.records import Measurement, Probe, Score, Status
from innerear.render.render import load
from innerear.render.talkers import say
from innerear.run.run import Run

RATES = ("whisper_wer", *(f"whisper_in_noise_{step:+d}" for step in STEPS_DB))
THRESHOLD = "speech_reception_threshold"


def sounds(system: str, probes: dict[str, Probe]) -> Iterator[tuple[Probe, Clip | None]]:
    """Each probe of the family with the sound of a system; `None` if there is none."""
    if "::" in system:
        for one in system.split(","):
            folder, _, model = one.partition("::")
            run = Run(Path(folder))
            for item in run.items():
                if item.completion.model == model and item.completion.attempt == 0 and item.probe.id in probes:
                    yield probes[item.probe.id], load(item.render, run.audio) if item.render.audio else None
    elif system.endswith("/"):
        for probe in probes.values():
            path = Path(system) / f"{probe.id.rpartition('/')[2]}.wav"
            yield probe, read(path) if path.exists() else None
    else:
        for probe in probes.values():
            yield probe, say(asked_text(probe), system)


def rows_of(sound: tuple[Probe, Clip | None]) -> tuple[Probe, list[Measurement]]:
    probe, clip = sound
    if clip is None:
        status = Status.NO_SOUND
        return probe, [Measurement("", probe.id, name, None, status=status) for name in real_speech.METRICS]
    return probe, heard(probe, clip)


def scores(system: str, probes: dict[str, Probe]) -> list[Score]:
    found = list(ordered(rows_of, sounds(system, probes)))
    asked = [probe for probe, _ in found]
    items: list[Any] = [SimpleNamespace(probe=probe) for probe in asked]
    group = Group(system, "", "speech", items, asked)
    return [
        score
        for name in real_speech.METRICS
        for score in sound_metric(name).combine(
            group, [(probe.id, row) for probe, rows in found for row in rows if row.metric == name]
        )
        if score.group == "all"
    ]


def cell(score: Score) -> str:
    if score.metric != THRESHOLD:
        return f"{score.value:.2f} [{score.low:.2f}, {score.high:.2f}]"
    value = f"{score.value:.1f}" if score.value is not None else score.note.partition(": ")[2].partition(";")[0]
    if score.low is not None and score.high is not None:
        return f"{value} [{score.low:.1f}, {score.high:.1f}]"
    return f"{value} ({score.note})"


def line(name: str, found: list[Score]) -> str:
    by_name = {score.metric: score for score in found}
    n = by_name["whisper_wer"].n
    return f"| {name} | {n} | " + " | ".join(cell(by_name[metric]) for metric in (*RATES, THRESHOLD)) + " |"


def main(globs: str, systems: list[str]) -> None:
    probes = {
        probe.id: probe
        for probe in suite.every_probe()
        if asked_text(probe) and any(fnmatchcase(probe.id, glob) for glob in globs.split(","))
    }
    print(line(real_speech.NAME, real_speech.scores_of(real_speech.shipped())), flush=True)
    for named in systems:
        name, _, system = named.partition("=")
        found = scores(system, probes)
        print(line(name, found), flush=True)
        if says := found[0].detail.get("phonemes", {}).get("says"):
            print(f"  {says}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
