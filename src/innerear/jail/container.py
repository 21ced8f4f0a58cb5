"""The tiers `docker` and `podman`: one long-lived container per worker, with the tier `ll` inside.

The same package serves inside (`python -m innerear.jail.serve`). File descriptors cannot be passed to a virtual
machine, so programs and sounds travel as length-prefixed msgpack over stdin and stdout.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import select
import subprocess
import tempfile
import time
from typing import IO, Any

import msgspec

from innerear.errors import JailFailure
from innerear.jail import result
from innerear.jail.base import JailResult
from innerear.jail.inside import wire
from innerear.jail.messages import Answer, Ask
from innerear.records import Limits, Outcome, Track

IMAGE = "INNEREAR_JAIL_IMAGE"
"""The environment variable that names the image."""
DEFAULT_IMAGE = "innerear-jail"
_GRACE_S = 10.0
_START_S = 60.0
_numbers = itertools.count()


def isolated(engine: str) -> list[str]:
    """How the engine runs a container: no network, read-only except a small /tmp, no privileges.

    >>> " ".join(isolated("podman")[:5])
    'podman run --rm --interactive --network=none'
    """
    # Engines ask for higher limits of files and processes than some machines allow; a program needs neither.
    rlimits = ("--ulimit=core=0", "--ulimit=nofile=1024:1024", "--ulimit=nproc=1000:1000")
    limits = ("--pids-limit=64", "--memory=4g", "--memory-swap=4g", *rlimits)
    return [
        *(engine, "run", "--rm", "--interactive", "--network=none", "--read-only", "--cap-drop=ALL"),
        *("--security-opt=no-new-privileges", "--user=65534:65534", "--ipc=private", *limits),
        *("--tmpfs=/tmp:rw,nosuid,nodev,noexec,size=128m,mode=1777", "--workdir=/", "--env=HOME=/tmp"),
    ]


def command(engine: str, track: Track = "scratch", image: str = "") -> list[str]:
    """The engine's command line for one worker.

    `image` is by default the one that INNEREAR_JAIL_IMAGE names, else `innerear-jail`.
    """
    name = f"--name=innerear-jail-{os.getpid()}-{next(_numbers)}"
    image = image or os.environ.get(IMAGE, DEFAULT_IMAGE)
    return [*isolated(engine), name, image, "python3", "-m", "innerear.jail.serve", track]


def cause(said: str) -> str:
    """The cause of a failure, from the engine's stderr.

    >>> cause("docker: Cannot connect to the Docker daemon.\\nSee 'docker run --help'.")
    'docker: Cannot connect to the Docker daemon.'
    """
    lines = [line.strip() for line in said.splitlines() if line.strip() and "--help'" not in line]
    return lines[-1] if lines else "it printed nothing"


class ContainerJail:
    """A `Jail` whose zygote lives in a container."""

    def __init__(self, command: list[str], facts: dict[str, Any]) -> None:
        self.facts = dict(facts)
        self._command = command
        self._process: subprocess.Popen[bytes] | None = None
        self._errors: IO[bytes] | None = None

    def run(self, code: str, limits: Limits, seed: int = 0, audited: bool = True) -> JailResult:
        """Run one program to its end; see `base.Jail`."""
        ask = msgspec.msgpack.encode(Ask(code.encode("utf-8", "surrogatepass"), limits, seed % (1 << 64), audited))
        failures = []
        for _ in range(2):
            try:
                return self._try(ask, limits)
            except (OSError, EOFError, msgspec.MsgspecError) as error:
                failures.append(f"{error} ({self._said()})")
                self.close()
        raise JailFailure(f"the container failed twice on a program: {failures[-1]}")

    def _said(self) -> str:
        """The cause given on the engine's stderr."""
        if self._errors is None:
            return "nothing was started"
        self._errors.seek(0)
        return cause(result.clean(self._errors.read(1 << 16)))

    def _try(self, ask: bytes, limits: Limits) -> JailResult:
        if self._process is None:
            self._errors = tempfile.TemporaryFile()  # noqa: SIM115
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._errors,
                start_new_session=True,
            )
            inside = msgspec.msgpack.decode(self._receive(_START_S, 1 << 16), type=dict[str, str | int])
            self.facts["inside"] = inside
        assert self._process.stdin is not None
        self._process.stdin.write(len(ask).to_bytes(8, "little") + ask)
        self._process.stdin.flush()
        # 8-bit samples arrive as float32, four times the size; then the log and the reason.
        most = 4 * result.room(limits) + 4 * limits.log_bytes + (1 << 16)
        answer = msgspec.msgpack.decode(self._receive(limits.wall_s + _GRACE_S, most), type=Answer)
        if answer.failure:
            raise OSError(answer.failure)
        return _ran(answer, limits)

    def _receive(self, seconds: float, most: int) -> bytes:
        assert self._process is not None
        assert self._process.stdout is not None
        deadline = time.monotonic() + seconds
        size = int.from_bytes(_read(self._process.stdout, 8, deadline), "little")
        if size > most:
            raise OSError(f"the container sent {size} bytes, wanted at most {most}")
        return _read(self._process.stdout, size, deadline)

    def close(self) -> None:
        """Stop the container by closing its stdin."""
        if self._process is None:
            return
        for pipe in (self._process.stdin, self._process.stdout, self._errors):
            with contextlib.suppress(OSError):
                if pipe:
                    pipe.close()
        try:
            self._process.wait(5.0)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None


def _ran(answer: Answer, limits: Limits) -> JailResult:
    outcome, reason, clip = answer.outcome, result.clean(answer.reason.encode()), None
    if outcome is Outcome.OK:
        form = wire.FORMS.index("f32")
        head = wire.Result(b"", wire.Status.AUDIO, form, answer.channels, answer.sample_rate, 0, len(answer.samples))
        why, clip = result.audio(head, lambda count: answer.samples[:count], limits)
        if clip is None:
            outcome, reason = Outcome.BAD_AUDIO, why
    log = result.clean(answer.log.encode())
    return JailResult(outcome, reason, log, answer.exit_code, answer.wall_s, answer.cpu_s, answer.memory_bytes, clip)


def _read(pipe: IO[bytes], size: int, deadline: float) -> bytes:
    data = bytearray()
    while len(data) < size:
        if not select.select([pipe], [], [], max(0.0, deadline - time.monotonic()))[0]:
            raise TimeoutError("the container did not answer in time")
        piece = os.read(pipe.fileno(), min(1 << 20, size - len(data)))
        if not piece:
            raise EOFError("the container exited")
        data += piece
    return bytes(data)
