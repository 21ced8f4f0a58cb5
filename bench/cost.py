"""Seconds and money of a large study in a cluster, from the parts that `bench/scale.py` has measured.

    python bench/cost.py [--things 200000] [--cores 2,16,64,256,1024] [--usd-core-hour 0.04]
                         [--embedder yamnet] [--gpus 8 --gpu-s 0.01 --usd-gpu-hour 2]

A stage of n things on c cores, each thing d seconds of a core, of which the driver spends v itself:

    seconds = max(n d / c, n v) + the longest thing

Before the first stage the driver reads every program (`reading_ms` of each, once a command). Money
is cores times seconds. `simulated` is beside it: the same hand-out rule as in
`innerear.compute.ray`, event by event, with durations drawn from the recorded ones. With `--gpus` embedding
is on so many GPUs, `--gpu-s` seconds a clip; that number is yours, none was measured.
"""

from __future__ import annotations

import argparse
import heapq
import json
import statistics
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from innerear.compute.ray import share

START_S = 10.0  # of a cluster that runs: workers start and import, jails are tested


def modelled(durations_s: Sequence[float], n: int, cores: float, driver_s: float) -> float:
    """Seconds of a stage, by the formula."""
    return max(n * statistics.mean(durations_s) / cores, n * driver_s) + max(durations_s)


def simulated(durations_s: Sequence[float], n: int, cores: int, driver_s: float, seed: int = 0) -> float:
    """Seconds of a stage, event by event: the driver hands out and takes back, one call after the other."""
    drawn = np.random.default_rng(seed).choice(durations_s, n).tolist()
    free = [(0.0, 0) for _ in range(cores)]  # when each core is free, and how many things it brings back
    left, driver_at, thing_s, last = n, 0.0, None, 0.0
    while free:
        at, brought = heapq.heappop(free)
        last = driver_at = max(at, driver_at) + driver_s * brought
        if left:
            count = share(thing_s, left, cores)
            took = sum(drawn[left - count : left])
            left -= count
            thing_s = took / count if thing_s is None else 0.8 * thing_s + 0.2 * took / count
            heapq.heappush(free, (driver_at + took, count))
    return last


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--things", type=int, default=200_000)
    parser.add_argument("--cores", default="2,16,64,256,1024")
    parser.add_argument("--usd-core-hour", type=float, default=0.04)
    parser.add_argument("--embedder", default="yamnet")
    parser.add_argument("--gpus", type=int, default=0)
    parser.add_argument("--gpu-s", type=float, default=0.01)
    parser.add_argument("--usd-gpu-hour", type=float, default=2.0)
    given = parser.parse_args()
    kept = json.loads(Path(__file__).with_name("scale.json").read_text())
    durations = kept["durations_s"]
    rows = {tuple(name.split(", ")): row for name, row in kept["rows_ms"].items()}
    reading_s = given.things * kept["reading_ms"] / 1000
    stages = ["program", given.embedder, "measured"]
    driver_s = {stage: max(row["driver"] for name, row in rows.items() if stage in name) / 1000 for stage in stages}
    each = ", ".join(f"{1000 * seconds:.2f} ms ({stage})" for stage, seconds in driver_s.items())
    print(f"{given.things} programs and clips; the driver spends on each: {each}")
    print(f"{'cores':>6} {'':11} {'render s':>9} {'embed s':>9} {'measure s':>9} {'all, hours':>11} {'USD':>8}")
    for cores in (int(count) for count in given.cores.split(",")):
        for name, stage_s in (("formula", modelled), ("simulated", simulated)):
            spent = []
            for stage in stages:
                if stage == given.embedder and given.gpus:
                    spent.append(modelled([given.gpu_s], given.things, given.gpus, driver_s[stage]))
                else:
                    spent.append(stage_s(durations[stage], given.things, cores, driver_s[stage]))
            total = sum(spent) + len(stages) * START_S + reading_s
            usd = total / 3600 * cores * given.usd_core_hour + spent[1] / 3600 * given.gpus * given.usd_gpu_hour
            print(f"{cores:6} {name:11} " + " ".join(f"{s:9.0f}" for s in spent) + f" {total / 3600:11.2f} {usd:8.2f}")


if __name__ == "__main__":
    main()
