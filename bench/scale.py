"""What a cluster costs beside this machine: processor and wall time a program and a clip, and a scaling table.

    python bench/scale.py [--things 344] [--workers 1,2] [--embedders mel,yamnet] [--run RUN]
                          [--most-s SECONDS] [--write]

The programs are the recorded completions of a language model, over and over up to `--things`; the
clips are what they sound like; `--run` takes those of a run that is there. `--most-s` leaves
only programs, and their clips, that took at most so many seconds of processor when they were
rendered: what Ray adds weighs most on short ones, and 2,000 long ones take hours. Processor time is
that of this process and all that it started, Ray's own processes among them, without their start,
which has a line of its own. `--write` puts into `bench/scale.json` what `bench/cost.py` reckons with:
the rows of the table, and the durations of all programs and clips, whatever `--most-s`.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import os
import shlex
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from need import need

need("ray", how="pip install 'innerear[ray]'")

from innerear import RunConfig, create, load, open_model, stages
from innerear.compute.ray import Ray
from innerear.compute.work import Executor, Job, Local
from innerear.embed import open_embedder
from innerear.embed.batches import batches, hearing
from innerear.jail import open_jail
from innerear.metrics import base
from innerear.metrics.measure import keys
from innerear.metrics.stage import Missing, measuring
from innerear.programs.extract import extract
from innerear.programs.guard import guarded
from innerear.records import Item, Limits, Program
from innerear.render.render import load as sound_of
from innerear.render.render import render_all, runs
from innerear.run.run import Run

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


def made(folder: Path, embedders: list[str]) -> Run:
    """A run of the recorded model, rendered: its programs and its sounds are what is worked on."""
    suite = load("1")
    asked = RunConfig(models=["recorded/one-shot"], suite=suite.name, suite_digest=suite.digest, embedders=embedders)
    run = create(folder, asked, suite.probes, "bench/scale.py")
    stages.generate(run, [open_model("recorded/one-shot")])
    stages.render(run)
    return stages.choose_embedders(run)[0]


def recorded(run: Run) -> list[Item]:
    """The programs that run, with what came of them."""
    return [item for item in run.items() if item.completion.model == "recorded/one-shot" and runs(item.program)]


def to_measure(item: Item) -> Missing:
    """A sound with all that `innerear measure` measures of it."""
    rows = keys(item.completion.key, base.sound_of(item))
    return Missing(item, frozenset(row.key for row in rows if not row.metric.on_request))


def repeated(found: Sequence[Any], things: int) -> list[Any]:
    """The first, the second, ... and from the start again, so many."""
    return list(itertools.islice(itertools.cycle(found), things))


def render(programs: Sequence[Program], machines: Executor) -> None:
    with tempfile.TemporaryDirectory() as audio:
        opening = partial(open_jail, "auto")
        lost = render_all(programs, lambda row: None, Path(audio), Limits(), open_jail=opening, machines=machines)
    assert not lost, lost


def embed(name: str, audio: Path, sounds: Sequence[Item], machines: Executor) -> None:
    with tempfile.TemporaryDirectory() as folder:
        named = [(str(n), partial(sound_of, item.render, audio)) for n, item in enumerate(sounds)]
        work = Job(partial(hearing, name, open_embedder(name).signature, Path(folder)))
        assert not machines.map(work, batches(named, machines.workers), lambda *_: None)


def measure(audio: Path, missing: Sequence[Missing], machines: Executor) -> None:
    assert not machines.map(Job(partial(measuring, audio)), missing, lambda *_: None)


Stage = tuple[Sequence[Any], Callable[[Sequence[Any], Executor], None]]


def jobs(run: Run, embedders: list[str], most_s: float) -> dict[str, Stage]:
    """By what is worked on: each of these once, and how machines do some of them."""
    items = [item for item in recorded(run) if (item.render.cpu_s or 0.0) <= most_s]
    sounds = [item for item in items if item.render.audio]
    if not sounds:
        raise SystemExit(f"no program that made a sound took at most {most_s:g} s of processor; raise --most-s")
    return {
        "program": ([item.program for item in items], render),
        **{f"clip, {name}": (sounds, partial(embed, name, run.audio)) for name in embedders},
        "clip, measured": ([to_measure(item) for item in sounds], partial(measure, run.audio)),
    }


def durations(run: Run, embedders: list[str]) -> dict[str, list[float]]:
    """Processor seconds of each program, and of each clip embedded and measured, one after the other."""
    items = recorded(run)
    sounds = [item for item in items if item.render.audio]
    found: dict[str, list[float]] = {"program": [item.render.cpu_s or 0.0 for item in items]}
    for name in embedders:
        network = open_embedder(name)
        found[name] = each_s(lambda item: network.embed([sound_of(item.render, run.audio)]), sounds)  # noqa: B023
    with measuring(run.audio) as measured:
        found["measured"] = each_s(measured, [to_measure(item) for item in sounds])
    return found


def each_s(step: Callable[[Any], Any], things: Sequence[Any]) -> list[float]:
    """Processor seconds of this thread for each thing, after the first has been done once before."""
    step(things[0])
    found = []
    for thing in things:
        start = time.thread_time()
        step(thing)
        found.append(round(time.thread_time() - start, 5))
    return found


def reading_ms(run: Run) -> float:
    """What the driver spends on a completion: its code found, and the guard's look at it."""
    texts = [completion.text for completion in run.completions()]
    return round(1000 * statistics.mean(each_s(lambda text: guarded(extract(text), run.asked.track), texts)), 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--things", type=int, default=344)
    parser.add_argument("--workers", default="1,2")
    parser.add_argument("--embedders", default="mel,yamnet")
    parser.add_argument("--run", type=Path)
    parser.add_argument("--most-s", type=float, default=math.inf)
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    embedders = given.embedders.split(",")
    with tempfile.TemporaryDirectory() as folder:
        run = Run(given.run) if given.run else made(Path(folder) / "run", embedders)
        start = Spent()
        Ray(None, 1).close()
        wall, cpu, _ = start()
        print(f"a cluster of this machine, up and down: {wall:.1f} s, {cpu:.1f} s of processor")
        todo = jobs(run, embedders, given.most_s)
        for name, (each, _) in todo.items():
            print(f"a {name}: {len(each)} of them, over and over")
        print(f"{'a':16} {'workers':>7} {'n':>5} | {'wall ms':>18} | {'processor ms':>24} | {'driver ms':>9}")
        print(f"{'':16} {'':7} {'':5} | {'here':>8} {'ray':>9} | {'here':>7} {'ray':>7} {'overhead':>8} |")
        rows: dict[str, dict[str, float]] = {}
        for count in map(int, given.workers.split(",")):
            for name, (each, do) in todo.items():
                things, few = repeated(each, given.things), repeated(each, 10 * count)
                do(few, Local(count))  # what is needed is imported
                spent = Spent()
                do(things, Local(count))
                here = spent()
                with Ray(None, count) as ray:
                    do(few, ray)  # workers start, and import what they need
                    spent = Spent()
                    do(things, ray)
                    there = spent()
                per = 1000 / len(things)
                print(
                    f"{name:16} {count:7} {len(things):5} | {here[0] * per:8.1f} {there[0] * per:9.1f} | "
                    f"{here[1] * per:7.1f} {there[1] * per:7.1f} {there[1] / here[1] - 1:8.1%} | "
                    f"{there[2] * per:9.2f}",
                    flush=True,
                )
                costs = {"here": here[1], "ray": there[1], "driver": there[2]}
                rows[f"{name}, {count}"] = {what: round(seconds * per, 2) for what, seconds in costs.items()}
        print(f"cores: {os.cpu_count()}; load of the last quarter of an hour, this included: {os.getloadavg()[2]:.1f}")
        if given.write:
            found = durations(run, embedders)
            for name, seconds in found.items():
                mean_s, most_s = statistics.mean(seconds), max(seconds)
                print(f"{name:10} {len(seconds)}: mean {mean_s:.3f} s, most {most_s:.2f} s of processor")
            reading = reading_ms(run)
            print(f"a completion read by the driver: {reading} ms of processor")
            command = shlex.join(["python", "bench/scale.py", *sys.argv[1:]])
            kept = {"command": command, "durations_s": found, "rows_ms": rows, "reading_ms": reading}
            (HERE / "scale.json").write_text(json.dumps(kept, indent=1) + "\n")


if __name__ == "__main__":
    main()
