"""CPU seconds of work that is spared, and of the same done in full, alternating in one process.

    python bench/spared.py RUN [--sounds 40] [--repeats 3]

RUN is a finished run with embeddings by aisfx. The first figure of a line is how we do it, the second the plain way:

- label: the checks `label` of sounds, with the run's frames of aiSFX, and with the network hearing each sound again;
- typicality: of some recordings among the others, within classes, and by the distances of all pairs;
- anatomy: one walk of each program's tree, and one for each node that is looked into (as `ast.walk` does it);
- integers: rows searched for digits in a row, as translated bytes, and by a regular expression.
"""

from __future__ import annotations

import argparse
import ast
import re
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from innerear.checks import Label
from innerear.distance.labelled import of_reference
from innerear.distance.realism import real_splits
from innerear.distance.sounds import Scale, Sounds
from innerear.distance.typicality import typicality
from innerear.metrics.base import Sound
from innerear.metrics.classes import LabelCheck
from innerear.metrics.measure import keys
from innerear.metrics.stage import with_frames
from innerear.programs.syntax import walk_with_parents
from innerear.reference.sets import find_reference
from innerear.render.render import load
from innerear.run import parts
from innerear.run.run import Run

PLAIN = re.compile(rb"[0-9]{19}")


def cpu_s(step: Callable[[], object]) -> float:
    start = time.thread_time()
    step()
    return time.thread_time() - start


def line(name: str, ours: Callable[[], object], plain: Callable[[], object], repeats: int) -> None:
    pairs = [(cpu_s(ours), cpu_s(plain)) for _ in range(repeats)]
    first, second = (min(times) for times in zip(*pairs, strict=True))
    print(f"{name:10} {first:7.3f} s  {second:7.3f} s  {second / first:5.1f}x", flush=True)


def labels(run: Run, sounds: int, repeats: int) -> None:
    metric = LabelCheck()
    found = []
    for item in run.items():
        wanted = [
            row for row in keys(item.completion.key, Sound(item.probe, item.render, None)) if row.metric.name == "label"
        ]
        if wanted and item.render.audio:
            found.append((item, wanted))
    heard = []
    for missing in with_frames(run, found[:sounds]):
        item, clip = missing.item, load(missing.item.render, run.audio)
        check = next(check for check in item.probe.expect if isinstance(check, Label))
        heard.append(
            (Sound(item.probe, item.render, clip, None, missing.frames), Sound(item.probe, item.render, clip), check)
        )
    assert all(metric.measure(shared, check) == metric.measure(alone, check) for shared, alone, check in heard[:3])
    line(
        "label",
        lambda: [metric.measure(shared, check) for shared, _, check in heard],
        lambda: [metric.measure(alone, check) for _, alone, check in heard],
        repeats,
    )


class AllPairs(Scale):
    """Distances within classes, from those of all pairs."""

    def distances_within_classes(self, first: Sounds, second: Sounds) -> np.ndarray:
        same = np.equal.outer(np.array(first.classes), np.array(second.classes))
        return np.where(same, self.distances(first, second), np.inf)


def recordings(repeats: int) -> None:
    reference = find_reference("environment", "aisfx-levelled")
    assert reference is not None, "it ships"
    rest, part = next(iter(real_splits(of_reference(reference))))

    def plain() -> object:
        return typicality(rest, part, AllPairs.of(rest))

    assert typicality(rest, part) == plain()
    line("typicality", lambda: typicality(rest, part), plain, repeats)


def trees(run: Run, repeats: int) -> None:
    codes = {item.program.code for item in run.items() if item.program.code and item.program.language == "python"}
    parsed = [ast.parse(code) for code in sorted(codes)]
    looked = (ast.For, ast.While, ast.GeneratorExp, ast.ListComp, ast.BinOp)

    def plain() -> None:
        for tree in parsed:
            for node in ast.walk(tree):
                if isinstance(node, looked):
                    for _ in ast.walk(node):
                        pass

    line("anatomy", lambda: [walk_with_parents(tree) for tree in parsed], plain, repeats)


def integers(run: Run, repeats: int) -> None:
    rows = [row for path in (run.folder / "measurements").glob("*.jsonl") for row in path.read_bytes().splitlines()]
    line("integers", lambda: [*map(parts._bounded, rows)], lambda: [*map(PLAIN.search, rows)], repeats)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("--sounds", type=int, default=40)
    parser.add_argument("--repeats", type=int, default=3)
    given = parser.parse_args()
    run = Run(given.run)
    print(f"{'':10} {'ours':>9}  {'plain':>9}")
    integers(run, given.repeats)
    trees(run, given.repeats)
    recordings(given.repeats)
    labels(run, given.sounds, given.repeats)


if __name__ == "__main__":
    main()
