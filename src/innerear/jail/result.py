"""Read a child's result on the host, as untrusted bytes."""

from __future__ import annotations

import os
import signal
import warnings
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from innerear.clip import Clip, Samples
from innerear.jail.inside import wire
from innerear.jail.inside.wire import Result, Status
from innerear.records import Limits, Outcome

SAMPLE_RATES = (8_000, 192_000)
CHANNELS = (1, 2)
LOUDEST = 8.0
"""The largest |x| accepted: 18 dB above full scale."""

_OUTCOMES = {
    Status.ERROR: Outcome.ERROR,
    Status.EXIT_CODE: Outcome.EXIT_CODE,
    Status.NO_AUDIO: Outcome.NO_AUDIO,
    Status.BAD_AUDIO: Outcome.BAD_AUDIO,
    Status.OUT_OF_MEMORY: Outcome.OUT_OF_MEMORY,
    Status.FORBIDDEN: Outcome.FORBIDDEN,
    Status.PROVENANCE: Outcome.PROVENANCE,
}
_DTYPES = {"i16": "<i2", "i32": "<i4", "f32": "<f4", "f64": "<f8"}


def room(limits: Limits) -> int:
    """The most bytes a result can take: as much as the largest file that a program can write."""
    return max(limits.file_bytes, limits.log_bytes) + wire.RESULT.size + wire.REASON_BYTES


def clean(data: bytes) -> str:
    """Decode text so that it is safe to show: UTF-8 with replacement, no control characters but tab and newline."""
    text = data.rstrip(b"\0").decode("utf-8", "replace").replace("\r\n", "\n")
    return "".join(c for c in text if c in "\t\n" or (c.isprintable() or c == " "))


def read(
    descriptor: int, size: int, limits: Limits, cpu_s: float = 0.0
) -> tuple[Outcome, str, int | None, Clip | None]:
    """The outcome, its reason, the exit code and the sound from a result memfd of `size` bytes.

    An invalid result (the program called `os._exit`, or forged it) is `NO_AUDIO`. `cpu_s` is the CPU time used.
    """
    head = Result(*wire.RESULT.unpack(os.pread(descriptor, wire.RESULT.size, 0)))
    known = head.magic == wire.RESULT_MAGIC and head.status in list(Status)
    if not known or head.payload > size - wire.RESULT.size:
        return Outcome.NO_AUDIO, "the program left without coming to its end", 0, None
    status = Status(head.status)
    if status is not Status.AUDIO:
        reason = clean(os.pread(descriptor, min(head.payload, wire.REASON_BYTES), wire.RESULT.size))
        return *failed(status, head.exit_code, reason, cpu_s, limits), None
    reason, clip = audio(head, lambda count: os.pread(descriptor, count, wire.RESULT.size), limits)
    return (Outcome.OK if clip else Outcome.BAD_AUDIO), reason, 0, clip


def failed(status: Status, code: int, reason: str, cpu_s: float, limits: Limits) -> tuple[Outcome, str, int | None]:
    """Outcome, reason and exit code of a program that left no sound, from its child's claim."""
    if status is Status.KILLED:
        return killed(code & 0x7F, cpu_s, limits)
    return _OUTCOMES[status], reason, code & 0xFF if status in (Status.EXIT_CODE, Status.ERROR) else None


def audio(head: Result, payload: Callable[[int], bytes], limits: Limits) -> tuple[str, Clip | None]:
    """Return a reason and the sound; the sound is `None` if it cannot be used.

    With a sound, the reason says what is wrong with its file, if anything. `payload(n)` gives the first n bytes of
    the samples; it is called only if the header is valid and the sound is not too long, so that a long file takes no
    memory.
    """
    low, high = SAMPLE_RATES
    if not low <= head.sample_rate <= high:
        return f"the sample rate is {head.sample_rate} Hz, wanted {low} to {high}", None
    if head.channels not in CHANNELS:
        return f"the file has {head.channels} channels, wanted 1 or 2", None
    if head.form >= len(wire.FORMS):
        return f"sample format {head.form} is unknown", None
    frame = wire.WIDTHS[head.form] * head.channels
    frames = head.payload // frame
    if not frames:
        return "the file holds no samples", None
    duration_s = frames / head.sample_rate
    if isinstance(limits.sound_s, float) and duration_s > limits.sound_s:
        return f"the sound is {duration_s:.1f} s long, wanted at most {limits.sound_s:g} s", None
    data = payload(frames * frame)
    if len(data) != frames * frame:
        return "the file became shorter while it was read", None
    samples = samples_of(data, wire.FORMS[head.form])
    del data
    peak = float(max(samples.max(), -samples.min()))  # NaN if any sample is
    if not np.isfinite(peak):
        return "the samples hold NaN or infinity", None
    if peak > LOUDEST:
        return f"the largest sample is {peak:.3g}, wanted at most {LOUDEST:g} (full scale is 1)", None
    note = ""
    if head.promised // frame > frames:
        promised_s = head.promised // frame / head.sample_rate
        note = f"the file is cut off: its header promises {promised_s:.3f} s, it holds {duration_s:.3f} s"
    return note, Clip(np.ascontiguousarray(samples.reshape(-1, head.channels).T), head.sample_rate)


def samples_of(data: bytes, form: str) -> Samples:
    """Convert interleaved samples to float32; integers are divided by full scale, 2^(bits-1).

    >>> samples_of(bytes([0, 128, 255]), "u8").tolist()
    [-1.0, 0.0, 0.9921875]
    """
    if form == "u8":
        samples = np.frombuffer(data, np.uint8).astype(np.float32)
        samples -= np.float32(128)
        samples /= np.float32(128)
        return samples
    if form == "i24":
        wide: NDArray[np.uint8] = np.zeros((len(data) // 3, 4), np.uint8)
        wide[:, 1:] = np.frombuffer(data, np.uint8).reshape(-1, 3)
        return _scaled(wide.view("<i4")[:, 0])
    words = np.frombuffer(data, _DTYPES[form])
    if words.dtype.kind == "i":
        return _scaled(words)
    with warnings.catch_warnings(), np.errstate(over="ignore", invalid="ignore"):
        return words.astype(np.float32)


def _scaled(words: NDArray[np.signedinteger]) -> Samples:
    full_scale = float(1 << (8 * words.dtype.itemsize - 1))
    return (words / full_scale).astype(np.float32)


def killed(number: int, cpu_s: float, limits: Limits) -> tuple[Outcome, str, int | None]:
    """Outcome, reason and exit code of a program that was killed by a signal."""
    # The kernel enforces the limit by counting ticks, which on a busy virtual machine run ahead of the time it
    # reports afterwards: a limit of 1 s was seen to end at 0.87 s.
    if number in (signal.SIGKILL, signal.SIGXCPU) and cpu_s >= 0.7 * limits.cpu_s:
        return Outcome.CPU_LIMIT, f"more than {limits.cpu_s:g} s of CPU", None
    if number == signal.SIGKILL:
        return Outcome.OUT_OF_MEMORY, "killed by the kernel, which had no memory left", None
    if number == signal.SIGSYS:
        return Outcome.FORBIDDEN, "a system call by another way than this machine's own (SIGSYS)", None
    return Outcome.EXIT_CODE, f"killed by {signal_name(number)}", -number


def signal_name(number: int) -> str:
    """The name of a signal; most real-time signals only have a number.

    >>> signal_name(11), signal_name(40)
    ('SIGSEGV', 'signal 40')
    """
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
