"""How far known degradations move FAD and KAD, by each embedder. Writes a Markdown table.

Held-back recordings are degraded and compared with the shipped reference; the row "none" is what the same
recordings have untouched, so the number after it is what a degradation adds.

    INNEREAR_DATA=FOLDER python bench/degradations.py [environment|notes|sentences] [clips] [embedder ...]
"""

import io
import os
import sys
from pathlib import Path

import numpy as np
import soundfile
from scipy.signal import butter, fftconvolve, sosfiltfilt

from innerear.clip import Clip, read
from innerear.compute.threads import one_blas_thread
from innerear.distance.frechet import frechet_distance
from innerear.distance.kernel import KernelReference, kad
from innerear.distance.moments import Gaussian
from innerear.embed import open_embedder
from innerear.reference.sets import find_reference

SAMPLE_RATE = 44_100


def noisy(x, snr_db, rng):
    noise = rng.standard_normal(len(x))
    return x + noise * np.sqrt(np.mean(x**2) / np.mean(noise**2)) * 10 ** (-snr_db / 20)


def low_pass(x, hz):
    return sosfiltfilt(butter(6, hz, fs=SAMPLE_RATE, output="sos"), x)


def clipped(x, db):
    limit = np.abs(x).max() * 10 ** (-db / 20)
    return np.clip(x, -limit, limit)


def octave(x, up):
    at = np.arange(0, len(x) - 1, 2.0 if up else 0.5)
    return np.resize(np.interp(at, np.arange(len(x)), low_pass(x, 9_000) if up else x), len(x))


def mp3(x):
    file = io.BytesIO()
    peak = max(1.0, np.abs(x).max())
    soundfile.write(
        file, x / peak, SAMPLE_RATE, format="MP3", subtype="MPEG_LAYER_III", bitrate_mode="CONSTANT",
        compression_level=0.99,  # at 1 libsndfile fails; gives 32 kb/s
    )  # fmt: skip
    file.seek(0)
    return soundfile.read(file)[0]


def eight_bit(x):
    peak = np.abs(x).max() + 1e-12
    return np.round(x / peak * 127) / 127 * peak


def reverberant(x, rng):
    t = np.arange(round(1.5 * SAMPLE_RATE)) / SAMPLE_RATE
    tail = rng.standard_normal(len(t)) * 10 ** (-3 * t / 1.5)
    wet = fftconvolve(x, tail)[: len(x)]
    return x + wet * np.sqrt(np.mean(x**2) / max(1e-20, np.mean(wet**2)))


DEGRADATIONS = {
    "none": lambda x, rng: x,
    "noise 20 dB": lambda x, rng: noisy(x, 20, rng),
    "noise 10 dB": lambda x, rng: noisy(x, 10, rng),
    "noise 0 dB": lambda x, rng: noisy(x, 0, rng),
    "low-pass 4 kHz": lambda x, rng: low_pass(x, 4_000),
    "low-pass 1 kHz": lambda x, rng: low_pass(x, 1_000),
    "clipping 12 dB": lambda x, rng: clipped(x, 12),
    "clipping 30 dB": lambda x, rng: clipped(x, 30),
    "reversed": lambda x, rng: x[::-1],
    "octave up": lambda x, rng: octave(x, True),
    "octave down": lambda x, rng: octave(x, False),
    "MP3 32 kb/s": lambda x, rng: mp3(x),
    "8 bit": lambda x, rng: eight_bit(x),
    "reverberation 1.5 s": reverberant,
}


def main(kind="environment", clips="60", *embedders):
    data = Path(os.environ["INNEREAR_DATA"])
    columns = {}
    for name in embedders or ("yamnet", "aisfx"):
        reference, embedder = find_reference(kind, name), open_embedder(name)
        names = [n for n, held in zip(reference.names, reference.held, strict=True) if held]
        names = [names[i] for i in np.random.default_rng(0).permutation(len(names))[: int(clips)]]
        sounds = [read(data / n).at(SAMPLE_RATE) for n in names]
        gaussian, kernel = Gaussian.of(np.concatenate(reference.kept)), KernelReference.of(reference.kept)
        for what, degrade in DEGRADATIONS.items():
            rng = np.random.default_rng(1)
            made = [Clip(np.ascontiguousarray(degrade(x, rng), np.float32)[None], SAMPLE_RATE) for x in sounds]
            frames = embedder.embed(made)
            columns[name, what] = frechet_distance(gaussian, np.concatenate(frames)), kad(kernel, frames)
            print(name, what, *columns[name, what], file=sys.stderr, flush=True)
    names = list(dict.fromkeys(name for name, _ in columns))
    print(f"| {kind}, {len(sounds)} clips | " + " | ".join(f"{n} FAD | {n} KAD" for n in names) + " |")
    print("|---|" + "---:|---:|" * len(names))
    for what in DEGRADATIONS:
        print(f"| {what} | " + " | ".join("{:.2f} | {:.2f}".format(*columns[n, what]) for n in names) + " |")


if __name__ == "__main__":
    with one_blas_thread():
        main(*sys.argv[1:])
