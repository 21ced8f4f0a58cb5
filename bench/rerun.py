"""CPU seconds of a finished command repeated, and of the same without what a run keeps to spare itself work.

    python bench/rerun.py RUN [--sounds 2000] [--keep FOLDER]

RUN is a finished run of a recorded model. The benchmark makes a run of so many distinct sounds of it: each program with
a comment of its own, each sound at a level of its own, with the rows and embeddings of the original. The command then
runs until nothing is left to do, once more (`again`), and once without `guarded/` and `report/made.json` (`naive`:
every program is parsed and guarded, every page written, every sound drawn). CPU time is that of the process and its
children.
"""

from __future__ import annotations

import argparse
import itertools
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import msgspec

from innerear import create, open_model, stages
from innerear.clip import Clip
from innerear.embed import open_embedder
from innerear.embed.batches import anchors, read_embeddings
from innerear.embed.store import save_frames
from innerear.metrics.base import sound_of
from innerear.metrics.measure import keys
from innerear.records import Item, Measurement, Render
from innerear.render.render import load, store
from innerear.run.parts import Writer
from innerear.run.run import Run, embeddings_folder, update

STEP = 0.999  # of the level, from one copy of a sound to the next


class Spent(NamedTuple):
    """What a command took."""

    cpu_s: float
    wall_s: float


def spent(command: list[str]) -> Spent:
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stderr)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return Spent(cpu_s, time.perf_counter() - start)


def copied(old: Run, folder: Path, sounds: int) -> list[str]:
    """A run of so many distinct sounds of an old one, measured and embedded; and the command that repeats it."""
    originals = [item for item in old.items() if item.render.audio and item.program.code]
    originals = [item for item in originals if item.completion.model == old.asked.models[0]]
    attempts = -(-sounds // len(originals))
    answers = folder / "answers.jsonl"
    with answers.open("w") as file:
        for attempt, item in itertools.product(range(attempts), originals):
            told = {"probe": item.probe.id, "messages": msgspec.to_builtins(item.completion.messages)}
            file.write(json.dumps(told | {"attempt": attempt, "text": _answer(item, attempt)}) + "\n")
    model = open_model(f"recorded/{answers}")
    wanted = {item.probe.id for item in originals}
    probes = [probe for probe in old.probes if probe.id in wanted]
    asked = msgspec.structs.replace(old.asked, models=[model.name], attempts=attempts)
    run = create(folder / "run", asked, probes, "bench/rerun.py")
    stages.generate(run, [model])
    by_probe = {item.probe.id: item for item in originals}
    measured, names = old.measurements(), {}
    with Writer(run.folder / "renders", Render, every_s=60) as renders:
        for item in run.items():
            source = by_probe[item.probe.id]
            row = msgspec.structs.replace(source.render, key=item.render.key, program=item.program.digest)
            if item.completion.attempt:
                clip = load(source.render, old.audio)
                gain = STEP**item.completion.attempt
                stored = store(Clip((clip.samples * gain).astype(clip.samples.dtype), clip.sample_rate), run.audio)
                row = msgspec.structs.replace(row, **stored)
            else:
                run.audio.mkdir(exist_ok=True)
                (run.audio / f"{row.audio}.flac").write_bytes((old.audio / f"{row.audio}.flac").read_bytes())
            renders.keep(row)
            names[str(row.audio)] = str(source.render.audio)
    with Writer(run.folder / "measurements", Measurement, every_s=60) as measurements:
        for item in run.items():
            source = by_probe[item.probe.id]
            was = keys(source.completion.key, sound_of(source))
            for then, now in zip(was, keys(item.completion.key, sound_of(item)), strict=True):
                if (known := measured.get(then.key)) is not None:
                    measurements.keep(msgspec.structs.replace(known, key=now.key, subject=item.completion.key))
    signatures = old.file.signatures
    run = update(run.folder, lambda file: msgspec.structs.replace(file, signatures=signatures))
    for name in run.asked.embedders:
        frames = read_embeddings(embeddings_folder(old, name))
        heard = {new: frames[audio] for new, audio in names.items() if audio in frames}
        heard |= {anchor: frames[anchor] for anchor in anchors(run.probes) if anchor in frames}
        path = embeddings_folder(run, name) / "copied.npz"
        save_frames(path, list(heard), list(heard.values()), open_embedder(name).quantum)
    command = [sys.executable, "-m", "innerear", "run", "--model", f"recorded/{answers}", "--out", str(run.folder)]
    suite = run.asked.suite.removeprefix("edition ")
    return [*command, "--suite", suite, "--attempts", str(attempts)]


def _answer(item: Item, attempt: int) -> str:
    return f"```python\n{item.program.code}\n# {attempt}\n```"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("--sounds", type=int, default=2000)
    parser.add_argument("--keep", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        place = given.keep or Path(folder)
        place.mkdir(parents=True, exist_ok=True)
        command = copied(Run(given.run), place, given.sounds)
        made = Run(place / "run")
        print(f"{len(made.items())} sounds; {' '.join(command)}", flush=True)
        rows = {"first": spent(command), "again": spent(command)}
        for path in (made.folder / "guarded").glob("*"):
            path.unlink()
        (made.folder / "report" / "made.json").unlink()
        rows["naive"] = spent(command)
    for name, row in rows.items():
        print(f"{name:6} CPU {row.cpu_s:6.2f} s, wall {row.wall_s:6.2f} s")
    print(f"naive / again: {rows['naive'].cpu_s / rows['again'].cpu_s:.1f}")


if __name__ == "__main__":
    main()
