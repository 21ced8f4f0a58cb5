"""Random sounds through all that reads one: `python bench/fuzz_sounds.py --cases 10000 --seed 0`.

Each case is a file that a program might leave: any header, rate, length, format and content, whole,
torn or with flipped bytes. It goes through the reading of a program's output, the store, every
metric, the words for failures, the listener, the pictures of the report, an embedder, and the
reading of a user's folder. `--jailed` cases are programs that run in each jail of this machine and
also end by signals, exit codes and exceptions. `--networks` measures with networks too.

Prints what it found by kind: what was raised, a NaN in a row, a sound that came back changed. Exits
with 1 where there is anything. `--only N` runs one case and lets its error through.
"""

from __future__ import annotations

import argparse
import io
import math
import multiprocessing
import os
import re
import struct
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from innerear import load as load_suite
from innerear.checks import Check, kind
from innerear.clip import Clip, read, read_mono
from innerear.compute.work import Local
from innerear.errors import AudioError
from innerear.jail.base import JailResult
from innerear.jail.plain import read_output
from innerear.metrics.base import Sound
from innerear.metrics.measure import keys, measure
from innerear.metrics.registry import SOUND_METRICS, find
from innerear.records import Limits, Measurement, Outcome, Probe, Program, Render
from innerear.render.render import load, longest_s, render_all, to_row

RATES = (
    8000, 8001, 11_025, 12_345, 16_000, 22_050, 44_100, 48_000,
    65_535, 65_536, 65_537, 96_000, 131_072, 191_999, 192_000,
)  # fmt: skip
LENGTHS = (1, 2, 3, 7, 15, 16, 17, 100, 441, 1023, 1024, 4410, 4411)
FORMATS = ((1, 8), (1, 16), (1, 24), (1, 32), (3, 32), (3, 64))
ODD_SIZES = (0, 1, 0xFFFF_FFFF, 0x7FFF_F024)
SIGNALS = sorted(set(range(1, 65)) - {19, 20, 21, 22, 32, 33})  # without those that stop, and the C library's own
SLOW = {"transcript": 0.1}
"""Metrics that are drawn less often."""
ENDS = (
    "sys.exit(0)", "sys.exit(1)", "sys.exit(-1)", "sys.exit(256)", "sys.exit(2**40)", "sys.exit((1, 2))",
    "sys.exit('')", "raise MemoryError", "raise KeyboardInterrupt", "raise GeneratorExit", "raise BaseException",
    "raise OSError(1)",
    "raise ValueError(chr(0xdc80))", "os._exit(0)", "os._exit(255)", "os._exit(-3)",
    "import ctypes; ctypes.string_at(0)",
    "os.remove('output.wav')", "os.chmod('output.wav', 0)", "os.remove('output.wav'); os.mkdir('output.wav')",
    "signal.setitimer(signal.ITIMER_REAL, 0.01)\nwhile True: pass", "exec('(' * 10**4)",
    "sys.setrecursionlimit(10**9)\nf = lambda: f()\nf()", "sys.stdout.buffer.write(bytes(range(256)) * 2000)",
    "[os.close(n) for n in range(9) if n != 4]", "os.pwrite(3, bytes(range(64)), 0)", "os.ftruncate(1, 1)",
)  # fmt: skip
Finding = tuple[int, str, str]
"""The number of the case, the kind of finding, and what was said."""


@dataclass(frozen=True)
class Given:
    """How cases are tried: `share` of the metrics and the other steps is drawn for each."""

    seed: int = 0
    share: float = 0.4
    networks: bool = False


class Found(Exception):
    """What is wrong without having raised."""


def content(draw: np.random.Generator, frames: int, channels: int, sample_rate: int) -> np.ndarray:
    """Samples as float64, shape (frames, channels), nominally in [-1, 1]."""
    t = np.arange(frames) / sample_rate
    shares = (0.25, 1 / 3, 0.5, draw.random())
    hertz = float(draw.choice([20, 100, 440, 1000, *(sample_rate * share for share in shares)]))
    match draw.integers(13):
        case 0:
            mono = np.zeros(frames)
        case 1:
            mono = np.full(frames, draw.choice([1.0, -1.0, 0.5, 1e-30, 1e-5]))
        case 2:
            mono = np.zeros(frames)
            mono[draw.integers(frames)] = 1
        case 3:
            mono = np.sin(2 * np.pi * hertz * t)
        case 4:
            mono = np.tile([0.5, -0.5], frames // 2 + 1)[:frames]
        case 5:
            mono = draw.normal(0, 0.2, frames)
        case 6:
            mono = np.sign(np.sin(2 * np.pi * hertz * t)) * draw.choice([1.0, 1e-4, 1e-7])
        case 7:  # pulses through a resonance, like a voice
            pulses = (np.arange(frames) % max(1, round(sample_rate / draw.uniform(60, 400))) == 0).astype(float)
            short = t[: sample_rate // 50]
            mono = 0.5 * np.convolve(pulses, np.exp(-200 * short) * np.sin(2 * np.pi * 700 * short))[:frames]
        case 8:  # notes
            notes = 2 ** (draw.integers(-12, 24, 1 + frames * 5 // sample_rate) / 12) * 220
            place = np.minimum((t * 5).astype(int), len(notes) - 1)
            mono = np.sin(2 * np.pi * notes[place] * t) * np.exp(-((t * 5) % 1) * 4)
        case 9:  # vibrato and tremolo
            mono = np.sin(2 * np.pi * 440 * t + 3 * np.sin(2 * np.pi * 6 * t)) * (0.6 + 0.4 * np.sin(2 * np.pi * 5 * t))
        case 10:  # clicks in silence
            mono = (draw.random(frames) < 20 / sample_rate).astype(float)
        case 11:  # glide
            mono = np.sin(2 * np.pi * (200 * t + 300 * t**2))
        case _:
            mono = np.concatenate([np.zeros(frames // 2), draw.uniform(-1, 1, frames - frames // 2)])
    return np.stack([mono * (1 if place == 0 else draw.uniform(-1, 1)) for place in range(channels)], axis=1)


def coded(draw: np.random.Generator, samples: np.ndarray, tag: int, bits: int) -> bytes:
    """Samples as a WAV file holds them; now and then what is not a number, or much too loud."""
    if tag == 3:
        words = samples.astype(f"<f{bits // 8}")
        if draw.random() < 0.1:
            with np.errstate(over="ignore"):
                words.flat[draw.integers(words.size)] = draw.choice([np.nan, np.inf, -np.inf, 1e30, 7.9, 1e-40])
        return words.tobytes()
    if bits == 8:
        return np.clip(samples * 127 + 128, 0, 255).astype(np.uint8).tobytes()
    whole = np.clip(samples * (1 << (bits - 1)), -(1 << (bits - 1)), (1 << (bits - 1)) - 1).astype("<i8")
    return whole.view(np.uint8).reshape(-1, 8)[:, : bits // 8].tobytes()


def wav_file(draw: np.random.Generator) -> bytes:
    """A file that a program might leave."""
    if draw.random() < 0.02:
        return draw.bytes(int(draw.integers(0, 200)))
    sample_rate = int(draw.choice(RATES)) if draw.random() < 0.8 else int(draw.integers(8000, 192_001))
    said_rate = sample_rate if draw.random() < 0.97 else int(draw.choice([0, 1, 7999, 192_001, 2**32 - 1]))
    channels = int(draw.choice([1, 2], p=[0.7, 0.3]))
    frames = int(draw.choice(LENGTHS)) if draw.random() < 0.4 else int(sample_rate * draw.exponential(0.15)) + 1
    if draw.random() < 0.002:
        frames = 31 * sample_rate
    tag, bits = FORMATS[draw.integers(len(FORMATS))]
    data = coded(draw, content(draw, frames, channels, sample_rate), tag, bits)
    said_channels = channels if draw.random() < 0.97 else int(draw.choice([0, 3, 8, 65_535]))
    said_tag, said_bits = tag, bits
    if draw.random() < 0.03:
        said_tag, said_bits = int(draw.choice([0, 1, 2, 3, 7])), int(draw.choice([0, 4, 12, 16, 64]))
    frame = max(1, channels * bits // 8)
    parts = (said_channels, said_rate, said_rate * frame % 2**32, frame, said_bits)
    fmt = struct.pack("<HHIIHH", said_tag, *parts)
    if draw.random() < 0.15:
        guid = struct.pack("<H", said_tag) + bytes.fromhex("000000001000800000aa00389b71")
        fmt = struct.pack("<HHIIHH", 0xFFFE, *parts) + struct.pack("<HHI", 22, said_bits, 0) + guid
    chunks = [(b"fmt ", fmt, len(fmt)), (b"data", data, len(data))]
    if draw.random() < 0.05:
        sizes = (*ODD_SIZES, len(data) * 2, len(data) // 2, len(data) + 1)
        chunks[1] = (b"data", data, int(draw.choice(sizes)))
    for _ in range(int(draw.integers(3))):
        if draw.random() < 0.3:
            extra, name = draw.bytes(int(draw.integers(0, 40))), bytes(draw.integers(32, 127, 4, dtype=np.uint8))
            chunks.insert(int(draw.integers(len(chunks) + 1)), (name, extra, len(extra)))
    if draw.random() < 0.02:
        draw.shuffle(chunks)  # type: ignore[arg-type]
    body = b"".join(name + struct.pack("<I", size) + held + b"\0" * (len(held) % 2) for name, held, size in chunks)
    whole = (b"RIFX" if draw.random() < 0.01 else b"RIFF") + struct.pack("<I", 4 + len(body)) + b"WAVE" + body
    if draw.random() < 0.08:
        whole = whole[: draw.integers(len(whole))]
    if draw.random() < 0.08:
        flipped = bytearray(whole)
        for _ in range(int(draw.integers(1, 6))):
            flipped[draw.integers(min(len(flipped), draw.choice([60, len(flipped)])))] ^= 1 << draw.integers(8)
        whole = bytes(flipped)
    return whole


@cache
def probes() -> dict[str, list[tuple[Probe, Check]]]:
    """Probes of the suite by the kind of check that they have."""
    found: dict[str, list[tuple[Probe, Check]]] = {}
    for probe in load_suite().probes:
        for check in probe.expect:
            found.setdefault(kind(check), []).append((probe, check))
    return found


@cache
def mel() -> Any:
    """The embedder that needs no weights."""
    from innerear.embed import open_embedder

    return open_embedder("mel")


class Watch:
    """Runs the steps of one case and keeps what was found; with `loud` it lets an error through."""

    def __init__(self, number: int, loud: bool = False) -> None:
        self.number, self.loud = number, loud
        self.found: list[Finding] = []

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """A step that may raise nothing."""
        try:
            yield
        except Exception as error:
            if self.loud:
                raise
            last = traceback.extract_tb(error.__traceback__)[-1]
            ours = [frame for frame in traceback.extract_tb(error.__traceback__) if "innerear" in frame.filename]
            last = ours[-1] if ours else last
            place = "" if isinstance(error, Found) else f" at {Path(last.filename).name}:{last.lineno}"
            self.found.append((self.number, f"{name}: {type(error).__name__}{place}", str(error)[:200]))


def check_numbers(value: object, where: str) -> None:
    """Raise where a NaN or an infinity would be written."""
    if isinstance(value, float) and not math.isfinite(value):
        raise Found(f"{where} is {value}")
    if isinstance(value, dict):
        for key, held in value.items():
            check_numbers(held, f"{where}.{key}")
    elif isinstance(value, list | tuple):
        for held in value:
            check_numbers(held, f"{where}[]")


def check_row(row: Render | Measurement) -> None:
    """Raise where a row cannot be written and read back the same."""
    check_numbers(msgspec.to_builtins(row), type(row).__name__)
    back = msgspec.json.decode(msgspec.json.encode(row), type=type(row))
    if msgspec.to_builtins(back) != msgspec.json.decode(msgspec.json.encode(row)) and back != row:
        raise Found(f"a {type(row).__name__} is read back as another")


def check_stored(clip: Clip, row: Render, audio: Path) -> Clip:
    """The stored sound, which has to be the program's own within two steps of 24 bits."""
    back = load(row, audio)
    if (back.sample_rate, back.samples.shape) != (clip.sample_rate, clip.samples.shape):
        raise Found(f"{clip.samples.shape} at {clip.sample_rate} Hz is stored as {back.samples.shape}")
    if np.abs(back.samples - clip.samples).max() > 2**-22 * max(1.0, row.factor):
        raise Found("the stored samples are others")
    return back


def measured(sound: Sound, draw: np.random.Generator, given: Given, watch: Watch) -> list[Measurement]:
    """The rows of a sound by some of the metrics, checks of any probe among them."""
    rows = []
    for name in [*probes(), *SOUND_METRICS]:
        if draw.random() > given.share * SLOW.get(name, 1) or (find(name).weights and not given.networks):
            continue
        asked = sound
        if name in probes():
            probe, check = probes()[name][draw.integers(len(probes()[name]))]
            asked = Sound(msgspec.structs.replace(probe, expect=[check]), sound.render, sound.clip)
        wanted = [key for key, metric, _ in keys("fuzz", asked) if metric.name == name]
        with watch.step(f"metric {name}"):
            made = measure("fuzz", asked, wanted)
            rows += made
            complain(made)
    return rows


def complain(rows: list[Measurement]) -> None:
    """Raise where a row cannot be written, or where its metric has failed."""
    for row in rows:
        check_row(row)
        if row.cause.startswith("the metric failed"):
            raise Found(row.reason)


def used(sound: Sound, rows: list[Measurement], draw: np.random.Generator, given: Given, watch: Watch) -> None:
    """All else that looks at a sound."""
    from innerear.ask.listener import hear
    from innerear.metrics.failure import fingerprint, words
    from innerear.metrics.identity import envelope
    from innerear.report.pictures import peaks, png, spectrogram

    clip, probe = sound.clip, sound.probe
    assert clip is not None

    def embedded() -> None:
        (frames,) = mel().embed([clip])
        if not len(frames) or not np.isfinite(frames).all():
            raise Found(f"frames of shape {frames.shape}, not all of them finite")

    def listened() -> None:
        heard = hear(clip, probe)
        check_numbers(heard.worth, "worth")
        if re.search(r"\b(nan|inf)\b", heard.words):
            raise Found(f"what is told to a model: {heard.words}")

    asked = {kind(check): index for index, check in enumerate(probe.expect)}
    failed = [msgspec.structs.replace(row, passed=False, check=asked.get(row.metric)) for row in rows]
    steps: dict[str, Callable[[], object]] = {
        "fingerprint": lambda: fingerprint(clip),
        "listener": listened,
        "envelope": lambda: check_numbers(envelope(clip).tolist(), "envelope"),
        "spectrogram": lambda: png(spectrogram(clip)),
        "outline": lambda: peaks(clip),
        "embedder mel": embedded,
    }
    if probe.tier != "speech" or given.networks:
        steps["words"] = lambda: words(sound, failed, None)
    for name, step in steps.items():
        if draw.random() < given.share:
            with watch.step(name):
                step()


def one(number: int, given: Given, loud: bool = False) -> tuple[str, list[Finding]]:
    """One case: its outcome and what was found."""
    draw = np.random.default_rng([given.seed, number])
    watch = Watch(number, loud)
    data = wav_file(draw)
    having = [pair for pairs in probes().values() for pair in pairs]
    probe, _ = having[draw.integers(len(having))]
    outcome = "not read"
    with tempfile.TemporaryDirectory(prefix="innerear-fuzz-") as folder, tempfile.TemporaryFile() as file:
        file.write(data)
        file.flush()
        program = Program("", duration_s=probe.duration_s)
        limits = Limits(sound_s=longest_s(program))
        clip = row = None
        with watch.step("reading"):
            came, reason, code, clip = read_output(file.fileno(), limits)
            outcome = came.value
            row = to_row(program, JailResult(came, reason, "", code, clip=clip), {}, Path(folder), Limits(), 0)
            check_row(row)
            if (clip is None) == (came is Outcome.OK) or not (reason or clip):
                raise Found(f"{came} with {clip} and the reason {reason!r}")
        if clip is not None and row is not None and row.audio is not None:
            with watch.step("store"):
                sound = Sound(probe, row, check_stored(clip, row, Path(folder)))
                rows = measured(sound, draw, given, watch)
                used(sound, rows, draw, given, watch)
    for name, reader in (("read", read), ("read_mono", partial(read_mono, sample_rate=16_000))):
        with watch.step(f"a user's file, {name}"):
            try:
                found = reader(io.BytesIO(data))
            except AudioError as error:
                if "\n" in str(error):
                    raise Found(f"more than one line: {error!r}") from error
            else:
                if not np.isfinite(found.samples).all():
                    raise Found("samples that are not finite")
    return outcome, watch.found


def some(numbers: range, given: Given) -> tuple[Counter[str], list[Finding]]:
    """Some cases, in a process of their own."""
    import logging
    import warnings

    logging.disable()
    warnings.simplefilter("ignore")
    outcomes: Counter[str] = Counter()
    findings = []
    for number in numbers:
        outcome, found = one(number, given)
        outcomes[outcome] += 1
        findings += found
    return outcomes, findings


def program(number: int, seed: int) -> Program:
    """A program that writes a file of `wav_file`, and then ends in one of many ways."""
    draw = np.random.default_rng([seed, number, 1])
    data = wav_file(draw)[: 1 << 18]
    code = f"import os, sys, signal\nopen('output.wav', 'wb').write(bytes.fromhex('{data.hex()}'))\n"
    end = draw.choice(ENDS) if draw.random() < 0.5 else ""
    if draw.random() < 0.3:
        end = f"os.kill(os.getpid(), {draw.choice(SIGNALS)})\nimport time; time.sleep(0.05)"
    return Program(code + end, duration_s=5.0)


def jailed(cases: int, seed: int, tiers: list[str]) -> tuple[Counter[str], list[Finding]]:
    """Programs through the render stage in each of these jails."""
    from innerear.jail import open_jail

    outcomes: Counter[str] = Counter()
    findings: list[Finding] = []
    programs = [program(number, seed) for number in range(cases)]
    for tier in tiers:
        watch = Watch(-1)
        with tempfile.TemporaryDirectory(prefix="innerear-fuzz-") as folder, watch.step(f"render in {tier}"):

            def keep(row: Render, tier: str = tier) -> None:
                outcomes[f"{tier} {row.outcome}"] += 1
                check_row(row)

            limits = Limits(cpu_s=2, wall_s=20, memory_bytes=1 << 30)
            lost = render_all(
                programs, keep, Path(folder), limits, open_jail=partial(open_jail, tier), machines=Local(2)
            )
            if lost:
                raise Found(lost[0])
        findings += watch.found
    return outcomes, findings


def main() -> int:
    """Run what was asked, print what was found."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--cases", type=int, default=1000)
    asked.add_argument("--seed", type=int, default=0)
    asked.add_argument("--jailed", type=int, default=0, help="programs in each jail")
    asked.add_argument("--tiers", default="off,ll,ns")
    asked.add_argument("--networks", action="store_true")
    asked.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    asked.add_argument("--only", type=int, help="one case; its error is let through")
    asked.add_argument("--share", type=float, default=0.4, help="of the metrics and other steps, drawn for each case")
    given = asked.parse_args()
    how = Given(given.seed, given.share, given.networks)
    if given.only is not None:
        print(one(given.only, how, loud=True))
        return 0
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    begin = time.monotonic()
    outcomes: Counter[str] = Counter()
    findings: list[Finding] = []
    pieces = [range(start, min(start + 25, given.cases)) for start in range(0, given.cases, 25)]
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(given.workers, mp_context=spawn) as pool:
        for done, (came, found) in enumerate(pool.map(partial(some, given=how), pieces), 1):
            outcomes.update(came)
            findings += found
            end = "\r" if sys.stderr.isatty() else "\n"
            print(
                f"{pieces[done - 1].stop} of {given.cases}, {len(findings)} findings",
                end=end,
                file=sys.stderr,
                flush=True,
            )
            for _, name, said in found:
                print(f"{name}: {said}", file=sys.stderr, flush=True)
    if given.jailed:
        came, found = jailed(given.jailed, given.seed, given.tiers.split(","))
        outcomes.update(came)
        findings += found
    seconds = time.monotonic() - begin
    print(f"{given.cases} files, {given.jailed} programs in each jail, seed {given.seed}, {seconds:.0f} s")
    for outcome, count in sorted(outcomes.items()):
        print(f"{count:7} {outcome}")
    kinds: dict[str, list[Finding]] = {}
    for finding in findings:
        kinds.setdefault(finding[1], []).append(finding)
    print(f"{len(findings)} findings of {len(kinds)} kinds")
    for name, mine in sorted(kinds.items(), key=lambda pair: -len(pair[1])):
        print(f"{len(mine):7} {name}\n        first in case {mine[0][0]}: {mine[0][2]}")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
