"""Seconds per stage for the demo's four models, and the share of CPU time not spent in programs or embedders.

    python bench/demo.py [--embedder yamnet|mel] [--probes GLOB]

A fresh run in a temporary folder. CPU time is that of this process and of all its children; a
program's is what the jail measured for it, an embedder's that of its threads while they embed.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from innerear import RunConfig, choose, create, load, open_model, stages
from innerear import embed as embed_module
from innerear.embed import batches as embeddings
from innerear.embed import stage
from innerear.records import Render
from innerear.run.parts import read_rows

MODELS = ["recorded/one-shot", "baseline/silence", "baseline/noise", "baseline/sine"]


def cpu_s() -> float:
    return sum(
        usage.ru_utime + usage.ru_stime
        for usage in (resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN))
    )


class Timed:
    """An embedder that counts the CPU time of its calls."""

    def __init__(self, embedder: embed_module.Embedder) -> None:
        self._embedder, self._lock, self.seconds = embedder, threading.Lock(), 0.0

    def __getattr__(self, name: str) -> object:
        return getattr(self._embedder, name)

    def embed(self, clips: list) -> list:
        start = time.thread_time()
        frames = self._embedder.embed(clips)
        with self._lock:
            self.seconds += time.thread_time() - start
        return frames


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--embedder", default="yamnet")
    parser.add_argument("--probes")
    given = parser.parse_args()
    timed = Timed(embed_module.open_embedder(given.embedder))
    stage.open_embedder = embeddings.open_embedder = lambda name: timed  # type: ignore[assignment]
    suite = load("1")
    with tempfile.TemporaryDirectory() as folder:
        asked = RunConfig(models=MODELS, suite=suite.name, suite_digest=suite.digest, embedders=[given.embedder])
        run = create(Path(folder) / "run", asked, choose(suite.probes, pattern=given.probes), "bench/demo.py")
        run, _ = stages.choose_embedders(run)
        models = [open_model(name) for name in MODELS]
        steps: dict[str, Callable[[], object]] = {
            "generate": lambda: stages.generate(run, models),
            "render": lambda: stages.render(run),
            "embed": lambda: stages.embed(run),
            "measure": lambda: stages.measure(run),
            "score": lambda: stages.score(run),
            "report": lambda: stages.report(run),
        }
        rows = []
        for name, step in steps.items():
            wall, cpu = time.perf_counter(), cpu_s()
            step()
            rows.append((name, time.perf_counter() - wall, cpu_s() - cpu))
        renders = read_rows(run.folder / "renders", Render)
        programs = sum(row.cpu_s or 0 for row in renders.values())
    inside = {"render": programs, "embed": timed.seconds}
    print(f"{'stage':10} {'wall s':>8} {'CPU s':>8} {'in programs or embedder':>24} {'ours':>8}")
    for name, wall, cpu in [*rows, ("all", sum(r[1] for r in rows), sum(r[2] for r in rows))]:
        spent = sum(inside.values()) if name == "all" else inside.get(name, 0.0)
        print(f"{name:10} {wall:8.1f} {cpu:8.1f} {spent:24.1f} {cpu - spent:8.1f}")
    total = sum(r[2] for r in rows)
    print(f"{len(renders)} programs; share of CPU time not in programs or embedders: "
          f"{1 - sum(inside.values()) / total:.1%}")  # fmt: skip


if __name__ == "__main__":
    main()
