"""What isolation costs: programs plain, in bubblewrap each, and in the jail, in one run.

    python bench/jail.py [--quick] [--recorded] [--rounds N]
    python bench/jail.py --soak 10000

Prints a Markdown table, medians of N rounds in which the ways take turns: latency of a program with
pauses between, programs/s with two workers back to back, and the CPU time of a child beyond that of
one which the same zygote forks unprotected. On a busy machine believe the columns of CPU time. `--recorded` also times
the recorded programs, plain and in the jail, two workers.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import platform
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec

import innerear
from innerear.errors import JailUnavailable
from innerear.jail import open_jail
from innerear.jail.base import Jail
from innerear.jail.host import ZygoteJail
from innerear.jail.start import Start
from innerear.records import Limits, Outcome

PROGRAMS = {
    "empty": "",
    "standard library": """
import math, struct, wave
with wave.open("output.wav", "wb") as out:
    out.setparams((1, 2, 44100, 0, "NONE", ""))
    out.writeframes(struct.pack("<88200h", *(int(9000 * math.sin(0.0627 * i)) for i in range(88200))))
""",
    "NumPy": """
import wave
import numpy as np
t = np.arange(88200) / 44100
x = np.sin(2 * np.pi * 440 * t) * np.exp(-t)
with wave.open("output.wav", "wb") as out:
    out.setparams((1, 2, 44100, 0, "NONE", ""))
    out.writeframes((x * 9000).astype("<i2").tobytes())
""",
    "NumPy + SciPy": """
import numpy as np
from scipy.io import wavfile
from scipy.signal import butter, lfilter, sawtooth
t = np.arange(88200) / 44100
b, a = butter(4, 2000, fs=44100)
wavfile.write("output.wav", 44100, (0.3 * lfilter(b, a, sawtooth(2 * np.pi * 220 * t))).astype(np.float32))
""",
}
# The same zygote and protocol, with every step of isolation made empty: a bare fork.
_BARE = """
from innerear.jail.inside import child, landlock, linux, seccomp
linux.drop_capabilities = landlock.restrict = seccomp.load = child._limit = lambda *_, **__: None
"""


Run = Callable[[str], float]
"""Runs a program; the CPU milliseconds that it took, 0 where nobody counts."""


@dataclass(frozen=True)
class Bare(Start):
    """A zygote that isolates nothing, to compare with."""

    def command(self) -> list[str]:
        command = super().command()
        at = command.index("-c") + 1
        command[at] = command[at].replace(
            "from innerear.jail.inside import zygote", _BARE + "from innerear.jail.inside import zygote"
        )
        return command


def plain(wrapper: list[str]) -> Run:
    def run(code: str) -> float:
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "program.py").write_text(code)
            command = [word.replace("FOLDER", folder) for word in wrapper]
            environment = os.environ | {"OPENBLAS_NUM_THREADS": "1"}
            subprocess.run(
                [*command, sys.executable, "program.py"], cwd=folder, check=True, env=environment, capture_output=True
            )
        return 0.0

    return run


def jailed(jail: Jail, code: str) -> float:
    ran = jail.run(code, Limits())
    assert ran.outcome is (Outcome.OK if code else Outcome.NO_AUDIO), ran
    return 1000 * ran.cpu_s


def latency_ms(run: Run, code: str) -> tuple[float, float]:
    """Wall and CPU milliseconds of a program after a pause."""
    time.sleep(0.04)
    begin = time.perf_counter()
    cpu = run(code)
    return 1000 * (time.perf_counter() - begin), cpu


def cpu_seconds() -> float:
    """CPU time of this process, of all that it has waited for, and of all that lives below it."""
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    total = sum(usage.ru_utime + usage.ru_stime for usage in usages)
    rows = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            rows[int(path.parent.name)] = [int(w) for w in path.read_text().rpartition(")")[2].split()[1:15]]
    below = {os.getpid()}
    while more := {pid for pid, row in rows.items() if row[0] in below} - below:
        below |= more
    ticks = sum(sum(rows[pid][10:14]) for pid in below - {os.getpid()} if pid in rows)
    return total + ticks / os.sysconf("SC_CLK_TCK")


def per_second(runs: list[Run], code: str, seconds: float = 1.0) -> tuple[float, float]:
    """Programs a second, back to back, one worker for each of `runs`; CPU milliseconds of one."""
    cpu, begin, done = cpu_seconds(), time.perf_counter(), [0] * len(runs)

    def work(i: int) -> None:
        while time.perf_counter() - begin < seconds:
            runs[i](code)
            done[i] += 1

    threads = [threading.Thread(target=work, args=(i,)) for i in range(len(runs))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    rate = sum(done) / (time.perf_counter() - begin)
    return rate, 1000 * (cpu_seconds() - cpu) / sum(done)


def engines() -> list[str]:
    """The container engines that are here and have the image (`innerear jail build-image`)."""
    found = []
    for name in ("docker", "podman"):
        with contextlib.suppress(JailUnavailable):
            open_jail(name).close()
            found.append(name)
    return found


def contenders() -> dict[str, tuple[list[Run], list[Jail]]]:
    found: dict[str, tuple[list[Run], list[Jail]]] = {"plain python": ([plain([])] * 2, [])}
    if shutil.which("bwrap"):
        wrapper = "bwrap --unshare-all --ro-bind / / --dev /dev --proc /proc --tmpfs /tmp "
        wrapper += "--bind FOLDER FOLDER --chdir FOLDER --"
        found["bwrap per program"] = ([plain(wrapper.split())] * 2, [])
    for name, make in (
        ("bare fork", lambda: ZygoteJail(Bare("ll"), {})),
        ("jail ns", lambda: open_jail("ns")),
        ("jail ll", lambda: open_jail("ll")),
        *((f"jail {engine}", lambda engine=engine: open_jail(engine)) for engine in engines()),
    ):
        jails = [make(), make()]
        found[name] = ([lambda code, jail=jail: jailed(jail, code) for jail in jails], jails)
    return found


def table(rounds: int, programs: dict[str, str]) -> None:
    cold = time.perf_counter()
    jail = open_jail("ns")
    jailed(jail, PROGRAMS["NumPy + SciPy"])
    print(f"cold start to the first NumPy + SciPy program, self-test included: {time.perf_counter() - cold:.2f} s\n")
    jail.close()
    print(
        "| program | way | latency ms | × plain | programs/s, 2 workers | × plain "
        "| CPU ms per program, total | × plain | of which the child's, above a bare fork |"
    )
    print("|---|---|--:|--:|--:|--:|--:|--:|--:|")
    ways = contenders()
    for program, code in programs.items():
        found: dict[str, list[tuple[float, ...]]] = {name: [] for name in ways}
        for runs, _ in ways.values():
            for run in runs:
                run(code)
        # The ways take turns, so that whatever else the machine does falls on all of them.
        for _ in range(rounds):
            for name, (runs, _) in ways.items():
                pairs = [latency_ms(runs[0], code) for _ in range(4)]
                wall, cpu = (statistics.median(column) for column in zip(*pairs, strict=True))
                found[name].append((wall, cpu, *per_second(runs, code)))
        middle = {name: [statistics.median(c) for c in zip(*rows, strict=True)] for name, rows in found.items()}
        for name, (wall, cpu, rate, all_cpu) in middle.items():
            base = middle["plain python"]
            over = f"{cpu - middle['bare fork'][1]:.1f}" if name.startswith("jail") else ""
            # Neither bubblewrap's first process nor an engine waits for the program: its time is in nobody's account.
            unknown = name.startswith("bwrap") or name.removeprefix("jail ") in ("docker", "podman")
            told = " | " if unknown else f"{all_cpu:.1f} | {base[3] / all_cpu:.1f}"
            print(
                f"| {program} | {name} | {wall:.1f} | {base[0] / wall:.1f} "
                f"| {rate:.1f} | {rate / base[2]:.1f} | {told} | {over} |",
                flush=True,
            )
    for _, jails in ways.values():
        for one in jails:
            one.close()


def recorded() -> None:
    """The render stage on the recorded programs, plain and in the jail."""
    recording = Path(innerear.__file__).parent / "ask" / "models" / "recordings" / "one-shot.jsonl"
    lines = recording.read_bytes().splitlines()
    texts = [msgspec.json.decode(line)["text"] for line in lines]
    codes = [match[1] for text in texts if (match := re.search(r"```(?:python)?\n(.*?)```", text, re.S))]
    for name in ("off", "ns"):
        left, outcomes = list(codes), []

        def work(name: str = name, left: list[str] = left, outcomes: list[Outcome] = outcomes) -> None:
            jail = open_jail(name)
            while left:
                outcomes.append(jail.run(left.pop(), Limits()).outcome)
            jail.close()

        begin, cpu = time.perf_counter(), cpu_seconds()
        threads = [threading.Thread(target=work) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        seconds = f"{time.perf_counter() - begin:.1f} s ({cpu_seconds() - cpu:.1f} s of CPU)"
        counts = {outcome.value: outcomes.count(outcome) for outcome in sorted(set(outcomes))}
        print(
            f"{len(codes)} recorded programs, 2 workers, {name}: {seconds}, {counts}",
            flush=True,
        )


def soak(programs: int) -> None:
    """Benign programs of every kind, two workers: how many fail, and what the host holds afterwards."""
    failed: list[str] = []

    def work() -> None:
        jail = open_jail("auto")
        for i in range(programs // 2):
            code = list(PROGRAMS.values())[i % len(PROGRAMS)]
            ran = jail.run(code, Limits())
            if ran.outcome is not (Outcome.OK if code else Outcome.NO_AUDIO):
                failed.append(f"{ran.outcome}: {ran.reason}")
        jail.close()

    begin = time.perf_counter()
    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    held = len(list(Path("/proc/self/fd").iterdir()))
    print(f"{programs} programs in {time.perf_counter() - begin:.0f} s, {len(failed)} failed, {held} descriptors held")
    print("\n".join(failed[:10]))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="one round of the empty program")
    parser.add_argument("--recorded", action="store_true")
    parser.add_argument("--soak", type=int, default=0, metavar="PROGRAMS")
    options = parser.parse_args()
    if options.soak:
        return soak(options.soak)
    machine = f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
    print(f"{machine}, Linux {platform.release()}, Python {platform.python_version()}\n")
    if options.quick:
        table(1, {"empty": PROGRAMS["empty"]})
    else:
        table(options.rounds, PROGRAMS)
    if options.recorded:
        recorded()


if __name__ == "__main__":
    main()
