"""Run a program that is not Python: its tools, one after the other, each in a process of its own.

The child forks a process for each command. That process takes a filter of its own (`seccomp.program(tool=True)`) and
becomes the tool. The child only copies its output into the log and waits. Then it loads its own filter, and only then
looks at what the program left.
"""

from __future__ import annotations

import os
import resource
import select
import time
from collections.abc import Callable

from innerear.jail.inside import judge, linux, runner
from innerear.jail.inside.commands import Tool, mended, words
from innerear.jail.inside.wire import Request

THREADS = 24
"""How many threads a tool may have; in `ll` they are not counted, and its memory limits them."""
_PIECE = 1 << 16
_SIGKILL = 9


def place(tool: Tool, source: int, made: bool) -> None:
    """Write the program to its file in the working folder; with `made`, also make the files of its commands."""
    file = os.open(tool.file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400)
    while piece := os.read(source, _PIECE):
        os.write(file, piece)
    os.close(file)
    for name in tool.made if made else ():
        os.close(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))


def run(tool: Tool, request: Request, filter_: Callable[[], None], protect: Callable[[], None]) -> None:
    """Run the commands until one fails, write the result, exit. Never returns.

    Args:
        tool: what to run.
        request: seed and limits; CPU time is that of all commands together.
        filter_: loads the tools' filter, in the process that will be the tool.
        protect: loads this process's filter; called before it looks at anything that the program left.
    """
    status = 0
    deadline = time.monotonic() + request.wall_ms / 1000
    for step in range(len(tool.commands)):
        status = _step(tool, words(tool, step, request.seed, request.memory_bytes), request, deadline, filter_)
        if status:
            break
    protect()
    runner.report(*judge.judge(tool.language, status, _rewrite(request.log_bytes)))
    os._exit(0)


def _step(tool: Tool, command: list[str], request: Request, deadline: float, filter_: Callable[[], None]) -> int:
    """Run one command to its end and copy its output; return its wait status."""
    parent = os.getpid()
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = max(1, request.cpu_s - int(before.ru_utime + before.ru_stime))
    source, target = os.pipe()
    pid = os.fork()
    if not pid:
        try:
            os.dup2(target, 1)
            os.dup2(target, 2)
            os.closerange(3, 1 << 10)
            linux.prctl(linux.PR_SET_PDEATHSIG, _SIGKILL)
            if os.getppid() == parent:
                resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, cpu_s))
                resource.setrlimit(resource.RLIMIT_DATA, (request.memory_bytes, request.memory_bytes))
                filter_()
                os.execve(command[0], command, dict(tool.environment))
        except OSError as error:
            os.write(2, f"the jail could not run {command[0]}: {error}\n".encode())
        finally:
            os._exit(127)
    os.close(target)
    _wait_for(source, pid, deadline)
    while piece := os.read(source, _PIECE):
        room = request.log_bytes - os.lseek(runner.LOG, 0, os.SEEK_CUR)
        if room > 0:
            os.write(runner.LOG, piece[:room])
        _wait_for(source, pid, deadline)
    os.close(source)
    ended = os.pidfd_open(pid)
    _wait_for(ended, pid, deadline)
    os.close(ended)
    return os.waitpid(pid, 0)[1]


def _wait_for(descriptor: int, pid: int, deadline: float) -> None:
    """Wait until there is something to read; past the deadline, kill the tool and exit.

    The zygote would kill both, but the CPU time of a process is only known to a parent that outlives it.
    """
    if not select.select([descriptor], [], [], max(0.0, deadline - time.monotonic()))[0]:
        os.kill(pid, _SIGKILL)
        os.waitpid(pid, 0)
        os._exit(0)


def _rewrite(size: int) -> str:
    """Mend the log in its place; return its text."""
    told = os.pread(runner.LOG, min(size, os.lseek(runner.LOG, 0, os.SEEK_CUR)), 0)
    told = mended(told, os.getcwd())  # noqa: PTH109
    os.pwrite(runner.LOG, told, 0)
    os.lseek(runner.LOG, len(told), os.SEEK_SET)
    return told.decode("utf-8", "replace")
