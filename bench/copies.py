"""What looking for near copies costs, in blocks and by the whole table of distances.

    python bench/copies.py [--quick]

Made-up prints of one model's sounds, each a little changed from one of a quarter as many. The naive way
(one table of all distances, each row sorted) is measured in the same run, so the ratios hold on any
machine; then the block way alone at more sounds, to show that its memory grows with their number.
Memory is the peak of what was allocated while it worked, by `tracemalloc`, the prints themselves apart.
"""

from __future__ import annotations

import sys
import time
import tracemalloc

import numpy as np

from innerear.metrics.failure import COPY_DB, copies

NAIVE = 4_000
SOUNDS = (4_000, 8_000, 20_000)


def made(count: int) -> tuple[dict[str, list[int]], dict[str, str]]:
    """Prints of many sounds, and the probe of each: four sounds a probe."""
    rng = np.random.default_rng(0)
    sources = rng.integers(0, 61, (count // 4, 768))
    prints = {}
    for i in range(count):
        nudged = sources[rng.integers(len(sources))] + rng.integers(-1, 2, 768)
        prints[f"s{i}"] = np.clip(nudged, 0, 60).tolist()
    return prints, {f"s{i}": f"p{i // 4}" for i in range(count)}


def naive(prints: dict[str, list[int]], probe_of: dict[str, str]) -> dict[str, str]:
    """The same from one table; of equally near sounds the first, as `copies` has it."""
    subjects = list(prints)
    levels = np.array([prints[subject] for subject in subjects], dtype=float)
    squares = np.sum(levels**2, axis=1)
    apart = np.sqrt(np.maximum(squares[:, None] + squares - 2 * levels @ levels.T, 0) / levels.shape[1])
    found = {}
    for place, subject in enumerate(subjects):
        for other in np.argsort(apart[place], kind="stable"):
            if apart[place, other] > COPY_DB:
                break
            if probe_of[subjects[other]] != probe_of[subject]:
                found[subject] = probe_of[subjects[other]]
                break
    return found


def measured(way, prints, probe_of) -> tuple[dict[str, str], float, float]:
    """What it finds, processor seconds, and the peak of its memory in MB."""
    start = time.process_time()
    found = way(prints, probe_of)
    seconds = time.process_time() - start
    tracemalloc.start()
    way(prints, probe_of)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return found, seconds, peak / 1e6


def main() -> None:
    """Print the ratios, and the growth."""
    print(f"{'':8}{'sounds':>8}{'copies':>8}{'CPU s':>9}{'peak MB':>9}")
    first, counts = (2_000, (2_000, 4_000)) if "--quick" in sys.argv else (NAIVE, SOUNDS)
    prints, probe_of = made(first)
    expected, slow, large = measured(naive, prints, probe_of)
    print(f"{'table':8}{first:>8}{len(expected):>8}{slow:>9.2f}{large:>9.0f}")
    for count in counts:
        prints, probe_of = made(count)
        found, seconds, peak = measured(copies, prints, probe_of)
        print(f"{'blocks':8}{count:>8}{len(found):>8}{seconds:>9.2f}{peak:>9.0f}")
        if count == first:
            if found != expected:
                sys.exit("the blocks find other copies than the table")
            print(f"at {first} sounds the same copies; the table takes {slow / seconds:.1f} times the time, "
                  f"{large / peak:.1f} times the memory")  # fmt: skip


if __name__ == "__main__":
    main()
