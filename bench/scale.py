"""What a cluster costs beside this machine: processor and wall time a program and a clip, and a scaling table.

    python bench/scale.py [--things 344] [--workers 1,2] [--embedder mel|yamnet] [--run RUN] [--write]

The programs are the recorded completions of a language model, over and over up to `--things`; the
clips are what they sound like; `--run` takes those of a run that is there. Processor time is that of
this process and all that it started, Ray's own processes among them, without their start, which has
a line of its own. `--write` keeps the durations, which `bench/cost.py` reckons with, in
`bench/scale.json`.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from innerear import Asked, create, load, open_model, stages
from innerear.embed import open_embedder
from innerear.embeddings import batches, hearing
from innerear.jail import open_jail
from innerear.records import Limits
from innerear.render import load as sound_of
from innerear.render import render_all, runs
from innerear.run import Run
from innerear.scale import Ray
from innerear.work import Local, Machines, Work

HERE = Path(__file__).parent
TICK = os.sysconf("SC_CLK_TCK")


def cpu_s() -> float:
    """Processor seconds of this process, of what it has started, and of what those have."""
    of: dict[int, tuple[int, float]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        of[int(stat.parent.name)] = int(fields[1]), sum(map(int, fields[11:15])) / TICK
    total, waiting = 0.0, [os.getpid()]
    while waiting:
        parent = waiting.pop()
        total += of[parent][1]
        waiting += [pid for pid, (its, _) in of.items() if its == parent]
    return total


class Spent:
    """Wall, processor and this process's own seconds since it was made."""

    def __init__(self) -> None:
        self._at = time.perf_counter(), cpu_s(), time.process_time()

    def __call__(self) -> tuple[float, float, float]:
        return time.perf_counter() - self._at[0], cpu_s() - self._at[1], time.process_time() - self._at[2]


def made(folder: Path, embedder: str) -> Run:
    """A run of the recorded model, rendered: its programs and its sounds are what is worked on."""
    suite = load()
    asked = Asked(models=["recorded/one-shot"], suite=suite.name, suite_digest=suite.digest, embedders=[embedder])
    run = create(folder, asked, suite.probes, "bench/scale.py")
    stages.do_generate(run, [open_model("recorded/one-shot")])
    stages.do_render(run)
    return stages.choose_embedders(run)[0]


def jobs(run: Run, things: int, embedder: str) -> dict[str, tuple[int, Callable[[Machines], None]]]:
    """By stage: how many things, and how machines do them."""
    items = [item for item in run.items() if item.completion.model == "recorded/one-shot"]
    signature = open_embedder(embedder).signature
    programs = [item.program for item in items if runs(item.program)]
    sounds = [item for item in items if item.render.audio]

    def repeat(found: Sequence[Any]) -> list[Any]:
        return list(itertools.islice(itertools.cycle(found), things))

    def render(machines: Machines) -> None:
        with tempfile.TemporaryDirectory() as audio:
            lost = render_all(
                repeat(programs),
                lambda row: None,
                Path(audio),
                Limits(),
                open_jail=partial(open_jail, "auto"),
                machines=machines,
            )
        assert not lost, lost

    def embed(machines: Machines) -> None:
        with tempfile.TemporaryDirectory() as folder:
            named = [(str(n), partial(sound_of, item.render, run.audio)) for n, item in enumerate(repeat(sounds))]
            work = Work(partial(hearing, embedder, signature, Path(folder)))
            assert not machines.each(work, batches(named, machines.workers), lambda *_: None)

    def measure(machines: Machines) -> None:
        work = Work(partial(stages._measuring, run.audio))
        assert not machines.each(work, repeat(sounds), lambda *_: None)

    return {"program": (things, render), f"clip, {embedder}": (things, embed), "clip, measured": (things, measure)}


def durations(run: Run, embedder: str) -> dict[str, list[float]]:
    """Processor seconds of each program, and of each clip embedded and measured, one after the other."""
    items = [item for item in run.items() if item.completion.model == "recorded/one-shot" and runs(item.program)]
    found: dict[str, list[float]] = {"program": [item.render.cpu_s or 0.0 for item in items]}
    sounds = [item for item in items if item.render.audio]
    network = open_embedder(embedder)
    with stages._measuring(run.audio) as measure:
        steps: dict[str, Callable[[Any], Any]] = {
            embedder: lambda item: network.embed([sound_of(item.render, run.audio)]),
            "measured": measure,
        }
        for name, step in steps.items():
            step(sounds[0])
            found[name] = []
            for item in sounds:
                start = time.thread_time()
                step(item)
                found[name].append(round(time.thread_time() - start, 5))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--things", type=int, default=344)
    parser.add_argument("--workers", default="1,2")
    parser.add_argument("--embedder", default="mel")
    parser.add_argument("--run", type=Path)
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    counts = [int(count) for count in given.workers.split(",")]
    with tempfile.TemporaryDirectory() as folder:
        run = Run(given.run) if given.run else made(Path(folder) / "run", given.embedder)
        start = Spent()
        Ray(None, 1).close()
        wall, cpu, _ = start()
        print(f"a cluster of this machine, up and down: {wall:.1f} s, {cpu:.1f} s of processor")
        print(f"{'a':16} {'workers':>7} {'n':>5} | {'wall ms':>18} | {'processor ms':>24} | {'driver ms':>9}")
        print(f"{'':16} {'':7} {'':5} | {'here':>8} {'ray':>9} | {'here':>7} {'ray':>7} {'overhead':>8} |")
        rows: dict[str, Any] = {}
        for count in counts:
            for name, (things, do) in jobs(run, given.things, given.embedder).items():
                here = Spent()
                do(Local(count))
                local = here()
                with Ray(None, count) as ray:
                    do_little = jobs(run, count, given.embedder)[name][1]
                    do_little(ray)  # workers start, and import what they need
                    there = Spent()
                    do(ray)
                    remote = there()
                per = 1000 / things
                print(
                    f"{name:16} {count:7} {things:5} | {local[0] * per:8.1f} {remote[0] * per:9.1f} | "
                    f"{local[1] * per:7.1f} {remote[1] * per:7.1f} {remote[1] / local[1] - 1:8.1%} | "
                    f"{remote[2] * per:9.2f}",
                    flush=True,
                )
                rows[f"{name}, {count}"] = {"here": local[1] * per, "ray": remote[1] * per, "driver": remote[2] * per}
        if given.write:
            found = durations(run, given.embedder)
            for name, each in found.items():
                print(f"{name:10} {len(each)}: mean {statistics.mean(each):.3f} s, most {max(each):.2f} s of processor")
            kept = json.loads((HERE / "scale.json").read_text()) if (HERE / "scale.json").exists() else {}
            kept = {
                **kept,
                "durations_s": {**kept.get("durations_s", {}), **found},
                "rows_ms": {**kept.get("rows_ms", {}), **rows},
            }
            (HERE / "scale.json").write_text(json.dumps(kept, indent=1) + "\n")


if __name__ == "__main__":
    main()
