"""Audio clips in memory, read from and written to files.

A `Clip` is float32 of shape (channels, samples). All metrics use the mean of the channels, resampled
with soxr's HQ setting.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Literal

import numpy as np
from numpy.typing import NDArray

from innerear import markup
from innerear.errors import AudioError

if TYPE_CHECKING:
    from soundfile import SoundFile

Samples = NDArray[np.float32]

_WHOLE = 0.99  # least share of the declared samples that a file must hold: the length of an MP3 may be an estimate
UNKNOWN_LENGTH = 0x7FFF_F000  # sizes from here on mean "length unknown", as in `jail.inside.wav`
_BLOCK = 1 << 20  # samples per channel: 24 s at 44.1 kHz
SHOWN_S, SHOWN_HZ = 30.0, 48_000
"""What of a clip a notebook shows: at most 5.8 MB."""


@dataclass(frozen=True, eq=False, slots=True)
class Clip:
    """Audio in memory: float32, nominally in [-1, 1], shape (channels, samples)."""

    samples: Samples
    sample_rate: int  # Hz

    def __post_init__(self) -> None:
        if self.samples.ndim != 2 or self.samples.shape[0] > 8:
            raise AudioError(
                f"the shape is {self.samples.shape}, wanted (channels, samples) with at most 8 channels; "
                "after soundfile.read(..., always_2d=True), pass samples.T"
            )
        if self.samples.dtype != np.float32:
            raise AudioError(f"the samples are {self.samples.dtype}, wanted float32")
        if self.sample_rate <= 0:
            raise AudioError(f"the sample rate is {self.sample_rate}, wanted a positive number of hertz")

    @property
    def duration_s(self) -> float:
        """Duration in seconds."""
        return float(self.samples.shape[1] / self.sample_rate)

    @property
    def mono(self) -> Samples:
        """The mean of the channels, shape (samples,)."""
        mono: Samples = self.samples[0]
        if self.samples.shape[0] > 1:
            mono = np.add.reduce(self.samples, axis=0) / np.float32(self.samples.shape[0])
        return mono

    def at(self, sample_rate: int) -> Samples:
        """The mono signal resampled to `sample_rate` in hertz, shape (samples,)."""
        if sample_rate == self.sample_rate:
            return self.mono
        import soxr

        return np.asarray(soxr.resample(self.mono, self.sample_rate, sample_rate, quality="HQ"), dtype=np.float32)

    def _repr_html_(self) -> str:
        """A player for notebooks: the first `SHOWN_S` seconds, mixed to at most two channels, as FLAC of 16 bits."""
        peak = float(np.abs(self.samples).max(initial=0.0))
        about = f"{self.duration_s:.2f} s, {self.sample_rate} Hz, {len(self.samples)} channels, peak {peak:.3g}"
        if not self.samples.size or not np.isfinite(peak):
            return markup.facts({"clip": f"{about}: nothing to play"})
        rate = min(self.sample_rate, SHOWN_HZ)
        shown = self.samples if len(self.samples) <= 2 else self.mono[np.newaxis]
        shown = shown[:, : int(SHOWN_S * self.sample_rate)] / np.float32(max(1.0, peak))
        if rate != self.sample_rate:
            import soxr

            shown = soxr.resample(shown.T, self.sample_rate, rate).T
        import soundfile

        buffer = io.BytesIO()
        soundfile.write(buffer, np.clip(shown, -1, 1).T, rate, format="FLAC", subtype="PCM_16")
        cut = f"; the first {SHOWN_S:g} s are here" if self.duration_s > SHOWN_S else ""
        return markup.player(buffer.getvalue(), "audio/flac", about + cut)


def read(source: Path | str | BinaryIO) -> Clip:
    """Read a WAV, FLAC, OGG or MP3 file with all channels, at its own sample rate.

    Raises:
        AudioError: the file is missing, not audio, empty or cut off, or holds NaN or infinity.
    """
    with _opened(source) as (file, name):
        blocks = [_unit(block).T for block in _decoded(file, name)]
        return Clip(np.ascontiguousarray(np.concatenate(blocks, axis=1)), int(file.samplerate))


def read_mono(source: Path | str | BinaryIO, sample_rate: int) -> Clip:
    """Read a file as mono at a sample rate in hertz.

    Equal to `read(source).at(sample_rate)` sample for sample, but faster and with less memory: long files
    are decoded, mixed and resampled block by block.

    Raises:
        AudioError: see `read`.
    """
    return Clip(np.concatenate(list(stream_mono(source, sample_rate)))[np.newaxis], sample_rate)


def stream_mono(source: Path | str | BinaryIO, sample_rate: int) -> Iterator[Samples]:
    """The samples of `read_mono` in blocks, for files of any length.

    Raises:
        AudioError: see `read`; for a file that is cut off, after the blocks before the cut.
    """
    import soxr

    with _opened(source) as (file, name):
        mono = (_mixed(block) for block in _decoded(file, name))
        if file.samplerate == sample_rate:
            yield from mono
        elif file.frames <= _BLOCK:
            samples = soxr.resample(np.concatenate(list(mono)), file.samplerate, sample_rate, quality="HQ")
            yield np.asarray(samples, dtype=np.float32)
        else:
            stream = soxr.ResampleStream(file.samplerate, sample_rate, 1, dtype="float32", quality="HQ")
            for block in mono:
                yield stream.resample_chunk(block)
            yield stream.resample_chunk(np.zeros(0, dtype=np.float32), last=True)


@contextmanager
def _opened(source: Path | str | BinaryIO) -> Iterator[tuple[SoundFile, str]]:
    import soundfile

    name = str(source) if isinstance(source, str | Path) else "the stream"
    try:
        with soundfile.SoundFile(source) as file:
            _refuse_cut_off(source, name)
            yield file, name
    except (
        soundfile.LibsndfileError,
        OSError,
        UnicodeEncodeError,
    ) as error:  # the last for a name that cannot be encoded
        raise AudioError(f"{name} cannot be read as audio: {error}") from error


def _refuse_cut_off(source: Path | str | BinaryIO, name: str) -> None:
    """Refuse a WAV or AIFF file that is shorter than its header says; libsndfile reads it as a shorter file.

    Call it after libsndfile has opened the file: a stream is left at its position.
    """
    if isinstance(source, str | Path):
        with Path(source).open("rb") as file:
            sizes = _samples_chunk(file)
    else:
        position = source.tell()
        sizes = _samples_chunk(source)
        source.seek(position)
    if sizes is None:
        return
    promised, actual = sizes
    if actual < _WHOLE * promised and promised < UNKNOWN_LENGTH:
        raise AudioError(f"{name} is cut off: its header promises {promised} bytes of samples, it holds {actual}")


def _samples_chunk(file: BinaryIO) -> tuple[int, int] | None:
    """Bytes of samples declared in the header of a WAV or AIFF file, and bytes present; `None` for other formats."""
    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    head = file.read(12)
    order: Literal["little", "big"] = "little" if head[:4] == b"RIFF" else "big"
    if head[:4] not in (b"RIFF", b"RIFX", b"FORM") or head[8:] not in (b"WAVE", b"AIFF", b"AIFC"):
        return None
    position = 12
    while position + 8 <= size:
        file.seek(position)
        head = file.read(8)
        length = int.from_bytes(head[4:], order)
        position += 8
        if head[:4] in (b"data", b"SSND"):
            return length, size - position
        position += length + length % 2
    return None


def _decoded(file: SoundFile, name: str) -> Iterator[NDArray[Any]]:
    """Blocks of shape (samples, channels): int16 for 16-bit PCM, else float32."""
    if file.channels > 8:
        raise AudioError(f"{name} has {file.channels} channels, wanted at most 8")
    kind = "int16" if file.subtype == "PCM_16" else "float32"
    seen = 0
    while len(block := file.read(_BLOCK, dtype=kind, always_2d=True)):
        if kind == "float32" and not np.isfinite(block).all():
            raise AudioError(f"{name} holds NaN or infinity; wanted finite samples")
        seen += len(block)
        yield block
    if not seen:
        raise AudioError(f"{name} holds no samples")
    if seen < _WHOLE * file.frames:
        raise AudioError(f"{name} is cut off or damaged: {seen} of {file.frames} samples can be decoded")


def _unit(block: NDArray[Any]) -> Samples:
    return block if block.dtype == np.float32 else block * np.float32(1 / 32768)


def _mixed(block: NDArray[Any]) -> Samples:
    """The mean of the channels; adding columns is several times faster than a mean over a short axis."""
    total = block[:, 0].astype(np.float32)
    for channel in range(1, block.shape[1]):
        total += block[:, channel]
    total /= np.float32(block.shape[1] * (1 if block.dtype == np.float32 else 32768))
    return total


def flac(clip: Clip) -> tuple[bytes, float]:
    """The clip as 24-bit FLAC, and the factor its samples were divided by (1 unless some |x| > 1).

    Raises:
        AudioError: FLAC cannot store it: no samples, or a sample rate above 655,350 Hz.
    """
    import soundfile

    peak = float(np.abs(clip.samples).max(initial=0.0))
    factor = max(1.0, peak)
    stored = clip.samples if factor == 1.0 else clip.samples / np.float32(factor)
    buffer = io.BytesIO()
    try:
        soundfile.write(buffer, stored.T, flac_rate(clip.sample_rate), format="FLAC", subtype="PCM_24")
    except soundfile.LibsndfileError as error:
        raise AudioError(f"{clip.samples.shape} samples at {clip.sample_rate} Hz are no FLAC: {error}") from error
    return buffer.getvalue(), factor


def flac_rate(sample_rate: int) -> int:
    """The sample rate in hertz to write into a FLAC file.

    Above 65,535 Hz a FLAC frame stores the rate in tens of hertz (RFC 9639, 9.1.2), so it is rounded; the
    samples do not change. 5 Hz in 65,536 Hz are 0.13 cents.

    >>> flac_rate(44_100), flac_rate(131_072)
    (44100, 131070)
    """
    return sample_rate if sample_rate <= 65_535 else round(sample_rate, -1)
