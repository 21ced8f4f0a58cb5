"""Render programs: run each one once in a jail, measure the raw samples it wrote, and store them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from msgspec.structs import replace

from innerear.clip import Clip, flac, read
from innerear.compute.work import Executor, Job, Local
from innerear.data_folders import clip_path
from innerear.errors import AudioError, JailFailure, UsageError
from innerear.jail.base import Jail, JailResult
from innerear.records import Limits, Outcome, Program, RawLevels, Render
from innerear.render.tools import is_hosted, make
from innerear.run.folders import opened
from innerear.run.keys import render_key
from innerear.run.parts import write_whole

FLAGGED_SHARE = 0.8  # share of a limit above which a render is flagged
CLIPPED_RUN = 3  # consecutive samples at full scale that count as clipping
FADE_S = 0.02  # fade-out at the end of a shortened recording
LONGEST_TIMES, LONGEST_AT_LEAST_S = 4, 30.0  # see `longest_s`
ASKED_AT_MOST_S = 60.0  # the longest duration that a suite asks for


def render_all(
    programs: Sequence[Program],
    keep: Callable[[Render], None],
    audio: Path,
    limits: Limits,
    *,
    open_jail: Callable[[], Jail],
    seed: int = 0,
    data: Path | None = None,
    machines: Executor | None = None,
    sees: Path | None = None,
) -> list[str]:
    """Run each program once.

    Args:
        programs: the programs; those that are not run (recordings, violations) get a row too.
        keep: called in the calling thread with each row, once its sound is stored.
        audio: the folder for the sounds.
        limits: what a program may use.
        open_jail: opens a jail; called once per worker.
        seed: seeds the programs' random number generators.
        data: the folder of recordings.
        machines: where programs run; by default one worker per core of this machine.
        sees: a folder that every worker must be able to read and write.

    Returns:
        One line per program that InnerEar itself failed to run; such programs have no row.

    Raises:
        JailUnavailable: this machine cannot isolate programs.
    """
    for program in programs:
        if not runs(program):
            keep(without_jail(program, audio, limits, seed, data))
    work: Job[Program, Render] = Job(
        partial(_running, open_jail, audio, limits, seed), shared=False, forgives=(JailFailure,), sees=sees
    )
    code = [program for program in programs if runs(program)]
    lost = (machines or Local()).map(work, code, lambda program, row: keep(row))
    return [f"program {one.item.digest[:8]}: {one.why}" for one in lost]


@contextmanager
def _running(
    open_jail: Callable[[], Jail], audio: Path, limits: Limits, seed: int
) -> Iterator[Callable[[Program], Render]]:
    """Open a worker's jail and yield the function that renders a program in it."""
    jail = open_jail()
    try:
        yield lambda program: run_in(jail, program, audio, limits, seed)
    finally:
        jail.close()


def longest_s(program: Program) -> float:
    """The longest sound accepted from a program, in seconds: four times the requested duration, at least 30 s.

    The minimum gives the same limit to one program written for several short probes.

    >>> longest_s(Program("", duration_s=5.0)), longest_s(Program("", duration_s=20.0))
    (30.0, 80.0)
    """
    return max(LONGEST_AT_LEAST_S, LONGEST_TIMES * (program.duration_s or ASKED_AT_MOST_S))


def run_in(jail: Jail, program: Program, audio: Path, limits: Limits, seed: int) -> Render:
    """Run a program in a jail and return its row.

    Raises:
        JailFailure: see `Jail.run`.
    """
    assert program.code is not None
    ran = jail.run(program.code, replace(limits, sound_s=longest_s(program)), seed)
    return to_row(program, ran, jail.facts, audio, limits, seed)


def runs(program: Program) -> bool:
    """Whether a program is run: it has code, and the guard found no violation."""
    return program.code is not None and not program.violation


def without_jail(program: Program, audio: Path, limits: Limits, seed: int, data: Path | None) -> Render:
    """The row of a program that is not run: a violation, a missing program, or a recording.

    Raises:
        UsageError: the recording needs a data folder, or a tool that is not installed.
    """
    if program.violation:
        ran = JailResult(Outcome.PROVENANCE, program.violation)
    elif program.recording is None:
        ran = JailResult(Outcome.NO_PROGRAM, program.reason)
    elif is_hosted(program.recording):
        ran = JailResult(Outcome.OK, clip=cut_short(make(program.recording), program.duration_s))
    elif data is None:
        raise UsageError(
            f"the recording {program.recording} needs a data folder: set INNEREAR_DATA to the folder that "
            "`innerear reference fetch` filled"
        )
    else:
        ran = JailResult(Outcome.OK, clip=cut_short(read(clip_path(data, program.recording)), program.duration_s))
    return to_row(program, ran, {}, audio, limits, seed)


def cut_short(clip: Clip, duration_s: float | None) -> Clip:
    """Shorten a recording to `duration_s`, with a fade-out of 20 ms at the cut."""
    samples = round((duration_s or clip.duration_s) * clip.sample_rate)
    if samples >= clip.samples.shape[1]:
        return clip
    cut = clip.samples[:, :samples].copy()
    fade = min(samples, round(FADE_S * clip.sample_rate))
    cut[:, samples - fade :] *= np.linspace(1, 0, fade, dtype=np.float32)
    return Clip(cut, clip.sample_rate)


def to_row(program: Program, ran: JailResult, facts: dict[str, Any], audio: Path, limits: Limits, seed: int) -> Render:
    """Store the sound of a program that was run, and return its row."""
    stored: dict[str, Any] = {}
    if ran.clip is not None:
        stored = store(ran.clip, audio)
    return Render(
        key=render_key(program, limits, seed),
        program=program.digest,
        outcome=ran.outcome,
        reason=ran.reason,
        log=ran.log,
        exit_code=ran.exit_code,
        wall_s=round(ran.wall_s, 3),
        cpu_s=round(ran.cpu_s, 3),
        memory_bytes=ran.memory_bytes,
        near_limit=near_limits(ran, limits),
        jail=facts,
        **stored,
    )


def near_limits(ran: JailResult, limits: Limits) -> list[str]:
    """The names of the limits of which more than 80 % was used."""
    used = {
        "cpu_s": ran.cpu_s / limits.cpu_s,
        "wall_s": ran.wall_s / limits.wall_s,
        "memory_bytes": (ran.memory_bytes or 0) / limits.memory_bytes,
    }
    return [name for name, share in used.items() if share > FLAGGED_SHARE]


def store(clip: Clip, audio: Path) -> dict[str, Any]:
    """Measure a clip's raw samples, store it as `audio/<digest>.flac`, and return the fields of its row.

    The digest covers the raw samples and the sample rate, so equal sounds are stored once. The row has the program's
    own sample rate; the file's header has the nearest one that FLAC supports (see `clip.flac_rate`).

    Raises:
        AudioError: a sample is NaN or infinite; the jail rejects such sounds.
    """
    if not np.isfinite(clip.samples).all():
        raise AudioError("the clip holds NaN or infinity; wanted finite samples")
    shape = f"{clip.sample_rate}/{clip.samples.shape[0]}/"
    content = hashlib.sha256(shape.encode())
    content.update(np.ascontiguousarray(clip.samples).data)
    name = content.hexdigest()[:32]
    stored, factor = flac(clip)
    write_whole(audio / f"{name}.flac", stored)
    return {
        "audio": name,
        "sample_rate": clip.sample_rate,
        "channels": clip.samples.shape[0],
        "samples": clip.samples.shape[1],
        "factor": factor,
        "levels": raw_levels(clip),
    }


def load(render: Render, audio: Path) -> Clip:
    """The stored sound of a render, at its original level.

    Raises:
        AudioError: it is missing, damaged, or does not match its row; the message has the remedy.
    """
    path = audio / f"{render.audio}.flac"
    try:
        clip = read(opened(path))
        shape, expected = clip.samples.shape, (render.channels, render.samples)
        if render.samples is not None and shape != expected:
            raise AudioError(f"(channels, samples) are {shape}, its row says {expected}")
    except (AudioError, OSError) as error:
        why = str(error).removeprefix(f"{path} ")
        what = f"is damaged ({why})" if is_there(path) else "is missing"
        raise AudioError(f"{path} {what}; `innerear render {audio.parent}` renders it again") from error
    samples = clip.samples if render.factor == 1.0 else clip.samples * np.float32(render.factor)
    return Clip(samples, render.sample_rate or clip.sample_rate)


def is_there(path: Path) -> bool:
    """Whether a sound is stored at a path."""
    try:
        return path.is_file()
    except OSError:
        return False


def raw_levels(clip: Clip) -> RawLevels:
    """Peak, RMS in dBFS (0 dBFS is an RMS of 1), DC offset and share of clipped samples, over all channels."""
    samples = clip.samples.astype(np.float64)
    mean_square = float(np.mean(samples**2))
    full = np.abs(clip.samples) >= 1 - 2**-15
    runs = full[:, 2:] & full[:, 1:-1] & full[:, :-2]
    in_run = np.zeros_like(full)
    for shift in range(CLIPPED_RUN):
        in_run[:, shift : full.shape[1] - 2 + shift] |= runs
    return RawLevels(
        peak=float(np.abs(samples).max()),
        rms_dbfs=10 * float(np.log10(mean_square)) if mean_square > 0 else None,
        dc=float(samples.mean()),
        clipped=float(in_run.mean()),
    )
