"""Clips a second of each embedder, and CLAP beside two peers' whole paths: `python bench/embed.py`.

Needs the extras `clap` and `export`. Random weights of the published sizes, so speed is valid and
no embedding means anything. One thread, processor time, best of k, the methods one after the other
in one process. A clip is 5 s of stereo WAV at 44.1 kHz, from the disk to its frames.

Peers, re-typed because they do not install beside torch 2.13 on a processor (torchaudio, laion_clap):
- transformers eager: soundfile, mean, soxr, ClapFeatureExtractor, ClapModel's audio tower, batch 1
  (at 4 it took 1 to 4 % more a clip).
- fadtk 1.1.0 (fad.py lines 139-160, model_loader.py lines 378-410): mean, Kaiser sinc resampling of
  64 zero crossings with its kernel built anew, 16-bit WAV written and read again, windows of 10 s
  every 1 s padded with zeros, one forward each, float16. The tower is the same ClapModel, eager.
"""

from __future__ import annotations

import math
import os

os.environ["OMP_NUM_THREADS"] = "1"

import platform
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from need import need

need("torch", "transformers", "onnx", how="pip install 'innerear[clap,export]'")

import numpy as np
import soundfile
import soxr
import torch

from innerear import suite
from innerear.clip import read_mono
from innerear.compute.threads import ordered
from innerear.embed import open_embedder
from innerear.embed.weights import home, record
from innerear.errors import WeightsUnavailable
from innerear.lab.export import export
from parity.checkpoints import save_clap, save_cnn14, save_encodec, save_vggish

SECONDS, CLIPS, REPEATS = 5.0, 4, 4


def best(work: Callable[[], Any], repeats: int = REPEATS) -> float:
    """Seconds of processor time, the least of a few tries."""
    found = math.inf
    for _ in range(repeats):
        start = time.process_time()
        work()
        found = min(found, time.process_time() - start)
    return found


class Timed:
    """A network's runtime that adds up the processor time of its runs."""

    def __init__(self, runner: Any) -> None:
        self.runner, self.spent = runner, 0.0

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.runner, name)
        if name not in {"run", "invoke"}:
            return found

        def call(*given: Any) -> Any:
            start = time.process_time()
            answer = found(*given)
            self.spent += time.process_time() - start
            return answer

        return call


def transformers_path(paths: list[Path], extractor: Any, tower: Callable[[Any], Any]) -> list[np.ndarray]:
    found = []
    for path in paths:
        samples, rate = soundfile.read(path, dtype="float32")
        mono = soxr.resample(samples.mean(axis=1), rate, 48_000)
        features = extractor(mono, sampling_rate=48_000, return_tensors="pt")["input_features"]
        found.append(tower(features).numpy())
    return found


def kaiser_resample(x: torch.Tensor, source: int, target: int) -> torch.Tensor:
    """Sinc interpolation with a Kaiser window, as torchaudio's Resample(sinc_interp_kaiser) defines it."""
    width_of, rolloff, beta = 64, 0.9475937167399596, 14.769656459379492
    common = math.gcd(source, target)
    source, target = source // common, target // common
    base = min(source, target) * rolloff
    width = math.ceil(width_of * source / base)
    at = torch.arange(-width, width + source, dtype=torch.float64)[None] / source
    t = (torch.arange(0, -target, -1, dtype=torch.float64)[:, None] / target + at) * base
    t = t.clamp(-width_of, width_of)
    window = torch.i0(beta * torch.sqrt(1 - (t / width_of) ** 2)) / torch.i0(torch.tensor(beta))
    kernel = (torch.sinc(t) * window * (base / source)).float()
    padded = torch.nn.functional.pad(x, (width, width + source))
    found = torch.nn.functional.conv1d(padded[None], kernel[:, None], stride=source)
    return found.transpose(1, 2).reshape(1, -1)[:, : math.ceil(target * x.shape[1] / source)]


def fadtk_path(paths: list[Path], tower: Callable[[Any], Any], mel: Callable[[Any], Any]) -> list[np.ndarray]:
    found = []
    for path in paths:
        samples, rate = soundfile.read(path, dtype="float32")
        mono = kaiser_resample(torch.from_numpy(samples.T.copy()).mean(0, keepdim=True), rate, 48_000)
        converted = path.with_suffix(".48k.wav")
        soundfile.write(converted, mono[0].numpy(), 48_000, subtype="PCM_16")
        audio = soundfile.read(converted, dtype="int16")[0] / 32768.0
        audio = ((np.clip(audio, -1, 1) * 32767).astype(np.int16) / 32767.0).astype(np.float32)
        frames = []
        for start in range(0, len(audio), 48_000):
            chunk = audio[start : start + 480_000]
            frames.append(tower(mel(torch.from_numpy(np.pad(chunk, (0, 480_000 - len(chunk)))))))
        found.append(torch.cat(frames).numpy().astype(np.float16))
    return found


def torch_mel(filters: torch.Tensor) -> Callable[[torch.Tensor], torch.Tensor]:
    window = torch.hann_window(1024)

    def mel(samples: torch.Tensor) -> torch.Tensor:
        power = torch.stft(samples, 1024, 480, window=window, pad_mode="reflect", return_complex=True).abs() ** 2
        return (10 * torch.log10(torch.clamp(power.T @ filters, min=1e-10)))[None, None]

    return mel


def main() -> None:
    torch.set_num_threads(1)
    torch.set_grad_enabled(False)
    import transformers

    transformers.logging.set_verbosity_error()
    folder = Path(tempfile.mkdtemp())
    os.environ["INNEREAR_CACHE"] = str(folder / "cache")
    rng = np.random.default_rng(0)
    paths = []
    for number in range(CLIPS):
        paths.append(folder / f"{number}.wav")
        soundfile.write(paths[-1], rng.normal(0, 0.1, (round(SECONDS * 44_100), 2)), 44_100, subtype="PCM_16")

    save_clap(folder / "hub", "whole")
    export("clap-laion", folder / "hub")
    save_encodec(folder / "encodec")
    export("encodec-24khz", folder / "encodec")
    for model, file, save in (
        ("vggish", "vggish/vggish-10086976.pth", save_vggish),
        ("panns-cnn14", "panns-cnn14/Cnn14_mAP=0.431.pth", save_cnn14),
    ):
        save(home(file))
        record(home(file), "random, for a benchmark")
        export(model)

    processor = next((line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
                      if line.startswith("model name")), platform.machine())  # fmt: skip
    print(f"{processor}, 1 thread, processor time, best of {REPEATS}; torch {version('torch')}, transformers "
          f"{version('transformers')}, onnxruntime {version('onnxruntime')}; clips of {SECONDS:g} s\n")  # fmt: skip
    print("| embedder | clips a second | ms a clip | outside the network |\n|---|---|---|---|")
    ours = {}
    for name in ("mel", "yamnet", "vggish", "vggish-torch", "panns-cnn14", "encodec-24khz", "clap-laion"):
        try:
            embedder = open_embedder(name)
        except WeightsUnavailable as error:
            print(f"| {name} | – | – | {error} |")
            continue

        def whole(embedder: Any = embedder) -> None:
            for path in paths:
                embedder.embed([read_mono(path, embedder.sample_rate)])

        ours[name] = best(whole) / CLIPS
        share = "–"
        network = getattr(embedder, "_audio", getattr(embedder, "_network", None))
        if network is not None:
            owner, runner = (network(), "_interpreter") if name == "yamnet" else (network, "_session")
            timed = Timed(getattr(owner, runner))
            setattr(owner, runner, timed)
            shares = []
            for _ in range(REPEATS):
                timed.spent = 0.0
                start = time.process_time()
                whole()
                shares.append(1 - timed.spent / (time.process_time() - start))
            share = f"{np.median(shares):.1%}"
            setattr(owner, runner, timed.runner)
        print(f"| {name} | {1 / ours[name]:.2f} | {1e3 * ours[name]:.1f} | {share} |", flush=True)

    theirs: Any = transformers.ClapModel.from_pretrained(folder / "hub").eval()
    extractor = transformers.ClapFeatureExtractor(frequency_min=50, frequency_max=14_000, truncation="rand_trunc")

    def tower(features: torch.Tensor) -> torch.Tensor:
        with torch.inference_mode():
            found = theirs.audio_projection(theirs.audio_model(input_features=features).pooler_output)
            return torch.nn.functional.normalize(found, dim=-1)

    mel = torch_mel(torch.from_numpy(extractor.mel_filters_slaney).float())
    clap = open_embedder("clap-laion", "none")
    eager = transformers_path(paths, extractor, tower)
    difference = max(np.abs(a - clap.embed([read_mono(p, 48_000)])[0]).max() for a, p in zip(eager, paths, strict=True))
    paths_of: dict[str, Callable[[], Any]] = {
        "InnerEar": lambda: [clap.embed([read_mono(path, 48_000)]) for path in paths[:2]],
        "transformers eager": lambda: transformers_path(paths[:2], extractor, tower),
        "fadtk's whole path, re-typed": lambda: fadtk_path(paths[:2], tower, mel),
    }
    least = dict.fromkeys(paths_of, math.inf)
    for _ in range(6):  # in turns, so that a busy machine is busy for all
        for name, work in paths_of.items():
            least[name] = min(least[name], best(work, 1) / 2)
    print("\n| CLAP, from file to frames | ms a clip | InnerEar is faster by |\n|---|---|---|")
    for name, seconds in least.items():
        print(f"| {name} | {1e3 * seconds:.1f} | {seconds / least['InnerEar']:.2f}x |")
    wall = {"InnerEar, a clip a core": math.inf, "transformers eager, a clip on all cores": math.inf}
    for _ in range(4):
        torch.set_num_threads(os.cpu_count() or 1)
        for name, work in zip(
            wall,
            (
                lambda: list(ordered(lambda path: clap.embed([read_mono(path, 48_000)]), paths * 2)),
                lambda: transformers_path(paths * 2, extractor, tower),
            ),
            strict=True,
        ):
            start = time.perf_counter()
            work()
            wall[name] = min(wall[name], (time.perf_counter() - start) / (2 * CLIPS))
    torch.set_num_threads(1)
    print(f"\n| CLAP, wall clock, {os.cpu_count()} cores | clips a second | InnerEar is faster by |\n|---|---|---|")
    for name, seconds in wall.items():
        print(f"| {name} | {1 / seconds:.2f} | {seconds / wall['InnerEar, a clip a core']:.2f}x |")
    print(f"\nlargest difference from transformers eager on these clips: {difference:.1e} (frames of length 1)")

    captions = [probe.caption for probe in suite.edition("1").probes][:24]
    clap.read(captions[:1])
    tokenizer = clap._text._opened[0]
    rows = [encoding.ids for encoding in tokenizer.encode_batch(captions)]
    ids = torch.full((len(rows), 77), 1)
    for place, row in enumerate(rows):
        ids[place, : len(row)] = torch.tensor(row)

    def padded() -> None:
        for i in range(0, len(rows), 8):
            batch = ids[i : i + 8]
            theirs.text_projection(theirs.text_model(input_ids=batch, attention_mask=(batch != 1).long()).pooler_output)

    trimmed, full = best(lambda: clap.read(captions), 2) / len(rows), best(padded, 2) / len(rows)
    print(f"captions of {min(map(len, rows))} to {max(map(len, rows))} tokens: {1e3 * trimmed:.1f} ms each trimmed, "
          f"{1e3 * full:.1f} ms padded to 77 (transformers eager): {full / trimmed:.2f}x")  # fmt: skip


if __name__ == "__main__":
    main()
