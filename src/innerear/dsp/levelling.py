"""Level out what says nothing about a sound, so that recordings and programs can be compared.

A file shows where it comes from by its sample rate, loudness, padding, clipping, length and codec. A
classifier that is asked which sounds are recordings finds these first. `cuts` sends every sound, real or
made, down the same road: one band, one level, one clipping, one codec. It also cuts each to a few lengths, so
that two sounds can be compared at a length that both fill.
"""

from __future__ import annotations

import io

import numpy as np

from innerear.clip import Clip, Samples

SAMPLE_RATE = 16_000  # Hz
LOW_HZ, HIGH_HZ = 60.0, 7_000.0  # what the narrowest sources (16 kHz, MP3) still have
LENGTHS = (0.5, 1.0, 2.0)  # s, at which sounds are compared
BLOCK = 320  # samples, 20 ms
RANGE_DB = 40.0  # ends this far below the loudest block are silence
FADE = 160  # samples, 10 ms
CLIPPED_ABOVE = 0.995  # quantile of |x| at which all sounds are clipped
LEVEL_DBFS = -20.0
COMPRESSION = 0.6  # libsndfile's scale, 0 best to 1 smallest; about 45 kb/s
SILENCE = 1e-6  # peak, linear
DIGITAL_SILENCE = 1e-4  # re peak

RULE = (
    f"{SAMPLE_RATE}Hz,{LOW_HZ:g}-{HIGH_HZ:g}Hz,trim{RANGE_DB:g}dB"
    f",{'/'.join(f'{length:g}' for length in LENGTHS)}s,clip{CLIPPED_ABOVE:g}"
    f",vorbis{COMPRESSION:g}"
)
"""All of it on one line, for signatures."""


def cuts(clip: Clip) -> list[Clip]:
    """A sound from its start, cut to each of `LENGTHS` that it fills, the shortest first; all levelled.

    Mono at 16 kHz, 60 Hz to 7 kHz, at -20 dBFS, through Ogg Vorbis. Ends more than 40 dB below the loudest 20 ms are
    cut off. The largest 0.5 % of the samples are clipped, which hides the clipping of the source. Silence stays
    silence. What is above 7 kHz and after 2 s is not heard. A sound shorter than the shortest length is one cut.
    """
    samples = trimmed(banded(unpadded(clip).at(SAMPLE_RATE)))
    filled = [seconds for seconds in LENGTHS if len(samples) >= round(seconds * SAMPLE_RATE)]
    return [_levelled(samples[: round(seconds * SAMPLE_RATE)]) for seconds in filled or LENGTHS[:1]]


def _levelled(samples: Samples) -> Clip:
    peak = float(np.abs(samples).max(initial=0.0))
    if peak < SILENCE:
        return Clip(np.zeros((1, max(1, len(samples))), np.float32), SAMPLE_RATE)
    faded = samples * _fade(len(samples))
    limit = max(float(np.quantile(np.abs(faded), CLIPPED_ABOVE)), 1e-3 * peak)
    clipped = np.clip(faded, -limit, limit)
    clipped *= 10 ** (LEVEL_DBFS / 20) / np.sqrt(np.mean(np.square(clipped, dtype=np.float64)))
    return Clip(_coded(clipped)[np.newaxis], SAMPLE_RATE)


def unpadded(clip: Clip) -> Clip:
    """A clip without the digital silence at its ends, below -80 dB re its peak, to the sample.

    Filters ring before a sound that starts at once after silence, but not before one that starts the file.
    """
    loud = np.flatnonzero(np.abs(clip.mono) > DIGITAL_SILENCE * np.abs(clip.mono).max(initial=0.0))
    return Clip(clip.samples[:, loud[0] : loud[-1] + 1], clip.sample_rate) if len(loud) else clip


def banded(samples: Samples) -> Samples:
    """A signal at 16 kHz without what is below 60 Hz (as offsets are) and above 7 kHz; zero phase."""
    from scipy.fft import irfft, next_fast_len, rfft

    size = next_fast_len(len(samples) + SAMPLE_RATE // 10, real=True)
    hz = np.fft.rfftfreq(size, 1 / SAMPLE_RATE)
    rise = np.clip((hz - LOW_HZ / 2) / (LOW_HZ / 2), 0, 1)
    fall = np.clip((HIGH_HZ + 200 - hz) / 200, 0, 1)
    kept = irfft(rfft(samples.astype(np.float64), size) * rise * fall, size)[: len(samples)]
    return np.asarray(kept, dtype=np.float32)


def trimmed(samples: Samples) -> Samples:
    """A signal at 16 kHz from its first to its last block of 20 ms within 40 dB of the loudest."""
    if len(samples) < 2 * BLOCK:
        return samples
    power = np.mean(np.square(samples[: len(samples) // BLOCK * BLOCK].reshape(-1, BLOCK), dtype=np.float64), axis=1)
    active = np.flatnonzero(power > power.max() * 10 ** (-RANGE_DB / 10))
    return samples[active[0] * BLOCK : (active[-1] + 1) * BLOCK] if len(active) else samples


def _fade(length: int) -> Samples:
    """1, rising from and falling to 0 within 10 ms of the ends: a cut is not a click."""
    ramp = np.minimum(1.0, (np.arange(length) + 1) / FADE)
    return np.asarray(ramp * ramp[::-1], dtype=np.float32)


def _coded(samples: Samples) -> Samples:
    """Through Ogg Vorbis, from 16 bits: rounding makes the result the same for every gain of the source."""
    import soundfile

    file = io.BytesIO()
    whole = np.rint(samples * 32767).clip(-32768, 32767).astype(np.int16)
    soundfile.write(file, whole, SAMPLE_RATE, format="OGG", subtype="VORBIS", compression_level=COMPRESSION)
    file.seek(0)
    decoded, _ = soundfile.read(file, dtype="float32")
    found = np.zeros(len(samples), np.float32)
    found[: len(decoded)] = decoded[: len(samples)]
    return found
