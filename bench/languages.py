"""Cold start and cost of a program in each language, as a ratio to Python's in the same minutes.

    python bench/languages.py [--rounds 5] [--tier auto]

For each language whose tools are here:

- opening the first jail of the process, with its self-test, and a second one without;
- the smallest program: one sample; what remains is the cost of starting;
- a tone: three seconds of ten partials with a decay, computed in the way that is usual in the language (NumPy, Csound's
  oscillators, Faust's, a loop in JavaScript);
- with INNEREAR_SHARED: the recorded programs at the probes that csound.jsonl and javascript.jsonl share with
  one-shot.jsonl, each run once.

Rounds are interleaved between languages, so that other work on the machine meets all of them. CPU time is the more
reliable figure on a busy machine.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import statistics
import time
from pathlib import Path

from innerear.errors import JailUnavailable
from innerear.jail import Jail, open_jail
from innerear.languages import LANGUAGES, Language
from innerear.records import Limits, Outcome

_CSD = """<CsoundSynthesizer>
<CsInstruments>
sr = 44100
ksmps = 32
nchnls = 1
0dbfs = 1
instr 1
{body}
endin
</CsInstruments>
<CsScore>
i 1 0 {seconds}
</CsScore>
</CsoundSynthesizer>
"""
_WAV = """const fs = require("fs"), n = {count}, sound = Buffer.alloc(44 + 2 * n);
sound.write("RIFF    WAVEfmt ", 0);
[16, 0x10001, 44100, 88200, 0x100002].forEach((word, i) => sound.writeUInt32LE(word, 16 + 4 * i));
sound.write("data", 36);
sound.writeUInt32LE(2 * n, 40);
for (let i = 0; i < n; i++) {{
  let x = 0;
  for (let k = 1; k <= {partials}; k++) x += Math.sin(2 * Math.PI * 220 * k * i / 44100) / k;
  sound.writeInt16LE(Math.round(9000 * x * Math.exp(-i / 44100)), 44 + 2 * i);
}}
fs.writeFileSync("output.wav", sound);
"""
_PYTHON = """import numpy as np
from scipy.io import wavfile
t = np.arange({count}) / 44100
x = sum((np.sin(2 * np.pi * 220 * k * t) / k for k in range(1, {partials} + 1)), np.zeros_like(t)) * np.exp(-t)
wavfile.write("output.wav", 44100, np.round(9000 * x).astype(np.int16))
"""
SMALLEST: dict[Language, str] = {
    "python": _PYTHON.format(count=1, partials=1),
    "csound": _CSD.format(body="out oscili(0.3, 220)", seconds="0.001"),
    "faust": 'declare duration "0.001";\nprocess = 0.5;\n',
    "javascript": _WAV.format(count=1, partials=1),
}
TONE: dict[Language, str] = {
    "python": _PYTHON.format(count=132300, partials=10),
    "csound": _CSD.format(
        body="\n".join(
            ["a1 = 0", *(f"a1 += oscili(0.3 / {k}, {220 * k})" for k in range(1, 11)), "out a1 * expon(1, p3, 0.05)"]
        ),
        seconds="3",
    ),
    "faust": 'import("stdfaust.lib");\ndeclare duration "3";\n'
    "process = par(i, 10, os.osc(220 * (i + 1)) / (i + 1)) :> _ * 0.3 * exp(0 - ba.time / ma.SR);\n",
    "javascript": _WAV.format(count=132300, partials=10),
}


def recorded() -> dict[Language, dict[str, str]]:
    """The recorded programs by language and probe; empty without the shared folder."""
    folder = Path(os.environ.get("INNEREAR_SHARED", "/nowhere"), "recordings")
    found: dict[Language, dict[str, str]] = {}
    names: dict[Language, str] = {"csound": "csound", "javascript": "javascript", "python": "one-shot"}
    for language, name in names.items():
        if (folder / f"{name}.jsonl").exists():
            rows = map(json.loads, (folder / f"{name}.jsonl").read_text().splitlines())
            blocks = ((row["probe"], re.search(r"```\w*\n(.*?)```", row["text"], re.DOTALL)) for row in rows)
            found[language] = {probe: block[1] for probe, block in blocks if block}
    probes = set.intersection(*map(set, found.values())) if found else set()
    return {language: {probe: found[language][probe] for probe in sorted(probes)} for language in found}


def timed(jail: Jail, code: str) -> tuple[float, float]:
    """Seconds until the result is here, and CPU seconds; fails unless the program gave a sound."""
    begin = time.perf_counter()
    ran = jail.run(code, Limits())
    if ran.outcome is not Outcome.OK:
        raise SystemExit(f"{ran.outcome}: {ran.reason}\n{ran.log}")
    return time.perf_counter() - begin, ran.cpu_s


def main() -> None:
    """Measure and print one table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--tier", default="auto")
    asked = parser.parse_args()
    jails: dict[Language, Jail] = {}
    opened: dict[Language, tuple[float, float]] = {}
    for language in LANGUAGES:
        times = []
        for _ in range(2):
            begin = time.perf_counter()
            try:
                jail = open_jail(asked.tier, language=language)
            except JailUnavailable as error:
                print(f"{language}: {error}")
                break
            jail.run(SMALLEST[language], Limits())
            times.append(time.perf_counter() - begin)
            if language in jails:
                jails[language].close()
            jails[language] = jail
        else:
            opened[language] = times[0], times[1]
    print(f"{jails['python'].facts['tier']}, load average {os.getloadavg()[0]:.1f}, {asked.rounds} rounds, medians")
    print(
        "| language | first jail and program, s | another, s "
        "| smallest: ms | CPU ms | x Python | tone: ms | CPU ms | x Python |"
    )
    found: dict[Language, list[float]] = {}
    kept: dict[Language, list[list[tuple[float, float]]]] = {language: [[], []] for language in jails}
    for _ in range(asked.rounds):
        for language, jail in jails.items():
            for place, programs in enumerate((SMALLEST, TONE)):
                kept[language][place].append(timed(jail, programs[language]))
    for language, places in kept.items():
        found[language] = [1000 * statistics.median(column) for place in places for column in zip(*place, strict=True)]
        base = found["python"]
        small_ms, small_cpu, tone_ms, tone_cpu = found[language]
        first, second = opened[language]
        print(
            f"| {language} | {first:.2f} | {second:.2f} | {small_ms:.0f} | {small_cpu:.0f} | {small_cpu / base[1]:.1f} "
            f"| {tone_ms:.0f} | {tone_cpu:.0f} | {tone_cpu / base[3]:.1f} |"
        )
    for language, programs in recorded().items():
        if language in jails:
            runs = [jails[language].run(code, Limits()) for code in programs.values()]
            made = [run.cpu_s for run in runs if run.outcome is Outcome.OK]
            print(
                f"recorded, {language}: {len(made)} of {len(runs)} run, CPU s median {statistics.median(made):.2f}, "
                f"most {max(made):.2f}, together {sum(run.cpu_s for run in runs):.1f}"
            )
    for jail in jails.values():
        jail.close()


if __name__ == "__main__":
    main()
