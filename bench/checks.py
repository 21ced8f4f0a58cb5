"""How long the checks take: `python bench/checks.py RUN [MODEL] [TIERS]`, of all tiers or of notes,speech ….

Prints seconds per check (and per metric of every sound) and clip on one core, then the whole on as
many threads as there are cores, as `innerear measure` does it.
"""

from __future__ import annotations

import os
import platform
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from innerear.checks import kind
from innerear.metrics.base import Sound
from innerear.metrics.measure import measure
from innerear.metrics.registry import SOUND_METRICS, metric_of, sound_metric
from innerear.records import TIERS
from innerear.render.render import load
from innerear.run.run import Run


def main(folder: Path, model: str, tiers: list[str]) -> None:
    run = Run(folder)
    items = [i for i in run.items() if i.completion.model == model and i.probe.tier in tiers and i.render.audio]
    sounds = [Sound(item.probe, item.render, load(item.render, run.audio)) for item in items]
    total = sum(item.render.duration_s or 0 for item in items)
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    print(f"{len(sounds)} sounds of {model}, {total:.0f} s")
    spent: dict[str, list[float]] = defaultdict(list)

    def timed(name: str, measure: Callable[[], object]) -> None:
        start = time.process_time()
        measure()
        spent[name].append(time.process_time() - start)

    for sound in sounds:
        for check in sound.probe.expect:
            timed(kind(check), partial(metric_of(check).measure, sound, check))
        for metric in map(sound_metric, SOUND_METRICS):
            if metric.applies(sound.probe):
                timed(metric.name, partial(metric.measure, sound))
    for name, seconds in sorted(spent.items(), key=lambda pair: -sum(pair[1])):
        mean, longest = sum(seconds) / len(seconds), max(seconds)
        print(f"{name:14} {len(seconds):3} clips  {mean:.3f} s a clip (CPU)  longest {longest:.3f} s")
    print(f"one after the other  {sum(map(sum, spent.values())):.1f} s CPU")
    start = time.perf_counter()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(lambda sound: measure("bench", sound), sounds))
    print(f"all metrics on {os.cpu_count()} threads  {time.perf_counter() - start:.1f} s")


if __name__ == "__main__":
    main(
        Path(sys.argv[1]),
        sys.argv[2] if len(sys.argv) > 2 else "recorded/one-shot",
        sys.argv[3].split(",") if len(sys.argv) > 3 else list(TIERS),
    )
