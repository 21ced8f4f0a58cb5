"""The jail as an Inspect sandbox: it runs one program at a time, which makes one sound.

It is not a machine with a shell. Written files are kept outside the jail, per sample. `exec` supports
`python FILE` and `python -c CODE`: it runs the program alone in the jail and stores its sound as
`output.wav`. Programs see no files but themselves. Everything else fails with a clear message.
"""

from __future__ import annotations

import io
import os
import posixpath
import shlex
import tempfile
import threading
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import anyio
from inspect_ai.util import (
    ExecResult,
    OutputLimitExceededError,
    SandboxEnvironment,
    SandboxEnvironmentLimits,
    sandboxenv,
)
from pydantic import BaseModel, ConfigDict

from innerear.languages import Language
from innerear.records import Track

if TYPE_CHECKING:
    from innerear import records
    from innerear.records import Program
    from innerear.render.workshop import Workshop

try:
    from inspect_ai.util import SandboxUserUnsupportedError
except ImportError:  # before 0.3.275

    class SandboxUserUnsupportedError(RuntimeError):  # type: ignore[no-redef]
        """There is one user."""


SOUND = "output.wav"
NOT_FOUND, NOT_RUN, TIMED_OUT = 127, 126, 124  # exit codes of a shell
ONLY = "this sandbox only runs a Python program: `python FILE` or `python -c CODE`"


class JailConfig(BaseModel):
    """How programs run: the options of `innerear render`, with the same defaults."""

    model_config = ConfigDict(frozen=True)
    jail: str = "auto"
    track: Track = "scratch"
    language: Language = "python"
    seed: int = 0
    cpu_s: float = 180.0
    wall_s: float = 240.0
    memory_mb: int = 2048

    def limits(self) -> records.Limits:
        """The limits as used in keys and rows."""
        from innerear.records import Limits

        return Limits(self.cpu_s, self.wall_s, self.memory_mb << 20)


class Shop:
    """The workshop shared by all samples with the same configuration: jails, rows and sounds."""

    def __init__(self, config: JailConfig) -> None:
        from innerear.jail import open_jail
        from innerear.render.workshop import Workshop

        self.config, self.users = config, 0
        self._folder = tempfile.TemporaryDirectory(prefix="innerear-inspect-")
        self.audio = Path(self._folder.name) / "audio"
        self.workshop: Workshop = Workshop(
            Path(self._folder.name) / "renders",
            self.audio,
            config.limits(),
            config.seed,
            config.track,
            partial(open_jail, config.jail, config.track),
            os.cpu_count() or 1,
            config.language,
        ).__enter__()

    def close(self) -> None:
        """Stop the jails and delete the renders, which are in the log."""
        self.workshop.__exit__(None, None, None)
        self._folder.cleanup()


@sandboxenv(name="innerear")
class JailSandbox(SandboxEnvironment):
    """One sample's view of the jail."""

    _shops: ClassVar[dict[JailConfig, Shop]] = {}
    _lock: ClassVar[threading.Lock] = threading.Lock()

    def __init__(self, shop: Shop) -> None:
        super().__init__()
        self._shop = shop
        self._files: dict[str, bytes] = {}

    @classmethod
    async def task_init(cls, task_name: str, config: Any) -> None:
        """Open the jail, so that the task fails before the first request if this machine cannot isolate programs."""
        await anyio.to_thread.run_sync(cls._enter, _config(config))

    @classmethod
    def _enter(cls, config: JailConfig) -> None:
        with cls._lock:
            if config not in cls._shops:
                cls._shops[config] = Shop(config)
            cls._shops[config].users += 1

    @classmethod
    async def task_cleanup(cls, task_name: str, config: Any, cleanup: bool) -> None:
        """Close the jail after its last task."""
        with cls._lock:
            shop = cls._shops.get(_config(config))
            if shop is None:
                return
            shop.users -= 1
            if shop.users <= 0:
                del cls._shops[shop.config]
                shop.close()

    @classmethod
    async def sample_init(cls, task_name: str, config: Any, metadata: dict[str, str]) -> dict[str, SandboxEnvironment]:
        """The sample's own files, on the shared jail."""
        return {"default": cls(cls._shops[_config(config)])}

    @classmethod
    async def sample_cleanup(
        cls, task_name: str, config: Any, environments: dict[str, SandboxEnvironment], interrupted: bool
    ) -> None:
        """Nothing outlives its program."""

    @classmethod
    def config_deserialize(cls, config: dict[str, Any]) -> BaseModel:
        """As it stands in a log."""
        return JailConfig(**config)

    @property
    def audio(self) -> Path:
        """Where the sounds lie."""
        return self._shop.audio

    @property
    def track(self) -> Track:
        """What programs may use."""
        return self._shop.config.track

    def run(self, program: Program) -> records.Render:
        """Render a program; thread-safe, and each program runs only once.

        Raises:
            JailFailure: the jail itself failed.
        """
        return self._shop.workshop.render(program)

    async def exec(
        self,
        cmd: list[str],
        input: str | bytes | None = None,
        cwd: str | None = None,
        env: dict[str, str] | None = None,
        user: str | None = None,
        timeout: int | None = None,
        timeout_retry: bool = True,
        concurrency: bool = True,
    ) -> ExecResult[str]:
        """Run one Python program. `stdout` has its output, stdout and stderr interleaved.

        The program's limits are those of the configuration; `timeout` only ends the wait. Other commands, and
        programs with input, an environment or a working directory, are not run; `stderr` says so.

        Raises:
            SandboxUserUnsupportedError: a user is named.
            TimeoutError: the program did not end within `timeout`.
        """
        if user is not None:
            raise SandboxUserUnsupportedError(f"no user {user!r}: programs run as a single unprivileged user")
        code = self._code(cmd)
        if code is None:
            return ExecResult(False, NOT_FOUND, "", f"{shlex.join(cmd)}: {ONLY}")
        if env or input or cwd not in (None, "", "."):
            return ExecResult(False, NOT_RUN, "", f"{ONLY}; it takes no input, no environment, no working directory")
        from innerear.records import Outcome, Program

        with anyio.fail_after(timeout):
            row = await anyio.to_thread.run_sync(self.run, Program(code), abandon_on_cancel=True)
        self._files.pop(_name(SOUND), None)
        if row.audio:
            self._files[_name(SOUND)] = await anyio.to_thread.run_sync(_wave, row, self.audio)
        ended = row.outcome in (Outcome.OK, Outcome.NO_AUDIO, Outcome.BAD_AUDIO)
        exit_code = row.exit_code or (0 if ended else TIMED_OUT if row.outcome == Outcome.TIMED_OUT else 1)
        return ExecResult(exit_code == 0, exit_code, row.log, row.reason)

    def _code(self, cmd: list[str]) -> str | None:
        match cmd:
            case ["python" | "python3", "-c", code]:
                return code
            case ["python" | "python3", file] if (kept := self._files.get(_name(file))) is not None:
                return kept.decode("utf-8", "replace")
            case _:
                return None

    async def write_file(self, file: str, contents: str | bytes) -> None:
        """Keep a file for this sample."""
        name = _name(file)
        if any(kept.startswith(f"{name}/") for kept in self._files):
            raise IsADirectoryError(file)
        self._files[name] = contents.encode() if isinstance(contents, str) else contents

    async def read_file(self, file: str, text: bool = True) -> Any:
        """Read a written file, or the sound of the last program."""
        name = _name(file)
        if any(kept.startswith(f"{name}/") for kept in self._files):
            raise IsADirectoryError(file)
        if name not in self._files:
            raise FileNotFoundError(f"{file} was not written; the only file that leaves the jail is {SOUND}")
        contents = self._files[name]
        if len(contents) > SandboxEnvironmentLimits.MAX_READ_FILE_SIZE:
            raise OutputLimitExceededError(SandboxEnvironmentLimits.MAX_READ_FILE_SIZE_STR, None)
        return contents.decode() if text else contents


def _config(config: Any) -> JailConfig:
    """The configuration of a task; `--sandbox innerear` alone means the defaults.

    Raises:
        ValueError: it is a file, as for a container.
    """
    if config is None:
        return JailConfig()
    if isinstance(config, JailConfig):
        return config
    raise ValueError(f"the sandbox innerear takes no configuration file, got {config!r}; set its options with -T")


def _name(file: str) -> str:
    return posixpath.normpath(posixpath.join("/work", file))


def _wave(render: records.Render, audio: Path) -> bytes:
    """The sound at the level that the program wrote, as a float WAV."""
    import soundfile

    from innerear.render.render import load

    clip = load(render, audio)
    buffer = io.BytesIO()
    soundfile.write(buffer, clip.samples.T, clip.sample_rate, format="WAV", subtype="FLOAT")
    return buffer.getvalue()
