"""The tier `off`: no jail. A plain `python program.py` (or `csound`, `node`) with limits, only on request.

On the track `scratch`, imports find only the standard library, NumPy and SciPy. That keeps honest programs to the
track, but a program that wants to can read any file and load any library.
"""

from __future__ import annotations

import contextlib
import os
import signal
import stat
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from innerear.clip import Clip
from innerear.jail import result
from innerear.jail.base import JailResult
from innerear.jail.inside import judge, wav, wire
from innerear.jail.inside.commands import mended, words
from innerear.jail.inside.wire import OUTPUT, PROGRAM
from innerear.jail.start import runtime
from innerear.jail.tools import tool
from innerear.languages import Language
from innerear.records import Limits, Outcome, Track

_NO_OUTPUT = "the program left no output.wav"
# Set by the shell, so that no Python runs between fork and exec; macOS refuses -v.
_LIMITED = 'ulimit -t {cpu}; ulimit -f {blocks}; ulimit -v {kib} 2>/dev/null; {more}exec "$0" "$@"'
_LIMITED_DATA = "ulimit -d {kib}; "

# Python imports a module of this name when it starts.
_CUSTOM = "sitecustomize.py"
_ONLY = """
import importlib.util, os, sys, sysconfig
standard = {sysconfig.get_path(name) for name in ("stdlib", "platstdlib")}
standard |= {sysconfig.get_path(name, vars=BEHIND) for name in ("stdlib", "platstdlib")}
packages = ("site-packages", "dist-packages")
sys.path[:] = [
    p for p in sys.path
    if p.endswith(".zip") or p in standard or os.path.dirname(p) in standard and not p.endswith(packages)
]
class Packages:
    def find_spec(name, path=None, target=None):
        if folder := FOLDERS.get(name):
            file = os.path.join(folder, "__init__.py")
            return importlib.util.spec_from_file_location(name, file, submodule_search_locations=[folder])
sys.meta_path[:] = [finder for finder in sys.meta_path if "_frozen_importlib" in str(finder)] + [Packages]
"""


class PlainJail:
    """A `Jail` that isolates nothing: the program is one of the user's own processes."""

    def __init__(self, facts: dict[str, Any], track: Track = "scratch", language: Language = "python") -> None:
        self.facts = facts
        self._tool = None if language == "python" else tool(language)
        self._only = ""
        if track == "scratch" and not self._tool:
            behind = {"base": sys.base_prefix, "platbase": sys.base_exec_prefix}
            self._only = f"FOLDERS, BEHIND = {dict(runtime().packages)!r}, {behind!r}\n{_ONLY}"

    def run(self, code: str, limits: Limits, seed: int = 0, audited: bool = True) -> JailResult:
        """Run one program to its end, without auditing or seeding; see `base.Jail`."""
        with tempfile.TemporaryDirectory(prefix="innerear-plain-") as place, tempfile.TemporaryFile() as log:
            folder, first = Path(place, "work"), Path(place, "first")
            folder.mkdir()
            name = self._tool.file if self._tool else PROGRAM
            Path(folder, name).write_bytes(code.encode("utf-8", "surrogatepass"))
            environment = os.environ | {"PYTHONHASHSEED": "0"}
            if self._only:
                first.mkdir()
                Path(first, _CUSTOM).write_text(self._only)
                environment["PYTHONPATH"] = str(first)
            commands = [[sys.executable, PROGRAM]]
            if self._tool:
                environment |= dict(self._tool.environment)
                steps = range(len(self._tool.commands))
                commands = [words(self._tool, step, seed, limits.memory_bytes) for step in steps]
            begin, cpu_s, rss = time.monotonic(), 0.0, 0
            for command in commands:
                process = subprocess.Popen(
                    ["/bin/sh", "-c", self._script(limits, cpu_s), *command],
                    cwd=folder,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    env=environment,
                    start_new_session=True,
                )
                status, used_s, used = _wait(process, begin + limits.wall_s)
                cpu_s, rss = cpu_s + used_s, max(rss, used)
                if status != 0:
                    break
            wall_s = time.monotonic() - begin
            log.seek(0)
            told = log.read(limits.log_bytes)
            text = result.clean(mended(told, str(folder)) if self._tool else told)
            output = Path(folder, OUTPUT)
            if self._tool and status:
                found = judge.judge(self._tool.language, status, text)
                outcome, reason, exit_code = result.failed(*found, cpu_s=cpu_s, limits=limits)
                return JailResult(outcome, reason, text, exit_code, wall_s, cpu_s, rss)
            outcome, reason, exit_code, clip = _judge(status, text, cpu_s, limits, output)
            return JailResult(outcome, reason, text, exit_code, wall_s, cpu_s, rss, clip)

    def _script(self, limits: Limits, used_s: float) -> str:
        """The shell's words that limit a command; `used_s` is the CPU time of the commands before it."""
        reserved = self._tool.reserved if self._tool else 0
        return _LIMITED.format(
            cpu=max(1, round(limits.cpu_s - used_s + 0.499)),
            blocks=limits.file_bytes // 512,
            kib=(limits.memory_bytes + reserved) >> 10,
            more=_LIMITED_DATA.format(kib=limits.memory_bytes >> 10) if self._tool else "",
        )

    def close(self) -> None:
        """Do nothing: no process outlives `run`."""


def _wait(process: subprocess.Popen[bytes], deadline: float) -> tuple[int | None, float, int]:
    """Wait for a process and kill its group; return the wait status (`None`: timed out), CPU seconds, peak bytes."""
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
    try:
        file = os.open(output, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:  # missing, a link, or unreadable
        return Outcome.NO_AUDIO, _NO_OUTPUT, 0, None
    try:
        return read_output(file, limits)
    finally:
        os.close(file)


def read_output(file: int, limits: Limits) -> tuple[Outcome, str, int | None, Clip | None]:
    """The outcome, its reason, the exit code and the sound in a program's output file, given as a descriptor."""
    info = os.fstat(file)
    if not stat.S_ISREG(info.st_mode) or not info.st_size:
        return Outcome.NO_AUDIO, _NO_OUTPUT, 0, None
    try:
        head = wav.head(os.pread(file, wav.HEAD_BYTES, 0), info.st_size)
    except wav.NotAudio as error:
        return Outcome.BAD_AUDIO, str(error), 0, None
    fields = wire.Result(
        wire.RESULT_MAGIC, wire.Status.AUDIO, head.form, head.channels, head.sample_rate, 0, head.size, head.promised
    )
    reason, clip = result.audio(fields, lambda count: os.pread(file, count, head.start), limits)
    return (Outcome.OK if clip else Outcome.BAD_AUDIO), reason, 0, clip
