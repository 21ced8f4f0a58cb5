"""Commands that are interrupted, killed, run at once on one folder, or meet a full disk: nothing is lost.

`INNEREAR_KILLS=68 pytest -m slow tests/test_interrupted.py` kills and interrupts so often.
"""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from innerear.records import Completion, Measurement, Outcome, Render
from innerear.run.parts import read_rows
from innerear.run.run import Run

KILLS = int(os.environ.get("INNEREAR_KILLS", "6"))
COMMAND = [sys.executable, "-m", "innerear"]
STAGES = {"completions": Completion, "renders": Render, "measurements": Measurement}
NUMPY = "_multiarray_umath"
"""Of the libraries of a process: it has begun with its command, and handles an interrupt."""


def started(*words: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*COMMAND, *map(str, words)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    out, err = process.communicate(timeout=400)
    assert "Traceback" not in err, err
    return process.returncode, out + err


def innerear(*words: object, code: int = 0) -> str:
    got, said = ended(started(*words))
    assert got == code, said
    return said


def rows_of(folder: Path) -> dict[str, dict]:
    return {kind: read_rows(folder / kind, row) for kind, row in STAGES.items()}


def has_begun(process: subprocess.Popen[str]) -> bool:
    try:
        return NUMPY in Path(f"/proc/{process.pid}/maps").read_text() or process.poll() is not None
    except OSError:
        return True


@pytest.mark.slow
@pytest.mark.long
def test_interrupted_and_killed_at_random_moments_nothing_is_lost_and_no_process_aborts(tmp_path, request):
    rng = random.Random(int(os.environ.get("INNEREAR_KILL_SEED", "1")))
    folder = tmp_path / "run"
    embedder = "yamnet" if os.environ.get("INNEREAR_MODELS") else "mel"
    models = ["--model", "recorded/one-shot", "--model", "baseline/noise"]
    command = ["run", *models, "--suite", "1", "--probes", "notes/waveform/s*", "--embedder", embedder, "--out", folder]
    before = time.monotonic()
    innerear(*command)
    longest_s = time.monotonic() - before
    whole = rows_of(folder)
    known = {kind: {} for kind in STAGES}
    codes = []
    shutil.rmtree(folder)
    for number in range(KILLS):
        signalled = signal.SIGKILL if number % 3 == 2 else signal.SIGINT
        process = started(*command)
        while not has_begun(process):
            time.sleep(0.01)
        time.sleep(rng.uniform(0, longest_s))
        process.send_signal(signalled)
        code, said = ended(process)
        codes.append(code)
        print(f"round {number}: {code}", flush=True)
        assert code in ((0, -9) if signalled == signal.SIGKILL else (0, 130)), f"round {number}: {said}"
        if not (folder / "run.json").exists():
            continue
        found = rows_of(folder)
        for kind, rows in known.items():
            assert {key: found[kind].get(key) for key in rows} == rows, f"round {number}: {kind} were lost"
        known = found
        if code == 0:  # it was done before the signal: leave it something to do
            stage = rng.choice(["measurements", "embeddings", "renders"])
            shutil.rmtree(folder / stage)
            (folder / "scores.json").unlink()
            if stage in known:
                known[stage] = {}
    innerear(*command)
    after = rows_of(folder)
    assert {kind: rows.keys() for kind, rows in after.items()} == {kind: rows.keys() for kind, rows in whole.items()}
    assert {row.audio for row in after["renders"].values()} == {row.audio for row in whole["renders"].values()}
    assert not list(folder.rglob("*.part"))
    print(f"{len(codes)} rounds, codes { ({code: codes.count(code) for code in set(codes)}) }, {longest_s:.1f} s a run")


@pytest.mark.slow
def test_two_commands_on_one_folder_and_reports_meanwhile_lose_nothing(tmp_path):
    folder = tmp_path / "run"
    what = ["--suite", "1", "--probes", "notes/waveform/*", "--embedder", "mel", "--out", folder]
    two = [started("run", "--model", model, *what) for model in ("recorded/one-shot", "baseline/noise")]
    while not (folder / "run.json").exists() and any(one.poll() is None for one in two):
        time.sleep(0.05)
    reports = 0
    while any(one.poll() is None for one in two):
        innerear("report", folder)
        reports += 1
    assert [ended(one)[0] for one in two] == [0, 0]
    assert reports
    run = Run(folder)
    assert sorted(run.asked.models) == ["baseline/noise", "recorded/one-shot"]
    items = run.items()
    assert [item.render.outcome for item in items] == [Outcome.OK] * 8
    assert {row.subject for row in run.measurements().values()} == {item.completion.key for item in items}
    said = innerear("score", folder)
    assert "innerear measure" not in said
    assert "are missing" not in said
    assert (folder / "report" / "index.html").exists()
    assert not list(folder.rglob("*.part"))
    again = [started(*words) for words in (("report", folder), ("report", folder))]
    assert [ended(one)[0] for one in again] == [0, 0]


# ---- disks


@pytest.fixture
def disk(tmp_path):
    """A small disk of its own, to be filled up and made read-only."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(place)], capture_output=True)
    if mounted.returncode:
        pytest.skip("only root can mount a small disk: " + mounted.stderr.decode().strip())
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def fill(disk: Path) -> Path:
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            pass
    return filler


def remount(disk: Path, how: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{how}", str(disk)], check=True)


@pytest.mark.slow
def test_each_stage_says_in_one_line_that_the_disk_is_full_or_read_only_and_finishes_when_it_is_not(disk):
    folder = disk / "run"
    stages = [
        [
            "generate",
            "--model",
            "baseline/sine",
            "--suite",
            "1",
            "--probes",
            "notes/waveform/*",
            "--embedder",
            "mel",
            "--out",
            folder,
        ],
        *(([stage, folder]) for stage in ("render", "embed", "measure", "score", "report")),
        ["pack", folder, "--out", disk / "mine.zip"],
        ["unpack", disk / "mine.zip", "--out", disk / "other"],
        ["export", folder, "--out", disk / "scores.csv"],
    ]
    for words in stages:
        filler = fill(disk)
        said = innerear(*words, code=1)
        lines = [line for line in said.splitlines() if "is full" in line]
        assert len(lines) == 1, said
        assert str(disk) in lines[0]
        assert "free some space" in lines[0]
        filler.unlink()
        remount(disk, "ro")
        said = innerear(*words, code=2)
        lines = [line for line in said.splitlines() if "cannot be written" in line or "cannot be used" in line]
        assert len(lines) == 1, said
        assert str(disk) in lines[0]
        remount(disk, "rw")
        innerear(*words)
    assert not list(disk.rglob("*.part"))
    assert not [row for row in Run(folder).items() if row.render.outcome != Outcome.OK]
