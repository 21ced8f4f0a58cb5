"""The tier `off`: no jail. A plain `python program.py` with limits, for those who ask for it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from innerear.clip import Clip
from innerear.jail import result
from innerear.jail.base import Ran
from innerear.jail.inside import wav, wire
from innerear.jail.inside.wire import OUTPUT, PROGRAM
from innerear.records import Limits, Outcome

# By the shell, so that no Python runs between a fork and an exec; macOS refuses -v.
_LIMITED = 'ulimit -t {cpu}; ulimit -f {blocks}; ulimit -v {kib} 2>/dev/null; exec "$0" {program}'


class PlainJail:
    """A `Jail` that isolates nothing: the program is one of the user's own processes."""

    def __init__(self, facts: dict[str, Any]) -> None:
        self.facts = facts

    def run(self, code: str, limits: Limits, seed: int = 0, audited: bool = True) -> Ran:
        """Run one program to its end, unwatched; `seed` is not used: a plain process takes its own chance."""
        with tempfile.TemporaryDirectory(prefix="innerear-plain-") as folder, tempfile.TemporaryFile() as log:
            Path(folder, PROGRAM).write_bytes(code.encode("utf-8", "surrogatepass"))
            script = _LIMITED.format(
                cpu=max(1, round(limits.cpu_s + 0.499)),
                blocks=limits.file_bytes // 512,
                kib=limits.memory_bytes >> 10,
                program=PROGRAM,
            )
            begin = time.monotonic()
            process = subprocess.Popen(
                ["/bin/sh", "-c", script, sys.executable],
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=os.environ | {"PYTHONHASHSEED": "0"},
                start_new_session=True,
            )
            status, cpu_s, rss = _wait(process, begin + limits.wall_s)
            wall_s = time.monotonic() - begin
            log.seek(0)
            text = result.clean(log.read(limits.log_bytes))
            outcome, reason, exit_code, clip = _judge(status, text, cpu_s, limits, Path(folder, OUTPUT))
            return Ran(outcome, reason, text, exit_code, wall_s, cpu_s, rss, clip)

    def close(self) -> None:
        """Nothing to end."""


def _wait(process: subprocess.Popen[bytes], deadline: float) -> tuple[int | None, float, int]:
    """The wait status (`None`: out of time), CPU seconds, peak bytes; ends its whole group."""
    late, pause = False, 0.001
    while True:
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        if pid:
            break
        if time.monotonic() > deadline:
            late = True
            os.killpg(process.pid, signal.SIGKILL)
        time.sleep(pause)
        pause = min(0.05, 2 * pause)
    process.returncode = os.waitstatus_to_exitcode(status)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    rss = usage.ru_maxrss << (0 if sys.platform == "darwin" else 10)
    return None if late else status, usage.ru_utime + usage.ru_stime, rss


def _judge(
    status: int | None, log: str, cpu_s: float, limits: Limits, output: Path
) -> tuple[Outcome, str, int | None, Clip | None]:
    if status is None:
        return Outcome.TIMED_OUT, f"more than {limits.wall_s:g} s", None, None
    if os.WIFSIGNALED(status):
        return *result.killed(os.WTERMSIG(status), cpu_s, limits), None
    code = os.WEXITSTATUS(status)
    last = log.strip().rpartition("\n")[2]
    if code and "Traceback (most recent call last)" in log:
        outcome = Outcome.OUT_OF_MEMORY if "MemoryError" in last else Outcome.ERROR
        return outcome, last, code, None
    if code:
        return Outcome.EXIT_CODE, f"left with exit code {code}", code, None
    if output.is_symlink() or not output.is_file() or not output.stat().st_size:
        return Outcome.NO_AUDIO, "the program left no output.wav", 0, None
    data = output.read_bytes()
    try:
        head = wav.head(data, len(data))
    except wav.NotAudio as error:
        return Outcome.BAD_AUDIO, str(error), 0, None
    fields = wire.Result(wire.RESULT_MAGIC, wire.Status.AUDIO, head.form, head.channels, head.sample_rate, 0, head.size)
    reason, clip = result.audio(fields, data[head.start : head.start + head.size])
    return (Outcome.OK if clip else Outcome.BAD_AUDIO), reason, 0, clip
